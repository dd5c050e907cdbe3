"""Scores of an image. Magnitudes are divided by the truth's slice maximum and clipped to [0, 1]; peak 1."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes, distance_transform_edt, label
from skimage.filters import threshold_otsu
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

Image = NDArray[np.floating[Any]]

HIGHEST_PSNR = 100.0  # dB, what identical images get
EROSION_MM = 8.0
UNKNOWN_VOXEL_MM = 1.0  # taken for the erosion where the voxel size is not known


def score(
    image: Image,
    image_lr: Image | None,
    truth: Image,
    truth_lr: Image,
    voxel_mm: tuple[float, float] | None,
    lpips: Callable[[Image, Image], float] | None,
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
    """
    x, y = unit_range(image, truth)
    ssim_mean, ssim_map = ssim(x, y)
    inside = foreground(y, voxel_mm)
    return {
        "psnr": psnr(x, y),
        "ssim": ssim_mean,
        "lpips": lpips(x, y) if lpips else math.nan,
        "nmse": nmse(x, y),
        "psnr_fg": psnr(x[inside], y[inside]),
        "ssim_fg": float(ssim_map[inside].mean()),
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
    if np.array_equal(image, truth):
        return HIGHEST_PSNR
    return min(HIGHEST_PSNR, float(peak_signal_noise_ratio(truth, image, data_range=1.0)))


def ssim(image: Image, truth: Image) -> tuple[float, Image]:
    """Mean SSIM as Wang 2004 defines it (paper, Eq. 15), and its map."""
    mean, full = structural_similarity(
        truth, image, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
    )
    return float(mean), full


def nmse(image: Image, truth: Image) -> float:
    """Squared error over the truth's energy."""
    return float(((image - truth) ** 2).sum() / (truth**2).sum())


def foreground(truth: Image, voxel_mm: tuple[float, float] | None) -> NDArray[np.bool_]:
    """Inside of the head: Otsu on the truth, largest component, filled, eroded 8 mm (less where nothing would be left)."""
    labels, count = label(truth > threshold_otsu(truth))
    sizes = np.bincount(labels.ravel())[1:]
    whole = binary_fill_holes(labels == 1 + int(np.argmax(sizes))) if count else np.ones(truth.shape, bool)
    depth = distance_transform_edt(np.pad(whole, 1), sampling=voxel_mm or (UNKNOWN_VOXEL_MM, UNKNOWN_VOXEL_MM))
    depth = np.asarray(depth)[1:-1, 1:-1]
    return depth > min(EROSION_MM, 0.5 * float(depth.max()))
