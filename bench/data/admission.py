"""The one door for data: what a source and its subjects have to be, whoever wrote them.

The contract. A source has a `label`, names everybody once in `subjects` (train, validation, test; test alone will do where
nothing has to learn), by any text but an empty one, and gives each person's `digests`. `load` gives one of two things:

- A `Head`: magnitude (z, y, x) float32, at least 0 (a little less is taken as 0), from superior to inferior, anterior to
  posterior, left to right; 99.9th percentile 1; voxel in mm.
- A `RawSubject`: (contrast, slice number) -> (coil, Y, X) complex64, fully sampled k-space with DC at (Y // 2, X // 2) of an
  orthonormal FFT, at least as large as the protocol's matrix, the same coils in all slices of a contrast, in any one scale;
  voxel of that k-space in mm, or None. It has the contrast of every view of the protocol; how many slices is free, people and
  contrasts may differ in it, and in the size of their k-space, but not the slices of one contrast.

What can be mended safely is mended, and said: precision, the scale of a head, slices of nothing but zeros or that are there
twice, fewer slices than asked for. What cannot is refused with subject, contrast, slice and the value found. What cannot be
told from the data is not: left from right, a conjugated k-space, rows taken for columns, a wrong voxel size that a head might
have.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.data.geometry import SKIN, Frame
from bench.data.kspace import Kspace, look
from bench.data.protocol import SPLITS, Head, Protocol, RawSubject, Source, apart
from bench.errors import Refused, UserError
from bench.store.keys import sha256_of_array

LENGTHS_MM = (0.05, 20.0)
"""Of a voxel: others are of another unit."""
SCALES = (1e-9, 1e9)
"""Of the largest k-space sample: beyond, squares of small ones are lost in single precision."""
PERCENTILE = (0.9, 1.1)
"""Of a head, the 99.9th: as far from 1 as is let in unchanged."""
LEAST_HEAD_MM = 60.0  # below the vertex: less shows no cranium
END_MM = 5.0  # of the first and last slices that show something, whose areas are compared
ROUND = (0.12, 0.15)  # of the largest area: a head is smaller than that at its vertex, and larger where its neck is cut
STEEP = 0.04  # of the largest area, a mm: thick slices show more of a vertex
ASYMMETRY = 0.1  # of correlations with the mirror image; left and right of a head are the most alike
Array = NDArray[Any]


@dataclass(frozen=True)
class Admitted:
    """A subject as the contract has it."""

    subject: Frame | RawSubject
    """A head with its box, or measured k-space."""
    remarks: tuple[str, ...]
    """What was mended."""
    content: str
    """sha256 of the data: two people who have the same are told of."""


def admit_source(source: Source) -> None:
    """Look at what a source declares; nobody is loaded, and nobody's digests are asked for.

    Raises
    ------
    Refused
        If that is not as the contract says.
    """
    subjects: object = source.subjects()
    if not isinstance(subjects, dict):
        raise Refused("subjects", f"gives {type(subjects).__name__}: a dict of train, validation and test is due")
    for split, ids in subjects.items():
        if split not in SPLITS:
            raise UserError(f"'{split}' is no split: use {', '.join(SPLITS)}")
        if isinstance(ids, str) or not all(isinstance(id, str) and id.strip() and id.isprintable() for id in ids):
            raise UserError(f"subjects of '{split}' are {ids!r}: give a tuple of names, printable texts")
    for fold in range(source.folds()):
        try:
            apart(source.split(fold))
        except ValueError as error:
            raise UserError(f"{error}{f', fold {fold}' if fold else ''}") from error


def admit_digests(source: Source, subject: str) -> tuple[str, ...]:
    """A subject's digests.

    Raises
    ------
    UserError
        If they are no texts.
    """
    digests: object = source.digests(subject)
    if not isinstance(digests, tuple | list) or not all(isinstance(digest, str) for digest in digests):
        raise UserError(f"digests('{subject}') is {digests!r}: give texts, such as the sha256 of its files")
    return tuple(digests)


def admit(name: str, loaded: object) -> Admitted:
    """Take a subject in.

    Parameters
    ----------
    name
        Its id.
    loaded
        What `Source.load` gave.

    Raises
    ------
    Refused
        If it is not as the contract says, and cannot be mended safely.
    """
    if isinstance(loaded, Head):
        return _admit_head(name, loaded)
    if isinstance(loaded, RawSubject):
        if not isinstance(loaded.kspace, Mapping) or not loaded.kspace:
            raise Refused(name, "has no slice")
        _check_keys(name, loaded.kspace)
        for voxel_mm in (loaded.voxel_mm, *loaded.voxels.values()):
            if voxel_mm is not None:
                _check_lengths(name, voxel_mm, 2)
        return Admitted(loaded, (), "")
    raise Refused(name, f"is a {type(loaded).__name__}: return a bench.Head or a bench.RawSubject")


def _check_keys(name: str, kspace: Mapping[Any, object]) -> None:
    for key in kspace:
        pair = key if isinstance(key, tuple) and len(key) == 2 else (None, None)
        named = isinstance(pair[0], str) and pair[0].strip() and pair[0].isprintable()
        if not named or not isinstance(pair[1], int | np.integer) or isinstance(pair[1], bool) or pair[1] < 0:
            raise Refused(
                name, f"has a slice called {key!r}: call it (contrast, number), a printable text and 0 or more"
            )


def _admit_head(name: str, head: Head) -> Admitted:
    volume, remarks = _as_type(name, "volume", head.volume, np.dtype(np.float32))
    _check_lengths(name, head.voxel_mm, 3)
    lowest, bright = float(volume.min()), float(np.percentile(volume, 99.9))
    if lowest < -0.05 * bright:
        raise Refused(
            name, f"volume goes down to {lowest:.3g}, its 99.9th percentile is {bright:.3g}: give a magnitude"
        )
    if bright <= 0:
        raise Refused(name, "has a volume of which less than a thousandth is not zero: give a head")
    if not PERCENTILE[0] <= bright <= PERCENTILE[1]:
        remarks.append(f"'{name}': the 99.9th percentile of the volume must be 1, it was {bright:.4g}: divided by it.")
        volume = volume / np.float32(bright)
    frame = Frame(replace(head, volume=np.maximum(volume, 0)))
    _check_place(name, frame)
    return Admitted(frame, tuple(remarks), sha256_of_array(volume))


def _check_place(name: str, frame: Frame) -> None:
    """A head lies with its vertex up, and with left and right along the last axis; air around it is not looked at."""
    z_mm = frame.head.voxel_mm[0]
    part = frame.head.volume[_box(name, frame.head)]
    area = (part > SKIN).sum((1, 2))
    thick = max(1, round(END_MM / z_mm))
    first, last = (float(slab.mean() / area.max()) for slab in (area[:thick], area[-thick:]))
    if first > max(ROUND[1], STEEP * z_mm, 1.5 * last) and last < ROUND[0]:
        raise Refused(name, "is upside down: z runs from superior to inferior (volume[::-1])")
    depth = len(area) * z_mm
    if depth < LEAST_HEAD_MM:
        raise Refused(
            name, f"has {depth:.0f} mm below its vertex, at least {LEAST_HEAD_MM:.0f} are needed: give a head"
        )
    coarse = _coarse(part)
    mirrored = [float(np.corrcoef(coarse.ravel(), np.flip(coarse, axis).ravel())[0, 1]) for axis in range(3)]
    if mirrored[2] < max(mirrored) - ASYMMETRY:
        other = int(np.argmax(mirrored))
        raise Refused(
            name,
            f"is less like its mirror image along the last axis ({mirrored[2]:.2f}) than along axis {other} "
            f"({mirrored[other]:.2f}): axes are z, y, x, so left to right is the last",
        )


def _box(name: str, head: Head) -> tuple[slice, ...]:
    """From the first to the last slice along each axis that shows more than 400 mm^2."""
    inside, box = head.volume > SKIN, []
    for axis, letter in enumerate("zyx"):
        y_mm, x_mm = (mm for other, mm in enumerate(head.voxel_mm) if other != axis)
        shown = np.flatnonzero(inside.sum(tuple(other for other in range(3) if other != axis)) * y_mm * x_mm > 400)
        if not len(shown):
            raise Refused(name, f"has no slice along {letter} with more than 400 mm2 above {SKIN}: give a head")
        box.append(slice(int(shown[0]), int(shown[-1]) + 1))
    return tuple(box)


def _coarse(volume: Array) -> Array:
    """Means of blocks, about 24 along each axis: in them a head that is turned a little is still like its mirror image."""
    sizes = [max(1, n // 24) for n in volume.shape]
    z, y, x = (n // size for n, size in zip(volume.shape, sizes, strict=True))
    left = [n % size // 2 for n, size in zip(volume.shape, sizes, strict=True)]  # as much as at the other end
    cuts = zip(left, (z, y, x), sizes, strict=True)
    whole = volume[tuple(slice(first, first + count * size) for first, count, size in cuts)]
    blocks: Array = whole.reshape(z, sizes[0], y, sizes[1], x, sizes[2]).mean((1, 3, 5))
    return blocks


def admit_contrast(name: str, raw: RawSubject, contrast: str, matrix: tuple[int, int] | None) -> Admitted:
    """Take the slices of one contrast in.

    Parameters
    ----------
    matrix
        HR (Y, X) that they have to fill; None: no dataset's.

    Raises
    ------
    Refused
        If they are not as the contract says, and cannot be mended safely.
    """
    there = sorted({str(c) for c, _ in raw.kspace})
    numbers = sorted(number for c, number in raw.kspace if c == contrast)
    if not numbers:
        raise Refused(name, f"has the contrasts {', '.join(there)}, and not '{contrast}', which the dataset asks for")
    slices: dict[tuple[str, int], Kspace] = {}
    remarks: dict[str, None] = {}
    digests: dict[str, int] = {}
    for number in numbers:
        who = f"{name}, {contrast}, slice {number}"
        array: object = raw.kspace[contrast, number]
        if isinstance(array, np.ndarray) and array.size and not array.any():
            remarks[f"'{who}': kspace holds nothing but zeros: left out."] = None
            continue
        kspace, converted = _as_type(who, "kspace", array, np.dtype(np.complex64))
        if not slices:  # of a contrast's slices the first one stands for all
            remarks |= dict.fromkeys(converted)
        if matrix:
            _check_size(who, kspace, matrix)
        coils = len(next(iter(slices.values()), kspace))
        if len(kspace) != coils:
            raise Refused(who, f"kspace has {len(kspace)} coils, the slices before it {coils}")
        y, x = next(iter(slices.values()), kspace).shape[1:]
        if kspace.shape[1:] != (y, x):
            own = " x ".join(map(str, kspace.shape[1:]))
            raise Refused(who, f"kspace is {own}, the slices before it {y} x {x}: a contrast has one field of view")
        digest = sha256_of_array(kspace)
        if digest in digests:
            remarks[f"'{who}' has the same samples as slice {digests[digest]}: left out."] = None
            continue
        digests[digest] = number
        slices[contrast, number] = kspace
    if not slices:
        raise Refused(f"{name}, {contrast}", "has nothing but zeros")
    first = next(iter(slices.values()))
    by_number = {number: kspace for (_, number), kspace in slices.items()}
    remarks |= dict.fromkeys(look(f"{name}, {contrast}", by_number, matrix or first.shape[1:]))
    content = hashlib.sha256("".join(digests).encode()).hexdigest()
    return Admitted(RawSubject(slices, raw.voxels.get(contrast, raw.voxel_mm)), tuple(remarks), content)


def _as_type(who: str, what: str, array: object, dtype: np.dtype[Any]) -> tuple[Array, list[str]]:
    """The array of three axes as this type; what is more precise, or whole, is converted."""
    kinds = "c" if dtype.kind == "c" else "fiu"
    if not isinstance(array, np.ndarray) or array.ndim != 3 or array.dtype.kind not in kinds or not array.size:
        found = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
        raise Refused(who, f"{what} is {found}, not {dtype.name} with 3 axes")
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        share = f"{len(bad) / array.size:.1%} of it, first" if len(bad) > 1 else "one sample,"
        place = tuple(int(i) for i in bad[0])
        remedy = ": write 0 there if that is air" if dtype.kind == "f" else ""
        raise Refused(who, f"{what} holds NaN or infinity ({share} at {place}){remedy}")
    if not array.any():
        raise Refused(who, f"{what} holds nothing but zeros")
    largest = float(np.abs(array).max())
    if dtype.kind == "c" and not SCALES[0] <= largest <= SCALES[1]:
        raise Refused(
            who, f"{what} has values up to {largest:.3g}: multiply it by a constant, so that they are about 1"
        )
    if array.dtype == dtype:
        return array, []
    said = f"'{who}': {what} is {array.dtype} {array.shape}, not {dtype.name}: converted."
    return array.astype(dtype), [said]


def _check_lengths(name: str, voxel_mm: object, count: int) -> None:
    lengths = np.asarray(voxel_mm, dtype=object).ravel()
    fit = len(lengths) == count and all(isinstance(mm, int | float | np.number) for mm in lengths)
    if not fit or not all(LENGTHS_MM[0] <= float(mm) <= LENGTHS_MM[1] for mm in lengths):
        between = f"{LENGTHS_MM[0]:g} to {LENGTHS_MM[1]:g} mm each"
        raise Refused(name, f"has voxel_mm {voxel_mm!r}: give {count} lengths, {between}")


def _check_size(who: str, kspace: Array, matrix: tuple[int, int]) -> None:
    if any(n < least for n, least in zip(kspace.shape[1:], matrix, strict=True)):
        found = " x ".join(map(str, kspace.shape[1:]))
        needed = " x ".join(map(str, matrix))
        axes = ", or name its axes in the order (coil, Y, X)" if kspace.shape[2] < 32 <= kspace.shape[0] else ""
        raise Refused(who, f"kspace is {found}, the dataset's matrix {needed}: it can be no smaller{axes}")


def admit_protocol(protocol: Protocol) -> None:
    """Look at a dataset's protocol, at a profile's size.

    Raises
    ------
    UserError
        If nothing can be acquired by it.
    """
    y, x = protocol.matrix
    if y % 2 or x % 2 or min(y, x) < 16:
        raise UserError(
            f"Dataset '{protocol.id}': its matrix {y} x {x} must be even and at least 16 along both axes, as the LR grid is "
            "half of it."
        )
    if not protocol.views:
        raise UserError(f"Dataset '{protocol.id}' has no view.")
    if not any(protocol.phase_encode):
        raise UserError(f"Dataset '{protocol.id}': phase_encode names no axis.")
    odd = [view.contrast for view in protocol.views if not view.contrast.strip() or not view.contrast.isprintable()]
    if odd:
        raise UserError(f"Dataset '{protocol.id}': {odd[0]!r} is no name of a contrast: give a printable text.")
    twice = sorted({v.contrast for v in protocol.views if [w.contrast for w in protocol.views].count(v.contrast) > 1})
    if twice:
        raise UserError(f"Dataset '{protocol.id}' has two views of the contrast '{twice[0]}': name them apart.")
