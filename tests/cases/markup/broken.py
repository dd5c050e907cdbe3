"""A super-resolver that cannot find its look-up table and says so with the path in square brackets."""

from torch import Tensor

import bench


@bench.super_resolver("broken")
class Broken(bench.SuperResolver):
    """Always fails."""

    version = 1

    def forward(self, magnitude: Tensor) -> Tensor:
        """Fails."""
        raise RuntimeError("no kernel table found, looked in [/data/kernels] and [cache]")
