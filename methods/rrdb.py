"""A plain RRDB super-resolver (ESRGAN's generator, Wang 2018), trained on L1: the plain sequential partner."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.acquisition import Acquisition, Output, Target
from bench.config import Settings
from bench.mri.resample import bicubic
from bench.nn.rrdb import RRDB, UpsamplingTail
from bench.registry import super_resolver
from bench.train.phases import PLAIN, Phase


@super_resolver("rrdb")
class RRDBNet(nn.Module):
    """Convolution, RRDBs, convolution with a long skip, upsampling tail of the paper's wording (two convolutions)."""

    version = 1

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        network = settings.network
        self.image_skip = network.image_skip
        self.first = nn.Conv2d(1, network.features, 3, padding=1)
        sizes = (network.features, network.growth, network.residual_scale, network.init_scale)
        self.trunk = nn.Sequential(*(RRDB(*sizes) for _ in range(network.blocks)))
        self.body = nn.Conv2d(network.features, network.features, 3, padding=1)
        self.tail = UpsamplingTail(network.features, network.image_skip)

    def forward(self, magnitude: Tensor) -> Tensor:
        """(batch, y, x) -> (batch, Y, X)."""
        shallow = self.first(magnitude[:, None])
        image = self.tail(shallow + self.body(self.trunk(shallow)))
        return image + bicubic(magnitude) if self.image_skip else image

    def phases(self) -> tuple[Phase, ...]:
        """One phase."""
        return PLAIN

    def losses(self, phase: Phase, acquisition: Acquisition, output: Output, target: Target) -> dict[str, Tensor]:
        """L1 of magnitudes."""
        return {"pixel": F.l1_loss(output.image, torch.abs(target.image_hr))}
