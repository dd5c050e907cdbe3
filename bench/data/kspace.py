"""What the energies of measured k-space tell of how it was sampled, and of where its middle lies."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.acquisition import off_centre
from bench.errors import Refused
from bench.mri.fourier import crop, ifft2c

LEAST_PEAK = 8.0  # of the strongest line's energy over the median line's; an image has 2 to 5, k-space 100 and more
NOTHING = 1e-10  # of the strongest line's energy: zero but for rounding
PADDED = 2  # lines a side that may be zero, as where an odd number was made even
CORNERS = 0.25  # of samples: more that are zero are not the corners that a scanner leaves out
SIDES = 0.02  # of the strongest line of an image: weaker ones show nothing
FAINT = 1e-4  # of the strongest slice's energy: zeros of weaker ones are not looked at
STRONG = 0.1  # of the strongest slice's energy: DC of weaker ones, of little but noise, is not looked for
OFF = 2  # samples that DC may lie beside the middle
AXES = ("rows", "columns")
Kspace = NDArray[np.complex64]


def look(who: str, slices: Mapping[int, Kspace], matrix: tuple[int, int]) -> list[str]:
    """Look at the slices of one contrast, by number, all of one size; what is odd is said.

    Parameters
    ----------
    matrix
        What of them is used: the middle, of this size.

    Raises
    ------
    Refused
        If DC lies elsewhere than in the middle, they are images, or not fully sampled.
    """
    tensors = {number: torch.from_numpy(kspace) for number, kspace in slices.items()}
    energies = {number: crop(kspace, matrix).abs().square().sum(0) for number, kspace in tensors.items()}
    totals = {number: float(energy.sum()) for number, energy in energies.items()}
    strongest = max(float(kspace.abs().square().sum()) for kspace in tensors.values())
    for number, kspace in tensors.items():
        wrong = off_centre(kspace, 16) if float(kspace.abs().square().sum()) >= STRONG * strongest else None
        if wrong:
            raise Refused(f"{who}, slice {number}", f"kspace {wrong}")
    together = torch.stack(list(energies.values())).sum(0)
    _check_centre(who, together, next(iter(tensors.values())).shape[1:])
    _check_peak(who, together)
    looked_at = {number: energies[number] for number in slices if totals[number] >= FAINT * max(totals.values())}
    empty = max(_zeros(f"{who}, slice {number}", energy) for number, energy in looked_at.items())
    said = [f"'{who}': {empty:.1%} of the k-space samples are zero, as where corners were not measured."] * (empty > 0)
    return said + _sides(who, tensors[list(tensors)[len(tensors) // 2]])


def _check_centre(who: str, energy: Tensor, full: tuple[int, ...]) -> None:
    """Most energy of all slices together lies within two samples of the middle."""
    place = divmod(int(energy.argmax()), energy.shape[1])
    beside = [at - size // 2 for at, size in zip(place, energy.shape, strict=True)]
    if max(map(abs, beside)) > OFF:
        y, x = (size // 2 + off for size, off in zip(full, beside, strict=True))
        what = f"kspace has its maximum at ({y}, {x}), not in the middle, ({full[0] // 2}, {full[1] // 2})"
        raise Refused(who, f"{what}: shift DC to N // 2 on both axes")


def _check_peak(who: str, energy: Tensor) -> None:
    for axis, name in enumerate(AXES):
        lines = energy.sum(1 - axis)
        if float(lines.max() / lines.median().clamp_min(1e-30)) < LEAST_PEAK:
            raise Refused(who, f"kspace is as strong at the ends of its {name} as in the middle: is it an image there?")


def _zeros(who: str, energy: Tensor) -> float:
    """The part of a slice's samples that is zero."""
    for axis, name in enumerate(AXES):
        _check_lines(who, energy.sum(1 - axis), name)
    empty = float((energy <= NOTHING * energy.max()).float().mean())
    if empty > CORNERS:
        raise Refused(who, f"kspace has {empty:.0%} of its samples zero: it is undersampled, unfit as a truth")
    return empty


def zero_lines(lines: NDArray[np.floating[Any]]) -> tuple[int, int, int]:
    """How many lines are zero before the first that is not, between, and after the last, by the energy of each."""
    there = np.flatnonzero(lines > NOTHING * lines.max())
    first, last = int(there[0]), len(lines) - 1 - int(there[-1])
    return first, len(lines) - first - last - len(there), last


def _check_lines(who: str, lines: Tensor, name: str) -> None:
    """A few lines may be zero, but only at the two ends."""
    first, inside, last = zero_lines(lines.numpy())
    count = first + inside + last
    said = f"kspace has {count} of {len(lines)} {name} zero"
    if inside:
        raise Refused(who, f"{said}: it is undersampled, unfit as a truth")
    if count <= 2 * PADDED:
        return
    if min(first, last) == 0:
        raise Refused(who, f"{said} on one side: partial Fourier, unfit as a truth")
    raise Refused(who, f"{said} on both sides: interpolated by the scanner; crop it to what was measured")


def _sides(who: str, kspace: Tensor) -> list[str]:
    image: Any = ifft2c(kspace).abs().square().sum(0)
    said = []
    for axis, name in enumerate(("y", "x")):
        shown = image.sum(1 - axis)
        quarter = len(shown) // 4
        if max(float(shown[:quarter].max()), float(shown[-quarter:].max())) < SIDES * float(shown.max()):
            said.append(f"'{who}': half of the field of view along {name} is empty: was oversampling not removed?")
    return said
