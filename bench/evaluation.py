"""A method over a split: images and scores; its time and memory in a pass of their own."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from numpy.typing import NDArray

from bench import metrics, registry
from bench.chain import Chain
from bench.config import Settings
from bench.preparation import Slices
from bench.provenance import provenance
from bench.stages import load_link
from bench.store import IDENTITY, SCORES, atomic_write, locked, read_json, write_images, write_json, write_rows
from bench.training import Report

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
    """Score every slice of the split and write `slices.csv`, `images.npz` and, last, `run.json`."""
    torch.use_deterministic_algorithms(True, warn_only=job.device != "cpu")
    chain = load_chain(job)
    lpips = metrics.Lpips(job.device) if job.with_lpips else None
    stored = set(stored_slices(job.test))
    rows: list[dict[str, Any]] = []
    images: dict[str, NDArray[Any]] = {}
    for index, (subject, contrast, number) in enumerate(job.test.rows):
        acquisition, target = job.test.batch([index], job.device)
        output = chain.infer(acquisition, target)
        scale = float(target.scale)
        image = output.image[0].float().cpu().numpy() * scale
        image_lr = None if output.image_lr is None else output.image_lr[0].abs().cpu().numpy() * scale
        truth, truth_lr = (t[0].abs().cpu().numpy() * scale for t in (target.image_hr, target.image_lr))
        scores = metrics.score(image, image_lr, truth, truth_lr, acquisition.voxel_mm, lpips)
        rows.append({**job.identity, "subject": subject, "contrast": contrast, "slice": number, **scores})
        if index in stored:
            images[slice_name(subject, contrast, number)] = image
        report(index + 1, len(job.test), "evaluating")
    with locked(job.folder / "run.lock"):
        write_rows(job.folder / "slices.csv", pd.DataFrame(rows)[[*IDENTITY, *SCORES]])
        write_images(job.folder / "images.npz", images)
        digest = hashlib.sha256((job.folder / "slices.csv").read_bytes()).hexdigest()
        (job.folder / "timing.csv").unlink(missing_ok=True)
        record = {"status": "done", "reason": None, **job.record, "metrics": metrics.identities(job.with_lpips)}
        write_json(job.folder / "run.json", {**record, "provenance": provenance(job.device), "slices_sha256": digest})


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
    """Write `timing.csv` of each: whole pipeline, batch 1, this process's threads, after a warm-up."""
    for done, job in enumerate(jobs):
        chain = load_chain(job)
        rows = []
        for index in [0, *range(min(TIMED_SLICES, len(job.test)))]:
            acquisition, target = job.test.batch([index], job.device)
            seconds, memory = measure(lambda: chain.infer(acquisition, target), job.device)  # noqa: B023 - called at once
            rows.append({"seconds": seconds, "peak_memory_mb": memory})
        table = pd.DataFrame(rows[1:]).assign(device=job.device, threads=torch.get_num_threads())
        with locked(job.folder / "run.lock"):
            atomic_write(job.folder / "timing.csv", table.to_csv(index=False, float_format="%.4g", lineterminator="\n"))
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
    """Linux: forget the peak so far and return what is resident, in MB; elsewhere nan."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
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
