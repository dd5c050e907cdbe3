"""A map over cells of acceleration, coils and noise: where a declared difference grows, and what the reconstruction lost."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.metrics.scores import BY_ID
from bench.report.claims import Verdict, person_differences
from bench.report.declared import margin
from bench.report.figures.drawing import BLACK, BLUE, STYLE, VERMILLION
from bench.report.read.cells import cells
from bench.report.read.results import DatasetResults
from bench.report.tables.verdict import named

LOST, OF_BOUND = "psnr_fg", "lost"
FREE = ("sinc", "bicubic")
"""Super-resolvers that learn nothing, so that a difference between two of their inputs is the reconstruction's."""
BOUND = "oracle"
COLUMNS = ["claim", "one", "other", "score", "coils", "acceleration", "noise", "person", "difference"]


def differences_by_cell(results: DatasetResults, verdict: Verdict) -> pd.DataFrame:
    """A row a person and cell: of each declared comparison, then of what a reconstruction lost to the bound."""
    asked: list[tuple[str, str, str, str]] = [(named(c), c.one, c.other, c.score) for c in verdict.made]
    asked += [(OF_BOUND, bound, method, LOST) for bound, method in lost(results)]
    rows = [
        [claim, one, other, score, cell.coils, cell.acceleration, cell.noise, person, difference]
        for claim, one, other, score in asked
        for cell in cells(results.contrasts())
        for person, difference in person_differences(results, one, other, score, cell.contrast).items()
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def regime_map(data: pd.DataFrame, heading: str) -> Figure | None:
    """Of `differences_by_cell`: a row a comparison, a column a number of coils; None where contrasts are no cells."""
    if data.empty:
        return None
    rows = list(data.groupby(["claim", "one", "other", "score"], sort=False))
    coils = sorted(data["coils"].unique())
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(1.6 + 3.6 * len(coils), 0.9 + 1.6 * len(rows)), layout="constrained")
        figure.suptitle(f"{heading}\nby cell, one dot a person", fontsize=10)
        axes = figure.subplots(len(rows), len(coils), squeeze=False, sharex="col", sharey="row")
        for line, ((claim, one, other, of), own) in zip(axes, rows, strict=True):
            score = str(of)
            asked = "" if claim == OF_BOUND else f"{claim} "
            line[0].set_ylabel(f"{asked}{one}\n− {other}\n{BY_ID[score].label}", fontsize=7)
            for axis, count in zip(line, coils, strict=True):
                _draw(axis, own[own["coils"] == count])
                if asked:
                    axis.axhspan(-margin(score), margin(score), color="0.93", lw=0, zorder=0)
        for axis, count in zip(axes[0], coils, strict=True):
            axis.set_title(f"{count} coils")
        for axis in axes[-1]:
            axis.set_xlabel("acceleration, noise")
    return figure


def lost(results: DatasetResults) -> list[tuple[str, str]]:
    """Bound and method, of each whose super-resolver learns nothing: the difference is what its reconstruction lost."""
    methods = [run.method for run in results.done]
    pairs = [(f"{BOUND}+{free}", m) for m in dict.fromkeys(methods) for free in FREE if m.endswith(f"+{free}")]
    return [(bound, method) for bound, method in pairs if bound in methods and bound != method]


def _draw(axis: Axes, own: pd.DataFrame) -> None:
    axis.axhline(0, color=BLACK, lw=0.8, zorder=1)
    found = list(own.groupby(["acceleration", "noise"]))
    means = [float(people["difference"].mean()) for _, people in found]
    axis.plot(range(len(found)), means, "-", color=VERMILLION, lw=0.8, zorder=2)
    for i, (_, people) in enumerate(found):
        across = i + (np.linspace(-0.2, 0.2, len(people)) if len(people) > 1 else np.zeros(len(people)))
        axis.scatter(across, people["difference"], s=10, color=BLUE, lw=0, alpha=0.7, zorder=3)
        axis.plot([i - 0.3, i + 0.3], [means[i]] * 2, color=VERMILLION, lw=2, zorder=4)
    axis.set_xticks(range(len(found)), [f"{times}×\n.{noise:02d}" for (times, noise), _ in found], fontsize=7)
    axis.set_xlim(-0.6, len(found) - 0.4)
    axis.grid(axis="y", color="0.92")
    axis.set_axisbelow(True)
