"""The paper's joint network (Xu 2023): equilibrium PGD reconstruction guides an RRDB-SFT super-resolver."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.acquisition import Acquisition, Output, Target
from bench.method import Phase, Pipeline, Sizes, Trained, shared
from bench.mri.resample import bicubic
from bench.mri.sense import Sense
from bench.nn.block import Block
from bench.nn.discriminators import VGGStyle
from bench.nn.equilibrium import fixed_point
from bench.nn.layers import as_channels, as_complex, zeroed
from bench.nn.losses import complex_l1
from bench.nn.rrdb import RRDB, UpsamplingTail
from bench.nn.sft import SFT
from bench.registry import pipeline
from bench.train.perceptual import CONV5_4, PERCEPTUAL_ASSETS, perceptual_losses
from bench.train.phases import AdversarialSettings, adversarial_phases

from .rrdb import RRDBNet

CONDITION = 64  # channels of the reconstruction feature; the paper is silent


@dataclass(frozen=True)
class ReconstructionSettings(Sizes):
    """Of the equilibrium reconstruction."""

    must_be_below: ClassVar = {"step_size": 2}

    prior_features: int = 64
    """Of the learned proximal operator, which runs K times."""
    prior_growth: int = 32
    prior_blocks: int = 1
    residual_scale: float = shared(0.2)
    """beta of the residual dense blocks."""
    init_scale: float = shared(0.1)
    """Factor on Kaiming's initialisation inside dense blocks."""
    equilibrium_iterations: int = 15
    """K, in training and test."""
    step_size: float = shared(1.0)
    """eta at the start, in (0, 2), where gradient descent is stable."""


@dataclass(frozen=True)
class LossSettings(AdversarialSettings):
    """Of Eq. 12."""

    pixel_weight: float = shared(0.01)
    """Of the L1 loss in the adversarial phase."""


class Reconstruction(Block):
    """PGD-Net (Eq. 6) iterated to an equilibrium, Jacobian-free backpropagation.

    Choices where the paper is silent: proximal network = convolution 2 -> features, RRDB, convolution back, plus its input
    (last convolution zero at the start: plain gradient descent); x0 = A^H b; step size in (0, 2), where descent is stable;
    K iterations in training and in test, from the paper's timings.
    """

    version = 1

    def __init__(self, network: ReconstructionSettings) -> None:
        super().__init__()
        self.iterations = network.equilibrium_iterations
        share = torch.tensor(network.step_size / 2, device="cpu")  # logit on the meta device takes a second to import
        self.step_logit = nn.Parameter(torch.logit(share))
        features = network.prior_features
        sizes = (features, network.prior_growth, network.residual_scale, network.init_scale)
        self.first = nn.Conv2d(2, features, 3, padding=1)
        self.blocks = nn.Sequential(*(RRDB(*sizes) for _ in range(network.prior_blocks)))
        self.last = zeroed(nn.Conv2d(features, 2, 3, padding=1))

    def proximal(self, image: Tensor) -> Tensor:
        """The learned proximal operator, (batch, y, x) complex -> the same."""
        return image + as_complex(self.last(self.blocks(self.first(as_channels(image)))))

    def forward(self, operator: Sense, zero_filled: Tensor) -> Tensor:
        """-> (batch, y, x) complex."""
        step = 2 * torch.sigmoid(self.step_logit)
        return fixed_point(
            lambda x: self.proximal(x - step * (operator.normal(x) - zero_filled)), zero_filled, self.iterations
        )


