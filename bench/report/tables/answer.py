"""The answer over all datasets, in words and a few rows: what a reader sees first."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from bench.metrics.scores import BY_ID
from bench.report.claims import Claim, Verdict, judge
from bench.report.declared import BESIDE, CLASSES, COMPARISONS, INTERACTION, Declared, margin
from bench.report.read.cells import cells
from bench.report.read.results import DatasetResults
from bench.report.statistics import Outcome
from bench.report.tables.captions import counted, people_said
from bench.report.tables.chosen import roles
from bench.report.tables.main import MISSING, Line, Table, lines, mean, number, significant, time_of
from bench.report.tables.verdict import difference, interval, outcome, pair

Judged = Sequence[tuple[DatasetResults, Verdict]]
SHOWN = ("psnr_fg", "lpips_fg")
PAPER_UPDATES = 400_000
CELLS = "rA-cC-nN: acceleration, coils, noise in hundredths"
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
        f"joint ahead{_apart(joint, _without_twin(found))}": len(joint),
        f"the sequence ahead{_apart(sequence, [])}": len(sequence),
        "the two practically equal": sum(c.outcome is Outcome.EQUAL for c in tested),
        "nothing decided": sum(c.outcome is Outcome.UNDECIDED for c in tested),
    }
    led = {(False, False): "No winner", (True, False): "Joint", (False, True): "Sequence", (True, True): "Both"}
    parts = ([] if joint else ["none found joint ahead"]) + [f"{n} found {what}" for what, n in counts.items() if n]
    lead = led[any(c.confirmatory for c in joint), any(c.confirmatory for c in sequence)]
    people = sorted({claim.paired.people for claim in tested if claim.paired})
    of = f"{people[0]} people each" if len(people) == 1 else f"{people[0]} to {people[-1]} people"
    classes = " and ".join(loss for loss in CLASSES if any(c.declared.loss == loss for c in tested))
    return (
        f"{lead}: of {counted(len(tested), 'comparison')} of joint with sequential training "
        f"(class {classes}, {of}), {_listed(parts)}."
    )


def _listed(parts: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _apart(claims: Sequence[Claim], alone: Sequence[Claim]) -> str:
    """What has to be said of all of them, and that no sequential twin of theirs was run."""
    said = [] if any(claim.confirmatory for claim in claims) else ["exploratory"]
    said += ["its sequential twin was not run there"] if claims and all(claim in alone for claim in claims) else []
    return f" ({'; '.join(said)})" if said else ""


def _without_twin(found: Judged) -> list[Claim]:
    """Claims of a network whose sequential twin has no rows beside it."""
    return [
        claim
        for results, verdict in found
        for claim in verdict.made
        for beside in BESIDE
        if claim.one == beside.one and beside.other not in results.methods()
    ]


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
        return f"{results.dataset}{which} {difference(claim)} ({people_said(claim.paired.people)}, not tested)"
    apart = "" if claim.confirmatory else ", exploratory"
    return f"{results.dataset}{which} {difference(claim)} ({interval(claim)}), {outcome(claim).split(':')[0]}{apart}"


def where(found: Judged) -> list[str]:
    """For each comparison made in cells of acceleration, coils and noise: in how many it matters, and where most."""
    said = []
    for results, verdict in found:
        there = [cell.contrast for cell in cells(results.contrasts())]
        before: set[str] = set()
        for claim in verdict.made if there else ():
            means = {name: _mean(results, name, claim.declared) for name in there}
            means = {name: mean for name, mean in means.items() if not np.isnan(mean)}
            over = f"Where: over the {len(means)} cells of {results.dataset} ({CELLS})"
            said.append(f"{'Over the same cells' if means.keys() == before else over}, {_where(claim, means)}")
            before = set(means)
    return said


def _where(claim: Claim, means: dict[str, float]) -> str:
    score = BY_ID[claim.score]
    digits, unit = score.digits, score.unit or score.name
    low, high = (number(end, digits, "+") for end in (min(means.values()), max(means.values())))
    beyond = sum(abs(mean) > margin(claim.score) for mean in means.values())
    most = max(means, key=lambda name: abs(means[name]))
    matters = f"{beyond} of them, most in {most}" if beyond else "none of them"
    return f"{pair(claim)} is {low} to {high} {unit}, more than {margin(claim.score):g} {unit} in {matters}."


def _mean(results: DatasetResults, contrast: str, declared: Declared) -> float:
    claims = (claim for claim in judge(results, contrast).declared if claim.declared == declared)
    return next((claim.paired.mean for claim in claims if claim.paired), float("nan"))


def limits(found: Judged) -> list[str]:
    """What the answer does not reach."""
    said = []
    for label, group in groupby(sorted(found, key=lambda pair: pair[0].label), key=lambda pair: pair[0].label):
        these = [results for results, _ in group]
        said.append(f"{', '.join(results.dataset for results in these)}: {label}{_whose(these)}.")
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
            + (" Nothing was trained longer." if len(updates) == 1 else "")
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


def _whose(these: Sequence[DatasetResults]) -> str:
    """ ", the same 10 people", or how many of each; nothing where the label says it."""
    people = [frozenset(results.rows["subject"]) for results in these]
    if len(these) > 1 and len(set(people)) == 1:
        return f", the same {people_said(len(people[0]))}"
    counts = [people_said(len(who)) for who in people]
    return "" if counts == ["one person"] else f", {', '.join(counts)}"


def few_rows(found: Judged) -> Table | None:
    """Best joint and best sequential method of each class, the paper's network, CG-SENSE and the bound, on one dataset.

    That with most people; of several, the one with most of these rows, and most of them timed. The best are picked on
    validation. Methods without rows of every fold are left out.
    """
    tables = [(results.rows["subject"].nunique(), results, chosen(results, verdict)) for results, verdict in found]
    people, results, rows = max(tables, key=lambda table: (table[0], len(table[2]), _timed(table[2])))
    if len(rows) < 2:
        return None
    of = "" if people == 1 else f", {people_said(people)}"
    caption = f"{results.title}: {results.label}{of}; means over people; best: by validation."
    header = ["", "method", *(BY_ID[score].title for score in SHOWN), "s / slice", "parameters", "GMAC"]
    body = []
    for what, line in rows.items():
        cost = time_of(line), f"{line.parameters:,}", significant(line.gmac)
        body.append([what, line.method, *(mean(line, score) for score in SHOWN), *cost])
    return Table("answer", caption, header, body, [])


def _timed(rows: dict[str, Line]) -> int:
    return sum(time_of(line) != MISSING for line in rows.values())


def chosen(results: DatasetResults, verdict: Verdict) -> dict[str, Line]:
    """By what they are, the methods of `few_rows`."""
    whole = set(results.with_every_fold())
    table = {line.method: line for line in lines(results) if line.method in whole and line.done}
    found = {what: next((table[m] for m in methods if m in table), None) for what, methods in roles(verdict).items()}
    return {what: line for what, line in found.items() if line}
