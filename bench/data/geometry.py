"""Where a view's slices lie in a head, and what of the head each shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bench.data.protocol import Head, Protocol, View
from bench.mri import simulate

VERTEX_MARGIN_MM = 12.0  # air above the head in coronal slices
HEAD_MM = 190.0  # below the vertex; what lies deeper is neck
MIDDLE_MM = 90.0  # below the vertex: the middle of the coil helmet
SKIN = 0.15  # brighter is head
Point = tuple[float, float, float]


@dataclass(frozen=True)
class Plane:
    """A slice on the protocol's grid."""

    magnitude: NDArray[np.float32]
    """(Y, X), without coils, phase and noise."""
    anatomy: NDArray[np.float32]
    """(Y, X), the same before its intensities were remapped."""
    voxel_mm: tuple[float, float]
    """(y, x), as it came out."""
    origin_mm: Point
    """(x, y, z) of the pixel at (Y // 2, X // 2) from the middle of the coil helmet; z up, y to the front."""
    axes: tuple[Point, Point]
    """Direction (x, y, z) of growing row and of growing column."""


@dataclass(frozen=True)
class Frame:
    """A head with its box: native coordinates of the vertex, and of the cranium's first and last row and column."""

    head: Head

    @cached_property
    def vertex(self) -> int:
        """The first axial slice that shows more than 400 mm^2 of head."""
        _, y_mm, x_mm = self.head.voxel_mm
        return int(np.argmax((self.head.volume > SKIN).sum((1, 2)) > 400 / (y_mm * x_mm)))

    @cached_property
    def cranium(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """First and last row, first and last column, of what lies 20 to 110 mm below the vertex."""
        z_mm = self.head.voxel_mm[0]
        part = self.head.volume[self.vertex + round(20 / z_mm) : self.vertex + round(110 / z_mm)] > SKIN
        (y0, y1), (x0, x1) = (np.flatnonzero(part.mean(axis) > 0.02)[[0, -1]] for axis in ((0, 2), (0, 1)))
        return (float(y0), float(y1)), (float(x0), float(x1))

    @property
    def middle(self) -> Point:
        """Native (z, y, x) of the middle of the coil helmet."""
        (y0, y1), (x0, x1) = self.cranium
        return self.vertex + MIDDLE_MM / self.head.voxel_mm[0], (y0 + y1) / 2, (x0 + x1) / 2

    def slices(self, view: View, count: int, within: tuple[float, float] = (0.0, 1.0)) -> list[int]:
        """Native numbers of slices evenly spaced over a view's extent, as far as that is `within` these parts of the head.

        Parts are those of `View.extent`: of 190 mm below the vertex for axial slices, of the cranium from front to back for
        coronal ones.
        """
        if view.plane == "axial":
            first, length = float(self.vertex), HEAD_MM / self.head.voxel_mm[0]
        else:
            first, last = self.cranium[0]
            length = last - first
        low, high = (min(max(part, within[0]), within[1]) for part in view.extent)
        numbers = [round(first + length * (low + (high - low) * (i + 0.5) / count)) for i in range(count)]
        return [min(number, self.head.volume.shape[0 if view.plane == "axial" else 1] - 1) for number in numbers]

    def shows(self, view: View, number: int) -> bool:
        """Whether anything of the head is in this slice."""
        native = self.head.volume[number] if view.plane == "axial" else self.head.volume[:, number]
        return bool((native > SKIN).any())

    def plane(self, view: View, number: int, protocol: Protocol) -> Plane:
        """One slice, cut to the protocol's field of view and voxel."""
        assert protocol.voxel_mm is not None
        z_mm, y_mm, x_mm = self.head.voxel_mm
        z, y, x = self.middle
        origin: Point
        axes: tuple[Point, Point]
        if view.plane == "axial":
            native, native_mm, centre = self.head.volume[number], (y_mm, x_mm), (y, x)
            origin, axes = (0.0, 0.0, (z - number) * z_mm), ((0.0, -1.0, 0.0), (1.0, 0.0, 0.0))
        else:
            row = self.vertex + (protocol.matrix[0] * max(protocol.voxel_mm[0], z_mm) / 2 - VERTEX_MARGIN_MM) / z_mm
            native, native_mm, centre = self.head.volume[:, number], (z_mm, x_mm), (row, x)
            origin = (0.0, (y - number) * y_mm, (z - row) * z_mm)
            axes = ((0.0, 0.0, -1.0), (1.0, 0.0, 0.0))
        native = np.ascontiguousarray(native)
        grid = (native_mm, centre, protocol.matrix, protocol.voxel_mm)
        anatomy, voxel = simulate.regrid(native, *grid)
        magnitude = anatomy if view.remap == "t1w" else simulate.regrid(simulate.remap(native, view.remap), *grid)[0]
        return Plane(magnitude, anatomy, voxel, origin, axes)

    def vessels(self, protocol: Protocol, numbers: Sequence[int], voxel_mm: tuple[float, float]) -> NDArray[np.float64]:
        """The head's vessels in axial slices of true voxel `voxel_mm`.

        Returns
        -------
        array
            (slice, vessel, 4): HR pixel y and x of the centre, radius of the lumen and thickness of the wall in mm. Nan where
            a vessel is not known, or lies so near the edge of the field of view that the head fades out there.
        """
        assert protocol.voxel_mm is not None
        native = np.stack([vessel.centre[list(numbers)] for vessel in self.head.vessels], 1)
        centre = simulate.regridded(native, self.head.voxel_mm[1:], self.middle[1:], protocol.matrix, protocol.voxel_mm)
        sizes = np.asarray([(vessel.lumen_mm, vessel.wall_mm) for vessel in self.head.vessels])
        reach = (sizes.sum(1, keepdims=True) + simulate.TAPER_MM) / voxel_mm
        whole = ((centre > reach) & (centre < np.asarray(protocol.matrix) - reach)).all(-1, keepdims=True)
        told = np.concatenate((centre, np.broadcast_to(sizes, centre.shape)), -1)
        return np.where(whole, told, np.nan)
