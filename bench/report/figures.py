"""Figures: methods with error maps, and masks with examples (paper, Figs. 3 and 5-8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from bench.report.collect import Block, Run
from bench.store import atomic_path, read_images

COLUMNS = 6
PANEL, GAP, TITLE, HEAD, FOOT = 1.55, 0.06, 0.2, 0.4, 0.6  # inches
ERROR_LABEL = "error: |image − truth| / truth's maximum. In the corners: PSNR, LPIPS if any"
CORNER: dict[str, Any] = {
    "color": "white",
    "fontsize": 6.5,
    "bbox": {"facecolor": "black", "alpha": 0.75, "pad": 1, "edgecolor": "none"},
}
ERROR_PERCENTILE = 99.0  # of all methods' errors, the top of the shared scale
WINDOW_PERCENTILE = 99.5  # of the truth, the top of the grey scale: bright scalp would leave the brain dark
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8,
    "svg.hashsalt": "bench",
    "pdf.fonttype": 42,
}
NO_DATES: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
}


@dataclass(frozen=True)
class Panel:
    """An image with what stands below it."""

    title: str
    image: NDArray[Any] | None  # in units of the truth's maximum
    below: NDArray[Any] | None  # an error map, or a mask
    corner: str = ""  # scores, or why there is no image


def save(figure: Figure, path: Path, pdf: bool) -> list[Path]:
    """Write PNG, and PDF if asked, with neither date nor software version inside."""
    FigureCanvasAgg(figure)
    written = []
    for ending in ("png", "pdf") if pdf else ("png",):
        target = path.parent / f"{path.name}.{ending}"
        with atomic_path(target) as temporary, mpl.rc_context(STYLE):
            figure.savefig(temporary, format=ending, dpi=130, metadata=NO_DATES[ending])
        written.append(target)
    return written


def stored_names(reference: dict[str, NDArray[Any]]) -> list[str]:
    """Slices with stored images, "contrast/subject/number"."""
    return sorted({name.rsplit("/", 1)[0] for name in reference})


def read_reference(block: Block) -> dict[str, NDArray[Any]]:
    """Truth, LR input, mask and foreground of the stored slices, of all folds."""
    files = sorted(block.folder.glob("reference*.npz")) or [block.folder / "reference.npz"]
    return {name: image for file in files for name, image in read_images(file).items()}


def median_slice(block: Block, contrast: str) -> str | None:
    """The middle one of a contrast's stored slices, by the zero-filled error that they were chosen by."""
    reference = read_reference(block)
    names = [name for name in stored_names(reference) if name.startswith(f"{contrast}/")]

    def error(name: str) -> float:
        truth, low = reference[f"{name}/truth"][::2, ::2], reference[f"{name}/lr"]
        return float(((low - truth) ** 2).sum() / (truth**2).sum())

    return sorted(names, key=error)[len(names) // 2] if names else None


def method_grid(block: Block, name: str) -> Figure:
    """Truth, LR input and every method; below each its error on one shared scale; PSNR and LPIPS in the corner."""
    panels = grid_panels(block, name)
    top = error_top(panels)
    truth = panels[0].image
    assert truth is not None
    window = float(np.percentile(truth, WINDOW_PERCENTILE))
    columns, rows = max(min(COLUMNS, len(panels)), 4), -(-len(panels) // COLUMNS)
    tall = PANEL * truth.shape[0] / truth.shape[1]
    width, height = columns * (PANEL + GAP) + GAP, HEAD + rows * (TITLE + 2 * tall + GAP) + FOOT
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height))

        def place(column: int, y: float) -> Axes:
            x = GAP + column * (PANEL + GAP)
            axis = figure.add_axes((x / width, 1 - (y + tall) / height, PANEL / width, tall / height))
            axis.set_axis_off()
            return axis

        drawn = None
        for i, panel in enumerate(panels):
            y = HEAD + i // COLUMNS * (TITLE + 2 * tall + GAP) + TITLE
            _draw_image(panel, place(i % COLUMNS, y), window)
            if panel.below is not None:
                drawn = _draw_below(panel.below, place(i % COLUMNS, y + tall + GAP / 2), top) or drawn
        if drawn is not None:
            axis = figure.add_axes((0.3 / width, 0.4 / height, 1 - 0.6 / width, 0.1 / height))
            figure.colorbar(drawn, cax=axis, orientation="horizontal", extend="max", label=ERROR_LABEL)
        contrast, subject, number = name.split("/")
        title = f"{block.dataset}, profile {block.profile}: {block.label}\n{contrast}, {subject}, slice {number}"
        figure.text(0.5, 1 - 0.05 / height, title, ha="center", va="top", fontsize=10)
    return figure


