"""What people see while it works: plans, progress with ETA, tables."""

import gc
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Table

from bench.data import assets
from bench.data.dataset import Series
from bench.data.packages import ASSETS, GROUPS
from bench.data.people import Splitting
from bench.errors import UserError
from bench.progress import duration, say, show, shown
from bench.run.estimate import estimate
from bench.run.execute import Callbacks, execute
from bench.run.plan import DatasetPlan, StagePlan, make_plan, needed_assets
from bench.run.request import Request, check_writable
from bench.store import layout
from bench.store.layout import ResultsFolder
from bench.workers import Outcome

if TYPE_CHECKING:
    from bench.run.exchange import Row, Wanted


def choose_device(device: str) -> str:
    """Resolve "auto": the GPU if there is one."""
    if device != "auto":
        return device
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def run(request: Request, dry_run: bool, compare: Path | None) -> int:
    """Plan, print, execute, summarise; the exit code."""
    if compare is not None and not ResultsFolder(compare).runs():
        raise UserError(f"--compare {compare} holds no runs.")
    plans = make_plan(request)
    show_plan(plans)
    _show_estimate(request, plans)
    if not request.weights and layout.shipped() is None and any(plan.to_train for plan in plans):
        say("There are no shipped weights outside of a checkout: --weights DIR names results that have them.")
    if dry_run:
        return 0
    with shown() as bars:
        outcomes = execute(request, plans, Callbacks(bars.transfer, bars.count, say, bars.work, bars.end))
    show_results(request, plans, compare)
    return _show_failures(outcomes)


def _show_failures(outcomes: Mapping[str, Outcome]) -> int:
    """The last lines: what is not done, why, and what to type; the exit code."""
    lost = {id: outcome for id, outcome in outcomes.items() if outcome.status != "done"}
    for id, outcome in lost.items():
        say(f"{outcome.status} {id}: {outcome.reason}")
    if lost:
        say(
            f"{len(lost)} of {len(outcomes)} are not done: mend that and type the same command again; what is done, stays."
        )
    return 1 if lost else 0


def show_plan(plans: list[DatasetPlan]) -> None:
    """Stages found or to train, rows to compute, downloads, disk."""
    table = Table(title="Plan", title_justify="left")
    for column in ("dataset", "fold", "seed", "stages found", "stages to train", "rows found", "rows to compute"):
        table.add_column(column, overflow="fold")
    for plan in plans:
        evaluated, found = len(plan.to_evaluate), sum(stage.found is not None for stage in plan.stages.values())
        counts = (plan.fold, plan.seed, found, len(plan.to_train), len(plan.rows) - evaluated, evaluated)
        table.add_row(plan.dataset, *map(str, counts))
    show(table)
    for what, names in (
        ("Stages to train", _stages(plans, tuned=False)),
        ("Stages to tune", _stages(plans, tuned=True)),
        ("Rows to compute", [row.method.id for p in plans for row in p.to_evaluate]),
    ):
        if names:
            say(f"{what}: {', '.join(dict.fromkeys(names))}.")
    said = [remark for plan in plans for data in (plan.test, plan.training) for remark in data.remarks()]
    said += [edge for plan in plans for stage in plan.stages.values() for edge in _at_edge(stage)]
    for remark in dict.fromkeys(said):
        say(remark)
    downloads = needed_assets(plans)
    if downloads:
        size = sum(assets.size_mb(name) for name in downloads)
        say(f"To download: {', '.join(downloads)} (about {size:.0f} MB).")
    if any(plan.to_evaluate for plan in plans):
        series = {series.path: series for plan in plans for series in _series(plan)}.values()
        slices, megabytes = sum(s.count for s in series), sum(s.megabytes for s in series)
        where = layout.cache_folder()
        say(f"Prepared data: {slices} slices, at most {megabytes:.0f} MB in {where}.")


def _stages(plans: list[DatasetPlan], tuned: bool) -> list[str]:
    return [f"{p.training.name}: {s.stage.id}" for p in plans for s in p.to_train if s.stage.plugin.tuned == tuned]


def _at_edge(stage: StagePlan) -> list[str]:
    record = stage.record
    names = record.at_edge if record else ()
    return [
        f"{stage.stage.id}: {name} was tuned to the edge of its grid, beyond which nobody looked." for name in names
    ]


def _show_estimate(request: Request, plans: list[DatasetPlan]) -> None:
    """How long it will take."""
    found = estimate(plans, request.timing, request.device)
    parts = {"training": found.training, "evaluation": found.evaluation, "timing": found.timing}
    workers = min(request.jobs, max(1, sum(len(plan.to_train) + len(plan.to_evaluate) for plan in plans)))
    told = [f"{name} {duration(s / (1 if name == 'timing' else workers))}" for name, s in parts.items() if s]
    if told:
        workers_said = f" on {workers} workers" if workers > 1 else ""
        say(
            f"It takes about: {', '.join(told)}{workers_said}; as the shipped ones did, or a try of what is not shipped."
        )
    if not found.told and any(plan.to_evaluate or plan.to_time for plan in plans):
        say(f"Nobody can tell how long evaluation and timing take on {request.device}.")
    if found.unknown:
        say(f"Nobody can tell how long it takes to train: {', '.join(found.unknown)}.")


