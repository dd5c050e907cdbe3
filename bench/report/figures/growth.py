"""How cost grows with matrix, coils and slices, of the tables that `bench speed --out` wrote."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from bench.report.figures.drawing import BLUE, GREEN, ORANGE, STYLE, VERMILLION
from bench.store.tables import read_speed

COLOURS = (BLUE, VERMILLION, GREEN, ORANGE)
COLUMNS = 4


def growth(paths: Sequence[Path]) -> Figure | None:
    """Seconds against size, both logarithmic, a panel a part and a line a kind of machine; None where no sizes were timed."""
    found = {path.stem: read_speed(path).dropna(subset=["size"]) for path in paths}
    parts = list(dict.fromkeys(part for table in found.values() for part in table["part"]))
    if not parts:
        return None
    with mpl.rc_context(STYLE):
        rows = -(-len(parts) // COLUMNS)
        figure = Figure(figsize=(2.6 * COLUMNS, 2.3 * rows + 0.4), layout="constrained")
        axes = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
        for axis, part in zip(axes, parts, strict=False):
            axis.set(xscale="log", yscale="log", title=part)
            for (machine, table), colour in zip(found.items(), COLOURS, strict=False):
                _line(axis, table[table["part"] == part], machine, colour)
        for axis in axes[len(parts) :]:
            axis.set_axis_off()
        axes[0].set_ylabel("seconds")
        if len(found) > 1:
            figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return figure


def _line(axis: Axes, own: pd.DataFrame, machine: str, colour: str) -> None:
    if own.empty:
        return
    own = own.sort_values("size")
    axis.plot(own["size"], own["ours_s"], "o-", color=colour, markersize=4, lw=1, label=machine)
    axis.set_xticks(own["size"], [f"{size:g}" for size in own["size"]])
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.yaxis.set_minor_formatter(NullFormatter())
    low, high = own["ours_s"].min(), own["ours_s"].max()
    axis.set_ylim(low / 2, high * 2)
    axis.set_xlabel(str(own["what"].iloc[0]))
    if len(own) > 1:
        steep = np.polyfit(np.log(own["size"]), np.log(own["ours_s"]), 1)[0]
        axis.text(0.03, 0.97, f"size to the {steep:.1f}", transform=axis.transAxes, va="top", color=colour)
