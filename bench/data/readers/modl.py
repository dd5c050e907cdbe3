"""MoDL's `dataset.hdf5`: combined images and coil maps, of which k-space is simulated.

Images `trnOrg` and `tstOrg` are (slice, Y, X) complex64, maps `trnCsm` and `tstCsm` (slice, coil, Y, X). The slices are of 3-D
scans, cut across the readout, so that both of their axes are phase-encoded. The masks are not used.
"""

from functools import partial
from pathlib import Path

import h5py
import numpy as np
import torch
from numpy.typing import NDArray

from bench.data.readers import safely
from bench.data.readers.records import Scan, Volume
from bench.errors import UserError
from bench.mri.fourier import fft2c

NAME = "MoDL (dataset.hdf5)"
PARTS = {"trn": "train", "tst": "test"}
SLICES = 90
"""Of each person to train with."""


def knows(path: Path) -> bool:
    """Whether it holds images by MoDL's names."""
    return safely.hdf5_says(path, lambda file: any(safely.holds(file, f"{part}Org") for part in PARTS))


def open_scans(path: Path) -> list[Scan | Volume]:
    """One scan a person.

    Raises
    ------
    UserError
        If maps are missing, or do not fit the images.
    """
    with safely.opened(path) as file:
        return [scan for part in PARTS if safely.holds(file, f"{part}Org") for scan in _people(path, file, part)]


def _people(path: Path, file: h5py.File, part: str) -> list[Scan]:
    images, maps = _arrays(file, part)
    count, coils, y, x = maps.shape
    each = SLICES if part == "trn" and count % SLICES == 0 else count
    return [
        Scan(
            files=(path,),
            format="MoDL",
            person=f"{PARTS[part]}-{1 + first // each}",
            contrast="t2w",
            shape=(each, coils, y, x),
            dtype=str(images.dtype),
            voxel_mm=None,
            phase_encode=(True, True),
            remarks=("simulated from maps and combined images",),
            read=partial(_read, path, part, range(first, first + each)),
        )
        for first in range(0, count, each)
    ]


def _arrays(file: h5py.File, part: str) -> tuple[h5py.Dataset, h5py.Dataset]:
    images = safely.dataset(file, f"{part}Org", 3, "c")
    maps = safely.dataset(file, f"{part}CSM" if safely.holds(file, f"{part}CSM") else f"{part}Csm", 4, "c")
    if (maps.shape[0], *maps.shape[2:]) != images.shape:
        raise UserError(f"'{part}Csm' is {maps.shape}, which does not fit '{part}Org', {images.shape}")
    return images, maps


def _read(path: Path, part: str, slices: range, number: int) -> NDArray[np.complex64]:
    with safely.reading(path), safely.opened(path) as file:
        images, maps = _arrays(file, part)
        index = slices[number]
        image = safely.part(maps, index).astype(np.complex64, copy=False) * safely.part(images, index)
        return np.asarray(fft2c(torch.from_numpy(image.astype(np.complex64, copy=False))).numpy())
