"""What all figures share: style, colours, a sheet of small images, writing the same bytes for the same input."""

import io
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype
from PIL import Image

from bench.store.files import atomic_path, atomic_write
from bench.store.images import SliceName

DPI, SHEET_DPI = 130, 180
PNG_LEVEL = 6  # of zlib: 9 takes three times as long for a hundredth of the size
GREYS, NEARLY_GREY = 160, 6  # of 256 colours; a difference between channels
# Okabe and Ito's colours, told apart by the colour-blind
BLACK, ORANGE, SKY, GREEN, BLUE, VERMILLION, PURPLE = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7",
)  # fmt: skip
GROUP_LOOK = {"joint": (VERMILLION, "D"), "sequential": (BLUE, "o"), "single": (PURPLE, "^"), "bound": ("0.45", "s")}
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # matplotlib brings it along
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.dpi": DPI,
    "pdf.fonttype": 42,
    "text.parse_math": False,  # names are free text: a dollar sign is one
}
NO_DATES: dict[str, Any] = {"CreationDate": None, "Producer": None, "Creator": None}
CORNER: dict[str, Any] = {
    "color": "white",
    "fontsize": 6.5,
    "bbox": {"facecolor": "black", "alpha": 0.75, "pad": 1, "edgecolor": "none"},
}
ON_IMAGE: dict[str, Any] = {
    "color": "white",
    "fontsize": 6.5,
    "path_effects": [withStroke(linewidth=1.5, foreground="black")],
}
BAR_MM = 50
SIDES = ("L", "R")  # of the patient, at the left and right of slices cut from heads
PANEL, GAP, TITLE, HEAD, FOOT = 1.45, 0.06, 0.2, 0.45, 0.55  # inches


@dataclass(frozen=True)
class Picture:
    """A figure on disk, and what to say about it."""

    files: tuple[Path, ...]
    """The PNG first."""
    caption: str
    """What stands below it."""
    alt: str
    """What it shows, for who cannot see it."""
    slice: SliceName | None = None
    """The slice whose images it shows, where a page that holds them can draw it itself."""
    first: Sequence[str] = ()
    """Methods that the page then shows before all others."""

    @property
    def png(self) -> Path:
        """What a page shows."""
        return self.files[0]

    @property
    def csv(self) -> Path | None:
        """Its numbers; None of images."""
        return next((file for file in self.files if file.suffix == ".csv"), None)


def save(figure: Figure, path: Path, pdf: bool) -> tuple[Path, ...]:
    """Write a PNG of at most 256 colours, and a PDF if asked, with neither date nor software version inside."""
    written = [path.parent / f"{path.name}.png"]
    canvas: Any = FigureCanvasAgg(figure)  # has no types
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "Glyph .* missing from font"
        )  # of names in other scripts; the page has them whole
        canvas.draw()
    atomic_write(written[0], small_png(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())))
    if pdf:
        written.append(path.parent / f"{path.name}.pdf")
        with mpl.rc_context(STYLE), atomic_path(written[1]) as temporary, warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing from font")
            figure.savefig(temporary, format="pdf", metadata=NO_DATES)
    return tuple(written)


def save_chart(
    data: pd.DataFrame, draw: Callable[[pd.DataFrame], Figure | None], path: Path, pdf: bool
) -> tuple[Path, ...]:
    """Write numbers as a CSV and the figure that `draw` makes of them as written; nothing where it makes none.

    Returns
    -------
    tuple of Path
        The PNG first, the CSV last.
    """
    if data.empty:
        return ()
    text = data.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    words = {name: str for name in data if not is_numeric_dtype(data[name])}
    figure = draw(pd.read_csv(io.StringIO(text), dtype=words, keep_default_na=False, na_values=_empty(data)))
    if figure is None:
        return ()
    files = save(figure, path, pdf)
    atomic_write(path.parent / f"{path.name}.csv", text)
    return (*files, path.parent / f"{path.name}.csv")


def _empty(data: pd.DataFrame) -> dict[Any, list[str]]:
    """Of columns of numbers, that nothing stands for none."""
    return {name: [""] for name in data if is_numeric_dtype(data[name])}


