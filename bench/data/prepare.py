"""From subjects to acquisitions: one door for simulated and for measured data. Prepared slices are cached under a key.

Order: k-space without noise (the truth is made from it) -> noise -> coil compression -> ESPIRiT maps -> HDF5. Measured data
enter at coil compression. A file holds the slices of one subject and contrast and opens with fastMRI's slice reader.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from joblib import Parallel, delayed
from numpy.typing import NDArray
from torch import Tensor

from bench import registry
from bench.acquisition import Acquisition, Target
from bench.config import Settings
from bench.data.assets import cache_folder, cached
from bench.data.protocol import SPLITS, Head, Protocol, RawSubject, Source, Split, View, folded
from bench.errors import UserError
from bench.mri import masks, simulate
from bench.mri.coils import compress, compression, espirit_maps
from bench.mri.fourier import crop, fft2c, ifft2c, to_low_resolution
from bench.store.files import atomic_path, locked
from bench.store.keys import declared, key_of
from bench.workers import end_with

CALIBRATION = 24  # width of the fully sampled centre that coil maps come from
VERTEX_MARGIN_MM = 12.0  # air above the head in coronal slices
HEAD_MM = 190.0  # below the vertex; what lies deeper is neck
MIDDLE_MM = 90.0  # below the vertex: the middle of the coil helmet
NOT_IN_KEY = ("sources", "train_on", "caveats", "views", "slices")


@dataclass(frozen=True)
class Part:
    """One file to be prepared: some slices of one view of one subject."""

    protocol: Protocol
    source: Source
    subject: str
    view: View
    count: int

    @cached_property
    def key(self) -> str:
        """Of declarations only: known before anything is downloaded."""
        protocol = {k: v for k, v in declared(self.protocol).items() if k not in NOT_IN_KEY}
        subject = {"id": self.subject, "digests": self.source.digests(self.subject)}
        return key_of({"protocol": protocol, "subject": subject, "view": declared(self.view), "count": self.count})

    @property
    def megabytes(self) -> float:
        """Its size, about."""
        return self.count * self.protocol.matrix[0] * self.protocol.matrix[1] * (self.protocol.coils * 16 + 14) / 1e6

    @property
    def path(self) -> Path:
        """Where it lies in the cache."""
        name = f"{self.protocol.id}-{self.subject}-{self.view.contrast}-{self.key[:16]}.h5"
        return cache_folder() / "prepared" / name


@dataclass(frozen=True)
class Prepared:
    """The data of a protocol at a profile's size, over a source and a fold: declared first, prepared when needed."""

    protocol: Protocol
    source: str
    fold: int
    counts: dict[Split, int]

    @cached_property
    def subjects(self) -> dict[Split, tuple[str, ...]]:
        """Subjects of each split; no subject is in two."""
        return folded(registry.sources()[self.source].make().subjects(), self.fold)

    def parts(self, split: Split) -> list[Part]:
        """Files of a split. Slices are shared out evenly over subjects and views, the first ones getting the rest."""
        source = registry.sources()[self.source].make()
        pairs = [(s, v) for s in self.subjects[split] for v in self.protocol.views]
        share, rest = divmod(self.counts[split], max(1, len(pairs)))
        counts = [share + (i < rest) for i in range(len(pairs))]
        return [Part(self.protocol, source, s, v, n) for (s, v), n in zip(pairs, counts, strict=True) if n]

    def key(self, *splits: Split) -> str:
        """Of the declarations of these splits."""
        return key_of({split: [part.key for part in self.parts(split)] for split in splits})

    def count(self, splits: Sequence[Split]) -> int:
        """Slices in these splits."""
        return sum(part.count for split in splits for part in self.parts(split))

    def missing_assets(self, splits: Sequence[Split]) -> list[str]:
        """Files to download before these splits can be prepared."""
        parts = [part for split in splits for part in self.parts(split) if not _is_whole(part)]
        return [a for part in parts for a in part.source.assets(part.subject) if not cached(a)]

    def prepare(self, splits: Sequence[Split], jobs: int, progress: Callable[[str, int, int], None]) -> None:
        """Make the files that are not there yet, in parallel, one thread each."""
        parts = [part for split in splits for part in self.parts(split) if not _is_whole(part)]
        if not parts:
            return
        name, done, total = f"preparing {self.protocol.id}", 0, sum(part.count for part in parts)
        progress(name, 0, total)
        mask = sampling_mask(self.protocol)
        own = not type(parts[0].source).__module__.startswith("bench.")  # a plugin's class cannot travel to a worker
        parallel = Parallel(
            n_jobs=1 if own else jobs, return_as="generator_unordered", initializer=end_with, initargs=(os.getpid(),)
        )
        work = parallel(delayed(_prepare)(part, mask) for part in parts)
        for count in work:
            done += count
            progress(name, done, total)

    def open(self, split: Split) -> "Slices":
        """The prepared slices of a split."""
        parts = self.parts(split)
        return Slices(tuple((part.path, part.count) for part in parts), self.key(split), self.protocol.phase_encode)


