"""From subjects to prepared files: one door for simulated and for measured data. Files are cached under a key.

Order: k-space without noise (the truth is made from it) -> noise -> coil compression -> ESPIRiT maps -> HDF5. Measured data
enter at coil compression. A file holds the slices of one subject and contrast and opens with fastMRI's slice reader.
"""

from collections.abc import Callable, Sequence
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench import registry
from bench.data import assets
from bench.data.dataset import Dataset, Series, make_source
from bench.data.protocol import Head, Protocol, RawSubject, Split
from bench.data.slices import Slices
from bench.errors import UserError
from bench.mri import masks, simulate
from bench.mri.coils import compress, compression, espirit_maps
from bench.mri.fourier import crop, fft2c, ifft2c, to_low_resolution
from bench.store.files import atomic_path, locked
from bench.workers import Outcome, Progress, Task, attempt, carry_out

CALIBRATION = 24  # width of the fully sampled centre that coil maps come from
VERTEX_MARGIN_MM = 12.0  # air above the head in coronal slices
HEAD_MM = 190.0  # below the vertex; what lies deeper is neck
MIDDLE_MM = 90.0  # below the vertex: the middle of the coil helmet


@cache
def sampling_mask(protocol: Protocol) -> NDArray[np.bool_]:
    """The protocol's one mask, (y, x) on the LR grid."""
    shape = protocol.matrix_lr
    if protocol.mask == "poisson-2d":
        return masks.poisson_2d(shape, protocol.acceleration, protocol.centre, protocol.mask_seed)
    return masks.gaussian_1d(shape, protocol.acceleration, protocol.centre, protocol.mask_seed)


def missing_assets(dataset: Dataset, *splits: Split) -> list[str]:
    """Files to download before these splits can be prepared."""
    missing = [series for series in dataset.series(*splits) if not is_prepared(series)]
    return [a for series in missing for a in series.source.assets(series.subject) if not assets.cached(a)]


def prepare(
    dataset: Dataset,
    splits: Sequence[Split],
    jobs: int,
    progress: Callable[[str, int, int], None],
    plugin_files: tuple[Path, ...] = (),
) -> None:
    """Make the files that are not there yet and those that are damaged; several at a time, one thread each.

    Raises
    ------
    UserError
        If a subject cannot be prepared: who, and why.
    """
    todo = {str(i): s for i, s in enumerate(dataset.series(*splits)) if not is_prepared(s, thoroughly=True)}
    if not todo:
        return
    name, done, total = f"preparing {dataset.protocol.id}", 0, sum(series.count for series in todo.values())
    progress(name, 0, total)
    mask = sampling_mask(dataset.protocol)

    def finished(id: str, count: int, _: int, __: str) -> None:
        nonlocal done
        done += count
        progress(name, done, total)

    here = jobs == 1 or registry.sources()[dataset.source].module in registry.MAIN  # which no other process can import
    if here:
        for id, series in todo.items():
            outcome = attempt(partial(prepare_series, series, mask, plugin_files, partial(finished, id)))
            _check(series, outcome)
        _load.cache_clear()
        return
    tasks = [Task(id, prepare_series, (series, mask, plugin_files)) for id, series in todo.items()]
    outcomes = carry_out(tasks, jobs, 1, finished)
    for id, series in todo.items():
        _check(series, outcomes[id])


def _check(series: Series, outcome: Outcome) -> None:
    if outcome.status != "done":
        who = f"{series.source_id}, subject '{series.subject}', contrast '{series.view.contrast}'"
        raise UserError(f"{who} cannot be prepared: {outcome.reason}")


def open_split(dataset: Dataset, split: Split) -> Slices:
    """The prepared slices of a split."""
    files = tuple((series.path, series.count) for series in dataset.series(split))
    return Slices(files, dataset.key(split), dataset.protocol.phase_encode)


def is_prepared(series: Series, thoroughly: bool = False) -> bool:
    """Whether the file is there, of this key and of this text of its source; `thoroughly`: and undamaged.

    HDF5 holds a checksum of each chunk and looks at it when the chunk is read.
    """
    try:
        with h5py.File(series.path) as file:
            same = file.attrs["key"] == series.key and file.attrs["source_sha256"] == _source_sha256(series)
            whole = file["kspace"].shape[0] == series.count
            if thoroughly:
                for name in file:
                    file[name][()]
            return bool(same and whole)
    except (OSError, KeyError, RuntimeError):
        return False


def _source_sha256(series: Series) -> str:
    """Of the text of a source that is not part of this package."""
    plugin = registry.sources()[series.source_id]
    return "" if plugin.built_in else plugin.sha256


def prepare_series(series: Series, mask: NDArray[np.bool_], plugin_files: tuple[Path, ...], progress: Progress) -> None:
    """Make one file, unless another process was faster."""
    registry.discover(plugin_files)
    with locked(series.path.with_suffix(".lock"), series.path.name):
        if not is_prepared(series, thoroughly=True):
            subject = _load(series.source_id, series.subject, _source_sha256(series))
            with atomic_path(series.path) as temporary:
                _write(temporary, series, subject, mask)
    progress(series.count, series.count, "")


@lru_cache(maxsize=1)
def _load(source_id: str, subject: str, source_sha256: str) -> Head | RawSubject:
    """A subject has a series a view, one after the other: kept until the next one is asked for."""
    return make_source(source_id).load(subject)


