"""The paper's ablations (Table 3, 4): the proposed network's parts in other compositions."""

from dataclasses import dataclass

from bench.acquisition import Acquisition, Output, Target
from bench.method import Phase
from bench.registry import pipeline
from bench.train.paper_losses import PaperLosses, PaperLossSettings, PixelLosses

from .hr_unrolled import on_hr_grid
from .proposed import (
    ProposedL1,
    Reconstruction,
    ReconstructionSettings,
    SuperResolution,
    SuperResolutionSettings,
    TwoParts,
)


class SROnly(PixelLosses):
    """Super-resolution of A^H b alone, without SFT."""

    def __init__(self, settings: SuperResolutionSettings) -> None:
        super().__init__(settings)
        self.super_resolution = SuperResolution(settings, 0)

    def forward(self, acquisition: Acquisition) -> Output:
        """-> HR magnitude."""
        return Output(self.super_resolution(acquisition.zero_filled, acquisition.zero_filled))


@pipeline("ablation-sr", group="single", settings_of="proposed")
class SR(PaperLosses, SROnly):
    """Paper's "SR"."""

    version = 2

    @dataclass(frozen=True)
    class Settings(SuperResolutionSettings, PaperLossSettings):
        """Of a super-resolver and its losses."""


@pipeline("ablation-recon", settings_of="proposed")
class Recon(PixelLosses):
    """Paper's "Recon": PGD-Net on the HR grid, where k-space beyond the LR box counts as not sampled; L1 of the magnitude."""

    version = 2
    Settings = ReconstructionSettings

    def __init__(self, settings: ReconstructionSettings) -> None:
        super().__init__(settings)
        self.reconstruction = Reconstruction(settings)

    def forward(self, acquisition: Acquisition) -> Output:
        """-> HR magnitude."""
        image, residual = self.reconstruction(*on_hr_grid(acquisition))
        return Output(image.abs(), residual=residual)


@pipeline("ablation-end-to-end-l1", settings_of="proposed")
class EndToEndL1(TwoParts):
    """Reconstruction -> SuperResolution of it, without SFT; super-resolution sees the reconstruction and nothing else."""

    version = 2
    Settings = ProposedL1.Settings

    def __init__(self, settings: ProposedL1.Settings) -> None:
        super().__init__(settings)
        self.reconstruction = Reconstruction(settings)
        self.super_resolution = SuperResolution(settings, 0)

    def forward(self, acquisition: Acquisition) -> Output:
        """-> HR magnitude and the LR reconstruction."""
        image_lr, residual = self._reconstruct(acquisition)
        return Output(self.super_resolution(image_lr, image_lr), image_lr, residual)


@pipeline("ablation-separate-l1", group="sequential", settings_of="proposed")
class SeparateL1(EndToEndL1):
    """Super-resolution trained on the clean LR image, reconstruction by its own loss; chained at test.

    Both in one run of one stage: they share no parameter, and no gradient flows from one to the other.
    """

    version = 2

    def forward_training(self, given: Acquisition, target: Target, phase: Phase) -> Output:
        """Super-resolution of the truth, reconstruction of the acquisition."""
        image_lr, residual = self._reconstruct(given)
        return Output(self.super_resolution(target.image_lr, target.image_lr), image_lr, residual)


@pipeline("ablation-end-to-end", settings_of="proposed")
class EndToEnd(PaperLosses, EndToEndL1):
    """Paper's "Recon+SR": both trained together."""

    version = 3

    @dataclass(frozen=True)
    class Settings(ProposedL1.Settings, PaperLossSettings):
        """Of both parts and their losses."""


@pipeline("ablation-separate", group="sequential", settings_of="proposed")
class Separate(PaperLosses, SeparateL1):
    """Paper's "Recon-SR"."""

    version = 3

    @dataclass(frozen=True)
    class Settings(ProposedL1.Settings, PaperLossSettings):
        """Of both parts and their losses."""
