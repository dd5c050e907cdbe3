"""Masks and examples (paper, Fig. 3), and all methods with error maps (Figs. 5-8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray

from bench.mri.masks import central
from bench.report.figures.drawing import FOOT, GAP, PANEL, STYLE, Sheet, balanced, corner, named, show, what
from bench.report.read.images import Stored
from bench.report.read.results import Block

ERROR_LABEL = "error: |image − truth| / truth's maximum. In the corners: PSNR, LPIPS if any"
ERROR_PERCENTILE = 99.0  # of all methods' errors, the top of the shared scale


@dataclass(frozen=True)
class Panel:
    """An image with what stands below it."""

    title: str
    image: NDArray[Any] | None  # in units of the truth's maximum
    below: NDArray[Any] | None  # an error map, or a mask
    corner: str = ""  # scores, or why there is no image
    method: str = ""


def method_grid(block: Block, stored: Stored, name: str) -> Figure:
    """Truth, LR input and every method; below each its error on one shared scale; PSNR and LPIPS in the corner."""
    panels = grid_panels(block, stored, name)
    top = error_top(panels)
    truth = stored.part(name, "truth")
    window = stored.window(name) / float(truth.max())
    tall = PANEL * truth.shape[0] / truth.shape[1]
    columns = balanced(len(panels), 6, 8)
    contrast, subject, number = name.split("/")
    with mpl.rc_context(STYLE):
        heading = f"{what(block)}\n{contrast}, {subject}, slice {number}"
        sheet = Sheet(columns, -(-len(panels) // columns), 2 * tall + GAP / 2, truth.shape[1], heading, FOOT)
        drawn = None
        for i, panel in enumerate(panels):
            _draw_image(panel, sheet.place(i, tall), window)
            if panel.below is not None:
                drawn = _draw_below(panel.below, sheet.place(i, tall, tall + GAP / 2), top) or drawn
        if drawn is not None:
            sheet.colour_bar(drawn, ERROR_LABEL)
    return sheet.figure


def grid_panels(block: Block, stored: Stored, name: str) -> list[Panel]:
    """What the grid shows, in the table's order; a method without an image keeps its place and says why."""
    truth, low, mask = (stored.part(name, part) for part in ("truth", "lr", "mask"))
    peak = float(truth.max())
    panels = [
        Panel("fully sampled HR (truth)", truth / peak, None),
        Panel(f"LR, {mask.size / mask.sum():.1f}×, zero-filled", low / peak, mask),
    ]
    for method in block.methods():
        image = stored.image(method, name)
        if image is None:
            panels.append(Panel(named(block, method), None, None, _why_none(block, method), method))
        else:
            error = np.abs(image - truth) / peak
            panels.append(Panel(named(block, method), image / peak, error, stored.scores(method, name), method))
    return panels


def _why_none(block: Block, method: str) -> str:
    runs = block.of(method)
    done = any(run.rows is not None for run in runs)
    return "no image stored" if done else str(runs[0].record["status"])


def error_top(panels: Sequence[Panel]) -> float:
    """Top of the one error scale."""
    errors = [panel.below.ravel() for panel in panels if panel.below is not None and panel.below.dtype != bool]
    return float(np.percentile(np.concatenate(errors), ERROR_PERCENTILE)) if errors else 1.0


def _draw_image(panel: Panel, axis: Axes, window: float) -> None:
    axis.set_title(panel.title, pad=3)
    if panel.image is None:
        axis.text(0.5, 0.5, panel.corner, transform=axis.transAxes, ha="center", va="center", color="0.35")
        return
    show(axis, panel.image, window)
    if panel.corner:
        corner(axis, panel.corner)


def _draw_below(below: NDArray[Any], axis: Axes, top: float) -> AxesImage | None:
    """Return the error map, for the colour bar."""
    if below.dtype != bool:
        return show(axis, below, top, "inferno")
    show(axis, below, 1)
    corner(axis, "sampled LR k-space")
    return None


def example(block: Block, stored: Stored) -> str | None:
    """A slice of the first contrast that has one."""
    return next((name for contrast in block.contrasts() if (name := stored.median(contrast))), None)


def examples(blocks: Sequence[tuple[Block, Stored]]) -> Figure | None:
    """Cropping mask, undersampling mask in LR k-space, LR and HR example of each dataset that has a stored slice."""
    shown = [(block, stored, name) for block, stored in blocks if (name := example(block, stored))]
    if not shown:
        return None
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9, 2.8 * len(shown) + 0.2), layout=ConstrainedLayoutEngine(hspace=0.06))
        axes = figure.subplots(len(shown), 4, squeeze=False)
        for row, (block, stored, name) in zip(axes, shown, strict=True):
            truth, low, mask = (stored.part(name, part) for part in ("truth", "lr", "mask"))
            kept = central((truth.shape[0], truth.shape[1]), (mask.shape[0], mask.shape[1]))
            titles = ("cropping mask, HR k-space", f"sampled, LR k-space, {mask.size / mask.sum():.2f}×",
                      "LR, zero-filled", "HR, fully sampled")  # fmt: skip
            for axis, image, title in zip(row, (kept, mask, low, truth), titles, strict=True):
                top = 1.0 if image.dtype == bool else stored.window(name)
                axis.imshow(image, cmap="gray", vmin=0, vmax=top, interpolation="nearest")
                axis.set(title=title, xticks=[], yticks=[])
                axis.spines[:].set_visible(False)
                axis.set_xlabel(f"{image.shape[0]} × {image.shape[1]}")
            row[0].set_ylabel(f"{block.dataset}, {block.profile}\n{block.label}")
    return figure
