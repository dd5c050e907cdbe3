"""`images.npz` and `reference.npz`: images of a few slices, their names, one reader, one writer."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

import numpy as np
from numpy.typing import NDArray

from bench.errors import UserError
from bench.store.files import atomic_path

SCALE, SQUARE_ROOT = "@scale", "@root-scale"  # endings of what goes with an image: uint16, or uint8 of the square root


class SliceName(NamedTuple):
    """A slice as it is called inside the files; every part is free text."""

    contrast: str
    subject: str
    number: int

    def __str__(self) -> str:
        return "/".join(quote(str(part), safe="") for part in self)

    @classmethod
    def parse(cls, text: str) -> "SliceName":
        """Read what `str` gave."""
        contrast, subject, number = map(unquote, text.split("/"))
        return cls(contrast, subject, int(number))


def write_images(path: Path, images: Mapping[str, NDArray[Any]], small: bool = False) -> None:
    """Write images under their names; boolean arrays as they are, others in 16 bit with a scale each.

    Parameters
    ----------
    images
        Non-negative arrays by name; values below 0 become 0.
    small
        8 bit of the square root instead: a third of the size, errors of at most 0.4 % of the maximum. Images that were
        read from such a file become the same bytes again.
    """
    arrays: dict[str, NDArray[Any]] = {}
    for name, image in images.items():
        if image.dtype == bool:
            arrays[name] = image
            continue
        peak = float(np.max(image, initial=0.0))
        values = np.clip(image, 0, None)
        if small:
            root = np.float32(peak**0.5 / 255 or 1.0)  # as precise as what is read, so that it is found again in that
            arrays[f"{name}{SQUARE_ROOT}"] = np.asarray(root)
            arrays[name] = np.round(np.sqrt(values) / root).astype(np.uint8)
        else:
            arrays[f"{name}{SCALE}"] = np.asarray(scale := peak / 65535 or 1.0)
            arrays[name] = np.round(values / scale).astype(np.uint16)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def read_images(path: Path) -> dict[str, NDArray[Any]]:
    """Read what `write_images` wrote, as float32 (or bool)."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} cannot be read ({error}): run again with --rerun.") from error
    return {
        name: _decoded(name, array, arrays) for name, array in arrays.items() if not name.endswith((SCALE, SQUARE_ROOT))
    }


def _decoded(name: str, array: NDArray[Any], arrays: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    if array.dtype == bool:
        return array
    scaled: NDArray[np.float64]
    if f"{name}{SQUARE_ROOT}" in arrays:
        scaled = (array * np.float64(arrays[f"{name}{SQUARE_ROOT}"])) ** 2
    else:
        scaled = array * arrays[f"{name}{SCALE}"]
    return scaled.astype(np.float32)
