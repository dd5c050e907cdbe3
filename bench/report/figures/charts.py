"""Quality against time, and one quality against another."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter
from matplotlib.transforms import Bbox

from bench.metrics.scores import BY_ID
from bench.report.figures.drawing import GROUP_LOOK, STYLE, group_key
from bench.report.read.results import DatasetResults
from bench.report.tables.main import lines

SHOWN = FIDELITY, LIKENESS = "psnr_fg", "lpips_fg"
FAR_OUT = 3.0  # times the middle half's width beyond it (Tukey), a point is drawn at the edge
AROUND = np.deg2rad([20, -20, 160, -160, 60, -60, 120, -120, 90, -90])  # where a label may stand beside its point
POINTS = 6.5  # of a label's text
WIDE, HIGH = 6.3, 12.0  # pixels of a letter of it


def qualities(results: DatasetResults) -> pd.DataFrame:
    """A row a method with rows: group, class, median seconds a slice, and the mean scores that the figures show."""
    rows = [
        [line.method, line.group, line.loss, line.seconds, *(line.means[s] for s in SHOWN)]
        for line in lines(results)
        if line.done
    ]
    return pd.DataFrame(rows, columns=["method", "group", "class", "seconds", *SHOWN])


def quality_time(data: pd.DataFrame, heading: str) -> Figure | None:
    """Of `qualities`: mean score against seconds a slice, with the Pareto front, whose methods are named."""
    data = _near(data[data["seconds"].notna()])
    scores = [score for score in SHOWN if data[score].notna().any()]
    if not scores:
        return None
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.8, 0.8 + 3.2 * len(scores)), layout="constrained")
        figure.suptitle(f"{heading}\nquality against time", fontsize=10)
        axes = figure.subplots(len(scores), 1, squeeze=False, sharex=True)[:, 0]
        for axis, score in zip(axes, scores, strict=True):
            _draw_scatter(axis, data, score)
        axes[-1].set_xlabel("seconds a slice")
        _finish(figure, data, {axis: pareto(data, "seconds", s) for axis, s in zip(axes, scores, strict=True)})
    return figure


def quality_quality(data: pd.DataFrame, heading: str) -> Figure | None:
    """Of `qualities`: PSNR against LPIPS of the foreground, with a front over both classes, judged by one of them each."""
    data = _near(data.dropna(subset=[FIDELITY, LIKENESS]))
    if data.empty:
        return None
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.8, 4.6), layout="constrained")
        figure.suptitle(f"{heading}\nclasses: gan filled, others open", fontsize=10)
        axis = figure.subplots()
        for _, row in data.iterrows():
            _point(axis, row, FIDELITY, LIKENESS, row["class"] == "gan")
        front = pareto(data, LIKENESS, FIDELITY)
        axis.plot(front[FIDELITY], front[LIKENESS], "-", color="0.6", lw=1, zorder=1)
        axis.set(xlabel=BY_ID[FIDELITY].title, ylabel=BY_ID[LIKENESS].title)
        _set_grid(axis)
        _finish(figure, data, {axis: front.assign(x=front[FIDELITY], y=front[LIKENESS])})
    return figure


def pareto(data: pd.DataFrame, cost: str, score: str) -> pd.DataFrame:
    """The Pareto front, from the smallest cost on, as columns x and y too: none has at most the cost of one of these and a
    better score. Bounds take no part."""
    sign = 1 if BY_ID[score].higher_is_better else -1
    ranked = data[data["group"] != "bound"].dropna(subset=[cost, score])
    ranked = ranked.assign(x=ranked[cost], y=ranked[score], value=sign * ranked[score])
    ranked = ranked.sort_values([cost, "value"], ascending=[True, False], kind="stable")
    best = ranked["value"].cummax()
    return ranked[(ranked["value"] == best) & ~best.duplicated()].drop(columns="value")


def _near(data: pd.DataFrame) -> pd.DataFrame:
    """The same, with what lies far out moved to the edge: one failure would leave no room for the others."""
    ranked = data[data["group"] != "bound"]
    low, high = (ranked[list(SHOWN)].quantile(share) for share in (0.25, 0.75))
    spare = FAR_OUT * (high - low)
    edges = {s: (low[s] - spare[s], None) if BY_ID[s].higher_is_better else (None, high[s] + spare[s]) for s in SHOWN}
    return data.assign(**{score: data[score].clip(*edge) for score, edge in edges.items()})


def _point(axis: Axes, row: pd.Series, x: str, y: str, filled: bool) -> None:
    colour, marker = GROUP_LOOK[row["group"]]
    face = colour if filled else "none"
    axis.plot(row[x], row[y], marker, color=colour, markerfacecolor=face, markersize=5, zorder=3)


def _set_grid(axis: Axes) -> None:
    axis.margins(0.14)
    axis.grid(color="0.92", which="both")
    axis.set_axisbelow(True)


def _draw_scatter(axis: Axes, data: pd.DataFrame, score: str) -> None:
    for _, row in data.iterrows():
        _point(axis, row, "seconds", score, row["group"] != "bound")
    front = pareto(data, "seconds", score)
    axis.plot(front["x"], front["y"], "-", color="0.6", lw=1, zorder=1, drawstyle="steps-post")
    axis.set(xscale="log", ylabel=BY_ID[score].title)
    seconds = data["seconds"]
    wide = seconds.max() > 50 * seconds.min()  # then labels between the decades would collide
    axis.xaxis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0)))
    axis.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    axis.xaxis.set_minor_formatter(NullFormatter())
    _set_grid(axis)


def _finish(figure: Figure, data: pd.DataFrame, fronts: dict[Axes, pd.DataFrame]) -> None:
    """A key of the groups, and names beside the points of each front."""
    handles = [*group_key(data["group"]), Line2D([], [], color="0.6", lw=1, label="Pareto front, its methods named")]
    figure.legend(handles=handles, loc="outside lower center", ncols=5, frameon=False, handletextpad=0.4)
    figure.draw_without_rendering()  # fixes the layout, which labels need
    figure.set_layout_engine("none")
    for axis, front in fronts.items():
        _name(axis, front)


def _name(axis: Axes, front: pd.DataFrame) -> None:
    """A method's id beside its point, inside of the axes, where it covers neither a point nor another id."""
    points = [line.get_xydata() for line in axis.lines if line.get_linestyle() == "None"]
    taken = [Bbox.from_extents(x - 4, y - 4, x + 4, y + 4) for x, y in axis.transData.transform(np.concatenate(points))]
    inside = axis.get_window_extent()
    for method, x, y in front[["method", "x", "y"]].itertuples(index=False):
        px, py = axis.transData.transform((x, y))
        half = WIDE * len(method) / 2
        places = [
            (px + (r + half * abs(np.cos(a))) * np.cos(a), py + r * np.sin(a))
            for r in (9, 15, 24, 36, 48, 60)
            for a in AROUND
        ]
        boxes = [Bbox.from_extents(ax - half, ay - HIGH / 2, ax + half, ay + HIGH / 2) for ax, ay in places]
        fits = [
            inside.x0 <= box.x0 and box.x1 <= inside.x1 and inside.y0 <= box.y0 and box.y1 <= inside.y1 for box in boxes
        ]
        free = next((k for k, box in enumerate(boxes) if fits[k] and not box.count_overlaps(taken)), 0)
        taken.append(boxes[free])
        line = (
            {"arrowstyle": "-", "color": "0.6", "lw": 0.5, "shrinkA": 0, "shrinkB": 2} if free >= len(AROUND) else None
        )
        at = axis.transData.inverted().transform(places[free])
        axis.annotate(method, xy=(x, y), xytext=(float(at[0]), float(at[1])), ha="center", va="center", fontsize=POINTS,
                      arrowprops=line, zorder=4, path_effects=[withStroke(linewidth=2, foreground="white")])  # fmt: skip
