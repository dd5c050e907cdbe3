"""Centred orthonormal Fourier transform over the last two axes; crop and pad of k-space."""

from math import prod

import torch
from torch import Tensor

AXES = (-2, -1)


def fft2c(image: Tensor) -> Tensor:
    """Image -> k-space, DC and image centre at N // 2."""
    result: Tensor = torch.fft.fftshift(torch.fft.fft2(torch.fft.ifftshift(image, dim=AXES), norm="ortho"), dim=AXES)
    return result


def ifft2c(kspace: Tensor) -> Tensor:
    """K-space -> image, DC and image centre at N // 2."""
    result: Tensor = torch.fft.fftshift(torch.fft.ifft2(torch.fft.ifftshift(kspace, dim=AXES), norm="ortho"), dim=AXES)
    return result


def _central(size: int, part: int) -> slice:
    start = size // 2 - part // 2
    return slice(start, start + part)


def crop(array: Tensor, shape: tuple[int, int]) -> Tensor:
    """Cut the centre out of the last two axes; what lay at N // 2 lies at n // 2."""
    return array[..., _central(array.shape[-2], shape[0]), _central(array.shape[-1], shape[1])]


def pad(array: Tensor, shape: tuple[int, int]) -> Tensor:
    """Put zeros around the last two axes: the adjoint of `crop`."""
    padded = array.new_zeros((*array.shape[:-2], *shape))
    padded[..., _central(shape[0], array.shape[-2]), _central(shape[1], array.shape[-1])] = array
    return padded


def to_low_resolution(kspace: Tensor, shape: tuple[int, int]) -> Tensor:
    """Crop k-space and scale by sqrt(pixels after / before), so that both images share one intensity scale."""
    result: Tensor = (prod(shape) / prod(kspace.shape[-2:])) ** 0.5 * crop(kspace, shape)
    return result


def to_high_resolution(kspace: Tensor, shape: tuple[int, int]) -> Tensor:
    """Zero-pad k-space and undo the scale: the right inverse of `to_low_resolution`."""
    result: Tensor = (prod(shape) / prod(kspace.shape[-2:])) ** 0.5 * pad(kspace, shape)
    return result
