"""Sinc interpolation, which is zero-padding of k-space."""

from torch import Tensor

from bench.method import SuperResolver
from bench.mri.resample import sinc
from bench.registry import super_resolver


@super_resolver("sinc")
class Sinc(SuperResolver):
    """Zero-padded k-space of the magnitude: what scanners do, and a strong baseline."""

    version = 1

    def forward(self, magnitude: Tensor) -> Tensor:
        """(batch, y, x) -> (batch, Y, X)."""
        height, width = magnitude.shape[-2:]
        return sinc(magnitude, (2 * height, 2 * width)).abs()
