"""How cost grows with matrix, coils and slices, of the tables that `bench speed --out` wrote."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

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
LABEL = 28
"""Characters in a line below an axis."""


def costs(paths: Sequence[Path]) -> pd.DataFrame:
    """A row a part, kind of machine and size of which the time was taken."""
    found = [read_speed(path).dropna(subset=["size"]).assign(machine=path.stem) for path in paths]
    columns = ["part", "machine", "size", "what", "ours_s"]
    data = pd.concat(found)[columns] if found else pd.DataFrame(columns=columns)
    return data.rename(columns={"ours_s": "seconds"})


def growth(data: pd.DataFrame) -> Figure | None:
    """Of `costs`: seconds against size, both logarithmic, a panel a part and a line a kind of machine; None without any."""
    if data.empty:
        return None
    parts, machines = (list(data[name].drop_duplicates()) for name in ("part", "machine"))
    with mpl.rc_context(STYLE):
        rows = -(-len(parts) // COLUMNS)
        figure = Figure(figsize=(2.6 * COLUMNS, 2.3 * rows + 0.4), layout="constrained")
        axes = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
        for axis, part in zip(axes, parts, strict=False):
            axis.set(xscale="log", yscale="log", title=part)
            for machine, colour in zip(machines, COLOURS, strict=False):
                _line(axis, data[(data["part"] == part) & (data["machine"] == machine)], machine, colour)
        for axis in axes[len(parts) :]:
            axis.set_axis_off()
        axes[0].set_ylabel("seconds")
        if len(machines) > 1:
            figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return figure


def _line(axis: Axes, own: pd.DataFrame, machine: str, colour: str) -> None:
    if own.empty:
        return
    own = own.sort_values("size")
    axis.plot(own["size"], own["seconds"], "o-", color=colour, markersize=4, lw=1, label=machine)
    axis.set_xticks(own["size"], [f"{size:g}" for size in own["size"]])
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.yaxis.set_minor_formatter(NullFormatter())
    low, high = own["seconds"].min(), own["seconds"].max()
    axis.set_ylim(low / 2, high * 2)
    axis.set_xlabel(fill(str(own["what"].iloc[0]), LABEL))
    if len(own) > 1:
        steep = np.polyfit(np.log(own["size"]), np.log(own["seconds"]), 1)[0]
        axis.text(0.03, 0.97, f"time ∝ size^{steep:.1f}", transform=axis.transAxes, va="top", color=colour)
