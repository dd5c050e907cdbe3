import h5py
import numpy as np
import pytest

from bench.data.readers import calgary, fastmri
from bench.data.readers.opening import open_all


@pytest.mark.parametrize("corner", [False, True])
@pytest.mark.parametrize("size", [(48, 40), (45, 39)])
def test_a_file_is_read_as_it_was_written(tmp_path, kspace, writers, corner, size):
    truth = kspace(0, size=size)
    path = writers.write_calgary(tmp_path / "e1.h5", truth, corner)
    [scan], unusable = open_all([path])
    assert not unusable
    assert scan.shape == truth.shape
    found = np.stack([scan.read(i) for i in range(len(truth))])
    assert found.dtype == np.complex64
    assert found.flags.writeable
    assert np.linalg.norm(found - truth) < 1e-5 * np.linalg.norm(truth)
    assert (scan.format, scan.person, scan.contrast, scan.dtype) == ("Calgary-Campinas", None, "t1w", "float32")
    assert scan.voxel_mm == (1.0, 1.0)
    assert scan.phase_encode == (True, True)
    assert scan.remarks == ("voxel of 1 mm as the data set's description says",)


def test_lines_that_were_not_measured_stay_zero(tmp_path, kspace, writers):
    truth = kspace(0)
    truth[..., 34:] = 0
    [scan] = calgary.open_scans(writers.write_calgary(tmp_path / "a.h5", truth))
    found = scan.read(1)
    assert np.abs(found[..., 34:]).max() < 1e-5 * np.abs(found).max()
    assert np.linalg.norm(found - truth[1]) < 1e-5 * np.linalg.norm(truth[1])


@pytest.mark.parametrize("array", [
    np.ones((4, 8, 8, 5), np.float32), np.ones((4, 8, 8, 130), np.float32), np.ones((4, 8, 8), np.float32),
    np.ones((4, 8, 8, 4), np.int16), np.ones((4, 8, 8, 4), np.complex64),
])  # fmt: skip
def test_other_arrays_are_not_claimed(tmp_path, array):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["kspace"] = array
    assert not calgary.knows(tmp_path / "a.h5")
    assert fastmri.knows(tmp_path / "a.h5")


def test_a_damaged_file_is_left_to_the_last_reader(tmp_path, kspace, writers):
    whole = writers.write_calgary(tmp_path / "a.h5", kspace(0)).read_bytes()
    (tmp_path / "a.h5").write_bytes(whole[: len(whole) // 2])
    assert not calgary.knows(tmp_path / "a.h5")
    (tmp_path / "a.h5").write_bytes(b"nothing of the kind")
    assert not calgary.knows(tmp_path / "a.h5")


def test_one_that_is_larger_than_it_can_be_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("kspace", (256, 10**4, 10**4, 24), np.float32, chunks=(1, 100, 100, 24))
    scans, [unusable] = open_all([tmp_path / "a.h5"])
    assert not scans
    assert unusable.reason.startswith("'kspace' is (256, 10000, 10000, 24)")
