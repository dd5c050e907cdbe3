"""The losses of the paper (Eq. 7 to 12), for every pipeline that is trained like its network or on its pixel losses alone."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from bench.acquisition import Acquisition, Output, Target
from bench.method import PLAIN, Phase, Pipeline, Trained, shared
from bench.nn.discriminators import VGGStyle
from bench.nn.losses import complex_l1, magnitude_l1
from bench.train.perceptual import CONV5_4, PERCEPTUAL_ASSETS, perceptual_losses
from bench.train.phases import AdversarialSettings, adversarial_phases


class PixelLosses(Pipeline, Trained):
    """L1 of the HR magnitude and, where it gives one, of the complex LR image (Eq. 8, 9), on the scale of the peak."""

    def __init__(self, settings: Any) -> None:
        super().__init__(settings)
        self.settings = settings

    def phases(self) -> tuple[Phase, ...]:
        """One phase."""
        return PLAIN

    def losses(self, phase: Phase, acquisition: Acquisition, output: Output, target: Target) -> dict[str, Tensor]:
        """Both weigh 1."""
        losses = {"pixel": magnitude_l1(output.image, target.image_hr, target.peak)}
        if output.image_lr is not None:
            losses["reconstruction"] = complex_l1(output.image_lr, target.image_lr, target.peak)
        return losses


@dataclass(frozen=True)
class PaperLossSettings(AdversarialSettings):
    """Of Eq. 12."""

    pixel_weight: float = shared(0.01)
    """Of the L1 loss in the adversarial phase."""


class PaperLosses(PixelLosses):
    """All of Eq. 12. Put before the class that has the network; its Settings hold those of `PaperLossSettings` too."""

    def phases(self) -> tuple[Phase, ...]:
        """Adversarial, after the profile's share of pixel training (none in the paper's)."""
        return adversarial_phases(self.settings)

    def losses(self, phase: Phase, acquisition: Acquisition, output: Output, target: Target) -> dict[str, Tensor]:
        """Eq. 12 but for its adversarial term, which the loop adds; before the adversarial phase pixels weigh 1."""
        losses = super().losses(phase, acquisition, output, target)
        if phase.gan == "none":
            return losses
        peak = target.peak[:, None, None]
        images = output.image / peak, target.image_hr.abs() / peak
        perceptual = perceptual_losses(self.settings.perceptual_weight, CONV5_4, phase.crop, *images)
        return losses | {"pixel": self.settings.pixel_weight * losses["pixel"]} | perceptual

    def discriminator(self) -> nn.Module:
        """ESRGAN's, as the recipe is."""
        return VGGStyle(self.settings.discriminator_features)

    def assets(self) -> tuple[str, ...]:
        """VGG-19, where its loss counts."""
        return PERCEPTUAL_ASSETS if self.settings.perceptual_weight else ()
