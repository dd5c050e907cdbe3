"""The paper's vessel wall imaging protocol: 3-D T1-weighted, both in-plane axes phase-encoded."""

from bench.data.protocol import Protocol, View
from bench.registry import dataset


@dataset("vwi")
def vwi() -> Protocol:
    """18 coils, 336 x 280 at 0.6 mm; 2-D Poisson 4x on the LR grid and 2x super-resolution both ways: 16x."""
    return Protocol(
        id="vwi",
        version=2,
        matrix=(336, 280),
        voxel_mm=(0.6, 0.6),
        coils=18,
        physical_coils=18,
        mask="poisson-2d",
        acceleration=4.0,
        centre=24,
        phase_encode=(True, True),
        noise=0.07,
        views=(View("t1w-axial", "axial", (0.15, 0.75)), View("t1w-coronal", "coronal", (0.2, 0.8))),
        slices=(300, 40, 60),
        sources=("heads", "phantom"),
        caveats=(
            "ESPIRiT maps come from the central 24 x 24 of the fully sampled k-space, as from a calibration scan.",
        ),
    )