def declare(protocol: Protocol, source: str | None, settings: Settings, fold: int, limit: int | None) -> Prepared:
    """Scale a protocol to a profile and choose its source. Nothing is read.

    A run never prepares more training or validation slices than it has training samples to draw.

    Raises
    ------
    UserError
        If the dataset does not take the source.
    """
    chosen = source or protocol.sources[0]
    found = registry.find(registry.sources(), chosen, "source")
    if chosen not in protocol.sources and protocol.id not in getattr(found.make, "datasets", ()):
        raise UserError(
            f"Dataset '{protocol.id}' does not take source '{chosen}': use {' or '.join(protocol.sources)}."
        )
    data, drawn = settings.data, settings.training.iterations * settings.training.batch
    scaled = protocol.at(data.matrix_factor, data.coils or None, data.centre_factor)
    caps = (drawn, drawn, limit or protocol.slices[2])
    counts = {
        split: min(count, cap, most or count)
        for split, count, cap, most in zip(SPLITS, protocol.slices, caps, data.slices, strict=True)
    }
    return Prepared(scaled, chosen, fold, counts)


@cache
def sampling_mask(protocol: Protocol) -> NDArray[np.bool_]:
    """The protocol's one mask, (y, x) on the LR grid."""
    shape = protocol.matrix_lr
    if protocol.mask == "poisson-2d":
        return masks.poisson_2d(shape, protocol.acceleration, protocol.centre, protocol.mask_seed)
    return masks.gaussian_1d(shape, protocol.acceleration, protocol.centre, protocol.mask_seed)


def _is_whole(part: Part) -> bool:
    """Whether the file is there and of this key; a damaged one is made again."""
    try:
        with h5py.File(part.path) as file:
            return bool(file.attrs["key"] == part.key and file["kspace"].shape[0] == part.count)
    except (OSError, KeyError):
        return False


def _prepare(part: Part, mask: NDArray[np.bool_]) -> int:
    torch.set_num_threads(1)
    with locked(part.path.with_suffix(".lock"), part.path.name):
        if not _is_whole(part):
            subject = part.source.load(part.subject)
            with atomic_path(part.path) as temporary:
                _write(temporary, part, subject, mask)
    return part.count


def _write(path: Path, part: Part, subject: Head | RawSubject, mask: NDArray[np.bool_]) -> None:
    numbers = slice_numbers(part, subject)
    slices = [prepare_slice(part, subject, number) for number in numbers]
    stacked = {name: np.stack([s[name] for s in slices]) for name in ("kspace", "maps", "image_hr", "image_lr")}
    rss = np.sqrt((np.abs(ifft2c(torch.from_numpy(stacked["kspace"])).numpy()) ** 2).sum(1)).astype(np.float32)
    with h5py.File(path, "w") as file:
        for name, array in stacked.items():
            file.create_dataset(name, data=array, chunks=(1, *array.shape[1:]))
        file["reconstruction_rss"] = rss
        file["mask_lr"] = mask
        file["slice"] = np.asarray(numbers)
        file["ismrmrd_header"] = _header(part.protocol.matrix)
        voxel = slices[0]["voxel_mm"]
        if isinstance(subject, Head) and subject.tubes and part.view.plane == "axial":
            file["tubes"] = tubes_on_grid(part.protocol, subject, numbers, voxel)
        file.attrs.update(
            {
                "key": part.key, "patient_id": part.subject, "acquisition": part.view.contrast, "source": part.source.label,
                "max": float(rss.max()), "norm": float(np.linalg.norm(rss)), "voxel_mm": [] if voxel is None else voxel,
            }
        )  # fmt: skip


