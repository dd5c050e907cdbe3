"""The paper's multi-contrast brain protocol: 2-D, rows read out, columns phase-encoded."""

from bench.data.protocol import Protocol, View
from bench.registry import dataset

AXIAL = (0.15, 0.6)


@dataset("brain")
def brain() -> Protocol:
    """12 coils by GCC out of 20, 256 x 232 at 1 mm; 1-D Gaussian 2.5x on the LR grid, 2x super-resolution: 5x.

    Cropping along the readout accelerates nothing. Of four contrasts three are remapped T1-weighted intensities.
    """
    return Protocol(
        id="brain",
        version=2,
        matrix=(256, 232),
        voxel_mm=(1.0, 1.0),
        coils=12,
        physical_coils=20,
        mask="gaussian-1d",
        acceleration=2.5,
        centre=16,
        phase_encode=(False, True),
        noise=0.055,
        views=(
            View("t1w", "axial", AXIAL),
            View("t2w-synth", "axial", AXIAL, "t2w-synth"),
            View("t1-flair-synth", "axial", AXIAL, "t1-flair-synth"),
            View("t2-flair-synth", "axial", AXIAL, "t2-flair-synth"),
        ),
        slices=(300, 40, 64),
        sources=("heads", "phantom"),
        caveats=(
            "ESPIRiT maps come from the central 24 x 24 of the fully sampled k-space, as from a calibration scan.",
            'Contrasts named "synth" are T1-weighted intensities remapped, not acquired.',
        ),
    )
