"""One dropped sample of one coil of one slice is NaN."""

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
            kspace["t1w-axial", 2][1, 7, 9] = np.nan
        return kspace
