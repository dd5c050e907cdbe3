"""The order of the methods that the paper prints, and the one found here."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.metrics.scores import BY_ID
from bench.report.figures.drawing import GROUP_LOOK, STYLE, group_key
from bench.report.read.results import DatasetResults
from bench.report.tables.main import lines, number
from bench.report.tables.paper import FEWEST, PRINTED
from bench.store import paper

SIDES = ("paper", "here")
COLUMNS = ["score", "method", "group", *SIDES, *(f"place_{side}" for side in SIDES)]
LINE = 0.19  # inches a method


def orders(results: DatasetResults) -> pd.DataFrame:
    """A row a score and method that both have: the means, and the place that each gives it, 1 for the best."""
    printed = paper.of(results.dataset)
    found = [line for line in lines(results) if line.done and line.method in printed.index]
    tables = []
    for score in PRINTED:
        means = pd.DataFrame({
            "score": score, "method": [line.method for line in found], "group": [line.group for line in found],
            "paper": [float(printed[score][line.method]) for line in found],
            "here": [line.means[score] for line in found],
        }).dropna(subset=list(SIDES))  # fmt: skip
        for side in SIDES:
            means[f"place_{side}"] = means[side].rank(method="first", ascending=not BY_ID[score].higher_is_better)
        tables.append(means)
    return pd.concat(tables, ignore_index=True)[COLUMNS]


def slope_chart(data: pd.DataFrame, heading: str) -> Figure | None:
    """Of `orders`: a panel a score, a line a method from the paper's place to ours; None of too few methods."""
    panels = {str(score): own for score, own in data.groupby("score", sort=False) if len(own) >= FEWEST}
    if not panels:
        return None
    rows = max(map(len, panels.values()))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.6, 0.8 + len(panels) * (0.5 + LINE * rows)), layout="constrained")
        figure.suptitle(f"{heading}\nthe paper's order, on its own data, and the one here", fontsize=9)
        axes = figure.subplots(len(panels), 1, squeeze=False)[:, 0]
        for axis, (score, own) in zip(axes, panels.items(), strict=True):
            _draw(axis, score, own)
        key = group_key(data["group"])
        figure.legend(handles=key, loc="outside lower center", ncols=len(key), frameon=False)
    return figure


def _draw(axis: Axes, score: str, own: pd.DataFrame) -> None:
    digits = BY_ID[score].digits
    for _, row in own.iterrows():
        colour, marker = GROUP_LOOK[row["group"]]
        places = [row[f"place_{side}"] for side in SIDES]
        axis.plot([0, 1], places, f"{marker}-", color=colour, markersize=3, lw=1)
        _write(axis, f"{row['method']}  {number(row['paper'], digits)}", (0, places[0]), -6, ha="right")
        _write(axis, f"{number(row['here'], digits)}  {row['method']}", (1, places[1]), 6, ha="left")
    axis.set_xticks([0, 1], SIDES)
    axis.xaxis.tick_top()
    axis.tick_params(length=0)
    axis.set_yticks([])
    axis.set_xlim(-1.5, 2.5)
    axis.set_ylim(np.max(own["place_paper"]) + 0.6, 0.4)
    axis.spines[:].set_visible(False)
    axis.set_title(BY_ID[score].title)


def _write(axis: Axes, text: str, at: tuple[float, float], offset: float, **look: Any) -> None:
    axis.annotate(text, at, (offset, 0), textcoords="offset points", va="center", fontsize=7, **look)
