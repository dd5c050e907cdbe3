"""Residual-in-residual dense blocks (ESRGAN; with two skips ESRGAN+) and the super-resolver made of them."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.nn.block import Block
from bench.nn.layers import zeroed

SLOPE = 0.2  # of LeakyReLU, ESRGAN's


class DenseBlock(nn.Module):
    """Five 3x3 convolutions, each fed everything before it; residual scaled by beta (paper, Fig. 2b).

    `skips` adds ESRGAN+'s two: a 1x1 convolution of the input onto the second feature, and the second onto the fourth.
    """

    def __init__(self, features: int, growth: int, beta: float, init_scale: float, skips: bool) -> None:
        super().__init__()
        self.beta = beta
        outputs = [growth] * 4 + [features]
        self.convs = nn.ModuleList(nn.Conv2d(features + i * growth, out, 3, padding=1) for i, out in enumerate(outputs))
        self.shortcut = nn.Conv2d(features, growth, 1, bias=False) if skips else None
        for conv in [*self.convs, *([self.shortcut] if self.shortcut else [])]:
            nn.init.kaiming_normal_(conv.weight)
            conv.weight.data *= init_scale
            if conv.bias is not None:
                nn.init.zeros_(conv.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, features, y, x) -> the same."""
        features = [x]
        for i, conv in enumerate(self.convs[:-1]):
            feature = F.leaky_relu(conv(torch.cat(features, 1)), SLOPE)
            if self.shortcut is not None and i == 1:
                feature = feature + self.shortcut(x)
            if self.shortcut is not None and i == 3:
                feature = feature + features[2]
            features.append(feature)
        result: Tensor = x + self.beta * self.convs[-1](torch.cat(features, 1))
        return result


class RRDB(Block):
    """Three dense blocks in a residual (paper, Fig. 2a)."""

    version = 1

    def __init__(self, features: int, growth: int, beta: float, init_scale: float, skips: bool = False) -> None:
        super().__init__()
        self.beta = beta
        self.block_name = "rrdb-two-skips" if skips else "rrdb"
        self.dense = nn.ModuleList(DenseBlock(features, growth, beta, init_scale, skips) for _ in range(3))

    def forward(self, x: Tensor, modulations: Sequence[Callable[[Tensor], Tensor]] = ()) -> Tensor:
        """(batch, features, y, x) -> the same. `modulations`: what to apply after each dense block, if anything."""
        y = x
        for i, dense in enumerate(self.dense):
            y = dense(y)
            if modulations:
                y = modulations[i](y)
        return x + self.beta * y


class UpsamplingTail(Block):
    """Nearest-neighbour x2, then two convolutions that recombine (paper, 3.2.2); `zero`: gives 0 at the start."""

    version = 1
    block_name = "upsampling-tail"

    def __init__(self, features: int, zero: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(features, features, 3, padding=1)
        self.last = nn.Conv2d(features, 1, 3, padding=1)
        if zero:
            zeroed(self.last)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, features, y, x) -> (batch, Y, X)."""
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        result: Tensor = self.last(F.leaky_relu(self.conv(x), SLOPE)).squeeze(1)
        return result
