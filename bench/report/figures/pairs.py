"""Reconstructors by super-resolvers: what each half of a pair is worth."""

import re

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.metrics.scores import BY_ID
from bench.report.figures.drawing import STYLE
from bench.report.read.results import DatasetResults
from bench.report.tables.main import lines, number

SHOWN = ("psnr_fg", "lpips_fg")
PAIR = re.compile(r"([^+~]+)([+~])([^+~]+)")
WORST = 10  # of the cells, in percent, are as white as the worst: one failure would leave the others alike
APART, TOGETHER = "+", "~"
COLUMNS = ["reconstructor", "sign", "super-resolver"]


def scores_of_pairs(results: DatasetResults) -> pd.DataFrame:
    """A row a pair `A+B` or `A~B`: its halves, its sign, and its mean scores."""
    rows = [
        [*match.groups(), *(line.means[score] for score in SHOWN)]
        for line in lines(results)
        if line.done and (match := PAIR.fullmatch(line.method))
    ]
    return pd.DataFrame(rows, columns=[*COLUMNS, *SHOWN])


def pair_map(data: pd.DataFrame, heading: str) -> Figure | None:
    """Of `scores_of_pairs`: a map a score, best halves first; None without two of each half, or where most cells are empty."""
    sequences = data[data["sign"] == APART]
    halves = [_best_first(sequences, half) for half in COLUMNS[::2]]
    rows, columns = map(len, halves)
    if min(rows, columns) < 2 or 2 * len(sequences) < rows * columns:
        return None
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(1.2 + 0.85 * columns, 1.0 + 2 * (0.4 + 0.36 * rows)), layout="constrained")
        figure.suptitle(f"{heading}\n{TOGETHER}: trained together", fontsize=10)
        for axis, score in zip(figure.subplots(len(SHOWN), 1, sharex=True), SHOWN, strict=True):
            _draw(axis, data, score, *halves)
    return figure


def _best_first(sequences: pd.DataFrame, half: str) -> list[str]:
    means = sequences.groupby(half)[SHOWN[0]].mean()
    return list(means.sort_values(ascending=False).index)


def _draw(axis: Axes, data: pd.DataFrame, score: str, rows: list[str], columns: list[str]) -> None:
    """A cell is the darker, the better its sequence."""
    means = {(one, sign, other): float(value) for one, sign, other, value in data[[*COLUMNS, score]].to_numpy()}
    sign = 1 if BY_ID[score].higher_is_better else -1
    goodness = np.array([[sign * means.get((one, APART, other), np.nan) for other in columns] for one in rows])
    drawn = axis.imshow(goodness, cmap="Blues", aspect="auto", vmin=np.nanpercentile(goodness, WORST))
    for (y, x), dark in np.ndenumerate(np.asarray(drawn.norm(goodness), dtype=float) > 0.6):
        apart, together = (means.get((rows[y], sign, columns[x]), np.nan) for sign in (APART, TOGETHER))
        said = number(apart, BY_ID[score].digits)
        if not np.isnan(together):
            said += f"\n{TOGETHER} {number(together, BY_ID[score].digits)}"
        axis.text(x, y, said, ha="center", va="center", fontsize=7, color="white" if dark else "black")
    axis.set_xticks(range(len(columns)), columns, fontsize=7)
    axis.set_yticks(range(len(rows)), rows, fontsize=7)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    axis.set_title(BY_ID[score].title)
