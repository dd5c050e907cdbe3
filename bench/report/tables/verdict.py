"""The answer to the question in words and tables: the declared comparisons, every person, what is exploratory, the costs."""

import math
from collections.abc import Sequence

from bench.metrics.scores import BY_ID
from bench.report.claims import Claim, Verdict, seed_differences
from bench.report.declared import CLASSES, EXPLORATORY_LEVEL, LEVEL, PRIMARY, margin
from bench.report.read.results import DatasetResults
from bench.report.statistics import EQUIVALENCE_LEVEL, FEWEST_PEOPLE, MOST_PEOPLE, Outcome
from bench.report.tables.captions import JOINT_SAID, about, corrected, counted
from bench.report.tables.formats import markdown_table
from bench.report.tables.main import MISSING, Line, Table, lines, number, significant, time_of

QUESTION = (
    "When k-space is undersampled and resolution is low, does solving reconstruction and super-resolution jointly beat doing "
    "one after the other: by how much, and at what cost?"
)
COSTS = ("training, s", "training, TMAC", "s / slice", "GMAC", "parameters", "peak MB")
HEADER = (
    "claim", "class", "one − other", "score", "difference", "interval", "people", "p", "p (equivalence)", "outcome",
)  # fmt: skip
EXPLORATORY_HEADER = (
    "one − other", "class", "score", "difference", "95 % interval", "people", "p (Holm)", "p (equivalence)", "outcome",
)  # fmt: skip


def pair(claim: Claim) -> str:
    """ "proposed − ablation-end-to-end"; of a pick, that it is one."""
    if not claim.one:
        return "best joint − best sequential"
    return f"{claim.one} − {claim.other}" + (" (picked)" if claim.declared.picked else "")


def named(claim: Claim) -> str:
    """ "(3)", or that it is exploratory from the start."""
    return f"({claim.declared.number})" if claim.declared.number else "beside"


def outcome(claim: Claim) -> str:
    """What is shown, as it is printed; never that somebody is better where nothing is tested."""
    found = claim.outcome
    if found is Outcome.NONE:
        return claim.missing or MISSING
    if found is Outcome.EQUAL:
        return "practically equal"
    if found is Outcome.UNDECIDED:
        return f"not decided: {_needed(claim)}" if claim.declared.number else "not decided"
    return f"{claim.winner} better" + (", by less than matters" if found is Outcome.LESS_THAN_MATTERS else "")


def _needed(claim: Claim) -> str:
    people, in_folds = claim.needed()
    assert claim.paired is not None
    if people > MOST_PEOPLE:
        return f"would need more than {MOST_PEOPLE} people"
    if in_folds or not claim.paired.test_share:
        return f"would need about {people} people"
    return f"more people in five folds would not do, about {people} new people would for these networks alone"


def difference(claim: Claim) -> str:
    """ "+0.17"."""
    return MISSING if claim.paired is None else number(claim.paired.mean, BY_ID[claim.score].digits, "+")


def interval(claim: Claim) -> str:
    """ "+0.06 to +0.28", or a dash where nothing is tested."""
    if claim.paired is None or not claim.paired.tested:
        return MISSING
    digits = BY_ID[claim.score].digits
    return f"{number(claim.paired.low, digits, '+')} to {number(claim.paired.high, digits, '+')}"


def p_value(p: float) -> str:
    """Three digits, never 0."""
    return "< 0.001" if p < 0.001 else number(p, 3)


def sentence(claim: Claim) -> str:
    """One declared comparison in one sentence."""
    about_it = f"({claim.declared.number}, {claim.declared.loss}) {claim.declared.asks}: {pair(claim)}"
    if claim.paired is None:
        return f"{about_it}: {claim.missing}."
    score, digits = BY_ID[claim.score], BY_ID[claim.score].digits
    figure = f"{score.name} {difference(claim)} {score.unit}".rstrip()
    if not claim.paired.tested:
        people = ", ".join(number(value, digits, "+") for _, value in claim.people)
        of = f"each of {claim.paired.people} people: {people}" if claim.paired.people > 1 else "one person"
        return f"{about_it}: {figure} ({of}); not tested."
    of = f"{100 * (1 - claim.paired.level):g} % interval {interval(claim)}, {claim.paired.people} people"
    why = "was not tested" if claim.after_untested else "showed no difference"
    until = f"; exploratory, as ({claim.after}) {why}, p (Holm) {p_value(claim.p_holm)}" if claim.after else ""
    return f"{about_it}: {figure} ({of}{until}): {outcome(claim)}."


