"""A super-resolver that forgets abs() after an inverse FFT: its output is complex, with a phase."""

import torch
from torch import Tensor

import bench


@bench.super_resolver("phasey")
class Phasey(bench.SuperResolver):
    """Sinc interpolation, turned by one radian."""

    version = 1

    def forward(self, magnitude: Tensor) -> Tensor:
        """(batch, y, x) -> (batch, Y, X), complex."""
        y, x = magnitude.shape[-2:]
        return bench.sinc(magnitude, (2 * y, 2 * x)) * torch.exp(torch.tensor(1.0j))
