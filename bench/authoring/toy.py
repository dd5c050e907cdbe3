"""A small acquisition, made in a moment: what plugins are tried on."""

import torch
from torch import Tensor

from bench.acquisition import Acquisition, Target
from bench.mri.fourier import fft2c, ifft2c
from bench.mri.sense import Sense


def toy(
    matrix: tuple[int, int] = (48, 40),
    batch: int = 2,
    coils: int = 3,
    seed: int = 0,
    brightness: tuple[float, ...] | None = None,
    full: bool = False,
) -> tuple[Acquisition, Target]:
    """A random smooth object, seen by smooth coils, every second line sampled.

    Parameters
    ----------
    matrix
        HR (Y, X).
    seed
        Of the object and the coils.
    brightness
        Of each slice of the batch; 1 for all by default. A slice of brightness 0 is empty.
    full
        Sample every line.
    """
    generator = torch.Generator().manual_seed(seed)
    y, x = matrix[0] // 2, matrix[1] // 2

    def smooth(*shape: int) -> Tensor:
        spectrum = torch.zeros(*shape, *matrix, dtype=torch.complex64)
        middle = (..., slice(y - 3, y + 4), slice(x - 3, x + 4))
        spectrum[middle] = torch.randn(*shape, 7, 7, dtype=torch.complex64, generator=generator)
        return ifft2c(spectrum)

    image_hr = smooth(batch)
    image_hr = image_hr / image_hr.abs().amax((-2, -1), keepdim=True)
    if brightness:
        image_hr = image_hr * torch.tensor(brightness)[:, None, None]
    maps_hr = smooth(batch, coils)
    maps_hr = maps_hr / maps_hr.abs().square().sum(1, keepdim=True).sqrt()
    maps_lr, image_lr = maps_hr[..., ::2, ::2].contiguous(), image_hr[..., ::2, ::2].contiguous()
    mask = torch.full((batch, y, x), full)
    mask[:, :, ::2] = mask[:, :, x // 2 - 2 : x // 2 + 2] = True
    kspace = fft2c(maps_lr * image_lr[:, None]) * mask[:, None]
    zero_filled = Sense(maps_lr, mask).adjoint(kspace)
    acquisition = Acquisition(kspace, mask, maps_lr, maps_hr, zero_filled, (False, True), (1.0, 1.0))
    return acquisition, Target(image_hr, image_lr, image_hr.abs().amax((-2, -1)), torch.ones(batch))
