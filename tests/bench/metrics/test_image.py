import numpy as np
import pytest
from skimage import data
from skimage.metrics import structural_similarity

from bench.metrics import image as metrics


@pytest.fixture
def pair():
    truth = data.camera()[::4, ::4] / 300.0
    return np.clip(truth + np.random.default_rng(0).normal(0, 0.05, truth.shape), 0, None), truth


def test_identical_images():
    truth = data.camera()[::4, ::4].astype(float)
    scores = metrics.score(truth, truth, truth, truth, (1.0, 1.0), None)
    assert (scores["psnr"], scores["psnr_lr"], scores["psnr_fg"]) == (metrics.HIGHEST_PSNR,) * 3
    assert scores["ssim"] == pytest.approx(1)
    assert scores["nmse"] == 0
    assert np.isnan(scores["lpips"])


def test_psnr_and_nmse_are_their_formulas(pair):
    image, truth = pair
    scores = metrics.score(image, None, truth, truth, (1.0, 1.0), None)
    x, y = np.clip(image / truth.max(), 0, 1), truth / truth.max()
    assert scores["psnr"] == pytest.approx(-10 * np.log10(((x - y) ** 2).mean()))
    assert scores["nmse"] == pytest.approx(((x - y) ** 2).sum() / (y**2).sum())
    assert np.isnan(scores["psnr_lr"])


def test_ssim_is_wangs(pair):
    image, truth = metrics.unit_range(*pair)
    reference = structural_similarity(
        truth, image, win_size=11, data_range=1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert metrics.ssim(image, truth)[0] == pytest.approx(reference, abs=1e-6)


def test_the_scale_of_both_does_not_matter_but_that_of_one_does(pair):
    image, truth = pair
    one, both = (metrics.score(7 * image, None, s * truth, truth, (1.0, 1.0), None)["psnr"] for s in (1, 7))
    assert both == pytest.approx(metrics.score(image, None, truth, truth, (1.0, 1.0), None)["psnr"])
    assert one < both - 5


def test_the_foreground_is_the_eroded_inside_of_the_largest_object():
    y, x = np.mgrid[:120, :100]
    head = ((y - 60) ** 2 + (x - 50) ** 2) < 40**2
    truth = head * 1.0
    truth[50:60, 45:55] = 0  # a ventricle
    truth[5:8, 5:8] = 1
    inside = metrics.foreground(truth, (2.0, 2.0))
    assert inside[55, 50]
    assert not inside[6, 6]
    assert np.sqrt(inside.sum() / np.pi) == pytest.approx(40 - 5, abs=1)


Y, X = np.mgrid[-1:1:168j, -1:1:140j]


def head(bright):
    """Brain, a dark skull and a scalp so many times as bright, (Y, X); and where each is."""
    radius = np.hypot(Y / 0.92, X / 0.88)
    brain, scalp = radius < 0.80, (radius > 0.90) & (radius < 1)
    return 0.15 * brain * (1 + 0.25 * np.sin(9 * X) * np.cos(7 * Y)) + 0.15 * bright * scalp, brain, scalp


@pytest.mark.parametrize("bright", [1.0, 3.0, 6.0])
def test_the_foreground_is_the_brain_however_bright_the_scalp_and_whatever_the_shading(bright):
    truth, brain, scalp = head(bright)
    even = metrics.foreground(truth, (1.2, 1.2))
    assert even[brain].mean() > 0.67
    assert even[scalp].mean() < 0.01
    for shade in (X, Y, (X + Y) / 2, 1 - X**2 - Y**2):  # smooth, by a factor of four from end to end
        inside = metrics.foreground(truth * np.exp(np.log(4) / 2 * shade), (1.2, 1.2))
        assert 2 * (inside & even).sum() >= 0.95 * (inside.sum() + even.sum())


def test_scores_stand_on_the_foreground_that_is_given():
    truth = head(1.0)[0] + 0.01
    inside = np.hypot(Y, X) < 0.3
    image = np.where(inside, 0.9 * truth, 0)
    own, given = (metrics.score(image, None, truth, truth, (1.2, 1.2), None, where) for where in (None, inside))
    assert given["psnr_fg"] > own["psnr_fg"] + 5
    assert given["psnr"] == own["psnr"]


def test_lpips_of_the_foreground_sees_its_box_in_its_own_window():
    truth, brain, _ = head(6.0)
    seen = []
    scores = metrics.score(
        1.1 * truth, None, truth, truth, None, lambda *pair: seen.append(pair) or float(len(seen)), brain
    )
    assert (scores["lpips"], scores["lpips_fg"]) == (1, 2)
    image, shown = seen[1]
    assert (
        image.shape
        == shown.shape
        == (np.ptp(np.flatnonzero(brain.any(1))) + 1, np.ptp(np.flatnonzero(brain.any(0))) + 1)
    )
    assert (
        shown == 1
    ).sum() > 0.004 * brain.sum()  # as bright as it gets: the scalp, and what of the brain is brightest
    assert np.median(shown[60:70, 50:60]) > 0.6


@pytest.mark.parametrize(("shape", "size"), [((168, 140), (64, 64)), ((48, 40), (48, 40)), ((100, 50), (64, 50))])
def test_a_small_box_grows_as_far_as_the_image_goes(shape, size):
    inside = np.zeros(shape, bool)
    inside[:3, -5:] = True
    truth = np.random.default_rng(0).random(shape)
    image, shown = metrics.windowed(truth, truth, inside)
    assert image.shape == shown.shape == size
    assert shown[:3, -5:].max() == 1


@pytest.mark.parametrize(
    ("image", "truth"), [(np.ones((4, 4)), np.zeros((4, 4))), (np.full((4, 4), np.nan), np.ones((4, 4)))]
)
def test_what_cannot_be_scored_is_an_error(image, truth):
    with pytest.raises(ValueError, match="finite"):
        metrics.unit_range(image, truth)