def slice_numbers(part: Part, subject: Head | RawSubject) -> list[int]:
    """Evenly spaced over the view's extent of a head; the measured ones there are, the middle ones if fewer are asked."""
    if isinstance(subject, RawSubject):
        there = sorted(number for contrast, number in subject.kspace if contrast == part.view.contrast)
        start = (len(there) - part.count) // 2
        return there[start : start + part.count]
    box = head_box(subject)
    first, last = (box["z0"], box["z1"]) if part.view.plane == "axial" else (box["y0"], box["y1"])
    low, high = part.view.extent
    shares = [low + (high - low) * (i + 0.5) / part.count for i in range(part.count)]
    return [round(first + share * (last - first)) for share in shares]


def head_box(head: Head) -> dict[str, float]:
    """Native coordinates: vertex z0, z1 (190 mm deeper or the volume's end), y0 to y1 and x0 to x1 of the cranium."""
    z_mm = head.voxel_mm[0]
    inside = head.volume > 0.15
    z0 = int(np.argmax(inside.sum((1, 2)) > 400 / (head.voxel_mm[1] * head.voxel_mm[2])))
    cranium = inside[z0 + round(20 / z_mm) : z0 + round(110 / z_mm)]
    (y0, y1), (x0, x1) = (np.flatnonzero(cranium.mean(axis) > 0.02)[[0, -1]] for axis in ((0, 2), (0, 1)))
    z1 = min(z0 + HEAD_MM / z_mm, head.volume.shape[0] - 1)
    return {"z0": z0, "z1": z1, "y0": float(y0), "y1": float(y1), "x0": float(x0), "x1": float(x1)}


def _middle(head: Head, box: dict[str, float]) -> tuple[float, float, float]:
    """Native (z, y, x) of the middle of the coil helmet."""
    return (box["z0"] + MIDDLE_MM / head.voxel_mm[0], (box["y0"] + box["y1"]) / 2, (box["x0"] + box["x1"]) / 2)


def tubes_on_grid(
    protocol: Protocol, head: Head, numbers: Sequence[int], voxel_mm: tuple[float, float]
) -> NDArray[np.float64]:
    """The head's vessels in axial slices of true voxel `voxel_mm`.

    Returns
    -------
    array
        (slice, tube, 4): HR pixel y and x of the centre, radius of the lumen and thickness of the wall in mm. Nan where
        a tube is not told of, or lies so near the edge of the field of view that the head fades out there.
    """
    assert protocol.voxel_mm is not None
    native = np.stack([tube.centre[list(numbers)] for tube in head.tubes], 1)
    middle = _middle(head, head_box(head))[1:]
    centre = simulate.regridded(native, head.voxel_mm[1:], middle, protocol.matrix, protocol.voxel_mm)
    sizes = np.asarray([(tube.lumen_mm, tube.wall_mm) for tube in head.tubes])
    reach = (sizes.sum(1, keepdims=True) + simulate.TAPER_MM) / voxel_mm
    whole = ((centre > reach) & (centre < np.asarray(protocol.matrix) - reach)).all(-1, keepdims=True)
    told = np.concatenate((centre, np.broadcast_to(sizes, centre.shape)), -1)
    return np.where(whole, told, np.nan)


def prepare_slice(part: Part, subject: Head | RawSubject, number: int) -> dict[str, Any]:
    """K-space, maps and truths of one slice."""
    protocol, voxel = part.protocol, None
    if isinstance(subject, Head):
        clean, noisy, voxel = _simulated(part, subject, number)
    else:
        clean = noisy = crop(torch.from_numpy(subject.kspace[part.view.contrast, number]), protocol.matrix)
        voxel = subject.voxel_mm
    if clean.shape[0] > protocol.coils:
        readout = None if all(protocol.phase_encode) else protocol.phase_encode.index(False)
        matrices = compression(noisy, protocol.coils, readout, CALIBRATION)
        clean, noisy = compress(clean, matrices, readout), compress(noisy, matrices, readout)
    maps = espirit_maps(noisy, calibration=CALIBRATION)
    image_lr = (maps[:, ::2, ::2].conj() * ifft2c(to_low_resolution(clean, protocol.matrix_lr))).sum(0)
    return {
        "kspace": noisy.numpy(),
        "maps": maps.numpy(),
        "image_hr": (maps.conj() * ifft2c(clean)).sum(0).numpy(),
        "image_lr": image_lr.numpy(),
        "voxel_mm": voxel,
    }


