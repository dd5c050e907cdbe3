import sys
from pathlib import Path

from bench.store import layout
from bench.store.layout import ResultsFolder


def test_the_cache_folder_follows_the_platform(monkeypatch, tmp_path):
    monkeypatch.delenv("BENCH_CACHE", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert layout.cache_folder() == tmp_path / "joint-mri-bench"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert layout.cache_folder() == Path.home() / ".cache" / "joint-mri-bench"
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "mine"))
    assert layout.cache_folder() == tmp_path / "mine"


def test_free_text_becomes_one_part_of_a_path():
    assert layout.path_part("vwi@acceleration=8,coils=4") == "vwi@acceleration=8,coils=4"
    for text in ("sub-01/ses-2", "..", ".hidden", "a\\b", "[red]x"):
        part = layout.path_part(text)
        assert Path(part).name == part
        assert not part.startswith(".")


def test_a_fold_has_a_folder_of_its_own():
    results = ResultsFolder(Path("r"))
    assert results.run("vwi", "smoke", "proposed", 1, 2).path.name == "seed1-fold2"
    assert results.run("vwi", "smoke", "proposed", 1).record == Path("r/vwi/smoke/proposed/seed1/run.json")
    assert results.reference("vwi", "smoke", 2).name == "reference-fold2.npz"


def test_stages_are_no_runs(tmp_path):
    results = ResultsFolder(tmp_path)
    for path in (results.run("vwi", "smoke", "a", 0).record, results.stage("vwi", "smoke", "a", 0).record):
        path.parent.mkdir(parents=True)
        path.write_text("{}")
    assert [run.record.name for run in results.runs("vwi")] == ["run.json"]
    assert [stage.record.name for stage in results.stages("vwi")] == ["stage.json"]
