"""150 people to test on, two views each: 300 prepared files."""

import numpy as np
from ellipses import CONTRASTS, Ellipses, ellipse
from numpy.typing import NDArray

import bench


@bench.source("mine")
class Mine(Ellipses):
    """See above."""

    datasets = ("big",)

    def subjects(self) -> dict[bench.Split, tuple[str, ...]]:
        """150 people."""
        return {"train": ("a1", "a2"), "validation": ("b1",), "test": tuple(f"p{i:03d}" for i in range(150))}

    def kspace(self, seed: int) -> dict[tuple[str, int], NDArray[np.complex64]]:
        """All slices of a person."""
        return {(c, 0): ellipse((48, 40), 0, seed) for c in CONTRASTS}


@bench.dataset("big")
def big() -> bench.Protocol:
    """One slice a view and person."""
    return bench.Protocol(
        id="big", version=1, matrix=(48, 40), voxel_mm=(4.0, 4.0), coils=4, physical_coils=4, mask="gaussian-1d",
        acceleration=2.5, centre=4, phase_encode=(False, True), noise=0.05,
        views=tuple(bench.View(c, "axial", (0.2, 0.8)) for c in CONTRASTS), slices=(4, 2, 300), sources=("mine",),
    )  # fmt: skip