def small_png(image: Image.Image) -> bytes:
    """A PNG of at most 256 colours: even steps of grey, which keep images grey, and the rest for what is coloured."""
    pixels = np.asarray(image)
    red, green, blue = np.moveaxis(pixels.astype(np.int16), -1, 0)
    coloured = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue) > NEARLY_GREY
    index = np.round(np.arange(3 * 255 + 1) / (3 * 255) * (GREYS - 1)).astype(np.uint8)[red + green + blue]
    palette = [level for level in np.round(np.linspace(0, 255, GREYS)).astype(int).tolist() for _ in range(3)]
    if coloured.any():
        strip = Image.fromarray(pixels[coloured][None])
        strip = strip.quantize(256 - GREYS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        index[coloured] = GREYS + np.asarray(strip)[0]
        palette += strip.getpalette() or []
    small = Image.fromarray(index)
    small.putpalette(palette)
    buffer = io.BytesIO()
    small.save(buffer, format="PNG", compress_level=PNG_LEVEL)
    return buffer.getvalue()


def named(method: str, group: str) -> str:
    """A method's id, and whether it is a bound."""
    return method + (" (bound)" if group == "bound" else "")


def group_key(groups: Iterable[str]) -> list[Line2D]:
    """Handles of a legend: the marks of the groups that are there."""
    there = set(groups)
    return [
        Line2D([], [], ls="", marker=marker, color=colour, markersize=5, label=group)
        for group, (colour, marker) in GROUP_LOOK.items()
        if group in there
    ]


def slice_title(name: SliceName) -> str:
    """ "t1w, s0, slice 1"."""
    return f"{name.contrast}, {name.subject}, slice {name.number}"


class Sheet:
    """Cells of one size in rows, each with room for a title; the whole has a heading and a foot.

    A pixel of an image that is `pixels` wide becomes a square of whole pixels: none is lost or made broader than others,
    and the file is small.
    """

    def __init__(self, columns: int, rows: int, height: float, pixels: int, heading: str, foot: float = 0.0) -> None:
        self.dpi = max(1, round(PANEL * SHEET_DPI / pixels)) * pixels / PANEL
        self.columns, self.row = columns, TITLE + height + GAP
        self.width = columns * (PANEL + GAP) + GAP
        self.height = HEAD + rows * self.row + foot
        self.width, self.height = (round(size * self.dpi) / self.dpi for size in (self.width, self.height))
        self.figure = Figure(figsize=(self.width, self.height), dpi=self.dpi)
        self.figure.text(0.5, 1 - 0.06 / self.height, heading, ha="center", va="top", fontsize=10)

    def place(self, cell: int, height: float, down: float = 0.0) -> Axes:
        """Axes in a cell, `down` inches below its title."""
        x = self._whole(GAP + cell % self.columns * (PANEL + GAP))
        y = self._whole(HEAD + cell // self.columns * self.row + TITLE + down) + height
        box = (x / self.width, 1 - y / self.height, PANEL / self.width, height / self.height)
        axis = self.figure.add_axes(box)
        axis.set_axis_off()
        return axis

    def _whole(self, inches: float) -> float:
        return round(inches * self.dpi) / self.dpi

    def colour_bar(self, drawn: AxesImage, label: str) -> None:
        """In the foot."""
        box = (0.3 / self.width, 0.38 / self.height, 1 - 0.6 / self.width, 0.1 / self.height)
        self.figure.colorbar(drawn, cax=self.figure.add_axes(box), orientation="horizontal", extend="max", label=label)


def balanced(cells: int, least: int, most: int) -> int:
    """The number of columns that leaves fewest cells empty; the larger of equals."""
    if cells <= most:
        return max(cells, least)
    return min(range(most, least - 1, -1), key=lambda columns: -cells % columns)


def show(axis: Axes, image: NDArray[Any], top: float, colours: str = "gray", low: float = 0.0) -> AxesImage:
    """Pixels as they are, from `low` to `top`, filling the axes."""
    return axis.imshow(image, cmap=colours, vmin=low, vmax=top, interpolation="nearest", aspect="auto")


def scale_bar(axis: Axes, pixel_mm: float) -> None:
    """A bar of so many millimetres at the bottom left of an image."""
    axis.autoscale(False)
    bottom, left = max(axis.get_ylim()), min(axis.get_xlim())
    y, x = 0.96 * bottom, left + 0.05 * bottom
    axis.plot([x, x + BAR_MM / pixel_mm], [y, y], color="white", lw=2, solid_capstyle="butt")
    axis.text(x, y - 0.015 * bottom, f"{BAR_MM} mm", va="bottom", **ON_IMAGE)


def sides(axis: Axes) -> None:
    """The patient's left and right, at the edges of an image cut from a head."""
    for x, text, at in zip((0.02, 0.98), SIDES, ("left", "right"), strict=True):
        axis.text(x, 0.98, text, transform=axis.transAxes, ha=at, va="top", **ON_IMAGE)


def title(axis: Axes, text: str) -> None:
    """Above the axes. Their place is given, else matplotlib looks for it at every drawing, which takes most of the time."""
    axis.set_title(text, pad=3, y=1.0)


def corner(axis: Axes, text: str) -> None:
    """Small words at the bottom right."""
    axis.text(0.98, 0.02, text, transform=axis.transAxes, ha="right", va="bottom", **CORNER)
