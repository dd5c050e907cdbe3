"""The main table: one row a method. What it says, not how it is written."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.metrics.image import HIGHEST_PSNR
from bench.metrics.scores import BY_ID, MAIN
from bench.report.read.results import DatasetResults
from bench.report.statistics import FEWEST_PEOPLE, Interval, compare, holm, over_people, within_people
from bench.store.tables import ROW_KEY

HEADER = [
    "method", "group", "class", *(BY_ID[score].title for score in MAIN), "n slices", "n people", "s / slice", "peak MB",
    "parameters", "GMAC",
]  # fmt: skip
MISSING = "–"
TIED = "†"
IDLE = "‡"
BUSY = "§"
AT_WORK_SHARE = 0.8
"""Of the seconds of a timed slice that the processor was at work on it: less, and others were."""
TAKEN = 150.0
"""Times a second that others took a core: more, and two threads may be at work for whole seconds, each at half its speed."""
AT_WORK = (0.55, 0.95)
"""Accuracy of a discriminator that neither guesses nor is always right."""
ALPHA = 0.05


@dataclass(frozen=True)
class Table:
    """A table beside the main one."""

    name: str
    """That of its files."""
    caption: str
    """What the figures are of."""
    header: list[str]
    """Titles of the columns."""
    rows: list[list[str]]
    """Cells as printed."""
    notes: list[str]
    """What has to be said below it, a sentence each."""


@dataclass(frozen=True)
class Line:
    """One method."""

    method: str
    """Its id."""
    group: str
    """joint, sequential, single or bound."""
    loss: str
    """Its class: l1, gan or none."""
    means: dict[str, float]
    """By score, over people of the mean over a person's slices; nan where there is none."""
    stds: dict[str, float]
    """Standard deviations over slices, with divisor n."""
    slices: int
    """How many different ones."""
    subjects: int
    """Of how many people."""
    seconds: float
    """Median a slice; nan without timing, as are memory and GMAC."""
    busy: bool
    """Whether the processor had other things to do while it was timed."""
    memory_mb: float
    """The largest peak."""
    parameters: int
    """Trainable, of all stages."""
    gmac: float
    """10^9 multiply-adds of a slice."""
    status: str
    """Of the run; "no rows" where it has none of this contrast."""
    reason: str | None
    """Why there are no rows."""
    test_share: float
    """How far the variance over people is corrected for folds that share training people."""
    idle: bool
    """Whether a discriminator it was trained with was not at work."""
    by_slice: pd.DataFrame = field(repr=False, compare=False)
    """Index ROW_KEY, a column a score: the mean over seeds."""

    @cached_property
    def intervals(self) -> dict[str, Interval | None]:
        """Those that were asked for: the same figures stand in a table's Markdown, CSV, LaTeX and HTML."""
        return {}

    @property
    def done(self) -> bool:
        """Whether there are rows."""
        return self.slices > 0


@lru_cache(maxsize=64)
def lines(results: DatasetResults, contrast: str | None = None) -> tuple[Line, ...]:
    """Rows in table order; slices of all seeds and folds together. Cached: every table starts from them."""
    return tuple(_line(results, id, contrast) for id in results.methods())


def at_work(accuracy: float | None) -> bool:
    """Whether there is no discriminator, or one within `AT_WORK`."""
    return accuracy is None or AT_WORK[0] <= accuracy <= AT_WORK[1]


@lru_cache(maxsize=1024)
def _times(results: DatasetResults, method: str) -> pd.DataFrame:
    """Cached: the same of every contrast."""
    timing = [run.timing for run in results.of(method) if run.rows is not None and run.timing is not None]
    times = pd.concat(timing) if timing else pd.DataFrame()
    return times.reindex(columns=["seconds", "cpu_seconds", "switches", "peak_memory_mb", "gmac"]).astype(float)


@lru_cache(maxsize=1024)
def _cost(results: DatasetResults, method: str) -> tuple[float, bool, float]:
    """Seconds, whether others were at work, and peak memory."""
    times = _times(results, method)
    return float(times["seconds"].median()), _busy(times), float(times["peak_memory_mb"].max())


def _gmac(results: DatasetResults, method: str) -> float:
    return float(_times(results, method)["gmac"].max())


def _busy(times: pd.DataFrame) -> bool:
    """Whether others were at work where this was timed."""
    share, taken = ((times[column] / times["seconds"]).median() for column in ("cpu_seconds", "switches"))
    return bool(share < AT_WORK_SHARE or taken > TAKEN)


