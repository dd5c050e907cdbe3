"""The few methods that stand for many: those that a reader looks for first."""

from bench.report.claims import Verdict
from bench.report.declared import CLASSES, COMPARISONS, PRIMARY, STRONGEST
from bench.report.read.results import DatasetResults
from bench.report.tables.main import best_of, lines

NETWORK = ("proposed", "proposed-l1")
"""The paper's; its twin without an adversary where it has no rows of every fold."""
PLAIN = ("cg-sense+sinc", "cg-sense+bicubic")
BOUND = "oracle+sinc"
SINGLE_STAGE = "hr-unrolled"
MOST = 12
"""So many methods stand for themselves."""


def roles(verdict: Verdict) -> dict[str, list[str]]:
    """By what they are, the ids of best joint and best sequential method of each class, the paper's network, CG-SENSE and the
    bound; of several ids the first that there is. The best are picked on validation."""
    best = {
        f"best {group}, {loss}": [verdict.picks[loss, group].method]
        for loss in CLASSES
        for group in ("joint", "sequential")
        if (loss, group) in verdict.picks
    }
    return best | {
        "the paper's network": [*NETWORK],
        "CG-SENSE": [*PLAIN],
        "bound: no reconstruction error": [BOUND],
    }


def few(results: DatasetResults, verdict: Verdict) -> list[str]:
    """Of many methods a few, of few all: the best of each class, the strongest pair apart and together, the single-stage and
    the paper's network, CG-SENSE and the bound."""
    if len(results.methods()) <= MOST:
        return results.methods()
    there = [line.method for line in lines(results) if line.done]
    wanted: list[str] = []
    for loss in CLASSES:
        wanted += [m for group in ("joint", "sequential") if (m := _best(results, verdict, loss, group))]
        wanted += [m for c in COMPARISONS if (c.loss, c.asks) == (loss, STRONGEST) for m in (c.one, c.other)]
    plain = [method for method in PLAIN if method in there][:1]
    wanted += [SINGLE_STAGE, *NETWORK, *plain, BOUND]
    found = [method for method in dict.fromkeys(wanted) if method in there]
    return found if len(found) > 2 else there[:MOST]


def _best(results: DatasetResults, verdict: Verdict, loss: str, group: str) -> str | None:
    """The one picked on validation; where none could be, that with the best mean."""
    if (loss, group) in verdict.picks:
        return verdict.picks[loss, group].method
    line = best_of([line for line in lines(results) if (line.loss, line.group) == (loss, group)], PRIMARY[loss])
    return line.method if line else None
