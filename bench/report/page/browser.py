"""What the page's slice browser shows: 8-bit images of every kept slice, in units of the truth's maximum."""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.metrics.scores import BY_ID
from bench.report.figures.drawing import PNG_LEVEL, SIDES
from bench.report.figures.grids import error_top, grid_panels
from bench.report.read.images import KeptImages
from bench.report.read.results import DatasetResults
from bench.store.images import SliceName

TRUTH, INPUT = "truth", "LR input, zero-filled"
COLOURS = 17  # points of the colour map, between which the page interpolates


def data(found: Sequence[tuple[DatasetResults, KeptImages]]) -> dict[str, Any]:
    """Everything, ready for JSON; datasets of which no slice was kept are left out."""
    shown = [_section(results, images) for results, images in found]
    points = mpl.colormaps["inferno"](np.linspace(0, 1, COLOURS))[:, :3]
    return {
        "sections": [section for section in shown if section["slices"]],
        "colours": np.round(points * 255).astype(int).tolist(),
    }


def section_id(results: DatasetResults) -> str:
    """The page's id of a dataset and profile."""
    return f"{results.dataset}-{results.profile}"


def _section(results: DatasetResults, images: KeptImages) -> dict[str, Any]:
    names = [name for contrast in results.contrasts() for name in images.names(contrast)]
    return {
        "id": section_id(results),
        "title": results.title,
        "label": results.label,
        "sides": list(SIDES) if results.simulated else [],
        "voxel": (results.runs[0].record.voxel_mm or [None])[-1],
        "groups": {method: results.group(method) for method in results.methods()},
        "slices": [_slice(results, images, name) for name in names],
    }


def _slice(results: DatasetResults, images: KeptImages, name: SliceName) -> dict[str, Any]:
    truth = images.part(name, "truth")
    peak = float(truth.max())
    shown = {TRUTH: truth, INPUT: images.part(name, "lr")}
    shown |= {m: image for m in results.methods() if (image := images.image(m, name)) is not None}
    panels = grid_panels(results, images, name)
    return {
        "id": str(name),
        "contrast": name.contrast,
        "name": f"{name.subject}, slice {name.number}",
        "size": [truth.shape[1], truth.shape[0]],
        "window": round(images.window(name) / peak, 3),
        "errorTop": round(error_top(panels), 3),
        "foreground": png(images.inside(name)),
        "images": {method: png(image / peak) for method, image in shown.items()},
        "scores": {m: _scores(found) for m in results.methods() if (found := images.scores(m, name))},
        "missing": {panel.method: panel.corner for panel in panels if panel.image is None},
    }


def _scores(found: Mapping[str, float]) -> str:
    """ "31.10 dB, LPIPS 0.050"."""
    formats = {"psnr": f"{{:.2f}} {BY_ID['psnr'].unit}", "lpips": f"{BY_ID['lpips'].name} {{:.3f}}"}
    return ", ".join(formats[score].format(value) for score, value in found.items())


def png(image: NDArray[Any]) -> str:
    """A grey PNG in base64: 0 black, 1 and above white."""
    levels = np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, format="PNG", compress_level=PNG_LEVEL)
    return base64.b64encode(buffer.getvalue()).decode()
