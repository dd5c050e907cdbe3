"""From subjects to prepared files: one door for simulated and for measured data. Files are cached under a key.

Order: k-space of all coils without noise (the truth is made from it) -> noise -> coil compression -> ESPIRiT maps -> HDF5.
Measured data enter at coil compression. The mask is laid on when a slice is read. A file holds the slices of one subject
and contrast and opens with fastMRI's slice reader.
"""

import io
import json
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from torch import Tensor

from bench import registry
from bench.acquisition import CALIBRATION
from bench.data import assets
from bench.data.admission import Admitted, admit, admit_contrast
from bench.data.dataset import Dataset, Series, asking, make_source
from bench.data.geometry import Frame
from bench.data.protocol import SPLITS, Protocol, RawSubject, Split
from bench.data.sampling import sampling_mask
from bench.data.slices import Place, Slices, open_prepared
from bench.errors import UserError
from bench.metrics.image import foreground
from bench.mri import simulate
from bench.mri.coils import compress, compress_images, compression, espirit_maps
from bench.mri.fourier import crop, fft2c, ifft2c, to_low_resolution
from bench.store.files import atomic_path, locked
from bench.workers import ENDED, Outcome, Progress, Task, attempt, carry_out

MOST_WEIGHT = 2.0  # of virtual coils; in heads it reaches 1.04 for 8 of 18 coils and 1.42 for 4, in the air more


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
) -> list[str]:
    """Make the files that are not there yet and those that are damaged; several at a time, one thread each.

    Returns
    -------
    list of str
        What was mended in these splits, there is less of than was asked for, or more than one holds.

    Raises
    ------
    UserError
        If a subject cannot be prepared: who, and why.
    """
    todo = {str(i): s for i, s in enumerate(dataset.series(*splits)) if not is_prepared(s, thoroughly=True)}
    if todo:
        _make(dataset, todo, jobs, progress, plugin_files)
    return _remarks(dataset, splits)


def _make(
    dataset: Dataset,
    todo: dict[str, Series],
    jobs: int,
    progress: Callable[[str, int, int], None],
    plugin_files: tuple[Path, ...],
) -> None:
    name, done, total = f"preparing {dataset.name}", 0, sum(series.count for series in todo.values())
    progress(name, 0, total)

    def finished(id: str, count: int, _: int, __: str) -> None:
        nonlocal done
        done += count
        progress(name, done, total)

    here = jobs == 1 or registry.sources()[dataset.source].module in registry.MAIN  # which no other process can import
    if here:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # as workers do: rounding depends on it
        try:
            for id, series in todo.items():
                _check(series, attempt(partial(prepare_series, series, plugin_files, partial(finished, id))))
        finally:
            torch.set_num_threads(threads)
            _load.cache_clear()
        return
    tasks = [Task(id, prepare_series, (series, plugin_files)) for id, series in todo.items()]
    outcomes = carry_out(tasks, jobs, 1, finished)
    for id, series in todo.items():
        _check(series, outcomes[id])


def _check(series: Series, outcome: Outcome) -> None:
    if outcome.status == "done":
        return
    told = outcome.status == "failed" and not str(outcome.reason).startswith(ENDED)  # by whom it came from
    reason = outcome.reason if outcome.status == "failed" else f"{outcome.status}: {outcome.reason}"
    raise UserError(str(reason) if told else f"Source '{series.source_id}': {_what(series)}: {reason}")


def _what(series: Series) -> str:
    return f"subject '{series.subject}', contrast '{series.view.contrast}' cannot be prepared"


def _remarks(dataset: Dataset, wanted: Sequence[Split]) -> list[str]:
    """What was said when the files of these splits were made, and who holds the data of somebody else of any split."""
    said: dict[str, None] = {}
    whose: dict[str, tuple[str, Split]] = {}
    for split in SPLITS:
        for series in dataset.series(split):
            about = _about(series, split in wanted)
            if about is None:
                continue
            if split in wanted:
                said |= dict.fromkeys(about.get("remarks", ()))
            other, elsewhere = whose.setdefault(about.get("content", series.path.name), (series.subject, split))
            if other != series.subject:
                where = f"'{other}' ({elsewhere}) and '{series.subject}' ({split})"
                learnt = ": what is tested was trained on" * ({elsewhere, split} == {"train", "test"})
                said[f"{where} hold the same data, and count as two people{learnt}."] = None
    return list(said)


def _about(series: Series, wanted: bool) -> dict[str, Any] | None:
    """What a file says of itself; None where there is none, or it is not wanted and cannot be read or asked for."""
    try:
        if not series.path.exists():
            return None
        with h5py.File(series.path) as file:
            about: dict[str, Any] = json.loads(file.attrs.get("about", "{}"))
        return about
    except (OSError, KeyError, ValueError, UserError):
        if wanted:
            raise
        return None


