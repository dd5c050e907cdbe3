"""The XML header of ISMRMRD, which fastMRI files have too: sizes, fields of view, names; and what is done by it."""

from dataclasses import dataclass
from math import isfinite, prod
from typing import Any
from xml.etree import ElementTree

import h5py
import numpy as np
from numpy.typing import NDArray

from bench.data.readers import safely
from bench.errors import UserError

VOXELS_MM = (0.05, 20.0)
"""What a header can say of a head: others are of another unit."""
LARGEST_MATRIX = 1 << 14
LARGEST_FOV_MM = 1e5
LEAST_SHARE = 0.25  # of the encoded field of view that is left; less is no oversampling
LIMITS = ("kspace_encoding_step_1", "kspace_encoding_step_2")


@dataclass(frozen=True)
class Encoding:
    """How k-space was sampled."""

    matrix: tuple[int, int, int]
    """Encoded (x, y, z): readout, then the steps of phase encoding."""
    fov_mm: tuple[float, float, float]
    """Of the encoded matrix."""
    recon_fov_mm: tuple[float, float, float]
    """Of the image that the scanner makes of it."""
    trajectory: str
    """In lower case, e.g. "cartesian"; empty: not said."""
    centres: tuple[int, int]
    """Counter of the line through DC, of either step; where it is not said, half of the matrix."""


@dataclass(frozen=True)
class Header:
    """What of it is used."""

    encodings: tuple[Encoding, ...]
    """At least one."""
    person: str | None
    protocol: str | None


def of_file(file: h5py.File, name: str) -> Header:
    """The header that a dataset of one text holds.

    Raises
    ------
    UserError
        If it is not there, too long, or does not say what is needed.
    """
    array = safely.dataset(file, name)
    kind = h5py.check_string_dtype(array.dtype)
    if prod(array.shape) != 1 or kind is None:
        raise UserError(f"'{name}' is {array.dtype} {array.shape}, not one text")
    length = kind.length or int(safely.lengths(safely.stored(array, safely.DESCRIPTOR))[0])
    if length > safely.LONGEST_XML:
        raise UserError(f"'{name}' says to have {length} bytes: refused")
    value: Any = np.asarray(array[()]).reshape(-1)[0]
    if not isinstance(value, bytes | str):
        raise UserError(f"'{name}' is {type(value).__name__}, not one text")
    return parsed(value)


def parsed(raw: bytes | str) -> Header:
    """What a header says.

    Raises
    ------
    UserError
        If it is damaged, or says too little: by the name of the field.
    """
    root = safely.parse_xml(raw)
    encodings = tuple(_encoding(element) for element in root if _local(element) == "encoding")
    if not encodings:
        raise UserError("its XML header has no encoding")
    person = _text(root, "subjectInformation/patientID") or _text(root, "subjectInformation/patientName")
    return Header(encodings, person, _text(root, "measurementInformation/protocolName"))


def _encoding(element: ElementTree.Element) -> Encoding:
    matrix = [_number(element, f"encodedSpace/matrixSize/{axis}", LARGEST_MATRIX) for axis in "xyz"]
    fov = [_number(element, f"encodedSpace/fieldOfView_mm/{axis}", LARGEST_FOV_MM) for axis in "xyz"]
    recon = [_number(element, f"reconSpace/fieldOfView_mm/{axis}", LARGEST_FOV_MM) for axis in "xyz"]
    x, y, z = (int(n) for n in matrix)
    centres = []
    for step, size in zip(LIMITS, (y, z), strict=True):
        said = _text(element, f"encodingLimits/{step}/center")
        centres.append(int(said) if said and said.isdecimal() else size // 2)
    return Encoding(
        (x, y, z),
        (fov[0], fov[1], fov[2]),
        (recon[0], recon[1], recon[2]),
        (_text(element, "trajectory") or "").lower(),
        (centres[0], centres[1]),
    )


def _local(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _text(element: ElementTree.Element, path: str) -> str | None:
    """Text of the first child of each name in turn, whatever its namespace."""
    found: ElementTree.Element | None = element
    for name in path.split("/"):
        found = next((child for child in (found if found is not None else ()) if _local(child) == name), None)
    return None if found is None else safely.text(found.text)


def _number(element: ElementTree.Element, path: str, largest: float) -> float:
    said = _text(element, path)
    try:
        number = float(said or "")
    except ValueError:
        number = float("nan")
    if not isfinite(number) or not 0 < number <= largest or (path.split("/")[1] == "matrixSize" and number % 1):
        raise UserError(f"its XML header has {said!r} as {path}")
    return number


def length_without_oversampling(samples: int, encoding: Encoding) -> int:
    """Samples along the readout that are left of `samples` once the field of view is the image's; even, if any are removed."""
    share = encoding.recon_fov_mm[0] / encoding.fov_mm[0]
    if not LEAST_SHARE <= share < 1:
        return samples
    return min(samples, 2 * round(samples * share / 2))


def voxel_mm(fov: tuple[float, float], samples: tuple[int, int]) -> tuple[float, float] | None:
    """Field of view over samples, of two axes; None if no voxel of a head is like that."""
    y, x = fov[0] / samples[0], fov[1] / samples[1]
    return (y, x) if all(VOXELS_MM[0] <= mm <= VOXELS_MM[1] for mm in (y, x)) else None


def cropped_image(kspace: NDArray[np.complex64], length: int, axis: int) -> NDArray[np.complex64]:
    """K-space along one axis -> the middle of its image there, orthonormal."""
    size = kspace.shape[axis]
    image = np.fft.fftshift(np.fft.ifft(np.fft.ifftshift(kspace, axis), axis=axis, norm="ortho"), axis)
    start = size // 2 - length // 2
    return np.take(image, range(start, start + length), axis).astype(np.complex64, copy=False)


def without_oversampling(kspace: NDArray[np.complex64], length: int, axis: int) -> NDArray[np.complex64]:
    """K-space of the middle of the image: `length` samples along an axis, as strong as a scan of that field of view is."""
    if kspace.shape[axis] == length:
        return kspace
    image = cropped_image(kspace, length, axis)
    result = np.fft.fftshift(np.fft.fft(np.fft.ifftshift(image, axis), axis=axis, norm="ortho"), axis)
    return result.astype(np.complex64, copy=False)
