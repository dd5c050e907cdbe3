"""Calgary-Campinas raw data: `kspace` (x, ky, kz, 2 x coils), float32, real and imaginary parts in turn.

The readout, x, is an image axis already; slice i is position i of it, and both other axes are phase-encoded. The transform
was not centred: the image that a plain inverse FFT gives is centred as it is. Whether DC lies in the corner or in the middle
is seen from where the middle slice is strongest, each axis by itself; DC is moved to the corner, the plain inverse FFT taken
and the centred FFT of that image given. Lines that were not measured, the last 15 % of kz as a rule, stay zero.
"""

from functools import partial
from pathlib import Path

import h5py
import numpy as np
import torch
from numpy.typing import NDArray

from bench.data.readers import safely
from bench.data.readers.records import Scan, Volume
from bench.mri.fourier import fft2c

NAME = "Calgary-Campinas (.h5)"
VOXEL_MM = 1.0
MOST_PARTS = 128  # real and imaginary ones of all coils


def knows(path: Path) -> bool:
    """Whether `kspace` has four axes of real numbers, the last one in pairs."""
    return safely.hdf5_says(path, _is_real_in_pairs)


def _is_real_in_pairs(file: h5py.File) -> bool:
    array = file["kspace"] if safely.is_plain(file, "kspace") else None
    return isinstance(array, h5py.Dataset) and array.dtype.kind == "f" and _in_pairs(array.shape)


def _in_pairs(shape: tuple[int, ...] | None) -> bool:
    return shape is not None and len(shape) == 4 and shape[3] % 2 == 0 and 2 <= shape[3] <= MOST_PARTS


def open_scans(path: Path) -> list[Scan | Volume]:
    """The one scan of a file, a slice a position of x.

    Raises
    ------
    UserError
        If it is damaged.
    """
    with safely.opened(path) as file:
        array = safely.dataset(file, "kspace", 4, "f")
        slices, y, x, parts = array.shape
        dtype = str(array.dtype)
        in_corner = _in_corner(_complex(safely.part(array, slices // 2)))
    return [
        Scan(
            files=(path,),
            format="Calgary-Campinas",
            person=None,
            contrast="t1w",
            shape=(slices, parts // 2, y, x),
            dtype=dtype,
            voxel_mm=(VOXEL_MM, VOXEL_MM),
            phase_encode=(True, True),
            remarks=("voxel of 1 mm as the data set's description says",),
            read=partial(_read, path, in_corner),
        )
    ]


def _complex(parts: NDArray[np.floating]) -> NDArray[np.complex64]:
    """(ky, kz, 2 x coils) real -> (coil, ky, kz)."""
    pairs = np.ascontiguousarray(parts, dtype=np.float32).view(np.complex64)
    return np.ascontiguousarray(pairs.transpose(2, 0, 1))


def _in_corner(kspace: NDArray[np.complex64]) -> tuple[bool, bool]:
    """Whether the strongest line of either axis is nearer to the axis' ends than to its middle."""
    energy = np.square(np.abs(kspace)).sum(0)
    found = []
    for axis in range(2):
        lines = energy.sum(1 - axis)
        strongest = int(np.argmax(lines))
        found.append(min(strongest, len(lines) - strongest) < abs(strongest - len(lines) // 2))
    return found[0], found[1]


def _read(path: Path, in_corner: tuple[bool, bool], number: int) -> NDArray[np.complex64]:
    with safely.reading(path), safely.opened(path) as file:
        kspace = _complex(safely.part(safely.dataset(file, "kspace", 4, "f"), number))
        middle = [axis for axis, corner in zip((1, 2), in_corner, strict=True) if not corner]
        image = np.fft.ifft2(np.fft.ifftshift(kspace, axes=middle), norm="ortho").astype(np.complex64, copy=False)
        return np.asarray(fft2c(torch.from_numpy(image)).numpy())