def _line(results: DatasetResults, method: str, contrast: str | None) -> Line:
    runs, test_share = results.of(method), results.test_share
    done = [run for run in runs if run.rows is not None]
    idle = not all(at_work(stage.critic_accuracy) for run in done for stage in results.stages_of(run))
    record = (done or runs)[0].record
    rows = pd.concat([run.rows for run in done if run.rows is not None]) if done else None
    if rows is not None and contrast:
        rows = rows[rows["contrast"] == contrast]
    nan = float("nan")
    if rows is None or rows.empty:
        nothing = dict.fromkeys(BY_ID, nan)
        status, reason = ("no rows", None) if done else (record.status, record.reason)
        empty = pd.DataFrame(columns=list(BY_ID), index=pd.MultiIndex.from_arrays([[]] * 3, names=ROW_KEY), dtype=float)
        return Line(
            record.method, record.group, record.loss, nothing, nothing, 0, 0, nan, False, nan, record.parameters, nan, status,
            reason, test_share, idle, empty,
        )  # fmt: skip
    alone = len(done) == 1  # then no slice is there twice
    by_slice = rows.set_index(ROW_KEY)[list(BY_ID)].sort_index() if alone else rows.groupby(ROW_KEY)[list(BY_ID)].mean()
    return Line(
        record.method,
        record.group,
        record.loss,
        _by_score(by_slice.groupby(level="subject").mean().mean()),
        _by_score(rows[list(BY_ID)].std(ddof=0)),
        len(by_slice),
        by_slice.index.get_level_values("subject").nunique(),
        *_cost(results, method),
        record.parameters,
        _gmac(results, method),
        record.status,
        None,
        test_share,
        idle,
        by_slice,
    )


def _by_score(found: "pd.Series[float]") -> dict[str, float]:
    return {score: float(found[score]) for score in BY_ID}


def interval(line: Line, score: str) -> Interval | None:
    """95 % interval of a method's mean; None where it has no such score, or too little varies."""
    if score not in line.intervals:
        line.intervals[score] = interval_of(line.by_slice[score], line.test_share)
    return line.intervals[score]


def interval_of(by_slice: "pd.Series[float]", test_share: float) -> Interval | None:
    """95 % interval of the mean over people, the index being ROW_KEY: across people, or within them if they are few."""
    return _interval(tuple(by_slice.dropna().items()), test_share)


@lru_cache(maxsize=4096)
def _interval(items: tuple[tuple[tuple[str, str, int], float], ...], test_share: float) -> Interval | None:
    """Cached: contrasts and tables beside the main one ask for the same."""
    if not items:
        return None
    people: dict[str, dict[tuple[str, int], float]] = {}
    for (subject, contrast, number), value in items:
        people.setdefault(subject, {})[contrast, number] = value
    across = over_people([float(np.mean([*people[subject].values()])) for subject in sorted(people)], test_share)
    if across or len(people) >= FEWEST_PEOPLE:
        return across
    return within_people([positions(people[subject]) for subject in sorted(people)])


def positions(person: Mapping[tuple[str, int], float]) -> NDArray[np.float64]:
    """Mean of every position of a person, in their order; contrasts of other slices are other positions, one after another.

    Parameters
    ----------
    person
        Values by contrast and slice.
    """
    contrasts, numbers = sorted({contrast for contrast, _ in person}), sorted({number for _, number in person})
    if len(person) == len(contrasts) * len(numbers):
        return np.array([np.mean([person[contrast, number] for contrast in contrasts]) for number in numbers])
    return np.array([person[key] for key in sorted(person)])


def by_person(series: "pd.Series[float]") -> "pd.Series[float]":
    """Mean of each person, the index being the subject."""
    return series.groupby(level="subject").mean()


def differences(one: Line, other: Line, score: str) -> "pd.Series[float]":
    """One minus other on the slices they share, the index ROW_KEY; empty if there are none."""
    return (one.by_slice[score] - other.by_slice[score]).dropna()


def ranked(table: Sequence[Line]) -> list[Line]:
    """Best first, by the first score of `MAIN`; then bounds, then what has no rows."""

    def place(line: Line) -> tuple[bool, bool, float]:
        value = line.means[MAIN[0]] if line.done else float("nan")
        return bool(np.isnan(value)), line.group == "bound", -value

    return sorted(table, key=place)


