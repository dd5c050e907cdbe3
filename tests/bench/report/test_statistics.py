import numpy as np
import pytest
from scipy import stats

from bench.report import statistics
from bench.report.statistics import (
    ACROSS,
    FIVE_FOLDS,
    WITHIN,
    Outcome,
    compare,
    holm,
    over_people,
    power,
    within_people,
)

TEN = np.array([0.31, 0.10, 0.19, 0.13, 0.12, 0.25, 0.08, 0.22, 0.15, 0.17])


def test_one_fold_is_students_paired_test():
    found = compare(TEN, 0.2)
    theirs = stats.ttest_1samp(TEN, 0)
    assert (found.people, found.mean, found.p) == (10, pytest.approx(TEN.mean()), pytest.approx(theirs.pvalue))
    assert (found.low, found.high) == pytest.approx(theirs.confidence_interval(0.95))
    once = [stats.ttest_1samp(TEN, m, alternative=a).pvalue for m, a in ((-0.2, "greater"), (0.2, "less"))]
    assert found.p_unequal == pytest.approx(max(once))


def test_folds_that_share_people_have_the_corrected_variance():
    """By hand: s^2 (1/10 + 2/7), 9 degrees of freedom; a mean of 1.67 standard deviations is called at 2.5 %."""
    found = compare(TEN, 0.2, 2 / 7, 0.025)
    error = TEN.std(ddof=1) * np.sqrt(0.1 + 2 / 7)
    assert found.p == pytest.approx(2 * stats.t.sf(TEN.mean() / error, 9))
    assert found.high - found.mean == pytest.approx(2.685 * error, rel=1e-3)
    edge = (TEN - TEN.mean()) / TEN.std(ddof=1)
    assert compare(edge + 1.68, 9.0, 2 / 7, 0.025).p < 0.025 < compare(edge + 1.65, 9.0, 2 / 7, 0.025).p


@pytest.mark.parametrize("share", [0.0, 2 / 7])
def test_interval_and_p_never_disagree(share):
    generator = np.random.default_rng(0)
    for _ in range(200):
        found = compare(generator.normal(0.5, 1, 10), 0.2, share, 0.025)
        assert (found.low > 0 or found.high < 0) is (found.p < 0.025)


@pytest.mark.parametrize(
    ("mean", "spread", "outcome"),
    [
        (1.0, 0.2, Outcome.DIFFERENT),
        (-1.0, 0.2, Outcome.DIFFERENT),
        (0.1, 0.02, Outcome.LESS_THAN_MATTERS),
        (0.0, 0.1, Outcome.EQUAL),
        (0.1, 0.5, Outcome.UNDECIDED),
    ],
)
def test_outcomes(mean, spread, outcome):
    values = mean + spread * stats.zscore(TEN, ddof=1)
    assert compare(values, 0.2, 2 / 7).outcome() is outcome


def test_an_adjusted_p_decides_in_place_of_its_own():
    found = compare(TEN, 0.01)
    assert (found.outcome(), found.outcome(0.2)) == (Outcome.DIFFERENT, Outcome.UNDECIDED)


@pytest.mark.parametrize("values", [TEN[:4], TEN[:1], np.ones(8), np.zeros(8)])
def test_few_people_or_none_that_differ_give_no_outcome_and_no_interval(values):
    found = compare(values, 0.2, 2 / 7)
    assert found.outcome() is Outcome.NONE
    assert found.mean == pytest.approx(values.mean())
    assert np.isnan([found.p, found.p_unequal, found.low, found.high]).all()
    assert over_people(values) is None


def test_five_people_are_enough():
    assert compare(TEN[:5], 0.2).outcome() is Outcome.DIFFERENT
    assert over_people(TEN[:5]).scope == ACROSS


@pytest.mark.parametrize("values", [[], [1.0, np.nan], [[1.0, 2.0]]])
def test_senseless_values_are_refused(values):
    with pytest.raises(ValueError, match=r"finite|needed"):
        compare(values, 0.2)


def test_power_agrees_with_simulation():
    generator = np.random.default_rng(1)
    for mean, n, share in ((0.5, 20, 0.0), (1.0, 12, 2 / 7), (0.02, 30, 0.0)):
        spread = 0.6 if mean > 0.1 else 0.2
        common = np.sqrt(share / (1 + share)) * generator.standard_normal((4000, 1))
        own = np.sqrt(1 / (1 + share)) * generator.standard_normal((4000, n))
        people = mean + spread * np.sqrt(1 + share) * (common + own)  # the spread seen within a run is `spread`
        found = [compare(values, 0.2, share) for values in people]
        shares = [np.mean([o.p < 0.05 for o in found]), np.mean([o.p_unequal < 0.05 for o in found])]
        assert power(mean, spread, 0.2, n, 0.05, share) == pytest.approx(max(shares), abs=0.025)


def test_people_needed_are_the_fewest_with_that_power():
    for mean, spread, share in ((0.5, 0.6, 0.0), (0.5, 0.2, FIVE_FOLDS), (0.0, 0.2, 0.0)):
        n = statistics.people_needed(mean, spread, 0.2, 0.025, share)
        assert power(mean, spread, 0.2, n, 0.025, share) >= 0.8
        assert n == 5 or power(mean, spread, 0.2, n - 1, 0.025, share) < 0.8


def test_five_folds_never_decide_what_is_small_against_its_spread():
    """The variance of the mean stays above 2/7 of the spread's square, however many people there are."""
    assert statistics.people_needed(0.3, 0.5, 0.1) == statistics.MOST_PEOPLE + 1
    assert statistics.people_needed(0.3, 0.5, 0.1, test_share=0.0) == pytest.approx(24, abs=1)


def test_within_people_nobody_is_swapped_for_another():
    generator = np.random.default_rng(0)
    people = [100.0 * i + generator.standard_normal(40) for i in range(3)]
    found = within_people(people)
    assert found.scope == WITHIN
    assert found.mean == pytest.approx(np.mean([p.mean() for p in people]))
    assert found.high - found.low < 2
    assert found == within_people(people)


def test_neighbouring_slices_that_are_alike_count_as_fewer():
    """A slow wave and the same values shuffled: the same slices, drawn one by one, would give the same interval."""
    wave = np.sin(np.linspace(0, 2 * np.pi, 40, endpoint=False))
    shuffled = np.random.default_rng(0).permutation(wave)
    ordered, mixed = (within_people([values]) for values in (wave, shuffled))
    assert ordered.high - ordered.low > 1.5 * (mixed.high - mixed.low)


@pytest.mark.parametrize("people", [[np.arange(3.0)], [np.arange(9.0), np.arange(2.0)], [np.ones(9)]])
def test_too_few_positions_or_none_that_differ_give_no_interval(people):
    assert within_people(people) is None


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]).size == 0


def test_holm_does_not_count_what_was_not_tested():
    assert holm([0.01, np.nan, 0.02]) == pytest.approx([0.02, np.nan, 0.02], nan_ok=True)
