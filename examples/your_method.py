"""A method of your own in one file: gradient descent on the data, unrolled, with a learned correction after each step.

    bench check unrolled-gradient --plugin examples/your_method.py
    bench run --plugin examples/your_method.py --methods "unrolled-gradient+*" --source phantom --profile smoke

The first line says which clauses of the contract the method holds to; the second trains it, then every super-resolver on
what it gives, and prints a table. `--set methods.unrolled-gradient.unrolls=5` changes its settings.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

import bench


@bench.reconstructor("unrolled-gradient")
class UnrolledGradient(bench.Reconstructor, bench.Trained):
    """x <- x - step A^H (A x - b) + net(x), as in variational networks (Hammernik 2018) but with a plain network."""

    version = 1

    @dataclass(frozen=True)
    class Settings(bench.MethodSettings):
        """Its sizes."""

        unrolls: int = 4
        """Steps; the network is the same in all of them."""
        features: int = bench.shared(32)
        """Channels: what the profile says of `network.features`, where it does."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.unrolls = settings.unrolls
        self.step = nn.Parameter(torch.tensor(1.0))
        self.net = nn.Sequential(
            nn.Conv2d(2, settings.features, 3, padding=1), nn.ReLU(), nn.Conv2d(settings.features, 2, 3, padding=1)
        )

    def forward(self, acquisition: bench.Acquisition) -> Tensor:
        """-> (batch, y, x) complex."""
        operator = bench.Sense(acquisition.maps_lr, acquisition.mask)
        image = acquisition.zero_filled
        for _ in range(self.unrolls):
            change = self.net(torch.view_as_real(image).movedim(-1, 1)).float().movedim(1, -1).contiguous()
            image = image - self.step * (operator.normal(image) - acquisition.zero_filled)
            image = image + torch.view_as_complex(change)
        return image

    def phases(self) -> tuple[bench.Phase, ...]:
        """One phase."""
        return bench.PLAIN

    def losses(
        self, phase: bench.Phase, acquisition: bench.Acquisition, output: bench.Output, target: bench.Target
    ) -> dict[str, Tensor]:
        """L1 on both channels of the LR image."""
        assert output.image_lr is not None
        return {"l1": torch.view_as_real(output.image_lr - target.image_lr).abs().mean()}
