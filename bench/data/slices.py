"""From prepared files to batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import h5py
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.acquisition import Acquisition, Target
from bench.errors import UserError
from bench.mri.fourier import ifft2c


@dataclass(frozen=True)
class Slices:
    """Prepared slices of a split. Picklable: files are opened where they are read."""

    files: tuple[tuple[Path, int], ...]
    key: str
    phase_encode: tuple[bool, bool]

    def __len__(self) -> int:
        return sum(count for _, count in self.files)

    @cached_property
    def rows(self) -> list[tuple[str, str, int]]:
        """(subject, contrast, slice number) of each."""
        rows = []
        for path, _ in self.files:
            file = open_prepared(path)
            rows += [(file.attrs["patient_id"], file.attrs["acquisition"], int(n)) for n in file["slice"][()]]
        return rows

    @cached_property
    def _places(self) -> list[tuple[Path, int]]:
        return [(path, i) for path, count in self.files for i in range(count)]

    def vessels(self, index: int) -> NDArray[np.float64]:
        """Vessels whose truth is known, (vessel, 4): HR pixel y, x of the centre, lumen radius, wall in mm."""
        path, place = self._places[index]
        file = open_prepared(path)
        known = file["vessels"][place] if "vessels" in file else np.empty((0, 4))
        return known[np.isfinite(known).all(1)]

    def batch(self, indices: Sequence[int], device: str = "cpu") -> tuple[Acquisition, Target]:
        """Acquisitions and truths of these slices, scaled by the 99th percentile of |A^H b|."""
        slices = [_read(*self._places[i]) for i in indices]
        kspace, maps, image_hr, image_lr, mask = (torch.stack(tensors) for tensors in zip(*slices, strict=True))
        kspace = kspace * mask[:, None]
        maps_lr = maps[..., ::2, ::2].contiguous()
        zero_filled = (maps_lr.conj() * ifft2c(kspace)).sum(1)
        scale = torch.quantile(zero_filled.abs().flatten(1), 0.99, dim=1)
        images = [t / scale[:, None, None] for t in (zero_filled, image_hr, image_lr)]
        voxel = open_prepared(self._places[indices[0]][0]).attrs["voxel_mm"]
        voxel_mm = (float(voxel[0]), float(voxel[1])) if len(voxel) else None
        acquisition = Acquisition(
            kspace / scale[:, None, None, None], mask, maps_lr, maps, images[0], self.phase_encode, voxel_mm
        )
        target = Target(images[1], images[2], images[1].abs().amax((-2, -1)), scale)
        return acquisition.to(device), target.to(device)


@cache
def open_prepared(path: Path) -> h5py.File:
    """Open a prepared file and keep it open."""
    try:
        return h5py.File(path)
    except OSError as error:
        raise UserError(
            f"The prepared file {path} cannot be read ({error}): run again, it will be made anew."
        ) from error


def _read(path: Path, index: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """LR k-space before the mask, HR maps, truths, mask."""
    file = open_prepared(path)
    try:
        shape = file["image_lr"].shape[1:]
        full = file["kspace"].shape[-2:]
        corner = [n // 2 - m // 2 for n, m in zip(full, shape, strict=True)]
        box = (slice(corner[0], corner[0] + shape[0]), slice(corner[1], corner[1] + shape[1]))
        scale = (shape[0] * shape[1] / (full[0] * full[1])) ** 0.5
        kspace = torch.from_numpy(file["kspace"][(index, slice(None), *box)]) * scale
        arrays = [torch.from_numpy(file[name][index]) for name in ("maps", "image_hr", "image_lr")]
        return kspace, arrays[0], arrays[1], arrays[2], torch.from_numpy(file["mask_lr"][()])
    except (OSError, KeyError) as error:
        raise UserError(f"The prepared file {path} is damaged ({error}): delete it, it will be made again.") from error
