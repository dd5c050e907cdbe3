"""Simulated multi-coil acquisition of a magnitude slice: grid, object phase, coil sensitivities, noise.

Everything random comes from a generator that the caller seeds by dataset, subject and slice (`generator`).
"""

import hashlib

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from bench.mri.fourier import crop, fft2c, ifft2c

TAPER_MM = 8.0
HELMET_MM = (125.0, 140.0, 140.0)  # semi-axes (x, y, z) of the ellipsoid that the coils lie on
LOOP_MM = 45.0  # radius of a coil
WIRE_MM = 10.0  # softens the field next to a wire
SEGMENTS = 24  # of a loop
COARSE_MM = 8.0  # grid on which the field is computed before interpolation
COUPLING = 0.15  # size of the off-diagonal part of the noise's mixing matrix


def generator(*names: object) -> np.random.Generator:
    """A generator seeded by names, the same on every machine."""
    digest = hashlib.sha256("/".join(map(str, names)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def regrid(
    image: NDArray[np.float32],
    native_mm: tuple[float, float],
    centre: tuple[float, float],
    matrix: tuple[int, int],
    voxel_mm: tuple[float, float],
) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """Put a native slice on the protocol's grid by cutting its field of view and then its k-space.

    Never finer than it was acquired: where the protocol's voxel is smaller than the native one, the field of view is padded
    with air and the voxel stays native. Where the head is cut, it fades out over a few millimetres.

    Parameters
    ----------
    image
        (rows, columns).
    centre
        Native pixel that the field of view is centred on.

    Returns
    -------
    tuple
        The slice (Y, X), and its true voxel in mm.
    """
    sizes = _sizes(native_mm, matrix, voxel_mm)
    for axis in (0, 1):
        image = _window(image, axis, round(centre[axis]), sizes[axis], native_mm[axis])
    spectrum = crop(fft2c(torch.from_numpy(image).to(torch.complex64)), matrix)
    scale = (matrix[0] * matrix[1] / (sizes[0] * sizes[1])) ** 0.5
    voxel = tuple(n * s / m for n, s, m in zip(native_mm, sizes, matrix, strict=True))
    return (scale * ifft2c(spectrum).real).numpy(), (voxel[0], voxel[1])


def regridded(
    points: NDArray[np.float64],
    native_mm: tuple[float, float],
    centre: tuple[float, float],
    matrix: tuple[int, int],
    voxel_mm: tuple[float, float],
) -> NDArray[np.float64]:
    """Where `regrid` puts native pixels: (..., 2) row and column -> the same on its grid (Y, X), with fractions."""
    zoom = np.divide(matrix, _sizes(native_mm, matrix, voxel_mm))
    result: NDArray[np.float64] = (points - np.round(centre)) * zoom + np.floor_divide(matrix, 2)
    return result


def _sizes(native_mm: tuple[float, float], matrix: tuple[int, int], voxel_mm: tuple[float, float]) -> list[int]:
    """Native pixels of the field of view, never fewer than the matrix has."""
    return [max(m, 2 * round(m * v / n / 2)) for m, v, n in zip(matrix, voxel_mm, native_mm, strict=True)]


def _window(image: NDArray[np.float32], axis: int, centre: int, size: int, native_mm: float) -> NDArray[np.float32]:
    """Cut or pad one axis to `size` around `centre`, fading out at what is cut."""
    first = max(centre - size // 2, 0)
    last = min(centre - size // 2 + size, image.shape[axis])
    piece = np.take(image, np.arange(first, last), axis)
    n = min(round(TAPER_MM / native_mm), piece.shape[axis] // 2)
    ramp = np.ones(piece.shape[axis], np.float32)
    ramp[:n] = 0.5 - 0.5 * np.cos(np.pi * (np.arange(n) + 0.5) / n)
    ramp[-n:] = ramp[:n][::-1]
    piece = piece * np.expand_dims(ramp, 1 - axis)
    before = first - (centre - size // 2)
    widths = [(0, 0), (0, 0)]
    widths[axis] = (before, size - before - piece.shape[axis])
    return np.pad(piece, widths).astype(np.float32)


def remap(image: NDArray[np.float32], contrast: str) -> NDArray[np.float32]:
    """Smooth change of tissue intensity of a T1-weighted image whose fat is about 1; air stays dark.

    A stand-in for another contrast, not a model of one, hence the names ending in "synth".
    """
    if contrast == "t1w":
        return image
    tissue = 1 / (1 + np.exp(-(image - 0.06) / 0.012))
    curves = {
        "t2w-synth": 0.2 + 0.8 * np.exp(-np.clip(image - 0.1, 0, None) / 0.2),
        "t1-flair-synth": 1.3 * np.clip(image, 0, None) ** 1.6,
        "t2-flair-synth": 0.15 + 0.85 * np.exp(-(((image - 0.4) / 0.18) ** 2)),
    }
    result: NDArray[np.float32] = (tissue * curves[contrast]).astype(np.float32)
    return result


def smooth_phase(shape: tuple[int, int], random: np.random.Generator) -> NDArray[np.float32]:
    """Object phase in radians, within ±pi: a polynomial of second order and three blobs."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    phase = np.sum([random.normal() * term for term in (y, x, y * x, y**2, x**2)], axis=0)
    for _ in range(3):
        at, width = random.uniform(-0.7, 0.7, 2), random.uniform(0.2, 0.5)
        phase = phase + random.normal() * np.exp(-((y - at[0]) ** 2 + (x - at[1]) ** 2) / (2 * width**2))
    phase = phase - phase.mean()
    result: NDArray[np.float32] = (phase * random.uniform(0.5, 1.0) * np.pi / np.abs(phase).max()).astype(np.float32)
    return result


def helmet(coils: int, random: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centres and normals, (coil, 3) in mm (x, y, z; z up), of loops spread over a helmet, open below."""
    i = np.arange(coils) + 0.5
    height = 1 - i / coils * 1.45  # from the vertex to 0.45 below the middle
    angle = np.pi * (3 - 5**0.5) * i + random.uniform(0, 2 * np.pi)
    ring = np.sqrt(1 - height**2)
    directions = np.stack((ring * np.cos(angle), ring * np.sin(angle), height), 1) + random.normal(0, 0.02, (coils, 3))
    centres = directions * HELMET_MM
    normals = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    return centres, normals


def fields(
    centres: NDArray[np.float64], normals: NDArray[np.float64], points: NDArray[np.float64]
) -> NDArray[np.complex128]:
    """Transverse field Bx - i By of unit currents by Biot-Savart: (coil, ...) at points (..., 3) in mm, in arbitrary units."""
    angles = 2 * np.pi * np.arange(SEGMENTS) / SEGMENTS
    result = []
    for centre, normal in zip(centres, normals, strict=True):
        across = np.cross(normal, (0.0, 0.0, 1.0) if abs(normal[2]) < 0.9 else (1.0, 0.0, 0.0))
        u = across / np.linalg.norm(across)
        v = np.cross(normal, u)
        wire = centre + LOOP_MM * (np.outer(np.cos(angles), u) + np.outer(np.sin(angles), v))
        current = np.outer(-np.sin(angles), u) + np.outer(np.cos(angles), v)
        offset = points[..., None, :] - wire
        distance = np.sqrt((offset**2).sum(-1, keepdims=True) + WIRE_MM**2)
        field = (np.cross(current, offset) / distance**3).sum(-2)
        result.append(field[..., 0] - 1j * field[..., 1])
    return np.stack(result)


def coil_maps(
    centres: NDArray[np.float64],
    normals: NDArray[np.float64],
    origin_mm: tuple[float, float, float],
    axes: tuple[tuple[float, float, float], tuple[float, float, float]],
    shape: tuple[int, int],
    voxel_mm: tuple[float, float],
) -> NDArray[np.complex64]:
    """Sensitivities (coil, Y, X) in a plane, scaled so that their root sum of squares is 1 in the middle of the head.

    Parameters
    ----------
    origin_mm
        (x, y, z) of the pixel at (Y // 2, X // 2); the middle of the head is (0, 0, 0).
    axes
        Direction (x, y, z) of growing row and of growing column.
    """
    counts = [max(4, round(n * v / COARSE_MM) + 1) for n, v in zip(shape, voxel_mm, strict=True)]
    coarse = [np.linspace(-n // 2, n - n // 2 - 1, c) for n, c in zip(shape, counts, strict=True)]
    row, column = (np.asarray(axis) * v for axis, v in zip(axes, voxel_mm, strict=True))
    points = np.asarray(origin_mm) + coarse[0][:, None, None] * row + coarse[1][None, :, None] * column
    values = fields(centres, normals, points)
    middle = np.sqrt((np.abs(fields(centres, normals, np.zeros(3))) ** 2).sum())
    fine = np.meshgrid(*(np.linspace(0, c - 1, n) for n, c in zip(shape, counts, strict=True)), indexing="ij")
    maps = [
        map_coordinates(v.real, fine, order=3, mode="nearest")
        + 1j * map_coordinates(v.imag, fine, order=3, mode="nearest")
        for v in values / middle
    ]
    return np.stack(maps).astype(np.complex64)


def noise(
    shape: tuple[int, int, int], sigma: float, mixing: NDArray[np.complex64], random: np.random.Generator
) -> NDArray[np.complex64]:
    """Complex Gaussian noise (coil, Y, X), correlated over coils by `mixing`, of mean standard deviation `sigma`."""
    white = random.standard_normal((2, *shape), dtype=np.float32)
    white_complex = sigma / 2**0.5 * (white[0] + 1j * white[1])
    result: NDArray[np.complex64] = np.einsum("dc,cyx->dyx", mixing, white_complex).astype(np.complex64)
    return result


def noise_mixing(coils: int, random: np.random.Generator) -> NDArray[np.complex64]:
    """Square root of a coil covariance of mean diagonal 1."""
    part = random.normal(size=(2, coils, coils)) / coils**0.5
    mixing = np.eye(coils) + COUPLING * (part[0] + 1j * part[1]) * coils**0.5 / 2
    result: NDArray[np.complex64] = (mixing / np.sqrt((np.abs(mixing) ** 2).sum() / coils)).astype(np.complex64)
    return result
