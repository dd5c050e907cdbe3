"""Where a method's error lies: by spatial frequency, at tissue boundaries, from LR to HR. Arrays in, numbers out."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, gaussian_gradient_magnitude

from bench.metrics import image as metrics
from bench.metrics.image import Image, Mask
from bench.mri.masks import central

REGIONS = ("acquired", "unacquired", "beyond")
ENERGIES = ("error_energy", "truth_energy", "image_energy")
RADIAL_BINS = 24
SMOOTHING = 1.0  # HR pixels, of the Gaussian before the gradient
STEEPEST = 0.2  # share of the pixels that are called boundary
FLATTEST = 0.5  # share of the foreground that is called flat
DILATION = 2  # HR pixels: the foreground's rim is a boundary too


def oracle_fed(image: Image, truth: Image) -> dict[str, float]:
    """Scores of what a super-resolver makes of the fully sampled LR image; both (Y, X) HR magnitudes on one scale."""
    x, y = metrics.unit_range(image, truth)
    return {"psnr_oracle_fed": metrics.psnr(x, y), "nmse_oracle_fed": metrics.nmse(x, y)}


def by_steepness(image: Image, truth: Image, inside: Mask) -> dict[str, float]:
    """PSNR at tissue boundaries and in flat tissue; nan where there is none of either.

    Parameters
    ----------
    image, truth
        (Y, X) HR magnitudes on one scale.
    inside
        (Y, X) the foreground.
    """
    x, y = metrics.unit_range(image, truth)
    places = boundary_and_flat(y, inside)
    return {
        name: metrics.psnr(x[place], y[place]) if place.any() else math.nan
        for name, place in zip(("psnr_boundary", "psnr_flat"), places, strict=True)
    }


def boundary_and_flat(truth: Image, inside: Mask) -> tuple[Mask, Mask]:
    """Pixels of steep and of flat truth, (Y, X) bool each; none is both.

    The steepest fifth of the grown foreground, and the flatter half of the foreground itself.
    """
    slope = gaussian_gradient_magnitude(truth, SMOOTHING)
    near = binary_dilation(inside, iterations=DILATION)
    boundary = near & (slope >= np.quantile(slope[near], 1 - STEEPEST)) & (slope > 0)
    flat = inside & ~boundary & (slope <= np.quantile(slope[inside], FLATTEST))
    return boundary, flat


def spectrum(image: Image) -> NDArray[np.complex128]:
    """(Y, X) -> centred orthonormal k-space."""
    return np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(image), norm="ortho"))


def regions(mask: Mask, shape: tuple[int, int]) -> dict[str, Mask]:
    """HR k-space, (Y, X) bool each: at samples of the LR `mask` (y, x), the rest of the LR band, and beyond the band."""
    band, acquired = central(shape, (mask.shape[0], mask.shape[1])), np.zeros(shape, bool)
    acquired[band] = mask.ravel()
    return dict(zip(REGIONS, (acquired, band & ~acquired, ~band), strict=True))


def by_region(image: Image, truth: Image, mask: Mask) -> list[dict[str, float | str]]:
    """Energies of one slice by region, and how right what the method put there is.

    Parameters
    ----------
    image, truth
        (Y, X) HR magnitudes on one scale.
    mask
        (y, x) samples on the LR grid.

    Returns
    -------
    list of dict
        region, error_energy, truth_energy, image_energy (sums over the region's samples, truth's maximum 1) and
        coherence = Re<image, truth> / (|image| |truth|): 1 if right up to a factor, 0 if unrelated; nan where empty.
    """
    peak = truth.max()
    ours, theirs = spectrum(image / peak), spectrum(truth / peak)
    rows: list[dict[str, float | str]] = []
    for name, inside in regions(mask, (truth.shape[0], truth.shape[1])).items():
        x, y = ours[inside], theirs[inside]
        error, of_truth, of_image = (float((np.abs(v) ** 2).sum()) for v in (x - y, y, x))
        product = math.sqrt(of_truth * of_image)
        coherence = float(np.vdot(y, x).real) / product if product > 0 else math.nan
        energies = dict(zip(ENERGIES, (error, of_truth, of_image), strict=True))
        rows.append({"region": name, **energies, "coherence": coherence})
    return rows


def by_radius(image: Image, truth: Image) -> NDArray[np.float64]:
    """Energies of error, truth and image by |k|, (3, RADIAL_BINS): bin i holds i to i + 1 of 24 parts of HR Nyquist."""
    peak = truth.max()
    ours, theirs = spectrum(image / peak), spectrum(truth / peak)
    y, x = ((np.arange(n) - n // 2) / (n / 2) for n in truth.shape)
    places = (np.hypot(y[:, None], x) * RADIAL_BINS).astype(int)
    inside = places < RADIAL_BINS
    counts = [np.bincount(places[inside], np.abs(v[inside]) ** 2, RADIAL_BINS) for v in (ours - theirs, theirs, ours)]
    return np.stack(counts)


def radial_rows(contrast: str, subjects: Sequence[str], energies: Sequence[NDArray[np.float64]]) -> pd.DataFrame:
    """Mean over the slices of a contrast: one row a bin, with the |k| of its middle relative to HR Nyquist."""
    middle = (np.arange(RADIAL_BINS) + 0.5) / RADIAL_BINS
    table = pd.DataFrame({"contrast": contrast, "bin": range(RADIAL_BINS), "k": middle})
    table[list(ENERGIES)] = np.mean(energies, axis=0).T
    return table.assign(slices=len(energies), subjects=len(set(subjects)))
