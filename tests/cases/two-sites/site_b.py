"""Site B, first release: other people with the same short names."""

import numpy as np
from ellipses import Ellipses
from numpy.typing import NDArray

import bench


@bench.source("site-b")
class Mine(Ellipses):
    """See above."""

    def kspace(self, seed: int) -> dict[tuple[str, int], NDArray[np.complex64]]:
        """Of other people than site A's."""
        return super().kspace(seed + 1000)
