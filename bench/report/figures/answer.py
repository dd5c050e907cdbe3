"""The declared comparisons of all datasets in one figure: each person a dot."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bench.metrics.scores import BY_ID
from bench.report.claims import Claim, Verdict
from bench.report.declared import COMPARISONS, PRIMARY, margin
from bench.report.figures.drawing import BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY, STYLE, VERMILLION
from bench.report.read.results import DatasetResults
from bench.report.tables.verdict import difference, outcome, pair

COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
SPREAD = 0.22  # half the height of a cloud of dots
LINE = 0.22  # inches a row
LEFT = -42  # points from the axis to where headings begin


def answer_plot(found: Sequence[tuple[DatasetResults, Verdict]]) -> Figure | None:
    """A panel a class; in it, below the words of each comparison, a row a dataset; None without any comparison."""
    colours = {results.title: COLOURS[i % len(COLOURS)] for i, (results, _) in enumerate(found)}
    panels = {loss: rows for loss in PRIMARY if (rows := _rows(found, loss))}
    if not panels:
        return None
    with mpl.rc_context(STYLE):
        heights = [len(rows) + 1.0 for rows in panels.values()]
        figure = Figure(figsize=(6.8, LINE * sum(heights) + 0.55 * len(panels)), layout="constrained")
        axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
        for axis, (loss, rows) in zip(axes, panels.items(), strict=True):
            _draw(axis, loss, rows, colours)
    return figure


Row = tuple[str, Claim | None]
"""A dataset's title with its claim, or words that stand above some."""


def _rows(found: Sequence[tuple[DatasetResults, Verdict]], loss: str) -> list[Row]:
    rows: list[Row] = []
    for declared in (c for c in COMPARISONS if c.loss == loss):
        made = [(results.title, c) for results, verdict in found for c in verdict.made if c.declared == declared]
        if made:
            which = "" if declared.picked else f": {pair(made[0][1])}"
            rows += [(f"{declared.asks.split(',')[0]}{which}", None), *made]
    return rows


def _draw(axis: Axes, loss: str, rows: Sequence[Row], colours: dict[str, str]) -> None:
    score = BY_ID[PRIMARY[loss]]
    axis.axvspan(-margin(score.id), margin(score.id), color="0.92", lw=0, zorder=0)
    axis.axvline(0, color=BLACK, lw=0.8, zorder=1)
    labels = []
    for y, (text, claim) in enumerate(rows):
        labels.append(text.split(",")[0] if claim else "")
        if claim is None or claim.paired is None:
            _write(axis, text, (0, y), LEFT, fontsize=8, fontweight="bold")
            continue
        values = [value for _, value in claim.people]
        across = y + (np.linspace(-SPREAD, SPREAD, len(values)) if len(values) > 1 else np.zeros(1))
        axis.scatter(values, across, s=11, color=colours[text], lw=0, alpha=0.65, zorder=2)
        if claim.paired.tested:
            axis.plot([claim.paired.low, claim.paired.high], [y, y], color=BLACK, lw=1.4, zorder=3)
        if len(values) > 1:
            axis.plot([claim.paired.mean] * 2, [y - 0.33, y + 0.33], color=BLACK, lw=2, zorder=3)
        _write(axis, _said(claim), (1, y), 6, fontsize=7.5)
    axis.set_yticks(range(len(rows)), labels, fontsize=7.5)
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)
    axis.xaxis.set_major_locator(MaxNLocator(6))
    axis.set_ylim(len(rows) - 0.4, -0.6)
    aim = "right" if score.higher_is_better else "left"
    axis.set_xlabel(f"class {loss}: {score.label}; {aim} of 0 in favour of the first")
    axis.grid(axis="x", color="0.9", zorder=0)


def _write(axis: Axes, text: str, at: tuple[float, float], offset: float, **look: Any) -> None:
    """Text at a share of the width and a row, so many points further right."""
    axis.annotate(text, at, (offset, 0), xycoords=("axes fraction", "data"), textcoords="offset points", va="center",
                  annotation_clip=False, **look)  # fmt: skip


def _said(claim: Claim) -> str:
    assert claim.paired is not None
    people = claim.paired.people
    which = f": {pair(claim).removesuffix(' (picked)')}" if claim.declared.picked else ""
    if not claim.paired.tested:
        return f"{difference(claim)}, {'one person' if people == 1 else f'{people} people'}{which}"
    return f"{difference(claim)}, {outcome(claim).split(':')[0]}" + ("" if claim.confirmatory else " *") + which
