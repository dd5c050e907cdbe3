"""BART's pair of `.hdr` (text: sizes of sixteen axes) and `.cfl` (complex64, little-endian, first axis fastest)."""

from functools import partial
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.data.readers.records import Scan
from bench.data.readers.safely import bounded, reading
from bench.errors import UserError

NAME = "BART"
AXES = (
    "READ", "PHS1", "PHS2", "COIL", "MAPS", "TE", "COEFF", "COEFF2", "ITER", "CSHIFT", "TIME", "TIME2", "LEVEL", "SLICE",
    "AVG", "BATCH",
)  # fmt: skip
USED = (0, 1, 2, 3, 5, 13)  # TE makes contrasts
LONGEST_HEADER = 1 << 16  # bytes
Cube = NDArray[np.complex64]


def header_of(path: Path) -> Path:
    """The `.hdr` of a pair, for either of the two; other paths as they are."""
    return path.with_suffix(".hdr") if path.suffix == ".cfl" else path


def knows(path: Path) -> bool:
    """Whether a file is the header of a pair."""
    return path.suffix == ".hdr" and (path.with_suffix(".cfl").exists() or b"# Dimensions" in path.read_bytes()[:200])


def open_scans(path: Path) -> list[Scan]:
    """Open a pair: k-space of 2-D slices, or of a volume, whose slices are then planes of both phase-encoding axes.

    Raises
    ------
    UserError
        If an axis that makes no sense of slices is longer than one, or the two files do not fit together.
    """
    data = path.with_suffix(".cfl")
    if not data.is_file():
        raise UserError(f"there is no {data.name} beside it")
    sizes = _sizes(path)
    for axis, size in enumerate(sizes):
        if size > 1 and axis not in USED:
            raise UserError(f"its axis {axis} ({AXES[axis]}) has {size} entries, one is due")
    stored = data.stat().st_size
    if 8 * prod(sizes) != stored:
        raise UserError(f"its sizes {_short(sizes)} need {8 * prod(sizes)} bytes, {data.name} has {stored}")
    array = np.memmap(data, "<c8", "r", 0, tuple(sizes), "F")
    echoes = sizes[5]
    names = ["raw"] if echoes == 1 else [f"te{i + 1}" for i in range(echoes)]
    return [_scan(path, array, echo, name) for echo, name in enumerate(names)]


def _sizes(path: Path) -> list[int]:
    if path.stat().st_size > LONGEST_HEADER:
        raise UserError(f"has {path.stat().st_size} bytes, too many for a header")
    lines = iter(path.read_bytes().decode("ascii", "replace").splitlines())
    if not any(line.strip() == "# Dimensions" for line in lines):
        raise UserError("has no line '# Dimensions'")
    words = next(lines, "").split()
    if not 1 <= len(words) <= len(AXES) or not all(word.isdecimal() and len(word) < 16 for word in words):
        raise UserError(f"its sizes are '{' '.join(words)[:60]}': up to 16 whole numbers are due")
    sizes = [int(word) for word in words]
    if min(sizes) < 1:
        raise UserError(f"its sizes are {_short(sizes)}: each is at least 1")
    return sizes + [1] * (len(AXES) - len(sizes))


def _short(sizes: list[int]) -> str:
    """Without the ones at the end."""
    last = max((i for i, size in enumerate(sizes) if size > 1), default=0)
    return " x ".join(map(str, sizes[: last + 1]))


def _scan(path: Path, array: Cube, echo: int, name: str) -> Scan:
    read, first, second, coils = array.shape[:4]
    slices = array.shape[13]
    files = (path, path.with_suffix(".cfl"))
    cube = array[:, :, :, :, 0, echo, 0, 0, 0, 0, 0, 0, 0, :, 0, 0]  # (read, phase 1, phase 2, coil, slice)
    if second == 1 and read > 1:
        shape, phase_encode, take = (slices, coils, read, first), (False, True), partial(_plane, cube)
        remarks: tuple[str, ...] = ()
    else:
        if slices > 1:
            raise UserError(f"has {second} partitions and {slices} slices: one of both is due")
        shape, phase_encode, take = (read, coils, first, second), (True, True), partial(_across, cube)
        remarks = ("a volume: slices lie across the readout, and both their axes are phase-encoded",)
        bounded("a volume", 8 * prod(cube.shape))
    bounded("a slice", 8 * prod(shape[1:]))
    return Scan(files, NAME, None, name, shape, "complex64", None, phase_encode, remarks, partial(_slice, path, take))


def _plane(cube: Cube, index: int) -> Cube:
    return cube[:, :, 0, :, index].transpose(2, 0, 1)


def _across(cube: Cube, index: int) -> Cube:
    """One position along the readout, which is an image axis by a sum over its samples (centred, orthonormal)."""
    count = cube.shape[0]
    waves = np.exp(2j * np.pi * (np.arange(count) - count // 2) * (index - count // 2) / count) / count**0.5
    return np.tensordot(waves.astype(np.complex64), cube[..., 0], 1).transpose(2, 0, 1)


def _slice(path: Path, take: "partial[Cube]", index: int) -> Cube:
    with reading(path), np.errstate(all="ignore"):
        return np.array(take(index), np.complex64, order="C")
