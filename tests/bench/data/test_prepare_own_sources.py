"""Sources of one's own: raw k-space, crops, who cannot be loaded, who is there twice."""

import sys
from dataclasses import replace

import h5py
import numpy as np
import pytest
import torch

from bench import config, registry
from bench.data.admission import admit
from bench.data.dataset import Dataset
from bench.data.prepare import open_split, prepare, prepare_slice
from bench.data.slices import open_prepared
from bench.errors import UserError

SMOKE = config.load("smoke")
OWN = """
import numpy as np
import bench

@bench.source("{id}")
class Own(bench.Source):
    label = "real raw data, ours"
    datasets = ("vwi",)

    def subjects(self):
        return {{"train": ("a",), "validation": ("b",), "test": ("c",)}}

    def digests(self, subject):
        return ("sha256 of the file",)

    def load(self, subject):
        random = np.random.default_rng(0)
        kspace = random.normal(size=(6, 64, 60)) + 1j * random.normal(size=(6, 64, 60))
        smooth = np.exp(-((np.arange(64) - 32) ** 2)[:, None] / 50 - (np.arange(60) - 30) ** 2 / 50)
        kspace = (kspace * smooth).astype(np.complex64)
        return bench.RawSubject({{(c, 3): kspace for c in ("t1w-axial", "t1w-coronal")}}, (1.0, 1.0))
"""


def test_raw_kspace_of_ones_own_comes_in_by_the_same_door(cache, tmp_path):
    path = tmp_path / "own_source.py"
    path.write_text(OWN.format(id="own-scans"))
    registry.discover((path,))
    data = Dataset.of(registry.datasets()["vwi"].made_by(), "own-scans", SMOKE, 0, None)
    prepare(data, ["test"], 2, lambda *_: None, (path,))
    slices = open_split(data, "test")
    acquisition, target = slices.batch([0])
    assert slices.rows == [("c", "t1w-axial", 3), ("c", "t1w-coronal", 3)]
    assert acquisition.kspace.shape == (1, 4, 24, 20)
    assert acquisition.voxel_mm == pytest.approx((64 / 48, 60 / 40))
    assert torch.isfinite(target.image_hr.abs()).all()
    assert slices.vessels(0).shape == (0, 4)  # nothing is known of its vessels


@pytest.mark.parametrize("matrix", [(64, 60), (48, 40), (32, 60)])
def test_a_crop_keeps_the_field_of_view_and_grows_the_voxel(cache, tmp_path, matrix):
    path = tmp_path / "own_source.py"
    path.write_text(OWN.format(id="own-scans").replace("(1.0, 1.0)", "(0.7, 1.1)"))
    registry.discover((path,))
    vwi = registry.datasets()["vwi"].made_by()
    (series, *_) = Dataset.of(vwi, "own-scans", SMOKE, 0, None).series("test")
    series = replace(series, protocol=replace(series.protocol, matrix=matrix))
    subject = admit("c", series.source.load("c")).subject
    found = prepare_slice(series, subject, 3)
    assert found["image_hr"].shape == matrix
    assert np.multiply(found["voxel_mm"], matrix) == pytest.approx((0.7 * 64, 1.1 * 60))
    assert matrix != (64, 60) or found["voxel_mm"] == (0.7, 1.1)


def test_a_file_made_when_a_crop_did_not_grow_the_voxel_is_made_again(cache, tmp_path):
    path = tmp_path / "own_source.py"
    path.write_text(OWN.format(id="own-scans").replace("(1.0, 1.0)", "(0.6, 0.6)"))
    registry.discover((path,))
    data = Dataset.of(registry.datasets()["vwi"].made_by(), "own-scans", SMOKE, 0, None)
    prepare(data, ["test"], 1, lambda *_: None)
    with h5py.File(data.series("test")[0].path, "r+") as file:
        assert file.attrs["voxel_mm"] == pytest.approx((0.8, 0.9))
        file.attrs["voxel_mm"] = (0.6, 0.6)
        del file.attrs["given_mm"]
    prepare(data, ["test"], 1, lambda *_: None)
    with h5py.File(data.series("test")[0].path) as file:
        assert file.attrs["voxel_mm"] == pytest.approx((0.8, 0.9))


