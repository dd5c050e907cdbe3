"""Damaged files of each format end in data, or in one line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

FORMATS = ("fastmri", "m4raw", "ismrmrd", "calgary", "modl", "bart", "npy", "npz", "nifti", "nifti.gz")
MOST_MEMORY = 4 << 30  # bytes of address space


def fuzz(names, count, folder):
    """Run `fuzz.py`, with bounded memory."""
    import resource

    def bounded():
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))

    script = Path(__file__).with_name("fuzz.py")
    done = subprocess.run(
        [sys.executable, str(script), ",".join(names), str(count), str(folder)],
        capture_output=True, text=True, check=False, preexec_fn=bounded,
    )  # fmt: skip
    at = (folder / "at").read_text() if (folder / "at").exists() else "the start"
    assert done.returncode == 0, f"exit code {done.returncode} at {at}: {done.stderr[-2000:]}"
    for found in map(json.loads, done.stdout.splitlines()):
        print(found["format"], found["outcomes"], found["slowest_s"], "s at most")
        assert not found["faults"], "\n".join(map(str, found["faults"][:5]))
        assert sum(found["outcomes"].values()) == count
        assert found["outcomes"]["refused"] > 0


def test_a_few_damaged_files(tmp_path):
    fuzz(FORMATS, 30, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", FORMATS)
def test_two_thousand_damaged_files(tmp_path, name):
    fuzz((name,), 2000, tmp_path)
