import itertools

import numpy as np
import pytest
from scipy import stats

from bench.report.statistics import ACROSS, WITHIN, bootstrap, holm, paired_tests, widening


def scores(subjects, slices=10, spread=1.0, seed=0):
    """Each subject has a mean of its own; slices hardly differ."""
    generator = np.random.default_rng(seed)
    means = spread * generator.standard_normal(subjects)
    values = np.repeat(means, slices) + 0.01 * generator.standard_normal(subjects * slices)
    return values, np.repeat([f"s{i}" for i in range(subjects)], slices)


def test_bootstrap_agrees_with_scipy_where_each_subject_has_one_slice():
    values = np.random.default_rng(3).normal(1.0, 2.0, 40)
    ours = bootstrap(values, [str(i) for i in range(40)], resamples=20000)
    theirs = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=20000, rng=1).confidence_interval
    assert ours.mean == pytest.approx(values.mean())
    assert ours.scope == ACROSS
    assert widening(40) == pytest.approx(1.045, abs=1e-3)
    low, high = (ours.mean + (end - ours.mean) / widening(40) for end in (ours.low, ours.high))
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.03)


@pytest.mark.parametrize("people", [3, 5, 20])
def test_bootstrap_is_as_wide_as_students_interval(people):
    values = np.random.default_rng(people).standard_normal(people)
    interval = bootstrap(values, [str(i) for i in range(people)], resamples=20000)
    low, high = stats.t.interval(0.95, people - 1, values.mean(), stats.sem(values))
    assert interval.high - interval.low == pytest.approx(high - low, rel=0.15)


def test_bootstrap_is_as_wide_as_the_subjects_differ_not_the_slices():
    values, subjects = scores(8, slices=50)
    clustered = bootstrap(values, subjects)
    naive = bootstrap(values, [str(i) for i in range(values.size)])
    per_subject = values.reshape(8, 50).mean(1)
    assert clustered.high - clustered.low > 5 * (naive.high - naive.low)
    assert clustered.high - clustered.low == pytest.approx(2 * 2.365 * stats.sem(per_subject), rel=0.1)


def test_subjects_with_more_slices_weigh_more_as_in_the_mean_over_slices():
    values = np.array([1.0] * 8 + [0.0, 0.0])
    interval = bootstrap(values, ["a"] * 8 + ["b", "c"])
    assert interval.mean == pytest.approx(0.8)
    ends = (interval.low - 0.8) / widening(3), (interval.high - 0.8) / widening(3)
    assert ends == pytest.approx((-0.8, 0.2))  # only b and c, 8 of 27 draws; only a, 1 of 27


@pytest.mark.parametrize("people", [1, 2])
def test_too_few_subjects_are_resampled_by_slice_and_labelled(people):
    values, subjects = scores(people, slices=200, spread=100.0)
    interval = bootstrap(values, subjects)
    assert interval.scope == WITHIN
    assert interval.high - interval.low < 0.01  # people lie 100 apart, but nobody is swapped for another


def test_bootstrap_is_seeded():
    values, subjects = scores(5)
    assert bootstrap(values, subjects) == bootstrap(values, subjects)
    assert bootstrap(values, subjects) != bootstrap(values, subjects, seed=1)


def test_interval_covers_as_often_as_it_says():
    generator = np.random.default_rng(0)
    subjects = np.repeat([str(i) for i in range(30)], 4)
    hits = 0
    for _ in range(200):
        values = np.repeat(generator.standard_normal(30), 4)
        interval = bootstrap(values, subjects, resamples=500)
        hits += interval.low <= 0 <= interval.high
    assert 0.91 <= hits / 200 <= 0.99


@pytest.mark.slow
@pytest.mark.parametrize(("people", "slices"), [(30, 4), (5, 10), (3, 10)])
def test_simulated_effect_is_covered_as_often_as_it_says(people, slices):
    """A joint method that is 0.3 dB better; people differ in it, and slices within them."""
    generator = np.random.default_rng(people)
    subjects = np.repeat([str(i) for i in range(people)], slices)
    hits = 0
    for trial in range(2000):
        gains = 0.3 + 0.4 * generator.standard_normal(people)
        values = np.repeat(gains, slices) + 0.2 * generator.standard_normal(people * slices)
        interval = bootstrap(values, subjects, resamples=1000, seed=trial)
        hits += interval.low <= 0.3 <= interval.high
    assert 0.93 <= hits / 2000 <= 0.97


def test_excludes_zero():
    assert bootstrap([1.0, 1.1, 0.9], ["a", "b", "c"]).excludes_zero
    assert bootstrap([-1.0, -1.1, -0.9], ["a", "b", "c"]).excludes_zero
    assert not bootstrap([1.0, -1.1, 0.1], ["a", "b", "c"]).excludes_zero


@pytest.mark.parametrize(("values", "subjects"), [([], []), ([1.0, np.nan], ["a", "b"]), ([1.0], ["a", "b"])])
def test_senseless_values_are_refused(values, subjects):
    with pytest.raises(ValueError, match=r"finite|needed"):
        bootstrap(values, subjects)
    with pytest.raises(ValueError, match=r"finite|needed"):
        paired_tests(values, subjects)


def test_paired_tests_take_means_of_subjects():
    values, subjects = scores(6, slices=20)
    means = values.reshape(6, 20).mean(1)
    result = paired_tests(values, subjects)
    assert (result.n, result.unit) == (6, "subject")
    assert result.t == pytest.approx(stats.ttest_rel(means, np.zeros(6)).pvalue)
    flips = np.array(list(itertools.product([-1, 1], repeat=6)))
    ranks = stats.rankdata(np.abs(means))
    sums = np.abs((flips * ranks).sum(1))
    assert result.wilcoxon == pytest.approx((sums >= abs((np.sign(means) * ranks).sum()) - 1e-9).mean())


def test_paired_tests_over_slices_of_one_subject():
    differences = np.random.default_rng(0).normal(0.3, 1.0, 60)
    result = paired_tests(differences, ["only"] * 60)
    assert (result.n, result.unit) == (60, "slice")
    assert result.t == pytest.approx(stats.ttest_1samp(differences, 0).pvalue)
    assert result.wilcoxon == pytest.approx(stats.wilcoxon(differences).pvalue)


def test_paired_tests_at_their_edges():
    assert (paired_tests(np.zeros(5), ["a"] * 5).t, paired_tests(np.zeros(5), ["a"] * 5).wilcoxon) == (1.0, 1.0)
    assert paired_tests(np.ones(6), ["a"] * 6).t == 0.0
    assert paired_tests(np.ones(6), ["a"] * 6).wilcoxon == pytest.approx(2 / 2**6)
    assert np.isnan(paired_tests([1.0], ["a"]).t)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]).size == 0


def test_holm_does_not_count_what_was_not_tested():
    assert holm([0.01, np.nan, 0.02]) == pytest.approx([0.02, np.nan, 0.02], nan_ok=True)
