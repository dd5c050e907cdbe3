"""People that are textured ellipses, for the sources of the cases."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

import bench

CONTRASTS = ("t1w-axial", "t1w-coronal")


def ellipse(shape: tuple[int, int], number: int, seed: int = 0, coils: int = 4) -> NDArray[np.complex64]:
    """(coil, Y, X) centred orthonormal k-space of a textured ellipse seen by smooth coils."""
    rng = np.random.default_rng([seed, number])
    y, x = np.meshgrid(*(np.linspace(-1, 1, n, endpoint=False) for n in shape), indexing="ij")
    r = np.hypot(y / 0.8, x / 0.75)
    image = 0.7 * (r < 1) + 0.3 * (r < 0.85) - 0.5 * (np.hypot((y + 0.1 * number) / 0.2, x / 0.3) < 1)
    for _ in range(12):
        a, b = rng.uniform(-0.5, 0.5, 2)
        image = image + 0.3 * rng.normal() * (np.hypot(y - a, x - b) < rng.uniform(0.04, 0.1))
    body = np.clip(image, 0, None) * np.exp(1j * (0.8 * y + 0.5 * x * y))
    angles = 2 * np.pi * np.arange(coils) / coils
    maps = [np.exp(-((y - np.sin(t)) ** 2 + (x - np.cos(t)) ** 2) / 1.6) * np.exp(1j * t) for t in angles]
    plane = (-2, -1)
    kspace = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(np.stack(maps) * body, axes=plane), norm="ortho"), axes=plane)
    noise = rng.standard_normal((2, *kspace.shape)) * 0.01
    return (kspace + noise[0] + 1j * noise[1]).astype(np.complex64)


def head(shape: tuple[int, int, int], voxel_mm: tuple[float, float, float], seed: int) -> NDArray[np.float32]:
    """(z, y, x) of an ellipsoid with skin, gap and textured brain."""
    axes = [(np.arange(n) - n / 2) * mm for n, mm in zip(shape, voxel_mm, strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    r = np.sqrt((z / 85) ** 2 + (y / 92) ** 2 + (x / 72) ** 2)
    brain = (0.3 + 0.1 * np.sin(x / 6 + seed) * np.sin(y / 7)) * (r < 0.85)
    volume = np.clip(0.9 * (r < 1) - 0.6 * (r < 0.93) + brain, 0, None)
    noise = 0.01 * np.random.default_rng(seed).random(shape)
    return (volume + noise).astype(np.float32)


class Ellipses(bench.Source):
    """Measured people of six slices a contrast; a case changes what is wrong with them."""

    label = "synthetic ellipse"
    datasets: ClassVar[tuple[str, ...]] = ("vwi",)

    def subjects(self) -> dict[bench.Split, tuple[str, ...]]:
        """Four people."""
        return {"train": ("a1", "a2"), "validation": ("b1",), "test": ("c1",)}

    def digests(self, subject: str) -> tuple[str, ...]:
        """Nothing outside of the file makes them."""
        return ()

    def load(self, subject: str) -> bench.Head | bench.RawSubject:
        """As `kspace` says."""
        return bench.RawSubject(self.kspace(sum(subject.encode())), (4.2, 4.2))

    def kspace(self, seed: int) -> dict[tuple[str, int], NDArray[np.complex64]]:
        """All slices of a person."""
        return {(c, n): ellipse((48, 40), n, seed) for c in CONTRASTS for n in range(6)}
