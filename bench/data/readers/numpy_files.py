"""NumPy's `.npy` and `.npz`: complex k-space (slice, coil, Y, X), or (coil, Y, X) of one slice. Nothing is unpickled."""

import io
import zipfile
from functools import partial
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from bench.data.readers.records import Scan
from bench.data.readers.safely import bounded, head, reading, text
from bench.errors import UserError

NAME = "NumPy"
ONE_SLICE = "has three axes: the first one is taken for coils, so it is one slice"
LONGEST_HEADER = 10_000  # bytes
LARGEST_WORD = 1 << 16  # bytes of what goes with k-space in an archive
FEWEST_AXES, MOST_AXES = 3, 4


def knows(path: Path) -> bool:
    """Whether a file is NumPy's."""
    return path.suffix.lower() in (".npy", ".npz") or head(path, 6) == b"\x93NUMPY"


def open_scans(path: Path) -> list[Scan]:
    """Open one array, or an archive that has `kspace` and perhaps `voxel_mm`, `person` and `contrast`.

    Raises
    ------
    UserError
        If it is no complex array of three or four axes, or larger than its file.
    """
    if path.suffix.lower() == ".npz":
        return [_archive(path)]
    array = load(path)
    return [_scan(path, array, None, None, "raw")]


def load(path: Path) -> NDArray[Any]:
    """An array of a `.npy` file, mapped into memory.

    Raises
    ------
    UserError
        If it holds Python objects or is larger than its file.
    """
    with path.open("rb") as file:
        shape, fortran, dtype = _header(file)
        start, size = file.tell(), path.stat().st_size
    if prod(shape) * dtype.itemsize != size - start:
        raise UserError(
            f"its header says {dtype} {shape}, {prod(shape) * dtype.itemsize} bytes, and {size - start} follow"
        )
    if not prod(shape):
        raise UserError(f"is empty: {shape}")
    return np.memmap(path, dtype, "r", start, shape, "F" if fortran else "C")


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise UserError(f"is of the format's version {version}, which is not known")
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, dtype = read(file, max_header_size=LONGEST_HEADER)
    if dtype.hasobject:
        raise UserError("holds Python objects: refused; save an array of numbers")
    return shape, fortran, dtype


def _archive(path: Path) -> Scan:
    with zipfile.ZipFile(path) as archive:
        names = {Path(name).stem: name for name in archive.namelist() if name.endswith(".npy")}
        if "kspace" not in names:
            raise UserError(f"has no 'kspace', only {', '.join(sorted(names)[:8]) or 'nothing'}")
        array = _member(archive, names["kspace"])
        words = {key: _word(archive, names[key]) for key in ("person", "contrast") if key in names}
        voxel = _voxel(archive, names["voxel_mm"]) if "voxel_mm" in names else None
    return _scan(path, array, voxel, words.get("person"), words.get("contrast") or "raw")


def _member(archive: zipfile.ZipFile, name: str, most: int | None = None) -> NDArray[Any]:
    info = archive.getinfo(name)
    bounded(f"'{name}'", info.file_size, info.compress_size)
    if most is not None and info.file_size > most:
        raise UserError(f"'{name}' has {info.file_size} bytes: refused")
    with archive.open(info) as file:
        raw = io.BytesIO(file.read(info.file_size))
    shape, fortran, dtype = _header(raw)
    if prod(shape) * dtype.itemsize != info.file_size - raw.tell():
        raise UserError(f"'{name}': its header says {dtype} {shape}, and {info.file_size - raw.tell()} bytes follow")
    values = np.frombuffer(raw.getbuffer(), dtype, offset=raw.tell())
    return values.reshape(shape, order="F" if fortran else "C")


def _word(archive: zipfile.ZipFile, name: str) -> str | None:
    return text(_member(archive, name, LARGEST_WORD))


def _voxel(archive: zipfile.ZipFile, name: str) -> tuple[float, float]:
    values = np.asarray(_member(archive, name, LARGEST_WORD))
    if values.shape != (2,) or values.dtype.kind not in "fiu" or not (np.isfinite(values).all() and (values > 0).all()):
        raise UserError(f"'voxel_mm' is {values.dtype} {values.shape}: two lengths in mm are due, (y, x)")
    return float(values[0]), float(values[1])


def _scan(
    path: Path, array: NDArray[Any], voxel_mm: tuple[float, float] | None, person: str | None, contrast: str
) -> Scan:
    if array.dtype.kind != "c":
        raise UserError(f"is {array.dtype}: k-space is complex; a magnitude volume comes as NIfTI")
    if array.ndim not in (FEWEST_AXES, MOST_AXES) or not array.size:
        raise UserError(f"has the shape {array.shape}: (slice, coil, Y, X) is due")
    remarks = (ONE_SLICE,) if array.ndim == FEWEST_AXES else ()
    stack = array[None] if array.ndim == FEWEST_AXES else array
    count, coils, height, width = stack.shape
    bounded("a slice", 8 * coils * height * width)
    return Scan(
        (path,), NAME, person, contrast, (count, coils, height, width), str(array.dtype), voxel_mm, (True, True), remarks,
        partial(_slice, path, stack),
    )  # fmt: skip


def _slice(path: Path, stack: NDArray[Any], index: int) -> NDArray[np.complex64]:
    with reading(path), np.errstate(all="ignore"):
        return np.array(stack[index], np.complex64)
