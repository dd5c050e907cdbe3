"""Figures: methods with error maps, and masks with examples (paper, Figs. 3 and 5-8)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bench.report.collect import Block
from bench.store import atomic_path, read_images

COLUMNS = 6
ERROR_PERCENTILE = 99.0  # of all methods' errors, the top of the shared scale
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8,
    "svg.hashsalt": "bench",
    "pdf.fonttype": 42,
}


def save(figure: Figure, path: Path, pdf: bool) -> list[Path]:
    """Write PNG, and PDF if asked, with neither date nor software version inside."""
    FigureCanvasAgg(figure)
    written = []
    for ending, metadata in (
        ("png", {"Software": None}),
        ("pdf", {"CreationDate": None, "Producer": None, "Creator": None}),
    ):
        if ending == "png" or pdf:
            target = path.with_suffix(f".{ending}")
            with atomic_path(target) as temporary:
                figure.savefig(temporary, format=ending, dpi=130, metadata=metadata)
            written.append(target)
    return written


def stored_names(block: Block) -> list[str]:
    """Slices with stored images, "contrast/subject/number"."""
    return sorted({name.rsplit("/", 1)[0] for name in read_images(block.folder / "reference.npz")})


def median_slice(block: Block, contrast: str) -> str | None:
    """The middle one of a contrast's stored slices, by the zero-filled error that they were chosen by."""
    reference = read_images(block.folder / "reference.npz")
    names = [name for name in stored_names(block) if name.startswith(f"{contrast}/")]

    def error(name: str) -> float:
        truth, low = reference[f"{name}/truth"][::2, ::2], reference[f"{name}/lr"]
        return float(((low - truth) ** 2).sum() / (truth**2).sum())

    return sorted(names, key=error)[len(names) // 2] if names else None


def method_grid(block: Block, name: str) -> Figure:
    """Truth, LR input and every method; below each its error on one shared scale; PSNR and LPIPS in the corner."""
    reference = read_images(block.folder / "reference.npz")
    truth, low = reference[f"{name}/truth"], reference[f"{name}/lr"]
    peak = float(truth.max())
    images = {run.method: read_images(run.folder / "images.npz") for run in block.done}
    shown = [method for method in block.methods() if name in images.get(method, {})]
    errors = {method: np.abs(images[method][name] - truth) / peak for method in shown}
    top = float(np.percentile(np.stack(list(errors.values())), ERROR_PERCENTILE)) if errors else 1.0
    panels: list[tuple[str, NDArray[Any], NDArray[Any] | None, str]] = [
        ("fully sampled HR (truth)", truth, None, ""), ("LR input, zero-filled", low, None, ""),
        *((method, images[method][name], errors[method], _scores(block, method, name)) for method in shown),
    ]  # fmt: skip
    with mpl.rc_context(STYLE):
        rows = -(-len(panels) // COLUMNS)
        height = truth.shape[0] / truth.shape[1] * 1.55
        figure = Figure(figsize=(COLUMNS * 1.6, rows * (2 * height + 0.35) + 0.75), layout="constrained")
        axes = figure.subplots(2 * rows, min(COLUMNS, max(len(panels), 2)), squeeze=False)
        for axis in axes.flat:
            axis.axis("off")
        drawn = None
        for i, (title, image, error, scores) in enumerate(panels):
            upper, lower = axes[2 * (i // COLUMNS), i % COLUMNS], axes[2 * (i // COLUMNS) + 1, i % COLUMNS]
            upper.imshow(image / peak, cmap="gray", vmin=0, vmax=_window(truth / peak), interpolation="nearest")
            upper.set_title(title)
            if scores:
                upper.text(0.02, 0.02, scores, color="white", fontsize=6.5, transform=upper.transAxes, va="bottom",
                           bbox={"facecolor": "black", "alpha": 0.6, "pad": 1, "edgecolor": "none"})  # fmt: skip
            if error is not None:
                drawn = lower.imshow(error, cmap="inferno", vmin=0, vmax=top, interpolation="nearest")
        if drawn is not None:
            bar = figure.colorbar(drawn, ax=axes, location="bottom", fraction=0.03, aspect=60, pad=0.01)
            bar.set_label("|error| / truth's maximum")
        contrast, subject, number = name.split("/")
        figure.suptitle(
            f"{block.dataset}, profile {block.profile}: {block.label}\n{contrast}, {subject}, slice {number}",
            fontsize=9,
        )
    return figure


def _window(image: NDArray[Any]) -> float:
    """Top of the grey scale: bright scalp would leave the brain dark."""
    return float(np.percentile(image, 99.5))


def _scores(block: Block, method: str, name: str) -> str:
    contrast, subject, number = name.split("/")
    for run in block.done:
        if run.method == method and run.rows is not None:
            rows = run.rows
            row = rows[(rows["contrast"] == contrast) & (rows["subject"] == subject) & (rows["slice"] == int(number))]
            if len(row):
                lpips = row["lpips"].iloc[0]
                return f"{row['psnr'].iloc[0]:.2f} dB" + ("" if np.isnan(lpips) else f"  {lpips:.3f}")
    return ""


def examples(blocks: Sequence[Block]) -> Figure:
    """Cropping mask, undersampling mask in LR k-space, LR and HR example of each dataset."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9, 2.6 * len(blocks) + 0.3), layout="constrained")
        axes = figure.subplots(len(blocks), 4, squeeze=False)
        for row, block in zip(axes, blocks, strict=True):
            reference = read_images(block.folder / "reference.npz")
            name = stored_names(block)[0]
            truth, low, mask = (reference[f"{name}/{part}"] for part in ("truth", "lr", "mask"))
            cropping = np.zeros(truth.shape, bool)
            y, x = (np.asarray(truth.shape) - np.asarray(mask.shape)) // 2
            cropping[y : y + mask.shape[0], x : x + mask.shape[1]] = True
            share = mask.mean()
            titles = ("cropping mask, HR k-space", f"undersampling mask, LR k-space ({1 / share:.2f}x)",
                      "LR, zero-filled", f"HR, fully sampled\n{name}")  # fmt: skip
            for axis, image, title in zip(row, (cropping, mask, low, truth), titles, strict=True):
                top = 1 if image.dtype == bool else _window(truth)
                axis.imshow(image, cmap="gray", vmin=0, vmax=top, interpolation="nearest")
                axis.set_title(title)
                axis.set_xticks([])
                axis.set_yticks([])
            row[0].set_ylabel(f"{block.dataset}, {block.profile}\n{block.label}")
    return figure
