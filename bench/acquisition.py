"""All that a method ever sees or gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batched:
    """Tensors that share a first, batch, dimension; other fields are the same for the whole batch."""

    def to(self, device: torch.device | str) -> Self:
        """Move every tensor."""
        return self._map(lambda tensor: tensor.to(device, non_blocking=True))

    def __getitem__(self, index: slice | Tensor) -> Self:
        return self._map(lambda tensor: tensor[index])

    def _map(self, function: Callable[[Tensor], Tensor]) -> Self:
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return type(self)(**{k: function(v) if isinstance(v, Tensor) else v for k, v in values.items()})


@dataclass(frozen=True)
class Acquisition(Batched):
    """What the scanner gives: low-resolution (LR), undersampled, multi-coil k-space. Complex64, centred.

    Scale: methods are given it divided by the 99th percentile of ``|zero_filled|``, so that tissue is about 1.
    """

    kspace: Tensor
    """(batch, coil, y, x) complex64 on the LR grid, zeros where not sampled."""
    mask: Tensor
    """(batch, y, x) bool: where k-space was sampled."""
    maps_lr: Tensor
    """(batch, coil, y, x) complex64: coil sensitivities, unit norm over coils on the support."""
    maps_hr: Tensor
    """(batch, coil, Y, X) complex64: the same on the high-resolution (HR) grid."""
    zero_filled: Tensor
    """(batch, y, x) complex64: A^H b."""
    phase_encode: tuple[bool, bool]
    """Is y, is x a phase-encoding axis?"""
    voxel_mm: tuple[float, float] | None
    """HR voxel (y, x); None: unknown."""


@dataclass(frozen=True)
class Target(Batched):
    """The fully sampled truths, free of noise where simulated."""

    image_hr: Tensor
    """(batch, Y, X) complex64."""
    image_lr: Tensor
    """(batch, y, x) complex64."""
    peak: Tensor
    """(batch,) float32: max |image_hr|."""
    scale: Tensor
    """(batch,) float32: what k-space was divided by."""


@dataclass(frozen=True)
class Output(Batched):
    """What a method gives."""

    image: Tensor
    """(batch, Y, X) float32: the HR magnitude."""
    image_lr: Tensor | None = None
    """(batch, y, x) complex64: the LR reconstruction on the way, if there is one."""
