"""All that a method ever sees or gives, and `acquire`, which makes it of an array."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from bench.errors import UserError
from bench.mri.coils import espirit_maps
from bench.mri.resample import bicubic
from bench.mri.sense import Sense

CALIBRATION, LEAST_CALIBRATION = 24, 8  # width of the fully sampled centre that maps are made from


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
    residual: Tensor | None = None
    """(batch,) float32: relative change in the last iteration of an equilibrium, if there is one."""


def acquire(
    kspace: ArrayLike | Tensor,
    mask: ArrayLike | Tensor | None = None,
    maps: ArrayLike | Tensor | None = None,
    voxel_mm: tuple[float, float] | None = None,
) -> Acquisition:
    """Make an acquisition of k-space of one's own.

    Parameters
    ----------
    kspace
        (coil, y, x) or (batch, coil, y, x) complex, on the LR grid, DC at N // 2, orthonormal FFT; zeros where not sampled.
    mask
        (y, x) or (batch, y, x), true where sampled; by default where any coil is not zero.
    maps
        Coil sensitivities like `kspace`, on its grid or on the HR grid (twice as fine); by default made by ESPIRiT from the
        fully sampled centre.
    voxel_mm
        Of the HR grid (y, x); None: unknown.

    Returns
    -------
    Acquisition
        In the scale of `kspace`; `reconstruct` takes care of the scale that methods expect.

    Raises
    ------
    UserError
        If shapes do not fit or are odd, something is not finite or all zero, DC is not in the middle, or the centre is too
        small for ESPIRiT.

    Examples
    --------
    >>> import bench, torch, numpy as np
    >>> y, x = np.mgrid[-1:1:32j, -1:1:32j]
    >>> coils = np.stack([np.exp(-((y - a) ** 2 + (x - b) ** 2)) for a, b in ((-1, 0), (1, 0), (0, 1))])
    >>> kspace = bench.fft2c(torch.from_numpy(coils * (y**2 + x**2 < 0.6)))
    >>> bench.acquire(kspace).maps_hr.shape
    torch.Size([1, 3, 64, 64])
    """
    if voxel_mm is not None and (np.shape(voxel_mm) != (2,) or not all(mm > 0 for mm in voxel_mm)):
        raise UserError(f"voxel_mm must be two lengths in mm, (y, x); got {voxel_mm}.")
    data = _tensor(kspace, torch.complex64)
    data = data[None] if data.ndim == 3 else data
    if data.ndim != 4:
        raise UserError(f"kspace must be (coil, y, x) or (batch, coil, y, x); got {tuple(data.shape)}.")
    if data.shape[2] % 2 or data.shape[3] % 2:
        raise UserError(
            f"kspace must have even y and x; got {tuple(data.shape)}: put a line of zeros before the first one."
        )
    if not torch.isfinite(torch.view_as_real(data)).all() or not data.any():
        raise UserError("kspace holds NaN or infinity, or nothing but zeros.")
    wrong = off_centre(data)
    if wrong:
        raise UserError(f"kspace {wrong}.")
    sampled = (data != 0).any(1) if mask is None else _tensor(mask, torch.bool)
    if sampled.ndim == 2:
        sampled = sampled.expand(len(data), *sampled.shape)
    if sampled.shape != (data.shape[0], *data.shape[2:]):
        raise UserError(f"mask {tuple(sampled.shape)} does not fit kspace {tuple(data.shape)}.")
    data = data * sampled[:, None]
    maps_hr = _given_maps(maps, data) if maps is not None else _espirit(data, sampled)
    maps_lr = maps_hr[..., ::2, ::2].contiguous()
    zero_filled = Sense(maps_lr, sampled).adjoint(data)
    return Acquisition(data, sampled.contiguous(), maps_lr, maps_hr, zero_filled, _phase_encode(sampled), voxel_mm)


def _tensor(values: ArrayLike | Tensor, dtype: torch.dtype) -> Tensor:
    tensor = values if isinstance(values, Tensor) else torch.from_numpy(np.ascontiguousarray(values))
    if dtype is torch.bool:
        tensor = tensor != 0
    return tensor.detach().cpu().to(dtype)


def off_centre(kspace: Tensor, part: int = 4) -> str | None:
    """Where most energy of (..., y, x) lies if that is not the middle, as DC does, and what to do; None if it is.

    Up to a `part`-th of an axis, and two samples, from N // 2 is the middle.
    """
    energy = kspace.abs().square().flatten(0, -3).sum(0)
    height, width = energy.shape
    y, x = divmod(int(energy.argmax()), width)
    if abs(y - height // 2) > max(2, height // part) or abs(x - width // 2) > max(2, width // part):
        return f"has its maximum at ({y}, {x}), not in the middle: shift DC to N // 2 on both axes (numpy.fft.fftshift)"
    return None


def _given_maps(maps: ArrayLike | Tensor, kspace: Tensor) -> Tensor:
    given = _tensor(maps, torch.complex64)
    given = given.expand(len(kspace), *given.shape) if given.ndim == 3 else given
    fine = (*kspace.shape[:2], 2 * kspace.shape[2], 2 * kspace.shape[3])
    if given.shape == kspace.shape:
        parts = [bicubic(part.flatten(0, 1)).reshape(fine) for part in (given.real, given.imag)]
        given = torch.complex(*parts)
    if given.shape != fine:
        raise UserError(f"maps must be {tuple(kspace.shape)} or {fine}; got {tuple(given.shape)}.")
    if not torch.isfinite(torch.view_as_real(given)).all() or not given.any():
        raise UserError("maps hold NaN or infinity, or nothing but zeros.")
    norm = given.abs().square().sum(1, keepdim=True).sqrt()
    return torch.where(norm > 1e-6, given / norm.clamp_min(1e-6), torch.zeros(()))


def _espirit(kspace: Tensor, mask: Tensor) -> Tensor:
    height, width = kspace.shape[-2:]
    common = mask.all(0)
    full = 0
    for size in range(1, min(CALIBRATION, height, width) + 1):
        top, left = height // 2 - size // 2, width // 2 - size // 2
        if not common[top : top + size, left : left + size].all():
            break
        full = size
    if full < LEAST_CALIBRATION:
        raise UserError(
            f"the fully sampled centre is {full} wide, too narrow for coil maps by ESPIRiT ({LEAST_CALIBRATION}): give maps."
        )
    return torch.stack([espirit_maps(k, (2 * height, 2 * width), calibration=full) for k in kspace])


def _phase_encode(mask: Tensor) -> tuple[bool, bool]:
    """An axis along which every line is sampled alike is read out."""
    along_y, along_x = ((mask == mask.narrow(axis, 0, 1)).all() for axis in (1, 2))
    return (True, True) if along_y and along_x else (not bool(along_y), not bool(along_x))
