"""Is a difference more than chance: paired tests over people, equivalence, how many people, Holm. Numbers in, numbers out.

The unit is a person. What comes in is one value a person: the mean over that person's slices, contrasts and seeds.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

FEWEST_PEOPLE = 5
"""Below this there are point estimates and dots only, and nobody is called better."""
FEWEST_POSITIONS = 4
"""Of a person: below this they are not resampled."""
RESAMPLES = 4000
WITHIN = "within these people, not across people"
ACROSS = "across people"
EQUIVALENCE_LEVEL = 0.05
"""Of each of the two one-sided tests."""
POWER = 0.8
FIVE_FOLDS = 2 / 7
"""People tested over people trained on, of five folds: a fifth of them is tested and seven tenths are trained on."""
MOST_PEOPLE = 1000
"""Above this a number of people is no plan."""


class Outcome(StrEnum):
    """What is shown of a difference."""

    DIFFERENT = "different"
    """One is better, and by how much may matter."""
    LESS_THAN_MATTERS = "different, by less than matters"
    """A difference is shown, and so is equivalence."""
    EQUAL = "practically equal"
    """Equivalence is shown, and no difference."""
    UNDECIDED = "not decided"
    """Neither is shown."""
    NONE = "too few people"
    """Fewer than `FEWEST_PEOPLE`, or people who do not differ from each other at all: nothing is tested."""


@dataclass(frozen=True)
class Interval:
    """A mean with its interval."""

    mean: float
    """Over people."""
    low: float
    """Lower end."""
    high: float
    """Upper end."""
    scope: str
    """`ACROSS` or `WITHIN`: what it speaks of."""


@dataclass(frozen=True)
class Paired:
    """Differences of people, one a person, and what they show. nan where nothing is tested."""

    people: int
    """How many."""
    mean: float
    """Over people."""
    spread: float
    """Standard deviation over people, with divisor n - 1."""
    test_share: float
    """People tested over people trained on, where folds share the latter; else 0."""
    level: float
    """Of the test, two-sided; the interval covers 1 - level."""
    low: float
    """Lower end of the interval."""
    high: float
    """Upper end."""
    p: float
    """Two-sided, of no difference."""
    p_unequal: float
    """Of a difference as large as the margin or larger: the larger p of two one-sided tests."""

    @property
    def tested(self) -> bool:
        """Whether there are enough people."""
        return not np.isnan(self.p)

    def outcome(self, p: float | None = None) -> Outcome:
        """Decided by the p-values alone, so that no outcome contradicts its p; `p`: an adjusted one instead of its own."""
        if not self.tested:
            return Outcome.NONE
        different, equal = (self.p if p is None else p) < self.level, self.p_unequal < EQUIVALENCE_LEVEL
        if different:
            return Outcome.LESS_THAN_MATTERS if equal else Outcome.DIFFERENT
        return Outcome.EQUAL if equal else Outcome.UNDECIDED


def compare(differences: ArrayLike, margin: float, test_share: float = 0.0, level: float = 0.05) -> Paired:
    """Paired t-test of one difference a person, with the interval that belongs to it, and two one-sided tests.

    Folds that share training people give dependent differences, so that s^2 / n is too small a variance of the mean. It is
    taken to be (1/n + n_test/n_train) s^2, t having n - 1 degrees of freedom (Nadeau and Bengio 2003, "Inference for the
    Generalization Error"; their unit is a split, here it is a person). That is exact where any two people are
    correlated by n_test / (n_test + n_train), and too large where they are less so. Nothing corrects for people of one fold
    being more alike than those of two folds; `tests/bench/report/test_statistics_simulated.py` says what that costs.

    With one fold all people are scored by the same networks and no training person is shared between folds: the variance is
    s^2 / n (`test_share` 0), and what is shown holds for these networks on other people, not for training them anew.

    Equivalence: two one-sided t-tests (Schuirmann 1987) with the same variance against -margin and +margin, each at
    `EQUIVALENCE_LEVEL`, unadjusted.

    Parameters
    ----------
    differences
        (people,) in the score's unit. All of it assumes that they are about normal.
    margin
        What matters, in the same unit.
    test_share
        n_test / n_train in people, validation not counted.
    level
        Of the two-sided test.

    Raises
    ------
    ValueError
        If there are none or some are not finite.
    """
    values = _checked(differences)
    n, mean = values.size, float(values.mean())
    nan = float("nan")
    spread = float(values.std(ddof=1)) if n > 1 else nan
    if n < FEWEST_PEOPLE or alike(values):
        return Paired(n, mean, spread, test_share, level, nan, nan, nan, nan)
    error = spread * np.sqrt(1 / n + test_share)
    arm = stats.t.ppf(1 - level / 2, n - 1) * error
    p = 2 * stats.t.sf(abs(mean) / error, n - 1)
    p_unequal = stats.t.sf((margin - abs(mean)) / error, n - 1)
    return Paired(n, mean, spread, test_share, level, float(mean - arm), float(mean + arm), float(p), float(p_unequal))


def alike(values: NDArray[np.float64]) -> bool:
    """Whether all are the same to rounding: there is no spread to test against."""
    return bool(np.ptp(values) <= 1e-9 * np.abs(values).max())


def people_needed(
    mean: float, spread: float, margin: float, level: float = 0.05, test_share: float = FIVE_FOLDS
) -> int:
    """How many people would decide it: the fewest at which a difference or equivalence is shown with a power of 80 %.

    Taken are the difference and the spread that were seen, as if they were the true ones. With `test_share` the variance
    never falls below `test_share` times the spread's square, however many people there are, so that there may be no such
    number; 0 is for people who took no part in any training.

    Returns
    -------
    int
        `MOST_PEOPLE` + 1 if more than `MOST_PEOPLE` are needed, or no number suffices.
    """
    low, high = FEWEST_PEOPLE, MOST_PEOPLE + 1
    while low < high:  # power rises with the number of people
        middle = (low + high) // 2
        if power(mean, spread, margin, middle, level, test_share) >= POWER:
            high = middle
        else:
            low = middle + 1
    return low


def power(mean: float, spread: float, margin: float, people: int, level: float, test_share: float) -> float:
    """Probability that so many people show a difference, or that they show equivalence: the larger of the two."""
    error, freedom = spread * np.sqrt(1 / people + test_share), people - 1
    quantile, once = stats.t.ppf(1 - level / 2, freedom), stats.t.ppf(1 - EQUIVALENCE_LEVEL, freedom)
    different = _above(quantile, freedom, abs(mean) / error)
    # Both one-sided tests reject: their joint probability from the two margins (Phillips 1990), never below 0
    equal = 1 - sum(1 - _above(once, freedom, (margin - sign * mean) / error) for sign in (-1, 1))
    return max(different, equal, 0.0)


def _above(quantile: float, freedom: int, centre: float) -> float:
    """P(t > quantile) of Student's t about `centre`; far out, where the series fails, it is certain."""
    if abs(centre) > 30:
        return float(centre > 0)
    return float(stats.nct.sf(quantile, freedom, centre))


def over_people(values: ArrayLike, test_share: float = 0.0, level: float = 0.05) -> Interval | None:
    """Student's interval of a mean over people, with the variance of `compare`; None with too few, or without any spread."""
    found = compare(values, 0.0, test_share, level)
    return Interval(found.mean, found.low, found.high, ACROSS) if found.tested else None


def within_people(people: list[NDArray[np.float64]], level: float = 0.95, seed: int = 0) -> Interval | None:
    """Interval of the mean over these very people, blocks of neighbouring positions drawn within each; nobody is swapped.

    Neighbouring slices are alike (lag-1 correlation up to .88), so slices are not drawn one by one. Blocks are a quarter of
    a person's positions and run round the end (circular block bootstrap, Politis and Romano 1992); the arms of the
    percentile interval are lengthened by `widening(4)`, as four blocks are four values. Simulated, 95 % intervals of 8, 20
    and 60 positions then cover the mean in 97, 98 and 97 % of cases without correlation, in 88, 95 and 97 % at .5, and in
    49, 72 and 88 % at .88, where 8 positions are hardly more than one: it is rather too narrow there.

    Parameters
    ----------
    people
        For each, (positions,) in their order in the body: the mean over all contrasts of a position.

    Returns
    -------
    Interval or None
        None where a person has fewer than `FEWEST_POSITIONS`, or nothing varies.
    """
    if min(values.size for values in people) < FEWEST_POSITIONS:
        return None
    drawn = _drawn(tuple(values.size for values in people), seed)
    means = np.mean([values[indices].mean(1) for values, indices in zip(people, drawn, strict=True)], axis=0)
    mean = float(np.mean([values.mean() for values in people]))
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    if alike(means):
        return None
    factor = widening(4, level)
    return Interval(mean, float(mean - factor * (mean - low)), float(mean + factor * (high - mean)), WITHIN)


@lru_cache(maxsize=8)
def _drawn(sizes: tuple[int, ...], seed: int) -> list[NDArray[np.intp]]:
    """Positions of each resample, (RESAMPLES, positions) a person. Cached: every score of a table is drawn alike."""
    generator, drawn = np.random.default_rng(seed), []
    for n in sizes:
        length = n // 4
        starts = generator.integers(n, size=(RESAMPLES, -(-n // length)))
        indices = (starts[:, :, None] + np.arange(length)) % n
        drawn.append(indices.reshape(RESAMPLES, -1)[:, :n])
    return drawn


def widening(n: int, level: float = 0.95) -> float:
    """How much longer than a percentile bootstrap's is the arm of a t interval of n values.

    Student's quantile over the normal one, times sqrt(n / (n - 1)), after the expanded percentile interval of Hesterberg
    (2015, "What Teachers Should Know About the Bootstrap"). He moves the percentiles; with very few values they end at
    the extremes, so here the arms are scaled instead.
    """
    tail = (1 + level) / 2
    return float(stats.t.ppf(tail, n - 1) / stats.norm.ppf(tail) * np.sqrt(n / (n - 1)))


def _checked(values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"one value a person is needed: {array.shape=}")
    if not np.isfinite(array).all():
        raise ValueError("values must be finite")
    return array


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Holm's step-down adjustment for several tests (Holm 1979); nan stays nan and is not counted.

    Parameters
    ----------
    p_values
        (tests,) in [0, 1].

    Returns
    -------
    (tests,) adjusted p-values in the same order.
    """
    p = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(p.shape, np.nan)
    tests = np.flatnonzero(~np.isnan(p))
    order = tests[np.argsort(p[tests], kind="stable")]
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(order.size, 0, -1)))
    return adjusted
