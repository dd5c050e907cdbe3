"""DL-ESPIRiT (Sandino 2021), for single slices: unrolled gradient descent, a residual network of its own in each unroll."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.acquisition import Acquisition, Output, Target
from bench.method import PLAIN, Phase, Reconstructor, Sizes, Trained, shared
from bench.mri.sense import Sense
from bench.nn.block import Block
from bench.nn.layers import as_channels, as_complex, zeroed
from bench.nn.losses import complex_l1
from bench.registry import reconstructor


class ResidualNetwork(Block):
    """Convolution, pre-activation residual blocks, ReLU, convolution, plus the input (zero at the start).

    Padded once around the whole network: circularly along phase-encoding axes, where aliases wrap around; zeros elsewhere.
    """

    version = 1
    block_name = "dl-espirit-network"

    def __init__(self, width: int, residual_blocks: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, width, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.ReLU(), nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1)
            )
            for _ in range(residual_blocks)
        )
        self.last = zeroed(nn.Conv2d(width, 2, 3, padding=1))
        self.radius = 2 + 2 * residual_blocks  # of the receptive field

    def forward(self, image: Tensor, phase_encode: tuple[bool, bool]) -> Tensor:
        """(batch, y, x) complex -> the same."""
        pad_y, pad_x = (self.radius if encoded else 0 for encoded in phase_encode)
        features = self.first(F.pad(as_channels(image), (pad_x, pad_x, pad_y, pad_y), mode="circular"))
        for block in self.blocks:
            features = features + block(features)
        change = self.last(F.relu(features))
        change = change[..., pad_y : pad_y + image.shape[-2], pad_x : pad_x + image.shape[-1]]
        return image + as_complex(change)


@reconstructor("dl-espirit")
class DLESPIRiT(Reconstructor, Trained):
    """x0 = A^H b; in each unroll x - step (A^H A x - A^H b), then a residual network; weights not shared.

    The authors' (2+1)-D convolutions over time become 3x3 ones. One set of maps, so that all methods share one operator
    (theirs: two). Trainable step from the profile's, as for the proposed network (theirs: 2, the edge of stability).
    Complex L1, the profile's number of unrolls (10 in the paper's profile: what its timings suggest).
    """

    version = 1

    @dataclass(frozen=True)
    class Settings(Sizes):
        """The paper's."""

        must_be_below: ClassVar = {"step_size": 2}

        features: int = shared(64)
        unrolls: int = 10
        residual_blocks: int = 2
        """In each unroll."""
        step_size: float = shared(1.0)
        """At the start, in (0, 2)."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.steps = nn.Parameter(torch.full((settings.unrolls,), settings.step_size))
        self.networks = nn.ModuleList(
            ResidualNetwork(settings.features, settings.residual_blocks) for _ in range(settings.unrolls)
        )

    def forward(self, acquisition: Acquisition) -> Tensor:
        """-> (batch, y, x) complex."""
        operator = Sense(acquisition.maps_lr, acquisition.mask)
        image = acquisition.zero_filled
        for step, network in zip(self.steps, self.networks, strict=True):
            image = image - step * (operator.normal(image) - acquisition.zero_filled)
            image = network(image, acquisition.phase_encode)
        return image

    def phases(self) -> tuple[Phase, ...]:
        """One phase."""
        return PLAIN

    def losses(self, phase: Phase, acquisition: Acquisition, output: Output, target: Target) -> dict[str, Tensor]:
        """L1 of the complex LR image."""
        assert output.image_lr is not None
        return {"reconstruction": complex_l1(output.image_lr, target.image_lr)}
