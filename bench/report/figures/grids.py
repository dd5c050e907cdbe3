"""Masks and examples (paper, Fig. 3), and all methods with error maps (Figs. 5-8)."""

from collections.abc import Mapping, Sequence
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
from bench.report.figures.drawing import (
    FOOT,
    GAP,
    PANEL,
    SKY,
    STYLE,
    Sheet,
    balanced,
    corner,
    named,
    scale_bar,
    show,
    sides,
    slice_title,
    title,
)
from bench.report.read.images import KeptImages, example
from bench.report.read.results import DatasetResults
from bench.report.tables.captions import about_data
from bench.store.images import SliceName

ERROR_LABEL = (
    "error: |image − truth| / truth's maximum; outside of the foreground in grey. In the corners: PSNR, LPIPS if any"
)
GREY = 1.6  # times the scale's top is white outside of the foreground
ERROR_PERCENTILE = 99.0  # of all methods' errors inside of the head, the top of the shared scale


@dataclass(frozen=True)
class Panel:
    """An image with what stands below it."""

    title: str
    """What stands above it."""
    image: NDArray[Any] | None
    """In units of the truth's maximum."""
    below: NDArray[Any] | None
    """An error map, or a mask."""
    corner: str = ""
    """Scores, or why there is no image."""
    method: str = ""
    """Id, if it is a method's."""
    inside: NDArray[np.bool_] | None = None
    """The foreground: its edge is drawn into the truth, and errors outside of it are grey."""


def method_grid(results: DatasetResults, images: KeptImages, name: SliceName) -> Figure:
    """Truth, LR input and every method; below each its error on one shared scale; PSNR and LPIPS in the corner."""
    panels = grid_panels(results, images, name)
    top = error_top(panels)
    truth = images.part(name, "truth")
    window, voxel = images.window(name) / float(truth.max()), results.runs[0].record.voxel_mm
    tall = PANEL * truth.shape[0] / truth.shape[1]
    columns = balanced(len(panels), 6, 8)
    with mpl.rc_context(STYLE):
        heading = f"{about_data(results)}\n{slice_title(name)}"
        sheet = Sheet(columns, -(-len(panels) // columns), 2 * tall + GAP / 2, truth.shape[1], heading, FOOT)
        drawn = None
        for i, panel in enumerate(panels):
            axis = sheet.place(i, tall)
            _draw_image(panel, axis, window)
            if i == 0 and voxel:
                scale_bar(axis, voxel[1])
            if i == 0 and results.simulated:
                sides(axis)
            if panel.below is not None:
                drawn = _draw_below(panel, sheet.place(i, tall, tall + GAP / 2), top) or drawn
        if drawn is not None:
            sheet.colour_bar(drawn, ERROR_LABEL)
    return sheet.figure


def grid_panels(results: DatasetResults, images: KeptImages, name: SliceName) -> list[Panel]:
    """What the grid shows, in the table's order; a method without an image keeps its place and says why."""
    truth, low, mask = (images.part(name, part) for part in ("truth", "lr", "mask"))
    peak = float(truth.max())
    panels = [
        Panel("fully sampled HR (truth)", truth / peak, None, inside=images.inside(name)),
        Panel(f"LR, {mask.size / mask.sum():.1f}×, zero-filled", low / peak, mask),
    ]
    for method in results.methods():
        title, image = named(method, results.group(method)), images.image(method, name)
        if image is None:
            panels.append(Panel(title, None, None, _why_none(results, method), method))
        else:
            error, scores = np.abs(image - truth) / peak, _scores(images.scores(method, name))
            panels.append(Panel(title, image / peak, error, scores, method, images.inside(name)))
    return panels


def _why_none(results: DatasetResults, method: str) -> str:
    runs = results.of(method)
    done = any(run.rows is not None for run in runs)
    return "no image kept" if done else runs[0].record.status


def _scores(found: Mapping[str, float]) -> str:
    """ "31.10 dB  0.050"."""
    formats = {"psnr": "{:.2f} dB", "lpips": "{:.3f}"}
    return "  ".join(formats[score].format(value) for score, value in found.items())


def error_top(panels: Sequence[Panel]) -> float:
    """Top of the one error scale."""
    errors = [panel.below[panel.inside] for panel in panels if panel.below is not None and panel.inside is not None]
    return float(np.percentile(np.concatenate(errors), ERROR_PERCENTILE)) if errors else 1.0


def _draw_image(panel: Panel, axis: Axes, window: float) -> None:
    """The image; where the panel has one, with the edge of the foreground."""
    title(axis, panel.title)
    if panel.image is None:
        axis.text(0.5, 0.5, panel.corner, transform=axis.transAxes, ha="center", va="center", color="0.35")
        return
    show(axis, panel.image, window)
    if panel.inside is not None and panel.below is None:
        axis.contour(panel.inside, levels=[0.5], colors=[SKY], linewidths=0.7)
    if panel.corner:
        corner(axis, panel.corner)


def _draw_below(panel: Panel, axis: Axes, top: float) -> AxesImage | None:
    """Return the error map, for the colour bar."""
    assert panel.below is not None
    if panel.inside is not None:
        show(axis, panel.below, GREY * top)
        return show(axis, np.where(panel.inside, panel.below, np.nan), top, "inferno")
    show(axis, panel.below, 1)
    corner(axis, "sampled LR k-space")
    return None


def examples(found: Sequence[tuple[DatasetResults, KeptImages]]) -> Figure | None:
    """Cropping mask, undersampling mask in LR k-space, LR and HR example of each dataset of which a slice was kept."""
    shown = [(results, images, name) for results, images in found if (name := example(results, images))]
    if not shown:
        return None
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9, 2.8 * len(shown) + 0.2), layout=ConstrainedLayoutEngine(hspace=0.06))
        axes = figure.subplots(len(shown), 4, squeeze=False)
        for row, (results, images, name) in zip(axes, shown, strict=True):
            truth, low, mask = (images.part(name, part) for part in ("truth", "lr", "mask"))
            kept = central((truth.shape[0], truth.shape[1]), (mask.shape[0], mask.shape[1]))
            titles = ("cropping mask, HR k-space", f"sampled, LR k-space, {mask.size / mask.sum():.2f}×",
                      "LR, zero-filled", "HR, fully sampled")  # fmt: skip
            for axis, image, title in zip(row, (kept, mask, low, truth), titles, strict=True):
                top = 1.0 if image.dtype == bool else images.window(name)
                axis.imshow(image, cmap="gray", vmin=0, vmax=top, interpolation="nearest")
                axis.set(title=title, xticks=[], yticks=[])
                axis.spines[:].set_visible(False)
                axis.set_xlabel(f"{image.shape[0]} × {image.shape[1]}")
            row[0].set_ylabel(f"{results.dataset}, {results.profile}\n{results.label}")
    return figure
