"""Quality against time, and one quality against another."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter
from matplotlib.transforms import Bbox

from bench.metrics.scores import BY_ID
from bench.report.figures.drawing import GROUP_LOOK, STYLE, named
from bench.report.read.results import DatasetResults
from bench.report.tables.captions import about_data
from bench.report.tables.main import Line, lines

SHOWN = ("psnr_fg", "psnr", "lpips")
FIDELITY, LIKENESS = "psnr_fg", "lpips_fg"
AROUND = np.deg2rad([20, -20, 160, -160, 60, -60, 120, -120, 90, -90])  # where a label may stand beside its point


def quality_time(results: DatasetResults) -> Figure | None:
    """Mean score against seconds a slice, with the Pareto front."""
    table = [line for line in lines(results) if line.done and not np.isnan(line.seconds)]
    scores = [score for score in SHOWN if any(not np.isnan(line.means[score]) for line in table)]
    if not scores:
        return None
    with mpl.rc_context(STYLE):
        height = max(3.2, 0.75 + 0.16 * len(table))
        figure = Figure(figsize=(3.4 * len(scores) + 1.9, height), layout="constrained")
        figure.suptitle(f"{about_data(results)}\nquality against time", fontsize=10)
        axes = figure.subplots(1, len(scores), squeeze=False)[0]
        for axis, score in zip(axes, scores, strict=True):
            _draw_scatter(axis, table, score)
        _finish(figure, table, {axis: _places(table, score) for axis, score in zip(axes, scores, strict=True)})
    return figure


def quality_quality(results: DatasetResults) -> Figure | None:
    """PSNR against LPIPS of the foreground: a front over both classes, which are judged by one of them each."""
    table = [line for line in lines(results) if not np.isnan(line.means[FIDELITY] + line.means[LIKENESS])]
    if not table:
        return None
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.6, max(3.6, 0.75 + 0.16 * len(table))), layout="constrained")
        figure.suptitle(f"{about_data(results)}\nclasses: gan filled, others open", fontsize=10)
        axis = figure.subplots()
        for line in table:
            colour, marker = GROUP_LOOK[line.group]
            face = colour if line.loss == "gan" else "none"
            axis.plot(
                line.means[FIDELITY], line.means[LIKENESS], marker, color=colour, markerfacecolor=face, ms=5, zorder=3
            )
        front = front_of_both(table)
        axis.plot(
            [p.means[FIDELITY] for p in front], [p.means[LIKENESS] for p in front], "-", color="0.6", lw=1, zorder=1
        )
        axis.set(xlabel=BY_ID[FIDELITY].title, ylabel=BY_ID[LIKENESS].title)
        axis.margins(0.12)
        axis.grid(color="0.92")
        axis.set_axisbelow(True)
        numbered = {i: (line.means[FIDELITY], line.means[LIKENESS]) for i, line in enumerate(table, 1)}
        _finish(figure, table, {axis: numbered}, by_class=True)
    return figure


def front_of_both(table: Sequence[Line]) -> list[Line]:
    """The Pareto front, from low PSNR to high: no method has both the higher PSNR and the lower LPIPS. Bounds take no part."""
    front: list[Line] = []
    ranked = [line for line in table if line.group != "bound"]
    for line in sorted(ranked, key=lambda line: (-line.means[FIDELITY], line.means[LIKENESS])):
        if not front or line.means[LIKENESS] < front[-1].means[LIKENESS]:
            front.append(line)
    return front[::-1]


def _places(table: Sequence[Line], score: str) -> dict[int, tuple[float, float]]:
    """Where each method stands, by its number."""
    return {i: (line.seconds, line.means[score]) for i, line in enumerate(table, 1) if not np.isnan(line.means[score])}


def _finish(
    figure: Figure, table: Sequence[Line], places: dict[Axes, dict[int, tuple[float, float]]], by_class: bool = False
) -> None:
    """Numbers beside the points, and what they stand for."""
    _key(figure, table, by_class)
    figure.draw_without_rendering()  # fixes the layout, which labels need
    figure.set_layout_engine("none")
    for axis, points in places.items():
        _number(axis, points)


def pareto(table: Sequence[Line], score: str) -> list[Line]:
    """The Pareto front, from fast to slow: no method is both as fast as one of these and better. Bounds do not take part."""
    front: list[Line] = []
    sign = 1 if BY_ID[score].higher_is_better else -1
    ranked = [line for line in table if line.group != "bound" and not np.isnan(line.means[score])]
    for line in sorted(ranked, key=lambda line: (line.seconds, -sign * line.means[score])):
        if not front or sign * line.means[score] > sign * front[-1].means[score]:
            front.append(line)
    return front


def _draw_scatter(axis: Axes, table: Sequence[Line], score: str) -> None:
    for line in table:
        colour, marker = GROUP_LOOK[line.group]
        hollow = "none" if line.group == "bound" else colour
        axis.plot(line.seconds, line.means[score], marker, color=colour, markerfacecolor=hollow, markersize=5, zorder=3)
    front = pareto(table, score)
    axis.plot([p.seconds for p in front], [p.means[score] for p in front], "-", color="0.6", lw=1, zorder=1,
              drawstyle="steps-post")  # fmt: skip
    axis.set(xscale="log", xlabel="seconds a slice", ylabel=BY_ID[score].label)
    axis.set_title(f"{'higher' if BY_ID[score].higher_is_better else 'lower'} and further left is better")
    seconds = [line.seconds for line in table if np.isfinite(line.seconds)]
    wide = bool(seconds) and max(seconds) > 50 * min(seconds)  # then labels between the decades would collide
    axis.xaxis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0)))
    axis.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.margins(0.12)
    axis.grid(color="0.92", which="both")
    axis.set_axisbelow(True)


def _key(figure: Figure, table: Sequence[Line], by_class: bool) -> None:
    """Numbers and names beside the panels, in the table's order."""
    handles = []
    for i, line in enumerate(table, 1):
        colour, marker = GROUP_LOOK[line.group]
        filled = line.loss == "gan" if by_class else line.group != "bound"
        face = colour if filled else "none"
        label = f"{i}  {named(line.method, line.group)}"
        handles.append(
            Line2D([], [], ls="", marker=marker, color=colour, markerfacecolor=face, markersize=5, label=label)
        )
    handles.append(Line2D([], [], color="0.6", lw=1, label="Pareto front"))
    figure.legend(handles=handles, loc="outside right center", frameon=False, fontsize=7, handletextpad=0.4)


