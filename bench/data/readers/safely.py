"""Guards that every reader stands behind: files may be damaged, or made to do harm.

Memory is bounded before it is taken, nothing is unpickled, no file is followed into another one, no XML entity is expanded.
"""

import binascii
import gzip
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from tokenize import TokenError
from typing import Any
from xml.etree import ElementTree

import h5py
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError, ImageDataError
from numpy.typing import NDArray

from bench.errors import UserError

BROKEN = (
    UserError, OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, RuntimeError, OverflowError,
    MemoryError, SystemError, EOFError, AssertionError, ArithmeticError, NotImplementedError, RecursionError,
    struct.error, zlib.error, binascii.Error, zipfile.BadZipFile, gzip.BadGzipFile, ElementTree.ParseError,
    ImageFileError, HeaderDataError, ImageDataError, TokenError,
)  # fmt: skip
"""What libraries raise on damaged files."""
LARGEST = 2 << 30
"""Bytes that one read may need: a slice, or a volume."""
LARGEST_FILE_RATIO = 1000
"""Bytes in memory a byte in the file: what packs better is a bomb."""
SLACK = 1 << 20  # bytes in memory that anything may need
LONGEST_XML = 1 << 20  # bytes
LONGEST_REASON = 300
DESCRIPTOR = 16  # bytes that HDF5 stores for a text or list of any length: length, address, index
FILTERS = {
    h5py.h5z.FILTER_DEFLATE,
    h5py.h5z.FILTER_SHUFFLE,
    h5py.h5z.FILTER_FLETCHER32,
    h5py.h5z.FILTER_LZF,
    h5py.h5z.FILTER_SZIP,
}


