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
    radius = np.sqrt(inside.sum() / np.pi)
    assert radius == pytest.approx(40 - 4, abs=1)


@pytest.mark.parametrize(
    ("image", "truth"), [(np.ones((4, 4)), np.zeros((4, 4))), (np.full((4, 4), np.nan), np.ones((4, 4)))]
)
def test_what_cannot_be_scored_is_an_error(image, truth):
    with pytest.raises(ValueError, match="finite"):
        metrics.unit_range(image, truth)
