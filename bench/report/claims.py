"""The declared comparisons made, and the exploratory ones beside them: who is compared with whom, person by person."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import pandas as pd

from bench.metrics.scores import BY_ID
from bench.report import declared as fixed
from bench.report.declared import CLASSES, EXPLORATORY_LEVEL, JUDGED, LEVEL, PRIMARY, Declared, margin
from bench.report.read.results import DatasetResults, test_share
from bench.report.statistics import FIVE_FOLDS, MOST_PEOPLE, Outcome, Paired, compare, holm, people_needed
from bench.store.tables import ROW_KEY


@dataclass(frozen=True)
class Pick:
    """The best method of a class and group, by validation of the first fold."""

    method: str
    """Its id."""
    value: float
    """Its primary score on validation."""
    among: int
    """How many methods had all folds and such a score."""


@dataclass(frozen=True)
class Claim:
    """One method minus another in one score."""

    declared: Declared
    """What it answers."""
    one: str
    """Id of the joint method; empty if none could be picked."""
    other: str
    """Id of the one that is subtracted."""
    score: str
    """Id of the score."""
    people: tuple[tuple[str, float], ...]
    """By subject, the mean difference over the slices and seeds that both have."""
    paired: Paired | None
    """None without rows."""
    missing: str = ""
    """Why there are none."""
    after: int = 0
    """The comparison that ended the confirmatory part before this one was reached; 0 if none did."""
    after_untested: bool = False
    """Whether that one had too few people to be tested."""
    p_holm: float = float("nan")
    """Adjusted for all exploratory comparisons; nan for a confirmatory one."""
    confirmatory: bool = False
    """Whether it is tested in the fixed order."""

    @property
    def outcome(self) -> Outcome:
        """By its own p if confirmatory, by Holm's otherwise."""
        if self.paired is None:
            return Outcome.NONE
        return self.paired.outcome(None if self.confirmatory else self.p_holm)

    @property
    def winner(self) -> str:
        """Id of the method with the better mean."""
        assert self.paired is not None
        return self.one if (self.paired.mean > 0) == BY_ID[self.score].higher_is_better else self.other

    def needed(self) -> tuple[int, bool]:
        """How many people would decide it at the level of a declared comparison, and whether in five folds; else without.

        The latter are new people scored by the same networks, of whom none was trained on. More than `MOST_PEOPLE` if no
        such number does.
        """
        assert self.paired is not None
        known = self.paired.mean, self.paired.spread, margin(self.score), LEVEL
        folds = people_needed(*known, FIVE_FOLDS) if self.paired.test_share else MOST_PEOPLE + 1
        return (folds, True) if folds <= MOST_PEOPLE else (people_needed(*known, 0.0), False)


@dataclass(frozen=True)
class Verdict:
    """All comparisons of a dataset."""

    declared: tuple[Claim, ...]
    """Those of `COMPARISONS`, in their order, with or without rows; each in the primary score of its class."""
    exploratory: tuple[Claim, ...]
    """All others that have rows."""
    picks: dict[tuple[str, str], Pick]
    """By class and group (joint, sequential)."""

    @property
    def made(self) -> list[Claim]:
        """Declared ones with rows."""
        return [claim for claim in self.declared if claim.paired]

    @property
    def by_person(self) -> list[Claim]:
        """Those of which every person is shown: declared ones with rows, and what stands beside them."""
        beside = (c for c in self.exploratory if c.declared in fixed.BESIDE and c.score == PRIMARY[c.declared.loss])
        return [*self.made, *beside]

    @property
    def tested(self) -> bool:
        """Whether any has people enough."""
        return any(claim.paired and claim.paired.tested for claim in (*self.declared, *self.exploratory))


@lru_cache(maxsize=64)
def judge(results: DatasetResults, contrast: str | None = None) -> Verdict:
    """Make every comparison that has rows. Of one contrast alone, none is confirmatory.

    The first of a class that shows no difference ends what is confirmatory, be it that too few people have both its rows;
    without rows it is passed over.
    """
    picks = {
        (loss, group): found
        for loss in CLASSES
        for group in ("joint", "sequential")
        if (found := pick(results, loss, group))
    }
    declared: list[Claim] = []
    for loss in CLASSES:
        ended, untested = 0, False
        for comparison in (c for c in fixed.COMPARISONS if c.loss == loss):
            claim = _declared(results, comparison, picks, contrast, ended)
            declared.append(replace(claim, after_untested=untested))
            if claim.paired and contrast is None and not ended and not fixed.goes_on(claim.outcome):
                ended, untested = comparison.number, not claim.paired.tested
    others = [c for c in _exploratory(results, picks, declared, contrast) if c.paired]
    apart = [c for c in (*declared, *others) if c.paired and not c.confirmatory]
    adjusted = holm([claim.paired.p for claim in apart if claim.paired])
    p = {id(claim): float(value) for claim, value in zip(apart, adjusted, strict=True)}
    declared, others = (
        [replace(c, p_holm=p.get(id(c), float("nan"))) for c in claims] for claims in (declared, others)
    )
    return Verdict(tuple(declared), tuple(others), picks)