def _write(path: Path, series: Series, subject: Head | RawSubject, mask: NDArray[np.bool_]) -> None:
    numbers = slice_numbers(series, subject)
    slices = [prepare_slice(series, subject, number) for number in numbers]
    arrays = {name: np.stack([s[name] for s in slices]) for name in ("kspace", "maps", "image_hr", "image_lr")}
    images = ifft2c(torch.from_numpy(arrays["kspace"])).numpy()
    rss = arrays["reconstruction_rss"] = np.sqrt((np.abs(images) ** 2).sum(1)).astype(np.float32)
    voxel = slices[0]["voxel_mm"]
    if isinstance(subject, Head) and subject.vessels and series.view.plane == "axial":
        arrays["vessels"] = vessels_on_grid(series.protocol, subject, numbers, voxel)
    arrays["slice"] = np.asarray(numbers)
    with h5py.File(path, "w", libver="latest") as file:  # whose metadata have checksums
        for name, array in arrays.items():
            file.create_dataset(name, data=array, chunks=(1, *array.shape[1:]), fletcher32=True)
        file.create_dataset("mask_lr", data=mask, chunks=mask.shape, fletcher32=True)
        file["ismrmrd_header"] = _header(series.protocol.matrix)
        file.attrs.update(
            {
                "key": series.key, "source_sha256": _source_sha256(series), "patient_id": series.subject,
                "acquisition": series.view.contrast, "source": series.source.label, "max": float(rss.max()),
                "norm": float(np.linalg.norm(rss)), "voxel_mm": [] if voxel is None else voxel,
            }
        )  # fmt: skip


def slice_numbers(series: Series, subject: Head | RawSubject) -> list[int]:
    """Evenly spaced over the view's extent of a head; the measured ones there are, the middle ones if fewer are asked."""
    if isinstance(subject, RawSubject):
        there = sorted(number for contrast, number in subject.kspace if contrast == series.view.contrast)
        start = (len(there) - series.count) // 2
        return there[start : start + series.count]
    box = head_box(subject)
    first, last = (box["z0"], box["z1"]) if series.view.plane == "axial" else (box["y0"], box["y1"])
    low, high = series.view.extent
    shares = [low + (high - low) * (i + 0.5) / series.count for i in range(series.count)]
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


def vessels_on_grid(
    protocol: Protocol, head: Head, numbers: Sequence[int], voxel_mm: tuple[float, float]
) -> NDArray[np.float64]:
    """The head's vessels in axial slices of true voxel `voxel_mm`.

    Returns
    -------
    array
        (slice, vessel, 4): HR pixel y and x of the centre, radius of the lumen and thickness of the wall in mm. Nan where
        a vessel is not known, or lies so near the edge of the field of view that the head fades out there.
    """
    assert protocol.voxel_mm is not None
    native = np.stack([vessel.centre[list(numbers)] for vessel in head.vessels], 1)
    middle = _middle(head, head_box(head))[1:]
    centre = simulate.regridded(native, head.voxel_mm[1:], middle, protocol.matrix, protocol.voxel_mm)
    sizes = np.asarray([(vessel.lumen_mm, vessel.wall_mm) for vessel in head.vessels])
    reach = (sizes.sum(1, keepdims=True) + simulate.TAPER_MM) / voxel_mm
    whole = ((centre > reach) & (centre < np.asarray(protocol.matrix) - reach)).all(-1, keepdims=True)
    told = np.concatenate((centre, np.broadcast_to(sizes, centre.shape)), -1)
    return np.where(whole, told, np.nan)


def prepare_slice(series: Series, subject: Head | RawSubject, number: int) -> dict[str, Any]:
    """K-space, maps and truths of one slice."""
    protocol, voxel = series.protocol, None
    if isinstance(subject, Head):
        clean, noisy, voxel = _simulated(series, subject, number)
    else:
        clean = noisy = crop(torch.from_numpy(subject.kspace[series.view.contrast, number]), protocol.matrix)
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


def _simulated(series: Series, head: Head, number: int) -> tuple[Tensor, Tensor, tuple[float, float]]:
    """Noise-free and noisy k-space (coil, Y, X) of a head's slice, and its voxel."""
    protocol, box = series.protocol, head_box(head)
    assert protocol.voxel_mm is not None
    z_mm, y_mm, x_mm = head.voxel_mm
    middle = _middle(head, box)
    if series.view.plane == "axial":
        native, native_mm, centre = head.volume[number], (y_mm, x_mm), (middle[1], middle[2])
        origin = (0.0, 0.0, (middle[0] - number) * z_mm)
        axes = ((0.0, -1.0, 0.0), (1.0, 0.0, 0.0))
    else:
        row = box["z0"] + (protocol.matrix[0] * max(protocol.voxel_mm[0], z_mm) / 2 - VERTEX_MARGIN_MM) / z_mm
        native, native_mm, centre = head.volume[:, number], (z_mm, x_mm), (row, middle[2])
        origin = (0.0, (middle[1] - number) * y_mm, (middle[0] - row) * z_mm)
        axes = ((0.0, 0.0, -1.0), (1.0, 0.0, 0.0))
    image = simulate.remap(np.ascontiguousarray(native), series.view.remap)
    magnitude, voxel = simulate.regrid(image, native_mm, centre, protocol.matrix, protocol.voxel_mm)
    seed = (protocol.id, series.subject)
    phase = simulate.smooth_phase(protocol.matrix, simulate.generator(*seed, series.view.contrast, number, "phase"))
    coils = simulate.generator(*seed, "coils")
    places = simulate.helmet(protocol.physical_coils, coils)
    mixing = simulate.noise_mixing(protocol.physical_coils, coils)
    maps = simulate.coil_maps(*places, origin, axes, protocol.matrix, voxel)
    clean = fft2c(torch.from_numpy(maps * (magnitude * np.exp(1j * phase))[None]).to(torch.complex64))
    random = simulate.generator(*seed, series.view.contrast, number, "noise")
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
