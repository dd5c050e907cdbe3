"""Acquisitions out, and images made elsewhere back in, as a row of the table."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench import config, registry
from bench.acquisition import Acquisition, Output, Target
from bench.config import Settings
from bench.data import assets
from bench.data.dataset import Dataset
from bench.data.prepare import missing_assets, open_split, prepare
from bench.data.protocol import SPLITS, Split
from bench.data.readers.images import read_image
from bench.data.slices import Slices
from bench.errors import UserError, closest
from bench.run.evaluate import RunJob, about_data, score_split, stored_slices, write_reference
from bench.run.methods import GROUPS, LOSSES, available
from bench.run.plan import check_beside
from bench.run.request import check_writable
from bench.store.files import atomic_path
from bench.store.keys import key_of
from bench.store.layout import ResultsFolder, exported
from bench.store.records import Keys, RunRecord

SUFFIXES = (".h5", ".npy", ".nii.gz", ".nii")
"""Of images that come back, in the order in which they are looked for."""
UNITS = "kspace, maps and truth as methods see them: k-space divided by `scale`, orthonormal FFT, centred at N // 2"
Count = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Wanted:
    """Which data."""

    dataset: str
    source: str | None = None
    profile: str = "laptop"
    plugin_files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Row:
    """What images made elsewhere are called, and what there is to say of them."""

    name: str
    group: str = "sequential"
    loss: str = "none"
    training: str | None = None
    """In words."""


def _dataset(wanted: Wanted, split: Split) -> Dataset:
    protocol = registry.find(registry.datasets(), wanted.dataset, "dataset").made_by()
    data = Dataset.of(protocol, wanted.source, config.load(wanted.profile), 0, None)
    if not data.count(split):
        raise UserError(f"Source '{data.source}' of dataset '{wanted.dataset}' has nobody in '{split}'.")
    return data


def _prepared(data: Dataset, wanted: Wanted, split: Split, progress: Count) -> Slices:
    for asset in missing_assets(data, split):
        assets.fetch(asset, progress)
    prepare(data, [split], 1, progress, wanted.plugin_files)
    return open_split(data, split)


def _files(slices: Slices) -> dict[tuple[str, str], list[int]]:
    """Indices of the slices of each person and contrast."""
    found: dict[tuple[str, str], list[int]] = {}
    for index, (person, contrast, _) in enumerate(slices.rows):
        found.setdefault((person, contrast), []).append(index)
    return found


def export(wanted: Wanted, split: str, out: Path, with_truth: bool, progress: Count) -> list[Path]:
    """Write the acquisitions of a split, one HDF5 file a person and contrast.

    Each has `kspace` (slice, coil, y, x) complex64, zeros where not sampled; `mask` (slice, y, x) uint8; `maps_lr` (slice,
    coil, y, x) and `maps_hr` (slice, coil, Y, X) complex64; `scale` (slice,) float32, what k-space was divided by; `slice`
    (slice,), their numbers; and, if asked for, `truth` (slice, Y, X) float32. Attributes: `matrix` (Y, X), `voxel_mm` (y, x)
    or empty, `person`, `contrast`, `dataset`, `source`, `split`, `profile`, `label`, `key`, `units`.

    Raises
    ------
    UserError
        For an unknown name, a folder that cannot be written, or two people whose files would have one name.
    """
    chosen = next((name for name in SPLITS if name == split), None)
    if chosen is None:
        raise UserError(f"Unknown split '{split}'.{closest(split, SPLITS)}")
    check_writable("export", out, "--out")
    data = _dataset(wanted, chosen)
    slices = _prepared(data, wanted, chosen, progress)
    files = _files(slices)
    paths = {key: exported(out, *key) for key in files}
    if len(set(paths.values())) < len(paths):
        raise UserError(f"Two people or contrasts of '{wanted.dataset}' make one file's name: rename one of them.")
    done = 0
    for (person, contrast), indices in files.items():
        attributes = {
            "matrix": data.protocol.matrix, "person": person, "contrast": contrast, "dataset": data.name,
            "source": data.source, "split": chosen, "profile": wanted.profile, "label": data.label, "key": slices.key,
            "units": UNITS,
        }  # fmt: skip
        with atomic_path(paths[person, contrast]) as temporary:
            _write(temporary, slices, indices, attributes, with_truth)
        done += len(indices)
        progress(f"exporting {data.name}", done, len(slices))
    return list(paths.values())


def _write(path: Path, slices: Slices, indices: Sequence[int], attributes: dict[str, Any], with_truth: bool) -> None:
    with h5py.File(path, "w") as file:
        for place, index in enumerate(indices):
            acquisition, target = slices.batch([index])
            arrays: dict[str, Tensor] = {
                "kspace": acquisition.kspace[0], "mask": acquisition.mask[0].to(torch.uint8),
                "maps_lr": acquisition.maps_lr[0], "maps_hr": acquisition.maps_hr[0], "scale": target.scale[0],
                "slice": torch.tensor(slices.rows[index][2]),
            }  # fmt: skip
            if with_truth:
                arrays["truth"] = target.image_hr[0].abs()
            for name, tensor in arrays.items():
                array = tensor.numpy()
                if not place:
                    file.create_dataset(name, (len(indices), *array.shape), array.dtype)
                file[name][place] = array
            file.attrs.update({**attributes, "voxel_mm": acquisition.voxel_mm or []})


def score_images(row: Row, folder: Path, wanted: Wanted, results: Path, progress: Count) -> str:
    """Score images that were made elsewhere of exported acquisitions of the test split; they become a row.

    Parameters
    ----------
    folder
        Files of the exported names: `.h5` with `image` (slice, Y, X), or `.npy`, `.nii.gz`, `.nii` of the same stem; real, on
        the scale of the exported k-space.

    Returns
    -------
    str
        What folders call the dataset.

    Raises
    ------
    UserError
        If the name is a method's, or a file or slice is missing or not as it has to be: which.
    """
    _check_row(row)
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder of images.")
    check_writable("results", results, "--results")
    settings = config.load(wanted.profile)
    data, root = _dataset(wanted, "test"), ResultsFolder(results)
    check_beside(root, data.name, settings, {"source": data.source, "limit": None, "images_sha256": ""}, {row.name})
    slices = _prepared(data, wanted, "test", progress)
    images, digest = _images(folder, slices, data.protocol.matrix)
    with_lpips = settings.training.perceptual_weight > 0
    record = _record(row, data, settings, digest, with_lpips)
    run = root.run(data.name, settings.profile, row.name, 0)
    reference = root.reference(data.name, settings.profile)
    stored = stored_slices(slices) if reference.exists() else write_reference(reference, slices)

    def image(index: int, acquisition: Acquisition, target: Target) -> Output:
        return Output(torch.from_numpy(images[index])[None])

    job = RunJob(record, (), run, settings, slices, with_lpips, "cpu", (), frozenset(stored))
    score_split(job, image, None, (), lambda done, total, what: progress(f"scoring {row.name}", done, total))
    return data.name


def _check_row(row: Row) -> None:
    if not registry.ID.fullmatch(row.name):
        raise UserError(f"The name '{row.name}' is not made of a-z, 0-9 and single hyphens.")
    if row.name in available():
        raise UserError(f"'{row.name}' is a method of this suite: give the images another name.")
    for option, value, known in (("--group", row.group, GROUPS), ("--loss", row.loss, LOSSES)):
        if value not in known:
            raise UserError(f"{option} {value}: unknown.{closest(value, known)}")


def _images(folder: Path, slices: Slices, matrix: tuple[int, int]) -> tuple[list[NDArray[np.float32]], str]:
    """Each slice's image, in the order of the split, and the sha256 of all."""
    images: dict[int, NDArray[np.float32]] = {}
    for (person, contrast), indices in _files(slices).items():
        path = _found(exported(folder, person, contrast))
        stack = read_image(path)
        due = (len(indices), *matrix)
        if stack.ndim == 3 and stack.shape[1:] == matrix and len(stack) != len(indices):
            numbers = ", ".join(str(slices.rows[i][2]) for i in indices[len(stack) :])
            missing = f": missing are the slices {numbers}" if numbers else ""
            raise UserError(f"{path}: image has {len(stack)} slices, {len(indices)} are due{missing}.")
        if stack.shape != due:
            turned = " (turn its axes round)" if stack.shape == due[::-1] else ""
            raise UserError(f"{path}: image is {stack.shape}, due is (slice, Y, X) = {due}{turned}.")
        if np.iscomplexobj(stack) or stack.dtype.kind not in "fiu":
            raise UserError(f"{path}: image is {stack.dtype}: a real magnitude is due.")
        for index, image in zip(indices, stack, strict=True):
            if not np.isfinite(image).all():
                raise UserError(f"{path}: image of slice {slices.rows[index][2]} holds NaN or infinity.")
            images[index] = np.ascontiguousarray(image, np.float32)
    ordered = [images[index] for index in range(len(slices))]
    digest = hashlib.sha256()
    for image in ordered:
        digest.update(image.data)
    return ordered, digest.hexdigest()


def _found(path: Path) -> Path:
    stem = path.name.removesuffix(".h5")
    for suffix in SUFFIXES:
        candidate = path.with_name(f"{stem}{suffix}")
        if candidate.is_file():
            return candidate
    raise UserError(f"{path} is missing: each exported file has its image, as {', '.join(SUFFIXES)}.")


def _record(row: Row, data: Dataset, settings: Settings, digest: str, with_lpips: bool) -> RunRecord:
    how, key = row.training or "not said", data.key("test")
    said = f"{row.name}: images made elsewhere, scored here; training, as their authors say: {how}."
    content = {"method": row.name, "images": digest, "test": key, "lpips": with_lpips}
    return RunRecord(
        **about_data(data), status="interrupted", reason=None, profile=settings.profile, method=row.name, seed=0, fold=0,
        caveats=(*data.protocol.caveats, said), group=row.group, limit=None, settings=settings.to_dict(),
        keys=Keys(key_of(content), key), stages=(), provenance={}, images_sha256=digest, loss=row.loss,
    )  # fmt: skip
