"""The answer to the question: each joint method minus the best sequential one, with an interval."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bench.report.captions import counted
from bench.report.collect import Block
from bench.report.formats import markdown_table
from bench.report.tables import DIGITS, HIGHER, MISSING, NAMES, UNITS, Line, lines, number
from bench.statistics import ACROSS, Interval, bootstrap, holm, paired_tests
from bench.store import ROW_KEY

SCORES = ("psnr", "ssim", "lpips", "psnr_fg", "ssim_fg")
HEADER = (
    "score",
    "best sequential",
    "joint minus sequential",
    "95 % interval",
    "joint better on",
    "p (Holm)",
    "outcome",
)
NONE_SHOWN = "no difference shown"


@dataclass(frozen=True)
class Comparison:
    """One score of one joint method against the sequential method that is best in it."""

    joint: str
    sequential: str
    score: str
    interval: Interval  # of joint minus sequential
    better_on: int  # slices on which joint is better
    slices: int
    subjects: int
    p: float  # Wilcoxon over subjects, adjusted for all comparisons of the block; nan with too few subjects

    @property
    def outcome(self) -> str:
        """Who is better, if anybody."""
        if not self.interval.excludes_zero:
            return NONE_SHOWN
        return "joint better" if (self.interval.mean > 0) == HIGHER[self.score] else "sequential better"

    def cells(self) -> list[str]:
        """In the order of `HEADER`."""
        mean, low, high = (
            number(value, DIGITS[self.score], "+")
            for value in (self.interval.mean, self.interval.low, self.interval.high)
        )
        name = NAMES[self.score] + (f", {UNITS[self.score]}" if self.score in UNITS else "")
        wins = f"{self.better_on} of {self.slices}"
        return [name, self.sequential, mean, f"{low} to {high}", wins, number(self.p, 3), self.outcome]


def compare_groups(block: Block) -> list[Comparison]:
    """Every joint method against the best sequential one, score by score, on the slices they share."""
    table = lines(block)
    found = []
    for joint in (line.method for line in table if line.group == "joint" and line.status == "done"):
        for score in SCORES:
            rival = _best_sequential(table, score)
            comparison = rival and _compare(block, joint, rival, score)
            if comparison:
                found.append(comparison)
    adjusted = holm([comparison.p for comparison in found])
    return [replace(comparison, p=float(p)) for comparison, p in zip(found, adjusted, strict=True)]


def _best_sequential(table: list[Line], score: str) -> str | None:
    means = {line.method: line.means[score] for line in table if line.group == "sequential"}
    means = {method: mean for method, mean in means.items() if not np.isnan(mean)}
    return (max if HIGHER[score] else min)(means, key=lambda id: means[id]) if means else None


def _compare(block: Block, joint: str, rival: str, score: str) -> Comparison | None:
    pairs = pd.concat([_by_slice(block, joint, score), _by_slice(block, rival, score)], axis=1, join="inner").dropna()
    if pairs.empty:
        return None
    difference = (pairs.iloc[:, 0] - pairs.iloc[:, 1]).to_numpy()
    subjects = pairs.index.get_level_values("subject").to_list()
    interval = bootstrap(difference, subjects)
    p = paired_tests(difference, subjects).wilcoxon if interval.scope == ACROSS else float("nan")
    wins = int((difference > 0).sum() if HIGHER[score] else (difference < 0).sum())
    return Comparison(joint, rival, score, interval, wins, len(difference), len(set(subjects)), p)


def _by_slice(block: Block, method: str, score: str) -> "pd.Series[float]":
    """A slice's score, the mean over seeds."""
    rows = block.rows
    return rows[rows["method"] == method].groupby(ROW_KEY)[score].mean()


def headline(block: Block, found: list[Comparison]) -> list[str]:
    """A sentence for each joint method."""
    if not found:
        return [f"No verdict: {_why_none(block)}."]
    said = []
    for joint in dict.fromkeys(comparison.joint for comparison in found):
        own = [comparison for comparison in found if comparison.joint == joint]
        parts = []
        for outcome in ("joint better", "sequential better", NONE_SHOWN):
            scores = [NAMES[c.score] for c in own if c.outcome == outcome]
            if scores:
                parts.append(f"{outcome} in {', '.join(scores)}")
        said.append(f"{joint} against the best sequential method of each score{_whom(own)}: {'; '.join(parts)}.")
    return said


def _whom(found: list[Comparison]) -> str:
    """What keeps a short sentence from claiming too much."""
    if all(comparison.interval.scope == ACROSS for comparison in found):
        return ""
    people = min(comparison.subjects for comparison in found)
    return f", on slices of {'one person' if people == 1 else f'{people} people'} only"


def _why_none(block: Block) -> str:
    done = {run.record["group"] for run in block.done}
    lacking = [group for group in ("joint", "sequential") if group not in done]
    if not lacking:
        return "the joint and the sequential methods share no slices"
    failed = [f"{run.method} {run.outcome}" for run in block.runs if run.record["group"] in lacking]
    return f"no {' and no '.join(lacking)} method has rows" + (f" ({'; '.join(failed)})" if failed else "")


def remarks(block: Block, found: list[Comparison]) -> list[str]:
    """How to read it, and what it does not tell."""
    if not found:
        return []
    people = min(comparison.subjects for comparison in found)
    if all(comparison.interval.scope == ACROSS for comparison in found):
        scope = (
            f"Intervals: bootstrap over {counted(people, 'subject')}, whole subjects drawn. "
            "p: Wilcoxon over subjects, adjusted for all comparisons of this dataset."
        )
        if people < 6:
            scope += " With so few people the interval is too narrow, and Wilcoxon cannot reach p < 0.05."
    else:
        scope = (
            f"Intervals are within subject, not across people: slices of {counted(people, 'subject')} were drawn, and "
            f"neighbouring slices are alike. Nothing here says that other people would give the same; p is {MISSING}."
        )
    seeds = len({run.record["seed"] for run in block.done})
    training = f"{counted(seeds, 'training seed')}: how far training alone moves the difference is not in the interval."
    choice = "The best sequential method is picked by these same slices, which favours it a little."
    scope += " Each interval is 95 % by itself, not for all comparisons at once."
    return [scope, training, choice, *_costs(block, found)]


def _costs(block: Block, found: list[Comparison]) -> list[str]:
    named = dict.fromkeys(id for comparison in found for id in (comparison.joint, comparison.sequential))
    table = {line.method: line for line in lines(block)}
    costs = [f"{id} {number(table[id].seconds, 3)} s a slice, {table[id].parameters:,} parameters" for id in named]
    return [f"Cost: {'; '.join(costs)}."]


def markdown(block: Block, found: list[Comparison]) -> str:
    """Sentences, a table for each joint method, remarks."""
    parts = [
        f"{block.dataset}, profile {block.profile}: {block.label}\n",
        *(f"{line}\n" for line in headline(block, found)),
    ]
    for joint in dict.fromkeys(comparison.joint for comparison in found):
        rows = [comparison.cells() for comparison in found if comparison.joint == joint]
        parts.append(f"{joint}\n\n{markdown_table(HEADER, rows)}")
    said = "".join(f"- {remark}\n" for remark in remarks(block, found))
    return "\n".join([*parts, said] if said else parts)
