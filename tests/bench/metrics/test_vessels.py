from dataclasses import replace

import h5py
import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter

from bench import config, registry
from bench.data.dataset import Dataset
from bench.data.prepare import open_split, prepare
from bench.metrics import vessels
from bench.run.execute import Callbacks, execute
from bench.run.plan import make_plan
from bench.run.request import Request
from bench.store.layout import ResultsFolder
from bench.store.records import RunRecord

VOXEL_MM = (0.6, 0.5)
VESSEL = np.array([30.3, 33.8, 3.0, 1.5])
FINE = 8


def ring(vessel=VESSEL, lumen=0.1, wall=0.9, surroundings=0.5, shape=(64, 70)):
    """A vessel, each pixel the mean over its area."""
    y, x = ((np.arange(n * FINE) + 0.5) / FINE - 0.5 for n in shape)
    radius = np.hypot((y[:, None] - vessel[0]) * VOXEL_MM[0], (x - vessel[1]) * VOXEL_MM[1])
    fine = np.where(radius < vessel[2], lumen, np.where(radius < vessel[2] + vessel[3], wall, surroundings))
    return fine.reshape(shape[0], FINE, shape[1], FINE).mean((1, 3))


@pytest.mark.parametrize(("lumen_mm", "wall_mm"), [(3.0, 1.5), (2.0, 2.0), (4.0, 1.2)])
def test_a_ring_is_measured_to_a_fraction_of_a_pixel(lumen_mm, wall_mm):
    vessel = np.array([30.3, 33.8, lumen_mm, wall_mm])
    found = vessels.measure(ring(vessel), vessel, VOXEL_MM)
    assert found.wall_mm == pytest.approx(wall_mm, abs=0.15 * 0.6)
    assert found.contrast == pytest.approx((0.9 - 0.1) / 0.9, abs=0.03)


def test_the_scale_of_the_image_does_not_matter():
    one, other = (vessels.measure(scale * ring(), VESSEL, VOXEL_MM) for scale in (1, 1000))
    assert (other.wall_mm, other.contrast) == pytest.approx((one.wall_mm, one.contrast))


def test_the_truth_has_no_error_and_the_more_blurred_the_more():
    found = [vessels.errors(gaussian_filter(ring(), s), ring(), VESSEL[None], VOXEL_MM) for s in (0, 0.5, 1, 1.5)]
    walls, contrasts = ([errors[column] for errors in found] for column in vessels.COLUMNS)
    assert walls[0] == contrasts[0] == 0
    assert np.diff(walls).min() > 0.02
    assert np.diff(contrasts).min() > 0.2


@pytest.mark.parametrize("image", [np.ones((64, 70)), np.zeros((64, 70)), ring(wall=0.5), ring(lumen=0.9, wall=0.1)])
def test_without_a_ring_the_whole_wall_is_the_error(image):
    true = vessels.measure(ring(), VESSEL, VOXEL_MM)
    assert vessels.errors(image, ring(), VESSEL[None], VOXEL_MM)["wall_mm_error"] == true.wall_mm


def test_a_lumen_that_is_filled_errs_by_its_contrast():
    errors = vessels.errors(ring(lumen=0.3), ring(), VESSEL[None], VOXEL_MM)
    assert errors["lumen_contrast_error_percent"] == pytest.approx(100 * 0.2 / 0.9, abs=1)


@pytest.mark.parametrize("truth", [np.ones((64, 70)), ring(np.array([30.3, 33.8, 3.0, 3.5]))])
def test_a_vessel_that_the_truth_does_not_show_does_not_count(truth):
    assert np.isnan(list(vessels.errors(ring(), truth, VESSEL[None], VOXEL_MM).values())).all()
    apart = np.array([[12.0, 12.0, 3.0, 1.5], VESSEL])
    blurred = gaussian_filter(ring(), 1)
    assert vessels.errors(blurred, ring(), apart, VOXEL_MM) == vessels.errors(blurred, ring(), apart[1:], VOXEL_MM)


def test_no_vessels_no_error():
    assert np.isnan(list(vessels.errors(ring(), ring(), np.empty((0, 4)), VOXEL_MM).values())).all()


@pytest.fixture(scope="module")
def data(cache):
    """An axial and a coronal slice of the phantom at 1.2 mm."""
    registry.discover()
    vwi = registry.datasets()["vwi"].made_by()
    data = Dataset.of(vwi, "phantom", config.load("laptop", ["data.coils=4"]), 0, 2)
    prepare(data, ["test"], 1, lambda *_: None)
    return data


def test_the_phantoms_vessels_lie_where_the_truth_is_dark_with_a_bright_wall(data):
    slices = open_split(data, "test")
    acquisition, target = slices.batch([0])
    truth = target.image_hr[0].abs().numpy()
    vessels_there = slices.vessels(0)
    assert len(vessels_there) >= 2
    for vessel in vessels_there:
        radius = np.array([0, vessel[2] + vessel[3] / 2, vessel[2] + 3 * vessel[3]])
        lumen, wall, surroundings = vessels.profile(truth, tuple(vessel[:2]), radius, acquisition.voxel_mm)
        assert lumen < 0.2 * wall
        assert surroundings < 0.95 * wall
        found = vessels.measure(truth, vessel, acquisition.voxel_mm)
        assert found.wall_mm == pytest.approx(vessel[3], abs=0.5 * 1.2)
        elsewhere = vessels.measure(truth, vessel + np.array([4, 0, 0, 0]), acquisition.voxel_mm)
        assert not elsewhere.wall_mm < 1.5 * found.wall_mm


def test_coronal_slices_and_older_files_tell_of_none(data, tmp_path):
    slices = open_split(data, "test")
    assert slices.rows[1][1] == "t1w-coronal"
    assert slices.vessels(1).shape == (0, 4)
    older = tmp_path / "older.h5"
    older.write_bytes(slices.places[0].path.read_bytes())
    with h5py.File(older, "a") as file:
        del file["vessels"]
    assert replace(slices, places=(slices.places[0]._replace(path=older),)).vessels(0).shape == (0, 4)


def test_evaluation_writes_the_errors_of_slices_that_show_vessels(data, tmp_path):
    results = ResultsFolder(tmp_path)
    request = Request(
        ("vwi",), "oracle+bicubic", "laptop", "phantom", jobs=1, results=tmp_path, limit=2,
        overrides=("data.coils=4", "training.perceptual_weight=0"), timing=False,
    )  # fmt: skip
    execute(request, make_plan(request), Callbacks(*[lambda *_: None] * 5))
    rows = pd.read_csv(results.run("vwi", "laptop", "oracle+bicubic", 0).slices)
    rows = rows.set_index("contrast")[list(vessels.COLUMNS)]
    assert 0.1 < rows.loc["t1w-axial", "wall_mm_error"] < 2
    assert 1 < rows.loc["t1w-axial", "lumen_contrast_error_percent"] < 50
    assert rows.loc["t1w-coronal"].isna().all()
    assert set(vessels.COLUMNS) <= set(RunRecord.read(results.run("vwi", "laptop", "oracle+bicubic", 0).record).metrics)
