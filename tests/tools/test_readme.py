import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
TEXT = "# Title\n\n<!-- results -->\nstale\n<!-- /results -->\nthe end\n"


@pytest.fixture
def written(tool, tmp_path):
    """Writes README and the page of every row, and gives their texts."""

    def write(results, /, **texts):
        pages = tmp_path / "README.md", tmp_path / "docs" / "results.md"
        for page in pages:
            page.parent.mkdir(exist_ok=True)
            page.write_text(texts.get(page.stem, TEXT))
        tool("readme").write(results, tmp_path / "reports", *pages)
        return [page.read_text() for page in pages]

    return write


def test_results_and_pictures_are_written(results, written, tmp_path):
    results.add("proposed", "joint", psnr=33.0)
    results.add("modl+sinc", "sequential", psnr=30.0)
    results.add("proposed", dataset="vfa", kept=0, contrasts=("fa05",), subjects=("p",), label="real raw data")
    results.fail("proposed", dataset="brain")
    first, everything = written(results.folder)
    for text in (first, everything):
        assert text.startswith("# Title\n\n<!-- results -->\n")
        assert text.endswith("<!-- /results -->\nthe end\n")
        assert "stale" not in text
        assert "`bench report --results results` makes the page" in text
    assert "| `proposed` | joint | none | **31.15 ± 0.11** |" in everything
    assert (
        "vwi, profile laptop: simulated acquisition; 12 slices of 3 test subjects, 1 training seed. Mean over people ± "
        "standard deviation over slices; best in bold; bounds are not ranked.\n"
    ) in everything
    assert "### `vfa`: real raw data\n" in everything
    assert everything.count("](../reports/") == everything.count("](../reports/vwi.png)") == 1
    assert [path.name for path in (tmp_path / "reports").iterdir()] == ["vwi.png"]
    with Image.open(tmp_path / "reports/vwi.png") as picture:
        assert picture.width > 300


def test_the_first_screen_has_answer_figure_and_limits(results, written, tmp_path):
    for method, group in (("dl-espirit~rrdb", "joint"), ("dl-espirit+rrdb", "sequential")):
        results.add(method, group, loss="l1")
    first, _ = written(results.folder)
    assert "**Not tested: no declared comparison" in first
    assert "](reports/declared.png)" in first
    assert "vwi: simulated acquisition, 3 people." in first
    assert (tmp_path / "reports/declared.png").exists()


def test_methods_with_every_fold_have_a_table_of_their_own(results, written):
    for fold, subjects in enumerate((("a", "b"), ("c", "d"))):
        results.add("proposed", "joint", fold=fold, subjects=subjects)
    results.add("modl+sinc", "sequential", subjects=("a", "b"))
    _, everything = written(results.folder)
    first, second = everything.split("best in bold; bounds are not ranked.")[1:]
    assert ("`proposed`" in first, "`modl+sinc`" in first) == (True, False)
    assert ("`proposed`" in second, "`modl+sinc`" in second) == (True, True)
    assert "of 4 test subjects" in everything


def test_a_second_run_changes_nothing(results, written, tmp_path):
    results.add()
    once, twice = ((*written(results.folder), (tmp_path / "reports/vwi.png").read_bytes()) for _ in range(2))
    assert once == twice


def test_what_is_committed_is_what_the_results_give(written, tmp_path):
    pages = [ROOT / "README.md", ROOT / "docs" / "results.md"]
    texts = {page.stem: page.read_text() for page in pages}
    shutil.copytree(ROOT / "reports", tmp_path / "committed")
    assert written(ROOT / "results", **texts) == [*texts.values()]
    names = sorted(path.name for path in (tmp_path / "committed").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "reports").iterdir())
    for name in names:
        own, due = (
            np.asarray(Image.open(tmp_path / place / name).convert("L"), float) for place in ("reports", "committed")
        )
        assert own.shape == due.shape
        assert np.abs(own - due).mean() < 0.5, name


def test_the_worked_example_is_what_was_found():
    text = " ".join((ROOT / "docs" / "reading-the-report.md").read_text(encoding="utf-8").split())
    example = re.search(r"A worked example, from `vwi`: \*(.*?)\*", text)[1]
    of_vwi = (ROOT / "docs" / "results.md").read_text(encoding="utf-8").split("### `vwi`")[1]
    assert example in of_vwi
    mean = re.search(r"PSNR fg (\S+) dB", example)[1]
    assert f"Their mean is {mean} dB" in text
