"""What `bench run` was asked, checked before anything is fetched or written."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch

from bench.errors import UserError
from bench.store import layout
from bench.store.layout import ResultsFolder

DEVICES = ("cpu", "cuda", "mps")


@dataclass(frozen=True)
class Request:
    """The options of `bench run`."""

    datasets: tuple[str, ...]
    methods: str
    profile: str = "laptop"
    source: str | None = None
    seeds: int = 1
    folds: tuple[int, ...] | None = (0,)
    """None: all that the source of a dataset has."""
    device: str = "cpu"
    devices: int = 1
    """Processes that train one stage together."""
    jobs: int = 2
    """One-thread workers."""
    results: Path = Path("results")
    weights: Path | None = None
    """Results whose stages are used; None: those that are shipped."""
    stages_of: str | None = None
    """Dataset whose stages score all of these, instead of their own."""
    plugin_files: tuple[Path, ...] = ()
    overrides: tuple[str, ...] = ()
    limit: int | None = None
    rerun: bool = False
    retrain: bool = False
    timing: bool = True
    scheduler: str | None = None
    """Of a Dask cluster, whose workers do what else workers of this machine would."""

    @property
    def folder(self) -> ResultsFolder:
        """Where rows and stages are written."""
        return ResultsFolder(self.results)

    @property
    def stage_folders(self) -> list[ResultsFolder]:
        """Where finished stages are looked for, in this order."""
        named = ResultsFolder(self.weights) if self.weights else layout.shipped()
        return [self.folder, *([named] if named else [])]


def check(request: Request) -> None:
    """Refuse what cannot be done on this machine.

    Raises
    ------
    UserError
        For a count below its least, an unavailable device, or a folder that cannot be written or read.
    """
    counts = {"--seeds": request.seeds, "--jobs": request.jobs, "--limit": request.limit, "--devices": request.devices}
    for name, value in counts.items():
        if value is not None and value < 1:
            raise UserError(f"{name} must be at least 1; got {value}.")
    most = {"--seeds": 1000, "--jobs": 4 * (os.cpu_count() or 1), "--devices": 4 * (os.cpu_count() or 1)}
    for name, value in most.items():
        if (counts[name] or 0) > value:
            raise UserError(f"{name} is at most {value} here; got {counts[name]}.")
    if request.folds is not None and min(request.folds, default=-1) < 0:
        raise UserError(f"--folds takes numbers from 0 on; got {','.join(map(str, request.folds))}.")
    if request.weights and not ResultsFolder(request.weights).stages():
        raise UserError(f"--weights {request.weights} is no folder of results with trained stages.")
    if request.scheduler is None:
        _check_device(request)
    check_writable("results", request.results, "--results")


def check_writable(what: str, wanted: Path, remedy: str) -> None:
    """See that a folder, or the nearest one above it that is there, can be written.

    Raises
    ------
    UserError
        If it cannot be.
    """
    folder = wanted.absolute()
    try:
        while not folder.exists():
            folder = folder.parent
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise UserError(
            f"The {what} folder {wanted} cannot be written ({reason}): name another with {remedy}."
        ) from error


def _check_device(request: Request) -> None:
    there = f"The device '{request.device}' is not available here: use --device cpu."
    try:
        if torch.empty(0, device=request.device).device.type not in DEVICES:
            raise UserError(there)
    except (RuntimeError, AssertionError) as error:
        raise UserError(there) from error
    if request.devices > 1 and request.device not in ("cpu", "cuda"):
        raise UserError(f"--devices {request.devices} takes the first ones: use --device cuda or --device cpu.")
    if request.device == "cuda" and request.devices > torch.cuda.device_count():
        raise UserError(f"--devices {request.devices} asks for more GPUs than there are: {torch.cuda.device_count()}.")


def parse_folds(text: str) -> tuple[int, ...] | None:
    """Read `--folds 0,1,2` or `--folds all` (None).

    Raises
    ------
    UserError
        If something in it is neither.
    """
    if text.strip() == "all":
        return None
    try:
        return tuple(dict.fromkeys(int(word) for word in text.split(",")))
    except ValueError as error:
        raise UserError(f"--folds takes numbers with commas, e.g. 0,1,2, or all; got '{text}'.") from error
