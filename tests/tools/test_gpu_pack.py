import json
import os
import sys
import zipfile

import h5py
import numpy as np
import pytest
import torch

from bench.data.prepare import is_prepared, open_split


@pytest.fixture
def prepared(phantom):
    """The phantom's test slices as they are, and their files."""
    slices = open_split(phantom, "test")
    return slices, [place.path for place in slices.places][:1]


@pytest.fixture
def unpacked(phantom, prepared, cache, tool, tmp_path, monkeypatch):
    """The cache of an archive that holds them."""
    tool("gpu_pack").pack_slices(phantom, ("test",), tmp_path / "slices")
    tool("gpu_run").unpack_slices(tmp_path / "slices", tmp_path / "cache")
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_what_is_unpacked_is_what_was_prepared_but_for_its_rounding(phantom, prepared, unpacked):
    before, after = prepared[0], open_split(phantom, "test")
    assert after.places[0].path.is_relative_to(unpacked)
    assert after.key == before.key
    assert after.rows == before.rows
    for index in range(len(before)):
        for own, due in zip(after.batch([index]), before.batch([index]), strict=True):
            for name, value in vars(due).items():
                if isinstance(value, torch.Tensor):
                    found = getattr(own, name)
                    assert found.dtype == value.dtype
                    assert (found != value).float().norm() == 0 or (found - value).norm() < 2e-3 * value.norm(), name
        assert (after.foreground(index) == before.foreground(index)).all()
        assert np.array_equal(after.vessels(index), before.vessels(index))


def test_it_is_found_prepared_and_says_that_it_was_rounded(phantom, unpacked):
    for series in phantom.series("test"):
        assert is_prepared(series, thoroughly=True)
        with h5py.File(series.path) as file:
            assert "half precision" in json.loads(file.attrs["about"])["remarks"][-1]


def test_half_of_the_bytes_are_left_at_most(prepared, unpacked, tmp_path):
    (path,) = prepared[1]
    assert 2 * (tmp_path / "slices" / "prepared" / f"{path.stem}.npz").stat().st_size < path.stat().st_size


def wheel(folder, name, python):
    with zipfile.ZipFile(folder / f"{name}-1-{python}-none-any.whl", "w") as archive:
        archive.writestr(f"{name}/__init__.py", "")


def test_wheels_are_taken_that_this_python_lacks(tool, tmp_path):
    here = f"cp{sys.version_info.major}{sys.version_info.minor}"
    for name, python in (("numpy", "py3"), ("lacking", "py3"), ("compiled", here), ("compiled_for_others", "cp38")):
        wheel(tmp_path, name, python)
    taken = tool("gpu_run").unpack_wheels(tmp_path, tmp_path / "site")
    assert taken == [f"compiled-1-{here}-none-any.whl", "lacking-1-py3-none-any.whl"]
    assert sorted(os.listdir(tmp_path / "site")) == ["compiled", "lacking"]


def test_what_is_too_large_is_refused(tool, tmp_path, monkeypatch):
    pack = tool("gpu_pack")
    for name in ("_copy_code", "_copy_from_cache", "_download"):
        monkeypatch.setattr(pack, name, lambda *_: None)
    monkeypatch.setattr(pack, "WEIGHTS", "nothing/*")
    monkeypatch.setattr(pack, "GIVEN", {})
    monkeypatch.setattr(pack, "LARGEST", 10)
    monkeypatch.setattr(pack.assets, "fetch", lambda name: tmp_path)
    monkeypatch.setattr(pack, "Scene", lambda *_: type("Scene", (), {"physics": None}))
    with pytest.raises(pack.UserError, match="pack fewer slices"):
        pack.pack(tmp_path / "archive.tar.gz")
