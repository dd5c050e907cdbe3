"""What the page's slice browser shows: 8-bit images of every stored slice, in units of the truth's maximum."""

import base64
import io
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.report.figures.grids import error_top, grid_panels
from bench.report.read.images import Stored
from bench.report.read.results import Block

TRUTH, INPUT = "truth", "LR input, zero-filled"
COLOURS = 17  # points of the colour map, between which the page interpolates


def data(blocks: Sequence[tuple[Block, Stored]]) -> dict[str, Any]:
    """Everything, ready for JSON; blocks without a stored slice are left out."""
    shown = [_block(block, stored) for block, stored in blocks]
    points = mpl.colormaps["inferno"](np.linspace(0, 1, COLOURS))[:, :3]
    return {
        "blocks": [block for block in shown if block["slices"]],
        "colours": np.round(points * 255).astype(int).tolist(),
    }


def _block(block: Block, stored: Stored) -> dict[str, Any]:
    names = [name for contrast in block.contrasts() for name in stored.names(contrast)]
    group = {run.method: run.record["group"] for run in block.runs}
    return {
        "id": f"{block.dataset}-{block.profile}",
        "title": f"{block.dataset}, profile {block.profile}",
        "label": block.label,
        "groups": {method: group[method] for method in block.methods()},
        "slices": [_slice(block, stored, name) for name in names],
    }


def _slice(block: Block, stored: Stored, name: str) -> dict[str, Any]:
    contrast, subject, number = name.split("/")
    truth = stored.part(name, "truth")
    peak = float(truth.max())
    images = {TRUTH: truth, INPUT: stored.part(name, "lr")}
    images |= {m: image for m in block.methods() if (image := stored.image(m, name)) is not None}
    panels = grid_panels(block, stored, name)
    return {
        "id": name,
        "contrast": contrast,
        "name": f"{subject}, slice {number}",
        "size": [truth.shape[1], truth.shape[0]],
        "window": round(stored.window(name) / peak, 3),
        "errorTop": round(error_top(panels), 3),
        "images": {method: png(image / peak) for method, image in images.items()},
        "scores": {m: s.replace("  ", ", LPIPS ") for m in block.methods() if (s := stored.scores(m, name))},
        "missing": {panel.method: panel.corner for panel in panels if panel.image is None},
    }


def png(image: NDArray[Any]) -> str:
    """A grey PNG in base64: 0 black, 1 and above white."""
    levels = np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, format="PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()
