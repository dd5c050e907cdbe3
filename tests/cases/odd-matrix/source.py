"""A dataset with an odd matrix."""

import numpy as np
from ellipses import CONTRASTS, Ellipses, ellipse
from numpy.typing import NDArray

import bench


@bench.source("mine")
class Mine(Ellipses):
    """See above."""

    datasets = ("odd",)

    def kspace(self, seed: int) -> dict[tuple[str, int], NDArray[np.complex64]]:
        """All slices of a person."""
        return {(c, n): ellipse((55, 47), n, seed) for c in CONTRASTS for n in range(6)}


@bench.dataset("odd")
def odd() -> bench.Protocol:
    """55 rows, 47 columns."""
    return bench.Protocol(
        id="odd", version=1, matrix=(55, 47), voxel_mm=(4.0, 4.0), coils=4, physical_coils=4, mask="gaussian-1d",
        acceleration=2.5, centre=4, phase_encode=(False, True), noise=0.05,
        views=tuple(bench.View(c, "axial", (0.2, 0.8)) for c in CONTRASTS), slices=(4, 2, 2), sources=("mine",),
    )  # fmt: skip
