"""A method over a split: images and scores; its time and memory in a pass of their own."""

import ctypes
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench import registry
from bench.acquisition import Acquisition, Target
from bench.composition import Chain
from bench.config import Settings
from bench.data.prepare import Slices
from bench.metrics import error as analysis
from bench.metrics import gmac as arithmetic
from bench.metrics import image as metrics
from bench.metrics import vessels
from bench.store.files import (
    DETAILS,
    IDENTITY,
    SCORES,
    locked,
    read_json,
    write_images,
    write_json,
    write_rows,
    write_table,
)
from bench.store.provenance import provenance
from bench.train.loop import Report
from bench.train.stage import load_link

STORED_PERCENTILES = (10, 50, 90)  # of the zero-filled NMSE within a contrast: a rule on data alone
TIMED_SLICES = 5


@dataclass(frozen=True)
class RunJob:
    """All that a worker process needs to evaluate one method."""

    identity: dict[str, Any]  # the columns of IDENTITY that are the same in every row
    record: dict[str, Any]  # what run.json says besides the outcome
    links: tuple[tuple[str, Path | None], ...]  # plugin id, folder of its stage if it has one
    folder: Path
    settings: Settings
    test: Slices
    with_lpips: bool
    device: str
    plugin_files: tuple[Path, ...]


def load_chain(job: RunJob) -> Chain:
    """The method with the weights of its stages."""
    registry.discover(job.plugin_files)
    plugins = registry.methods()
    return Chain(tuple(load_link(plugins[id], job.settings, folder, job.device) for id, folder in job.links))


def evaluate(job: RunJob, report: Report) -> None:
    """Score every slice of the split; write `slices.csv`, spectra, `images.npz` and, last, `run.json`."""
    torch.use_deterministic_algorithms(True, warn_only=job.device != "cpu")
    chain = load_chain(job)
    lpips = metrics.Lpips(job.device) if job.with_lpips else None
    stored = set(stored_slices(job.test))
    rows: list[dict[str, Any]] = []
    spectra: list[dict[str, Any]] = []
    radial: list[tuple[str, str, NDArray[np.float64]]] = []
    images: dict[str, NDArray[Any]] = {}
    for index, (subject, contrast, number) in enumerate(job.test.rows):
        acquisition, target = job.test.batch([index], job.device)
        output = chain.infer(acquisition, target)
        image, truth = _array(output.image, target), _array(target.image_hr.abs(), target)
        image_lr = None if output.image_lr is None else _array(output.image_lr.abs(), target)
        truth_lr = _array(target.image_lr.abs(), target)
        scores = metrics.score(image, image_lr, truth, truth_lr, acquisition.voxel_mm, lpips)
        row = {**job.identity, "subject": subject, "contrast": contrast, "slice": number}
        details = _details(chain, acquisition, target, image, truth)
        if acquisition.voxel_mm:
            details |= vessels.errors(image, truth, job.test.tubes(index), acquisition.voxel_mm)
        rows.append({**row, **scores, **details})
        mask = acquisition.mask[0].cpu().numpy()
        spectra += [{**row, **energies} for energies in analysis.by_region(image, truth, mask)]
        radial.append((contrast, subject, analysis.by_radius(image, truth)))
        if index in stored:
            images[slice_name(subject, contrast, number)] = image
        report(index + 1, len(job.test), "evaluating")
    with locked(job.folder / "run.lock"):
        write_rows(job.folder / "slices.csv", pd.DataFrame(rows)[[*IDENTITY, *SCORES, *DETAILS]])
        write_table(job.folder / "spectrum.csv", pd.DataFrame(spectra))
        write_table(job.folder / "radial.csv", _radial_table(job, radial))
        write_images(job.folder / "images.npz", images)
        digest = hashlib.sha256((job.folder / "slices.csv").read_bytes()).hexdigest()
        (job.folder / "timing.csv").unlink(missing_ok=True)
        identities = {**metrics.identities(job.with_lpips), **analysis.identities(), **vessels.identities()}
        identities["gmac"] = arithmetic.IDENTITY
        record = {"status": "done", "reason": None, **job.record, "metrics": identities}
        write_json(job.folder / "run.json", {**record, "provenance": provenance(job.device), "slices_sha256": digest})


def _array(images: Tensor, target: Target) -> NDArray[Any]:
    """The one image of a batch, real, on the scale of the data."""
    return images[0].float().cpu().numpy() * float(target.scale)


def _details(
    chain: Chain, acquisition: Acquisition, target: Target, image: NDArray[Any], truth: NDArray[Any]
) -> dict[str, float]:
    """Columns of `DETAILS`; those of the oracle-fed super-resolver are nan for a pipeline, which has none."""
    details = dict.fromkeys(DETAILS, float("nan")) | analysis.by_steepness(image, truth, acquisition.voxel_mm)
    if len(chain.links) == 2:
        fed = chain.infer(acquisition, target, target.image_lr)
        details |= analysis.oracle_fed(_array(fed.image, target), truth)
    return details