def one_line(error: BaseException) -> str:
    """An error's own words on one line, short."""
    said = " ".join(str(error).split()) or type(error).__name__
    if not isinstance(error, UserError):
        said = f"damaged, or not what it seems: {type(error).__name__}: {said}"
    return said if len(said) <= LONGEST_REASON else f"{said[: LONGEST_REASON - 1]}…"


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Say in one line that a file that was opened before cannot be read.

    Raises
    ------
    UserError
        For anything that libraries raise: file and reason.
    """
    try:
        with np.errstate(all="ignore"):  # NaN and infinity are found where data are let in
            yield
    except BROKEN as error:
        raise UserError(f"{path}: {one_line(error)}") from error


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """An HDF5 file, for reading."""
    _check_driver(path)
    with np.errstate(all="ignore"), h5py.File(path, "r", locking=False) as file:
        yield file


def _check_driver(path: Path) -> None:
    """Refuse what asks for a driver: the library takes as much memory as such a file says that it needs."""
    raw = head(path, 80)
    if len(raw) > 13 and raw[8] < 2:  # the version of the superblock: newer ones have no such field
        width = raw[13]
        place = 24 + 4 * raw[8] + 3 * width
        if raw[place : place + width] != b"\xff" * width:
            raise UserError("is HDF5 that asks for a driver: refused")


def hdf5_says(path: Path, question: Callable[[h5py.File], bool]) -> bool:
    """Whether a file is HDF5 and a question to it is answered with yes; of a damaged one it is not."""
    if not is_hdf5(path):
        return False
    try:
        with opened(path) as file:
            return question(file)
    except BROKEN:
        return False


def is_hdf5(path: Path) -> bool:
    """Whether a file begins as HDF5 files do."""
    return head(path, 8) == b"\x89HDF\r\n\x1a\n"


def head(path: Path, count: int) -> bytes:
    """The first bytes of a file."""
    with path.open("rb") as file:
        return file.read(count)


def holds(group: Any, name: str) -> bool:
    """Whether a group has a member or a link of this name; what a link leads to is not looked at."""
    return isinstance(group, h5py.Group) and bool(group.id.links.exists(name.encode()))


def is_plain(group: Any, name: str) -> bool:
    """Whether a member is in the file itself, and no link."""
    return holds(group, name) and bool(group.id.links.get_info(name.encode()).type == h5py.h5l.TYPE_HARD)


def _member(file: h5py.Group, name: str) -> h5py.Dataset:
    """A dataset that is in the file itself."""
    group: Any = file
    for part in name.strip("/").split("/"):
        if not holds(group, part):
            raise UserError(f"has no '{name}'")
        if not is_plain(group, part):
            raise UserError(f"'{name}' is a link to elsewhere: refused")
        group = group[part]
    if not isinstance(group, h5py.Dataset):
        raise UserError(f"'{name}' is no array")
    if group.is_virtual or group.external:
        raise UserError(f"'{name}' lies in other files: refused")
    return group


def dataset(file: h5py.Group, name: str, axes: int | tuple[int, ...] | None = None, kinds: str = "") -> h5py.Dataset:
    """A dataset of a file, looked at before anything of it is read.

    Parameters
    ----------
    axes
        How many it has to have; None: any.
    kinds
        Kinds of NumPy types that are due, e.g. "c"; empty: any.

    Raises
    ------
    UserError
        If it is not there, is elsewhere, packed by an unknown filter, or larger than it can be: by name.
    """
    group = _member(file, name)
    plist = group.id.get_create_plist()
    for index in range(plist.get_nfilters()):
        if plist.get_filter(index)[0] not in FILTERS:
            raise UserError(f"'{name}' is packed by an unknown filter ({plist.get_filter(index)[0]}): refused")
    if group.shape is None or prod(group.shape) == 0:
        raise UserError(f"'{name}' is empty: {group.shape}")
    wanted = (axes,) if isinstance(axes, int) else axes
    if wanted and len(group.shape) not in wanted:
        raise UserError(f"'{name}' has {len(group.shape)} axes {group.shape}, not {' or '.join(map(str, wanted))}")
    if kinds and group.dtype.kind not in kinds:
        raise UserError(f"'{name}' is {group.dtype}, which is none of its types")
    stored = min(group.id.get_storage_size(), group.file.id.get_filesize())  # what it says, and what can be
    if group.chunks:
        bounded(f"a chunk of '{name}'", prod(group.chunks) * group.dtype.itemsize, stored)
    if not h5py.check_vlen_dtype(group.dtype) and group.dtype.names is None:
        whole = prod(group.shape) * group.dtype.itemsize
        if whole > SLACK + LARGEST_FILE_RATIO * stored:
            raise UserError(f"'{name}' is {group.shape}, {whole:.3g} bytes out of {stored} in the file: refused")
    return group


def bounded(what: str, needed: float, stored: float | None = None) -> None:
    """See that something is not larger than it can be.

    Raises
    ------
    UserError
        If it needs more bytes than one read may, or far more than the file has for it.
    """
    if needed > LARGEST:
        raise UserError(f"{what} needs {needed:.3g} bytes, more than {LARGEST:.3g}: refused")
    if stored is not None and needed > SLACK + LARGEST_FILE_RATIO * stored:
        raise UserError(f"{what} needs {needed:.3g} bytes and has {stored:.0f} in the file: refused")


def part(array: h5py.Dataset, selection: Any) -> NDArray[Any]:
    """A part of a dataset, if it is no larger than it can be."""
    first = selection[0] if isinstance(selection, tuple) else selection
    shape = array.shape[1:] if isinstance(first, int) else array.shape
    bounded(f"'{array.name.strip('/')}'", prod(shape) * array.dtype.itemsize)
    return np.asarray(array[selection])


def stored(array: h5py.Dataset, size: int, first: int = 0, count: int = 1) -> NDArray[np.uint8]:
    """Elements of a dataset of one axis as they lie in the file, `size` bytes each.

    Where they hold texts or lists of any length, HDF5 takes the memory that these say to need before it looks whether it is
    so, of all fields whichever is asked for; so `lengths` has to look first.

    Raises
    ------
    UserError
        If they cannot be seen, as where they are packed.
    """
    raw = b"".join(_pieces(array, size, first, count))
    if len(raw) != count * size:
        raise UserError(f"'{array.name.strip('/')}' is cut short")
    return np.frombuffer(raw, np.uint8).reshape(count, size)


def lengths(elements: NDArray[np.uint8], offset: int = 0) -> NDArray[np.int64]:
    """How long the texts or lists say to be that lie `offset` bytes into stored elements."""
    return np.ascontiguousarray(elements[:, offset : offset + 4]).view("<u4").reshape(-1).astype(np.int64)


def _pieces(array: h5py.Dataset, size: int, first: int, count: int) -> Iterator[bytes]:
    name, number = array.name.strip("/"), array.id
    start = number.get_offset()
    if number.get_create_plist().get_nfilters() or len(array.shape) > 1:
        raise UserError(f"'{name}' is packed, or has several axes: it cannot be seen to be sound")
    if not array.chunks:
        if start is None or number.get_storage_size() < (first + count) * size:
            raise UserError(f"'{name}' lies in no place of its own: it cannot be seen to be sound")
        with open(array.file.filename, "rb") as file:
            file.seek(start + first * size)
            yield file.read(count * size)
        return
    (step,) = array.chunks
    for at in range(first // step * step, first + count, step):
        info = number.get_chunk_info_by_coord((at,))
        if info.byte_offset is None or info.size != step * size:
            raise UserError(f"'{name}' has a part that is not in the file, or of another size")
        _, raw = number.read_direct_chunk((at,))
        yield raw[max(0, first - at) * size : min(step, first + count - at) * size]


def text(value: Any) -> str | None:
    """An attribute or scalar as text; None if it is none."""
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0]
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return None
    cleaned = "".join(c if c.isprintable() else " " for c in value).strip()
    return cleaned[:200] or None


def parse_xml(raw: bytes | str) -> ElementTree.Element:
    """A header's XML; what declares types or entities of its own is not parsed.

    Raises
    ------
    UserError
        If it is too long, declares something, or is damaged.
    """
    data = raw.encode() if isinstance(raw, str) else bytes(raw)
    data = data.rstrip(b"\0")
    if len(data) > LONGEST_XML:
        raise UserError(f"its XML header has {len(data)} bytes: refused")
    if b"\0" in data or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise UserError("its XML header is not UTF-8: refused")
    if b"<!" in data.replace(b"<!--", b""):
        raise UserError("its XML header declares a type or an entity: refused")
    try:
        return ElementTree.fromstring(data)  # noqa: S314 - nothing is declared in it
    except ElementTree.ParseError as error:
        raise UserError(f"its XML header is damaged ({error})") from error
