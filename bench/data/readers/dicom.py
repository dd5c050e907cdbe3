"""DICOM, which is told apart only to say what to do instead."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from bench.data.readers.records import Unusable
from bench.data.readers.safely import head
from bench.errors import UserError

NAME = "DICOM"
SUFFIXES = (".dcm", ".ima")
REMEDY = (
    "is DICOM, which holds reconstructed images, not k-space: make NIfTI of magnitude series with dcm2niix (dcm2niix -z y -o "
    "OUT FOLDER), and give the .nii.gz"
)


def knows(path: Path) -> bool:
    """Whether a file is DICOM."""
    return path.suffix.lower() in SUFFIXES or head(path, 132)[128:] == b"DICM"


def open_scans(path: Path) -> NoReturn:
    """Say what to do.

    Raises
    ------
    UserError
        Always.
    """
    raise UserError(REMEDY)


def told_once(unusable: Sequence[Unusable]) -> list[Unusable]:
    """The same with one line a folder of DICOM files."""
    in_folder = Counter(one.path.parent for one in unusable if one.reason == REMEDY)
    told: dict[Path, Unusable] = {}
    for one in unusable:
        whole = one.reason == REMEDY and in_folder[one.path.parent] > 1
        path = one.path.parent if whole else one.path
        told.setdefault(path, Unusable(path, one.reason))
    return list(told.values())
