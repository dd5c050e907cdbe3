"""CG-SENSE (Pruessmann 2001): least squares by conjugate gradients."""

from itertools import product

from torch import Tensor

from bench.acquisition import Acquisition
from bench.method import Reconstructor, Tuned
from bench.mri.sense import Sense
from bench.mri.solvers import conjugate_gradient
from bench.registry import reconstructor


@reconstructor("cg-sense")
class CGSense(Reconstructor, Tuned):
    """Solve (A^H A + weight I) x = A^H b from x = 0.

    Weight and iterations are tuned on validation, as the paper says of all its methods. Its timings suggest 40 iterations
    without a weight, where noise is amplified: that setting is one of the grid, so the tuned stage records its score too.
    """

    version = 1

    def __init__(self, settings: object) -> None:
        super().__init__(settings)
        self.weight, self.iterations = 0.0, 40

    def grid(self) -> list[dict[str, float]]:
        """Candidates that are tried on validation; the first is the paper's."""
        return [{"weight": 0.0, "iterations": 40}] + [
            {"weight": weight, "iterations": iterations}
            for weight, iterations in product((0.0, 0.003, 0.01, 0.03, 0.1), (4, 6, 8, 10, 15, 20))
        ]

    def configure(self, **candidate: float) -> None:
        """Take one candidate: weight and iterations."""
        self.weight, self.iterations = candidate["weight"], int(candidate["iterations"])

    def forward(self, acquisition: Acquisition) -> Tensor:
        """-> (batch, y, x) complex."""
        operator = Sense(acquisition.maps_lr, acquisition.mask)
        return conjugate_gradient(
            lambda x: operator.normal(x) + self.weight * x, acquisition.zero_filled, self.iterations
        )
