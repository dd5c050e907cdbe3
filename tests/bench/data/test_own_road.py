"""The whole road of own data: check, import, run, report; and one person gives the same rows in every raw format."""

import numpy as np
import pytest
import torch

from bench import registry
from bench.cli import main
from bench.data.importing import import_data
from bench.data.people import Splitting
from bench.mri.fourier import crop, ifft2c
from bench.run.execute import Callbacks, execute
from bench.run.plan import make_plan
from bench.run.request import Request
from bench.store.layout import ResultsFolder
from bench.store.tables import read_rows

QUIET = Callbacks(*[lambda *_: None] * 5)
METHOD = "cg-sense-plain+sinc"
VOXEL = (1.2, 1.2)


def rows_of(files, name, folder):
    """Scores of one test person."""
    import_data(files, name, None, Splitting((0, 0, 1)), None, lambda *_: None)
    registry.discover()
    request = Request(
        (name,), METHOD, "smoke", overrides=("data.slices=[0, 0, 0]",), results=folder, jobs=1, timing=False
    )
    outcomes = execute(request, make_plan(request), QUIET)
    assert {outcome.status for outcome in outcomes.values()} == {"done"}
    return read_rows(ResultsFolder(folder).run(name, "smoke", METHOD, 0).slices)


def write_bart(stem, array):
    """Sixteen sizes, first axis fastest."""
    sizes = [*array.shape, *[1] * (16 - array.ndim)]
    stem.with_suffix(".hdr").write_text(f"# Dimensions\n{' '.join(map(str, sizes))}\n")
    stem.with_suffix(".cfl").write_bytes(np.asfortranarray(array.astype("<c8")).tobytes(order="F"))


def bart(path, k, _):
    write_bart(path, k.transpose(2, 3, 1, 0)[:, :, None, :, *[None] * 9])
    return path.with_suffix(".hdr")


def modl(path, k, writers):
    images = ifft2c(torch.from_numpy(k)).numpy()
    whole = np.sqrt((np.abs(images) ** 2).sum(1))
    maps = images / np.maximum(whole, 1e-9)[:, None]
    writers.write_modl(path.with_suffix(".hdf5"), {"tst": maps}, {"tst": whole})
    return path.with_suffix(".hdf5")


FORMATS = {
    "fastmri": lambda path, k, w: w.write_fastmri(path.with_suffix(".h5"), k, VOXEL, oversampled=True),
    "m4raw": lambda path, k, w: w.write_m4raw(path.parent, "2022061003", "T1", [k, k])[0].parent,
    "ismrmrd": lambda path, k, w: w.write_ismrmrd(path.with_suffix(".mrd"), k, VOXEL, "anna"),
    "ismrmrd-3d": lambda path, k, w: w.write_ismrmrd(path.with_suffix(".h5"), k, VOXEL, "anna", volume=True),
    "bart": bart,
    "modl": modl,
}


@pytest.fixture
def numpy_rows(tmp_path, data_folder, kspace, cache):
    def rows(k, name):
        folder = tmp_path / name
        folder.mkdir()
        np.savez(folder / "anna.npz", kspace=k, voxel_mm=np.asarray(VOXEL))
        return rows_of([folder / "anna.npz"], name, tmp_path / "results")

    return rows


def same(one, other):
    for score in ("psnr", "psnr_fg"):
        np.testing.assert_allclose(one[score], other[score], atol=0.01)
    np.testing.assert_allclose(one["ssim"], other["ssim"], atol=1e-3)


def test_one_person_gives_the_same_rows_in_every_raw_format(numpy_rows, tmp_path, kspace, writers):
    k = kspace(3, slices=4)
    due = numpy_rows(k, "as-numpy")
    assert due["psnr"].between(15, 50).all()
    for name, write in FORMATS.items():
        folder = tmp_path / name
        folder.mkdir()
        found = rows_of([write(folder / "anna", k, writers)], name, tmp_path / "results")
        assert len(found) == 4, name
        if name in ("m4raw", "bart", "modl"):  # which do not say the same voxel: the foreground is another
            found, expected = found.assign(psnr_fg=0.0), due.assign(psnr_fg=0.0)
        else:
            expected = due
        same(found, expected)


def test_calgary_gives_the_same_rows_after_its_crop(numpy_rows, tmp_path, kspace, writers):
    k = kspace(3, slices=4, size=(48, 52))
    k[..., -6:] = 0  # kz ends early
    found = rows_of([writers.write_calgary(tmp_path / "e1.h5", k)], "calgary", tmp_path / "results")
    due = numpy_rows(crop(torch.from_numpy(k), (48, 40)).numpy(), "as-numpy")
    same(found.assign(psnr_fg=0.0), due.assign(psnr_fg=0.0))


def test_three_people_of_a_folder_from_check_to_report(
    tmp_path, kspace, writers, data_folder, cache, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw").mkdir()
    for i, person in enumerate(("anna", "berta", "carl")):
        writers.write_fastmri(tmp_path / f"raw/file_{i}.h5", kspace(i, slices=2), VOXEL, person)

    def typed(*arguments):
        with pytest.raises(SystemExit) as stop:
            main(list(arguments))
        printed = capsys.readouterr()
        assert stop.value.code == 0, printed.err
        return printed.out

    out = typed("data", "check", "raw")
    assert "3 scans: readout oversampling removed: 96 to 48 along y." in out
    assert out.count("1.2x1.2") == 3
    typed("data", "import", "raw", "--name", "mine")
    fast = (
        "--profile",
        "smoke",
        "--set",
        "training.iterations=2",
        "--set",
        "training.validate_every=2",
        "--no-timing",
        "--jobs",
        "1",
    )
    out = typed("run", "--dataset", "mine", "--methods", "modl+sinc,modl~rrdb", *fast)
    assert "modl~rrdb" in out
    typed("report")
    page = (tmp_path / "runs/report/index.html").read_text()
    assert "real raw data" in page
    assert "along the readout no scanner could" in page