def headline(results: DatasetResults, found: Verdict) -> list[str]:
    """A sentence for each declared comparison that has rows, and one for all that have none."""
    said = [sentence(claim) for claim in found.made]
    lacking = [
        f"({claim.declared.number}, {claim.declared.loss}) {claim.missing}"
        for claim in found.declared
        if not claim.paired
    ]
    if not said:
        failed = [f"{run.method}: {run.record.outcome}" for run in results.runs if run.rows is None]
        why = f" ({'; '.join(failed)})" if failed else ""
        return [f"No declared comparison has rows{why}."]
    return [*said, *([f"Not made: {'; '.join(lacking)}."] if lacking else [])]


def declared_rows(found: Verdict) -> list[list[str]]:
    """Cells of the declared comparisons, in the order of `HEADER`; those without rows too."""
    rows = []
    for claim in found.declared:
        paired = claim.paired
        p = MISSING if paired is None else p_value(paired.p)
        apart = (
            ""
            if claim.confirmatory or not (paired and paired.tested)
            else f" (Holm {p_value(claim.p_holm)}, exploratory)"
        )
        level = f" ({100 * (1 - paired.level):g} %)" if paired and paired.tested else ""
        rows.append(
            [named(claim), claim.declared.loss, pair(claim), BY_ID[claim.score].label, difference(claim),
             interval(claim) + level, str(paired.people) if paired else "0", p + apart,
             p_value(paired.p_unequal) if paired else MISSING, outcome(claim)]
        )  # fmt: skip
    return rows


def exploratory_rows(found: Verdict) -> list[list[str]]:
    """Cells of all others, in the order of `EXPLORATORY_HEADER`."""
    rows = []
    for claim in found.exploratory:
        if (paired := claim.paired) is None:
            continue
        rows.append(
            [pair(claim), claim.declared.loss, BY_ID[claim.score].label, difference(claim), interval(claim),
             str(paired.people), p_value(claim.p_holm), p_value(paired.p_unequal), outcome(claim)]
        )  # fmt: skip
    return rows


def people_table(found: Verdict) -> tuple[list[str], list[list[str]]]:
    """Every person's difference in each declared comparison: a header, and a row a person."""
    claims = found.by_person
    header = ["person", *(f"{named(c)} {pair(c)}, {BY_ID[c.score].label}" for c in claims)]
    columns = [dict(claim.people) for claim in claims]
    subjects = sorted({subject for column in columns for subject in column})
    nan = float("nan")
    rows = [
        [s, *(number(v.get(s, nan), BY_ID[c.score].digits, "+") for c, v in zip(claims, columns, strict=True))]
        for s in subjects
    ]
    return header, rows


def seeds_table(results: DatasetResults, found: Verdict) -> tuple[list[str], list[list[str]]]:
    """What chance in training does: each declared comparison by seed, on the people whom every seed of both tested."""
    seeds = sorted({run.record.seed for run in results.done})
    header = ["claim", "class", "one − other", "score", "people", *(f"seed {seed}" for seed in seeds)]
    rows = []
    for claim in found.made:
        people = seed_differences(results, claim.one, claim.other, claim.score)
        if people.shape[1] < 2:
            continue
        means, digits = people.mean(), BY_ID[claim.score].digits
        cells = (number(means.get(seed, math.nan), digits, "+") for seed in seeds)
        named_so = [named(claim), claim.declared.loss, pair(claim), BY_ID[claim.score].label]
        rows.append([*named_so, str(len(people)), *cells])
    return header, rows


def cost_table(results: DatasetResults, found: Verdict) -> tuple[list[str], list[list[str]]]:
    """What the two sides of each declared comparison cost: "one / other" in every cell."""
    table = {line.method: line for line in lines(results)}
    rows = []
    for claim in found.made:
        one, other = ([*_costs(results, table[id])] for id in (claim.one, claim.other))
        both = [f"{a} / {b}" for a, b in zip(one, other, strict=True)]
        rows.append([named(claim), claim.declared.loss, pair(claim), *both])
    return ["claim", "class", "one / other", "updates", *COSTS], rows


def _costs(results: DatasetResults, line: Line) -> list[str]:
    run = next(run for run in results.of(line.method) if run.rows is not None)
    stages = [stage for stage in results.stages_of(run) if stage.iterations]
    seconds = sum(stage.seconds or 0.0 for stage in stages)
    updates = " + ".join(str(stage.iterations) for stage in stages) or MISSING
    training = f"{seconds:,.0f}" if seconds else MISSING
    arithmetic = sum(stage.training_gmac or math.nan for stage in stages) / 1e3
    return [
        updates, training, significant(arithmetic if stages else math.nan), time_of(line), significant(line.gmac),
        f"{line.parameters:,}", number(line.memory_mb, 0),
    ]  # fmt: skip