class SuperResolution(Block):
    """RRDBs with ESRGAN+'s two skips, modulated by SFT layers if there is a condition.

    An SFT layer follows each dense block and the trunk; the paper says "within the RRDB" only.
    """

    version = 1

    def __init__(self, network: RRDBNet.Settings, condition: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, network.features, 3, padding=1)
        sizes = (network.features, network.growth, network.residual_scale, network.init_scale)
        self.trunk = nn.ModuleList(RRDB(*sizes, skips=True) for _ in range(network.blocks))
        self.body = nn.Conv2d(network.features, network.features, 3, padding=1)
        self.modulations = nn.ModuleList(
            SFT(condition, network.features) for _ in range(3 * network.blocks + 1 if condition else 0)
        )
        self.tail = UpsamplingTail(network.features, network.image_skip)

    def forward(self, image: Tensor, condition: Tensor | None = None) -> Tensor:
        """(batch, y, x) complex, (batch, condition, y, x) -> (batch, Y, X)."""
        modulations = [partial(sft, condition=condition) for sft in self.modulations]
        shallow = features = self.first(as_channels(image))
        for i, block in enumerate(self.trunk):
            features = block(features, modulations[3 * i : 3 * i + 3])
        features = shallow + self.body(features)
        for modulate in modulations[-1:]:
            features = modulate(features)
        result: Tensor = self.tail(features)
        return result


class Conditioner(nn.Sequential, Block):
    """The reconstruction as a feature, one convolution, shared by all SFT layers (paper, 3.2.1)."""

    version = 1

    def __init__(self) -> None:
        super().__init__(nn.Conv2d(2, CONDITION, 3, padding=1), nn.LeakyReLU(0.1))


class Adversarial(Pipeline, Trained):
    """What the paper's network and its ablations share: losses of Eq. 7-12, phases, discriminator, image skip."""

    @dataclass(frozen=True)
    class Settings(RRDBNet.Settings, LossSettings):
        """Of a super-resolver and its losses."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.settings = settings

    def _with_skip(self, image: Tensor, image_lr: Tensor) -> Tensor:
        """Add the bicubically upsampled |image_lr| where the profile says so."""
        return image + bicubic(image_lr.abs()) if self.settings.image_skip else image

    def phases(self) -> tuple[Phase, ...]:
        """Adversarial, after the profile's share of pixel training (none in the paper's)."""
        return adversarial_phases(self.settings)

    def losses(self, phase: Phase, acquisition: Acquisition, output: Output, target: Target) -> dict[str, Tensor]:
        """Eq. 12 but for its adversarial term, which the loop adds; before the adversarial phase pixels weigh 1."""
        truth, peak = target.image_hr.abs(), target.peak[:, None, None]
        losses = {"pixel": F.l1_loss(output.image, truth)}
        if output.image_lr is not None:
            losses["reconstruction"] = complex_l1(output.image_lr, target.image_lr)
        if phase.gan == "none":
            return losses
        losses["pixel"] = self.settings.pixel_weight * losses["pixel"]
        weight = self.settings.perceptual_weight
        return losses | perceptual_losses(weight, CONV5_4, phase.crop, output.image / peak, truth / peak)

    def discriminator(self) -> nn.Module:
        """ESRGAN's, as the recipe is."""
        return VGGStyle(self.settings.discriminator_features)

    def assets(self) -> tuple[str, ...]:
        """VGG-19, where its loss counts."""
        return PERCEPTUAL_ASSETS if self.settings.perceptual_weight else ()


@pipeline("proposed")
class Proposed(Adversarial):
    """Reconstruction -> Conditioner -> SuperResolution of A^H b.

    Output: the HR magnitude, target |x_GT|. With the profile's image skip, the bicubically upsampled |x_rec| is added.
    """

    version = 1

    @dataclass(frozen=True)
    class Settings(ReconstructionSettings, Adversarial.Settings):
        """Of both parts and their losses."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.reconstruction = Reconstruction(settings)
        self.conditioner = Conditioner()
        self.super_resolution = SuperResolution(settings, CONDITION)

    def forward(self, acquisition: Acquisition) -> Output:
        """-> HR magnitude and the LR reconstruction."""
        image_lr = self.reconstruction(Sense(acquisition.maps_lr, acquisition.mask), acquisition.zero_filled)
        image = self.super_resolution(acquisition.zero_filled, self.conditioner(as_channels(image_lr)))
        return Output(self._with_skip(image, image_lr), image_lr)
