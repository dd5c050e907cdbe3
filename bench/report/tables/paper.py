"""The figures that the paper prints, beside the ones found here: whether the order of the methods is the same."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from bench.metrics.scores import BY_ID
from bench.report.read.results import DatasetResults
from bench.report.tables.captions import about, caveats
from bench.report.tables.main import MISSING, Line, Table, lines, mean, number
from bench.store import paper

CITATION = "Xu et al., Bioengineering 2023, 10, 1107, Tables 1-4"
PRINTED = ("psnr", "ssim", "lpips")
FEWEST = 3  # methods, for an order


def order(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float, int, int]:
    """Spearman's and Kendall's rank correlation, and pairs in the same order of all pairs that are not tied in either."""
    one, other = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    first, second = np.triu_indices(one.size, 1)
    signs = np.sign(one[first] - one[second]) * np.sign(other[first] - other[second])
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan"), float("nan"), int((signs > 0).sum()), int((signs != 0).sum())
    rho, tau = (float(test(one, other).statistic) for test in (stats.spearmanr, stats.kendalltau))
    return rho, tau, int((signs > 0).sum()), int((signs != 0).sum())


def table(results: DatasetResults) -> Table | None:
    """The paper's figures beside these; None for a dataset that is not the paper's or without a method of it."""
    printed = paper.of(results.dataset)
    found = {line.method: line for line in lines(results) if line.done}
    shared = [method for method in printed.index if method in found]
    if not shared:
        return None
    titles = [title for s in PRINTED for title in (f"{BY_ID[s].title} paper", f"{BY_ID[s].title} here")]
    header = ["method", "paper's name", *titles, "s paper", "s here", "n slices here", "n people here"]
    rows = [_row(method, printed.loc[method], found.get(method)) for method in printed.index]
    said = (
        f"{about(results)} Beside the means that the paper prints for its own data ({CITATION}). People, scanner, matrix and "
        "training differ, so only the order of the methods is compared, no value."
    )
    orders = [_agreement(printed, [found[m] for m in shared], score) for score in PRINTED]
    return Table("paper", said, header, rows, [*orders, *caveats(results)])


def _row(method: str, printed: "pd.Series[float]", line: Line | None) -> list[str]:
    cells = []
    for score in PRINTED:
        cells += [number(printed[score], BY_ID[score].digits), mean(line, score) if line else MISSING]
    seconds = [number(printed["seconds"], 4), number(line.seconds, 4) if line else MISSING]
    counts = [str(line.slices), str(line.subjects)] if line else [MISSING, MISSING]
    return [method, str(printed["name"]), *cells, *seconds, *counts]


def _agreement(printed: pd.DataFrame, found: list[Line], score: str) -> str:
    """A sentence on one score."""
    found = [line for line in found if not np.isnan(line.means[score])]
    name, n = BY_ID[score].name, len(found)
    if n < FEWEST:
        return f"Order by {name}: too few methods in both ({n}) to tell."
    ours, theirs = [line.means[score] for line in found], [float(printed[score][line.method]) for line in found]
    rho, tau, same, pairs = order(ours, theirs)
    best = max if BY_ID[score].higher_is_better else min
    winners = [found[values.index(best(values))].method for values in (theirs, ours)]
    return (
        f"Order by {name}, {n} methods in both: Spearman {number(rho, 2, '+')}, Kendall {number(tau, 2, '+')}, {same} of "
        f"{pairs} pairs in the same order; best of these in the paper {winners[0]}, here {winners[1]}."
    )