def _simulated(part: Part, head: Head, number: int) -> tuple[Tensor, Tensor, tuple[float, float]]:
    """Noise-free and noisy k-space (coil, Y, X) of a head's slice, and its voxel."""
    protocol, box = part.protocol, head_box(head)
    assert protocol.voxel_mm is not None
    z_mm, y_mm, x_mm = head.voxel_mm
    middle = _middle(head, box)
    if part.view.plane == "axial":
        native, native_mm, centre = head.volume[number], (y_mm, x_mm), (middle[1], middle[2])
        origin = (0.0, 0.0, (middle[0] - number) * z_mm)
        axes = ((0.0, -1.0, 0.0), (1.0, 0.0, 0.0))
    else:
        row = box["z0"] + (protocol.matrix[0] * max(protocol.voxel_mm[0], z_mm) / 2 - VERTEX_MARGIN_MM) / z_mm
        native, native_mm, centre = head.volume[:, number], (z_mm, x_mm), (row, middle[2])
        origin = (0.0, (middle[1] - number) * y_mm, (middle[0] - row) * z_mm)
        axes = ((0.0, 0.0, -1.0), (1.0, 0.0, 0.0))
    image = simulate.remap(np.ascontiguousarray(native), part.view.remap)
    magnitude, voxel = simulate.regrid(image, native_mm, centre, protocol.matrix, protocol.voxel_mm)
    seed = (protocol.id, part.subject)
    phase = simulate.smooth_phase(protocol.matrix, simulate.generator(*seed, part.view.contrast, number, "phase"))
    coils = simulate.generator(*seed, "coils")
    places = simulate.helmet(protocol.physical_coils, coils)
    mixing = simulate.noise_mixing(protocol.physical_coils, coils)
    maps = simulate.coil_maps(*places, origin, axes, protocol.matrix, voxel)
    clean = fft2c(torch.from_numpy(maps * (magnitude * np.exp(1j * phase))[None]).to(torch.complex64))
    random = simulate.generator(*seed, part.view.contrast, number, "noise")
    noise = simulate.noise((protocol.physical_coils, *protocol.matrix), protocol.noise, mixing, random)
    return clean, clean + torch.from_numpy(noise), voxel


def _header(matrix: tuple[int, int]) -> str:
    """The part of an ISMRMRD header that fastMRI's reader asks for."""
    y, x = matrix
    size = f"<matrixSize><x>{y}</x><y>{x}</y><z>1</z></matrixSize>"
    return (
        '<?xml version="1.0"?><ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD"><encoding>'
        f"<encodedSpace>{size}</encodedSpace><reconSpace>{size}</reconSpace><encodingLimits><kspace_encoding_step_1>"
        f"<minimum>0</minimum><maximum>{x - 1}</maximum><center>{x // 2}</center>"
        "</kspace_encoding_step_1></encodingLimits></encoding></ismrmrdHeader>"
    )


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
            file = _open(path)
            rows += [(file.attrs["patient_id"], file.attrs["acquisition"], int(n)) for n in file["slice"][()]]
        return rows

    @cached_property
    def _places(self) -> list[tuple[Path, int]]:
        return [(path, i) for path, count in self.files for i in range(count)]

    def tubes(self, index: int) -> NDArray[np.float64]:
        """Vessels whose truth is known, (tube, 4): HR pixel y, x of the centre, lumen radius, wall in mm.

        None in a slice of a head that tells of none, and in files prepared before heads told.
        """
        path, place = self._places[index]
        file = _open(path)
        known = file["tubes"][place] if "tubes" in file else np.empty((0, 4))
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
        voxel = _open(self._places[indices[0]][0]).attrs["voxel_mm"]
        voxel_mm = (float(voxel[0]), float(voxel[1])) if len(voxel) else None
        acquisition = Acquisition(
            kspace / scale[:, None, None, None], mask, maps_lr, maps, images[0], self.phase_encode, voxel_mm
        )
        target = Target(images[1], images[2], images[1].abs().amax((-2, -1)), scale)
        return acquisition.to(device), target.to(device)


@cache
def _open(path: Path) -> h5py.File:
    try:
        return h5py.File(path)
    except OSError as error:
        raise UserError(
            f"The prepared file {path} cannot be read ({error}): run again, it will be made anew."
        ) from error


def _read(path: Path, index: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """LR k-space before the mask, HR maps, truths, mask."""
    file = _open(path)
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
