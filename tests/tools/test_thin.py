import numpy as np
import pytest

from bench.report import make_report
from bench.report.read.images import read_kept
from bench.report.read.results import collect
from bench.store.images import SliceName, read_images


@pytest.fixture
def full(results):
    for method, group in (("proposed", "joint"), ("modl+sinc", "sequential")):
        results.add(method, group, contrasts=("t1w", "t2/w"))
        results.add(method, group, dataset="vfa", contrasts=("fa05", "fa20"))
    results.fail("t2net")
    return results


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_middle_slice_of_each_contrast_stays(full, tool):
    before = {results.dataset: read_kept(results) for results in collect(full.folder)}
    size = sum(map(len, contents(full.folder).values()))
    tool("thin").thin(full.folder)
    after = {results.dataset: read_kept(results) for results in collect(full.folder)}
    assert set(after["vwi"].reference) == {SliceName("t1w", "s0", 1), SliceName("t2/w", "s0", 1)}
    assert set(after["vfa"].reference) == {SliceName("fa05", "s0", 1)}
    for dataset, images in after.items():
        assert set(images.methods["modl+sinc"]) == set(images.reference)
        for name in images.reference:
            assert name == before[dataset].median(name.contrast)
            image = before[dataset].image("proposed", name)
            assert np.abs(images.image("proposed", name) - image).max() <= 0.004 * image.max()
    assert sum(map(len, contents(full.folder).values())) < 0.5 * size


def test_of_cells_the_corners_stay(results, tool):
    cells = [f"r{r}-c{c}-n{n:02d}" for r in (4, 8, 12) for c in (4, 8) for n in (1, 3, 7)]
    results.add("proposed", dataset="regimes", contrasts=tuple(cells))
    tool("thin").thin(results.folder)
    (collected,) = collect(results.folder)
    kept = {name.contrast for name in read_kept(collected).reference}
    assert kept == {"r4-c8-n01", "r4-c8-n07", "r12-c4-n01", "r12-c4-n07"}


def test_a_second_run_changes_no_byte(full, tool):
    thin = tool("thin").thin
    thin(full.folder)
    once = contents(full.folder)
    thin(full.folder)
    assert contents(full.folder) == once


def test_rows_and_records_stay_as_they_are(full, tool):
    before = contents(full.folder)
    tool("thin").thin(full.folder)
    changed = {path.name for path, content in contents(full.folder).items() if content != before[path]}
    assert changed == {"reference.npz", "images.npz"}


def test_the_size_is_told(full, tool, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["thin.py", str(full.folder)])
    tool("thin").main()
    assert "MB before, " in capsys.readouterr().out


def test_thinned_results_have_a_report(full, tool, tmp_path):
    tool("thin").thin(full.folder)
    names = {path.name for path in make_report(full.folder, tmp_path / "out")}
    assert {"grid-t1w.png", "grid-t2%2Fw.png", "grid-fa05.png", "examples.png", "index.html"} <= names
    assert "grid-fa20.png" not in names
    assert all(
        image.dtype in (bool, np.float32) for image in read_images(full.layout.reference("vfa", "laptop")).values()
    )
