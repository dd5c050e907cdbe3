"""Random heads made of ellipsoids, with folded cortex and thin-walled vessels. For tests: no download."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from bench.data.protocol import Head, Source, Split, Vessel
from bench.mri.simulate import generator
from bench.registry import source

VERSION = 1
Grid = NDArray[np.float32]
VOXEL_MM = 1.2
SHAPE = (180, 180, 150)  # (z, y, x)


@source("phantom")
class Phantom(Source):
    """Six heads, each from its own seed."""

    label = "simulated acquisition of a numerical phantom"

    def subjects(self) -> dict[Split, tuple[str, ...]]:
        """Four, one and one."""
        names = tuple(f"phantom-{i}" for i in range(6))
        return {"train": names[:4], "validation": names[4:5], "test": names[5:]}

    def digests(self, subject: str) -> tuple[str, ...]:
        """The version of this generator; the seed is the subject's name."""
        return (f"phantom v{VERSION}",)

    def load(self, subject: str) -> Head:
        """Make one head."""
        random = generator("phantom", subject)
        grids = [(np.arange(n, dtype=np.float32) - n / 2) * VOXEL_MM for n in SHAPE]
        z, y, x = np.meshgrid(*grids, indexing="ij", sparse=True)
        z = z + 15  # the head is in the upper part of the volume, the neck below
        size = random.uniform(0.93, 1.05, 3)
        radius = np.sqrt((z / (88 * size[0])) ** 2 + (y / (95 * size[1])) ** 2 + (x / (75 * size[2])) ** 2)
        neck = (np.sqrt((y - 10) ** 2 + x**2) < 45) & (z > 0)
        folds = self._folds(random)
        head = np.zeros(SHAPE, np.float32)
        head[neck] = 0.45
        head[radius < 1.0] = 0.95  # scalp fat
        head[radius < 0.94] = 0.06  # skull
        head[radius < 0.86] = 0.12  # cerebrospinal fluid
        head[radius + 0.05 * folds < 0.82] = 0.40  # grey matter
        head[radius + 0.09 * folds < 0.74] = 0.62  # white matter
        ventricle = (z / 18) ** 2 + ((y + 5) / 30) ** 2 + ((np.abs(x) - 12) / 7) ** 2 < 1
        head[ventricle] = 0.12
        texture = gaussian_filter(random.standard_normal(SHAPE, dtype=np.float32), 1.5)
        head *= 1 + 0.25 * texture
        vessels = self._vessels(head, z, y, x, random)
        return Head(gaussian_filter(head, 0.45), (VOXEL_MM, VOXEL_MM, VOXEL_MM), vessels)

    @staticmethod
    def _folds(random: np.random.Generator) -> NDArray[np.float32]:
        """Band-limited noise with a wavelength of about 12 mm, within ±1."""
        spectrum = np.fft.rfftn(random.standard_normal(SHAPE, dtype=np.float32))
        frequencies = [np.fft.fftfreq(n, VOXEL_MM) for n in SHAPE[:2]] + [np.fft.rfftfreq(SHAPE[2], VOXEL_MM)]
        squared = sum(f**2 for f in np.meshgrid(*frequencies, indexing="ij", sparse=True))
        band = np.exp(-((np.sqrt(squared) - 1 / 12) ** 2) / (2 * 0.025**2))
        folds = np.fft.irfftn(spectrum * band, SHAPE, axes=(0, 1, 2))
        result: NDArray[np.float32] = (folds / (2 * folds.std())).clip(-1, 1).astype(np.float32)
        return result

    @staticmethod
    def _vessels(
        head: NDArray[np.float32], z: Grid, y: Grid, x: Grid, random: np.random.Generator
    ) -> tuple[Vessel, ...]:
        """Vessels that wind along z: dark lumen, thin bright wall. Returns where they are."""
        owner = np.zeros(SHAPE, np.int8)
        drawn: list[tuple[Vessel, NDArray[np.int64]]] = []  # with its pixels in each slice
        for side in (-1, 1):
            for _ in range(2):
                at = random.uniform((-35, 12), (35, 38))
                bend, wavelength = random.uniform(4, 10), random.uniform(60, 110)
                path_y = at[0] + bend * np.sin(2 * np.pi * z / wavelength)
                path_x = side * at[1] + bend * np.cos(2 * np.pi * z / wavelength)
                distance = np.sqrt((y - path_y) ** 2 + (x - path_x) ** 2)
                lumen, wall = random.uniform(2.2, 3.5), random.uniform(1.0, 1.6)
                inside = head > 0.2
                head[inside & (distance < lumen + wall)] = 0.85
                head[inside & (distance < lumen)] = 0.05
                owner[inside & (distance < lumen + wall)] = len(drawn) + 1
                path = np.concatenate((path_y, path_x), 2)[:, 0]
                centre = path / VOXEL_MM + np.divide(SHAPE[1:], 2)
                drawn.append((Vessel(centre, lumen, wall), (distance < lumen + wall).sum((1, 2))))
        for i, (vessel, pixels) in enumerate(drawn):
            whole = (owner == i + 1).sum((1, 2)) == pixels  # not partly outside the tissue, nor crossed by another
            vessel.centre[~whole] = np.nan
        return tuple(vessel for vessel, _ in drawn)
