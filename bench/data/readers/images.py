"""Images that were made elsewhere and come back: `.h5` with `image`, `.npy`, NIfTI."""

from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.data.readers import nifti, numpy_files
from bench.data.readers.probe import PROBER
from bench.data.readers.safely import bounded, dataset, is_hdf5, opened, reading
from bench.errors import UserError


def read_image(path: Path) -> NDArray[Any]:
    """The array of a file as it is; of two axes, as one slice.

    Raises
    ------
    UserError
        If the file is damaged, or larger than it can be: file and reason.
    """
    with reading(path):
        array = _array(path)
    return array[None] if array.ndim == 2 else array


def _array(path: Path) -> NDArray[Any]:
    if path.suffix == ".h5":
        fault = PROBER.fault(path) if is_hdf5(path) else "is no HDF5 file"
        if fault:
            raise UserError(fault)
        with opened(path) as file:
            found = dataset(file, "image", (2, 3, 4))
            bounded("'image'", prod(found.shape) * found.dtype.itemsize)
            return np.asarray(found[()])
    if path.suffix == ".npy":
        return np.array(numpy_files.load(path))
    return nifti.read_array(path)
