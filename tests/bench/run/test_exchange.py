"""Acquisitions out, images back in."""

import h5py
import nibabel as nib
import numpy as np
import pytest

from bench.errors import UserError
from bench.run.exchange import Row, Wanted, export, score_images
from bench.run.execute import Callbacks, execute
from bench.run.plan import make_plan
from bench.run.request import Request
from bench.store.layout import ResultsFolder
from bench.store.records import RunRecord
from bench.store.tables import read_rows

WANTED = Wanted("vwi", "phantom", "smoke")
AXES = (-2, -1)


def quiet(*_):
    return None


def fft(x):
    return np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(x, AXES), norm="ortho"), AXES)


def ifft(x):
    return np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(x, AXES), norm="ortho"), AXES)


def elsewhere(source, target):
    """A program that knows nothing of the suite: 40 plain CG iterations, the magnitude zero-padded in k-space."""
    target.mkdir()
    for path in sorted(source.iterdir()):
        with h5py.File(path) as file:
            kspace, masks, maps = (file[name][()] for name in ("kspace", "mask", "maps_lr"))
            size = file.attrs["matrix"]
        images = np.stack([padded(abs(cg(*one)), size) for one in zip(kspace, masks, maps, strict=True)])
        with h5py.File(target / path.name, "w") as file:
            file["image"] = images.astype(np.float32)


def cg(kspace, mask, maps, iterations=40):
    def normal(x):
        return (maps.conj() * ifft(mask * fft(maps * x))).sum(0)

    residual = (maps.conj() * ifft(kspace)).sum(0)
    x, direction, energy = np.zeros_like(residual), residual, np.vdot(residual, residual).real
    for _ in range(iterations):
        image = normal(direction)
        step = energy / np.vdot(direction, image).real
        x, residual = x + step * direction, residual - step * image
        before, energy = energy, np.vdot(residual, residual).real
        direction = residual + energy / before * direction
    return x


