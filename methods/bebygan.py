"""BebyGAN (Li 2022): best-buddy loss, back-projection, a discriminator that looks at textured regions only."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.acquisition import Acquisition, Output, Target
from bench.method import Phase
from bench.mri.resample import bicubic, downsample
from bench.nn.block import Block
from bench.nn.discriminators import VGGStyle
from bench.nn.losses import random_crop
from bench.registry import super_resolver
from bench.train.perceptual import PERCEPTUAL_ASSETS, perceptual_losses
from bench.train.phases import AdversarialSettings, adversarial_phases

from .rrdb import RRDBNet

VGG = (("conv3_4", 1 / 8), ("conv4_4", 1 / 4), ("conv5_4", 1 / 2))
PATCH = 3
WINDOW = 11  # of the local standard deviation
FLAT = 0.025  # regions below it, of images in [0, 1], are hidden from the discriminator
SEARCHED_AT_ONCE = 4096  # patches


def patches(image: Tensor) -> Tensor:
    """(batch, Y, X) -> (batch, patch, 9): 3x3 patches side by side."""
    return F.unfold(image[:, None], PATCH, stride=PATCH).mT


def best_buddy_loss(image: Tensor, truth: Tensor) -> Tensor:
    """L1 between each patch of the image and its best buddy among the truth's patches at scales 1, 1/2, 1/4.

    The buddy has the least squared distance to the image's patch plus that to the truth's patch at its place; with equal
    weights, as published, that is the candidate nearest to the midpoint of the two. Images (batch, Y, X) in [0, 1].
    """
    own = patches(image)
    with torch.no_grad():
        scaled = [F.interpolate(truth[:, None], scale_factor=s, mode="bicubic")[:, 0] for s in (0.5, 0.25)]
        at_place = patches(truth)
        candidates = torch.cat([at_place, *map(patches, scaled)], 1)
        midpoints = (own + at_place) / 2
        chosen = [torch.cdist(m, candidates).argmin(-1) for m in midpoints.split(SEARCHED_AT_ONCE, dim=1)]
        index = torch.cat(chosen, 1)[..., None].expand(-1, -1, PATCH**2)
        buddies = candidates.gather(1, index)
    return F.l1_loss(own, buddies)


def textured(image: Tensor) -> Tensor:
    """Where the standard deviation in an 11x11 window is at least 0.025, (batch, Y, X) bool; images in [0, 1]."""
    pad = WINDOW // 2
    padded = F.pad(image[:, None], (pad, pad, pad, pad), mode="reflect")
    mean, square = F.avg_pool2d(padded, WINDOW, 1), F.avg_pool2d(padded**2, WINDOW, 1)
    n = WINDOW**2
    return ((square - mean**2).clamp_min(0) * n / (n - 1)).sqrt()[:, 0] >= FLAT


class RegionAware(Block):
    """A VGG-style discriminator of half the width, shown what is textured in the bicubically upsampled LR image."""

    version = 1
    block_name = "region-aware-discriminator"

    def __init__(self, features: int) -> None:
        super().__init__()
        self.critic = VGGStyle(features // 2)

    def forward(self, hr: Tensor, lr: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(batch, Y, X), (batch, y, x) in [0, 1] -> (batch, 1) logits."""
        logits, features = self.critic(hr * textured(bicubic(lr)), lr)
        return logits, features


@super_resolver("bebygan")
class BebyGAN(RRDBNet):
    """ESRGAN's generator; in the adversarial phase best-buddy, back-projection, VGG-19 and relativistic GAN losses.

    Back-projection goes through the crop of k-space (the authors': bicubic, which contradicts how LR images arise here) and
    is held against the clean LR image. The generator is initialised as the profile says for all RRDBs; the
    authors' starts from an L1-trained one, which is the profile's share of pixel training.
    """

    version = 2

    @dataclass(frozen=True)
    class Settings(RRDBNet.Settings, AdversarialSettings):
        """ESRGAN's, and of the adversarial phase."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.settings = settings

    def phases(self) -> tuple[Phase, ...]:
        """Adversarial, after the profile's share of pixel training."""
        return adversarial_phases(self.settings, "relativistic")

    def losses(self, phase: Phase, acquisition: Acquisition, output: Output, target: Target) -> dict[str, Tensor]:
        """L1 before the adversarial phase; in it the buddies take its place."""
        if phase.gan == "none":
            return super().losses(phase, acquisition, output, target)
        peak = target.peak[:, None, None]
        image, truth = random_crop(phase.crop, output.image / peak, target.image_hr.abs() / peak)
        low = target.image_lr.abs()
        projected = downsample(output.image, (low.shape[-2], low.shape[-1])).abs()
        losses = {
            "best-buddy": best_buddy_loss(image, truth),
            "back-projection": F.l1_loss(projected / peak, low / peak),
        }
        return losses | perceptual_losses(self.settings.perceptual_weight, VGG, 0, image, truth)

    def discriminator(self) -> nn.Module:
        """Blind to flat regions."""
        return RegionAware(self.settings.discriminator_features)

    def assets(self) -> tuple[str, ...]:
        """VGG-19, where its loss counts."""
        return PERCEPTUAL_ASSETS if self.settings.perceptual_weight else ()
