"""A method over a split: images and scores."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench import registry
from bench.acquisition import Acquisition, Output, Target
from bench.composition import Composition, count
from bench.config import Settings
from bench.data import assets
from bench.data.dataset import Dataset
from bench.data.slices import Slices
from bench.errors import UserError
from bench.metrics import error, vessels
from bench.metrics.image import score
from bench.metrics.lpips import Lpips
from bench.metrics.scores import DETAILS, identities
from bench.store import layout
from bench.store.arrays import KeptArrays
from bench.store.files import locked
from bench.store.images import SliceName, write_images
from bench.store.keys import sha256_of
from bench.store.layout import RunFolder, StageFolder
from bench.store.provenance import provenance
from bench.store.records import RunRecord, StageRecord, StageUse
from bench.store.tables import write_rows, write_table
from bench.train.reconstructions import Upstream, reconstructed
from bench.train.stage import load_half
from bench.workers import Progress, compute_alike

LEAST_VALUE = -0.2  # of the truth's peak, but for single pixels:
LEAST_SHARE = 0.01  # of an image's energy that lies below 0
MakeImage = Callable[[int, Acquisition, Target], Output]
Feed = Callable[[Acquisition, Target], Output]
STORED_PERCENTILES = (10, 50, 90)  # of the zero-filled NMSE within a contrast: a rule on data alone


@dataclass(frozen=True)
class RunJob:
    """All that a worker process needs to evaluate one method."""

    record: RunRecord
    """What is known before."""
    halves: tuple[tuple[str, StageFolder | None], ...]
    """Plugin id, and the folder of its stage if it has one."""
    folder: RunFolder
    settings: Settings
    test: Slices
    with_lpips: bool
    device: str
    plugin_files: tuple[Path, ...]
    stored: frozenset[int] = frozenset()
    """Slices whose images are kept."""
    upstream: Upstream | None = None
    """Of a sequence: its reconstructor, whose images are shared."""

    @property
    def identity(self) -> dict[str, Any]:
        """The columns that are the same in every row."""
        names = ("dataset", "source", "profile", "method", "seed", "fold")
        return {name: getattr(self.record, name) for name in names}


def about_data(data: Dataset) -> dict[str, Any]:
    """The fields of a `RunRecord` that say which data it is of."""
    protocol = data.protocol
    return {
        "dataset": data.name, "source": data.source, "source_label": data.label,
        "subjects": {str(split): subjects for split, subjects in data.subjects.items()},
        "contrasts": tuple(view.contrast for view in protocol.views), "matrix": protocol.matrix,
        "voxel_mm": protocol.voxel_mm,
    }  # fmt: skip


def load_composition(job: RunJob) -> Composition:
    """The method with what its stages learned."""
    registry.discover(job.plugin_files)
    return Composition(
        tuple(load_half(registry.method(id), job.settings, folder, job.device) for id, folder in job.halves)
    )


def evaluate(job: RunJob, progress: Progress) -> None:
    """Score every slice of the split with a method of this package, or a plugin's."""
    compute_alike(job.device)
    composition = load_composition(job)
    given: dict[int, Tensor] = {}
    if job.upstream:
        progress(0, len(job.test), f"reconstructing with {job.upstream.id}")
        every = range(len(job.test))
        given = reconstructed(job.upstream, composition.halves[0], job.test, every, job.device)

    def image(index: int, acquisition: Acquisition, target: Target) -> Output:
        return composition.infer(acquisition, target, given[index][None].to(job.device) if given else None)

    def fed(acquisition: Acquisition, target: Target) -> Output:
        return composition.infer(acquisition, target, target.image_lr)

    score_split(job, image, fed if composition.has_super_resolver else None, _stages_used(job, composition), progress)


def score_split(
    job: RunJob, image: MakeImage, fed: Feed | None, stages: tuple[StageUse, ...], progress: Progress
) -> None:
    """Score an image of every slice; write `slices.csv`, spectra, `images.npz` and, last, `run.json`.

    Parameters
    ----------
    image
        Gives the image of a slice by its index in the split.
    fed
        Gives what comes out where the super-resolver is fed the truth; None where that is not to be had.
    stages
        What was learned.
    """
    kept = KeptArrays(layout.truth_features())
    lpips = Lpips(assets.fetch("lpips"), job.device, kept) if job.with_lpips else None
    rows: list[dict[str, Any]] = []
    spectra: list[dict[str, Any]] = []
    radial: list[tuple[str, str, NDArray[np.float64]]] = []
    images: dict[str, NDArray[Any]] = {}
    for index, (subject, contrast, number) in enumerate(job.test.rows):
        acquisition, target = job.test.batch([index], job.device)
        output = image(index, acquisition, target)
        try:
            examine(output, acquisition, target)
        except UserError as broken:
            raise UserError(f"{subject}, {contrast}, slice {number}: {broken}") from broken
        found, truth = _array(output.image, target), _array(target.image_hr.abs(), target)
        image_lr = None if output.image_lr is None else _array(output.image_lr.abs(), target)
        truth_lr = _array(target.image_lr.abs(), target)
        inside = job.test.foreground(index)
        scores = score(found, image_lr, truth, truth_lr, acquisition.voxel_mm, lpips, inside)
        row = {**job.identity, "subject": subject, "contrast": contrast, "slice": number}
        details = dict.fromkeys(DETAILS, float("nan")) | error.by_steepness(found, truth, inside)
        if fed:
            details |= error.oracle_fed(_array(fed(acquisition, target).image, target), truth)
        if output.residual is not None:
            details["residual"] = float(output.residual[0])
        if acquisition.voxel_mm:
            details |= vessels.errors(found, truth, job.test.vessels(index), acquisition.voxel_mm)
        rows.append({**row, **details, **scores})
        mask = acquisition.mask[0].cpu().numpy()
        spectra += [{**row, **energies} for energies in error.by_region(found, truth, mask)]
        radial.append((contrast, subject, error.by_radius(found, truth)))
        if index in job.stored:
            images[str(SliceName(contrast, subject, number))] = found
        progress(index + 1, len(job.test), "evaluating")
    with locked(job.folder.lock):
        write_rows(job.folder.slices, pd.DataFrame(rows))
        write_table(job.folder.spectrum, pd.DataFrame(spectra))
        write_table(job.folder.radial, _radial_table(job, radial))
        write_images(job.folder.images, images)
        job.folder.timing.unlink(missing_ok=True)
        replace(
            job.record,
            status="done",
            stages=stages,
            metrics=identities(job.with_lpips),
            provenance=provenance(job.device),
            slices_sha256=sha256_of(job.folder.slices),
        ).write(job.folder.record)