def padded(image, size):
    whole = np.zeros(size, complex)
    first = [n // 2 - m // 2 for n, m in zip(size, image.shape, strict=True)]
    whole[first[0] : first[0] + image.shape[0], first[1] : first[1] + image.shape[1]] = fft(image)
    return 2 * abs(ifft(whole))


@pytest.fixture
def exported(tmp_path, phantom):
    export(WANTED, "test", tmp_path / "out", True, quiet)
    return tmp_path / "out"


def test_each_person_and_contrast_is_a_file(exported):
    names = sorted(path.name for path in exported.iterdir())
    assert names == ["phantom-5-t1w-axial.h5", "phantom-5-t1w-coronal.h5"]
    with h5py.File(exported / names[0]) as file:
        shapes = {name: file[name].shape for name in file}
        n = len(file["slice"])
        assert shapes == {
            "kspace": (n, 4, 24, 20), "mask": (n, 24, 20), "maps_lr": (n, 4, 24, 20), "maps_hr": (n, 4, 48, 40),
            "scale": (n,), "slice": (n,), "truth": (n, 48, 40),
        }  # fmt: skip
        assert (file["kspace"][()] == file["kspace"][()] * file["mask"][()][:, None]).all()
        assert list(file.attrs["matrix"]) == [48, 40]
        assert len(file.attrs["voxel_mm"]) == 2
        assert (file.attrs["person"], file.attrs["contrast"]) == ("phantom-5", "t1w-axial")


def test_the_truth_leaves_only_where_it_is_asked_for(tmp_path, phantom):
    for path in export(WANTED, "validation", tmp_path, False, quiet):
        with h5py.File(path) as file:
            assert "truth" not in file


def test_plain_cg_made_elsewhere_scores_as_the_one_here(exported, tmp_path):
    results = tmp_path / "results"
    request = Request(("vwi",), "cg-sense-plain+sinc", "smoke", "phantom", results=results, jobs=1, timing=False)
    execute(request, make_plan(request), Callbacks(*[quiet] * 5))
    elsewhere(exported, tmp_path / "images")
    row = Row("my-cg", "sequential", "none", "nothing is learned")
    score_images(row, tmp_path / "images", WANTED, results, quiet)
    here, there = (ResultsFolder(results).run("vwi", "smoke", m, 0) for m in ("cg-sense-plain+sinc", "my-cg"))
    ours, theirs = read_rows(here.slices), read_rows(there.slices)
    for name in ("psnr", "psnr_fg"):
        np.testing.assert_allclose(theirs[name], ours[name], atol=0.01)
    np.testing.assert_allclose(theirs["ssim"], ours["ssim"], atol=1e-4)
    record = RunRecord.read(there.record)
    assert (record.group, record.loss, record.images_sha256 is not None) == ("sequential", "none", True)
    assert record.caveats[-1].endswith("training, as their authors say: nothing is learned.")
    assert theirs["psnr_lr"].isna().all()


def test_the_truth_itself_is_perfect_in_each_kind_of_file(exported, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for suffix, path in zip((".npy", ".nii.gz"), sorted(exported.iterdir()), strict=True):
        with h5py.File(path) as file:
            truth = file["truth"][()]
        if suffix == ".npy":
            np.save(folder / f"{path.stem}.npy", truth)
        else:
            nib.save(nib.Nifti1Image(truth, np.eye(4)), folder / f"{path.stem}.nii.gz")
    score_images(Row("perfect", "bound"), folder, WANTED, tmp_path / "results", quiet)
    rows = read_rows(ResultsFolder(tmp_path / "results").run("vwi", "smoke", "perfect", 0).slices)
    assert (rows["psnr"] > 99).all()


def spoil(folder, change):
    for path in sorted(folder.iterdir()):
        with h5py.File(path, "a") as file:
            image = change(file["truth"][()])
            file["image"] = image


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda x: x[:1], r"phantom-5-t1w-axial\.h5: image has 1 slices, 2 are due: missing are the slices \d+"),
        (lambda x: x[:, :24, :20], r"image is \(2, 24, 20\), due is \(slice, Y, X\) = \(2, 48, 40\)"),
        (lambda x: x.transpose(2, 1, 0), "turn its axes round"),
        (lambda x: x + 1j, "image is complex64: a real magnitude is due"),
        (lambda x: np.where(np.arange(2)[:, None, None] == 1, np.nan, x), r"image of slice \d+ holds NaN"),
        (lambda x: -x, "the clause 'place' is broken"),
    ],
)
def test_images_that_are_not_as_due_are_refused_by_file_and_slice(exported, tmp_path, change, said):
    spoil(exported, change)
    with pytest.raises(UserError, match=said):
        score_images(Row("mine"), exported, WANTED, tmp_path / "results", quiet)
    assert not ResultsFolder(tmp_path / "results").runs()


def test_a_missing_file_is_named(exported, tmp_path):
    (exported / "phantom-5-t1w-coronal.h5").unlink()
    spoil(exported, lambda x: x)
    with pytest.raises(UserError, match=r"phantom-5-t1w-coronal\.h5 is missing"):
        score_images(Row("mine"), exported, WANTED, tmp_path / "results", quiet)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (Row("modl+rrdb"), "not made of a-z"), (Row("proposed"), "is a method of this suite"), (Row("A"), "not made of"),
        (Row("mine", "best"), "--group best"), (Row("mine", loss="l2"), "--loss l2"),
    ],
)  # fmt: skip
def test_rows_have_names_groups_and_classes(exported, tmp_path, row, said):
    with pytest.raises(UserError, match=said):
        score_images(row, exported, WANTED, tmp_path / "results", quiet)


def test_rows_of_another_source_or_limit_are_not_joined(exported, tmp_path):
    request = Request(("vwi",), "oracle+sinc", "smoke", "phantom", results=tmp_path, jobs=1, timing=False, limit=1)
    execute(request, make_plan(request), Callbacks(*[quiet] * 5))
    spoil(exported, lambda x: x)
    with pytest.raises(UserError, match="was made with limit 1, now None"):
        score_images(Row("mine"), exported, WANTED, tmp_path, quiet)
