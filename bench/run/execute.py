"""Carries a plan out: fetch, prepare, train, evaluate, time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bench.data import assets
from bench.data.dataset import Dataset
from bench.data.prepare import open_split, prepare
from bench.data.protocol import Split
from bench.errors import UserError
from bench.registry import MethodPlugin
from bench.run import timing
from bench.run.cluster import carry_out_on
from bench.run.evaluate import RunJob, about_data, evaluate, write_failure, write_reference
from bench.run.methods import loss_of
from bench.run.plan import DatasetPlan, RowPlan, StagePlan, finished, half_key, needed_assets
from bench.run.request import Request
from bench.store import layout
from bench.store.records import Keys, RunRecord
from bench.train.reconstructions import Upstream
from bench.train.stage import StageJob, begin, discard, make_stage, tidy
from bench.workers import Outcome, Task, carry_out

TIMING_THREADS = 2


@dataclass(frozen=True)
class Callbacks:
    """How the terminal hears of progress."""

    fetching: Callable[[str, int, int], None]
    preparing: Callable[[str, int, int], None]
    saying: Callable[[str], None]
    working: Callable[[str, int, int, str], None]
    ending: Callable[[str, Outcome], None]


def execute(request: Request, plans: list[DatasetPlan], callbacks: Callbacks) -> dict[str, Outcome]:
    """Carry the plans out. Returns the outcome of each task by id."""
    for name in needed_assets(plans):
        assets.fetch(name, callbacks.fetching)
    refused = _prepare(request, plans, callbacks)
    lost = _lost(request, plans, refused)
    plans = [_without(plan, refused) for plan in plans]
    for plan in plans:
        _clear(request, plan)
    tasks: dict[str, Task] = {}
    jobs: dict[str, RunJob] = {}
    for plan in plans:
        for stage in plan.to_train:
            task = stage_task(request, plan, stage)
            tasks.setdefault(task.id, task)
        if plan.to_evaluate:
            path = request.folder.reference(plan.dataset, plan.settings.profile, plan.fold)
            stored = write_reference(path, open_split(plan.test, "test"))
        for row in _firsts_first(plan.to_evaluate):
            id = _id(plan.test, row.method.id, plan)
            jobs[id] = _run_job(request, plan, row, stored)
            needs = tuple(_stage_task_id(plan, stage) for stage in row.own_stages if not stage.found)
            tasks[id] = Task(id, evaluate, (jobs[id],), needs)
    outcomes: dict[str, Outcome] = {}
    try:
        outcomes = _carry_out(request, list(tasks.values()), request.jobs, 1, callbacks)
    finally:
        for id, job in jobs.items():
            outcome = outcomes[id] = _row_outcome(tasks[id], tasks, outcomes)
            there = finished(job.folder, job.record.keys.method)
            if outcome.status != "done" and not (there and outcome.status == "interrupted"):
                write_failure(job.record, job.folder, job.device, outcome.status, outcome.reason)
    return lost | outcomes | _time(request, plans, jobs, outcomes, callbacks)


def _firsts_first(rows: list[RowPlan]) -> list[RowPlan]:
    """One row of each reconstructor before the others, which take its reconstructions: none waits for them to be made."""
    firsts = {row.method.halves[0].id: row for row in reversed(rows)}.values()
    return [*(row for row in rows if row in firsts), *(row for row in rows if row not in firsts)]


def _stage_task_id(plan: DatasetPlan, stage: StagePlan) -> str:
    return _id(plan.training, f"stage {stage.stage.id}", plan)


def _id(data: Dataset, what: str, plan: DatasetPlan) -> str:
    return f"{data.name} {what} {layout.replicate(plan.seed, data.fold)}"


def _time(
    request: Request,
    plans: list[DatasetPlan],
    jobs: dict[str, RunJob],
    outcomes: dict[str, Outcome],
    callbacks: Callbacks,
) -> dict[str, Outcome]:
    """Time what was computed now, and what an earlier run computed and did not time; alone on the machine."""
    to_time = [job for id, job in jobs.items() if outcomes[id].status == "done"]
    to_time += [_run_job(request, plan, row) for plan in plans for row in plan.to_time]
    if not (to_time and request.timing):
        return {}
    return _carry_out(request, [Task("timing", timing.time_methods, (to_time,))], 1, TIMING_THREADS, callbacks)


def _carry_out(
    request: Request, tasks: list[Task], jobs: int, threads: int, callbacks: Callbacks
) -> dict[str, Outcome]:
    """Here, or on a cluster: one task of a GPU's takes as many as train one stage."""
    if request.scheduler is None:
        return carry_out(tasks, jobs, threads, callbacks.working, callbacks.ending)
    demands = {"GPU": request.devices} if request.device.startswith("cuda") else {}
    return carry_out_on(request.scheduler, tasks, threads, demands, callbacks.working, callbacks.ending)


def _row_outcome(task: Task, tasks: dict[str, Task], outcomes: dict[str, Outcome]) -> Outcome:
    """How a row ended: where a stage of its own was not made, as that stage did."""
    outcome = outcomes.get(task.id, Outcome("interrupted", "stopped by the user"))
    if outcome.status != "skipped":
        return outcome
    need = next(need for need in task.needs if outcomes[need].status != "done")
    cause = _row_outcome(tasks[need], tasks, outcomes)
    return cause if outcomes[need].status == "skipped" else Outcome(cause.status, f"needs {need}: {cause.reason}")


