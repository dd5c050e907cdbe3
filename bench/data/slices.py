"""From prepared files to batches."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import h5py
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.acquisition import Acquisition, Target
from bench.errors import UserError
from bench.metrics import image as metrics
from bench.mri.fourier import ifft2c

Whole = TypeVar("Whole", Acquisition, Target)
OPEN_FILES = 64  # of 256 that some systems let a process have


class Place(NamedTuple):
    """Where a slice lies, and how it is acquired."""

    path: Path
    at: int
    """In the file."""
    contrast: str
    """As in the rows."""
    mask: int
    """In `Slices.masks`."""


@dataclass(frozen=True)
class Slices:
    """Prepared slices of a split. Picklable: files are opened where they are read."""

    places: tuple[Place, ...]
    masks: tuple[NDArray[np.bool_], ...]
    """(y, x) each: laid on k-space when it is read."""
    key: str
    phase_encode: tuple[bool, bool]

    def __len__(self) -> int:
        return len(self.places)

    @cached_property
    def rows(self) -> list[tuple[str, str, int]]:
        """(subject, contrast, slice number) of each."""
        known = {path: _who(open_prepared(path)) for path in dict.fromkeys(place.path for place in self.places)}
        return [(known[p.path][0], p.contrast, int(known[p.path][1][p.at])) for p in self.places]

    def vessels(self, index: int) -> NDArray[np.float64]:
        """Vessels whose truth is known, (vessel, 4): HR pixel y, x of the centre, lumen radius, wall in mm."""
        place = self.places[index]
        file = open_prepared(place.path)
        known = file["vessels"][place.at] if "vessels" in file else np.empty((0, 4))
        return known[np.isfinite(known).all(1)]

    def foreground(self, index: int) -> NDArray[np.bool_]:
        """Inside of the head, (Y, X): of the anatomy without coils where it is simulated, else of the truth."""
        place = self.places[index]
        file = open_prepared(place.path)
        if "foreground" in file:
            inside: NDArray[np.bool_] = file["foreground"][place.at]
            return inside
        return metrics.foreground(np.abs(file["image_hr"][place.at]), _voxel(file))

    def batch(self, indices: Sequence[int], device: str = "cpu") -> tuple[Acquisition, Target]:
        """Acquisitions and truths of these slices, scaled by the 99th percentile of |A^H b|.

        Where numbers of coils differ, k-space and maps of the fewer are filled up with coils that are zero.
        """
        acquisition, target = joined([self.one(i) for i in indices])
        return acquisition.to(device), target.to(device)

    def one(self, index: int) -> tuple[Acquisition, Target]:
        """One slice, a batch of its own."""
        place = self.places[index]
        kspace, maps, image_hr, image_lr = (part[None] for part in _read(place.path, place.at))
        mask = torch.from_numpy(self.masks[place.mask])[None]
        kspace = kspace * mask[:, None]
        maps_lr = maps[..., ::2, ::2].contiguous()
        zero_filled = (maps_lr.conj() * ifft2c(kspace)).sum(1)
        scale = torch.quantile(zero_filled.abs().flatten(1), 0.99, dim=1)
        images = [t / scale[:, None, None] for t in (zero_filled, image_hr, image_lr)]
        voxel_mm = _voxel(open_prepared(place.path))
        acquisition = Acquisition(
            kspace / scale[:, None, None, None], mask, maps_lr, maps, images[0], self.phase_encode, voxel_mm
        )
        return acquisition, Target(images[1], images[2], images[1].abs().amax((-2, -1)), scale)


def joined(slices: Sequence[tuple[Acquisition, Target]]) -> tuple[Acquisition, Target]:
    """One batch of batches; the first one's voxel is said to be that of all."""
    if len(slices) == 1:
        return slices[0]
    coils = max(acquisition.kspace.shape[1] for acquisition, _ in slices)
    filled = [_with_coils(acquisition, coils) for acquisition, _ in slices]
    return _joined(filled), _joined([target for _, target in slices])


def _with_coils(acquisition: Acquisition, coils: int) -> Acquisition:
    kspace, maps_lr, maps_hr = (
        _filled(x, coils) for x in (acquisition.kspace, acquisition.maps_lr, acquisition.maps_hr)
    )
    return replace(acquisition, kspace=kspace, maps_lr=maps_lr, maps_hr=maps_hr)


def _joined(parts: Sequence[Whole]) -> Whole:
    named = {f.name: [getattr(part, f.name) for part in parts] for f in fields(parts[0])}
    tensors: dict[str, Any] = {
        name: torch.cat(values) for name, values in named.items() if isinstance(values[0], Tensor)
    }
    return replace(parts[0], **tensors)


@lru_cache(maxsize=OPEN_FILES)
def open_prepared(path: Path) -> h5py.File:
    """Open a prepared file and keep it open, as long as not too many others are asked for."""
    try:
        return h5py.File(path)
    except OSError as error:
        raise UserError(
            f"The prepared file {path} cannot be read ({error}): run again, it will be made anew."
        ) from error


def _who(file: h5py.File) -> tuple[str, NDArray[np.int64]]:
    return str(file.attrs["patient_id"]), file["slice"][()]


def _voxel(file: h5py.File) -> tuple[float, float] | None:
    """HR voxel (y, x) in mm; None: unknown."""
    voxel = file.attrs["voxel_mm"]
    return (float(voxel[0]), float(voxel[1])) if len(voxel) else None


def _filled(coil_images: Tensor, coils: int) -> Tensor:
    """(batch, coil, y, x) with zeros behind, up to so many coils."""
    return torch.nn.functional.pad(coil_images, (0, 0, 0, 0, 0, coils - coil_images.shape[1]))


def _read(path: Path, index: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """LR k-space before the mask, HR maps, truths."""
    file = open_prepared(path)
    try:
        shape = file["image_lr"].shape[1:]
        full = file["kspace"].shape[-2:]
        corner = [n // 2 - m // 2 for n, m in zip(full, shape, strict=True)]
        box = (slice(corner[0], corner[0] + shape[0]), slice(corner[1], corner[1] + shape[1]))
        scale = (shape[0] * shape[1] / (full[0] * full[1])) ** 0.5
        kspace = torch.from_numpy(file["kspace"][(index, slice(None), *box)]) * scale
        arrays = [torch.from_numpy(file[name][index]) for name in ("maps", "image_hr", "image_lr")]
        return kspace, arrays[0], arrays[1], arrays[2]
    except (OSError, KeyError) as error:
        raise UserError(f"The prepared file {path} is damaged ({error}): delete it, it will be made again.") from error
