"""A map over cells of acceleration, coils and noise: where a declared difference grows, and what the reconstruction lost."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.metrics.scores import BY_ID
from bench.report.claims import Verdict, person_differences
from bench.report.declared import margin
from bench.report.figures.drawing import BLACK, BLUE, STYLE, VERMILLION
from bench.report.read.results import DatasetResults
from bench.report.tables.captions import about_data
from bench.report.tables.verdict import named

CELL = re.compile(r"r(\d+)-c(\d+)-n(\d+)")
LOST = "psnr_fg"
FREE = ("sinc", "bicubic")
"""Super-resolvers that learn nothing, so that a difference between two of their inputs is the reconstruction's."""
BOUND = "oracle"


@dataclass(frozen=True, order=True)
class Cell:
    """A regime, named like `r8-c4-n03`."""

    coils: int
    acceleration: int
    noise: int
    """In hundredths."""
    contrast: str
    """Its name."""


def cells(contrasts: Sequence[str]) -> list[Cell]:
    """Those contrasts that are cells, by coils, acceleration and noise."""
    found = [(name, match) for name in contrasts if (match := CELL.fullmatch(name))]
    return sorted(Cell(int(m[2]), int(m[1]), int(m[3]), name) for name, m in found)


def regime_map(results: DatasetResults, verdict: Verdict) -> Figure | None:
    """A row a declared comparison, then one of what a reconstruction lost to the bound; None where contrasts are no cells."""
    found = cells(results.contrasts())
    rows: list[tuple[str, str, str, str]] = [
        (f"{named(c)} {c.one}\n− {c.other}", c.one, c.other, c.score) for c in verdict.made
    ]
    rows += [(f"{bound}\n− {method}", bound, method, LOST) for bound, method in lost(results)]
    if not found or not rows:
        return None
    coils = sorted({cell.coils for cell in found})
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(1.6 + 3.6 * len(coils), 0.9 + 1.6 * len(rows)), layout="constrained")
        figure.suptitle(f"{about_data(results)}\nby cell, one dot a person", fontsize=10)
        axes = figure.subplots(len(rows), len(coils), squeeze=False, sharex="col", sharey="row")
        for line, (label, one, other, score) in zip(axes, rows, strict=True):
            for axis, count in zip(line, coils, strict=True):
                own = [cell for cell in found if cell.coils == count]
                _draw(axis, [person_differences(results, one, other, score, cell.contrast) for cell in own])
                if not one.startswith(f"{BOUND}+"):
                    axis.axhspan(-margin(score), margin(score), color="0.93", lw=0, zorder=0)
                axis.set_xticks(range(len(own)), [f"{c.acceleration}×\n.{c.noise:02d}" for c in own], fontsize=7)
                axis.set_xlim(-0.6, len(own) - 0.4)
            line[0].set_ylabel(f"{label}\n{BY_ID[score].label}", fontsize=7)
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


def _draw(axis: Axes, people: Sequence["pd.Series[float]"]) -> None:
    axis.axhline(0, color=BLACK, lw=0.8, zorder=1)
    means = [float(own.mean()) for own in people]
    axis.plot(range(len(people)), means, "-", color=VERMILLION, lw=0.8, zorder=2)
    for i, own in enumerate(people):
        across = i + (np.linspace(-0.2, 0.2, own.size) if own.size > 1 else np.zeros(own.size))
        axis.scatter(across, own.to_numpy(), s=10, color=BLUE, lw=0, alpha=0.7, zorder=3)
        axis.plot([i - 0.3, i + 0.3], [means[i]] * 2, color=VERMILLION, lw=2, zorder=4)
    axis.grid(axis="y", color="0.92")
    axis.set_axisbelow(True)
