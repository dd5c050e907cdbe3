"""The faults that users of such tools report, typed as they would type them: each ends as its line `# right:` says."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "cases"
NAMES = sorted(path.parent.name for path in FOLDER.glob("*/reproduce.sh"))
PHANTOM = ("complex-output", "markup", "long-tmpdir", "output-encoding", "from-python", "mask-centre")
"""Those that may use prepared slices of other tests."""
SLOW = (
    "open-files", "two-sites", "template-names", "head-thick", "from-python", "bit-rot", "output-encoding", "bids-session",
    "long-tmpdir",
)  # fmt: skip
"""Those of more than ten seconds, for `pytest -m slow`."""


def row(foreground, whole, ssim):
    """A line of the table, `oracle+sinc`; the last digit of each score is free, as rounding is each processor's own."""
    gap, (foreground, whole, ssim) = r"[ |]+", (re.escape(score) + r"\d" for score in (foreground, whole, ssim))
    return rf"oracle\+sinc{gap}{foreground}{gap}\S{gap}{whole}{gap}{ssim}[ |]"


PHANTOM_ROW = row("22.4", "20.2", "0.716")
WORDS = {
    "air-slice": [r"'c1, t1w-axial, slice 2': kspace holds nothing but zeros: left out", row("24.7", "23.4", "0.829"), "rc=0"],
    "bids-session": [row("26.0", "25.2", "0.840"), r"rc=0\n(.*report: .*\n)+wrote \d+ files; open .*\nrc=0"],
    "bit-rot": [r"\A oracle\+sinc +(\S.*\S) *\n oracle\+sinc +\1 *\n\Z"],
    "complex-output": [
        r"failed vwi oracle\+phasey seed0: phantom-5, t1w-axial, slice 80: the clause 'shape' is broken: image is torch",
        PHANTOM_ROW, "rc=1",
    ],
    "dc-corner": [r"bench: .*'c1, t1w-axial, slice 0': kspace has its maximum at \(0, 0\), not in the middle", "rc=2"],
    "few-slices": [r"'c1, t1w-axial': 1 slice, not 2: there are no more", row("26.0", "25.3", "0.839"), "rc=0"],
    "foreground": [r"\A(scalp .* of the scalp \n){12}\Z"],
    "from-python": [r"(skipped: the profile downloads no weights[^U]*){4}Usage: python -m bench"],
    "head-nan": [r"bench: .*'c1': volume holds NaN or infinity \(.*% of it, first at \(0, 0, 0\)\)", "rc=2"],
    "head-thick": [r"'c1, t1w-axial': 19 slices, not 30: there are no more", row("21.8", "21.5", "0.613"), "rc=0"],
    "helper-module": ["bench: .*mine_blocks'. A plugin of several files is a folder with an __init__.py", "rc=2"],
    "load-error": [
        r"bench: .*subject 'c1', contrast 't1w-axial' cannot be prepared: FileNotFoundError: .*/data/c1/kspace.h5.*source.py",
        "rc=2",
    ],
    "long-tmpdir": [PHANTOM_ROW, r"rc=0\n\Z"],
    "markup": [
        r"failed vwi oracle\+broken seed0: .*looked in \[/data/kernels\] and \[cache\]", PHANTOM_ROW, "rc=1",
    ],
    "mask-centre": ["bench: no gaussian-1d mask of .* make the centre smaller", "rc=2"],
    "nan-sample": [r"bench: .*'c1, t1w-axial, slice 2': kspace holds NaN or infinity \(one sample, at \(1, 7, 9\)\)", "rc=2"],
    "no-locks": [r"bench: \S+/prepared cannot be written \(No locks available\): .*BENCH_CACHE", "rc=2"],
    "no-such-contrast": ["bench: .*'c1' has the contrasts T1w_SPACE, and not 't1w-axial', which the dataset asks for", "rc=2"],
    "odd-matrix": ["bench: Dataset 'odd': its matrix 55 x 47 must be even", "rc=2"],
    "open-files": ["300 slices of 150 test", "rc=0"],
    "output-encoding": [rf"{PHANTOM_ROW}.*\n(.*\n)+rc=0\n(.*\n)+.*{PHANTOM_ROW}.*\n(.*\n)+rc=0\n\Z"],
    "readonly-cache": [r"bench: The cache folder .* cannot be written \(Read-only file system\): .*BENCH_CACHE", "rc=2"],
    "small-kspace": ["'c1, t1w-axial, slice 0': kspace is 40 x 32, the dataset's matrix 48 x 40", "rc=2"],
    "template-names": ["'sense' holds to the contract(.*\n)+.*'output' holds to the(.*\n)+.*'none' holds to the contract"],
    "test-only": ["bench: Source 'mine' has nobody in 'train', which 'modl' needs to learn from", "rc=2"],
    "two-sites": ["rc=0 same"],
}  # fmt: skip


def test_every_case_is_expected_to_end_somehow():
    assert sorted(WORDS) == NAMES


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in NAMES])
def test_it_ends_as_it_should(name, cache, tmp_path):
    if name == "readonly-cache" and (os.geteuid() != 0 or not shutil.which("unshare")):
        pytest.skip("mounting a folder read-only takes root")
    if name == "no-locks" and not shutil.which("gcc"):
        pytest.skip("needs a C compiler")
    own = {"BENCH_CACHE": str(cache if name in PHANTOM else tmp_path / "cache")}
    environment = os.environ | own | {"BENCH": str(Path(sys.executable).parent / "bench"), "COLUMNS": "80"}
    script = FOLDER / name / "reproduce.sh"
    ended = subprocess.run(
        ["bash", script], check=False, capture_output=True, text=True, env=environment, timeout=600, errors="replace"
    )
    said = ended.stdout + ended.stderr
    assert "Traceback" not in said
    for words in WORDS[name]:
        assert re.search(words, said), said[-2000:]