def _prepare(request: Request, plans: list[DatasetPlan], callbacks: Callbacks) -> dict[str, str]:
    """Make what is missing, each once: seeds share their data, and what is there is read whole to see that it is.

    Returns
    -------
    dict
        Why splits cannot be prepared, by their key. The others go on.

    Raises
    ------
    UserError
        If nothing is left to do without them.
    """
    wanted: dict[str, tuple[Dataset, tuple[Split, ...]]] = {}
    for plan in plans:
        if plan.to_train:
            wanted[_learnt_from(plan)] = plan.training, ("train", "validation")
        if plan.to_evaluate or plan.to_time:
            wanted[plan.test.key("test")] = plan.test, ("test",)
    refused: dict[str, str] = {}
    for key, (data, splits) in wanted.items():
        try:
            remarks = prepare(data, splits, request.jobs, callbacks.preparing, request.plugin_files)
        except UserError as error:
            refused[key] = str(error)
            if not any(row.to_do != "nothing" for plan in plans for row in _without(plan, refused).rows):
                raise
            continue
        for remark in remarks:
            callbacks.saying(remark)
    return refused


def _learnt_from(plan: DatasetPlan) -> str:
    return plan.training.key("train", "validation")


def _why_lost(plan: DatasetPlan, row: RowPlan, refused: dict[str, str]) -> str | None:
    """Why a row cannot be made: nobody to test, or nobody to make a stage of its own from."""
    reason = refused.get(plan.test.key("test"))
    if reason or all(stage.found for stage in row.own_stages):
        return reason
    return refused.get(_learnt_from(plan))


def _without(plan: DatasetPlan, refused: dict[str, str]) -> DatasetPlan:
    """The plan without rows that are lost."""
    left = [row for row in plan.rows if row.to_do == "nothing" or not _why_lost(plan, row, refused)]
    return replace(plan, rows=left)


def _lost(request: Request, plans: list[DatasetPlan], refused: dict[str, str]) -> dict[str, Outcome]:
    """Rows whose people cannot be prepared, by task; what is there of before stays."""
    lost: dict[str, Outcome] = {}
    for plan in plans:
        for row in plan.to_evaluate if refused else ():
            reason = _why_lost(plan, row, refused)
            if reason:
                lost[_id(plan.test, row.method.id, plan)] = Outcome("failed", reason)
                if not finished(row.folder, row.key):
                    write_failure(_record(request, plan, row), row.folder, request.device, "failed", reason)
    return lost


def _clear(request: Request, plan: DatasetPlan) -> None:
    """Remove what a finished stage no longer needs, cached images where rows are made again, and for `--retrain` stages.

    From then on the same command without `--retrain` goes on where this one stopped.
    """
    for stage in plan.stages.values():
        if stage.found == stage.folder:
            tidy(stage.folder)
    if request.rerun or request.retrain:
        for reconstructor in {row.method.halves[0].id for row in plan.to_evaluate}:
            for path in layout.cached_reconstructions(reconstructor):
                path.unlink(missing_ok=True)
    for stage in plan.to_train if request.retrain else ():
        discard(stage.folder)
        begin(stage.folder, stage.stage.key)


def stage_task(request: Request, plan: DatasetPlan, planned: StagePlan) -> Task:
    """Making a stage, and the tasks that it needs."""
    job = stage_job(request, plan, planned)
    needs = tuple(_stage_task_id(plan, plan.stages[id]) for id in planned.stage.needs if not plan.stages[id].found)
    return Task(_stage_task_id(plan, planned), make_stage, (job,), needs)


def stage_job(request: Request, plan: DatasetPlan, planned: StagePlan) -> StageJob:
    """All that a worker needs to make a stage."""
    stage = planned.stage
    upstream = _upstream(plan, stage.upstream) if stage.upstream else None
    return StageJob(
        stage.id, stage.plugin.id, stage.key, upstream, planned.folder, plan.settings, plan.seed, plan.training.fold,
        open_split(plan.training, "train"), open_split(plan.training, "validation"), request.device, request.devices,
        request.plugin_files, planned.foreign,
        {name: plan.stages[id].place for name, id in stage.plugin.frozen.items()},
    )  # fmt: skip


def _foreign_stages(request: Request, plan: DatasetPlan) -> tuple[str, ...]:
    if not request.stages_of:
        return ()
    return (f"Networks are those trained on {plan.training.name} ({plan.training.label}), whose people are others.",)


def _record(request: Request, plan: DatasetPlan, row: RowPlan) -> RunRecord:
    """What is known of a row before it is made."""
    return RunRecord(
        **about_data(plan.test),
        status="interrupted",
        reason=None,
        profile=plan.settings.profile,
        method=row.method.id,
        seed=plan.seed,
        fold=plan.fold,
        caveats=(*plan.test.protocol.caveats, *_foreign_stages(request, plan)),
        group=row.method.group,
        loss=loss_of(row.method, plan.settings),
        limit=request.limit,
        stages_of=request.stages_of,
        settings=plan.settings.to_dict(row.method.halves),
        keys=Keys(row.key, plan.test.key("test")),
        stages=(),
        provenance={},
        plugin_files=row.foreign,
    )


def _upstream(plan: DatasetPlan, reconstructor: MethodPlugin) -> Upstream:
    stage = plan.stages.get(reconstructor.id)
    key = half_key(reconstructor, stage, plan.settings)
    return Upstream(reconstructor.id, key, stage.place if stage else None)


def _run_job(request: Request, plan: DatasetPlan, row: RowPlan, stored: Sequence[int] = ()) -> RunJob:
    halves = tuple(
        (plugin.id, stage.place if stage else None) for plugin, stage in zip(row.method.halves, row.stages, strict=True)
    )
    return RunJob(
        _record(request, plan, row), halves, row.folder, plan.settings, open_split(plan.test, "test"), plan.with_lpips,
        request.device, request.plugin_files, frozenset(stored),
        _upstream(plan, row.method.halves[0]) if len(row.method.halves) > 1 else None,
    )  # fmt: skip
