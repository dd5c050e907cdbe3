"""The examples do what they say, without a network."""

import ast
import runpy
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bench
from bench import registry
from bench.authoring.check import check, check_id
from bench.metrics.scores import DETAILS, SCORES
from bench.store.layout import ResultsFolder
from bench.store.records import Keys, RunRecord
from bench.store.tables import IDENTITY, write_rows

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def run(name, *arguments):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [name, *map(str, arguments)])
        return runpy.run_path(str(EXAMPLES / name), run_name="example")


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_each_says_how_to_run_it_and_imports_the_door_only(path):
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert f"examples/{path.name}" in ast.get_docstring(tree)
    froms = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not [name for name in froms if name.startswith("bench")]
    assert len(text.splitlines()) <= 60


def test_your_kspace(cache, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    found = run("your_kspace.py")
    assert "image (128, 128)" in capsys.readouterr().out
    image = np.load("image.npy")
    truth = found["head"] * np.sqrt((found["coils"] ** 2).sum(0))
    assert np.corrcoef(image[::2, ::2].ravel(), truth.ravel())[0, 1] > 0.97
    assert np.percentile(image, 90) == pytest.approx(np.percentile(truth, 90), rel=0.1)


def test_your_kspace_takes_twelve_lines():
    text = (EXAMPLES / "your_kspace.py").read_text(encoding="utf-8").split('"""')[-1]
    assert len([line for line in text.splitlines() if line.strip()]) <= 12


def test_your_method():
    registry.discover((EXAMPLES / "your_method.py",))
    assert {"losses", "truth", "memory"} <= set(check(registry.methods()["unrolled-gradient"]))


def test_your_data(cache):
    path = EXAMPLES / "your_data.py"
    slices = bench.open_dataset("vwi", "test", profile="smoke", source="my-heads", limit=2, plugins=[path])
    assert check_id("my-heads") == ["subjects", "load"]
    assert {subject for subject, _, _ in slices.rows} == {"carla"}
    acquisition, target = slices.batch([0, 1])
    assert acquisition.kspace.shape[0] == 2
    assert target.image_hr.abs().amax() > 0.5


def test_read_results(tmp_path, capsys):
    for method, group, psnr in (("modl+rrdb", "sequential", 30.0), ("proposed", "joint", 29.0)):
        folder = ResultsFolder(tmp_path).run("vwi", "laptop", method, 0)
        rows = [
            ["vwi", "heads", "laptop", method, 0, 0, subject, "t1w", n, psnr + n, 0.9, 0.1, 0.01, 20.0, 0.8, 30.0]
            for subject, count in (("anna", 3), ("ben", 1))
            for n in range(count)
        ]
        table = pd.DataFrame(rows, columns=[*IDENTITY, *SCORES]).reindex(columns=[*IDENTITY, *SCORES, *DETAILS])
        write_rows(folder.slices, table)
        RunRecord(
            status="done", reason=None, dataset="vwi", source="heads", profile="laptop", method=method, seed=0, fold=0,
            source_label="", caveats=(), group=group, limit=None, subjects={}, contrasts=("t1w",), matrix=(48, 40),
            voxel_mm=None, settings={}, keys=Keys("m", "d"), stages=(), provenance={},
        ).write(folder.record)  # fmt: skip
    means = run("read_results.py", tmp_path)["means"]
    assert means.loc[("vwi", "laptop", "joint", "proposed"), "psnr"] == 29.5  # of people, not of slices
    assert set(means.index.get_level_values("method")) == {"modl+rrdb", "proposed"}
    assert "30.5" in capsys.readouterr().out
