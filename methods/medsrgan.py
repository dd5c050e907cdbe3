"""MedSRGAN (Gu 2020): residual whole-map attention blocks; a discriminator that sees LR and HR together."""

import itertools
from dataclasses import dataclass

from torch import Tensor, nn

from bench.acquisition import Acquisition, Output, Target
from bench.method import Phase, SuperResolver, Trained, shared
from bench.mri.resample import sinc_magnitude
from bench.nn.block import Block
from bench.nn.layers import zeroed
from bench.nn.losses import magnitude_l1
from bench.nn.rrdb import SLOPE
from bench.registry import super_resolver
from bench.train.perceptual import CONV5_4, PERCEPTUAL_ASSETS, perceptual_losses
from bench.train.phases import AdversarialSettings, adversarial_phases


class AttentionBlock(Block):
    """x + F * sigmoid(conv1x1(F)), F two convolutions of x: an attention of every channel and pixel, without pooling."""

    version = 1
    block_name = "rwmab"

    def __init__(self, features: int) -> None:
        super().__init__()
        self.convs = nn.Sequential(
            nn.Conv2d(features, features, 3, padding=1), nn.ReLU(), nn.Conv2d(features, features, 3, padding=1)
        )
        self.attention = nn.Conv2d(features, features, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, features, y, x) -> the same."""
        y = self.convs(x)
        result: Tensor = x + y * self.attention(y).sigmoid()
        return result


class AttentionGroup(nn.Module):
    """Blocks, a 1x1 convolution, a short skip."""

    def __init__(self, features: int, blocks: int) -> None:
        super().__init__()
        parts = (AttentionBlock(features) for _ in range(blocks))
        self.layers = nn.Sequential(*parts, nn.Conv2d(features, features, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, features, y, x) -> the same."""
        result: Tensor = x + self.layers(x)
        return result


class PairedDiscriminator(Block):
    """The HR image, halved by a convolution, and the LR image are added as features; then one trunk."""

    version = 2
    block_name = "paired-discriminator"

    def __init__(self, features: int) -> None:
        super().__init__()
        self.hr, self.lr = self._branch(features, 2), self._branch(features, 1)
        widths = [features * 2**i for i in range(5)]
        self.trunk = nn.ModuleList(self._block(before, after, 2) for before, after in itertools.pairwise(widths))
        self.dense = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], 1))

    @classmethod
    def _branch(cls, features: int, stride: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(1, features, 3, padding=1), nn.LeakyReLU(SLOPE), *cls._block(features, features, stride)
        )

    @staticmethod
    def _block(before: int, after: int, stride: int) -> nn.Sequential:
        conv = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
        return nn.Sequential(conv, nn.BatchNorm2d(after), nn.LeakyReLU(SLOPE))

    def forward(self, hr: Tensor, lr: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(batch, Y, X), (batch, y, x) in [0, 1] -> (batch, 1) logits, features of every block."""
        features = [self.hr(hr[:, None]) + self.lr(lr[:, None])]
        for block in self.trunk:
            features.append(block(features[-1]))
        return self.dense(features[-1]), features


@super_resolver("medsrgan")
class MedSRGAN(SuperResolver, Trained):
    """Groups of whole-map attention blocks, long skip, pixel shuffle.

    No official code: 8 groups of 16 blocks (of the counts in use the one that fits the paper's timings), L1 + VGG-19 +
    0.01 adversarial + 0.01 adversarial-feature, plain cross-entropy. VGG term: ESRGAN's layer and L1, as for all methods
    here. Pre-training, learning rates and image skip are the profile's.
    """

    version = 2

    @dataclass(frozen=True)
    class Settings(AdversarialSettings):
        """Of the published network; counts as in the class's docstring."""

        features: int = shared(64)
        attention_groups: int = 8
        attention_blocks: int = 16
        """In each of these groups."""
        image_skip: bool = shared(False)
        """Add the sinc-interpolated input to the output."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.settings = settings
        width = settings.features
        self.image_skip = settings.image_skip
        self.first = nn.Conv2d(1, width, 3, padding=1)
        self.groups = nn.Sequential(
            *(AttentionGroup(width, settings.attention_blocks) for _ in range(settings.attention_groups))
        )
        self.body = nn.Conv2d(width, width, 3, padding=1)
        self.upsampling = nn.Sequential(nn.Conv2d(width, 4 * width, 3, padding=1), nn.PixelShuffle(2))
        self.last = nn.Conv2d(width, 1, 3, padding=1)
        if self.image_skip:
            zeroed(self.last)

    def forward(self, magnitude: Tensor) -> Tensor:
        """(batch, y, x) -> (batch, Y, X)."""
        shallow = self.first(magnitude[:, None])
        image = self.last(self.upsampling(shallow + self.body(self.groups(shallow)))).squeeze(1)
        result: Tensor = image + sinc_magnitude(magnitude) if self.image_skip else image
        return result

    def phases(self) -> tuple[Phase, ...]:
        """Adversarial, after the profile's share of pixel training."""
        return adversarial_phases(self.settings, "vanilla", weight=0.01, feature_weight=0.01)

    def losses(self, phase: Phase, acquisition: Acquisition, output: Output, target: Target) -> dict[str, Tensor]:
        """L1, and in the adversarial phase VGG-19 features; the loop adds the two adversarial terms."""
        losses = {"pixel": magnitude_l1(output.image, target.image_hr, target.peak)}
        if phase.gan == "none":
            return losses
        weight, peak = self.settings.perceptual_weight, target.peak[:, None, None]
        images = output.image / peak, target.image_hr.abs() / peak
        return losses | perceptual_losses(weight, CONV5_4, phase.crop, *images)

    def discriminator(self) -> nn.Module:
        """Sees the pair."""
        return PairedDiscriminator(self.settings.discriminator_features)

    def assets(self) -> tuple[str, ...]:
        """VGG-19, where its loss counts."""
        return PERCEPTUAL_ASSETS if self.settings.perceptual_weight else ()
