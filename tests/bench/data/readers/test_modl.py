import h5py
import numpy as np
import pytest
import torch

from bench.data.readers import modl
from bench.data.readers.opening import open_all
from bench.mri.fourier import fft2c, ifft2c


def simulated(seed, count, coils=3, size=(16, 12)):
    random = np.random.default_rng(seed)
    maps = random.normal(size=(count, coils, *size)) + 1j * random.normal(size=(count, coils, *size))
    images = random.normal(size=(count, *size)) + 1j * random.normal(size=(count, *size))
    return maps.astype(np.complex64), images.astype(np.complex64)


@pytest.mark.parametrize("name", ["Csm", "CSM"])
def test_a_file_is_read_as_it_was_written(tmp_path, writers, name):
    parts = {"trn": simulated(0, 180), "tst": simulated(1, 5)}
    maps, images = ({part: both[i] for part, both in parts.items()} for i in range(2))
    path = writers.write_modl(tmp_path / "dataset.hdf5", maps, images, name)
    scans, unusable = open_all([path])
    assert not unusable
    assert [scan.person for scan in scans] == ["train-1", "train-2", "test-1"]
    assert [scan.shape for scan in scans] == [(90, 3, 16, 12)] * 2 + [(5, 3, 16, 12)]
    for scan, part, first in zip(scans, ("trn", "trn", "tst"), (0, 90, 0), strict=True):
        for i in (0, scan.shape[0] - 1):
            truth = fft2c(torch.from_numpy(maps[part][first + i] * images[part][first + i])).numpy()
            found = scan.read(i)
            assert found.dtype == np.complex64
            assert np.linalg.norm(found - truth) < 1e-5 * np.linalg.norm(truth)
        assert (scan.format, scan.contrast, scan.dtype, scan.voxel_mm) == ("MoDL", "t2w", "complex64", None)
        assert scan.phase_encode == (True, True)
        assert scan.remarks == ("simulated from maps and combined images",)


def test_k_space_is_read_back(tmp_path, kspace, writers):
    truth = kspace(0)
    coil_images = ifft2c(torch.from_numpy(truth)).numpy()
    path = writers.write_modl(tmp_path / "a.hdf5", {"trn": coil_images}, {"trn": np.ones((3, 48, 40))})
    [scan] = modl.open_scans(path)
    assert scan.person == "train-1"
    found = np.stack([scan.read(i) for i in range(3)])
    assert np.linalg.norm(found - truth) < 1e-5 * np.linalg.norm(truth)


def test_maps_that_are_missing_or_do_not_fit_are_refused(tmp_path, writers):
    maps, images = simulated(0, 4)
    path = writers.write_modl(tmp_path / "a.hdf5", {"tst": maps[:3]}, {"tst": images})
    assert "does not fit 'tstOrg'" in open_all([path])[1][0].reason
    with h5py.File(path, "a") as file:
        del file["tstCsm"]
    assert open_all([path])[1][0].reason == "has no 'tstCsm'"
    with h5py.File(path, "a") as file:
        file["tstCsm"] = h5py.ExternalLink("b.hdf5", "/x")
    assert "is a link to elsewhere" in open_all([path])[1][0].reason
