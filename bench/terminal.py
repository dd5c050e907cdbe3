"""What people see while it works: plans, progress with ETA, tables."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from bench.data import assets
from bench.data.dataset import Series
from bench.errors import UserError
from bench.run.execute import Callbacks, execute
from bench.run.plan import DatasetPlan, StagePlan, expected_seconds, make_plan, needed_assets
from bench.run.request import Request
from bench.store import layout

console = Console(stderr=False)


def say(line: str) -> None:
    """Print a line of free text."""
    console.print(line, soft_wrap=True, markup=False, highlight=False)


def choose_device(device: str) -> str:
    """Resolve "auto": the GPU if there is one."""
    if device != "auto":
        return device
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def run(request: Request, dry_run: bool, compare: Path | None) -> int:
    """Plan, print, execute, summarise; the exit code."""
    plans = make_plan(request)
    show_plan(plans)
    if not request.weights and layout.shipped() is None and any(plan.to_train for plan in plans):
        console.print("There are no shipped weights outside of a checkout: --weights DIR names results that have them.")
    if dry_run:
        return 0
    with Bars() as bars:
        outcomes = execute(request, plans, Callbacks(bars.transfer, bars.count, say, bars.work))
    for id, outcome in outcomes.items():
        if outcome.status != "done":
            console.print(f"[red]{outcome.status}[/red] {id}: {outcome.reason}", soft_wrap=True)
    show_results(request, plans, compare)
    return 1 if any(outcome.status != "done" for outcome in outcomes.values()) else 0


def show_plan(plans: list[DatasetPlan]) -> None:
    """Stages found or to train, rows to compute, downloads, disk."""
    table = Table(title="Plan", title_justify="left")
    for column in ("dataset", "fold", "seed", "stages found", "stages to train", "rows found", "rows to compute"):
        table.add_column(column, overflow="fold")
    for plan in plans:
        evaluated, found = len(plan.to_evaluate), sum(stage.found is not None for stage in plan.stages.values())
        counts = (plan.fold, plan.seed, found, len(plan.to_train), len(plan.rows) - evaluated, evaluated)
        table.add_row(plan.dataset, *map(str, counts))
    console.print(table)
    for what, names in (
        ("Stages to train", [f"{p.training.name}: {s.stage.id}" for p in plans for s in p.to_train]),
        ("Rows to compute", [row.method.id for p in plans for row in p.to_evaluate]),
    ):
        if names:
            console.print(f"{what}: {', '.join(dict.fromkeys(names))}.", soft_wrap=True)
    said = [remark for plan in plans for data in (plan.test, plan.training) for remark in data.remarks()]
    said += [edge for plan in plans for stage in plan.stages.values() for edge in _at_edge(stage)]
    for remark in dict.fromkeys(said):
        console.print(remark, soft_wrap=True)
    downloads = needed_assets(plans)
    if downloads:
        size = sum(assets.size_mb(name) for name in downloads)
        console.print(f"To download: {', '.join(downloads)} (about {size:.0f} MB).")
    _show_training_time(plans)
    if any(plan.to_evaluate for plan in plans):
        series = {series.path: series for plan in plans for series in _series(plan)}.values()
        slices, megabytes = sum(s.count for s in series), sum(s.megabytes for s in series)
        where = layout.cache_folder()
        console.print(f"Prepared data: {slices} slices, at most {megabytes:.0f} MB in {where}.", soft_wrap=True)


def _at_edge(stage: StagePlan) -> list[str]:
    record = stage.record
    names = record.at_edge if record else ()
    return [
        f"{stage.stage.id}: {name} was tuned to the edge of its grid, beyond which nobody looked." for name in names
    ]


def _show_training_time(plans: list[DatasetPlan]) -> None:
    pending = {stage.stage.key: (plan, stage) for plan in plans for stage in plan.to_train}  # vfa's stages are vwi's
    if not pending:
        return
    known = [seconds for plan, stage in pending.values() if (seconds := expected_seconds(plan, stage))]
    unknown = len(pending) - len(known)
    told = f"about {sum(known) / 60:.0f} min of one worker, as long as the shipped ones took" if known else ""
    left = f"{unknown} of unknown length" if unknown else ""
    console.print(f"To train: {', and '.join(filter(None, (told, left)))}.")


def _series(plan: DatasetPlan) -> list[Series]:
    """Files of prepared data that a plan needs."""
    training = plan.training.series("train", "validation") if plan.to_train else []
    return training + plan.test.series("test")


class Bars:
    """Progress bars: one a download, one a preparation, one a worker's task."""

    def __init__(self) -> None:
        self.progress = Progress(
            TextColumn("{task.description}"), BarColumn(bar_width=24), TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TimeElapsedColumn(), TimeRemainingColumn(compact=True), TextColumn("{task.fields[what]}"),
            console=console, refresh_per_second=4,
        )  # fmt: skip
        self.tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "Bars":
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def work(self, id: str, done: int, total: int, what: str) -> None:
        """A worker's report."""
        if id not in self.tasks:
            self.tasks[id] = self.progress.add_task(id, total=total, what=what)
        self.progress.update(self.tasks[id], completed=done, total=total, what=what)
        if done >= total:
            self.progress.update(self.tasks[id], visible=sum(not t.finished for t in self.progress.tasks) == 0)

    def count(self, id: str, done: int, total: int) -> None:
        """A count, such as prepared files."""
        self.work(id, done, total, "")

    def transfer(self, id: str, done: int, total: int) -> None:
        """A download in bytes."""
        self.work(f"download {id}", round(done / 1e6), max(1, round(total / 1e6)), "MB")


