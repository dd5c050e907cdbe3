"""Upper bound: a perfect reconstruction."""

from torch import Tensor

from bench.acquisition import Acquisition, Target
from bench.method import Reconstructor
from bench.registry import reconstructor


@reconstructor("oracle", bound=True)
class Oracle(Reconstructor):
    """Gives the fully sampled LR image: what any reconstruction could at best hand to a super-resolver."""

    version = 1

    def forward(self, acquisition: Acquisition, target: Target) -> Tensor:
        """-> (batch, y, x) complex."""
        return target.image_lr