def _series(plan: DatasetPlan) -> list[Series]:
    """Files of prepared data that a plan needs."""
    training = plan.training.series("train", "validation") if plan.to_train else []
    return training + plan.test.series("test")


def show_results(request: Request, plans: list[DatasetPlan], compare: Path | None) -> None:
    """The table of each dataset, beside another's figures if asked."""
    from bench.report import summary

    for dataset, profile in dict.fromkeys((plan.dataset, plan.settings.profile) for plan in plans):
        beside = compare if compare and compare.resolve() != request.results.resolve() else None
        show(summary(request.results, dataset, profile, beside))


def fetch(names: Iterable[str]) -> None:
    """Download with a bar."""
    named = list(names)
    if not named:
        single = {name: (name,) for name in ASSETS if not any(name in members for members in GROUPS.values())}
        groups = {**GROUPS, **single}
        told = ", ".join(f"{name} ({sum(map(assets.size_mb, members)):.0f} MB)" for name, members in groups.items())
        raise UserError(f"bench fetch takes names: {told}, or all.")
    wanted = assets.expand([] if named == ["all"] else named)
    with shown() as bars:
        for name in wanted:
            assets.fetch(name, bars.transfer)
    say(f"{len(wanted)} files in {layout.cache_folder()}")


def report(results: Path, out: Path | None, pdf: bool) -> None:
    """Make a report and say what it wrote."""
    from bench.report import make_report

    gc.set_threshold(100_000)  # drawing makes many small objects: looking through them took a tenth of the time
    with shown() as bars:
        paths = make_report(results, out or ResultsFolder(results).report(), pdf, bars.count)
    index = [path for path in paths if path.name == "index.html"]
    say(f"wrote {len(paths)} files; open {index[0] if index else paths[0]}")


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
    show(table)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)


def check_data(paths: Sequence[Path], people: Path | None, as_json: bool) -> None:
    """Say what files hold; those that are no truth end the command, each with its reason."""
    from bench.data.importing import check, table_row

    with nullcontext() if as_json else shown() as bars:
        checked = check(paths, people, bars.count if bars else lambda *_: None)
    rows = [table_row(found) for found in checked.found]
    if as_json:
        damaged = [{"file": str(bad.path), "usable": False, "refusal": bad.reason} for bad in checked.unusable]
        print(json.dumps([*rows, *damaged], indent=1, allow_nan=False))
    elif rows:
        _show_found(rows)
    if not as_json:
        for double in checked.doubles:
            say(f"{double}.")
    refusals = checked.refusals
    if not rows and not refusals:
        raise UserError(f"There are no raw data in {', '.join(map(str, paths))}.")
    if refusals:
        if not as_json:
            for refusal in refusals[1:]:
                say(refusal)
        more = f" ({len(refusals)} files in all, named above)" if len(refusals) > 1 else ""
        raise UserError(f"{refusals[0]}{more}")


