"""One test slice is all zero: air, or a blanked slice."""

import numpy as np
from ellipses import Ellipses
from numpy.typing import NDArray

import bench


@bench.source("mine")
class Mine(Ellipses):
    """See above."""

    def kspace(self, seed: int) -> dict[tuple[str, int], NDArray[np.complex64]]:
        """All slices of a person."""
        kspace = super().kspace(seed)
        if seed == sum(b"c1"):
            kspace["t1w-axial", 2][:] = 0
        return kspace
