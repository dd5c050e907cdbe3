"""Many regimes on the same slices: acceleration, coils and noise, each cell differing from the others in nothing else."""

from dataclasses import replace
from itertools import product

from bench.data.protocol import Protocol, View
from bench.registry import dataset

from .vwi import vwi

ACCELERATIONS = (4, 8, 12)
COILS = (4, 8)
NOISES = (0.01, 0.03, 0.07)


@dataset("regimes")
def regimes() -> Protocol:
    """The geometry of `vwi`, axial; cells named like "r8-c4-n03". One network is trained over all of them."""
    return replace(
        vwi(),
        id="regimes",
        coils=8,
        views=tuple(
            View(
                f"r{acceleration}-c{coils}-n{100 * noise:02.0f}",
                "axial",
                (0.15, 0.75),
                acceleration=acceleration,
                coils=coils,
                noise=noise,
            )
            for acceleration, coils, noise in product(ACCELERATIONS, COILS, NOISES)
        ),
        slices=(300, 40, 20),
        cells=True,
        caveats=(
            "A cell, r8-c4-n03, is acceleration 8 on the LR grid, 4 coils and noise 0.03, on the same slices as every other.",
            "ESPIRiT maps come from the central 24 x 24 of the fully sampled k-space, as from a calibration scan.",
        ),
    )
