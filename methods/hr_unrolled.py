"""One network for both tasks: gradient descent on the HR grid, unrolled, a residual network of its own in each unroll."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.acquisition import Acquisition, Output
from bench.method import Sizes, shared
from bench.mri.fourier import pad, to_high_resolution
from bench.mri.sense import Sense
from bench.nn.unrolled import ResidualNetwork, unroll
from bench.registry import pipeline
from bench.train.paper_losses import PaperLosses, PaperLossSettings, PixelLosses


def on_hr_grid(acquisition: Acquisition) -> tuple[Sense, Tensor]:
    """The operator of the HR grid, where k-space beyond the LR box counts as not sampled, and A^H b there."""
    shape = (acquisition.maps_hr.shape[-2], acquisition.maps_hr.shape[-1])
    operator = Sense(acquisition.maps_hr, pad(acquisition.mask, shape))
    return operator, operator.adjoint(to_high_resolution(acquisition.kspace, shape))


@pipeline("hr-unrolled")
class HRUnrolled(PixelLosses):
    """x0 = A^H b on the HR grid; in each unroll x - step (A^H A x - A^H b), then a residual network; weights not shared.

    The networks see 2 x 2 pixels as channels (pixel-unshuffle), so they work on the LR grid. The same idea: SRR-Net
    (arXiv 2104.05901), EDSR as the proximal step (arXiv 2603.18309).
    """

    version = 1

    @dataclass(frozen=True)
    class Settings(Sizes):
        """As many unrolls as DL-ESPIRiT has in the laptop's profile."""

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
            ResidualNetwork(settings.features, settings.residual_blocks, unshuffle=2) for _ in range(settings.unrolls)
        )

    def forward(self, acquisition: Acquisition) -> Output:
        """-> HR magnitude."""
        operator, zero_filled = on_hr_grid(acquisition)
        image = unroll(operator, zero_filled, self.steps, self.networks, acquisition.phase_encode)
        support = acquisition.maps_hr.abs().sum(1) > 0
        return Output(image.abs() * support)


@pipeline("hr-unrolled-gan", settings_of="hr-unrolled")
class HRUnrolledGan(PaperLosses, HRUnrolled):
    """The same, trained like the paper's network after the profile's share of pixel losses."""

    version = 1

    @dataclass(frozen=True)
    class Settings(HRUnrolled.Settings, PaperLossSettings):
        """Of the network and its losses."""
