"""The answer to the question: each joint method minus the best sequential one, and minus its own sequential twin."""

from dataclasses import dataclass, replace

import numpy as np

from bench.report.read.results import Block
from bench.report.statistics import ACROSS, Interval, bootstrap, holm, paired_tests
from bench.report.tables import paper
from bench.report.tables.captions import about, counted
from bench.report.tables.formats import markdown_table
from bench.report.tables.main import (
    DIGITS,
    HIGHER,
    MISSING,
    NAMES,
    UNITS,
    Line,
    Table,
    differences,
    label,
    lines,
    number,
)

SCORES = ("psnr", "ssim", "lpips", "nmse", "psnr_fg", "ssim_fg")
BEST = "best sequential"
TWIN = "sequential twin"
HEADER = (
    "score",
    "compared with",
    "joint minus it",
    "95 % interval",
    "joint better on",
    "p (Holm)",
    "outcome",
)
NONE_SHOWN = "no difference shown"


@dataclass(frozen=True)
class Comparison:
    """One score of one joint method against a sequential one: the best in it, or the joint method's own twin."""

    joint: str
    sequential: str
    score: str
    interval: Interval  # of joint minus sequential
    better_on: int  # slices on which joint is better
    slices: int
    subjects: int
    p: float  # paired t-test over subjects, adjusted for all comparisons of the block; nan with too few subjects
    against: str = BEST

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
        wins = f"{self.better_on} of {self.slices}"
        other = f"{self.sequential} ({'best' if self.against == BEST else 'twin'})"
        return [label(self.score), other, mean, f"{low} to {high}", wins, number(self.p, 3), self.outcome]


def compare_groups(block: Block, contrast: str | None = None) -> list[Comparison]:
    """Every joint method against the best sequential one and against its twin, score by score, on the slices they share."""
    table = {line.method: line for line in lines(block, contrast) if line.status == "done"}
    found = []
    for joint in (line for line in table.values() if line.group == "joint"):
        for score in SCORES:
            rivals = (BEST, _best_sequential(table, score)), (TWIN, table.get(paper.twins().get(joint.method, "")))
            made = (_compare(joint, rival, score, against) for against, rival in rivals if rival)
            found += [comparison for comparison in made if comparison]
    found.sort(key=lambda c: c.against != BEST)  # stable
    adjusted = holm([comparison.p for comparison in found])
    return [replace(comparison, p=float(p)) for comparison, p in zip(found, adjusted, strict=True)]


def _best_sequential(table: dict[str, Line], score: str) -> Line | None:
    rivals = [line for line in table.values() if line.group == "sequential" and not np.isnan(line.means[score])]
    return (max if HIGHER[score] else min)(rivals, key=lambda line: line.means[score]) if rivals else None


def _compare(joint: Line, rival: Line, score: str, against: str) -> Comparison | None:
    difference = differences(joint, rival, score)
    if difference.empty:
        return None
    values, subjects = difference.to_numpy(), difference.index.get_level_values("subject").to_list()
    interval = bootstrap(values, subjects)
    p = paired_tests(values, subjects).t if interval.scope == ACROSS else float("nan")
    wins = int((values > 0).sum() if HIGHER[score] else (values < 0).sum())
    return Comparison(joint.method, rival.method, score, interval, wins, len(values), len(set(subjects)), p, against)


def headline(block: Block, found: list[Comparison]) -> list[str]:
    """A sentence for each joint method and what it is compared with, with figures where a difference is shown."""
    if not found:
        return [f"No verdict: {_why_none(block)}."]
    said = []
    for joint, against in dict.fromkeys((comparison.joint, comparison.against) for comparison in found):
        own = [c for c in found if (c.joint, c.against) == (joint, against)]
        parts = []
        for outcome in ("joint better", "sequential better", NONE_SHOWN):
            scores = [_figure(c) for c in own if c.outcome == outcome]
            if scores:
                parts.append(f"{outcome} in {', '.join(scores)}")
        rival = (
            f"its sequential twin {own[0].sequential}"
            if against == TWIN
            else "the best sequential method of each score"
        )
        said.append(f"{joint} against {rival}{_whom(own)}: {'; '.join(parts)}.")
    return said


