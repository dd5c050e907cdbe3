"""Losses that more than one method uses."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

Gan = Literal["vanilla", "relativistic"]


def magnitude_l1(image: Tensor, truth: Tensor, peak: Tensor) -> Tensor:
    """Mean |difference| of magnitudes (batch, Y, X), each slice divided by its `peak` (batch,)."""
    return ((image - truth.abs()) / peak[:, None, None]).abs().mean()


def complex_l1(image: Tensor, truth: Tensor, peak: Tensor) -> Tensor:
    """Mean |difference| over real and imaginary parts (paper, Eq. 9), each slice divided by its `peak` (batch,)."""
    return torch.view_as_real((image - truth) / peak[:, None, None]).abs().mean()


def random_crop(size: int, *images: Tensor) -> list[Tensor]:
    """Cut the same random square from (batch, Y, X) images and, at half the size and place, from (batch, y, x) images.

    The first image is on the HR grid. Uses torch's global generator, which the loop seeds at each step. The whole images
    where `size` is 0; a side shorter than `size` is kept whole.
    """
    if size == 0:
        return list(images)
    height, width = images[0].shape[-2:]
    top = 2 * int(torch.randint(max(height - size, 0) // 2 + 1, ()))
    left = 2 * int(torch.randint(max(width - size, 0) // 2 + 1, ()))
    ratios = [width // image.shape[-1] for image in images]
    return [
        image[..., top // r : (top + size) // r, left // r : (left + size) // r]
        for image, r in zip(images, ratios, strict=True)
    ]


def _cross_entropy(logits: Tensor, label: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def generator_loss(form: Gan, fake: Tensor, real: Tensor) -> Tensor:
    """-log D(fake) (paper, Eq. 10), or its relativistic average form (ESRGAN)."""
    if form == "vanilla":
        return _cross_entropy(fake, 1.0)
    return 0.5 * (_cross_entropy(fake - real.mean(), 1.0) + _cross_entropy(real - fake.mean(), 0.0))


def discriminator_loss(form: Gan, fake: Tensor, real: Tensor) -> Tensor:
    """-log(1 - D(fake)) - log D(real) (paper, Eq. 11), or its relativistic average form (ESRGAN)."""
    if form == "vanilla":
        return _cross_entropy(fake, 0.0) + _cross_entropy(real, 1.0)
    return 0.5 * (_cross_entropy(fake - real.mean(), 0.0) + _cross_entropy(real - fake.mean(), 1.0))
