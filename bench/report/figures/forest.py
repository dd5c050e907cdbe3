"""The declared comparisons, each person a dot."""

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.metrics.scores import BY_ID
from bench.report.claims import Claim, Verdict
from bench.report.declared import BESIDE, PRIMARY, margin
from bench.report.figures.drawing import BLACK, BLUE, STYLE
from bench.report.read.results import DatasetResults
from bench.report.tables.captions import about_data
from bench.report.tables.verdict import named, outcome, pair

SPREAD = 0.18  # half the height of a cloud of dots


def forest_plot(results: DatasetResults, verdict: Verdict) -> Figure | None:
    """A panel a class, a row a comparison, with a band in which a difference does not matter; None without any."""
    beside = [c for c in verdict.exploratory if c.declared in BESIDE and c.score == PRIMARY[c.declared.loss]]
    panels = {
        loss: found for loss in PRIMARY if (found := [c for c in (*verdict.made, *beside) if c.declared.loss == loss])
    }
    if not panels:
        return None
    rows = [len(found) for found in panels.values()]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.6, 0.46 * sum(rows) + 0.75 * len(rows) + 0.5), layout="constrained")
        figure.suptitle(f"{about_data(results)}\ndeclared comparisons, one dot a person", fontsize=10)
        axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=[n + 0.6 for n in rows])[:, 0]
        for axis, (loss, found) in zip(axes, panels.items(), strict=True):
            _draw(axis, loss, found)
    return figure


def _draw(axis: Axes, loss: str, found: list[Claim]) -> None:
    score = BY_ID[PRIMARY[loss]]
    band = margin(score.id)
    axis.axvspan(-band, band, color="0.93", lw=0, zorder=0)
    axis.axvline(0, color=BLACK, lw=0.8, zorder=1)
    for i, claim in enumerate(found):
        assert claim.paired is not None
        values = [value for _, value in claim.people]
        across = i + (np.linspace(-SPREAD, SPREAD, len(values)) if len(values) > 1 else np.zeros(1))
        axis.scatter(values, across, s=14, color=BLUE, lw=0, alpha=0.7, zorder=2)
        axis.plot([claim.paired.mean] * 2, [i - 0.3, i + 0.3], color=BLACK, lw=2, zorder=3)
        if claim.paired.tested:
            axis.plot([claim.paired.low, claim.paired.high], [i, i], color=BLACK, lw=1.2, zorder=3)
    labels = [f"{named(claim)} {pair(claim)}\n{_below(claim)}" for claim in found]
    axis.set_yticks(range(len(found)), labels, fontsize=7)
    axis.set_ylim(len(found) - 0.5, -0.5)
    axis.set_title(f"class {loss}", loc="left")
    aim = "right" if score.higher_is_better else "left"
    axis.set_xlabel(f"{score.label}; {aim} of 0: in favour of the first")
    axis.grid(axis="x", color="0.88", zorder=0)


def _below(claim: Claim) -> str:
    """What is shown, or of how many people the dots are."""
    assert claim.paired is not None
    n = claim.paired.people
    if not claim.paired.tested:
        return f"{n} people, not tested" if n > 1 else "one person, not tested"
    shown = outcome(claim).split(":")[0]
    return shown if claim.confirmatory else f"{shown} (exploratory)"
