"""The answer over all datasets, in words and a few rows: what a reader sees first."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from bench.metrics.scores import BY_ID
from bench.report.claims import Claim, Verdict, judge
from bench.report.declared import BESIDE, CLASSES, COMPARISONS, INTERACTION, Declared
from bench.report.read.results import DatasetResults
from bench.report.statistics import Outcome
from bench.report.tables.captions import counted
from bench.report.tables.main import Line, Table, lines, mean, number, significant, time_of
from bench.report.tables.verdict import difference, interval, outcome, pair

Judged = Sequence[tuple[DatasetResults, Verdict]]
SHOWN = ("psnr_fg", "lpips_fg")
NETWORK = ("proposed", "proposed-l1")
"""The paper's; its twin without an adversary where it has no rows of every fold."""
PLAIN = ("cg-sense+sinc", "cg-sense+bicubic")
BOUND = "oracle+sinc"
PAPER_UPDATES = 400_000
AHEAD = (Outcome.DIFFERENT, Outcome.LESS_THAN_MATTERS)


def in_a_sentence(found: Judged) -> str:
    """Who is ahead by what is confirmatory; how many comparisons of joint with sequential training show what."""
    tested = [claim for claim in _claims(found) if claim.declared.asks != INTERACTION]
    if not tested:
        return "Not tested: no declared comparison of joint against sequential has five people."
    joint, sequence = (
        [c for c in tested if c.outcome in AHEAD and (c.winner == c.one) == first] for first in (True, False)
    )
    counts = {
        f"show joint ahead{_apart(joint)}": len(joint),
        f"show the sequence ahead{_apart(sequence)}": len(sequence),
        "are practically equal": sum(c.outcome is Outcome.EQUAL for c in tested),
        "are not decided": sum(c.outcome is Outcome.UNDECIDED for c in tested),
    }
    led = {(False, False): "No winner", (True, False): "Joint", (False, True): "Sequence", (True, True): "Both"}
    lead = led[any(c.confirmatory for c in joint), any(c.confirmatory for c in sequence)]
    people = sorted({claim.paired.people for claim in tested if claim.paired})
    of = f"{people[0]} people each" if len(people) == 1 else f"{people[0]} to {people[-1]} people"
    classes = " and ".join(loss for loss in CLASSES if any(c.declared.loss == loss for c in tested))
    return (
        f"{lead}: of {counted(len(tested), 'comparison')} of joint with sequential training "
        f"(class {classes}, {of}), {', '.join(f'{n} {what}' for what, n in counts.items() if n)}."
    )


def _apart(claims: Sequence[Claim]) -> str:
    return "" if any(claim.confirmatory for claim in claims) else " (exploratory)"


def people_table(found: Judged) -> Table:
    """Every dot of the figure of declared comparisons, as numbers."""
    header = [
        "claim",
        "class",
        "dataset",
        "profile",
        "one",
        "other",
        "score",
        "person",
        "difference",
        "mean",
        "low",
        "high",
    ]
    rows = []
    for results, verdict in found:
        for claim in verdict.made:
            assert claim.paired is not None
            about = [
                str(claim.declared.number),
                claim.declared.loss,
                results.dataset,
                results.profile,
                claim.one,
                claim.other,
            ]
            shown = [f"{value:.6g}" for value in (claim.paired.mean, claim.paired.low, claim.paired.high)]
            rows += [[*about, claim.score, person, f"{value:.6g}", *shown] for person, value in claim.people]
    return Table("declared", "", header, rows, [])


def _claims(found: Judged) -> list[Claim]:
    """Declared ones that are tested."""
    return [claim for _, verdict in found for claim in verdict.made if claim.paired and claim.paired.tested]


def by_comparison(found: Judged) -> list[str]:
    """A sentence for each declared comparison that has rows: what was found on every dataset."""
    said = []
    for declared in COMPARISONS:
        made = [(results, c) for results, verdict in found for c in verdict.made if c.declared == declared]
        if made:
            score = BY_ID[made[0][1].score]
            which = "" if declared.picked else f" ({pair(made[0][1])})"
            parts = [_of_dataset(results, claim, declared) for results, claim in made]
            asks = f"{declared.asks[0].upper()}{declared.asks[1:]}"
            said.append(f"{asks}{which}, {score.label}, class {declared.loss}: {'; '.join(parts)}.")
    return said


