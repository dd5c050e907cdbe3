"""Where in k-space a few methods err: by spatial frequency, and by what was measured."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.report.figures.drawing import BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY, STYLE, VERMILLION
from bench.report.read.results import DatasetResults
from bench.report.read.spectra import read_radial
from bench.report.tables.spectra import REGIONS, regions

LOOKS = [(colour, line) for line in ("-", "--") for colour in (VERMILLION, BLUE, GREEN, PURPLE, ORANGE, SKY, BLACK)]
SHADES = {"acquired": GREEN, "unacquired": ORANGE, "beyond": SKY}
LR_EDGE = 0.5
"""Of the HR grid's, along an axis: the scale is 2."""
HIGHEST = 1.5


def radial_error(results: DatasetResults, methods: Sequence[str]) -> pd.DataFrame:
    """A row a method and |k|: energies of error and truth, mean over slices of all contrasts, and the root of their ratio."""
    rows = read_radial(results)
    rows = rows[rows["method"].isin(methods)] if len(rows) else rows
    if rows.empty:
        return pd.DataFrame(columns=["method", "k", "error", "truth", "relative"])
    energies = {kind: rows[f"{kind}_energy"] * rows["slices"] for kind in ("error", "truth")}
    sums = rows.assign(**energies).groupby(["method", "k"])[[*energies, "slices"]].sum()
    means = sums[[*energies]].div(sums["slices"], axis=0).reset_index()
    means = means.assign(relative=np.sqrt(means["error"] / means["truth"]))
    return means.sort_values("method", key=lambda names: names.map(list(methods).index), kind="stable")


def radial_plot(data: pd.DataFrame, heading: str) -> Figure | None:
    """Of `radial_error`: relative error against |k|, the end of the LR grid marked; None without any."""
    if data.empty:
        return None
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.8, 3.6), layout="constrained")
        figure.suptitle(f"{heading}\nerror by spatial frequency", fontsize=10)
        axis = figure.subplots()
        for (method, own), (colour, line) in zip(data.groupby("method", sort=False), LOOKS, strict=False):
            axis.plot(own["k"], own["relative"], ls=line, color=colour, lw=1.3, label=method)
        _mark(axis, float(data["relative"].max()))
        figure.legend(loc="outside right center", frameon=False, fontsize=7)
    return figure


def _mark(axis: Axes, highest: float) -> None:
    """Where the measured band ends along an axis, and where the error is as large as what is there."""
    axis.axvline(LR_EDGE, color="0.4", lw=0.8, ls=":")
    axis.axhline(1, color="0.4", lw=0.8, ls=":")
    axis.set(ylim=(0, min(HIGHEST, 1.05 * max(1.0, highest))), xlim=(0, 1))
    for text, side in (("in the LR band ", "right"), (" beyond it", "left")):
        axis.text(LR_EDGE, 0.02, text, transform=axis.get_xaxis_transform(), ha=side, fontsize=7, color="0.35")
    axis.set(xlabel="|k|, 1 at the HR grid's edge", ylabel="error / truth, root of the energies")
    axis.grid(color="0.92")
    axis.set_axisbelow(True)


def error_by_region(results: DatasetResults, methods: Sequence[str]) -> pd.DataFrame:
    """A row a method: energy of its error in each region, percent of the truth's whole energy, mean over slices."""
    means = regions(results)["error"].to_dict()
    there = [method for method in methods if any((method, region) in means for region in REGIONS)]
    rows = [[method, *(means.get((method, region), np.nan) for region in REGIONS)] for method in there]
    return pd.DataFrame(rows, columns=["method", *REGIONS])


def region_bars(data: pd.DataFrame, heading: str) -> Figure | None:
    """Of `error_by_region`: a bar a method; None without any."""
    if data.empty:
        return None
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.8, 1.4 + 0.24 * len(data)), layout="constrained")
        figure.suptitle(f"{heading}\nerror by what was measured", fontsize=10)
        axis = figure.subplots()
        left = np.zeros(len(data))
        for region, said in REGIONS.items():
            axis.barh(data["method"], data[region], left=left, color=SHADES[region], label=said, height=0.7)
            left = left + np.nan_to_num(data[region])
        axis.invert_yaxis()
        axis.set_xlabel("energy of the error, % of the truth's")
        axis.grid(axis="x", color="0.92")
        axis.set_axisbelow(True)
        figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure
