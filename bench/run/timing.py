"""Seconds, memory and arithmetic of whole methods, in a pass of their own."""

import ctypes
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch

from bench.composition import Composition
from bench.metrics.gmac import multiply_adds
from bench.run.evaluate import RunJob, load_composition
from bench.store.files import locked
from bench.store.tables import write_table
from bench.workers import Progress

TIMED_SLICES = 5
LONGEST_S = 20.0  # a method: afterwards no slice is begun, but one is always timed after the warm-up


def time_methods(jobs: list[RunJob], progress: Progress) -> None:
    """Write `timing.csv` of each: whole pipeline, batch 1, this process's threads. A first pass warms up and counts GMAC."""
    for done, job in enumerate(jobs):
        composition = load_composition(job)
        rows: list[dict[str, float]] = []
        began = time.monotonic()
        gmac = multiply_adds(_at_slice(job, composition, 0))
        for index in range(min(TIMED_SLICES, len(job.test))):
            if not rows or time.monotonic() - began < LONGEST_S:
                rows.append(measure(_at_slice(job, composition, index), job.device))
        table = pd.DataFrame(rows).assign(device=job.device, threads=torch.get_num_threads(), gmac=gmac)
        with locked(job.folder.lock):
            write_table(job.folder.timing, table, digits=4)
        progress(done + 1, len(jobs), f"timing {job.record.method}")


def _at_slice(job: RunJob, composition: Composition, index: int) -> Callable[[], object]:
    acquisition, target = job.test.batch([index], job.device)
    return lambda: composition.infer(acquisition, target)


def measure(action: Callable[[], object], device: str) -> dict[str, float]:
    """Seconds, those of them that its threads were at work, how often others took a core from them, and peak MB above before.

    What the system does not tell is nan.
    """
    cuda = device.startswith("cuda")
    if cuda:
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated() / 1e6
    else:
        before = _reset_peak()
    started, worked, taken = time.perf_counter(), time.process_time(), _taken()
    action()
    if cuda:
        torch.cuda.synchronize()
    seconds, at_work = time.perf_counter() - started, time.process_time() - worked
    peak = torch.cuda.max_memory_allocated() / 1e6 if cuda else status_mb("VmHWM")
    return {
        "seconds": seconds,
        "cpu_seconds": at_work,
        "switches": _taken() - taken,
        "peak_memory_mb": max(peak - before, 0.0),
    }


def _taken() -> float:
    """How often a core was taken from a thread of this process that was not done: for others, where there are any."""
    try:
        import resource
    except ImportError:  # of Unix only
        return float("nan")
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw)


def _reset_peak() -> float:
    """Linux: give freed memory back, forget the peak so far and return what is resident, in MB; elsewhere nan."""
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)  # else memory kept from an earlier method hides what this one needs
        Path("/proc/self/clear_refs").write_text("5")
    except (OSError, AttributeError):
        return float("nan")
    return status_mb("VmRSS")


def status_mb(field: str, process: int | str = "self") -> float:
    """Memory of a process in MB as Linux tells it, e.g. its peak, VmHWM; elsewhere, and when it has ended, nan."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return float("nan")
    return next((float(line.split()[1]) / 1e3 for line in lines if line.startswith(field)), float("nan"))
