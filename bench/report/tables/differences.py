"""Every difference of the verdict as plain numbers, by contrast too."""

from bench.metrics.scores import BY_ID
from bench.report.read.results import DatasetResults
from bench.report.tables.captions import about
from bench.report.tables.main import Table, number
from bench.report.tables.verdict import Comparison, compare_groups, remarks


def table(results: DatasetResults) -> Table | None:
    """Every difference as plain numbers: all slices together, then by contrast; None without a comparison."""
    together = compare_groups(results)
    several = results.contrasts() if len(results.contrasts()) > 1 else []
    found = [("all", together), *((contrast, compare_groups(results, contrast)) for contrast in several)]
    rows = [_numbers(contrast, comparison) for contrast, comparisons in found for comparison in comparisons]
    if not rows:
        return None
    header = [
        "joint", "contrast", "score", "against", "sequential", "joint minus it", "95 % low", "95 % high", "joint better on",
        "n slices", "n subjects", "interval", "p (Holm)", "outcome",
    ]  # fmt: skip
    said = (
        f"{about(results)} Joint minus sequential, in the score's own unit; each contrast is tested by itself, Holm over its "
        "comparisons."
    )
    return Table("differences", said, header, rows, remarks(results, together))


def _numbers(contrast: str, comparison: Comparison) -> list[str]:
    counts = [str(n) for n in (comparison.better_on, comparison.slices, comparison.subjects)]
    score = BY_ID[comparison.score].name
    names = [comparison.joint, contrast, score, comparison.against, comparison.sequential]
    return [*names, *comparison.ends(), *counts, comparison.interval.scope, number(comparison.p, 3), comparison.outcome]
