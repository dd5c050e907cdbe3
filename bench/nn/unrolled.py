"""The residual network of one unroll, on complex images."""

from collections.abc import Iterable

from torch import Tensor, nn
from torch.nn import functional as F

from bench.mri.sense import Sense
from bench.nn.block import Block
from bench.nn.layers import as_channels, as_complex, zeroed


class ResidualNetwork(Block):
    """Convolution, pre-activation residual blocks, ReLU, convolution, plus the input (zero at the start).

    Padded once around the whole network: circularly along phase-encoding axes, where aliases wrap around; zeros elsewhere.
    With `unshuffle` 2 it works on the grid of half the size, where the four pixels of a square are channels.
    """

    version = 1
    block_name = "unrolled-network"

    def __init__(self, width: int, residual_blocks: int, unshuffle: int = 1) -> None:
        super().__init__()
        self.unshuffle = unshuffle
        channels = 2 * unshuffle**2
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.ReLU(), nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1)
            )
            for _ in range(residual_blocks)
        )
        self.last = zeroed(nn.Conv2d(width, channels, 3, padding=1))
        self.radius = 2 + 2 * residual_blocks  # of the receptive field

    def forward(self, image: Tensor, phase_encode: tuple[bool, bool]) -> Tensor:
        """(batch, y, x) complex -> the same."""
        channels = F.pixel_unshuffle(as_channels(image), self.unshuffle)
        height, width = channels.shape[-2:]
        pad_y, pad_x = (self.radius if encoded else 0 for encoded in phase_encode)
        features = self.first(F.pad(channels, (pad_x, pad_x, pad_y, pad_y), mode="circular"))
        for block in self.blocks:
            features = features + block(features)
        change: Tensor = self.last(F.relu(features))
        change = change[..., pad_y : pad_y + height, pad_x : pad_x + width]
        return image + as_complex(F.pixel_shuffle(change, self.unshuffle))


def unroll(
    operator: Sense, zero_filled: Tensor, steps: Tensor, networks: Iterable[nn.Module], phase_encode: tuple[bool, bool]
) -> Tensor:
    """From x = A^H b: in each unroll x - step (A^H A x - A^H b), then its network; (batch, y, x) complex."""
    image = zero_filled
    for step, network in zip(steps, networks, strict=True):
        image = image - step * (operator.normal(image) - zero_filled)
        image = network(image, phase_encode)
    return image
