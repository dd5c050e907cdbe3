import numpy as np
import pytest
from skimage import data

from bench.metrics import error as analysis
from bench.metrics import image as metrics

SHAPE = (48, 40)
SAMPLED = {(0, 0): "acquired", (0, 3): "unacquired", (11, 0): "unacquired", (14, 0): "beyond", (0, 12): "beyond"}


@pytest.fixture
def mask():
    """Samples on the LR grid: the rows in the middle, the column of DC alone."""
    mask = np.zeros((24, 20), bool)
    mask[10:15, 10] = True
    return mask


def truth():
    return data.camera()[:240:5, :200:5] / 300.0 + 0.1


def wave(frequency, amplitude=0.01):
    """A cosine with whole periods over the field of view."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return amplitude * np.cos(2 * np.pi * (frequency[0] * y / SHAPE[0] + frequency[1] * x / SHAPE[1]))


@pytest.mark.parametrize(("frequency", "region"), SAMPLED.items())
def test_a_wave_added_is_found_in_its_region_with_its_energy(mask, frequency, region):
    clean = truth()
    added = wave(frequency)
    rows = {row["region"]: row for row in analysis.by_region(clean + added, clean, mask)}
    energy = (added**2).sum() / clean.max() ** 2
    for name in analysis.REGIONS:
        assert rows[name]["error_energy"] == pytest.approx(energy if name == region else 0, abs=1e-9)


def test_regions_part_k_space_and_keep_every_energy(mask):
    clean = truth()
    image = clean + 0.1 * np.random.default_rng(0).standard_normal(SHAPE)
    places = analysis.regions(mask, SHAPE)
    assert np.array_equal(sum(p.astype(int) for p in places.values()), np.ones(SHAPE, int))
    assert places["acquired"].sum() == mask.sum()
    assert places["acquired"][24, 20]  # DC stays where it belongs
    rows = analysis.by_region(image, clean, mask)
    peak = clean.max() ** 2
    assert sum(row["error_energy"] for row in rows) == pytest.approx(((image - clean) ** 2).sum() / peak)
    assert sum(row["truth_energy"] for row in rows) == pytest.approx((clean**2).sum() / peak)
    assert sum(row["image_energy"] for row in rows) == pytest.approx((image**2).sum() / peak)


def test_coherence_of_a_copy_a_negative_and_something_else(mask):
    clean = truth()
    noise = np.random.default_rng(0).standard_normal(SHAPE)
    assert [row["coherence"] for row in analysis.by_region(3 * clean, clean, mask)] == pytest.approx([1, 1, 1])
    assert [row["coherence"] for row in analysis.by_region(-clean, clean, mask)] == pytest.approx([-1, -1, -1])
    assert abs(analysis.by_region(noise, clean, mask)[2]["coherence"]) < 0.1


def test_a_region_without_samples_has_no_coherence():
    clean = truth()
    unacquired = analysis.by_region(clean, clean, np.ones((24, 20), bool))[1]
    assert (unacquired["error_energy"], unacquired["truth_energy"]) == (0, 0)
    assert np.isnan(unacquired["coherence"])


@pytest.mark.parametrize("frequency", [(6, 0), (0, 5), (3, 4)])
def test_a_wave_is_found_at_its_radius(frequency):
    clean = truth()
    added = wave(frequency)
    error, of_truth, of_image = analysis.by_radius(clean + added, clean)
    radius = np.hypot(frequency[0] / 24, frequency[1] / 20)
    assert np.argmax(error) == int(radius * analysis.RADIAL_BINS)
    assert error.max() == pytest.approx((added**2).sum() / clean.max() ** 2)
    assert error.sum() == pytest.approx(error.max())
    assert of_truth[0] == of_truth.max()
    assert of_image[0] == pytest.approx(of_truth[0])


def test_radial_rows_are_means_over_slices():
    table = analysis.radial_rows("t1w", ["a", "a", "b"], [np.full((3, 24), float(i)) for i in (1, 2, 6)])
    assert (table["error_energy"] == 3).all()
    assert (table["slices"].unique(), table["subjects"].unique()) == ([3], [2])
    assert table["k"].iloc[[0, -1]].to_list() == pytest.approx([0.5 / 24, 23.5 / 24])


def disc():
    """Bright within 20 pixels, less so within 45."""
    y, x = np.mgrid[:104, :104]
    radius = np.hypot(y - 52, x - 52)
    return np.where(radius < 45, 0.7, 0.0) + np.where(radius < 20, 0.2, 0.0), radius


def test_boundaries_are_at_the_edges_and_flat_is_away_from_them():
    image, radius = disc()
    boundary, flat = analysis.boundary_and_flat(image, radius < 35)
    assert boundary[(np.abs(radius - 20) < 0.7)].all()
    assert np.abs(radius[boundary] - 20).max() < 4.5
    assert not (boundary & flat).any()
    assert np.abs(radius[flat] - 20).min() > 3
    assert flat[radius < 5].all()


def test_error_at_edges_and_error_in_flat_tissue_are_told_apart():
    image = disc()[0]
    image /= image.max()
    inside = metrics.foreground(image, (1.0, 1.0))
    edges = analysis.boundary_and_flat(image, inside)[0]
    at_edges = analysis.by_steepness(np.where(edges, 0.9 * image, image), image, inside)
    elsewhere = analysis.by_steepness(np.where(edges, image, 0.9 * image), image, inside)
    assert at_edges["psnr_flat"] == elsewhere["psnr_boundary"] == metrics.HIGHEST_PSNR
    error = 0.1 * image[edges]
    assert at_edges["psnr_boundary"] == pytest.approx(-10 * np.log10((error**2).mean()))
    assert elsewhere["psnr_flat"] < 40


def test_an_image_without_edges_has_no_boundary():
    boundary, flat = analysis.boundary_and_flat(np.ones((20, 20)), np.ones((20, 20), bool))
    assert not boundary.any()
    assert flat.all()


def test_oracle_fed_scores_are_those_of_the_metrics():
    clean = truth()
    image = clean + wave((3, 4))
    fed, scores = analysis.oracle_fed(image, clean), metrics.score(image, None, clean, clean, (1.0, 1.0), None)
    assert (fed["psnr_oracle_fed"], fed["nmse_oracle_fed"]) == (scores["psnr"], scores["nmse"])
