"""CG-SENSE (Pruessmann 2001): least squares by conjugate gradients."""

from itertools import product

from torch import Tensor

from bench.acquisition import Acquisition
from bench.method import Reconstructor, Tuned
from bench.mri.sense import Sense
from bench.mri.solvers import conjugate_gradient
from bench.registry import reconstructor

WEIGHTS = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
ITERATIONS = (2, 3, 4, 6, 8, 10, 15, 20, 30, 40)


def cg_sense(acquisition: Acquisition, weight: float, iterations: int) -> Tensor:
    """Solve (A^H A + weight I) x = A^H b from x = 0; (batch, y, x) complex."""
    operator = Sense(acquisition.maps_lr, acquisition.mask)
    return conjugate_gradient(lambda x: operator.normal(x) + weight * x, acquisition.zero_filled, iterations)


@reconstructor("cg-sense")
class CGSense(Reconstructor, Tuned):
    """Weight and iterations are tuned on validation, as the paper says of all its methods."""

    version = 2

    def __init__(self, settings: object) -> None:
        super().__init__(settings)
        self.weight, self.iterations = 0.0, 40

    def grid(self) -> list[dict[str, float]]:
        """Candidates that are tried on validation."""
        return [{"weight": weight, "iterations": n} for weight, n in product(WEIGHTS, ITERATIONS)]

    def configure(self, **candidate: float) -> None:
        """Take one candidate: weight and iterations."""
        self.weight, self.iterations = candidate["weight"], int(candidate["iterations"])

    def forward(self, acquisition: Acquisition) -> Tensor:
        """-> (batch, y, x) complex."""
        return cg_sense(acquisition, self.weight, self.iterations)


@reconstructor("cg-sense-plain")
class PlainCGSense(Reconstructor):
    """40 iterations without a weight, where noise is amplified: what the paper's timings and its 6 to 7 dB gap suggest."""

    version = 1

    def forward(self, acquisition: Acquisition) -> Tensor:
        """-> (batch, y, x) complex."""
        return cg_sense(acquisition, 0.0, 40)
