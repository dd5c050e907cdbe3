"""Discriminators: (hr, lr) -> (logits, features)."""

import itertools

from torch import Tensor, nn

from bench.nn.block import Block
from bench.nn.rrdb import SLOPE


class VGGStyle(Block):
    """ESRGAN's VGG-style discriminator with an average pool to 4x4 before its two dense layers, so that any size works.

    The paper says "VGG-19 network as the discriminator" and takes its recipe from ESRGAN, hence this one.
    """

    version = 2
    block_name = "vgg-style-discriminator"

    def __init__(self, features: int) -> None:
        super().__init__()
        widths = [features, 2 * features, 4 * features, 8 * features, 8 * features]
        layers: list[nn.Module] = [nn.Conv2d(1, features, 3, padding=1), nn.LeakyReLU(SLOPE)]
        layers += self._halve(features, features)
        for before, after in itertools.pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.LeakyReLU(SLOPE)]
            layers += self._halve(after, after)
        self.convs = nn.Sequential(*layers)
        self.dense = nn.Sequential(
            nn.AdaptiveAvgPool2d(4),
            nn.Flatten(),
            nn.Linear(widths[-1] * 16, 100),
            nn.LeakyReLU(SLOPE),
            nn.Linear(100, 1),
        )

    @staticmethod
    def _halve(before: int, after: int) -> list[nn.Module]:
        return [
            nn.Conv2d(before, after, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.LeakyReLU(SLOPE),
        ]

    def forward(self, hr: Tensor, lr: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(batch, Y, X) in [0, 1] -> (batch, 1) logits; `lr` is not looked at."""
        return self.dense(self.convs(hr[:, None])), []
