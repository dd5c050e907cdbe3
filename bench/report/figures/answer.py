"""The declared comparisons of all datasets in one figure: each person a dot."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bench.metrics.scores import BY_ID
from bench.report.claims import Claim, Verdict
from bench.report.declared import PRIMARY, margin
from bench.report.figures.drawing import BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY, STYLE, VERMILLION
from bench.report.read.results import DatasetResults
from bench.report.tables.captions import people_said
from bench.report.tables.verdict import outcome

COLUMNS = [
    "claim", "class", "asks", "dataset", "profile", "one", "other", "picked", "score", "person", "difference", "mean", "low",
    "high", "shown",
]  # fmt: skip
COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
SPREAD = 0.22  # half the height of a cloud of dots
LINE = 0.22  # inches a row
LEFT = -42  # points from the axis to where headings begin
EXPLORATORY = " *"


DOTS_SAID = (
    f"a dot is a person, the bar the mean, the line its interval, grey what is called practically equal "
    f"(±{margin('psnr_fg'):g} dB, ±{margin('lpips_fg'):g}). {EXPLORATORY.strip()} exploratory: p is adjusted for all of "
    "these, so nothing may be decided where a line misses 0. Of one or two people nothing is tested."
)


def claims(found: Sequence[tuple[DatasetResults, Verdict]]) -> pd.DataFrame:
    """A row a person of each comparison whose people are shown: class by class, each on every dataset that has it."""
    rows = [
        [*_about(results, claim), person, difference, *_interval(claim), _shown(claim)]
        for results, verdict in found
        for claim in verdict.by_person
        for person, difference in claim.people
    ]
    data = pd.DataFrame(rows, columns=COLUMNS)
    asked = {asks: i for i, asks in enumerate(data["asks"].drop_duplicates())}
    order = data["class"].map(list(PRIMARY).index) * len(asked) + data["asks"].map(asked)
    return data.loc[order.sort_values(kind="stable").index]


def _about(results: DatasetResults, claim: Claim) -> list[object]:
    declared = claim.declared
    about = [declared.number, declared.loss, declared.asks, results.dataset, results.profile]
    return [*about, claim.one, claim.other, declared.picked, claim.score]


def _interval(claim: Claim) -> list[float]:
    """Mean, and the ends of its interval where it is tested."""
    assert claim.paired is not None
    ends = (claim.paired.low, claim.paired.high) if claim.paired.tested else (np.nan, np.nan)
    return [claim.paired.mean, *ends]


def _shown(claim: Claim) -> str:
    assert claim.paired is not None
    if not claim.paired.tested:
        return people_said(claim.paired.people)
    return outcome(claim).split(":")[0] + ("" if claim.confirmatory else EXPLORATORY)


def answer_plot(data: pd.DataFrame) -> Figure | None:
    """Of `claims`: a panel a class; in it, below the words of each comparison, a row a dataset; None without any."""
    panels = {str(loss): own for loss, own in data.groupby("class", sort=False)}
    if not panels:
        return None
    datasets = (data["dataset"] + data["profile"]).drop_duplicates()
    colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(sorted(datasets))}
    heights = [_rows(own) + 1.0 for own in panels.values()]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.8, LINE * sum(heights) + 0.55 * len(panels)), layout="constrained")
        axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
        for axis, (loss, own) in zip(axes, panels.items(), strict=True):
            _draw(axis, loss, own, colours)
    return figure


def heading(own: pd.DataFrame) -> str:
    """The words of a comparison, and its methods where they are the same on every dataset."""
    first = own.iloc[0]
    which = "" if first["picked"] else f": {first['one']} − {first['other']}"
    return f"{first['asks'].split(',')[0]}{which}"


def said(row: pd.Series) -> str:
    """ "+0.19, not decided", of one dataset."""
    figure = f"{row['mean']:+.{BY_ID[row['score']].digits}f}, {row['shown']}"
    return f"{figure}: {row['one']} − {row['other']}" if row["picked"] else figure


def _rows(own: pd.DataFrame) -> int:
    return own["asks"].nunique() + len(own.drop_duplicates(["asks", "dataset", "profile"]))


def _draw(axis: Axes, loss: str, own: pd.DataFrame, colours: dict[str, str]) -> None:
    score = BY_ID[PRIMARY[loss]]
    axis.axvspan(-margin(score.id), margin(score.id), color="0.92", lw=0, zorder=0)
    axis.axvline(0, color=BLACK, lw=0.8, zorder=1)
    labels: list[str] = []
    for _, asked in own.groupby("asks", sort=False):
        _write(axis, heading(asked), (0, len(labels)), LEFT, fontsize=8, fontweight="bold")
        labels.append("")
        for (dataset, profile), people in asked.groupby(["dataset", "profile"], sort=False):
            _draw_row(axis, len(labels), people, colours[f"{dataset}{profile}"])
            labels.append(str(dataset))
    axis.set_yticks(range(len(labels)), labels, fontsize=7.5)
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)
    axis.xaxis.set_major_locator(MaxNLocator(6))
    axis.set_ylim(len(labels) - 0.4, -0.6)
    axis.set_xlabel(axis_said(loss))
    axis.grid(axis="x", color="0.9", zorder=0)


def axis_said(loss: str) -> str:
    """What the difference is of, and on which side the first is better."""
    score = BY_ID[PRIMARY[loss]]
    return f"class {loss}: {score.label}; {'right' if score.higher_is_better else 'left'} of 0 in favour of the first"


def _draw_row(axis: Axes, y: int, people: pd.DataFrame, colour: str) -> None:
    first, values = people.iloc[0], people["difference"]
    across = y + (np.linspace(-SPREAD, SPREAD, len(values)) if len(values) > 1 else np.zeros(1))
    axis.scatter(values, across, s=11, color=colour, lw=0, alpha=0.65, zorder=2)
    if not np.isnan(first["low"]):
        axis.plot([first["low"], first["high"]], [y, y], color=BLACK, lw=1.4, zorder=3)
    if len(values) > 1:
        axis.plot([first["mean"]] * 2, [y - 0.33, y + 0.33], color=BLACK, lw=2, zorder=3)
    _write(axis, said(first), (1, y), 6, fontsize=7.5)


def _write(axis: Axes, text: str, at: tuple[float, float], offset: float, **look: Any) -> None:
    """Text at a share of the width and a row, so many points further right."""
    axis.annotate(text, at, (offset, 0), xycoords=("axes fraction", "data"), textcoords="offset points", va="center",
                  annotation_clip=False, **look)  # fmt: skip