def test_a_source_whose_text_was_changed_is_prepared_again(cache, tmp_path):
    path = tmp_path / "own_source.py"
    path.write_text(OWN.format(id="own-scans"))
    registry.discover((path,))
    data = Dataset.of(registry.datasets()["vwi"].made_by(), "own-scans", SMOKE, 0, None)
    prepare(data, ["test"], 1, lambda *_: None)
    before = open_split(data, "test").batch([0])[1].scale
    path.write_text(OWN.format(id="own-scans").replace("kspace * smooth", "4 * kspace * smooth"))
    del sys.modules["bench_plugin_own_source"]
    registry.discover((path,))
    prepare(data, ["test"], 1, lambda *_: None)
    open_prepared.cache_clear()
    assert open_split(data, "test").batch([0])[1].scale == pytest.approx(4 * before)


def test_a_subject_that_cannot_be_loaded_is_named(cache, tmp_path):
    path = tmp_path / "bad_source.py"
    path.write_text(
        OWN.format(id="bad-scans").replace("random = np", 'raise OSError("no such\\nfile")\n        random = np')
    )
    registry.discover((path,))
    data = Dataset.of(registry.datasets()["vwi"].made_by(), "bad-scans", SMOKE, 0, None)
    for jobs in (1, 2):
        with pytest.raises(UserError, match="subject 'c', contrast 't1w-axial' cannot be prepared: OSError") as error:
            prepare(data, ["test"], jobs, lambda *_: None, (path,))
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(("raised", "why"), [("MemoryError()", "no memory left"), ("", "the system ended its process")])
def test_who_does_not_fit_the_memory_is_named(cache, tmp_path, raised, why):
    path = tmp_path / "big_source.py"
    body = f"raise {raised}" if raised else "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    path.write_text(OWN.format(id="big-scans").replace("random = np", f"{body}\n        random = np"))
    registry.discover((path,))
    data = Dataset.of(registry.datasets()["vwi"].made_by(), "big-scans", SMOKE, 0, None)
    for jobs in (1, 2) if raised else (2,):
        with pytest.raises(UserError) as error:
            prepare(data, ["test"], jobs, lambda *_: None, (path,))
        said = "Source 'big-scans': subject 'c', contrast 't1w-axial' cannot be prepared: out-of-memory: "
        assert str(error.value) == said + why


def test_of_splits_that_are_not_wanted_nothing_is_asked(cache, tmp_path):
    path = tmp_path / "own_source.py"
    text = OWN.format(id="shy-scans").replace("random.default_rng(0)", "random.default_rng(ord(subject))")
    path.write_text(text)
    registry.discover((path,))
    data = Dataset.of(registry.datasets()["vwi"].made_by(), "shy-scans", SMOKE, 0, None)
    prepare(data, ["train"], 1, lambda *_: None)
    damaged = data.series("train")[0].path
    damaged.write_bytes(damaged.read_bytes()[:3000])
    assert all("same data" not in line for line in prepare(data, ["test"], 1, lambda *_: None))
    path.write_text(text.replace('return ("sha', 'assert subject == "c", "gone"\n        return ("sha'))
    del sys.modules["bench_plugin_own_source"]
    registry.discover((path,))
    prepare(data, ["test"], 1, lambda *_: None)
    with pytest.raises(UserError, match="the digests of 'a' cannot be told"):
        prepare(data, ["train"], 1, lambda *_: None)


def test_the_same_person_in_train_and_in_test_is_told(cache, tmp_path):
    path = tmp_path / "own_source.py"
    path.write_text(OWN.format(id="twice-scans"))
    registry.discover((path,))
    data = Dataset.of(registry.datasets()["vwi"].made_by(), "twice-scans", SMOKE, 0, None)
    said = prepare(data, ["train", "validation", "test"], 1, lambda *_: None)
    assert (
        "'a' (train) and 'c' (test) hold the same data, and count as two people: what is tested was trained on." in said
    )


def test_without_workers_it_is_made_with_one_thread_as_with_them(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    used = []

    def write(path, series, admitted):
        used.append(torch.get_num_threads())
        raise UserError("enough")

    monkeypatch.setattr("bench.data.prepare._write", write)
    data = Dataset.of(registry.datasets()["vwi"].made_by(), "phantom", SMOKE, 0, None)
    torch.set_num_threads(2)
    try:
        with pytest.raises(UserError, match="enough"):
            prepare(data, ["test"], 1, lambda *_: None)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    assert used == [1]
