"""fastMRI's multi-coil files, and M4Raw's, which have the same layout: `kspace` (slice, coil, readout, phase encoding).

Asked last of the readers of HDF5: it takes whatever is left, and says what is wrong with it. Its `reconstruction_rss` is not
used: the benchmark makes its truth of k-space itself.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from bench.data.readers import mrd_header, safely
from bench.data.readers.records import Scan, Unusable, Volume
from bench.errors import UserError

NAME = "fastMRI or M4Raw (.h5)"
M4RAW = "M4Raw"
M4RAW_NAME = re.compile(r"(?P<person>\d{8,14})_(?P<contrast>T1|T2|FLAIR|GRE)(?P<repetition>\d\d)")
"""Of its files, e.g. "2022061003_T101"."""
SHOWN = 6  # names of a strange file's datasets


@dataclass(frozen=True)
class Geometry:
    """What a header says of k-space of a known shape."""

    length: int
    """Readout samples without oversampling."""
    voxel_mm: tuple[float, float] | None
    remarks: tuple[str, ...]


def knows(path: Path) -> bool:
    """Whether it is HDF5, of any layout."""
    return safely.is_hdf5(path)


def open_scans(path: Path) -> list[Scan | Volume]:
    """The one scan of a file.

    Raises
    ------
    UserError
        If it has one coil only, or is of another layout.
    """
    with safely.opened(path) as file:
        array = _kspace(file)
        slices, coils, height, width = array.shape
        geometry = _geometry(file, height, width)
        remarks = [*geometry.remarks]
        if safely.holds(file, "mask"):
            remarks.append("the file has a sampling mask: it is undersampled")
        if any(name.startswith("reconstruction") for name in islice(file, 100)):
            remarks.append("the reconstruction in the file is not used")
        person, contrast = (safely.text(_attribute(file, name)) for name in ("patient_id", "acquisition"))
        dtype = str(array.dtype)
    name = M4RAW_NAME.fullmatch(path.stem)
    return [
        Scan(
            files=(path,),
            format=M4RAW if name else "fastMRI",
            person=name["person"] if name else person,
            contrast=name["contrast"] if name else contrast or "raw",
            shape=(slices, coils, geometry.length, width),
            dtype=dtype,
            voxel_mm=geometry.voxel_mm,
            phase_encode=(False, True),
            remarks=tuple(remarks),
            read=partial(_read, path, geometry.length),
        )
    ]


def _kspace(file: h5py.File) -> h5py.Dataset:
    if not safely.holds(file, "kspace"):
        names = ", ".join(repr(safely.text(name)) for name in islice(file, SHOWN)) or "nothing"
        raise UserError(f"is HDF5 of no known layout: it holds {names}, and no 'kspace'")
    array = safely.dataset(file, "kspace", (3, 4), "c")
    if len(array.shape) == 3:
        raise UserError(f"'kspace' has 3 axes {array.shape}: single-coil data, of which nothing here can be made")
    return array


def _attribute(file: h5py.File, name: str) -> object:
    try:
        return file.attrs.get(name)
    except safely.BROKEN:  # k-space may be sound all the same
        return None


def _geometry(file: h5py.File, height: int, width: int) -> Geometry:
    try:
        encoding = mrd_header.of_file(file, "ismrmrd_header").encodings[0]
    except safely.BROKEN as error:
        said = safely.one_line(error)
        return Geometry(height, None, (f"voxel size unknown, oversampling not looked for: the file {said}",))
    remarks = []
    length = mrd_header.length_without_oversampling(height, encoding)
    if length != height:
        remarks.append(f"readout oversampling removed: {height} to {length} along y")
    if width != encoding.matrix[1]:
        remarks.append(f"{width} lines along x, {encoding.matrix[1]} in the header: the voxel is of those in the file")
    voxel = mrd_header.voxel_mm((encoding.fov_mm[0], encoding.fov_mm[1]), (height, width))
    if voxel is None:
        fov = " x ".join(f"{mm:g}" for mm in encoding.fov_mm[:2])
        remarks.append(f"voxel size unknown: the header's field of view, {fov} mm, is none of a head")
    return Geometry(length, voxel, tuple(remarks))


def _read(path: Path, length: int, number: int) -> NDArray[np.complex64]:
    with safely.reading(path), safely.opened(path) as file:
        kspace = safely.part(_kspace(file), number).astype(np.complex64, copy=False)
        return mrd_header.without_oversampling(kspace, length, 1)


def averaged(scans: Sequence[Scan | Volume], unusable: list[Unusable]) -> list[Scan | Volume]:
    """One scan of the repetitions that M4Raw has of a person's contrast, in the first one's place.

    Parameters
    ----------
    unusable
        Repetitions that do not fit the first one are added to it.
    """
    groups: dict[tuple[str | None, str], list[Scan]] = {}
    for scan in scans:
        if isinstance(scan, Scan) and scan.format == M4RAW:
            groups.setdefault((scan.person, scan.contrast), []).append(scan)
    result: list[Scan | Volume] = []
    for scan in scans:
        if not isinstance(scan, Scan) or scan.format != M4RAW:
            result.append(scan)
        elif group := groups.pop((scan.person, scan.contrast), None):
            result.append(_average(group, unusable))
    return result


def _average(group: list[Scan], unusable: list[Unusable]) -> Scan:
    first = group[0]
    fit: dict[str, Scan] = {}
    for scan in group:
        path = scan.files[0]
        twin = fit.get(path.stem)
        if twin:
            reason = f"the same repetition as {twin.files[0]}: left out"
        elif (scan.shape, scan.voxel_mm) != (first.shape, first.voxel_mm):
            found = (
                f"{scan.shape} with a voxel of {scan.voxel_mm}, {first.files[0]} {first.shape} with {first.voxel_mm}"
            )
            reason = f"cannot be averaged with its other repetitions: it is {found}"
        else:
            fit[path.stem] = scan
            continue
        unusable.append(Unusable(path, reason))
    if len(fit) == 1:
        return first
    remarks = dict.fromkeys(remark for scan in fit.values() for remark in scan.remarks)
    return replace(
        first,
        files=tuple(scan.files[0] for scan in fit.values()),
        remarks=(*remarks, f"{len(fit)} repetitions averaged"),
        read=partial(_read_mean, tuple(fit.values())),
    )


def _read_mean(scans: tuple[Scan, ...], number: int) -> NDArray[np.complex64]:
    total = scans[0].read(number)
    with np.errstate(all="ignore"):
        for scan in scans[1:]:
            total += scan.read(number)
        total /= np.float32(len(scans))
    return total
