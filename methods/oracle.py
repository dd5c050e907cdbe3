"""Upper bound: a perfect reconstruction."""

from torch import Tensor, nn

from bench.acquisition import Acquisition, Target
from bench.config import Settings
from bench.registry import reconstructor


@reconstructor("oracle", bound=True)
class Oracle(nn.Module):
    """Gives the fully sampled LR image: what any reconstruction could at best hand to a super-resolver."""

    version = 1

    def __init__(self, settings: Settings) -> None:
        super().__init__()

    def forward(self, acquisition: Acquisition, target: Target) -> Tensor:
        """-> (batch, y, x) complex."""
        return target.image_lr
