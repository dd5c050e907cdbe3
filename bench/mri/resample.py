"""Resampling of images between the LR and the HR grid. LR pixel i lies on HR pixel 2i (the FFT grid)."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.mri.fourier import fft2c, ifft2c, to_high_resolution, to_low_resolution

A = -0.75  # of the cubic convolution kernel, torch's


def sinc(image: Tensor, shape: tuple[int, int]) -> Tensor:
    """Zero-pad the k-space of (..., y, x), real or complex, to `shape`; the result is complex."""
    return ifft2c(to_high_resolution(fft2c(image), shape))


def sinc_magnitude(magnitude: Tensor) -> Tensor:
    """Zero-pad the k-space of a magnitude, (batch, y, x) real -> (batch, 2y, 2x) real, which may ring below 0."""
    height, width = magnitude.shape[-2:]
    return sinc(magnitude.float(), (2 * height, 2 * width)).real


def downsample(image: Tensor, shape: tuple[int, int]) -> Tensor:
    """Crop the k-space of (..., Y, X), real or complex, to `shape`; the result is complex."""
    return ifft2c(to_low_resolution(fft2c(image), shape))


def bicubic(image: Tensor, grid: Literal["fft", "torch"] = "fft") -> Tensor:
    """Cubic convolution, (batch, y, x) real -> (batch, 2y, 2x).

    "fft": HR sample j lies at LR coordinate j / 2. "torch": `align_corners=False`, half an HR pixel off that grid.
    """
    if grid == "torch":
        return F.interpolate(image[:, None], scale_factor=2, mode="bicubic", align_corners=False)[:, 0]
    rows = torch.stack((image, _midpoints(image)), -1).flatten(-2)
    columns = rows.mT
    return torch.stack((columns, _midpoints(columns)), -1).flatten(-2).mT


def _midpoints(image: Tensor) -> Tensor:
    """The kernel half-way between neighbours along the last axis; the border pixel is repeated."""
    outer = A / 8  # of the kernel at distance 1.5; at 0.5 it is 1/2 - A/8
    weights = image.new_tensor([outer, 0.5 - outer, 0.5 - outer, outer])
    padded = F.pad(image, (1, 2), mode="replicate")
    size = image.shape[-1]
    return torch.stack([w * padded[..., i : i + size] for i, w in enumerate(weights)]).sum(0)
