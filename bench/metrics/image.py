"""Scores of an image. Magnitudes are divided by the truth's slice maximum and clipped to [0, 1]; peak 1."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes, distance_transform_edt, gaussian_filter, label

Image = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]

HIGHEST_PSNR = 100.0  # dB, what identical images get
LIT = 0.02  # of the maximum: darker is air
SHADING_MM = 25.0  # standard deviation of the Gaussian that tells smooth shading
TISSUE = 0.35  # of the 60th percentile of what is lit, shading taken out: darker is not counted as head
CLOSING_MM = 6.0  # gaps in the head's outline up to twice as wide are bridged
EROSION_MM = 10.0  # scalp and skull
UNKNOWN_VOXEL_MM = 1.0  # taken where the voxel size is not known
WINDOW = 0.995  # quantile of the foreground that is shown white
LEAST_BOX = 64  # pixels a side that LPIPS sees at least, where the image has them


def score(
    image: Image,
    image_lr: Image | None,
    truth: Image,
    truth_lr: Image,
    voxel_mm: tuple[float, float] | None,
    lpips: Callable[[Image, Image], float] | None,
    inside: Mask | None = None,
) -> dict[str, float]:
    """All scores of one slice; nan where there is no LR image or no LPIPS.

    Parameters
    ----------
    image, truth
        (Y, X) HR magnitudes on one scale.
    image_lr, truth_lr
        (y, x) LR magnitudes.
    voxel_mm
        HR voxel, for the foreground.
    lpips
        An `Lpips`, or None.
    inside
        (Y, X) the foreground; by default that of the truth.
    """
    x, y = unit_range(image, truth)
    ssim_mean, ssim_map = ssim(x, y)
    inside = foreground(y, voxel_mm) if inside is None else inside
    return {
        "psnr": psnr(x, y),
        "ssim": ssim_mean,
        "lpips": lpips(x, y) if lpips else math.nan,
        "nmse": nmse(x, y),
        "psnr_fg": psnr(x[inside], y[inside]),
        "ssim_fg": float(ssim_map[inside].mean()),
        "lpips_fg": lpips(*windowed(image, truth, inside)) if lpips else math.nan,
        "psnr_lr": math.nan if image_lr is None else psnr(*unit_range(image_lr, truth_lr)),
    }


def unit_range(image: Image, truth: Image) -> tuple[Image, Image]:
    """Both divided by the truth's maximum, the image clipped to [0, 1].

    Raises
    ------
    ValueError
        If shapes differ, the truth is empty or something is not finite.
    """
    if image.shape != truth.shape:
        raise ValueError(f"shapes differ: {image.shape=} {truth.shape=}")
    peak = truth.max()
    if not (np.isfinite(image).all() and np.isfinite(peak) and peak > 0 and truth.min() >= 0):
        raise ValueError("images must be finite and the truth a magnitude that is not all zero")
    return np.clip(image / peak, 0, 1).astype(np.float64), (truth / peak).astype(np.float64)


def psnr(image: Image, truth: Image) -> float:
    """Peak signal-to-noise ratio in dB, peak 1 (paper, Eq. 14)."""
    from skimage.metrics import peak_signal_noise_ratio

    if np.array_equal(image, truth):
        return HIGHEST_PSNR
    return min(HIGHEST_PSNR, float(peak_signal_noise_ratio(truth, image, data_range=1.0)))


def ssim(image: Image, truth: Image) -> tuple[float, Image]:
    """Mean SSIM as Wang 2004 defines it (paper, Eq. 15), and its map."""
    from skimage.metrics import structural_similarity

    mean, full = structural_similarity(
        truth, image, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
    )
    return float(mean), full


def nmse(image: Image, truth: Image) -> float:
    """Squared error over the truth's energy."""
    return float(((image - truth) ** 2).sum() / (truth**2).sum())


def windowed(image: Image, truth: Image, inside: Mask) -> tuple[Image, Image]:
    """Both as a reader would look at them: white at the truth's 99.5th percentile of the foreground, cut to its box.

    A box narrower than 64 pixels grows on both sides, as far as the image goes: AlexNet sees nothing in less than 31.
    """
    white = float(np.quantile(truth[inside], WINDOW))
    box = tuple(_widened(np.flatnonzero(inside.any(1 - axis)), inside.shape[axis]) for axis in (0, 1))
    return np.clip(image[box] / white, 0, 1), np.clip(truth[box] / white, 0, 1)


def _widened(places: NDArray[np.intp], size: int) -> slice:
    """From the first to the last of these places, and at least `LEAST_BOX` of `size`."""
    first, last = int(places[0]), int(places[-1]) + 1
    width = max(last - first, min(LEAST_BOX, size))
    start = min(max(0, (first + last - width) // 2), size - width)
    return slice(start, start + width)


def foreground(truth: Image, voxel_mm: tuple[float, float] | None) -> Mask:
    """Inside of the head: its outline, filled and eroded by 10 mm (less where nothing would be left).

    The outline is what is brighter than 0.35 of the 60th percentile of the lit pixels (above 2 % of the maximum), closed by
    6 mm, its largest component, after smooth shading was divided out: neither a bright scalp nor coils nearby move it.
    """
    voxel = voxel_mm or (UNKNOWN_VOXEL_MM, UNKNOWN_VOXEL_MM)
    lit = truth > LIT * truth.max()
    flat = np.where(lit, truth / _shading(truth, lit, voxel), 0)
    bright = lit & (flat > TISSUE * np.quantile(flat[lit], 0.6))
    margin = int(2 * CLOSING_MM / min(voxel)) + 1
    near = _distance(~np.pad(bright, margin), voxel) <= CLOSING_MM
    closed = binary_fill_holes(_distance(near, voxel) > CLOSING_MM)[margin:-margin, margin:-margin]
    labels, count = label(closed)
    sizes = np.bincount(labels.ravel())[1:]
    whole = labels == 1 + int(np.argmax(sizes)) if count else np.ones(truth.shape, bool)
    depth = _distance(np.pad(whole, 1), voxel)[1:-1, 1:-1]
    return depth > min(EROSION_MM, 0.5 * float(depth.max()))


def _shading(truth: Image, lit: Mask, voxel: tuple[float, float]) -> Image:
    """Local geometric mean of what is lit: a smooth factor upon the truth comes out as the same factor."""
    sigma = [SHADING_MM / mm for mm in voxel]
    logarithm = np.where(lit, np.log(np.where(lit, truth, 1)), 0)
    weight = np.maximum(gaussian_filter(lit.astype(float), sigma), np.finfo(float).tiny)
    shading: Image = np.exp(gaussian_filter(logarithm, sigma) / weight)
    return shading


def _distance(mask: Mask, voxel: tuple[float, float]) -> Image:
    """Of each true pixel to the nearest false one, in mm."""
    return np.asarray(distance_transform_edt(mask, sampling=voxel))