def _radial_table(job: RunJob, energies: list[tuple[str, str, NDArray[np.float64]]]) -> pd.DataFrame:
    """Mean over the slices of each contrast, with the identity of the run."""
    parts = []
    for contrast in dict.fromkeys(contrast for contrast, _, _ in energies):
        own = [(subject, energy) for name, subject, energy in energies if name == contrast]
        parts.append(analysis.radial_rows(contrast, [s for s, _ in own], [e for _, e in own]))
    table = pd.concat(parts, ignore_index=True)
    return table.assign(**job.identity)[[*job.identity, *table.columns]]


def slice_name(subject: str, contrast: str, number: int) -> str:
    """Name of a slice in `images.npz` and `reference.npz`."""
    return f"{contrast}/{subject}/{number}"


def stored_slices(slices: Slices) -> list[int]:
    """Indices of the slices whose images are kept: percentiles of the zero-filled NMSE on the LR grid, per contrast."""
    errors: dict[str, list[tuple[float, int]]] = {}
    for index, (_, contrast, _) in enumerate(slices.rows):
        acquisition, target = slices.batch([index])
        truth = target.image_lr.abs()
        error = float((acquisition.zero_filled.abs() - truth).square().sum() / truth.square().sum())
        errors.setdefault(contrast, []).append((error, index))
    chosen = set()
    for ranked in map(sorted, errors.values()):
        chosen |= {ranked[round(p / 100 * (len(ranked) - 1))][1] for p in STORED_PERCENTILES}
    return sorted(chosen)


def write_reference(path: Path, slices: Slices) -> None:
    """Truth, zero-filled LR input, mask and foreground of the stored slices."""
    images: dict[str, NDArray[Any]] = {}
    for index in stored_slices(slices):
        acquisition, target = slices.batch([index])
        name, scale = slice_name(*slices.rows[index]), float(target.scale)
        truth = target.image_hr[0].abs().numpy() * scale
        images[f"{name}/truth"] = truth
        images[f"{name}/lr"] = acquisition.zero_filled[0].abs().numpy() * scale
        images[f"{name}/mask"] = acquisition.mask[0].numpy()
        images[f"{name}/foreground"] = metrics.foreground(truth, acquisition.voxel_mm)
    with locked(path.with_suffix(".lock"), path.name):
        write_images(path, images)


def time_methods(jobs: list[RunJob], report: Report) -> None:
    """Write `timing.csv` of each: whole pipeline, batch 1, this process's threads, after a warm-up. Also its GMAC."""
    for done, job in enumerate(jobs):
        chain = load_chain(job)
        rows = []
        first = job.test.batch([0], job.device)
        gmac = arithmetic.multiply_adds(lambda: chain.infer(*first))  # noqa: B023 - called at once
        for index in [0, *range(min(TIMED_SLICES, len(job.test)))]:
            acquisition, target = job.test.batch([index], job.device)
            seconds, memory = measure(lambda: chain.infer(acquisition, target), job.device)  # noqa: B023 - called at once
            rows.append({"seconds": seconds, "peak_memory_mb": memory})
        table = pd.DataFrame(rows[1:]).assign(device=job.device, threads=torch.get_num_threads(), gmac=gmac)
        with locked(job.folder / "run.lock"):
            write_table(job.folder / "timing.csv", table, digits=4)
        report(done + 1, len(jobs), f"timing {job.identity['method']}")


def measure(action: Callable[[], object], device: str) -> tuple[float, float]:
    """Seconds, and peak MB above what was held before (nan where the system does not tell)."""
    cuda = device.startswith("cuda")
    if cuda:
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated() / 1e6
    else:
        before = _reset_peak()
    started = time.perf_counter()
    action()
    if cuda:
        torch.cuda.synchronize()
    seconds = time.perf_counter() - started
    peak = torch.cuda.max_memory_allocated() / 1e6 if cuda else _status_mb("VmHWM")
    return seconds, max(peak - before, 0.0)


def _reset_peak() -> float:
    """Linux: give freed memory back, forget the peak so far and return what is resident, in MB; elsewhere nan."""
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)  # else memory kept from an earlier method hides what this one needs
        Path("/proc/self/clear_refs").write_text("5")
    except (OSError, AttributeError):
        return float("nan")
    return _status_mb("VmRSS")


def _status_mb(field: str) -> float:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return float("nan")
    return next((float(line.split()[1]) / 1e3 for line in lines if line.startswith(field)), float("nan"))


def finished(folder: Path, key: str) -> bool:
    """Whether rows of this key lie there, whole."""
    if not (folder / "run.json").exists():
        return False
    record = read_json(folder / "run.json")
    if record.get("status") != "done" or record.get("keys", {}).get("method") != key:
        return False
    rows = folder / "slices.csv"
    return rows.exists() and hashlib.sha256(rows.read_bytes()).hexdigest() == record.get("slices_sha256")


def write_failure(job: RunJob, status: str, reason: str | None) -> None:
    """Say in `run.json` why there are no rows."""
    record = {"status": status, "reason": reason, **job.record, "provenance": provenance(job.device)}
    write_json(job.folder / "run.json", record)
