"""Seconds, memory and arithmetic of whole methods, in a pass of their own."""

import ctypes
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch

from bench.metrics.gmac import multiply_adds
from bench.run.evaluate import RunJob, load_composition
from bench.store.files import locked
from bench.store.tables import write_table
from bench.workers import Progress

TIMED_SLICES = 5


def time_methods(jobs: list[RunJob], progress: Progress) -> None:
    """Write `timing.csv` of each: whole pipeline, batch 1, this process's threads, after a warm-up. Also its GMAC."""
    for done, job in enumerate(jobs):
        composition = load_composition(job)
        rows = []
        first = job.test.batch([0], job.device)
        gmac = multiply_adds(lambda: composition.infer(*first))  # noqa: B023 - called at once
        for index in [0, *range(min(TIMED_SLICES, len(job.test)))]:
            acquisition, target = job.test.batch([index], job.device)
            seconds, memory = measure(lambda: composition.infer(acquisition, target), job.device)  # noqa: B023 - called at once
            rows.append({"seconds": seconds, "peak_memory_mb": memory})
        table = pd.DataFrame(rows[1:]).assign(device=job.device, threads=torch.get_num_threads(), gmac=gmac)
        with locked(job.folder.lock):
            write_table(job.folder.timing, table, digits=4)
        progress(done + 1, len(jobs), f"timing {job.record.method}")


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
