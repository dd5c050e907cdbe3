"""BART, NumPy, NIfTI and DICOM, and images that come back: read as written, and refused where they should be."""

import gzip
import io
import pickle
import tracemalloc
import zipfile

import h5py
import nibabel as nib
import numpy as np
import pytest

from bench.data.readers.images import read_image
from bench.data.readers.opening import open_all
from bench.errors import UserError


def write_bart(stem, array):
    """A pair as BART writes it: sixteen sizes, first axis fastest."""
    sizes = [*array.shape, *[1] * (16 - array.ndim)]
    stem.with_suffix(".hdr").write_text(f"# Dimensions\n{' '.join(map(str, sizes))} \n")
    stem.with_suffix(".cfl").write_bytes(np.asfortranarray(array.astype("<c8")).tobytes(order="F"))


def one(path):
    scans, unusable = open_all([path])
    assert not unusable, unusable
    assert len(scans) == 1
    return scans[0]


def stack(scan):
    return np.stack([scan.read(i) for i in range(scan.shape[0])])


def refusal(path):
    scans, unusable = open_all([path])
    assert not scans
    assert len(unusable) == 1
    assert "\n" not in unusable[0].reason
    return unusable[0].reason


def test_bart_slices_are_read_as_written(tmp_path, kspace):
    k = kspace(1)
    array = np.zeros((48, 40, 1, 4, *[1] * 9, 3), np.complex64)
    array[:, :, 0, :, 0, 0, 0, 0, 0, 0, 0, 0, 0, :] = k.transpose(2, 3, 1, 0)
    write_bart(tmp_path / "anna", array)
    for name in ("anna.hdr", "anna.cfl"):
        scan = one(tmp_path / name)
        assert (scan.shape, scan.phase_encode, scan.contrast) == ((3, 4, 48, 40), (False, True), "raw")
        np.testing.assert_array_equal(stack(scan), k)
    assert len(open_all([tmp_path])[0]) == 1


def test_bart_volumes_are_cut_across_the_readout(tmp_path, kspace):
    k, axis = kspace(1, slices=6), 0
    hybrid = np.fft.fftshift(np.fft.fft(np.fft.ifftshift(k, axis), axis=axis, norm="ortho"), axis)
    write_bart(tmp_path / "anna", hybrid.transpose(0, 2, 3, 1))
    scan = one(tmp_path / "anna.hdr")
    assert (scan.shape, scan.phase_encode) == ((6, 4, 48, 40), (True, True))
    np.testing.assert_allclose(stack(scan), k, atol=1e-5 * abs(k).max())


def test_bart_echoes_are_contrasts(tmp_path, kspace):
    echoes = np.stack([kspace(i, slices=1)[0] for i in range(2)], -1)  # (coil, y, x, echo)
    write_bart(tmp_path / "anna", echoes.transpose(1, 2, 0, 3)[:, :, None, :, None, :])
    scans, _ = open_all([tmp_path / "anna.hdr"])
    assert [scan.contrast for scan in scans] == ["te1", "te2"]
    np.testing.assert_array_equal(scans[1].read(0), kspace(1, slices=1)[0])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# Dimensions\n4 4 1 2 2\n", "axis 4 (MAPS) has 2 entries"),
        ("# Dimensions\n4 4 1 3\n", "need 384 bytes, anna.cfl has 512"),
        ("# Dimensions\n1000000000000 4 1 2\n", "bytes, anna.cfl has 512"),
        ("# Dimensions\n4 x 1 2\n", "up to 16 whole numbers"),
        ("# Dimensions\n4 -4 1 2\n", "up to 16 whole numbers"),
        ("# Dimensions\n0 4 1 2\n", "each is at least 1"),
        ("# Sizes\n4 4\n", "no line '# Dimensions'"),
        ("# Dimensions\n", "up to 16 whole numbers"),
    ],
)
def test_bart_is_refused_by_axis_and_size(tmp_path, text, said):
    write_bart(tmp_path / "anna", np.ones((4, 4, 1, 4)))
    (tmp_path / "anna.hdr").write_text(text)
    assert said in refusal(tmp_path / "anna.hdr")


def test_bart_without_its_other_half(tmp_path):
    (tmp_path / "anna.hdr").write_text("# Dimensions\n4 4 1 4\n")
    assert "there is no anna.cfl beside it" in refusal(tmp_path / "anna.hdr")


@pytest.mark.parametrize("order", ["C", "F"])
def test_numpy_is_read_as_written(tmp_path, kspace, order):
    k = np.asarray(kspace(1).astype(np.complex128), order=order)
    np.save(tmp_path / "anna.npy", k)
    scan = one(tmp_path / "anna.npy")
    assert (scan.shape, scan.dtype, scan.person, scan.voxel_mm) == ((3, 4, 48, 40), "complex128", None, None)
    np.testing.assert_array_equal(stack(scan), k.astype(np.complex64))
    np.save(tmp_path / "one.npy", k[0])
    assert one(tmp_path / "one.npy").shape == (1, 4, 48, 40)
    assert "first one is taken for coils" in one(tmp_path / "one.npy").remarks[0]


