"""K-space smaller than the protocol's matrix."""

import numpy as np
from ellipses import CONTRASTS, Ellipses, ellipse
from numpy.typing import NDArray

import bench


@bench.source("mine")
class Mine(Ellipses):
    """See above."""

    def kspace(self, seed: int) -> dict[tuple[str, int], NDArray[np.complex64]]:
        """All slices of a person."""
        return {(c, n): ellipse((40, 32), n, seed) for c in CONTRASTS for n in range(6)}
