import os
import tracemalloc

import h5py
import numpy as np
import pytest

from bench.data.readers import calgary, fastmri, ismrmrd, modl
from bench.data.readers.opening import open_all
from bench.data.readers.records import Scan
from bench.data.readers.safely import BROKEN, one_line
from bench.errors import UserError

OF_HDF5 = (ismrmrd, calgary, modl, fastmri)


def close(scan, kspace):
    assert scan.shape == kspace.shape
    found = np.stack([scan.read(i) for i in range(len(kspace))])
    assert found.dtype == np.complex64
    assert found.flags.writeable
    return np.linalg.norm(found - kspace) < 1e-5 * np.linalg.norm(kspace)


def opened(path):
    reader = next(reader for reader in OF_HDF5 if reader.knows(path))
    return reader.open_scans(path)


def refused(path):
    with pytest.raises(BROKEN) as error:
        opened(path)[0].read(0)
    said = one_line(error.value)
    assert "\n" not in said
    return said


@pytest.mark.parametrize("oversampled", [True, False])
def test_a_file_is_read_as_it_was_written(tmp_path, kspace, writers, oversampled):
    truth = kspace(0)
    path = writers.write_fastmri(tmp_path / "a.h5", truth, (0.9, 1.1), oversampled=oversampled)
    [scan] = opened(path)
    assert close(scan, truth)
    assert (scan.format, scan.person, scan.contrast, scan.dtype) == ("fastMRI", "p1", "AXT2", "complex64")
    assert scan.voxel_mm == pytest.approx((0.9, 1.1))
    assert scan.phase_encode == (False, True)
    assert "the reconstruction in the file is not used" in scan.remarks
    assert ("readout oversampling removed: 96 to 48 along y" in scan.remarks) == oversampled
    assert [reader for reader in OF_HDF5 if reader.knows(path)] == [fastmri]


def test_lines_that_were_cut_leave_the_voxel_larger(tmp_path, kspace, writers):
    path = writers.write_fastmri(tmp_path / "a.h5", kspace(0))
    with h5py.File(path, "a") as file:
        cut = file["kspace"][..., 4:36]
        del file["kspace"]
        file["kspace"] = cut
        file["mask"] = np.ones(32)
    [scan] = opened(path)
    assert scan.voxel_mm == pytest.approx((1.0, 40 / 32))
    assert "32 lines along x, 40 in the header: the voxel is of those in the file" in scan.remarks
    assert "the file has a sampling mask: it is undersampled" in scan.remarks


def test_without_a_header_the_voxel_is_unknown(tmp_path, kspace, writers):
    truth = kspace(0)
    path = writers.write_fastmri(tmp_path / "a.h5", truth, person=None, contrast=None, oversampled=False, header=False)
    [scan] = opened(path)
    assert close(scan, truth)
    assert (scan.voxel_mm, scan.person, scan.contrast) == (None, None, "raw")
    assert any("voxel size unknown" in remark and "has no 'ismrmrd_header'" in remark for remark in scan.remarks)


HOSTILE_XML = {
    "entity": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    "utf-16": '<?xml version="1.0" encoding="UTF-16"?><a/>'.encode("utf-16"),
    "cut": b"<ismrmrdHeader><encoding>",
    "long": b"<a>" + b" " * (1 << 21) + b"</a>",
    "nonsense": b"\xff\xff\x01",
    "no number": b"<a><encoding><encodedSpace><matrixSize><x>inf</x></matrixSize></encodedSpace></encoding></a>",
}


@pytest.mark.parametrize("kind", HOSTILE_XML)
def test_a_hostile_header_is_not_used(tmp_path, kspace, writers, kind):
    path = writers.write_fastmri(tmp_path / "a.h5", kspace(0), header=False, oversampled=False)
    with h5py.File(path, "a") as file:
        file["ismrmrd_header"] = np.void(HOSTILE_XML[kind]) if kind == "nonsense" else np.bytes_(b"x")
        if kind != "nonsense":
            del file["ismrmrd_header"]
            file.create_dataset("ismrmrd_header", data=[np.bytes_(HOSTILE_XML[kind])])
    [scan] = opened(path)
    assert scan.voxel_mm is None
    assert all("\n" not in remark for remark in scan.remarks)


def test_a_field_of_view_of_another_unit_is_not_used(tmp_path, kspace, writers):
    path = writers.write_fastmri(tmp_path / "a.h5", kspace(0), (0.001, 0.001))
    [scan] = opened(path)
    assert scan.voxel_mm is None
    assert any("none of a head" in remark for remark in scan.remarks)