def _stages_used(job: RunJob, composition: Composition) -> tuple[StageUse, ...]:
    """What was learned, here or elsewhere, with its digest."""
    used = []
    for half, (_, folder) in zip(composition.halves, job.halves, strict=True):
        weights = job.settings.weights_of(half.plugin)
        if folder:
            record = StageRecord.read(folder.record)
            used.append(StageUse(record.id, record.key, record.parameters, record.digest))
        elif weights:
            digest = sha256_of(weights)
            used.append(StageUse(half.plugin.id, f"weights {digest}", count(half.network), digest))
    return tuple(used)


def write_failure(record: RunRecord, folder: RunFolder, device: str, status: str, reason: str | None) -> None:
    """Say in `run.json` why there are no rows."""
    replace(record, status=status, reason=reason, provenance=provenance(device)).write(folder.record)


def examine(output: object, acquisition: Acquisition, target: Target) -> None:
    """See that an output is what `Output` declares; few or small negative values are clipped by the scores.

    Raises
    ------
    UserError
        If it is not: by the clause of `bench check` that it breaks.
    """
    if not isinstance(output, Output):
        raise UserError(f"the clause 'shape' is broken: it gives {type(output).__name__}, where a bench.Output is due")
    due = [("image", output.image, target.image_hr.shape, torch.float32)]
    if output.image_lr is not None:
        due.append(("image_lr", output.image_lr, acquisition.zero_filled.shape, torch.complex64))
    for name, tensor, shape, dtype in due:
        found = f"{tensor.dtype} {tuple(tensor.shape)}" if isinstance(tensor, Tensor) else type(tensor).__name__
        if not isinstance(tensor, Tensor) or tensor.shape != shape or tensor.dtype != dtype:
            raise UserError(f"the clause 'shape' is broken: {name} is {found}, where {dtype} {tuple(shape)} is due")
        if not torch.isfinite(tensor).all():
            raise UserError(f"the clause 'finite' is broken: {name} holds NaN or infinity")
    lowest = float(output.image.min() / target.peak.max())
    energy, below = (image.square().sum((-2, -1)) for image in (output.image, output.image.clamp(max=0)))
    if lowest < LEAST_VALUE and bool((below > LEAST_SHARE * energy).any()):
        raise UserError(
            f"the clause 'place' is broken: image goes down to {lowest:.2f} of the truth's peak, where magnitudes are due"
        )


def _array(images: Tensor, target: Target) -> NDArray[Any]:
    """The one image of a batch, real, on the scale of the data."""
    return images[0].float().cpu().numpy() * float(target.scale)


def _radial_table(job: RunJob, energies: list[tuple[str, str, NDArray[np.float64]]]) -> pd.DataFrame:
    """Mean over the slices of each contrast, with the identity of the run."""
    parts = []
    for contrast in dict.fromkeys(contrast for contrast, _, _ in energies):
        own = [(subject, energy) for name, subject, energy in energies if name == contrast]
        parts.append(error.radial_rows(contrast, [s for s, _ in own], [e for _, e in own]))
    table = pd.concat(parts, ignore_index=True)
    return table.assign(**job.identity)[[*job.identity, *table.columns]]


def stored_slices(slices: Slices) -> list[int]:
    """Indices of the slices whose images are kept: percentiles of the zero-filled NMSE on the LR grid, per contrast."""
    errors: dict[str, list[tuple[float, int]]] = {}
    for index, (_, contrast, _) in enumerate(slices.rows):
        acquisition, target = slices.batch([index])
        truth = target.image_lr.abs()
        nmse = float((acquisition.zero_filled.abs() - truth).square().sum() / truth.square().sum())
        errors.setdefault(contrast, []).append((nmse, index))
    chosen = set()
    for ranked in map(sorted, errors.values()):
        chosen |= {ranked[round(p / 100 * (len(ranked) - 1))][1] for p in STORED_PERCENTILES}
    return sorted(chosen)


def write_reference(path: Path, slices: Slices) -> list[int]:
    """Truth, zero-filled LR input, mask and foreground of the slices whose images are kept. Returns their indices."""
    images: dict[str, NDArray[Any]] = {}
    stored = stored_slices(slices)
    for index in stored:
        acquisition, target = slices.batch([index])
        subject, contrast, number = slices.rows[index]
        name, scale = SliceName(contrast, subject, number), float(target.scale)
        truth = target.image_hr[0].abs().numpy() * scale
        images[f"{name}/truth"] = truth
        images[f"{name}/lr"] = acquisition.zero_filled[0].abs().numpy() * scale
        images[f"{name}/mask"] = acquisition.mask[0].numpy()
        images[f"{name}/foreground"] = slices.foreground(index)
    with locked(path.with_suffix(".lock"), path.name):
        write_images(path, images)
    return stored