def remarks(results: DatasetResults, found: Verdict) -> list[str]:
    """How to read it, what it assumes, and what it does not show."""
    if not (found.made or found.exploratory):
        return []
    said = [_test(results)] if found.tested else [
        f"Fewer than {FEWEST_PEOPLE} people: point estimates and dots only, nothing is tested, and nobody is said to be ahead."
    ]  # fmt: skip
    if found.tested:
        said.append(
            f"Declared before looking. In each class the comparisons are tested in the order (3), (2), (1), (4), at "
            f"{100 * LEVEL:g} % each; the first that shows no difference ends the confirmatory part; the rest is "
            "exploratory. One without rows is passed over, one with too few people is not. Exploratory p-values are adjusted "
            f"together (Holm), and called at {100 * EXPLORATORY_LEVEL:g} %; their intervals are each by itself."
        )
        margins = ", ".join(f"±{margin(s):g} {BY_ID[s].unit or BY_ID[s].name}" for s in ("psnr", "ssim", "lpips"))
        said.append(
            f"Practically equal: the difference lies within {margins} (two one-sided tests, {100 * EQUIVALENCE_LEVEL:g} % "
            "each, unadjusted). Not decided: neither is shown; the number of people is that at which one would be, with a "
            "power of 80 %, were the difference and the spread the ones seen."
        )
    said += [_picked(found, loss) for loss in CLASSES if any(key[0] == loss for key in found.picks)]
    seeds = len({run.record.seed for run in results.done})
    said.append(
        f"{counted(seeds, 'training seed')}: chance in training moves the differences too, and is not told apart from people."
        if seeds == 1
        else f"{seeds} training seeds at most: what chance in training does stands by seed, and is in no interval."
    )
    if len(results.folds) == 1:
        said.append(
            "One fold: what is seen holds for these very networks, not for training them again on other people."
        )
    said.append("Positive: the first of the two has the larger score; smaller is the aim in LPIPS.")
    return said


def _test(results: DatasetResults) -> str:
    how = corrected(results)
    return (
        "One value a person: the mean over slices, contrasts and seeds. p and interval: paired Student's t over people"
        f"{how}. That takes their differences to be about normal, which so few people cannot show: every person is listed."
    )


def _picked(found: Verdict, loss: str) -> str:
    score = BY_ID[PRIMARY[loss]]
    parts = [
        f"best {group} {pick.method} ({number(pick.value, score.digits)}, of {counted(pick.among, 'method')})"
        for (of, group), pick in found.picks.items()
        if of == loss
    ]
    how = f"by {score.label} on validation, first fold, of the methods with rows of every fold"
    return f"Picked in class {loss} {how}: {', '.join(parts)}."


def markdown(results: DatasetResults, found: Verdict) -> str:
    """Question, definition, sentences, tables, remarks."""
    parts = [f"{about(results)}\n", f"{QUESTION}\n", f"{JOINT_SAID[0].upper()}{JOINT_SAID[1:]}.\n"]
    parts += [f"{sentence}\n" for sentence in headline(results, found)]
    parts.append(f"## Declared comparisons\n\n{markdown_table(HEADER, declared_rows(found), 4)}")
    for title, (header, rows) in tables(results, found).items():
        if rows:
            parts.append(f"## {title}\n\n{markdown_table(header, rows, LABELS.get(title, 3))}")
    said = "".join(f"- {remark}\n" for remark in remarks(results, found))
    return "\n".join([*parts, said] if said else parts)


PEOPLE, SEEDS = "Every person", "By training seed, the same people"
COST, EXPLORATORY = "Cost, one / other", "Exploratory"
LABELS = {PEOPLE: 1, SEEDS: 4}
"""Columns of words before the figures, where not three."""


def tables(results: DatasetResults, found: Verdict) -> dict[str, tuple[Sequence[str], list[list[str]]]]:
    """By title, header and rows of the tables beside that of the declared comparisons."""
    return {
        PEOPLE: people_table(found),
        SEEDS: seeds_table(results, found),
        COST: cost_table(results, found),
        EXPLORATORY: (EXPLORATORY_HEADER, exploratory_rows(found)),
    }


def as_tables(results: DatasetResults, found: Verdict) -> list[Table]:
    """The same tables for a page: those that have rows."""
    made = {"Declared comparisons": (HEADER, declared_rows(found)), **tables(results, found)}
    return [Table(title, "", list(header), rows, []) for title, (header, rows) in made.items() if rows]