def test_repetitions_are_averaged(tmp_path, kspace, writers):
    one, two, three = (kspace(seed) for seed in (0, 1, 2))
    writers.write_m4raw(tmp_path, "2022061003", "T1", [one, two, three])
    writers.write_m4raw(tmp_path, "2022061003", "FLAIR", [two])
    scans, unusable = open_all([tmp_path])
    assert not unusable
    flair, t1 = scans
    assert (flair.format, flair.person, flair.contrast) == ("M4Raw", "2022061003", "FLAIR")
    assert close(flair, two)
    assert not any("averaged" in remark for remark in flair.remarks)
    assert (t1.person, t1.contrast, len(t1.files)) == ("2022061003", "T1", 3)
    assert close(t1, (one + two + three) / 3)
    assert t1.remarks[-1] == "3 repetitions averaged"
    assert t1.voxel_mm == pytest.approx((0.94, 0.94))


def test_repetitions_that_do_not_fit_are_unusable(tmp_path, kspace, writers):
    truth = kspace(0)
    writers.write_m4raw(tmp_path, "2022061003", "T1", [truth, kspace(1, slices=2), truth])
    again = tmp_path / "zz"
    again.mkdir()
    writers.write_m4raw(again, "2022061003", "T1", [truth])
    scans, unusable = open_all([tmp_path])
    assert [scan.remarks[-1] for scan in scans] == ["2 repetitions averaged"]
    assert close(scans[0], truth)
    reasons = sorted(found.reason for found in unusable)
    assert len(reasons) == 2
    assert "(2, 4, 48, 40)" in reasons[0]
    assert reasons[1].startswith("the same repetition as ")


def test_single_coil_is_refused(tmp_path, kspace):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["kspace"] = kspace(0)[:, 0]
    assert "single-coil" in refused(tmp_path / "a.h5")


def test_another_layout_is_named(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["weights"] = np.ones(3)
    assert "holds 'weights', and no 'kspace'" in refused(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["kspace"] = np.ones((2, 3, 4, 5), np.float32)
    assert "'kspace' is float32" in refused(tmp_path / "a.h5")


def hostile(folder, kind):
    path, other = folder / "a.h5", folder / "other.h5"
    array = np.ones((2, 4, 8, 8), np.complex64)
    with h5py.File(other, "w") as file:
        file["kspace"] = array
    with h5py.File(path, "w") as file:
        if kind == "external link":
            file["kspace"] = h5py.ExternalLink("other.h5", "/kspace")
        elif kind == "link to a pipe":
            os.mkfifo(folder / "pipe")
            file["kspace"] = h5py.ExternalLink("pipe", "/kspace")
        elif kind == "soft link":
            file["elsewhere"] = h5py.ExternalLink("other.h5", "/")
            file["kspace"] = h5py.SoftLink("/elsewhere/kspace")
        elif kind == "link to itself":
            file["kspace"] = h5py.SoftLink("/kspace")
        elif kind == "group":
            file.create_group("kspace")
        elif kind == "virtual":
            layout = h5py.VirtualLayout(array.shape, array.dtype)
            layout[:] = h5py.VirtualSource("other.h5", "kspace", array.shape)
            file.create_virtual_dataset("kspace", layout)
        elif kind == "external storage":
            (folder / "secret").write_bytes(b"s" * array.nbytes)
            file.create_dataset("kspace", array.shape, array.dtype, external=[("secret", 0, array.nbytes)])
        elif kind == "declared":
            file.create_dataset("kspace", (10**6, 10, 1000, 1000), np.complex64, chunks=(1, 1, 100, 100))
        elif kind == "declared as one":
            file.create_dataset("kspace", (10, 10, 10**6, 10**4), np.complex64)
        elif kind == "bomb":
            file.create_dataset("kspace", (2, 2, 2048, 2048), np.complex64, chunks=(2, 2, 2048, 2048), compression=9)
            file["kspace"][:] = 0
        elif kind == "empty":
            file["kspace"] = h5py.Empty(np.complex64)
    return path


HOSTILE = (
    "external link", "link to a pipe", "soft link", "link to itself", "group", "virtual", "external storage", "declared",
    "declared as one", "bomb", "empty",
)  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_are_refused_in_one_line(tmp_path, kind):
    path = hostile(tmp_path, kind)
    tracemalloc.start()
    said = refused(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "'kspace' " in said
    assert "damaged" not in said
    assert peak < 1 << 24


def test_cut_files_are_refused_in_one_line(tmp_path, kspace, writers):
    whole = writers.write_fastmri(tmp_path / "a.h5", kspace(0)).read_bytes()
    path = tmp_path / "b.h5"
    for share in (0.01, 0.3, 0.9):
        path.write_bytes(whole[: int(share * len(whole))])
        assert refused(path)
    scans, unusable = open_all([path])
    assert (scans, [found.path for found in unusable]) == ([], [path])


def test_a_file_that_is_gone_later_is_one_line(tmp_path, kspace, writers):
    path = writers.write_fastmri(tmp_path / "a.h5", kspace(0))
    [scan] = opened(path)
    assert isinstance(scan, Scan)
    path.unlink()
    with pytest.raises(UserError, match=r"a\.h5"):
        scan.read(0)
