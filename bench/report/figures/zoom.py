"""Where methods differ most, enlarged (paper, Figs. 4, 9 and 10). A rule chooses the region, nobody's hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from bench.report.figures.drawing import PANEL, STYLE, VERMILLION, Sheet, balanced, named, show, slice_title, title
from bench.report.read.images import KeptImages
from bench.report.read.results import GROUPS, DatasetResults
from bench.report.tables.captions import about_data
from bench.report.tables.chosen import SINGLE_STAGE
from bench.report.tables.main import best_of, lines
from bench.store.images import SliceName

ABLATED = ("proposed", "ablation-")  # what the ids of the paper's network and of its ablations begin with
SIDE = 0.22  # of the shorter side of the image
CHOSEN_BY = "psnr_fg"
GREY_PERCENTILES = (0.5, 99.5)  # of the region in all images, black and white


@dataclass(frozen=True)
class Region:
    """A square of pixels."""

    y: int
    """First row."""
    x: int
    """First column."""
    side: int
    """Rows, and columns."""

    def of(self, image: NDArray[Any]) -> NDArray[Any]:
        """Its pixels."""
        return image[self.y : self.y + self.side, self.x : self.x + self.side]


def choose_region(images: Sequence[NDArray[Any]], foreground: NDArray[Any]) -> Region:
    """The square in which methods differ most: variance over methods, summed; as far inside the foreground as possible."""
    side = max(8, round(SIDE * min(foreground.shape)))
    inside = _sums(foreground.astype(np.int64), side)
    spread = _sums(np.var(np.stack(images), axis=0, dtype=np.float64), side)
    y, x = np.unravel_index(np.argmax(np.where(inside == inside.max(), spread, -1)), spread.shape)
    return Region(int(y), int(x), side)


def _sums(values: NDArray[Any], side: int) -> NDArray[Any]:
    """The sum in every square of this side; the index is the square's first pixel."""
    total = np.pad(values.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    sums: NDArray[Any] = total[side:, side:] - total[:-side, side:] - total[side:, :-side] + total[:-side, :-side]
    return sums


def shown(results: DatasetResults, images: KeptImages, name: SliceName, groups: Sequence[str]) -> list[str]:
    """Methods of these groups that have an image of the slice."""
    return [m for m in results.methods() if results.group(m) in groups and images.image(m, name) is not None]


def choosing(results: DatasetResults, images: KeptImages, name: SliceName) -> list[str]:
    """Methods that say where it lies: the best joint and the best sequential one, and the single-stage network."""
    ranked = [line for line in lines(results) if images.image(line.method, name) is not None]
    best = (best_of([line for line in ranked if line.group == group], CHOSEN_BY) for group in ("joint", "sequential"))
    own = [line.method for line in best if line]
    return list(dict.fromkeys([*own, *(line.method for line in ranked if line.method == SINGLE_STAGE)]))


def region_of(images: KeptImages, name: SliceName, methods: Sequence[str]) -> Region:
    """The region by the rule, of the truth and these methods."""
    found = [image for method in methods if (image := images.image(method, name)) is not None]
    return choose_region([images.part(name, "truth"), *found], images.part(name, "foreground"))


def zoomed(results: DatasetResults, images: KeptImages, name: SliceName, methods: Sequence[str]) -> Figure | None:
    """The region of these methods, bounds last. A few have a say in where it lies, bounds have none."""
    ranked = [m for m in shown(results, images, name, [group for group in GROUPS if group != "bound"]) if m in methods]
    if not ranked:
        return None
    drawn = [*ranked, *(m for m in shown(results, images, name, ("bound",)) if m in methods)]
    region = region_of(images, name, choosing(results, images, name) or ranked)
    columns = balanced(len(drawn) + 2, 6, 8)
    with mpl.rc_context(STYLE):
        heading = f"{about_data(results)}\n{slice_title(name)}: the square in which the best methods and the truth differ most"
        sheet = Sheet(columns, -(-(len(drawn) + 2) // columns), PANEL, region.side, heading)
        _draw_row(sheet, 0, results, images, name, region, drawn)
    return sheet.figure


def ablation(results: DatasetResults, images: KeptImages) -> Figure | None:
    """The ablations of the paper's network beside it, a row for each contrast."""
    rows = []
    for contrast in results.contrasts():
        name = images.median(contrast)
        own = [m for m in shown(results, images, name, GROUPS) if m.startswith(ABLATED)] if name else []
        if name and any(method.startswith(ABLATED[1]) for method in own):
            rows.append((name, own))
    if not rows:
        return None
    columns = 2 + max(len(methods) for _, methods in rows)
    regions = [region_of(images, name, methods) for name, methods in rows]
    with mpl.rc_context(STYLE):
        heading = (
            f"{about_data(results)}\nthe network of the paper and its ablations: the square in which they differ most"
        )
        sheet = Sheet(columns, len(rows), PANEL, regions[0].side, heading)
        for i, ((name, methods), region) in enumerate(zip(rows, regions, strict=True)):
            _draw_row(sheet, i * columns, results, images, name, region, methods)
    return sheet.figure


def _draw_row(
    sheet: Sheet,
    cell: int,
    results: DatasetResults,
    images: KeptImages,
    name: SliceName,
    region: Region,
    methods: Sequence[str],
) -> None:
    truth, window = images.part(name, "truth"), images.window(name)
    _thumbnail(sheet.place(cell, PANEL), truth, window, region, name.contrast)
    found = [region.of(image) for method in methods if (image := images.image(method, name)) is not None]
    titles = ("truth", *(named(method, results.group(method)) for method in methods))
    panels = dict(zip(titles, (region.of(truth), *found), strict=True))
    low, top = np.percentile(np.stack(list(panels.values())), GREY_PERCENTILES)
    for i, (said, image) in enumerate(panels.items(), cell + 1):
        axis = sheet.place(i, PANEL)
        title(axis, said)
        show(axis, image, float(top), low=float(low))


def _thumbnail(axis: Axes, truth: NDArray[Any], window: float, region: Region, said: str) -> None:
    """The whole truth with a box."""
    axis.imshow(truth, cmap="gray", vmin=0, vmax=window, interpolation="nearest")
    title(axis, said)
    axis.add_patch(
        Rectangle((region.x - 0.5, region.y - 0.5), region.side, region.side, fill=False, edgecolor=VERMILLION, lw=1.5)
    )
