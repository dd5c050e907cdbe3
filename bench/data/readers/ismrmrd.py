"""ISMRMRD files (.h5, .mrd): the acquisitions of a scan one by one, sorted here into Cartesian k-space.

Each line goes where its counters say, relative to the line through DC that the header names; its samples relative to its own
centre sample. Averages and repetitions are averaged, readout oversampling is removed, lines that were never acquired stay
zero. Y is the readout and X phase-encoded; of 3-D scans, which have a second step of phase encoding, the readout is
transformed and a slice is a position along it, with both phase encodings as Y and X.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from bench.data.readers import mrd_header, safely
from bench.data.readers.mrd_header import Encoding, Header
from bench.data.readers.records import Scan, Volume
from bench.errors import UserError

NAME = "ISMRMRD (.h5, .mrd)"
CALIBRATION, CALIBRATION_AND_IMAGE, REVERSED = 20, 21, 22
"""Flags, counted from 1."""
NO_IMAGE = (19, 23, 24, 26, 27, 28, 29, 30, 31)
"""Flags of noise, navigators, phase correction, feedback, dummy scans, surface coils, phase stabilization."""
STEPS = ("kspace_encode_step_1", "kspace_encode_step_2")
"""Counters of phase encoding."""
TOLD_APART = ("phase", "set")
"""Counters of things that cannot be averaged and are no contrasts."""
MOST_DIMENSIONS = 8  # of a trajectory
BLOCK = 1 << 29  # bytes of slices that are held after one of them was read
BATCH = 1 << 26  # bytes of lines that are read together
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Plan:
    """Where the lines of one contrast lie in the file, and where they go."""

    path: Path
    volume: bool
    """Is it a 3-D scan?"""
    slices: int
    coils: int
    readout: int
    """Samples with oversampling."""
    length: int
    """Samples without."""
    steps: tuple[int, int]
    """Sizes of the encoded matrix, ky and kz."""
    rows: Integers
    """Of each line: its acquisition, in order."""
    places: Integers
    """Of each line: (slice, ky, kz)."""
    weights: NDArray[np.float32]
    """Of each line: one over how often it was acquired."""
    samples: Integers
    """Of each line: (all, those to leave out before, those to leave out after, place of the first one that stays)."""

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """As of the scan."""
        ky, kz = self.steps
        return (self.length, self.coils, ky, kz) if self.volume else (self.slices, self.coils, self.length, ky)

    @property
    def together(self) -> int:
        """Slices in a block."""
        return int(max(1, min(self.shape[0], BLOCK // (8 * int(np.prod(self.shape[1:], dtype=np.int64))))))


def knows(path: Path) -> bool:
    """Whether it has acquisitions and their header."""
    return safely.hdf5_says(path, _has_acquisitions)


def _has_acquisitions(file: h5py.File) -> bool:
    group = file["dataset"] if safely.is_plain(file, "dataset") else None
    return safely.holds(group, "xml") and safely.holds(group, "data")


def open_scans(path: Path) -> list[Scan | Volume]:
    """A scan of each contrast.

    Raises
    ------
    UserError
        If it is not Cartesian, or has what cannot be sorted into k-space: by name.
    """
    with safely.opened(path) as file:
        header = mrd_header.of_file(file, "dataset/xml")
        heads = _heads(_acquisitions(file))
    rows = np.flatnonzero(_is_image(heads))
    heads = heads[rows]
    encoding = _encoding(header, heads)
    _refuse(heads)
    contrasts = _counter(heads, "contrast")
    there = sorted({int(c) for c in contrasts})
    scans: list[Scan | Volume] = []
    for number in there:
        name = header.protocol or "raw"
        mine = contrasts == number
        contrast = name if len(there) == 1 else f"{name}-{number}"
        scans.append(_scan(_plan(path, encoding, heads[mine], rows[mine]), encoding, header.person, contrast))
    return scans


def _acquisitions(file: h5py.File) -> h5py.Dataset:
    """The list of acquisitions, looked at: no longer than it can be, and of the right types."""
    data = safely.dataset(file, "dataset/data", 1)
    if set(data.dtype.names or ()) != {"head", "traj", "data"}:
        raise UserError(f"'dataset/data' has no acquisitions but {data.dtype}")
    head, lists = data.dtype["head"], [h5py.check_vlen_dtype(data.dtype[name]) for name in ("traj", "data")]
    if head.hasobject or head.names is None or any(kind is None or np.dtype(kind).kind != "f" for kind in lists):
        raise UserError("'dataset/data' has acquisitions of other types than ISMRMRD's")
    stored = min(data.id.get_storage_size(), file.id.get_filesize())
    safely.bounded("its list of acquisitions", data.shape[0] * data.id.get_type().get_size(), stored)
    return data


def _offset(data: h5py.Dataset, name: str) -> int:
    kind = data.id.get_type()
    return int(kind.get_member_offset(kind.get_member_index(name.encode())))


def _heads(data: h5py.Dataset) -> NDArray[Any]:
    """Heads of all acquisitions; HDF5 would read their lines with them."""
    size, head, offset = data.id.get_type().get_size(), data.dtype["head"], _offset(data, "head")
    raw = safely.stored(data, size, 0, data.shape[0])[:, offset : offset + head.itemsize]
    heads: NDArray[Any] = np.ascontiguousarray(raw).view(head).reshape(-1)
    return heads


def _lines(data: h5py.Dataset, first: int, due: Integers) -> NDArray[Any]:
    """Lines of some acquisitions, each of as many numbers as are due."""
    raw = safely.stored(data, data.id.get_type().get_size(), first, len(due))
    said, trajectory = (safely.lengths(raw, _offset(data, name)) for name in ("data", "traj"))
    for i in np.flatnonzero((said != due) | (trajectory > MOST_DIMENSIONS * due)):
        found = f"{said[i]} numbers, and {trajectory[i]} of a trajectory"
        raise UserError(f"acquisition {first + i} has {found}: by its head, {due[i]} numbers are due")
    return np.asarray(data.fields("data")[first : first + len(due)])


def _counter(heads: NDArray[Any], name: str) -> Integers:
    return np.asarray(heads["idx"][name], dtype=np.int64)


def _field(heads: NDArray[Any], name: str) -> Integers:
    return np.asarray(heads[name], dtype=np.int64)


def _flag(heads: NDArray[Any], number: int) -> NDArray[np.bool_]:
    return np.asarray((heads["flags"].astype(np.uint64) >> np.uint64(number - 1)) & np.uint64(1), dtype=bool)


def _is_image(heads: NDArray[Any]) -> NDArray[np.bool_]:
    other = _flag(heads, CALIBRATION) & ~_flag(heads, CALIBRATION_AND_IMAGE)
    for number in NO_IMAGE:
        other |= _flag(heads, number)
    if other.all():
        raise UserError(f"has no acquisition of an image among its {len(heads)}")
    return np.asarray(~other)


def _encoding(header: Header, heads: NDArray[Any]) -> Encoding:
    """The one encoding that the lines have."""
    used = sorted({int(n) for n in heads["encoding_space_ref"]})
    if len(used) > 1:
        raise UserError(f"has lines of several encodings: {', '.join(map(str, used[:5]))}; give a file with one")
    if used[0] >= len(header.encodings):
        raise UserError(f"has lines of encoding {used[0]}, and its header {len(header.encodings)} encodings")
    encoding = header.encodings[used[0]]
    if encoding.trajectory != "cartesian":
        raise UserError(f"has the trajectory '{encoding.trajectory}': only Cartesian k-space can be read")
    return encoding


def _refuse(heads: NDArray[Any]) -> None:
    """Refuse what lines cannot be sorted by."""
    if _flag(heads, REVERSED).any():
        raise UserError("has lines that were read in reverse, as echo-planar imaging has: they cannot be read")
    channels = sorted({int(n) for n in heads["active_channels"]})
    if len(channels) > 1 or channels[0] < 1:
        raise UserError(f"has lines of several numbers of channels: {', '.join(map(str, channels[:5]))}")
    for name in TOLD_APART:
        found = sorted({int(n) for n in _counter(heads, name)})
        if len(found) > 1:
            raise UserError(f"has {len(found)} values of '{name}': they are no contrasts, and cannot be averaged")
    line = np.stack([_counter(heads, n) for n in (*STEPS, "slice", "contrast", "segment")], axis=1)
    if len(np.unique(line, axis=0)) > len(np.unique(line[:, :-1], axis=0)):
        raise UserError("has the same line in several values of 'segment': they cannot be averaged")


def _plan(path: Path, encoding: Encoding, heads: NDArray[Any], rows: Integers) -> Plan:
    readout, *sizes = encoding.matrix
    slice_numbers, slices = np.unique(_counter(heads, "slice"), return_inverse=True)
    places = [np.asarray(slices, dtype=np.int64).reshape(-1)]
    volume = bool(_counter(heads, STEPS[1]).any())
    if volume and len(slice_numbers) > 1:
        raise UserError(f"is a 3-D scan of {len(slice_numbers)} slabs: only one can be read")
    for step, size, centre, axis in zip(STEPS, sizes, encoding.centres, "yz", strict=True):
        if axis == "z" and not volume:
            places.append(np.zeros(len(heads), np.int64))
            continue
        place = _counter(heads, step) - centre + size // 2
        outside = (place < 0) | (place >= size)
        if outside.any():
            found = int(_counter(heads, step)[outside][0])
            said = f"the encoded matrix has {size} along {axis}, and its centre is at {centre}"
            raise UserError(f"has a line with {step} {found}: {said}")
        places.append(place)
    together = np.stack(places, axis=1)
    _, which, counts = np.unique(together, axis=0, return_inverse=True, return_counts=True)
    coils = int(heads["active_channels"][0])
    samples = _samples(heads, readout)
    size = path.stat().st_size
    safely.bounded("its lines", 8.0 * coils * float(samples[:, 0].max()), size)
    if 8 * coils * int(samples[:, 0].sum()) > size:
        raise UserError(f"says to have {8 * coils * int(samples[:, 0].sum())} bytes of lines and has {size}: refused")
    steps = (sizes[0], sizes[1] if volume else 1)
    length = mrd_header.length_without_oversampling(readout, encoding)
    weights = (1 / counts[which.reshape(-1)]).astype(np.float32)
    plan = Plan(path, volume, len(slice_numbers), coils, readout, length, steps, rows, together, weights, samples)
    safely.bounded("a slice", 8.0 * float(np.prod(plan.shape[1:], dtype=float)), size)
    safely.bounded("a line", 8.0 * coils * readout, size)
    return plan


def _samples(heads: NDArray[Any], readout: int) -> Integers:
    """What of each line is used, and where it goes."""
    names = ("number_of_samples", "discard_pre", "discard_post", "center_sample")
    count, before, after, centre = (_field(heads, name) for name in names)
    centre = np.where((centre == 0) & (count == readout), readout // 2, centre)  # a whole line whose centre was not set
    first = readout // 2 - centre + before
    kept = count - before - after
    wrong = (kept < 1) | (first < 0) | (first + kept > readout)
    if wrong.any():
        i = int(np.flatnonzero(wrong)[0])
        found = ", ".join(f"{name} {_field(heads, name)[i]}" for name in names)
        raise UserError(f"has a line with {found}: the encoded matrix has {readout} along x")
    return np.stack([count, before, after, first], axis=1)


def _scan(plan: Plan, encoding: Encoding, person: str | None, contrast: str) -> Scan:
    remarks = []
    if plan.length != plan.readout:
        along = "the readout" if plan.volume else "y"
        remarks.append(f"readout oversampling removed: {plan.readout} to {plan.length} along {along}")
    acquired, lines = len(np.unique(plan.places, axis=0)), plan.slices * plan.steps[0] * plan.steps[1]
    if acquired < len(plan.rows):
        remarks.append(f"averages and repetitions averaged: {len(plan.rows)} lines, {acquired} apart")
    if acquired < lines:
        remarks.append(f"{lines - acquired} of {lines} lines were not acquired: they are zero")
    fov = encoding.fov_mm
    voxel = mrd_header.voxel_mm((fov[1], fov[2]) if plan.volume else (fov[0], fov[1]), _samples_of(plan))
    if voxel is None:
        remarks.append(f"voxel size unknown: the header's field of view, {fov} mm, is none of a head")
    return Scan(
        files=(plan.path,),
        format="ISMRMRD",
        person=person,
        contrast=contrast,
        shape=plan.shape,
        dtype="complex64",
        voxel_mm=voxel,
        phase_encode=(plan.volume, True),
        remarks=tuple(remarks),
        read=partial(_read, plan),
    )


def _samples_of(plan: Plan) -> tuple[int, int]:
    """Samples that the field of view of the encoded matrix has, along Y and X."""
    return plan.steps if plan.volume else (plan.readout, plan.steps[0])


def _read(plan: Plan, number: int) -> NDArray[np.complex64]:
    with safely.reading(plan.path):
        number = range(plan.shape[0])[number]
        found: NDArray[np.complex64] = _block(plan, number // plan.together)[number % plan.together].copy()
        return found


@lru_cache(maxsize=1)
def _block(plan: Plan, index: int) -> NDArray[np.complex64]:
    """Some slices, sorted; those that were read last are held, of one scan alone."""
    start = index * plan.together
    stop = min(start + plan.together, plan.shape[0])
    block = np.zeros((stop - start, *plan.shape[1:]), np.complex64)
    there = plan.places[:, 0]
    mine = np.arange(len(there)) if plan.volume else np.flatnonzero((start <= there) & (there < stop))
    with safely.opened(plan.path) as file:
        data = _acquisitions(file)
        for lines in _batches(plan, mine):
            placed = _placed(plan, lines, data)
            for line, (at, ky, kz) in zip(placed, plan.places[lines], strict=True):
                if plan.volume:
                    block[:, :, ky, kz] += line.T[start:stop]
                else:
                    block[at - start, :, :, ky] += line
    return block


def _batches(plan: Plan, lines: Integers) -> Iterator[Integers]:
    """Lines that follow each other in the file, as many as may be read together."""
    most = max(1, BATCH // (8 * plan.coils * max(plan.readout, int(plan.samples[:, 0].max()))))
    for run in np.split(lines, np.flatnonzero(np.diff(plan.rows[lines]) != 1) + 1):
        for first in range(0, len(run), most):
            yield run[first : first + most]


def _placed(plan: Plan, lines: Integers, data: h5py.Dataset) -> NDArray[np.complex64]:
    """(line, coil, readout) weighted, without oversampling; of 3-D scans the readout is an image axis."""
    first = int(plan.rows[lines[0]])
    numbers = _lines(data, first, 2 * plan.coils * plan.samples[lines, 0])
    placed = np.zeros((len(lines), plan.coils, plan.readout), np.complex64)
    for i, line in enumerate(lines):
        count, before, after, at = plan.samples[line]
        values = np.ascontiguousarray(numbers[i], dtype=np.float32).view(np.complex64).reshape(plan.coils, count)
        placed[i, :, at : at + count - before - after] = plan.weights[line] * values[:, before : count - after]
    if plan.volume:
        return mrd_header.cropped_image(placed, plan.length, 2)
    return mrd_header.without_oversampling(placed, plan.length, 2)
