"""Carries a plan out: what is found, what is to do, workers, statuses."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from bench import config, registry
from bench.config import Settings
from bench.data import assets
from bench.data import prepare as preparation
from bench.data.prepare import Prepared
from bench.data.protocol import Source
from bench.errors import UserError
from bench.run import evaluate as evaluation
from bench.run.evaluate import RunJob
from bench.run.methods import Method, Stage, select, stages_for, stages_of
from bench.store.files import read_json, run_folder, stage_folder
from bench.store.keys import declared, key_of
from bench.store.provenance import ROOT
from bench.train.stage import StageJob, Upstream, find_stage, make_stage, tidy
from bench.workers import Outcome, Task, carry_out

TIMING_THREADS = 2


@dataclass(frozen=True)
class Request:
    """What `bench run` was asked."""

    datasets: tuple[str, ...]
    methods: str
    profile: str = "laptop"
    source: str | None = None
    seeds: int = 1
    fold: int = 0
    device: str = "cpu"
    devices: int = 1  # processes that train one stage together
    jobs: int = 2
    results: Path = Path("results")
    plugin_files: tuple[Path, ...] = ()
    overrides: tuple[str, ...] = ()
    limit: int | None = None
    rerun: bool = False
    retrain: bool = False


@dataclass
class DatasetPlan:
    """What one dataset and seed need."""

    dataset: str
    seed: int
    settings: Settings
    test: Prepared  # what rows are made of
    training: Prepared  # what stages are made of: another dataset's where it says `train_on`
    source: Source
    methods: list[Method]
    stages: dict[str, Stage]
    found: dict[str, Path] = field(default_factory=dict)  # stage id -> folder
    folders: dict[str, Path] = field(default_factory=dict)  # method id -> folder of its rows
    keys: dict[str, str] = field(default_factory=dict)  # method id -> key of its rows
    to_evaluate: list[Method] = field(default_factory=list)
    to_time: list[Method] = field(default_factory=list)  # their rows are there, but the run ended before it timed them

    @property
    def to_train(self) -> list[Stage]:
        """Stages that methods to be evaluated need and nobody has made."""
        needed = {s.id for method in self.to_evaluate for s in stages_for(method, self.stages)}
        return [stage for stage in self.stages.values() if stage.id in needed and stage.id not in self.found]

    def stage_folder(self, results: Path, stage: Stage) -> Path:
        """Where a stage is written."""
        dataset = self.training.protocol.id
        return stage_folder(results, dataset, self.settings.profile, stage.id, self.seed, self.training.fold)


def make_plan(request: Request) -> list[DatasetPlan]:
    """Check the whole request, before anything is fetched or written, and say what is to do.

    Raises
    ------
    UserError
        For anything unknown, an unwritable results folder, or a folder that holds rows or stages of other settings.
    """
    registry.discover(request.plugin_files)
    settings = config.load(request.profile, request.overrides)
    methods = select(request.methods)
    _check(request)
    plans = []
    for dataset in request.datasets:
        for seed in range(request.seeds):
            plans.append(_plan_dataset(request, dataset, seed, settings, methods))
    return plans


def _check(request: Request) -> None:
    counts = {"--seeds": request.seeds, "--jobs": request.jobs, "--limit": request.limit, "--devices": request.devices}
    for name, value in counts.items():
        if value is not None and value < 1:
            raise UserError(f"{name} must be at least 1; got {value}.")
    if request.fold < 0:
        raise UserError(f"--fold must be at least 0; got {request.fold}.")
    try:
        torch.empty(0, device=request.device)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"The device '{request.device}' is not to be had here: use --device cpu.") from error
    if request.devices > 1 and request.device not in ("cpu", "cuda"):
        raise UserError(f"--devices {request.devices} takes the first ones: use --device cuda or --device cpu.")
    if request.device == "cuda" and request.devices > torch.cuda.device_count():
        raise UserError(f"--devices {request.devices} asks for more GPUs than there are: {torch.cuda.device_count()}.")
    folder = request.results
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise UserError(f"The results folder {request.results} cannot be written: name another with --results.")


def _plan_dataset(request: Request, dataset: str, seed: int, settings: Settings, methods: list[Method]) -> DatasetPlan:
    table = registry.datasets()
    plugin = registry.find(table, dataset, "dataset")
    test = preparation.declare(plugin.make(), request.source, settings, request.fold, request.limit)
    training = test
    if test.protocol.train_on:
        training = preparation.declare(table[test.protocol.train_on].make(), None, settings, request.fold, None)
    stages = stages_of(methods, settings, seed, request.fold, lambda: training.key("train", "validation"))
    source: Source = registry.sources()[test.source].make()
    batch = min(settings.training.batch, training.count(["train"]))
    if batch % request.devices:
        raise UserError(
            f"A batch of {batch} cannot be shared equally by --devices {request.devices}: set training.batch to a multiple."
        )
    plan = DatasetPlan(dataset, seed, settings, test, training, source, methods, stages)
    for stage in stages.values():
        own = plan.stage_folder(request.results, stage)
        shipped = plan.stage_folder(ROOT / "results", stage)
        place = None if request.retrain else find_stage(stage, [own, shipped])
        if place:
            plan.found[stage.id] = place
        elif (own / "stage.json").exists() and not request.retrain:
            raise UserError(_difference(own / "stage.json", {"settings": settings.to_dict(), "key": stage.key}))
    for method in methods:
        _plan_method(request, plan, method)
    return plan


def _plan_method(request: Request, plan: DatasetPlan, method: Method) -> None:
    profile = plan.settings.profile
    folder = run_folder(request.results, plan.dataset, profile, method.id, plan.seed, request.fold)
    plan.folders[method.id] = folder
    plan.keys[method.id] = key_of(
        {
            "method": method.id,
            "versions": [p.make.version for p in method.plugins],  # type: ignore[attr-defined]
            "stages": [stage.key for stage in stages_for(method, plan.stages)],
            "network": declared(plan.settings.network),
            "test": plan.test.key("test"),
            "lpips": _with_lpips(plan.settings),
        }
    )
    if (folder / "run.json").exists() and not request.rerun:
        record = read_json(folder / "run.json")
        now = {"source": plan.test.source, "limit": request.limit, "settings": plan.settings.to_dict()}
        if any(record.get(k) != v for k, v in now.items()):
            raise UserError(_difference(folder / "run.json", now))
        if record.get("status") == "done" and record.get("keys", {}).get("method") != plan.keys[method.id]:
            raise UserError(
                f"{folder} holds rows of another version of the method or data: use --rerun, or another --results."
            )
    if request.rerun or request.retrain or not evaluation.finished(folder, plan.keys[method.id]):
        plan.to_evaluate.append(method)
    elif not (folder / "timing.csv").exists() and all(s.id in plan.found for s in stages_for(method, plan.stages)):
        plan.to_time.append(method)


def _difference(path: Path, now: dict[str, Any]) -> str:
    """One line that says what differs between what lies there and what is asked."""
    before = read_json(path)
    for key, value in now.items():
        if key == "settings":
            for section, content in value.items():
                old = before.get("settings", {}).get(section)
                if isinstance(content, dict) and isinstance(old, dict):
                    for name, asked in content.items():
                        if old.get(name) != asked:
                            return _refusal(path, f"{section}.{name}", old.get(name), asked)
        elif before.get(key) != value:
            return _refusal(path, key, before.get(key), value)
    return _refusal(path, "settings", "other", "these")


def _refusal(path: Path, what: str, old: Any, new: Any) -> str:
    return f"{path.parent} was made with {what} {old}, now {new}: name another --results, or use --rerun and --retrain."


def _with_lpips(settings: Settings) -> bool:
    return settings.training.perceptual_weight > 0


def needed_assets(plans: list[DatasetPlan]) -> list[str]:
    """Files to download that are not cached yet."""
    wanted: list[str] = []
    for plan in plans:
        if plan.to_evaluate or plan.to_time:
            wanted += plan.test.missing_assets(["test"])
        if not plan.to_evaluate:
            continue
        if plan.to_train:
            wanted += plan.training.missing_assets(["train", "validation"])
            if _with_lpips(plan.settings) and any(hasattr(s.plugin.make, "discriminator") for s in plan.to_train):
                wanted.append("vgg19")
        if _with_lpips(plan.settings):
            wanted.append("lpips")
    return [name for name in dict.fromkeys(wanted) if not assets.cached(name)]


def expected_seconds(plan: DatasetPlan, stage: Stage) -> float | None:
    """How long the shipped stage of this name took, if there is one; the plan's estimate."""
    path = plan.stage_folder(ROOT / "results", stage) / "stage.json"
    return read_json(path).get("seconds") if path.exists() else None


