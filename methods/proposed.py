"""The paper's joint network (Xu 2023): equilibrium PGD reconstruction guides an RRDB-SFT super-resolver."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.acquisition import Acquisition, Output
from bench.method import Sizes, rate_groups, shared
from bench.mri.resample import sinc_magnitude
from bench.mri.sense import Sense
from bench.nn.block import Block
from bench.nn.equilibrium import fixed_point
from bench.nn.layers import as_channels, as_complex, zeroed
from bench.nn.rrdb import RRDB, UpsamplingTail
from bench.nn.sft import SFT
from bench.registry import pipeline
from bench.train.paper_losses import PaperLosses, PaperLossSettings, PixelLosses

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

    def forward(self, operator: Sense, zero_filled: Tensor) -> tuple[Tensor, Tensor]:
        """-> (batch, y, x) complex, and the residual of the equilibrium, (batch,)."""
        step = 2 * torch.sigmoid(self.step_logit)
        return fixed_point(
            lambda x: self.proximal(x - step * (operator.normal(x) - zero_filled)), zero_filled, self.iterations
        )


@dataclass(frozen=True)
class SuperResolutionSettings(RRDBNet.Settings):
    """Of the super-resolver."""

    complex_input: bool = False
    """Show it real and imaginary part; the paper's "LR MR image" is read as a magnitude, which every sequence sees."""


class SuperResolution(Block):
    """RRDBs with ESRGAN+'s two skips, modulated by SFT layers if there is a condition.

    An SFT layer follows each dense block and the trunk; the paper says "within the RRDB" only.
    """

    version = 2

    def __init__(self, network: SuperResolutionSettings, condition: int) -> None:
        super().__init__()
        self.channels = partial(_channels, complex_input=network.complex_input)
        self.image_skip = network.image_skip
        self.first = nn.Conv2d(2 if network.complex_input else 1, network.features, 3, padding=1)
        sizes = (network.features, network.growth, network.residual_scale, network.init_scale)
        self.trunk = nn.ModuleList(RRDB(*sizes, skips=True) for _ in range(network.blocks))
        self.body = nn.Conv2d(network.features, network.features, 3, padding=1)
        self.modulations = nn.ModuleList(
            SFT(condition, network.features) for _ in range(3 * network.blocks + 1 if condition else 0)
        )
        self.tail = UpsamplingTail(network.features, network.image_skip)

    def forward(self, image: Tensor, skipped: Tensor, condition: Tensor | None = None) -> Tensor:
        """Super-resolve an image.

        Parameters
        ----------
        image
            (batch, y, x) complex: what the trunk sees.
        skipped
            (batch, y, x) complex, of which the sinc-interpolated magnitude is added where the profile says so. No gradient
            passes through it: it would move the reconstruction away from its equilibrium.
        condition
            (batch, condition, y, x): a feature of the reconstruction.

        Returns
        -------
        Tensor
            (batch, Y, X).
        """
        modulations = [partial(sft, condition=condition) for sft in self.modulations]
        shallow = features = self.first(self.channels(image))
        for i, block in enumerate(self.trunk):
            features = block(features, modulations[3 * i : 3 * i + 3])
        features = shallow + self.body(features)
        for modulate in modulations[-1:]:
            features = modulate(features)
        result: Tensor = self.tail(features)
        return result + sinc_magnitude(skipped.detach().abs()) if self.image_skip else result


class Conditioner(Block):
    """The reconstruction as a feature, one convolution, shared by all SFT layers (paper, 3.2.1)."""

    version = 2

    def __init__(self, complex_input: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2 if complex_input else 1, CONDITION, 3, padding=1)
        self.channels = partial(_channels, complex_input=complex_input)

    def forward(self, image: Tensor) -> Tensor:
        """(batch, y, x) complex -> (batch, CONDITION, y, x)."""
        return F.leaky_relu(self.conv(self.channels(image)), 0.1)


def _channels(image: Tensor, complex_input: bool) -> Tensor:
    return as_channels(image) if complex_input else image.abs()[:, None]


class TwoParts(PixelLosses):
    """A reconstruction and a super-resolution, each in its own words: what the paper's network and its ablations share."""

    reconstruction: Reconstruction

    def _reconstruct(self, acquisition: Acquisition) -> tuple[Tensor, Tensor]:
        operator = Sense(acquisition.maps_lr, acquisition.mask)
        image, residual = self.reconstruction(operator, acquisition.zero_filled)
        return image, residual

    def optimiser(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Adam, eta at ten times the rate: at the rate of the weights it never left its start."""
        return torch.optim.Adam(rate_groups(parameters, {self.reconstruction.step_logit: 10.0}))

    def parts(self) -> tuple[nn.Module, ...]:
        """The reconstruction, and the rest."""
        rest = nn.ModuleList(m for name, m in self.named_children() if name != "reconstruction")
        return self.reconstruction, rest


@pipeline("proposed-l1", settings_of="proposed")
class ProposedL1(TwoParts):
    """Reconstruction -> Conditioner -> SuperResolution of |A^H b|: the paper's network, trained on pixel losses alone.

    Output: the HR magnitude, target |x_GT|. With the profile's image skip, the sinc-interpolated |x_rec| is added.
    """

    version = 2

    @dataclass(frozen=True)
    class Settings(ReconstructionSettings, SuperResolutionSettings):
        """Of both parts."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.reconstruction = Reconstruction(settings)
        self.conditioner = Conditioner(settings.complex_input)
        self.super_resolution = SuperResolution(settings, CONDITION)

    def forward(self, acquisition: Acquisition) -> Output:
        """-> HR magnitude and the LR reconstruction."""
        image_lr, residual = self._reconstruct(acquisition)
        image = self.super_resolution(acquisition.zero_filled, image_lr, self.conditioner(image_lr))
        return Output(image, image_lr, residual)


@pipeline("proposed")
class Proposed(PaperLosses, ProposedL1):
    """The paper's network as the paper trains it: adversarially (Eq. 7-12)."""

    version = 3

    @dataclass(frozen=True)
    class Settings(ProposedL1.Settings, PaperLossSettings):
        """Of both parts and their losses."""