def open_split(dataset: Dataset, split: Split) -> Slices:
    """The prepared slices of a split; of measured data there may be fewer than were asked for."""
    views = dataset.protocol.views
    there = {series.path: len(open_prepared(series.path)["slice"]) for series in dataset.series(split)}
    places = tuple(
        Place(series.path, index, view.contrast, views.index(view))
        for series, index, view in dataset.slices(split)
        if index < there[series.path]
    )
    made = tuple(sampling_mask(dataset.protocol.of(view)) for view in views)
    return Slices(places, made, dataset.key(split), dataset.protocol.phase_encode)


def is_prepared(series: Series, thoroughly: bool = False) -> bool:
    """Whether the file is there, of this key and of this text of its source; `thoroughly`: and undamaged.

    HDF5 holds a checksum of each chunk and looks at it when the chunk is read.
    """
    try:
        with h5py.File(series.path) as file:
            same = file.attrs["key"] == series.key and file.attrs["source_sha256"] == _source_sha256(series)
            same &= not file.attrs["source_sha256"] or "about" in file.attrs  # made before there was a door for data
            known = "foreground" not in file and len(file.attrs["voxel_mm"])  # of measured data
            same &= not known or "given_mm" in file.attrs  # made when a crop did not change the voxel
            if thoroughly:
                for name in file:
                    file[name][()]
            return bool(same)
    except (OSError, KeyError, RuntimeError):
        return False


def _source_sha256(series: Series) -> str:
    """Of the text of a source that is not part of this package."""
    plugin = registry.sources()[series.source_id]
    return "" if plugin.built_in else plugin.sha256


def prepare_series(series: Series, plugin_files: tuple[Path, ...], progress: Progress) -> None:
    """Make one file, unless another process was faster."""
    registry.discover(plugin_files)
    with locked(series.path.with_suffix(".lock"), series.path.name):
        if not is_prepared(series, thoroughly=True):
            with asking(series.source_id, _what(series)):
                admitted = _admitted(series)
                with atomic_path(series.path) as temporary:
                    _write(temporary, series, admitted)
    progress(series.count, series.count, "")


@lru_cache(maxsize=1)
def _load(source_id: str, subject: str, source_sha256: str) -> Admitted:
    """A subject has a series a view, one after the other: kept until the next one is asked for."""
    return admit(subject, make_source(source_id).load(subject))


def _admitted(series: Series) -> Admitted:
    admitted = _load(series.source_id, series.subject, _source_sha256(series))
    if isinstance(admitted.subject, Frame):
        return admitted
    return admit_contrast(series.subject, admitted.subject, series.view.contrast, series.protocol.matrix)


def slice_numbers(series: Series, subject: Frame | RawSubject) -> list[int]:
    """Evenly spaced over the view's extent of a head, each once; of the measured ones that there are, the middle ones."""
    if isinstance(subject, Frame):
        within = series.source.within(series.subject, series.view.plane)
        numbers = dict.fromkeys(subject.slices(series.view, series.count, within))
        return [number for number in numbers if subject.shows(series.view, number)]
    there = sorted(number for contrast, number in subject.kspace if contrast == series.view.contrast)
    start = max(0, len(there) - series.count) // 2
    return there[start : start + series.count]


def _write(path: Path, series: Series, admitted: Admitted) -> None:
    subject, remarks = admitted.subject, admitted.remarks
    numbers = slice_numbers(series, subject)
    who = f"'{series.subject}, {series.view.contrast}'"
    if not numbers:
        raise UserError(f"{who} has no slice that shows anything.")
    if len(numbers) < series.count:
        remarks += (f"{who}: {len(numbers)} slice{'s' * (len(numbers) > 1)}, not {series.count}: there are no more.",)
    slices = [prepare_slice(series, subject, number) for number in numbers]
    arrays = {name: np.stack([s[name] for s in slices]) for name in slices[0] if name != "voxel_mm"}
    images = ifft2c(torch.from_numpy(arrays["kspace"])).numpy()
    rss = arrays["reconstruction_rss"] = np.sqrt((np.abs(images) ** 2).sum(1)).astype(np.float32)
    voxel = slices[0]["voxel_mm"]
    remarks += tuple(f"{who}: {difference}." for difference in _differences(series, arrays["kspace"].shape[1], voxel))
    if isinstance(subject, Frame) and subject.head.vessels and series.view.plane == "axial":
        arrays["vessels"] = subject.vessels(series.protocol, numbers, voxel)
    arrays["slice"] = np.asarray(numbers)
    whole = io.BytesIO()  # HDF5 itself says a page of things where a disk is full
    with h5py.File(whole, "w", libver="latest") as file:  # whose metadata have checksums
        for name, array in arrays.items():
            file.create_dataset(name, data=array, chunks=(1, *array.shape[1:]), fletcher32=True)
        file["ismrmrd_header"] = _header(series.protocol.matrix)
        file.attrs.update(
            {
                "about": json.dumps({"remarks": remarks, "content": admitted.content}), "key": series.key,
                "source_sha256": _source_sha256(series), "patient_id": series.subject,
                "acquisition": series.view.contrast, "source": series.source.label, "max": float(rss.max()),
                "norm": float(np.linalg.norm(rss)), "voxel_mm": [] if voxel is None else voxel,
            }
        )  # fmt: skip
        if isinstance(subject, RawSubject) and subject.voxel_mm:
            file.attrs["given_mm"] = subject.voxel_mm
    path.write_bytes(whole.getbuffer())


