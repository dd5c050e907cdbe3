"""How well a method keeps the walls of vessels whose truth is known. Arrays in, numbers out."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from bench.metrics.image import Image

COLUMNS = ("wall_mm_error", "lumen_contrast_error_percent")
ANGLES = 24
STEP_MM = 0.05
PROMINENCE = 0.05  # share of its height by which a ring stands above its surroundings, or it is none
TRUSTED = 2.0  # the truth's ring counts if its width is within this factor of the wall's


@dataclass(frozen=True)
class Measured:
    """What an image shows of one vessel."""

    wall_mm: float
    """Nan where there is no measurable ring."""
    contrast: float
    """(wall - lumen) / wall."""


def errors(image: Image, truth: Image, vessels: NDArray[np.float64], voxel_mm: tuple[float, float]) -> dict[str, float]:
    """Both columns; nan where the truth shows no vessel.

    Parameters
    ----------
    image, truth
        (Y, X) HR magnitudes.
    vessels
        (vessel, 4): y and x of the centre in pixels, radius of the lumen and thickness of the wall in mm.
    voxel_mm
        HR voxel (y, x).
    """
    walls, contrasts = [], []
    for vessel in vessels:
        shown, true = measure(image, vessel, voxel_mm), measure(truth, vessel, voxel_mm)
        if not 1 / TRUSTED <= true.wall_mm / vessel[3] <= TRUSTED:
            continue
        walls.append(true.wall_mm if math.isnan(shown.wall_mm) else abs(shown.wall_mm - true.wall_mm))
        contrasts.append(100 * abs(shown.contrast - true.contrast))
    means = (float(np.mean(values)) if values else math.nan for values in (walls, contrasts))
    return dict(zip(COLUMNS, means, strict=True))


def measure(image: Image, vessel: NDArray[np.float64], voxel_mm: tuple[float, float]) -> Measured:
    """Wall thickness and lumen contrast of one vessel (4,): y, x, lumen, wall as in `errors`.

    The lumen is the mean of the profile over its inner half, the surroundings that from two to three walls outside it, and
    the wall the brightest radius in between, from the lumen's edge on. A wall blurred into brighter surroundings has its
    maximum farther out than it lies, so the search goes on beyond the wall.
    """
    lumen_mm, wall_mm = vessel[2:]
    radius = np.arange(0, lumen_mm + 3 * wall_mm, STEP_MM)
    values = profile(image, (vessel[0], vessel[1]), radius, voxel_mm)
    inside, outside = (values[radius <= lumen_mm / 2].mean(), values[radius >= lumen_mm + 2 * wall_mm].mean())
    wall = np.flatnonzero((radius >= lumen_mm) & (radius <= lumen_mm + 2 * wall_mm))
    peak = int(wall[np.argmax(values[wall])])
    height = float(values[peak])
    contrast = (height - float(inside)) / height if height > 0 else 0.0
    if peak in wall[[0, -1]] or (1 - PROMINENCE) * height <= max(inside, outside):
        return Measured(math.nan, contrast)
    inner = _crossing(values[peak::-1], (height + float(inside)) / 2)
    outer = _crossing(values[peak:], (height + float(outside)) / 2)
    return Measured(STEP_MM * (inner + outer), contrast)


def profile(
    image: Image, centre: tuple[float, float], radius: NDArray[np.float64], voxel_mm: tuple[float, float]
) -> NDArray[np.float64]:
    """Mean over angles of the image (Y, X) at radii (n,) in mm about a centre (y, x) in pixels, by cubic interpolation."""
    angle = 2 * np.pi * np.arange(ANGLES)[:, None] / ANGLES
    places = [c + radius * f(angle) / mm for c, f, mm in zip(centre, (np.sin, np.cos), voxel_mm, strict=True)]
    result: NDArray[np.float64] = np.asarray(
        map_coordinates(image.astype(np.float64), places, order=3, mode="nearest")
    ).mean(0)
    return result


def _crossing(values: NDArray[np.float64], level: float) -> float:
    """Steps from the first value, which is above the level, to where it is first reached; nan if it never is."""
    below = np.flatnonzero(values <= level)
    if not below.size:
        return math.nan
    i = int(below[0])
    return i - 1 + float((values[i - 1] - level) / (values[i - 1] - values[i]))
