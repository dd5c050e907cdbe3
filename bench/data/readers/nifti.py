"""NIfTI: magnitude volumes, from which acquisitions can only be simulated."""

import gzip
import re
import warnings
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.affines import obliquity
from numpy.typing import NDArray

from bench.data.readers.records import Volume
from bench.data.readers.safely import bounded, reading
from bench.errors import UserError

NAME = "NIfTI"
BIDS = re.compile(r"(?P<person>sub-[A-Za-z0-9]+)(_[a-z]+-[A-Za-z0-9]+)*_(?P<suffix>[A-Za-z0-9]+)$")
HEADERS = {348: nib.Nifti1Header, 540: nib.Nifti2Header}
"""By what the first four bytes say."""
MM = {1: 1000.0, 2: 1.0, 3: 0.001}
"""In a unit of the header's."""
STRAIGHT = 0.5  # degrees
BLOCK = 1 << 20  # bytes that are read at a time
Header = Any


def knows(path: Path) -> bool:
    """Whether a file is NIfTI, by its name."""
    return path.name.lower().endswith((".nii", ".nii.gz"))


def open_scans(path: Path) -> list[Volume]:
    """Open a volume.

    Raises
    ------
    UserError
        If it is none of three axes, is complex or coloured, or larger than its file.
    """
    header = read_header(path)
    shape = tuple(int(n) for n in header.get_data_shape())
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) != 3 or min(shape) < 2:
        raise UserError(f"has the shape {shape}: three axes are due, a volume")
    dtype = header.get_data_dtype()
    if dtype.kind not in "fiu":
        raise UserError(f"is {dtype}: a magnitude is due, of real numbers")
    remarks, affine = _orientation(header)
    remarks.append(f"axes stored as {''.join(nib.aff2axcodes(affine, (('L', 'R'), ('P', 'A'), ('I', 'S'))))}")
    unit = int(header["xyzt_units"]) & 7
    lengths = np.abs(nib.affines.voxel_sizes(affine)) * MM.get(unit, 1.0)
    remarks += [f"lengths are in unit {unit}: {MM[unit]:g} mm each"] if MM.get(unit, 1.0) != 1 else []
    if not (np.isfinite(lengths).all() and (lengths > 0).all()):
        raise UserError(f"its voxel is {tuple(float(mm) for mm in lengths)} mm: three lengths above 0 are due")
    axes = nib.orientations.io_orientation(affine)
    if np.isnan(axes).any():
        raise UserError("its affine leaves an axis without direction")
    order = [int(np.flatnonzero(axes[:, 0] == world)[0]) for world in (2, 1, 0)]  # of the file's axes: z, y, x
    named = BIDS.match(path.name.partition(".")[0])
    contrast = named["suffix"].lower() if named else "t1w"
    remarks += [] if named else ["contrast is not said: taken for t1w"]
    z, y, x = (float(lengths[axis]) for axis in order)
    sizes = (shape[order[0]], shape[order[1]], shape[order[2]])
    read = partial(_volume, path, affine)
    return [
        Volume(
            (path,),
            NAME,
            named["person"] if named else None,
            contrast,
            sizes,
            str(dtype),
            (z, y, x),
            tuple(remarks),
            read,
        )
    ]


def read_header(path: Path) -> Header:
    """The header, after a look at whether as much follows as it says; memory is bounded.

    Raises
    ------
    UserError
        If it is damaged, or less follows than it says.
    """
    with _opened(path) as file:
        start = file.read(4)
        kind = HEADERS.get(int.from_bytes(start, "little")) or HEADERS.get(int.from_bytes(start, "big"))
        if kind is None:
            raise UserError(f"does not begin as NIfTI does ({start.hex()})")
        swapped = int.from_bytes(start, "little") not in HEADERS
        raw = start + file.read(kind.template_dtype.itemsize - 4)
        if len(raw) < kind.template_dtype.itemsize:
            raise UserError(f"ends within its header ({len(raw)} bytes)")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            header: Header = kind(raw, ">" if swapped else "<", False)  # type: ignore[no-untyped-call]
            shape, dtype = header.get_data_shape(), header.get_data_dtype()
        if not shape or min(int(n) for n in shape) < 1:
            raise UserError(f"has the shape {tuple(shape)}")
        needed = float(prod(int(n) for n in shape)) * dtype.itemsize
        bounded("the volume", needed * max(1, 4 / dtype.itemsize))
        offset = float(header["vox_offset"])
        if not len(raw) <= offset <= BLOCK:
            raise UserError(f"its data begin at byte {offset}")
        left = offset - len(raw) + needed
        while left > 0 and (block := file.read(int(min(BLOCK, left)))):
            left -= len(block)
    if left > 0:
        raise UserError(f"its header says {dtype} {tuple(shape)}, and {left:.0f} bytes of that are missing")
    return header


def _opened(path: Path) -> Any:
    return gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb")


def _orientation(header: Header) -> tuple[list[str], NDArray[np.float64]]:
    """What there is to say of it, and the affine."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        affine = np.asarray(header.get_best_affine(), float)
    if affine.shape != (4, 4) or not np.isfinite(affine).all():
        raise UserError("its affine holds NaN or infinity")
    if not int(header["qform_code"]) and not int(header["sform_code"]):
        return ["orientation is not said: taken as stored, first axis from left to right"], affine
    with np.errstate(all="ignore"):
        angle = float(np.degrees(np.max(obliquity(affine))))
    if np.isfinite(angle) and angle > STRAIGHT:
        return [f"its axes are turned by up to {angle:.0f} degrees against the head's: not straightened"], affine
    return [], affine


def read_array(path: Path) -> NDArray[Any]:
    """The whole array, in the file's own axes.

    Raises
    ------
    UserError
        If it is damaged, or less follows than its header says.
    """
    header = read_header(path)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return np.asarray(nib.arrayproxy.ArrayProxy(str(path), header))


def _volume(path: Path, affine: NDArray[np.float64]) -> NDArray[np.float32]:
    with reading(path), np.errstate(all="ignore"):
        stored = read_array(path).astype(np.float32)
        while stored.ndim > 3:
            stored = stored[..., 0]
        orientation = nib.orientations.io_orientation(affine)
        right_anterior_superior = nib.orientations.apply_orientation(stored, orientation)
        return np.ascontiguousarray(right_anterior_superior.transpose(2, 1, 0)[::-1, ::-1])
