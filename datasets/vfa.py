"""Real raw k-space: one slice of one person at ten flip angles, 13 coils, fully sampled. Test only."""

import h5py
import numpy as np
import torch

from bench.data import assets
from bench.data.packages import ASSETS
from bench.data.protocol import Protocol, RawSubject, Source, Split, View
from bench.errors import UserError
from bench.mri.fourier import fft2c
from bench.registry import dataset, source

CONTRASTS = tuple(f"fa{i:02d}" for i in range(1, 11))


@dataset("vfa")
def vfa() -> Protocol:
    """The stages of `vwi` on data that was measured; mask by the rule of `vwi`."""
    return Protocol(
        id="vfa",
        version=1,
        matrix=(224, 224),
        least_matrix=(168, 168),
        voxel_mm=None,
        coils=13,
        physical_coils=13,
        mask="poisson-2d",
        acceleration=4.0,
        centre=24,
        phase_encode=(True, True),
        noise=0.0,
        views=tuple(View(contrast, "axial", (0.0, 1.0)) for contrast in CONTRASTS),
        slices=(0, 0, 10),
        sources=("vfa-raw",),
        train_on="vwi",
        caveats=(
            "One slice of one person at ten flip angles; the voxel size is unknown.",
            "Undersampling a 2-D slice along both axes is done afterwards; along the readout no scanner could.",
            "Networks are those trained on vwi, simulated.",
            "ESPIRiT maps come from the central 24 x 24 of the fully sampled k-space, as from a calibration scan.",
        ),
    )


@source("vfa-raw")
class VfaRaw(Source):
    """The file's k-space has DC in the corner and its image in the middle; its own coil maps are not used."""

    label = "real raw data, one person"

    def subjects(self) -> dict[Split, tuple[str, ...]]:
        """One, for testing."""
        return {"test": ("vfa-01",)}

    def assets(self, subject: str) -> tuple[str, ...]:
        """What to fetch."""
        return ("vfa",)

    def digests(self, subject: str) -> tuple[str, ...]:
        """sha256 of the file."""
        return (ASSETS["vfa"].member_sha256,)

    def load(self, subject: str) -> RawSubject:
        """Read all flip angles; one scale for all, so that the brightest root sum of squares has 99.9th percentile 1."""
        path = assets.fetch("vfa")
        with h5py.File(path) as file:
            for name in ("real_dat", "imag_dat"):
                if name not in file:
                    raise UserError(f"{path} lacks the field '{name}': delete it, it will be fetched again.")
            raw = (file["real_dat"][()] + 1j * file["imag_dat"][()]).astype(np.complex64)[:, :, 0]
        images = torch.fft.ifft2(torch.from_numpy(raw), norm="ortho")
        magnitude = images.abs().square().sum(1).sqrt()
        scale = max(float(m.flatten().quantile(0.999)) for m in magnitude)
        kspace = (fft2c(images) / scale).numpy()
        return RawSubject({(contrast, 0): kspace[i] for i, contrast in enumerate(CONTRASTS)}, None)