def test_an_archive_says_more(tmp_path, kspace):
    k = kspace(1)
    np.savez_compressed(tmp_path / "x.npz", kspace=k, voxel_mm=np.array([1.0, 0.5]), person="anna", contrast="t2w")
    scan = one(tmp_path / "x.npz")
    assert (scan.person, scan.contrast, scan.voxel_mm) == ("anna", "t2w", (1.0, 0.5))
    np.testing.assert_array_equal(stack(scan), k)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.ones((2, 3, 4, 4), np.float32), "is float32: k-space is complex; a magnitude volume comes as NIfTI"),
        (np.ones((4, 4), np.complex64), "(slice, coil, Y, X) is due"),
        (np.ones((0, 2, 4, 4), np.complex64), "is empty"),
    ],
)
def test_numpy_of_another_kind(tmp_path, array, said):
    np.save(tmp_path / "a.npy", array)
    assert said in refusal(tmp_path / "a.npy")


class Harm:
    """Unpickled, it would write a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_nothing_is_unpickled(tmp_path):
    array = np.empty(1, object)
    array[0] = Harm(tmp_path / "harm")
    np.save(tmp_path / "a.npy", array)
    np.savez(tmp_path / "b.npz", kspace=array)
    (tmp_path / "c.npy").write_bytes(pickle.dumps(Harm(tmp_path / "harm")))
    for name in ("a.npy", "b.npz", "c.npy"):
        refusal(tmp_path / name)
        with pytest.raises(UserError):
            read_image(tmp_path / name)
    assert not (tmp_path / "harm").exists()


def bounded(function, path, megabytes=50):
    tracemalloc.start()
    try:
        return function(path)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < megabytes * 1e6


def header_npy(shape, dtype="<c8"):
    raw = io.BytesIO()
    np.lib.format.write_array_header_1_0(raw, {"descr": dtype, "fortran_order": False, "shape": shape})
    return raw.getvalue()


def test_shapes_that_no_memory_holds_are_refused_before_it_is_taken(tmp_path):
    (tmp_path / "a.npy").write_bytes(header_npy((10**6, 10**6)) + bytes(64))
    assert "bytes, and 64 follow" in bounded(refusal, tmp_path / "a.npy")
    with (
        zipfile.ZipFile(tmp_path / "b.npz", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("kspace.npy", "w") as file,
    ):
        file.write(header_npy((1, 1, 10**4, 4 * 10**3)))
        for _ in range(320):
            file.write(bytes(10**6))
    assert "in the file: refused" in bounded(refusal, tmp_path / "b.npz")
    header = nib.Nifti1Header()
    header.set_data_shape((30000, 30000, 30000))
    header["vox_offset"] = 352
    (tmp_path / "c.nii").write_bytes(header.binaryblock + bytes(100))
    assert "refused" in bounded(refusal, tmp_path / "c.nii")
    with gzip.open(tmp_path / "d.nii.gz", "wb") as packed:
        header.set_data_shape((600, 600, 600))
        packed.write(header.binaryblock + bytes(4 + 10**7))
    assert "are missing" in bounded(refusal, tmp_path / "d.nii.gz")


def test_a_header_that_does_not_end_is_one_line(tmp_path):
    text = b"{'descr': '<c8', 'fortran_order': False, 'shape': (2, 3L,".ljust(117) + b"\n"
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text)
    assert "damaged" in refusal(tmp_path / "a.npy")


def test_nifti_is_turned_as_heads_are(tmp_path):
    z, y, x = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in (6, 5, 4)), indexing="ij")
    canonical = 100 * z + 10 * y + x  # superior to inferior, anterior to posterior, left to right
    file = canonical[::-1, ::-1].transpose(2, 1, 0)  # right, anterior, superior
    nib.save(nib.Nifti1Image(file, np.diag((1.0, 1.5, 2.0, 1))), tmp_path / "sub-01_ses-a_T1w.nii.gz")
    volume = one(tmp_path / "sub-01_ses-a_T1w.nii.gz")
    assert (volume.person, volume.contrast, volume.voxel_mm) == ("sub-01", "t1w", (2.0, 1.5, 1.0))
    assert volume.shape == (6, 5, 4)
    np.testing.assert_array_equal(volume.read(), canonical)
    turned = nib.Nifti1Image(
        file[::-1].transpose(1, 2, 0), np.array([[0, 0, -1, 0], [1.5, 0, 0, 0], [0, 2, 0, 0], [0, 0, 0, 1.0]])
    )
    nib.save(turned, tmp_path / "turned.nii")
    volume = one(tmp_path / "turned.nii")
    assert (volume.shape, volume.voxel_mm, volume.person) == ((6, 5, 4), (2.0, 1.5, 1.0), None)
    np.testing.assert_array_equal(volume.read(), canonical)
    assert "taken for t1w" in volume.remarks[-1]


def test_nifti_in_metres_is_told_in_millimetres(tmp_path):
    image = nib.Nifti1Image(np.ones((4, 5, 6), np.float32), np.diag((0.001, 0.001, 0.002, 1.0)))
    image.header.set_xyzt_units("meter")
    nib.save(image, tmp_path / "a_T1w.nii")
    volume = one(tmp_path / "a_T1w.nii")
    assert volume.voxel_mm == pytest.approx((2.0, 1.0, 1.0))
    assert any("unit 1: 1000 mm each" in remark for remark in volume.remarks)


def test_nifti_says_where_it_is_oblique_or_says_nothing(tmp_path):
    angle = np.radians(20)
    affine = np.eye(4)
    affine[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    nib.save(nib.Nifti1Image(np.ones((4, 4, 4), np.float32), affine), tmp_path / "a_T1w.nii")
    assert "turned by up to 20 degrees" in one(tmp_path / "a_T1w.nii").remarks[0]
    image = nib.Nifti1Image(np.ones((4, 4, 4), np.float32), None)
    nib.save(image, tmp_path / "b.nii")
    assert "orientation is not said" in one(tmp_path / "b.nii").remarks[0]


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.ones((4, 4), np.float32), "three axes are due"),
        (np.ones((4, 4, 4, 3), np.float32), "three axes are due"),
        (np.ones((4, 4, 4), np.complex64), "a magnitude is due"),
    ],
)
def test_nifti_of_another_kind(tmp_path, array, said):
    nib.save(nib.Nifti1Image(array, np.eye(4)), tmp_path / "a.nii")
    assert said in refusal(tmp_path / "a.nii")


def test_nifti_cut_off(tmp_path):
    nib.save(nib.Nifti1Image(np.ones((9, 9, 9), np.float32), np.eye(4)), tmp_path / "a.nii")
    whole = (tmp_path / "a.nii").read_bytes()
    for count, said in ((200, "ends within its header"), (500, "are missing"), (2, "ends within its header")):
        (tmp_path / "a.nii").write_bytes(whole[:count])
        assert said in refusal(tmp_path / "a.nii")


def test_dicom_is_told_once_a_folder_with_the_remedy(tmp_path):
    for name in ("a.dcm", "b.IMA", "c"):
        (tmp_path / name).write_bytes(bytes(128) + b"DICM" + bytes(100))
    scans, unusable = open_all([tmp_path])
    assert not scans
    assert [one.path for one in unusable] == [tmp_path]
    assert "dcm2niix -z y -o OUT FOLDER" in unusable[0].reason


def test_what_lies_beside_data_is_passed_over_and_what_nobody_knows_is_told(tmp_path, kspace):
    np.save(tmp_path / "a.npy", kspace(0))
    for name in ("participants.tsv", "a.json", "README.md", ".DS_Store", "x.bval"):
        (tmp_path / name).write_text("x")
    (tmp_path / "data.mat").write_bytes(b"MATLAB")
    scans, unusable = open_all([tmp_path])
    assert [scan.files[0].name for scan in scans] == ["a.npy"]
    assert [one.path.name for one in unusable] == ["data.mat"]
    assert "no reader knows this file: BART, NumPy, NIfTI" in unusable[0].reason
    assert "no reader knows" in refusal(tmp_path / "a.json")
    with pytest.raises(UserError, match="nowhere does not exist"):
        open_all([tmp_path / "nowhere"])


def test_the_same_file_named_twice_is_opened_once(tmp_path, kspace):
    np.save(tmp_path / "a.npy", kspace(0))
    assert len(open_all([tmp_path, tmp_path / "a.npy"])[0]) == 1


def test_damage_after_opening_is_one_line(tmp_path, kspace):
    np.save(tmp_path / "a.npy", kspace(0))
    with zipfile.ZipFile(tmp_path / "b.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(tmp_path / "a.npy", "kspace.npy")
    raw = bytearray((tmp_path / "b.npz").read_bytes())
    raw[len(raw) // 2] ^= 255
    (tmp_path / "b.npz").write_bytes(raw)
    assert "damaged, or not what it seems" in refusal(tmp_path / "b.npz")


def test_images_come_back_as_they_are(tmp_path):
    image = np.random.default_rng(0).random((2, 6, 5)).astype(np.float32)
    np.save(tmp_path / "a.npy", image)
    nib.save(nib.Nifti1Image(image, np.eye(4)), tmp_path / "b.nii.gz")
    with h5py.File(tmp_path / "c.h5", "w") as file:
        file["image"] = image
    for name in ("a.npy", "b.nii.gz", "c.h5"):
        np.testing.assert_array_equal(read_image(tmp_path / name), image)
    np.save(tmp_path / "d.npy", image[0])
    assert read_image(tmp_path / "d.npy").shape == (1, 6, 5)
    with h5py.File(tmp_path / "e.h5", "w") as file:
        file["picture"] = image
    with pytest.raises(UserError, match=r"e\.h5: has no 'image'"):
        read_image(tmp_path / "e.h5")
