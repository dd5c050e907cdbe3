"""Every Python example of the pages works."""

import re
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import torch

import bench
from bench import config, registry
from bench.authoring.check import check, check_id
from bench.metrics.scores import DETAILS, SCORES
from bench.store.layout import ResultsFolder
from bench.store.records import Keys, RunRecord
from bench.store.tables import IDENTITY, write_rows
from bench.train.stage import load_half

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"(?:<!-- file: (\S+) -->\n)?```python\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    for link in (link for link in links if not link.startswith(("http://", "https://"))):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}, link


def blocks(page):
    """(file name or "", text) of each Python example."""
    return BLOCK.findall(page.read_text(encoding="utf-8"))


def fully_sampled(size, seed=0):
    """K-space (coil, Y, X) of an ellipse with some texture, and the magnitude of its coil combination."""
    y, x = np.meshgrid(*((np.arange(n) - n // 2) / (n / 2) for n in size), indexing="ij")
    texture = np.random.default_rng(seed).normal(size=size)
    image = (y**2 + x**2 < 0.6) * (1 + 0.1 * texture)
    coils = np.stack([np.exp(-((y - a) ** 2) - (x - b) ** 2) for a, b in ((-1, 0), (1, 0), (0, -1), (0, 1))])
    return bench.fft2c(torch.from_numpy((coils * image).astype(np.complex64))).numpy(), image * np.sqrt(
        (coils**2).sum(0)
    )


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder with the files that the pages speak of."""
    monkeypatch.chdir(tmp_path)
    np.save("truth.npy", fully_sampled((96, 80))[1])
    np.save("kspace.npy", fully_sampled((48, 40))[0])
    Path("acquisitions").mkdir()
    with h5py.File("acquisitions/anna-t1w.h5", "w") as file:
        file["kspace"], file["maps_hr"] = fully_sampled((24, 20))[0][None], np.ones((1, 4, 48, 40), np.complex64)
        file.attrs["matrix"] = (48, 40)
    folder = ResultsFolder(tmp_path / "runs").run("vwi", "laptop", "proposed", 0)
    rows = [["vwi", "heads", "laptop", "proposed", 0, 0, "anna", "t1w", n, *[1.0] * len(SCORES)] for n in range(3)]
    write_rows(
        folder.slices, pd.DataFrame(rows, columns=[*IDENTITY, *SCORES]).reindex(columns=[*IDENTITY, *SCORES, *DETAILS])
    )
    RunRecord(
        status="done", reason=None, dataset="vwi", source="heads", profile="laptop", method="proposed", seed=0, fold=0,
        source_label="", caveats=(), group="joint", limit=None, subjects={}, contrasts=("t1w",), matrix=(48, 40),
        voxel_mm=None, settings={}, keys=Keys("m", "d"), stages=(), provenance={},
    ).write(folder.record)  # fmt: skip
    return tmp_path


def files(page, folder):
    """Load the examples of a page that are files; {name: path}."""
    found = {}
    for name, text in blocks(page):
        if name:
            found[name] = folder / name
            found[name].write_text(text)
    registry.discover(found.values())
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_no_file_runs_from_top_to_bottom(cache, desk, page):
    names = {"kspace": np.load("kspace.npy"), "__name__": "__main__"}
    for name, text in blocks(page):
        if not name:
            exec(compile(text, page.name, "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_a_file_holds_to_the_contract(tmp_path, page):
    files(page, tmp_path)
    for plugin in [plugin for plugin in registry.methods().values() if not plugin.built_in]:
        assert "input" in check(plugin)


def test_the_method_is_as_short_as_the_title_says(tmp_path):
    text = files(ROOT / "CONTRIBUTING.md", tmp_path)["sharpen.py"].read_text()
    body = text[text.index("@bench") :]
    assert len([line for line in body.splitlines() if line.strip()]) <= 20
    assert "from bench" not in text


def test_its_settings_and_weights_are_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = ROOT / "CONTRIBUTING.md"
    files(page, tmp_path)
    plugin = registry.methods()["sharpen"]
    exec(next(text for _, text in blocks(page) if "torch.save" in text), {})
    settings = config.load("smoke", ["methods.sharpen.width=5", "methods.sharpen.weights=sharpen.pt"])
    network = load_half(plugin, settings, None, "cpu").network
    assert network.blur.kernel_size == 5
    assert float(network.amount.detach()) == 0.5
    profile = tmp_path / "mine.toml"
    profile.write_text(re.search(r"    \[methods\.sharpen\]\n    width = 5\n", page.read_text())[0].replace("    ", ""))
    assert config.load(str(profile)).of(plugin).width == 5


def test_the_source_and_the_dataset_work(cache, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scans").mkdir()
    for seed, name in enumerate(("anna", "ben", "carla", "dan")):
        scans = [fully_sampled((256, 224), 10 * seed + n)[0] for n in range(3)]
        np.save(f"scans/{name}.npy", np.stack(scans))
    path = files(ROOT / "CONTRIBUTING.md", tmp_path)["scans.py"]
    assert check_id("my-scans") == ["subjects", "load"]
    assert check_id("my-knees") == ["protocol"]
    slices = bench.open_dataset("my-knees", "test", profile="smoke", plugins=[path])
    assert {row[:2] for row in slices.rows} == {("dan", "t2w")}
    acquisition, target = slices.batch([0])
    assert acquisition.phase_encode == (False, True)
    assert torch.isfinite(target.peak).all()


def test_the_record_of_a_score_is_read(tmp_path):
    names = {}
    exec(next(text for _, text in blocks(ROOT / "CONTRIBUTING.md") if "Score(" in text), names)
    assert names["record"].title == "MAE ↓"
    assert names["mae"](np.ones(3), np.zeros(3)) == 1.0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_files_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