def grid_panels(block: Block, name: str) -> list[Panel]:
    """What the grid shows, in the table's order; a method without an image keeps its place and says why."""
    reference = read_reference(block)
    truth, low, mask = (reference[f"{name}/{part}"] for part in ("truth", "lr", "mask"))
    peak = float(truth.max())
    panels = [
        Panel("fully sampled HR (truth)", truth / peak, None),
        Panel(f"LR input, {mask.size / mask.sum():.1f}×, zero-filled", low / peak, mask),
    ]
    return [*panels, *(_method_panel(block.of(method), name, truth) for method in block.methods())]


def _method_panel(runs: Sequence[Run], name: str, truth: NDArray[Any]) -> Panel:
    """The image of the first seed and fold that has it."""
    for run in runs:
        image = read_images(run.folder / "images.npz").get(name) if run.rows is not None else None
        if image is not None:
            peak = truth.max()
            return Panel(run.method, image / peak, np.abs(image - truth) / peak, _scores(run.rows, name))
    done = any(run.rows is not None for run in runs)
    return Panel(runs[0].method, None, None, "no image stored" if done else str(runs[0].record["status"]))


def error_top(panels: Sequence[Panel]) -> float:
    """Top of the one error scale."""
    errors = [panel.below.ravel() for panel in panels if panel.below is not None and panel.below.dtype != bool]
    return float(np.percentile(np.concatenate(errors), ERROR_PERCENTILE)) if errors else 1.0


def _scores(rows: Any, name: str) -> str:
    contrast, subject, number = name.split("/")
    row = rows[(rows["contrast"] == contrast) & (rows["subject"] == subject) & (rows["slice"] == int(number))]
    if row.empty:
        return ""
    lpips = row["lpips"].iloc[0]
    return f"{row['psnr'].iloc[0]:.2f} dB" + ("" if np.isnan(lpips) else f"  {lpips:.3f}")


def _draw_image(panel: Panel, axis: Axes, window: float) -> None:
    axis.set_title(panel.title, pad=3)
    if panel.image is None:
        axis.text(0.5, 0.5, panel.corner, transform=axis.transAxes, ha="center", va="center", color="0.35")
        return
    axis.imshow(panel.image, cmap="gray", vmin=0, vmax=window, interpolation="nearest", aspect="auto")
    if panel.corner:
        axis.text(0.98, 0.02, panel.corner, transform=axis.transAxes, ha="right", va="bottom", **CORNER)


def _draw_below(below: NDArray[Any], axis: Axes, top: float) -> AxesImage | None:
    """Return the error map, for the colour bar."""
    if below.dtype != bool:
        return axis.imshow(below, cmap="inferno", vmin=0, vmax=top, interpolation="nearest", aspect="auto")
    axis.imshow(below, cmap="gray", vmin=0, vmax=1, interpolation="nearest", aspect="auto")
    axis.text(0.98, 0.02, "sampled LR k-space", transform=axis.transAxes, ha="right", va="bottom", **CORNER)
    return None


def examples(blocks: Sequence[Block]) -> Figure:
    """Cropping mask, undersampling mask in LR k-space, LR and HR example of each dataset."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9, 2.7 * len(blocks) + 0.2), layout="constrained")
        axes = figure.subplots(len(blocks), 4, squeeze=False)
        for row, block in zip(axes, blocks, strict=True):
            reference = read_reference(block)
            name = median_slice(block, block.contrasts()[0]) or stored_names(reference)[0]
            truth, low, mask = (reference[f"{name}/{part}"] for part in ("truth", "lr", "mask"))
            titles = ("cropping mask, HR k-space", f"sampled, LR k-space, {mask.size / mask.sum():.2f}×",
                      "LR, zero-filled", "HR, fully sampled")  # fmt: skip
            for axis, image, title in zip(row, (_kept(truth.shape, mask.shape), mask, low, truth), titles, strict=True):
                top = 1.0 if image.dtype == bool else float(np.percentile(truth, WINDOW_PERCENTILE))
                axis.imshow(image, cmap="gray", vmin=0, vmax=top, interpolation="nearest")
                axis.set(title=title, xticks=[], yticks=[])
                axis.set_xlabel(f"{image.shape[0]} × {image.shape[1]}")
            row[0].set_ylabel(f"{block.dataset}, {block.profile}\n{block.label}")
    return figure


def _kept(shape: tuple[int, ...], low: tuple[int, ...]) -> NDArray[np.bool_]:
    """The centre of HR k-space that the LR acquisition keeps; DC at n // 2 in both."""
    kept = np.zeros(shape, bool)
    y, x = (full // 2 - part // 2 for full, part in zip(shape, low, strict=True))
    kept[y : y + low[0], x : x + low[1]] = True
    return kept