def _declared(
    results: DatasetResults,
    comparison: Declared,
    picks: dict[tuple[str, str], Pick],
    contrast: str | None,
    ended: int,
) -> Claim:
    one, other = comparison.one, comparison.other
    score = PRIMARY[comparison.loss]
    if comparison.picked:
        lacking = [group for group in ("joint", "sequential") if (comparison.loss, group) not in picks]
        if lacking:
            groups = " and no ".join(lacking)
            said = f"no pick: no {groups} method with rows of every fold has {BY_ID[score].name} of validation"
            return Claim(comparison, "", "", score, (), None, said, ended)
        one, other = (picks[comparison.loss, group].method for group in ("joint", "sequential"))
    confirmatory = not ended and contrast is None
    claim = _claim(results, comparison, one, other, score, LEVEL if confirmatory else EXPLORATORY_LEVEL, contrast)
    confirmatory = confirmatory and claim.paired is not None and claim.paired.tested
    return replace(claim, after=ended, confirmatory=confirmatory)


def _exploratory(
    results: DatasetResults, picks: dict[tuple[str, str], Pick], declared: Sequence[Claim], contrast: str | None
) -> list[Claim]:
    """The declared pairs in the other scores, those beside them, every `A~B` minus `A+B`, and joint methods minus the pick."""
    pairs = [(c.declared, c.one, c.other) for c in declared if c.paired]
    pairs += [(beside, beside.one, beside.other) for beside in fixed.BESIDE]
    for method in (m for m in results.methods() if "~" in m):
        halves = method.replace("~", "+")
        pairs.append((Declared(0, results.loss(method), fixed.HALVES, method, halves), method, halves))
    for loss in CLASSES:
        rival = picks.get((loss, "sequential"))
        for method in results.methods():
            if rival and (results.group(method), results.loss(method)) == ("joint", loss):
                pairs.append((Declared(0, loss, fixed.OTHERS, method, rival.method), method, rival.method))
    found: dict[tuple[str, str, str], Claim] = {}
    done = {(c.one, c.other, c.score) for c in declared}
    for comparison, one, other in pairs:
        for score in JUDGED.get(comparison.loss, ()):
            if (one, other, score) not in done:
                claim = _claim(results, comparison, one, other, score, EXPLORATORY_LEVEL, contrast)
                found.setdefault((one, other, score), claim)
    return list(found.values())


def _claim(
    results: DatasetResults, comparison: Declared, one: str, other: str, score: str, level: float, contrast: str | None
) -> Claim:
    without = [id for id in (one, other) if not any(run.method == id for run in results.done)]
    if without:
        return Claim(comparison, one, other, score, (), None, f"no rows: {', '.join(without)}")
    people = person_differences(results, one, other, score, contrast)
    if people.empty:
        return Claim(comparison, one, other, score, (), None, f"no {BY_ID[score].name} of the same slices and seeds")
    folds = set.intersection(*({run.record.fold for run in results.done if run.method == id} for id in (one, other)))
    runs = [run for run in results.done if run.method in (one, other) and run.record.fold in folds]
    paired = compare(people, margin(score), test_share(runs), level)
    values = tuple((str(subject), float(value)) for subject, value in people.items())
    return Claim(comparison, one, other, score, values, paired)


def person_differences(
    results: DatasetResults, one: str, other: str, score: str, contrast: str | None = None
) -> "pd.Series[float]":
    """One method minus the other, the mean over the slices and seeds that both have, by subject; empty if there are none."""

    return _differences(results, one, other, score, contrast).groupby(level="subject").mean()


def seed_differences(results: DatasetResults, one: str, other: str, score: str) -> pd.DataFrame:
    """The same by training seed: a row a subject whom every seed of both tested, a column a seed."""
    slices = _differences(results, one, other, score, None).reset_index()
    return slices.pivot_table(score, "subject", "seed").dropna()


def _differences(results: DatasetResults, one: str, other: str, score: str, contrast: str | None) -> "pd.Series[float]":
    """Of every slice and seed that both have."""
    both = (_scored(results, method, contrast)[score] for method in (one, other))
    difference: pd.Series[float] = (next(both) - next(both)).dropna()
    return difference


@lru_cache(maxsize=1024)
def _scored(results: DatasetResults, method: str, contrast: str | None) -> pd.DataFrame:
    """Scores by seed and slice. Cached: every comparison starts from them."""
    rows = pd.concat([run.rows for run in results.of(method) if run.rows is not None])
    rows = rows[rows["contrast"] == contrast] if contrast else rows
    return rows.set_index(["seed", *ROW_KEY])[list(BY_ID)]


def pick(results: DatasetResults, loss: str, group: str) -> Pick | None:
    """The best of a class and group on validation of the first fold (its first seed), of the methods with rows of every fold.

    Only methods whose last stage is their own take part: that of `modl+sinc` is MoDL's, whose validation is of LR images.
    """
    score = PRIMARY[loss]
    found: dict[str, float] = {}
    for method in results.with_every_fold() if results.folds else ():
        if (results.group(method), results.loss(method)) != (group, loss):
            continue
        run = next(run for run in results.of(method) if run.rows is not None and run.record.fold == results.folds[0])
        stages = results.stages_of(run)
        if stages and stages[-1].id == method and score in stages[-1].validation:
            found[method] = stages[-1].validation[score]
    if not found:
        return None
    best = (max if BY_ID[score].higher_is_better else min)(found, key=lambda method: found[method])
    return Pick(best, found[best], len(found))
