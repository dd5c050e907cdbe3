"""The paper's ablations (Table 3, 4): the proposed network's parts in other compositions."""

from torch import Tensor
from torch.nn import functional as F

from bench.acquisition import Acquisition, Output, Target
from bench.method import PLAIN, Phase, Pipeline, Trained
from bench.mri.fourier import pad, to_high_resolution
from bench.mri.sense import Sense
from bench.registry import pipeline

from .proposed import Adversarial, Proposed, Reconstruction, ReconstructionSettings, SuperResolution


@pipeline("ablation-sr", group="ablation", settings_of="proposed")
class SR(Adversarial):
    """Paper's "SR": super-resolution of A^H b alone, without SFT."""

    version = 1

    def __init__(self, settings: Adversarial.Settings) -> None:
        super().__init__(settings)
        self.super_resolution = SuperResolution(settings, 0)

    def forward(self, acquisition: Acquisition) -> Output:
        """-> HR magnitude."""
        image = self.super_resolution(acquisition.zero_filled)
        return Output(self._with_skip(image, acquisition.zero_filled))


@pipeline("ablation-recon", group="ablation", settings_of="proposed")
class Recon(Pipeline, Trained):
    """Paper's "Recon": PGD-Net on the HR grid, where k-space beyond the LR box counts as not sampled; L1 of the magnitude."""

    version = 1
    Settings = ReconstructionSettings

    def __init__(self, settings: ReconstructionSettings) -> None:
        super().__init__(settings)
        self.reconstruction = Reconstruction(settings)

    def forward(self, acquisition: Acquisition) -> Output:
        """-> HR magnitude."""
        shape = (acquisition.maps_hr.shape[-2], acquisition.maps_hr.shape[-1])
        operator = Sense(acquisition.maps_hr, pad(acquisition.mask, shape))
        zero_filled = operator.adjoint(to_high_resolution(acquisition.kspace, shape))
        return Output(self.reconstruction(operator, zero_filled).abs())

    def phases(self) -> tuple[Phase, ...]:
        """One phase."""
        return PLAIN

    def losses(self, phase: Phase, acquisition: Acquisition, output: Output, target: Target) -> dict[str, Tensor]:
        """L1 of the HR magnitude."""
        return {"pixel": F.l1_loss(output.image, target.image_hr.abs())}


class TwoStages(Adversarial):
    """Reconstruction -> SuperResolution without SFT."""

    Settings = Proposed.Settings

    def __init__(self, settings: Proposed.Settings) -> None:
        super().__init__(settings)
        self.reconstruction = Reconstruction(settings)
        self.super_resolution = SuperResolution(settings, 0)

    def forward(self, acquisition: Acquisition) -> Output:
        """-> HR magnitude and the LR reconstruction."""
        image_lr = self._reconstruct(acquisition)
        return Output(self._super_resolve(image_lr), image_lr)

    def _reconstruct(self, acquisition: Acquisition) -> Tensor:
        image: Tensor = self.reconstruction(Sense(acquisition.maps_lr, acquisition.mask), acquisition.zero_filled)
        return image

    def _super_resolve(self, image_lr: Tensor) -> Tensor:
        return self._with_skip(self.super_resolution(image_lr), image_lr)


@pipeline("ablation-end-to-end", group="ablation", settings_of="proposed")
class EndToEnd(TwoStages):
    """Paper's "Recon+SR": both trained together; super-resolution sees the reconstruction and nothing else."""

    version = 1


@pipeline("ablation-separate", group="ablation", settings_of="proposed")
class Separate(TwoStages):
    """Paper's "Recon-SR": super-resolution trained on the clean LR image, reconstruction by its own loss; chained at test.

    Both in one run of one stage: they share no parameter, and no gradient flows from one to the other.
    """

    version = 1

    def forward_training(self, given: Acquisition, target: Target, phase: Phase) -> Output:
        """Super-resolution of the truth, reconstruction of the acquisition."""
        return Output(self._super_resolve(target.image_lr), self._reconstruct(given))
