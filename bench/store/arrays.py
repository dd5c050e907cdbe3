"""Arrays that cost something to make, kept in the cache: whole or not at all, each with zip's checksum."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.store.files import atomic_path

DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)


def save_arrays(path: Path, arrays: Sequence[NDArray[Any]]) -> None:
    """Write them, in this order."""
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, *arrays)


def load_arrays(path: Path) -> list[NDArray[Any]] | None:
    """Read them; None where there are none, or they are damaged."""
    if not path.exists():
        return None
    try:
        with path.open("rb") as stream, np.load(stream) as file:
            return [file[f"arr_{i}"] for i in range(len(file.files))]
    except DAMAGED:
        return None


@dataclass(frozen=True)
class KeptArrays:
    """A folder of them, by key."""

    folder: Path

    def get(self, key: str) -> list[NDArray[Any]] | None:
        """What was kept, if it was."""
        return load_arrays(self.folder / f"{key}.npz")

    def put(self, key: str, arrays: Sequence[NDArray[Any]]) -> None:
        """Keep it."""
        save_arrays(self.folder / f"{key}.npz", arrays)