def best(table: Sequence[Line], score: str) -> set[str]:
    """Methods with the best printed mean; bounds are not ranked."""
    ranked = {line.method: round(line.means[score], BY_ID[score].digits) for line in table if line.group != "bound"}
    ranked = {method: mean for method, mean in ranked.items() if not np.isnan(mean)}
    if not ranked:
        return set()
    top = max(ranked.values()) if BY_ID[score].higher_is_better else min(ranked.values())
    return {method for method, mean in ranked.items() if mean == top}


def best_of(table: Sequence[Line], score: str) -> Line | None:
    """The line with the best mean, bounds included; None where none has the score."""
    scored = [line for line in table if not np.isnan(line.means[score])]
    choose = max if BY_ID[score].higher_is_better else min
    return choose(scored, key=lambda line: line.means[score]) if scored else None


def tied(table: Sequence[Line], score: str) -> set[str]:
    """Methods that cannot be told apart from the best one, without it; bounds are not ranked, and few people tell nothing.

    Paired t-test over people on the shared slices, Holm over the methods.
    """
    ranked = [line for line in table if line.group != "bound" and not np.isnan(line.means[score])]
    top = best_of(ranked, score)
    if top is None or max(line.subjects for line in ranked) < FEWEST_PEOPLE:
        return set()
    others = [line for line in ranked if line is not top]
    adjusted = holm([_p(top, line, score) for line in others])
    return {line.method for line, p in zip(others, adjusted, strict=True) if not p < ALPHA}


def _p(one: Line, other: Line, score: str) -> float:
    """Of no difference; nan if they share too few people, or those do not differ."""
    difference = by_person(differences(one, other, score))
    return float("nan") if difference.empty else compare(difference, 0.0, one.test_share).p


def mean(line: Line, score: str) -> str:
    """The mean over people; a dash where all images are the truth itself, as a bound's may be."""
    return MISSING if _is_truth(line, score) else number(line.means[score], BY_ID[score].digits)


def _is_truth(line: Line, score: str) -> bool:
    return BY_ID[score].unit == "dB" and line.means[score] >= HIGHEST_PSNR


def time_of(line: Line) -> str:
    """Seconds a slice, marked where other work was on the machine."""
    return number(line.seconds, 3) + (BUSY if line.busy else "")


def cell(line: Line, score: str) -> str:
    """Mean over people ± std over slices."""
    if np.isnan(line.means[score]) or _is_truth(line, score):
        return MISSING
    digits = BY_ID[score].digits
    return f"{line.means[score]:.{digits}f} ± {line.stds[score]:.{digits}f}"


def bracket(line: Line, score: str) -> str:
    """The interval of the mean in brackets, or nothing."""
    found, digits = interval(line, score), BY_ID[score].digits
    return f"[{number(found.low, digits)}, {number(found.high, digits)}]" if found else ""


def number(value: float, digits: int, sign: str = "") -> str:
    """Fixed digits, or a dash; `sign="+"` for differences. Never "-0.00"."""
    return MISSING if np.isnan(value) else f"{round(value, digits) + 0.0:{sign}.{digits}f}"


def significant(value: float, digits: int = 3) -> str:
    """That many significant digits, never an exponent, or a dash."""
    if np.isnan(value):
        return MISSING
    return f"{value:.{max(0, digits - 1 - int(np.floor(np.log10(value))))}f}" if value > 0 else "0"


def body(
    table: Sequence[Line], bold: Callable[[str], str], plain: Callable[[str], str] = lambda text: text
) -> list[list[str]]:
    """Cells of every row, in the order of `HEADER`."""
    winners = {score: best(table, score) for score in MAIN}
    ties = {score: tied(table, score) - winners[score] for score in MAIN}

    def scored(line: Line, score: str) -> str:
        mark = TIED if line.method in ties[score] else ""
        text = f"{cell(line, score)} {bracket(line, score)}".strip() + mark
        return (bold if line.method in winners[score] else plain)(text)

    rows = []
    for line in table:
        if not line.done:
            rows.append(
                [
                    plain(text)
                    for text in (line.method, line.group, line.loss, line.status, *[MISSING] * (len(HEADER) - 4))
                ]
            )
        else:
            counts = (str(line.slices), str(line.subjects))
            cost = (time_of(line), number(line.memory_mb, 0), f"{line.parameters:,}", significant(line.gmac))
            scores = [scored(line, score) for score in MAIN]
            loss = f"{line.loss} {IDLE}" if line.idle else line.loss
            rows.append([*map(plain, (line.method, line.group, loss)), *scores, *map(plain, (*counts, *cost))])
    return rows