@dataclass(frozen=True)
class Callbacks:
    """How the terminal hears of progress."""

    fetching: Callable[[str, int, int], None]
    preparing: Callable[[str, int, int], None]
    working: Callable[[str, int, int, str], None]


def execute(request: Request, plans: list[DatasetPlan], callbacks: Callbacks) -> dict[str, Outcome]:
    """Fetch, prepare, train, evaluate, time. Returns the outcome of each task by id."""
    for name in needed_assets(plans):
        assets.fetch(name, callbacks.fetching)
    _prepare(request, plans, callbacks)
    tasks: dict[str, Task] = {}
    run_jobs: dict[str, RunJob] = {}
    for plan in plans:
        for stage in plan.to_train:
            task = _stage_task(request, plan, stage)
            tasks.setdefault(task.id, task)
        for method in plan.to_evaluate:
            job = _run_job(request, plan, method)
            id = f"{plan.dataset} {method.id} seed{plan.seed}"
            run_jobs[id] = job
            needs = tuple(_stage_id(plan, s) for s in stages_for(method, plan.stages) if s.id not in plan.found)
            tasks[id] = Task(id, evaluation.evaluate, (job,), needs)
    for plan in plans:
        for id, found in plan.found.items():
            if found == plan.stage_folder(request.results, plan.stages[id]):
                tidy(found)
        if plan.to_evaluate:
            name = "reference.npz" if request.fold == 0 else f"reference-fold{request.fold}.npz"
            path = request.results / plan.dataset / plan.settings.profile / name
            evaluation.write_reference(path, plan.test.open("test"))
    outcomes: dict[str, Outcome] = {}
    try:
        outcomes = carry_out(list(tasks.values()), request.jobs, 1, callbacks.working)
    finally:
        for id, job in run_jobs.items():
            outcome = outcomes[id] = _row_outcome(tasks[id], tasks, outcomes)
            there = evaluation.finished(job.folder, job.record["keys"]["method"])
            if outcome.status != "done" and not (there and outcome.status == "interrupted"):
                evaluation.write_failure(job, outcome.status, outcome.reason)
    done = [job for id, job in run_jobs.items() if outcomes[id].status == "done"]
    done += [_run_job(request, plan, method) for plan in plans for method in plan.to_time]
    if done:
        timing = Task("timing", evaluation.time_methods, (done,))
        outcomes |= carry_out([timing], 1, TIMING_THREADS, callbacks.working)
    return outcomes