def _number(axis: Axes, points: dict[int, tuple[float, float]]) -> None:
    """A method's number beside its point, where it covers neither a point nor another number."""
    pixels = {i: axis.transData.transform(point) for i, point in points.items()}
    taken = [Bbox.from_extents(x - 4, y - 4, x + 4, y + 4) for x, y in pixels.values()]
    for i, (x, y) in pixels.items():
        places = [(x + r * np.cos(a), y + r * np.sin(a)) for r in (13, 22, 32, 42) for a in AROUND]
        boxes = [Bbox.from_extents(px - 7, py - 6, px + 7, py + 6) for px, py in places]
        free = next((k for k, box in enumerate(boxes) if not box.count_overlaps(taken)), 0)
        taken.append(boxes[free])
        at = axis.transData.inverted().transform(places[free])
        _label(axis, str(i), points[i], (float(at[0]), float(at[1])), free >= len(AROUND))


def _label(axis: Axes, text: str, point: tuple[float, float], at: tuple[float, float], far: bool) -> Text:
    line = {"arrowstyle": "-", "color": "0.6", "lw": 0.5, "shrinkA": 0, "shrinkB": 2} if far else None
    return axis.annotate(text, xy=point, xytext=at, ha="center", va="center", fontsize=6.5, arrowprops=line, zorder=4)
