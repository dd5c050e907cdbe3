"""Small things that networks on complex images share."""

import torch
from torch import Tensor, nn


def zeroed(conv: nn.Conv2d) -> nn.Conv2d:
    """Make a convolution give zero at the start of training; return it."""
    for parameter in conv.parameters():
        nn.init.zeros_(parameter)
    return conv


def as_channels(image: Tensor) -> Tensor:
    """(batch, y, x) complex -> (batch, 2, y, x) real."""
    return torch.view_as_real(image).movedim(-1, 1)


def as_complex(channels: Tensor) -> Tensor:
    """(batch, 2, y, x) real of any precision -> (batch, y, x) complex64."""
    return torch.view_as_complex(channels.float().movedim(1, -1).contiguous())