def _row_outcome(task: Task, tasks: dict[str, Task], outcomes: dict[str, Outcome]) -> Outcome:
    """How a row ended: where a stage of its own did not come about, as that stage did."""
    outcome = outcomes.get(task.id, Outcome("interrupted", "stopped by the user"))
    if outcome.status != "skipped":
        return outcome
    need = next(need for need in task.needs if outcomes[need].status != "done")
    cause = _row_outcome(tasks[need], tasks, outcomes)
    return cause if outcomes[need].status == "skipped" else Outcome(cause.status, f"needs {need}: {cause.reason}")


def _prepare(request: Request, plans: list[DatasetPlan], callbacks: Callbacks) -> None:
    for plan in plans:
        if plan.to_evaluate or plan.to_time:
            plan.training.prepare(["train", "validation"] if plan.to_train else [], request.jobs, callbacks.preparing)
            plan.test.prepare(["test"], request.jobs, callbacks.preparing)


def _stage_id(plan: DatasetPlan, stage: Stage) -> str:
    return f"{plan.training.protocol.id} stage {stage.id} seed{plan.seed}"


def _stage_task(request: Request, plan: DatasetPlan, stage: Stage) -> Task:
    folder = plan.stage_folder(request.results, stage)
    if request.retrain and (folder / "stage.json").exists():
        tidy(folder)  # else it would be gone on with; without `stage.json` it is what this retraining left
        (folder / "stage.json").unlink()
    upstream = None
    if stage.upstream:
        upstream = Upstream(stage.upstream.id, _folder_of(request, plan, stage.upstream.id))
    job = StageJob(
        stage.id, stage.plugin.id, stage.key, upstream, folder, plan.settings, plan.seed, request.fold,
        plan.training.open("train"), plan.training.open("validation"), request.device, request.devices,
        request.plugin_files,
    )  # fmt: skip
    needs = tuple(_stage_id(plan, plan.stages[id]) for id in stage.needs if id not in plan.found)
    return Task(_stage_id(plan, stage), make_stage, (job,), needs)


def _folder_of(request: Request, plan: DatasetPlan, stage: str) -> Path | None:
    """The folder of a stage, found or to be made; None if there is no such stage."""
    if stage not in plan.stages:
        return None
    return plan.found.get(stage) or plan.stage_folder(request.results, plan.stages[stage])


def _run_job(request: Request, plan: DatasetPlan, method: Method) -> RunJob:
    own = stages_for(method, plan.stages)
    identity = {
        "dataset": plan.dataset,
        "source": plan.test.source,
        "profile": plan.settings.profile,
        "method": method.id,
        "seed": plan.seed,
        "fold": request.fold,
    }
    protocol = plan.test.protocol
    record = {
        **identity,
        "source_label": plan.source.label,
        "caveats": list(protocol.caveats),
        "group": method.group,
        "limit": request.limit,
        "subjects": plan.test.subjects,
        "contrasts": [view.contrast for view in protocol.views],
        "matrix": list(protocol.matrix),
        "voxel_mm": list(protocol.voxel_mm) if protocol.voxel_mm else None,
        "settings": plan.settings.to_dict(),
        "keys": {"method": plan.keys[method.id], "data": plan.test.key("test")},
        "stages": [{"id": s.id, "key": s.key, "parameters": s.parameters} for s in own],
    }
    ids = [method.plugins[0].id, method.id] if len(method.plugins) == 2 else [method.id]
    links = tuple((p.id, _folder_of(request, plan, id)) for p, id in zip(method.plugins, ids, strict=True))
    return RunJob(
        identity, record, links, plan.folders[method.id], plan.settings, plan.test.open("test"),
        _with_lpips(plan.settings), request.device, request.plugin_files,
    )  # fmt: skip