def _show_found(rows: list[dict[str, Any]]) -> None:
    """A table of scans, then a line each and what there is to say of it."""
    table = Table(title="What the files hold", title_justify="left", box=SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    for column in ("file", "person", "contrast", "slices", "coils", "matrix", "voxel, mm", "fit"):
        table.add_column(column, overflow="fold", no_wrap=column not in ("file", "person", "contrast"))
    for row in rows:
        voxel = "x".join(f"{mm:.3g}" for mm in row["voxel_mm"]) if row["voxel_mm"] else "unknown"
        table.add_row(
            escape(Path(row["file"]).name), escape(row["person"]), escape(row["contrast"]), str(row["slices"]),
            str(row["coils"] or "–"), "x".join(map(str, row["matrix"])), voxel, "yes" if row["usable"] else "no",
        )  # fmt: skip
    show(table)
    for row in rows:
        name, kept = Path(row["file"]).name, row["energy_kept_by_maps"]
        facts = [row["format"], row["precision"], f"image values up to about {row['scale']:.3g}"]
        if row["centre"] not in ("–", "?"):
            facts.append(f"DC in the {row['centre'].partition(',')[0]}")
        if kept is not None:
            facts.append(f"coil maps by ESPIRiT keep {kept:.1%} of its energy")
        say(f"{name}: {', '.join(facts)}.")
    _say_together((Path(row["file"]).name, remark) for row in rows for remark in row["remarks"])


def _say_together(remarks: Iterable[tuple[str, str]]) -> None:
    """What there is to say, each once, with the name of the file or their number."""
    names: dict[str, list[str]] = {}
    for name, remark in remarks:
        names.setdefault(remark.rstrip("."), []).append(name)
    for remark, of in names.items():
        say(f"{of[0] if len(of) == 1 else f'{len(of)} scans'}: {remark}.")


def import_data(paths: Sequence[Path], name: str, people: Path | None, splitting: Splitting, like: str | None) -> None:
    """Bring data in, and say what to type next."""
    from bench.data.imported import read_protocol
    from bench.data.importing import find
    from bench.data.importing import import_data as bring_in

    with shown() as bars:
        record, said = bring_in(paths, name, people, splitting, like, bars.count)
    folder = find(name)
    written = read_protocol(folder)
    for sentence in said:
        say(sentence)
    _say_together((f"{piece.person}, {piece.contrast}", remark) for piece in record.pieces for remark in piece.remarks)
    for split, ids in written.splits.items():
        say(f"{split}: {', '.join(ids) or 'nobody'}")
    say(f"'{name}' lies in {folder.path}; how it is acquired says {folder.protocol.name} there, which may be edited.")
    learns = written.splits["train"] and written.splits["validation"]
    how = "--methods all" if learns else "--methods all --stages-of vwi"
    say(f"now: bench run --dataset {name} {how}")


def list_data() -> None:
    """What was brought in, with people, contrasts, size and place."""
    from bench.data.imported import read_protocol, read_record

    own = layout.own_data()
    if not own:
        raise UserError("Nothing was imported yet: bench data import PATH --name NAME.")
    table = Table(title=f"Data in {layout.data_folder()}", title_justify="left", box=SIMPLE, pad_edge=False)
    for column in ("name", "kind", "train", "validation", "test", "contrasts", "slices", "matrix", "MB"):
        table.add_column(column, overflow="fold")
    for name, folder in own.items():
        try:
            record, written = read_record(folder), read_protocol(folder)
        except UserError as error:
            table.add_row(name, escape(str(error)))
            continue
        size = sum(path.stat().st_size for path in folder.path.rglob("*.h5")) / 1e6
        people = [str(len(ids)) for ids in written.splits.values()]
        contrasts = ", ".join(sorted({piece.contrast for piece in record.pieces}))
        matrix = " x ".join(map(str, written.protocol.matrix))
        slices = str(sum(piece.slices for piece in record.pieces))
        table.add_row(name, record.label, *people, escape(contrasts), slices, matrix, f"{size:.0f}")
    show(table)


def export(wanted: "Wanted", split: str, out: Path, with_truth: bool) -> None:
    """Write acquisitions for who reconstructs them elsewhere, and say what to type then."""
    from bench.run.exchange import export as write_acquisitions

    with shown() as bars:
        paths = write_acquisitions(wanted, split, out, with_truth, bars.count)
    say(
        f"wrote {len(paths)} files to {out}; images of the same names come back with: bench score NAME DIR --dataset "
        f"{wanted.dataset}"
    )


def score(row: "Row", folder: Path, wanted: "Wanted", results: Path) -> None:
    """Score images made elsewhere, and show the table that they are a row of."""
    from bench.report import summary
    from bench.run.exchange import score_images

    with shown() as bars:
        dataset = score_images(row, folder, wanted, results, bars.count)
    show(summary(results, dataset, Path(wanted.profile).stem, None))


def _both(cells: Sequence[str]) -> list[str]:
    """Ours / theirs, of cells in turn; one where they are alike missing."""
    return [a if a == b else f"{a} / {b}" for a, b in zip(cells[::2], cells[1::2], strict=True)]


def speed(only: str | None, as_json: bool, out: Path | None, threads: int | None, device: str) -> None:
    """Time parts against their peers; print ratios, or JSON; write the table."""
    from bench.report.tables.speed import cells
    from bench.speed.compare import REPEATS
    from bench.speed.parts import measure
    from bench.speed.table import path_of, save
    from bench.workers import pin

    cores = os.cpu_count() or 1
    if threads is not None and not 1 <= threads <= cores:
        raise UserError(f"--threads is at least 1 and at most {cores}, the cores there are; got {threads}.")
    if out is not None:
        check_writable("tables", out, "--out")
    most = threads or cores
    pin(most)
    keep = (lambda rows: save(rows, out, device)) if out is not None else (lambda _: None)
    if as_json:
        rows = measure(
            only, device, most, lambda done, total, what: print(f"{done}/{total} {what}", file=sys.stderr), keep
        )
    else:
        with shown() as bars:
            rows = measure(only, device, most, lambda done, total, what: bars.work("speed", done, total, what), keep)
    if out is not None:
        print(f"wrote {path_of(out, device)}", file=sys.stderr)
    if as_json:
        print(json.dumps([row.to_dict() for row in rows], indent=1))
        return
    table = Table(
        title=f"{device}; medians of {REPEATS}, in turn, ours / the peer's; ratio above 1: faster than the peer",
        title_justify="left", box=SIMPLE,
    )  # fmt: skip
    for column in ("part", "peer", "ratio", "spread", "ms", "threads", "peak MB", "differs"):
        table.add_column(column, justify="left" if column in ("part", "peer") else "right", overflow="fold")
    for row in rows:
        part, peer, _, ratio, *pairs, difference, _ = cells("", vars(row))
        table.add_row(part, peer, ratio, *_both(pairs), difference)
    show(table)
    for row in rows:
        if row.note:
            say(f"{row.part}, {row.peer}: {row.note}")
