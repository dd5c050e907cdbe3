"""A plain RRDB super-resolver (ESRGAN's generator, Wang 2018), trained on L1: the plain sequential partner."""

from dataclasses import dataclass

from torch import Tensor, nn

from bench.acquisition import Acquisition, Output, Target
from bench.method import PLAIN, Phase, Sizes, SuperResolver, Trained, shared
from bench.mri.resample import sinc_magnitude
from bench.nn.losses import magnitude_l1
from bench.nn.rrdb import RRDB, UpsamplingTail
from bench.registry import super_resolver


@super_resolver("rrdb")
class RRDBNet(SuperResolver, Trained):
    """Convolution, RRDBs, convolution with a long skip, upsampling tail of the paper's wording (two convolutions)."""

    version = 2

    @dataclass(frozen=True)
    class Settings(Sizes):
        """ESRGAN's."""

        features: int = shared(64)
        growth: int = shared(32)
        """Channels that a convolution adds inside a dense block."""
        blocks: int = shared(23)
        residual_scale: float = shared(0.2)
        """beta."""
        init_scale: float = shared(0.1)
        """Factor on Kaiming's initialisation inside dense blocks."""
        image_skip: bool = shared(False)
        """Add the sinc-interpolated input to the output."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.image_skip = settings.image_skip
        self.first = nn.Conv2d(1, settings.features, 3, padding=1)
        sizes = (settings.features, settings.growth, settings.residual_scale, settings.init_scale)
        self.trunk = nn.Sequential(*(RRDB(*sizes) for _ in range(settings.blocks)))
        self.body = nn.Conv2d(settings.features, settings.features, 3, padding=1)
        self.tail = UpsamplingTail(settings.features, settings.image_skip)

    def forward(self, magnitude: Tensor) -> Tensor:
        """(batch, y, x) -> (batch, Y, X)."""
        shallow = self.first(magnitude[:, None])
        image = self.tail(shallow + self.body(self.trunk(shallow)))
        result: Tensor = image + sinc_magnitude(magnitude) if self.image_skip else image
        return result

    def phases(self) -> tuple[Phase, ...]:
        """One phase."""
        return PLAIN

    def losses(self, phase: Phase, acquisition: Acquisition, output: Output, target: Target) -> dict[str, Tensor]:
        """L1 of magnitudes, on the scale of the peak."""
        return {"pixel": magnitude_l1(output.image, target.image_hr, target.peak)}
