"""What a person's raw files hold: `bench data check` shows it, `bench data import` acts on it.

Found and mended: DC in a corner, margins of zeros that a scanner or a converter put around what was measured, partial Fourier
(cropped to what was measured on both sides), slices of nothing or that are there twice, scale. What is no truth is refused:
undersampled k-space, NaN, images for k-space; the last words are those of the door, `bench.data.admission`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
import torch
from numpy.typing import NDArray

from bench.acquisition import CALIBRATION
from bench.data import admission
from bench.data.kspace import OFF, Kspace, zero_lines
from bench.data.protocol import Head, LazyKspace, RawSubject
from bench.data.readers.records import Scan, Volume
from bench.errors import UserError
from bench.mri.coils import espirit_maps
from bench.mri.fourier import crop, fft2c, ifft2c
from bench.store.keys import sha256_of_array

LEAST_LEFT = 0.5  # of an axis: what is left of less was partial Fourier or interpolated too far
PADDED = 2  # lines that may be zero at the ends, as where an odd number was made even, or by which the ends differ
MAPS_GRID = 96  # of the central k-space on which the maps are judged
LITTLE = 0.9  # of the energy: maps that keep less miss a part of the object
CORNERS = {
    "corner": "DC lay in the corner of k-space, and the image's middle in the corner of the image: both shifted",
    "corner, image centred": "DC lay in the corner of k-space, and the image in the middle: k-space shifted",
}


@dataclass(frozen=True)
class Found:
    """One scan, looked at."""

    scan: Scan | Volume
    person: str
    contrast: str
    slices: tuple[int, ...]
    """Those that are used, as the file counts them."""
    size: tuple[int, ...]
    """Of a slice after the crop, (Y, X); of a head (z, y, x)."""
    voxel_mm: tuple[float, ...] | None
    """After the crop."""
    centre: str
    """Where DC was found: "middle", "corner" (the image's middle lay there too), "corner, image centred"."""
    measured: tuple[int, ...]
    """Lines of each axis that were measured, of which `size` are used."""
    kept_by_maps: float | None
    """Share of the middle slice's energy that coil maps by ESPIRiT keep."""
    scale: float
    """What data are divided by: the largest of the slices' 99.9th percentiles of the root sum of squares."""
    remarks: tuple[str, ...]
    digests: dict[int, str]
    """sha256 of each slice's samples; of a head, of the volume under 0."""
    refusal: str | None
    """Why it is no truth; None if it is."""

    @property
    def coils(self) -> int:
        """1 of a head."""
        return self.scan.shape[1] if isinstance(self.scan, Scan) else 1

    def read(self, number: int) -> Kspace:
        """One slice (coil, Y, X), centred, cropped and scaled."""
        assert isinstance(self.scan, Scan)
        size = (self.size[0], self.size[1])
        return _cropped(_centred(_owned(self.scan.read(number)), self.centre), size) / np.float32(self.scale)

    @cached_property
    def head(self) -> Head:
        """The volume of a head, scaled."""
        assert isinstance(self.scan, Volume)
        z, y, x = self.scan.voxel_mm
        return Head(self.scan.read() / np.float32(self.scale), (z, y, x))


def look(scan: Scan | Volume, person: str, progress: Callable[[int, int], None] = lambda *_: None) -> Found:
    """Read a scan once, slice by slice, and say what it is.

    Parameters
    ----------
    person
        Whose it is.
    progress
        Called with the slices done and in all.

    Raises
    ------
    UserError
        If the file is damaged.
    """
    return _head(scan, person) if isinstance(scan, Volume) else _raw(scan, person, progress)


def _head(volume: Volume, person: str) -> Found:
    array = volume.read()
    bright = float(np.percentile(array, 99.9)) if np.isfinite(array).all() else 0.0
    scale = bright if bright > 0 else 1.0
    found = Found(
        volume, person, volume.contrast, tuple(range(volume.shape[0])), volume.shape, volume.voxel_mm, "–", volume.shape,
        None, scale, volume.remarks, {0: sha256_of_array(array)}, None,
    )  # fmt: skip
    try:
        z, y, x = volume.voxel_mm
        admitted = admission.admit(person, Head(array / np.float32(scale), (z, y, x)))
    except UserError as error:
        return replace(found, refusal=str(error))
    return replace(found, remarks=(*found.remarks, *admitted.remarks))


@dataclass
class _Sums:
    """What one pass over the slices gathers."""

    energy: NDArray[np.float64]
    """(Y, X) over slices and coils."""
    of_slice: dict[int, float]
    digests: dict[int, str]
    remarks: list[str]
    strongest: Kspace | None = None
    refusal: str | None = None


def _raw(scan: Scan, person: str, progress: Callable[[int, int], None]) -> Found:
    sums = _gather(scan, progress)
    found = Found(
        scan, person, scan.contrast, tuple(sums.of_slice), scan.shape[2:], scan.voxel_mm, "?", scan.shape[2:], None, 1.0,
        (*scan.remarks, *sums.remarks), sums.digests, sums.refusal,
    )  # fmt: skip
    if sums.strongest is None or sums.refusal:
        return replace(found, refusal=sums.refusal or "nothing but zeros")
    centre = _centre(sums.energy, sums.strongest)
    if centre is None:
        place = divmod(int(sums.energy.argmax()), sums.energy.shape[1])
        return replace(found, refusal=f"the maximum lies at {place}, neither in the middle nor in a corner")
    energy = sums.energy if centre == "middle" else np.fft.fftshift(sums.energy)
    y, x = (_axis(energy.sum(1 - axis), name) for axis, name in enumerate(("rows", "columns")))
    said = [CORNERS[centre]] if centre in CORNERS else []
    said += [axis.said for axis in (y, x) if axis.said]
    voxel = scan.voxel_mm
    if voxel:
        voxel = (voxel[0] * scan.shape[2] / y.used, voxel[1] * scan.shape[3] / x.used)
    refusal = y.refusal or x.refusal
    found = replace(
        found, size=(y.used, x.used), voxel_mm=voxel, centre=centre, measured=(y.measured, x.measured), refusal=refusal,
        remarks=(*found.remarks, *said),
    )  # fmt: skip
    return found if refusal else _finished(found)


def _gather(scan: Scan, progress: Callable[[int, int], None]) -> _Sums:
    count, _, height, width = scan.shape
    sums = _Sums(np.zeros((height, width)), {}, {}, [])
    places: dict[str, int] = {}
    for number in range(count):
        kspace = _owned(scan.read(number))
        progress(number + 1, count)
        bad = np.argwhere(~np.isfinite(kspace))
        if len(bad):
            place = tuple(int(i) for i in bad[0])
            sums.refusal = f"slice {number}: NaN or infinity ({len(bad)} samples, first (coil, y, x) {place})"
            return sums
        energy = np.square(np.abs(kspace, dtype=np.float64)).sum(0)
        if not energy.any():
            sums.remarks.append(f"slice {number} holds nothing but zeros: left out")
            continue
        digest = sha256_of_array(kspace)
        if digest in places:
            sums.remarks.append(f"slice {number} has the same samples as slice {places[digest]}: left out")
            continue
        places[digest] = number
        sums.digests[number], sums.of_slice[number] = digest, float(energy.sum())
        sums.energy += energy
        if sums.of_slice[number] == max(sums.of_slice.values()):
            sums.strongest = kspace
    return sums


def _owned(kspace: Kspace) -> Kspace:
    """Writable, also where it was mapped from a file."""
    return np.array(kspace, np.complex64)


def _centre(energy: NDArray[np.float64], strongest: Kspace) -> str | None:
    """Where DC lies, and where then the image's middle."""
    height, width = energy.shape
    y, x = (int(i) for i in np.unravel_index(int(energy.argmax()), energy.shape))
    if abs(y - height // 2) <= OFF and abs(x - width // 2) <= OFF:
        return "middle"
    if min(y, height - y) > OFF or min(x, width - x) > OFF:
        return None
    both = {how: _weight_in_the_middle(_centred(strongest, how)) for how in ("corner", "corner, image centred")}
    return max(both, key=lambda how: both[how])


def _weight_in_the_middle(kspace: Kspace) -> float:
    image = np.square(np.abs(ifft2c(torch.from_numpy(kspace)).numpy())).sum(0)
    windows = [np.hanning(n + 2)[1:-1] for n in image.shape]
    return float((image * windows[0][:, None] * windows[1]).sum())


def _centred(kspace: Kspace, centre: str) -> Kspace:
    """The same with DC and the image in the middle."""
    if centre == "corner":
        return np.ascontiguousarray(np.fft.fftshift(kspace, (-2, -1)))
    if centre == "corner, image centred":
        image = np.fft.ifft2(kspace, norm="ortho").astype(np.complex64)
        return fft2c(torch.from_numpy(image)).numpy()
    return kspace


def _cropped(kspace: Kspace, size: tuple[int, int]) -> Kspace:
    return np.ascontiguousarray(crop(torch.from_numpy(np.ascontiguousarray(kspace)), size).numpy())


@dataclass(frozen=True)
class _Axis:
    """What of one axis was measured."""

    used: int
    """Lines on both sides of DC, to which it is cropped."""
    measured: int
    said: str | None = None
    refusal: str | None = None


def _axis(lines: NDArray[np.float64], name: str) -> _Axis:
    """Find what was measured by the energy of each line, DC in the middle."""
    total = len(lines)
    low, inside, high = zero_lines(lines)
    count = total - low - inside - high
    if inside:
        return _Axis(total, count, None, f"{inside} of {total} {name} are zero between measured ones: undersampled")
    used = total if low + high <= PADDED else 2 * min(total // 2 - low, total - high - total // 2)
    what = "partial Fourier" if abs(low - high) > PADDED else "interpolated by the scanner"
    if used < LEAST_LEFT * total:
        left = f"{count} of {total} {name} were measured, {max(used, 0)} of them on both sides of DC"
        return _Axis(total, count, None, f"{left}: {what}, too little is left")
    if used == total:
        return _Axis(total, count)
    why = what if what == "partial Fourier" else f"{what}: super-resolution would be too easy or impossible"
    return _Axis(used, count, f"{low} + {high} of {total} {name} are zero at the ends ({why}): cropped to {used}")


def _finished(found: Found) -> Found:
    """With scale, maps and what the door says."""
    found = replace(found, scale=max(_bright(found.read(number)) for number in found.slices))
    voxel = (found.voxel_mm[0], found.voxel_mm[1]) if found.voxel_mm else None
    lazy = LazyKspace({(found.contrast, n): partial(found.read, n) for n in found.slices})
    try:
        admitted = admission.admit_contrast(found.person, RawSubject(lazy, voxel), found.contrast, None)
    except UserError as error:
        return replace(found, refusal=str(error))
    kept = _kept(found.read(found.slices[len(found.slices) // 2]))
    remarks = [*found.remarks, *admitted.remarks]
    if kept < LITTLE:
        remarks.append(f"coil maps keep {kept:.0%} of the middle slice's energy: a part of it has no map")
    return replace(found, kept_by_maps=kept, remarks=tuple(remarks))


def _bright(kspace: Kspace) -> float:
    image = np.sqrt(np.square(np.abs(ifft2c(torch.from_numpy(kspace)).numpy())).sum(0))
    return float(np.percentile(image, 99.9))


def _kept(kspace: Kspace) -> float:
    """The share of the energy of the central k-space that its maps by ESPIRiT keep."""
    size = (min(MAPS_GRID, kspace.shape[1]), min(MAPS_GRID, kspace.shape[2]))
    central = torch.from_numpy(_cropped(kspace, size))
    maps = espirit_maps(central, calibration=min(CALIBRATION, *size))
    images = ifft2c(central)
    combined = (maps.conj() * images).sum(0)
    return float((maps * combined).abs().square().sum() / images.abs().square().sum())


def doubles(found: Sequence[Found]) -> list[str]:
    """Where different scans hold the same samples: one person under two names, or one scan twice."""
    whose: dict[str, Found] = {}
    said: dict[str, None] = {}
    for one in found:
        for digest in one.digests.values():
            other = whose.setdefault(digest, one)
            if other is not one:
                names = f"{_name(other)} and {_name(one)}"
                what = "are the same person under two names" if other.person != one.person else "are there twice"
                said[f"{names} hold the same samples: they {what}"] = None
    return list(said)


def _name(found: Found) -> str:
    return f"'{found.person}, {found.contrast}' ({found.scan.files[0].name})"
