"""MoDL (Aggarwal 2019): a learned denoiser alternates with data consistency by conjugate gradients."""

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bench.acquisition import Acquisition, Output, Target
from bench.method import Phase, Reconstructor, Sizes, Trained, rate_groups, shared
from bench.mri.sense import Sense
from bench.mri.solvers import regularised_inverse
from bench.nn.block import Block
from bench.nn.layers import as_channels, as_complex
from bench.registry import reconstructor


class Denoiser(Block):
    """Image + CNN(image): 3x3 convolutions without bias, each followed by batch normalisation, ReLU between them.

    Momentum and epsilon of the normalisation are those of the authors' framework. The last normalisation
    starts with scale 0, that is without a change of the image; the authors' starts with 1, a change as strong as the image.
    """

    version = 1

    def __init__(self, features: int, layers: int) -> None:
        super().__init__()
        widths = [2, *[features] * (layers - 1), 2]
        parts: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            conv = nn.Conv2d(before, after, 3, padding=1, bias=False)
            nn.init.xavier_uniform_(conv.weight)
            parts += [conv, nn.BatchNorm2d(after, eps=1e-3, momentum=0.01), nn.ReLU()]
        last = parts[-2]
        assert isinstance(last, nn.BatchNorm2d)
        nn.init.zeros_(last.weight)
        self.layers = nn.Sequential(*parts[:-1])

    def forward(self, image: Tensor) -> Tensor:
        """(batch, y, x) complex -> the same."""
        return image + as_complex(self.layers(as_channels(image)))


@reconstructor("modl")
class MoDL(Reconstructor, Trained):
    """x0 = A^H b; K times z = D(x), x = (A^H A + lambda I)^-1 (A^H b + lambda z). Weights shared over K.

    Trained for K = 1, then for the full K, as the authors do; they give the first two thirds to K = 1, which leaves a short
    run too little for the second, so here it is a sixth. lambda = exp(.) from 0.05, so that it
    cannot turn negative, at ten times the rate, since Adam's steps are of the rate's size whatever the gradient's;
    gradient through the inverse by a second CG. The learning rate is the profile's, as for every method.
    """

    version = 2

    @dataclass(frozen=True)
    class Settings(Sizes):
        """The paper's."""

        features: int = shared(64)
        unrolls: int = 10
        """K."""
        denoiser_layers: int = 5
        cg_iterations: int = 10
        """Of each inverse."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.denoiser = Denoiser(settings.features, settings.denoiser_layers)
        self.weight_log = nn.Parameter(torch.tensor(math.log(0.05)))
        self.unrolls = settings.unrolls
        self.cg_iterations = settings.cg_iterations

    def forward(self, acquisition: Acquisition) -> Tensor:
        """-> (batch, y, x) complex."""
        return self._unrolled(acquisition, self.unrolls)

    def forward_training(self, given: Acquisition, target: Target, phase: Phase) -> Tensor:
        """K = 1 in the first phase."""
        return self._unrolled(given, 1 if phase.name == "one" else self.unrolls)

    def _unrolled(self, acquisition: Acquisition, unrolls: int) -> Tensor:
        operator = Sense(acquisition.maps_lr, acquisition.mask)
        weight = self.weight_log.exp()
        image = acquisition.zero_filled
        for _ in range(unrolls):
            rhs = acquisition.zero_filled + weight * self.denoiser(image)
            image = regularised_inverse(operator.normal, rhs, weight, self.cg_iterations, tolerance=1e-5)
        return image

    def phases(self) -> tuple[Phase, ...]:
        """K = 1, then K."""
        return Phase("one", 1 / 6), Phase("unrolled", 5 / 6)

    def losses(self, phase: Phase, acquisition: Acquisition, output: Output, target: Target) -> dict[str, Tensor]:
        """Mean squared error of the complex LR image, on the scale of the HR peak."""
        assert output.image_lr is not None
        error = (output.image_lr - target.image_lr) / target.peak[:, None, None]
        return {"reconstruction": torch.view_as_real(error).square().mean()}

    def optimiser(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Adam, lambda at ten times the rate."""
        return torch.optim.Adam(rate_groups(parameters, {self.weight_log: 10.0}))