def show_results(request: Request, plans: list[DatasetPlan], compare: Path | None) -> None:
    """The table of each dataset, beside another's figures if asked."""
    from bench.report import summary

    for dataset, profile in dict.fromkeys((plan.dataset, plan.settings.profile) for plan in plans):
        beside = compare if compare and compare.resolve() != request.results.resolve() else None
        console.print(summary(request.results, dataset, profile, beside))


def fetch(names: Iterable[str]) -> None:
    """Download with a bar."""
    wanted = assets.expand(names)
    with Bars() as bars:
        for name in wanted:
            assets.fetch(name, bars.transfer)
    console.print(f"{len(wanted)} files in {layout.cache_folder()}", soft_wrap=True)


def written(paths: list[Path]) -> None:
    """Say what a report wrote."""
    index = [path for path in paths if path.name == "index.html"]
    console.print(f"wrote {len(paths)} files; open {index[0] if index else paths[0]}", soft_wrap=True)


def show_catalogue(what: str, rows: list[dict[str, Any]]) -> None:
    """Print a table of the entries' plain fields."""
    if not rows:
        raise UserError(f"There are no {what}.")
    table = Table(title=what, title_justify="left")
    columns = [key for key, value in rows[0].items() if not isinstance(value, dict) and key not in ("file", "stages")]
    for column in columns:
        counted = column == "parameters"
        table.add_column(
            column, justify="right" if counted else "left", overflow="fold" if column == "id" else "ellipsis"
        )
    for row in rows:
        table.add_row(*(_cell(row[column]) for column in columns))
    Console(file=sys.stdout).print(table)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)


def speed(threads: int) -> None:
    """Print how many times faster than others the physics is."""
    import torch

    from bench.authoring.speed import compare

    torch.set_num_threads(threads)
    table = Table(
        title=f"{threads} thread{'s' if threads > 1 else ''}; ratio above 1: faster than the other",
        title_justify="left",
    )
    for column in ("what", "against", "ms", "other's ms", "ratio"):
        table.add_column(column, justify="left" if column in ("what", "against") else "right")
    for row in compare():
        table.add_row(row.what, row.against, f"{1e3 * row.ours:.1f}", f"{1e3 * row.theirs:.1f}", f"{row.ratio:.1f}")
    console.print(table)
