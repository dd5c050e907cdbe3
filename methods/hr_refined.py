"""Reconstruction, super-resolution, then a refinement on the HR grid that answers to the measured k-space again."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bench.acquisition import Acquisition, Output, Target
from bench.method import MethodSettings, Phase, settings_of, shared
from bench.mri.resample import sinc
from bench.nn.block import Block
from bench.nn.losses import magnitude_l1
from bench.nn.unrolled import ResidualNetwork
from bench.registry import pipeline
from bench.train.paper_losses import PaperLosses, PaperLossSettings, PixelLosses

from .dl_espirit import DLESPIRiT
from .hr_unrolled import on_hr_grid
from .rrdb import RRDBNet


class Refinement(Block):
    """Data consistency, then as often as there are cascades a residual network and data consistency, on the HR grid."""

    version = 1

    def __init__(self, features: int, residual_blocks: int, cascades: int) -> None:
        super().__init__()
        self.steps = nn.Parameter(torch.ones(cascades + 1))
        self.networks = nn.ModuleList(ResidualNetwork(features, residual_blocks, unshuffle=2) for _ in range(cascades))

    def forward(self, image: Tensor, acquisition: Acquisition) -> Tensor:
        """(batch, Y, X) complex -> the same."""
        operator, zero_filled = on_hr_grid(acquisition)
        image = image - self.steps[0] * (operator.normal(image) - zero_filled)
        for step, network in zip(self.steps[1:], self.networks, strict=True):
            image = network(image, acquisition.phase_encode)
            image = image - step * (operator.normal(image) - zero_filled)
        return image


@pipeline("hr-refined")
class HRRefined(PixelLosses):
    """DL-ESPIRiT gives x, RRDB |z| of |x|; z takes the phase of sinc(x); then Refinement. All trained together.

    The super-resolved image answers to the measured k-space again, which in a sequence it does not.
    """

    version = 1

    @dataclass(frozen=True)
    class Settings(MethodSettings):
        """The halves' are those of their methods."""

        reconstructor: DLESPIRiT.Settings = settings_of("dl-espirit", DLESPIRiT.Settings)
        super_resolver: RRDBNet.Settings = settings_of("rrdb", RRDBNet.Settings)
        features: int = shared(64)
        """Of the refinement."""
        residual_blocks: int = 2
        """In each cascade."""
        cascades: int = 2

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.reconstructor = DLESPIRiT(settings.reconstructor)
        self.super_resolver = RRDBNet(settings.super_resolver)
        self.refinement = Refinement(settings.features, settings.residual_blocks, settings.cascades)

    def forward(self, acquisition: Acquisition) -> Output:
        """-> HR magnitude and the LR reconstruction."""
        image_lr = self.reconstructor(acquisition)
        magnitude = self.super_resolver(image_lr.abs())
        with torch.no_grad():
            smooth = sinc(image_lr, (magnitude.shape[-2], magnitude.shape[-1]))
            phase = torch.polar(torch.ones_like(magnitude), smooth.angle())
        return Output(self.refinement(magnitude * phase, acquisition).abs(), image_lr)


@pipeline("hr-refined-gan", settings_of="hr-refined")
class HRRefinedGan(PaperLosses, HRRefined):
    """The same, trained like the paper's network after the profile's share of pixel losses."""

    version = 1

    @dataclass(frozen=True)
    class Settings(HRRefined.Settings, PaperLossSettings):
        """Of the network and its losses."""


@pipeline(
    "hr-refined-frozen",
    group="sequential",
    settings_of="hr-refined",
    frozen={"reconstructor": "dl-espirit", "super_resolver": "dl-espirit+rrdb"},
)
class HRRefinedFrozen(HRRefined):
    """The same network, of which the refinement alone is trained, on the finished halves of `dl-espirit+rrdb`."""

    version = 1

    def losses(self, phase: Phase, acquisition: Acquisition, output: Output, target: Target) -> dict[str, Tensor]:
        """L1 of the HR magnitude."""
        return {"pixel": magnitude_l1(output.image, target.image_hr, target.peak)}
