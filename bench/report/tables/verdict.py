"""The answer to the question: each joint method minus the best sequential one, and minus its own sequential twin."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench.metrics.scores import BY_ID
from bench.report.read.results import DatasetResults
from bench.report.statistics import ACROSS, Interval, bootstrap, holm, paired_tests
from bench.report.tables.captions import about_data, counted
from bench.report.tables.formats import markdown_table
from bench.report.tables.main import MISSING, Line, best_of, differences, lines, number
from bench.store import paper

JUDGED = ("psnr", "ssim", "lpips", "nmse", "psnr_fg", "ssim_fg")
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
    """Id of the joint method."""
    sequential: str
    """Id of the one it is compared with."""
    score: str
    """Id of the score."""
    interval: Interval
    """Of joint minus sequential."""
    better_on: int
    """Slices on which joint is better."""
    slices: int
    """Slices that both have."""
    subjects: int
    """People whose slices these are."""
    p: float
    """Paired t-test over subjects, adjusted for all comparisons of the dataset; nan with too few subjects."""
    against: str = BEST
    """`BEST` or `TWIN`."""

    @property
    def outcome(self) -> str:
        """Who is better, if anybody."""
        if not self.interval.excludes_zero:
            return NONE_SHOWN
        return "joint better" if (self.interval.mean > 0) == BY_ID[self.score].higher_is_better else "sequential better"

    def cells(self) -> list[str]:
        """In the order of `HEADER`."""
        mean, low, high = self.ends()
        wins = f"{self.better_on} of {self.slices}"
        other = f"{self.sequential} ({'best' if self.against == BEST else 'twin'})"
        return [BY_ID[self.score].label, other, mean, f"{low} to {high}", wins, number(self.p, 3), self.outcome]

    def ends(self) -> tuple[str, str, str]:
        """Mean and ends of the interval, as printed."""
        digits, interval = BY_ID[self.score].digits, self.interval
        return number(interval.mean, digits, "+"), number(interval.low, digits, "+"), number(interval.high, digits, "+")

    def figure(self) -> str:
        """ "PSNR +0.48 dB (+0.20 to +0.75)"."""
        score, (mean, low, high) = BY_ID[self.score], self.ends()
        return f"{score.name} {f'{mean} {score.unit}'.rstrip()} ({low} to {high})"


def compare_groups(results: DatasetResults, contrast: str | None = None) -> list[Comparison]:
    """Every joint method against the best sequential one and against its twin, score by score, on the slices they share."""
    table = {line.method: line for line in lines(results, contrast) if line.done}
    found = []
    sequential = [line for line in table.values() if line.group == "sequential"]
    for joint in (line for line in table.values() if line.group == "joint"):
        for score in JUDGED:
            rivals = (BEST, best_of(sequential, score)), (TWIN, table.get(paper.twins().get(joint.method, "")))
            made = (_compare(joint, rival, score, against) for against, rival in rivals if rival)
            found += [comparison for comparison in made if comparison]
    found.sort(key=lambda c: c.against != BEST)  # stable
    adjusted = holm([comparison.p for comparison in found])
    return [replace(comparison, p=float(p)) for comparison, p in zip(found, adjusted, strict=True)]


def _compare(joint: Line, rival: Line, score: str, against: str) -> Comparison | None:
    difference = differences(joint, rival, score)
    if difference.empty:
        return None
    values, subjects = difference.to_numpy(), difference.index.get_level_values("subject").to_list()
    interval = bootstrap(values, subjects)
    p = paired_tests(values, subjects).t if interval.scope == ACROSS else float("nan")
    wins = int((values > 0).sum() if BY_ID[score].higher_is_better else (values < 0).sum())
    return Comparison(joint.method, rival.method, score, interval, wins, len(values), len(set(subjects)), p, against)


def headline(results: DatasetResults, found: Sequence[Comparison]) -> list[str]:
    """A sentence for each joint method and what it is compared with, with figures where a difference is shown."""
    if not found:
        return [f"No verdict: {_why_none(results)}."]
    said = []
    for joint, against in dict.fromkeys((comparison.joint, comparison.against) for comparison in found):
        own = [c for c in found if (c.joint, c.against) == (joint, against)]
        parts = []
        for outcome in ("joint better", "sequential better", NONE_SHOWN):
            scores = [c.figure() for c in own if c.outcome == outcome]
            if scores:
                parts.append(f"{outcome} in {', '.join(scores)}")
        rival = (
            f"its sequential twin {own[0].sequential}"
            if against == TWIN
            else "the best sequential method of each score"
        )
        said.append(f"{joint} against {rival}{_whom(own)}: {'; '.join(parts)}.")
    return said


def _whom(found: Sequence[Comparison]) -> str:
    """What keeps a short sentence from claiming too much."""
    if all(comparison.interval.scope == ACROSS for comparison in found):
        return ""
    people = min(comparison.subjects for comparison in found)
    return f", on slices of {'one person' if people == 1 else f'{people} people'} only"


def _why_none(results: DatasetResults) -> str:
    done = {run.record.group for run in results.done}
    lacking = [group for group in ("joint", "sequential") if group not in done]
    if not lacking:
        return "the joint and the sequential methods share no slices"
    failed = [f"{run.method} {run.record.outcome}" for run in results.runs if run.record.group in lacking]
    return f"no {' and no '.join(lacking)} method has rows" + (f" ({'; '.join(failed)})" if failed else "")


def remarks(results: DatasetResults, found: Sequence[Comparison]) -> list[str]:
    """How to read it, and what it does not show."""
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
    seeds = len({run.record.seed for run in results.done})
    training = f"{counted(seeds, 'training seed')}: how far training alone moves the difference is not in the interval."
    twin = "Joint minus twin: the same parts in sequence, trained end to end, without what joins them."
    twins = [twin] if any(comparison.against == TWIN for comparison in found) else []
    choice = "The best sequential method is picked by these same slices, which favours it a little."
    scope += " Each interval is 95 % by itself, not for all comparisons at once."
    return [scope, training, choice, *twins, *_costs(results, found)]


def _costs(results: DatasetResults, found: Sequence[Comparison]) -> list[str]:
    named = dict.fromkeys(id for comparison in found for id in (comparison.joint, comparison.sequential))
    table = {line.method: line for line in lines(results)}
    costs = [
        f"{id} {number(table[id].seconds, 3)} s a slice, {table[id].parameters:,} parameters{_budget(results, id)}"
        for id in named
    ]
    return [f"Cost: {'; '.join(costs)}."]


def _budget(results: DatasetResults, method: str) -> str:
    """How long it was trained: a sequence has two stages, each as long as the one of a joint network."""
    record = results.of(method)[0].record
    stages = sum(1 for stage in record.stages if stage.parameters)
    iterations = record.settings.get("training", {}).get("iterations")
    return f", {counted(stages, 'stage')} of {iterations} iterations" if stages and iterations else ""


def markdown(results: DatasetResults, found: Sequence[Comparison]) -> str:
    """Sentences, a table for each joint method, remarks."""
    parts = [
        f"{about_data(results)}\n",
        *(f"{line}\n" for line in headline(results, found)),
    ]
    for joint in dict.fromkeys(comparison.joint for comparison in found):
        rows = [comparison.cells() for comparison in found if comparison.joint == joint]
        parts.append(f"{joint}\n\n{markdown_table(HEADER, rows)}")
    said = "".join(f"- {remark}\n" for remark in remarks(results, found))
    return "\n".join([*parts, said] if said else parts)