def _figure(comparison: Comparison) -> str:
    """ "PSNR +0.48 dB (+0.20 to +0.75)"."""
    unit = f" {UNITS[comparison.score]}" if comparison.score in UNITS else ""
    _, _, mean, interval, *_ = comparison.cells()
    return f"{NAMES[comparison.score]} {mean}{unit} ({interval})"


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
            f"Intervals: bootstrap over {counted(people, 'subject')}, whole subjects drawn, widened as Student's t asks. "
            "p: paired t-test over subjects, adjusted for all comparisons of this dataset."
        )
        if people < 6:
            scope += " With so few people both lean on the differences being about normal."
    else:
        scope = (
            f"Intervals are within subject, not across people: slices of {counted(people, 'subject')} were drawn, and "
            f"neighbouring slices are alike. Nothing here says that other people would give the same; p is {MISSING}."
        )
    seeds = len({run.record["seed"] for run in block.done})
    training = f"{counted(seeds, 'training seed')}: how far training alone moves the difference is not in the interval."
    twin = "Joint minus twin: the same parts in sequence, trained end to end, without what joins them."
    twins = [twin] if any(comparison.against == TWIN for comparison in found) else []
    choice = "The best sequential method is picked by these same slices, which favours it a little."
    scope += " Each interval is 95 % by itself, not for all comparisons at once."
    return [scope, training, choice, *twins, *_costs(block, found)]


def _costs(block: Block, found: list[Comparison]) -> list[str]:
    named = dict.fromkeys(id for comparison in found for id in (comparison.joint, comparison.sequential))
    table = {line.method: line for line in lines(block)}
    costs = [
        f"{id} {number(table[id].seconds, 3)} s a slice, {table[id].parameters:,} parameters{_budget(block, id)}"
        for id in named
    ]
    return [f"Cost: {'; '.join(costs)}."]


def _budget(block: Block, method: str) -> str:
    """How long it was trained: a sequence has two stages, each as long as the one of a joint network."""
    record = block.of(method)[0].record
    stages = sum(1 for stage in record["stages"] if stage.get("parameters"))
    iterations = record.get("settings", {}).get("training", {}).get("iterations")
    return f", {counted(stages, 'stage')} of {iterations} iterations" if stages and iterations else ""


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


def table(block: Block) -> Table | None:
    """Every difference as plain numbers: all slices together, then by contrast; None without a comparison."""
    together = compare_groups(block)
    several = block.contrasts() if len(block.contrasts()) > 1 else []
    found = {"all": together, **{contrast: compare_groups(block, contrast) for contrast in several}}
    rows = [_numbers(contrast, comparison) for contrast, comparisons in found.items() for comparison in comparisons]
    if not rows:
        return None
    header = [
        "joint", "contrast", "score", "against", "sequential", "joint minus it", "95 % low", "95 % high", "joint better on",
        "n slices", "n subjects", "interval", "p (Holm)", "outcome",
    ]  # fmt: skip
    said = (
        f"{about(block)} Joint minus sequential, in the score's own unit; each contrast is tested by itself, Holm over its "
        "comparisons."
    )
    return Table("differences", said, header, rows, remarks(block, together))


def _numbers(contrast: str, comparison: Comparison) -> list[str]:
    interval, digits = comparison.interval, DIGITS[comparison.score]
    ends = [number(value, digits, "+") for value in (interval.mean, interval.low, interval.high)]
    counts = [str(n) for n in (comparison.better_on, comparison.slices, comparison.subjects)]
    name = NAMES[comparison.score]
    names = [comparison.joint, contrast, name, comparison.against, comparison.sequential]
    return [*names, *ends, *counts, interval.scope, number(comparison.p, 3), comparison.outcome]
