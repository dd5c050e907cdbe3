import numpy as np

from bench.metrics import error, image, vessels
from bench.metrics.scores import BY_ID, DETAILS, MAIN, SCORES, identities


def test_every_number_of_a_slice_is_a_score():
    truth = np.random.default_rng(0).random((48, 40)) + 0.1
    given = image.score(truth, None, truth, truth, (1.0, 1.0), None)
    details = error.by_steepness(truth, truth, truth > 0.5) | error.oracle_fed(truth, truth)
    assert {*given} == {*SCORES, "lpips_fg"}
    assert {*details, *vessels.COLUMNS, "lpips_fg", "residual"} == set(DETAILS)
    assert set(MAIN) <= set(BY_ID)


def test_the_direction_is_that_of_the_score_itself():
    y, x = np.mgrid[:64, :64]
    truth = np.hypot(y - 32, x - 32) < 26
    noise = np.random.default_rng(0).normal(size=truth.shape)
    good, bad = (image.score(truth + s * noise, None, 1.0 * truth, 1.0 * truth, None, None) for s in (0.01, 0.3))
    for id in ("psnr", "ssim", "nmse", "psnr_fg", "ssim_fg"):
        assert (good[id] > bad[id]) is BY_ID[id].higher_is_better


def test_labels_are_made_of_name_unit_and_direction():
    assert BY_ID["psnr"].title == "PSNR, dB ↑"
    assert BY_ID["nmse"].title == "NMSE ↓"
    assert BY_ID["wall_mm_error"].label == "wall error, mm"


def test_identities_say_when_lpips_was_skipped():
    assert identities(True)["lpips"].startswith("lpips ")
    assert identities(False)["lpips"].startswith("skipped")
    assert set(identities(True)) >= {*SCORES, *DETAILS, "gmac", "spectrum", "radial"}
