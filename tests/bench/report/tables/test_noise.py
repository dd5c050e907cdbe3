import numpy as np
import pytest

from bench.report.read.images import read_kept
from bench.report.read.results import collect
from bench.report.tables import noise


def test_the_spread_of_normal_noise_is_found_on_a_smooth_image():
    y, x = np.mgrid[:200, :180] / 200
    smooth = 0.5 + 0.5 * np.sin(3 * y) * np.cos(2 * x)
    noisy = smooth / smooth.max() + 0.02 * np.random.default_rng(0).standard_normal(smooth.shape)
    assert noise.spread(noisy * 7, np.ones(noisy.shape, bool)) == pytest.approx(0.02 / noisy.max(), rel=0.03)


def test_where_nothing_counts_nothing_is_known():
    assert np.isnan(noise.spread(np.ones((4, 4)), np.eye(4, dtype=bool)))


def test_measured_data_say_how_far_their_noise_bounds_a_score(results):
    results.add(label="real raw data, one person")
    (collected,) = collect(results.folder)
    (said,) = noise.said(collected, read_kept(collected))
    assert said.startswith("The truth is measured, so it is noisy: in t1w, s0, slice 1 by about ")


def test_the_truth_of_simulated_data_is_the_anatomy(results):
    results.add(label="simulated acquisition of a numerical phantom")
    (collected,) = collect(results.folder)
    assert noise.said(collected, read_kept(collected)) == []
