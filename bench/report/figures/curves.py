"""Validation scores while stages were trained."""

import math

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FormatStrFormatter, MaxNLocator

from bench.metrics.scores import BY_ID
from bench.report.figures.drawing import BLUE, GREEN, STYLE, VERMILLION, balanced
from bench.report.read.curves import CRITIC, read_curves
from bench.report.read.results import DatasetResults
from bench.report.tables.main import AT_WORK

DIGITS = {"psnr": 1, "lpips": 3}
LOOK = {"psnr": (BLUE, "-"), "lpips": (VERMILLION, "--")}


def validation(results: DatasetResults) -> pd.DataFrame:
    """A row a validation of each stage that keeps its curve: the scores, and whether the weights were taken there."""
    columns = ["stage", "replicate", "step", "phase", *LOOK, CRITIC, "taken"]
    found = [
        curve.rows.assign(stage=curve.stage, replicate=curve.replicate, taken=curve.rows["step"] == curve.best_step)
        for curve in read_curves(results)
    ]
    return pd.concat([own.reindex(columns=columns) for own in found]) if found else pd.DataFrame(columns=columns)


def training_curves(data: pd.DataFrame, heading: str) -> Figure | None:
    """Of `validation`: a panel a stage; a dot where the weights were taken, a dotted line where a phase begins."""
    if data.empty:
        return None
    stages = dict(list(data.groupby("stage", sort=False)))
    columns = balanced(len(stages), 4, 5)
    rows = math.ceil(len(stages) / columns)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(2.3 * columns + 0.4, 1.6 * rows + 0.9), layout="constrained")
        figure.suptitle(f"{heading}\nvalidation scores by training step", fontsize=10)
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for axis in axes[len(stages) :]:
            axis.set_axis_off()
        for axis, (stage, own) in zip(axes, stages.items(), strict=False):
            curves = [curve for _, curve in own.groupby("replicate", sort=False)]
            panels = _draw(axis, curves)
            if own[CRITIC].notna().any():
                _draw_critic(panels, curves)
            axis.set_title(stage)
        figure.legend(handles=_key(data), loc="outside lower center", ncols=4, frameon=False, fontsize=7)
    return figure


def _draw(axis: Axes, curves: list[pd.DataFrame]) -> list[Axes]:
    """Return the axes of both scores, those of PSNR first."""
    other = axis.twinx() if any(curve["lpips"].notna().any() for curve in curves) else None
    axis.tick_params(axis="x", labelsize=7)
    axis.grid(color="0.92")
    for curve in curves:
        ends = curve["phase"] != curve["phase"].shift(-1)  # a phase's last step is validated
        for step in curve["step"][ends].iloc[:-1]:
            axis.axvline(step, color="0.4", lw=0.8, ls=":")
        for score, panel in (("psnr", axis), ("lpips", other)):
            if panel is not None:
                _draw_score(panel, curve, score)
    panels = [axis] if other is None else [axis, other]
    for panel, (score, (colour, _)) in zip(panels, LOOK.items(), strict=False):
        panel.tick_params(axis="y", labelcolor=colour, labelsize=7)
        _few_ticks(panel, DIGITS[score])
    if other is not None:
        other.spines["right"].set_visible(True)
    return panels


def _few_ticks(axis: Axes, digits: int) -> None:
    """At most three, of so many digits, none twice: an axis is at least three such steps high."""
    low, high = axis.get_ylim()
    spare = max(0.0, 3 * 10.0**-digits - (high - low)) / 2
    axis.set_ylim(low - spare, high + spare)
    axis.yaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    axis.yaxis.set_major_formatter(FormatStrFormatter(f"%.{digits}f"))


def _draw_score(axis: Axes, curve: pd.DataFrame, score: str) -> None:
    colour, line = LOOK[score]
    axis.plot(curve["step"], curve[score], color=colour, ls=line, lw=1.2, marker="" if len(curve) > 1 else ".")
    axis.plot(curve["step"][curve["taken"]], curve[score][curve["taken"]], "o", color=colour, ms=4)


def _draw_critic(panels: list[Axes], curves: list[pd.DataFrame]) -> None:
    """A strip at the foot of the panel, from 0.4 to 1; the scores make room for it."""
    for panel in panels:
        low, high = panel.get_ylim()
        panel.set_ylim(low - 0.5 * (high - low), high)
    axis = panels[0]
    strip = axis.inset_axes((0.0, 0.0, 1.0, 0.27))
    strip.axhspan(*AT_WORK, color="0.9", lw=0)
    for curve in curves:
        strip.plot(curve["step"], curve[CRITIC], color=GREEN, lw=1, marker=".", ms=3)
    strip.set(xlim=axis.get_xlim(), ylim=(0.4, 1.05), xticks=[], yticks=[0.5, 1.0])
    strip.tick_params(axis="y", labelcolor=GREEN, labelsize=6, direction="in", pad=-14)
    strip.patch.set_alpha(0.0)


def _key(data: pd.DataFrame) -> list[Line2D]:
    handles = [Line2D([], [], color=BLUE, label=f"{BY_ID['psnr'].label} (left)")]
    if data["lpips"].notna().any():
        handles.append(Line2D([], [], color=VERMILLION, ls="--", label=f"{BY_ID['lpips'].label} (right)"))
    if data[CRITIC].notna().any():
        handles.append(Line2D([], [], color=GREEN, marker=".", ms=3, label="discriminator's accuracy (strip)"))
    handles.append(Line2D([], [], ls="", marker="o", ms=4, color="0.3", label="weights taken here"))
    if len(data.drop_duplicates(["stage", "replicate", "phase"])) > len(data.drop_duplicates(["stage", "replicate"])):
        handles.append(Line2D([], [], color="0.4", lw=0.8, ls=":", label="a new phase"))
    return handles
