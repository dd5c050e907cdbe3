import math

import pytest
import torch

from bench.mri.fourier import fft2c


def birdcage(coils, shape, dark_first=False):
    """Smooth unit-norm sensitivities (coil, Y, X) of coils on a ring."""
    y, x = torch.meshgrid(*(torch.linspace(-1, 1, n) for n in shape), indexing="ij")
    maps = []
    for i in range(coils):
        angle = 2 * math.pi * i / coils
        distance = (y - 1.3 * math.sin(angle)) ** 2 + (x - 1.3 * math.cos(angle)) ** 2
        phase = angle + 0.7 * y * math.cos(angle) + 0.4 * x
        maps.append(torch.exp(-distance / 1.5) * torch.exp(1j * phase))
    stacked = torch.stack(maps)
    if dark_first:
        stacked[0, :, : shape[1] // 2] = 0
    return (stacked / stacked.abs().square().sum(0).sqrt()).to(torch.complex64)


def ellipse(shape):
    """An object with an edge and some texture, (Y, X) real."""
    y, x = torch.meshgrid(*(torch.linspace(-1, 1, n) for n in shape), indexing="ij")
    return ((y / 0.85) ** 2 + (x / 0.75) ** 2 < 1) * (1 + 0.3 * torch.sin(9 * x) * torch.cos(7 * y))


@pytest.fixture
def scan():
    """Maps, image and fully sampled k-space of 6 coils on 64 x 48."""
    shape = (64, 48)
    maps, image = birdcage(6, shape), ellipse(shape)
    return maps, image, fft2c(maps * image)


@pytest.fixture
def random():
    """Complex standard normal tensors from one seeded generator."""
    generator = torch.Generator().manual_seed(0)

    def draw(*shape, dtype=torch.complex64):
        return torch.randn(*shape, dtype=dtype, generator=generator)

    return draw