def _differences(series: Series, coils: int, voxel: tuple[float, float] | None) -> list[str]:
    """In what the slices are less than the protocol asks for."""
    protocol, said = series.protocol, []
    if coils < protocol.coils:
        said.append(f"{coils} coils, not {protocol.coils}")
    if voxel and protocol.voxel_mm and any(own > 1.05 * due for own, due in zip(voxel, protocol.voxel_mm, strict=True)):
        own, due = (" x ".join(f"{mm:.2f}" for mm in pair) for pair in (voxel, protocol.voxel_mm))
        said.append(f"voxels of {own} mm, not {due} mm: its own are coarser, and nothing is interpolated")
    return said


def prepare_slice(series: Series, subject: Frame | RawSubject, number: int) -> dict[str, Any]:
    """K-space, maps and truths of one slice; of a head its foreground too."""
    if isinstance(subject, Frame):
        return _simulated(series, subject, number)
    protocol = series.protocol
    given = torch.from_numpy(subject.kspace[series.view.contrast, number])
    kspace = crop(given, protocol.matrix)
    if kspace.shape[0] > protocol.coils:
        kspace = compress(
            kspace, compression(kspace, protocol.coils, _readout(protocol), CALIBRATION), _readout(protocol)
        )
    maps = espirit_maps(kspace, calibration=CALIBRATION)
    return {
        "kspace": kspace.numpy(),
        "maps": maps.numpy(),
        "image_hr": (maps.conj() * ifft2c(kspace)).sum(0).numpy(),
        "image_lr": _combined_lr(maps, kspace, protocol).numpy(),
        "voxel_mm": subject.voxel_mm and _grown(subject.voxel_mm, given.shape[1:], protocol.matrix),
    }


def _grown(voxel_mm: tuple[float, float], full: tuple[int, ...], matrix: tuple[int, int]) -> tuple[float, float]:
    """The voxel after a crop of k-space, which keeps the field of view."""
    y, x = (float(mm) * (n / kept) for mm, n, kept in zip(voxel_mm, full, matrix, strict=True))
    return y, x


def _simulated(series: Series, frame: Frame, number: int) -> dict[str, Any]:
    """The same of a head. Nothing random depends on the dataset, so that two of them show one acquisition of a person.

    The truth is that of all physical coils without noise, whatever they are compressed to; virtual coils are weighted so that
    together they are as sensitive as the physical ones everywhere, else fewer of them would shade the image otherwise. Noise
    is not weighted. Coil maps come from the noisy data, in the phase of the truth.
    """
    protocol, view = series.protocol, series.view
    plane, seed = frame.plane(view, number, protocol), (series.subject, view.plane, view.remap, number)
    phase = simulate.smooth_phase(protocol.matrix, simulate.generator(*seed, "phase"))
    random = simulate.generator(series.subject, "coils")
    places = simulate.helmet(protocol.physical_coils, random)
    mixing = simulate.noise_mixing(protocol.physical_coils, random)
    coils = torch.from_numpy(simulate.coil_maps(*places, plane.origin_mm, plane.axes, protocol.matrix, plane.voxel_mm))
    shape = (protocol.physical_coils, *protocol.matrix)
    noise = torch.from_numpy(simulate.noise(shape, protocol.noise, mixing, simulate.generator(*seed, "noise")))
    body = torch.from_numpy(plane.magnitude * np.exp(1j * phase)).to(torch.complex64)
    together = coils.abs().square().sum(0).sqrt()
    truth, physical = together * body, fft2c(coils * body)
    virtual, heard = coils, noise
    if protocol.physical_coils > protocol.coils:
        matrices = compression(physical + noise, protocol.coils, _readout(protocol), CALIBRATION)
        virtual = compress_images(coils, matrices, _readout(protocol))
        weight = together / virtual.abs().square().sum(0).sqrt()
        virtual, heard = weight.clamp(max=MOST_WEIGHT) * virtual, compress(noise, matrices, _readout(protocol))
    kspace = fft2c(virtual * body) + heard
    maps = espirit_maps(kspace, calibration=CALIBRATION)
    maps = maps * torch.exp(1j * (maps.conj() * virtual).sum(0).angle())
    return {
        "kspace": kspace.numpy(),
        "maps": maps.numpy(),
        "image_hr": truth.numpy(),
        "image_lr": _combined_lr(coils / together, physical, protocol).numpy(),
        "foreground": foreground(np.abs(plane.anatomy), plane.voxel_mm),
        "voxel_mm": plane.voxel_mm,
    }


def _combined_lr(maps: Tensor, kspace: Tensor, protocol: Protocol) -> Tensor:
    """The LR truth (y, x) of fully sampled HR k-space (coil, Y, X)."""
    return (maps[:, ::2, ::2].conj() * ifft2c(to_low_resolution(kspace, protocol.matrix_lr))).sum(0)


def _readout(protocol: Protocol) -> int | None:
    """The axis that is read out; None: both are phase-encoded."""
    return None if all(protocol.phase_encode) else protocol.phase_encode.index(False)


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
