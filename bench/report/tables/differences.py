"""Every difference of the verdict as plain numbers, by contrast too."""

from bench.metrics.scores import BY_ID
from bench.report.claims import Claim, judge
from bench.report.read.results import DatasetResults
from bench.report.tables.captions import about
from bench.report.tables.main import Table
from bench.report.tables.verdict import difference, interval, named, outcome, p_value, remarks


def table(results: DatasetResults) -> Table | None:
    """Every difference as plain numbers: all slices together, then by contrast; None without a comparison."""
    together = judge(results)
    several = results.contrasts() if len(results.contrasts()) > 1 else []
    found = [("all", together), *((contrast, judge(results, contrast)) for contrast in several)]
    rows = [_numbers(contrast, claim) for contrast, one in found for claim in (*one.made, *one.exploratory)]
    if not rows:
        return None
    header = [
        "one", "contrast", "class", "claim", "score", "other", "one minus other", "interval", "level of interval", "n people",
        "p", "p (Holm)", "outcome",
    ]  # fmt: skip
    said = (
        f"{about(results)} One minus other, in the score's own unit, mean over people; each contrast is exploratory and "
        "tested by itself, Holm over its comparisons."
    )
    return Table("differences", said, header, rows, remarks(results, together))


def _numbers(contrast: str, claim: Claim) -> list[str]:
    assert claim.paired is not None
    level = f"{100 * (1 - claim.paired.level):g} %"
    names = [claim.one, contrast, claim.declared.loss, named(claim), BY_ID[claim.score].name, claim.other]
    tested = [difference(claim), interval(claim), level, str(claim.paired.people), p_value(claim.paired.p)]
    return [*names, *tested, p_value(claim.p_holm), outcome(claim)]
