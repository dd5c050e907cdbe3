"""Quality against time, and differences slice by slice."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter
from matplotlib.transforms import Bbox

from bench.metrics.scores import BY_ID
from bench.report.figures.drawing import BLACK, BLUE, GREEN, GROUP_LOOK, ORANGE, PURPLE, SKY, STYLE, VERMILLION, named
from bench.report.read.results import DatasetResults
from bench.report.tables.captions import about_data
from bench.report.tables.main import Line, differences, lines
from bench.report.tables.verdict import Comparison
from bench.store.tables import ROW_KEY

SHOWN = ("psnr", "lpips")
SUBJECT_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION)
AROUND = np.deg2rad([20, -20, 160, -160, 60, -60, 120, -120, 90, -90])  # where a label may stand beside its point
SPREAD = 0.3  # half the width of a cloud of dots


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
        _key(figure, table)
        figure.draw_without_rendering()  # fixes the layout, which labels need
        figure.set_layout_engine("none")
        for axis, score in zip(axes, scores, strict=True):
            _number(axis, table, score)
    return figure


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


def _key(figure: Figure, table: Sequence[Line]) -> None:
    """Numbers and names beside the panels, in the table's order."""
    handles = []
    for i, line in enumerate(table, 1):
        colour, marker = GROUP_LOOK[line.group]
        face = "none" if line.group == "bound" else colour
        label = f"{i}  {named(line.method, line.group)}"
        handles.append(
            Line2D([], [], ls="", marker=marker, color=colour, markerfacecolor=face, markersize=5, label=label)
        )
    handles.append(Line2D([], [], color="0.6", lw=1, label="Pareto front"))
    figure.legend(handles=handles, loc="outside right center", frameon=False, fontsize=7, handletextpad=0.4)


def _number(axis: Axes, table: Sequence[Line], score: str) -> None:
    """A method's number beside its point, where it covers neither a point nor another number."""
    points = {
        i: (line.seconds, line.means[score]) for i, line in enumerate(table, 1) if not np.isnan(line.means[score])
    }
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


@dataclass(frozen=True)
class Cloud:
    """Differences of one contrast, one a slice, in the order of subject and slice."""

    contrast: str
    """Its name."""
    subjects: tuple[str, ...]
    """Who each slice is of."""
    differences: tuple[float, ...]
    """Joint minus sequential."""

    def better(self, score: str) -> int:
        """Slices on which joint is better."""
        return sum(d > 0 if BY_ID[score].higher_is_better else d < 0 for d in self.differences)


def clouds(results: DatasetResults, comparison: Comparison) -> list[Cloud]:
    """Joint minus sequential, on the slices that they share; a slice's score is the mean over seeds."""
    found = {line.method: line for line in lines(results)}
    joint, sequential = found[comparison.joint], found[comparison.sequential]
    table = differences(joint, sequential, comparison.score).rename("difference").reset_index().sort_values(ROW_KEY)
    return [
        Cloud(str(contrast), tuple(own["subject"]), tuple(own["difference"]))
        for contrast, own in table.groupby("contrast")
    ]


def paired_differences(results: DatasetResults, found: Sequence[Comparison]) -> Figure | None:
    """One dot a slice, by contrast; a bar at the mean. A column for each joint method and what it is compared with."""
    shown = [comparison for comparison in found if comparison.score in SHOWN]
    if not shown:
        return None
    pairs = list(dict.fromkeys((comparison.joint, comparison.against) for comparison in shown))
    scores = [score for score in SHOWN if any(comparison.score == score for comparison in shown)]
    subjects = sorted(set(results.rows["subject"]))
    colours = dict(zip(subjects, SUBJECT_COLOURS, strict=False)) if 1 < len(subjects) <= len(SUBJECT_COLOURS) else {}
    wide = max(3.0, 0.95 * len(results.contrasts()) + 0.9)
    with mpl.rc_context(STYLE):
        size = (max(wide * len(pairs), 5.0), 2.4 * len(scores) + 0.6)
        figure = Figure(figsize=size, layout="constrained")
        figure.suptitle(f"{about_data(results)}\njoint minus sequential, one dot a slice", fontsize=10)
        axes = figure.subplots(len(scores), len(pairs), squeeze=False, sharey="row")
        for comparison in shown:
            axis = axes[scores.index(comparison.score)][pairs.index((comparison.joint, comparison.against))]
            _draw_clouds(axis, clouds(results, comparison), comparison, colours)
        if colours:
            handles = [Line2D([], [], ls="", marker="o", ms=4, color=c, label=s) for s, c in colours.items()]
            figure.legend(
                handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=7, title="subject"
            )
    return figure


def _draw_clouds(axis: Axes, found: Sequence[Cloud], comparison: Comparison, colours: dict[str, str]) -> None:
    axis.axhline(0, color=BLACK, lw=0.8)
    for i, cloud in enumerate(found):
        across = i + np.linspace(-SPREAD, SPREAD, len(cloud.differences)) if len(cloud.differences) > 1 else [i]
        axis.scatter(across, cloud.differences, s=12, c=[colours.get(s, BLUE) for s in cloud.subjects], lw=0, alpha=0.8)
        mean = float(np.mean(cloud.differences))
        axis.plot([i - SPREAD - 0.08, i + SPREAD + 0.08], [mean, mean], color=BLACK, lw=2)
    ticks = [f"{c.contrast}\nbetter on {c.better(comparison.score)}/{len(c.differences)}" for c in found]
    axis.set_xticks(range(len(found)), ticks, fontsize=7)
    axis.set_xlim(-0.6, len(found) - 0.4)
    axis.set_title(f"{comparison.joint} − {comparison.sequential}")
    side = "above" if BY_ID[comparison.score].higher_is_better else "below"
    axis.set_ylabel(f"{BY_ID[comparison.score].label}\n({side} 0: joint better)")
    axis.grid(axis="y", color="0.92")
    axis.set_axisbelow(True)
