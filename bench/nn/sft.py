"""Spatial feature transform: features modulated by a condition (Wang 2018; paper, Fig. 2c)."""

from torch import Tensor, nn

from bench.nn.block import Block
from bench.nn.layers import zeroed


class SFT(Block):
    """x -> x * (1 + scale(condition)) + shift(condition), 1x1 convolutions, LeakyReLU 0.1.

    The (1 + scale) form and the zero-initialised last convolutions start it as the identity; the paper is silent.
    """

    version = 1
    block_name = "sft"

    def __init__(self, condition: int, features: int) -> None:
        super().__init__()
        self.scale = self._branch(condition, features)
        self.shift = self._branch(condition, features)

    @staticmethod
    def _branch(condition: int, features: int) -> nn.Sequential:
        hidden = min(32, condition)
        last = zeroed(nn.Conv2d(hidden, features, 1))
        return nn.Sequential(nn.Conv2d(condition, hidden, 1), nn.LeakyReLU(0.1), last)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(batch, features, y, x), (batch, condition, y, x) -> like the first."""
        result: Tensor = x * (1 + self.scale(condition)) + self.shift(condition)
        return result
