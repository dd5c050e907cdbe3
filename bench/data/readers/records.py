"""What a reader finds in a person's own files."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Scan:
    """Raw k-space of one contrast of one person."""

    files: tuple[Path, ...]
    """All that it is read from."""
    format: str
    """As people call it, e.g. "fastMRI"."""
    person: str | None
    """As the file says; None: it does not."""
    contrast: str
    """As the file says, else a plain one."""
    shape: tuple[int, int, int, int]
    """(slice, coil, Y, X) as `read` gives them."""
    dtype: str
    """In the file, e.g. "complex64"."""
    voxel_mm: tuple[float, float] | None
    """(y, x) of the grid that `read` gives: field of view over samples; None: unknown."""
    phase_encode: tuple[bool, bool]
    """Is Y, is X phase-encoded?"""
    remarks: tuple[str, ...]
    """What was done or noticed, e.g. "readout oversampling removed: 512 to 256 along y"."""
    read: Callable[[int], NDArray[np.complex64]]
    """Slice index -> (coil, Y, X), orthonormal FFT; DC and image in the middle where the format says where they lie."""


@dataclass(frozen=True)
class Volume:
    """A magnitude volume of a head, from which acquisitions can be simulated."""

    files: tuple[Path, ...]
    format: str
    person: str | None
    """As the file says; None: it does not."""
    contrast: str
    shape: tuple[int, int, int]
    """(z, y, x) as `read` gives them."""
    dtype: str
    """In the file."""
    voxel_mm: tuple[float, float, float]
    """(z, y, x)."""
    remarks: tuple[str, ...]
    read: Callable[[], NDArray[np.float32]]
    """(z, y, x): superior to inferior, anterior to posterior, left to right; in the file's own scale."""


@dataclass(frozen=True)
class Unusable:
    """A file that is none of that."""

    path: Path
    reason: str
    """One line: the field, the value found, and what to do where there is something."""