def _of_dataset(results: DatasetResults, claim: Claim, declared: Declared) -> str:
    """ "vwi −0.03 (−0.09 to +0.04), practically equal"."""
    assert claim.paired is not None
    which = f" ({pair(claim).removesuffix(' (picked)')})" if declared.picked else ""
    if not claim.paired.tested:
        return f"{results.dataset}{which} {difference(claim)} ({_people(claim.paired.people)}, not tested)"
    apart = "" if claim.confirmatory else ", exploratory"
    return f"{results.dataset}{which} {difference(claim)} ({interval(claim)}), {outcome(claim).split(':')[0]}{apart}"


def _people(n: int) -> str:
    return "one person" if n == 1 else f"{n} people"


def where(found: Judged) -> list[str]:
    """For each comparison made in cells of acceleration, coils and noise: between which values it lies, and where."""
    said = []
    for results, verdict in found:
        cells = results.contrasts()
        if not all(name.startswith("r") and name.count("-") == 2 for name in cells):
            continue
        for claim in verdict.made:
            means = {name: _mean(results, name, claim.declared) for name in cells}
            known = {name: mean for name, mean in means.items() if not np.isnan(mean)}
            low, high = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
            digits, unit = BY_ID[claim.score].digits, BY_ID[claim.score].unit
            said.append(
                f"Where: over the {len(known)} cells of {results.dataset} {pair(claim)} goes from "
                f"{number(known[low], digits, '+')} {unit} ({low}) to {number(known[high], digits, '+')} {unit} ({high})."
            )
    return said


def _mean(results: DatasetResults, contrast: str, declared: Declared) -> float:
    claims = (claim for claim in judge(results, contrast).declared if claim.declared == declared)
    return next((claim.paired.mean for claim in claims if claim.paired), float("nan"))


def limits(found: Judged) -> list[str]:
    """What the answer does not reach."""
    said = []
    for label, group in groupby(sorted(found, key=lambda pair: pair[0].label), key=lambda pair: pair[0].label):
        said.append(f"{', '.join(results.dataset for results, _ in group)}: {label}.")
    stages = [stage for results, _ in found for run in results.done for stage in results.stages_of(run)]
    updates = sorted({stage.iterations for stage in stages if stage.iterations})
    if updates:
        largest = max(line.parameters for results, _ in found for line in lines(results)) / 1e6
        trained = " or ".join(f"{n:,}" for n in updates)
        said.append(
            f"Networks of at most {largest:.2f} M parameters, {trained} updates a stage"
            + (
                f" (the paper: {PAPER_UPDATES:,}): this neither confirms nor refutes the paper's figures."
                if max(updates) < PAPER_UPDATES
                else "."
            )
        )
    for results, _ in found:
        there = {run.method for run in results.done}
        said += [
            f"{results.dataset}: no {beside.other} beside {beside.one}, so what its refinement adds and what training "
            "together adds are not told apart there."
            for beside in BESIDE
            if beside.one in there and beside.other not in there
        ]
    seeds = max((len({run.record.seed for run in results.done}) for results, _ in found), default=0)
    said.append(f"{counted(seeds, 'training seed')} at most.")
    return said


def few_rows(found: Judged) -> Table | None:
    """Best joint and best sequential method of each class, the paper's network, CG-SENSE and the bound, on one dataset.

    That with most people; of several, the one with most of these rows. The best are picked on validation. Methods without rows
    of every fold are left out.
    """
    tables = [(results.rows["subject"].nunique(), results, chosen(results, verdict)) for results, verdict in found]
    people, results, rows = max(tables, key=lambda table: (table[0], len(table[2]), len(table[1].methods())))
    if len(rows) < 2:
        return None
    of = "" if people == 1 else f", {_people(people)}"
    caption = f"{results.title}: {results.label}{of}; means over people."
    header = ["", "method", *(BY_ID[score].title for score in SHOWN), "s / slice", "parameters", "GMAC"]
    body = []
    for what, line in rows.items():
        cost = time_of(line), f"{line.parameters:,}", significant(line.gmac)
        body.append([what, line.method, *(mean(line, score) for score in SHOWN), *cost])
    return Table("answer", caption, header, body, [])


def chosen(results: DatasetResults, verdict: Verdict) -> dict[str, Line]:
    """By what they are, the methods of `few_rows`."""
    whole = set(results.with_every_fold())
    table = {line.method: line for line in lines(results) if line.method in whole and line.done}
    wanted = {
        f"best {group}, {loss}": [verdict.picks[loss, group].method]
        for loss in CLASSES
        for group in ("joint", "sequential")
        if (loss, group) in verdict.picks
    }
    wanted |= {"the paper's network": [*NETWORK], "CG-SENSE": [*PLAIN], "bound: no reconstruction error": [BOUND]}
    found = {what: next((table[m] for m in methods if m in table), None) for what, methods in wanted.items()}
    return {what: line for what, line in found.items() if line}
