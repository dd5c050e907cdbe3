"""DL-ESPIRiT (Sandino 2021), for single slices: unrolled gradient descent, a residual network of its own in each unroll."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.acquisition import Acquisition, Output, Target
from bench.method import PLAIN, Phase, Reconstructor, Sizes, Trained, shared
from bench.mri.sense import Sense
from bench.nn.losses import complex_l1
from bench.nn.unrolled import ResidualNetwork, unroll
from bench.registry import reconstructor


@reconstructor("dl-espirit")
class DLESPIRiT(Reconstructor, Trained):
    """x0 = A^H b; in each unroll x - step (A^H A x - A^H b), then a residual network; weights not shared.

    The authors' (2+1)-D convolutions over time become 3x3 ones. One set of maps, so that all methods share one operator
    (theirs: two). Trainable step from the profile's, as for the proposed network (theirs: 2, the edge of stability).
    Complex L1, the profile's number of unrolls (10 in the paper's profile: what its timings suggest).
    """

    version = 2

    @dataclass(frozen=True)
    class Settings(Sizes):
        """The paper's."""

        must_be_below: ClassVar = {"step_size": 2}

        features: int = shared(64)
        unrolls: int = 10
        residual_blocks: int = 2
        """In each unroll."""
        step_size: float = shared(1.0)
        """At the start, in (0, 2)."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.steps = nn.Parameter(torch.full((settings.unrolls,), settings.step_size))
        self.networks = nn.ModuleList(
            ResidualNetwork(settings.features, settings.residual_blocks) for _ in range(settings.unrolls)
        )

    def forward(self, acquisition: Acquisition) -> Tensor:
        """-> (batch, y, x) complex."""
        operator = Sense(acquisition.maps_lr, acquisition.mask)
        return unroll(operator, acquisition.zero_filled, self.steps, self.networks, acquisition.phase_encode)

    def phases(self) -> tuple[Phase, ...]:
        """One phase."""
        return PLAIN

    def losses(self, phase: Phase, acquisition: Acquisition, output: Output, target: Target) -> dict[str, Tensor]:
        """L1 of the complex LR image, on the scale of the HR peak."""
        assert output.image_lr is not None
        return {"reconstruction": complex_l1(output.image_lr, target.image_lr, target.peak)}
