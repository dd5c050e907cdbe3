"""Validation scores while stages were trained."""

import math

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.metrics.scores import BY_ID
from bench.report.figures.drawing import BLUE, GREEN, STYLE, VERMILLION, balanced
from bench.report.read.curves import CRITIC, Curve, read_curves
from bench.report.read.results import DatasetResults
from bench.report.tables.captions import about_data
from bench.report.tables.main import AT_WORK

LOOK = {"psnr": (BLUE, "-"), "lpips": (VERMILLION, "--")}


def training_curves(results: DatasetResults) -> Figure | None:
    """A panel a stage; a dot where the weights were taken, a dotted line where a phase begins."""
    curves = read_curves(results)
    stages = list(dict.fromkeys(curve.stage for curve in curves))
    if not stages:
        return None
    columns = balanced(len(stages), 4, 5)
    rows = math.ceil(len(stages) / columns)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(2.3 * columns + 0.4, 1.6 * rows + 0.9), layout="constrained")
        figure.suptitle(f"{about_data(results)}\nvalidation scores by training step", fontsize=10)
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for axis in axes[len(stages) :]:
            axis.set_axis_off()
        for axis, stage in zip(axes, stages, strict=False):
            own = [curve for curve in curves if curve.stage == stage]
            panels = _draw(axis, own)
            if any(CRITIC in curve.rows and curve.rows[CRITIC].notna().any() for curve in own):
                _draw_critic(panels, own)
            axis.set_title(stage)
        figure.legend(handles=_key(curves), loc="outside lower center", ncols=4, frameon=False, fontsize=7)
    return figure


def _draw(axis: Axes, curves: list[Curve]) -> list[Axes]:
    """Return the axes of both scores, those of PSNR first."""
    other = axis.twinx() if any("lpips" in curve.rows for curve in curves) else None
    axis.tick_params(axis="y", labelcolor=BLUE, labelsize=7)
    axis.tick_params(axis="x", labelsize=7)
    axis.ticklabel_format(useOffset=False)
    axis.grid(color="0.92")
    if other is not None:
        other.tick_params(axis="y", labelcolor=VERMILLION, labelsize=7)
        other.spines["right"].set_visible(True)
    for curve in curves:
        ends = curve.rows["phase"] != curve.rows["phase"].shift(-1)  # a phase's last step is validated
        for step in curve.rows["step"][ends].iloc[:-1]:
            axis.axvline(step, color="0.4", lw=0.8, ls=":")
        for score, panel in (("psnr", axis), ("lpips", other)):
            if panel is not None and score in curve.rows:
                _draw_score(panel, curve, score)
    return [axis] if other is None else [axis, other]


def _draw_score(axis: Axes, curve: Curve, score: str) -> None:
    colour, line = LOOK[score]
    axis.plot(
        curve.rows["step"], curve.rows[score], color=colour, ls=line, lw=1.2, marker="" if len(curve.rows) > 1 else "."
    )
    best = curve.rows[curve.rows["step"] == curve.best_step]
    axis.plot(best["step"], best[score], "o", color=colour, ms=4)


def _draw_critic(panels: list[Axes], curves: list[Curve]) -> None:
    """A strip at the foot of the panel, from 0.4 to 1; the scores make room for it."""
    for panel in panels:
        low, high = panel.get_ylim()
        panel.set_ylim(low - 0.5 * (high - low), high)
    axis = panels[0]
    strip = axis.inset_axes((0.0, 0.0, 1.0, 0.27))
    strip.axhspan(*AT_WORK, color="0.9", lw=0)
    for curve in curves:
        if CRITIC in curve.rows:
            strip.plot(curve.rows["step"], curve.rows[CRITIC], color=GREEN, lw=1, marker=".", ms=3)
    strip.set(xlim=axis.get_xlim(), ylim=(0.4, 1.05), xticks=[], yticks=[0.5, 1.0])
    strip.tick_params(axis="y", labelcolor=GREEN, labelsize=6, direction="in", pad=-14)
    strip.patch.set_alpha(0.0)


def _key(curves: list[Curve]) -> list[Line2D]:
    handles = [Line2D([], [], color=BLUE, label=f"{BY_ID['psnr'].label} (left)")]
    if any("lpips" in curve.rows for curve in curves):
        handles.append(Line2D([], [], color=VERMILLION, ls="--", label=f"{BY_ID['lpips'].label} (right)"))
    if any(CRITIC in curve.rows for curve in curves):
        handles.append(Line2D([], [], color=GREEN, marker=".", ms=3, label="discriminator's accuracy (strip)"))
    handles.append(Line2D([], [], ls="", marker="o", ms=4, color="0.3", label="weights taken here"))
    if any(len(set(curve.rows["phase"])) > 1 for curve in curves):
        handles.append(Line2D([], [], color="0.4", lw=0.8, ls=":", label="a new phase"))
    return handles
