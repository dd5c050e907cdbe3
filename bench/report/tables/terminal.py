"""The tables for the terminal: these figures, and beside them those of other results, such as the reference's."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from bench.errors import UserError
from bench.metrics.scores import BY_ID
from bench.report.claims import judge
from bench.report.read.results import DatasetResults, collect
from bench.report.tables.captions import caption_of_means, not_computed, timed_busy, unequal, unfinished
from bench.report.tables.main import best, lines, mean, number, ranked, time_of
from bench.report.tables.verdict import headline

SHOWN = ("psnr_fg", "lpips_fg", "psnr", "ssim", "lpips")
COMPARED = ("psnr_fg", "psnr", "lpips")
COMPARED_DIGITS = {"psnr_fg": 2, "psnr": 2, "lpips": 3}  # nine columns in 80 characters


@dataclass(frozen=True)
class Beside:
    """A method's means here and there; nan where one side has none."""

    method: str
    """Its id."""
    ours: dict[str, float]
    """By score."""
    theirs: dict[str, float]
    """By score."""
    same_data: bool
    """Whether both are over the same slices of the same people, prepared alike, by networks of the same seeds."""

    def difference(self, score: str) -> float:
        """Ours minus theirs."""
        return self.ours[score] - self.theirs[score]


def compare(ours: DatasetResults, theirs: DatasetResults) -> list[Beside]:
    """Methods that both have, in the order of the first."""
    others = {line.method: line for line in lines(theirs) if line.done}
    pairs = [(line, others[line.method]) for line in lines(ours) if line.method in others]
    return [
        Beside(
            line.method,
            line.means,
            other.means,
            line.by_slice.index.equals(other.by_slice.index) and _data(ours, line.method) == _data(theirs, line.method),
        )
        for line, other in pairs
    ]


def _of_same_runs(ours: DatasetResults, theirs: DatasetResults) -> DatasetResults:
    """Of theirs the folds that ours have, and of each method the seeds, where it has any of them."""
    theirs = theirs.in_folds(ours.folds)
    shared = {method: _seeds(ours, method) & _seeds(theirs, method) for method in theirs.methods()}
    runs = (run for run in theirs.runs if not shared[run.method] or run.record.seed in shared[run.method])
    return replace(theirs, runs=tuple(runs))


def _seeds(results: DatasetResults, method: str) -> set[int]:
    return {run.record.seed for run in results.of(method) if run.record.done}


def _data(results: DatasetResults, method: str) -> set[tuple[str, str, int, int]]:
    records = (run.record for run in results.of(method) if run.record.done)
    return {(record.source, record.keys.data, record.fold, record.seed) for record in records}


def summary(results: Path, dataset: str, profile: str, beside: Path | None = None) -> Table | Group:
    """The table for the terminal, best first, and the verdict; with `beside`, a second table: those means and the difference.

    Raises
    ------
    UserError
        If `results` holds no such runs or a file is damaged; `beside` may lack them.
    """
    everything = collect(results, dataset, profile)[0]
    found = everything.same_people
    table = ranked(lines(found))
    main = _new(caption_of_means(found), ("method", *(BY_ID[score].name for score in SHOWN), "s / slice"))
    winners = {score: best(table, score) for score in SHOWN}
    for line in table:
        cells = [mean(line, score) for score in SHOWN]
        for i, score in enumerate(winners):
            if line.method in winners[score]:
                cells[i] = f"[bold]{cells[i]}[/bold]"
        main.add_row(line.method, *(cells if line.done else [line.status, *cells[1:]]), time_of(line))
    missing = [*_whose_stages(found), *not_computed(found), *unequal(found), *timed_busy(table), *unfinished(found)]
    second = None
    if beside is not None:
        try:
            there = _of_same_runs(found, collect(beside, dataset, profile)[0]).same_people
            second = _side_by_side(compare(found, there), beside)
        except UserError as error:
            missing.append(f"nothing to compare with: {error}")
    main.caption, main.caption_justify = escape("\n".join(missing)) or None, "left"
    verdict = judge(everything)
    parts: list[RenderableType] = [main]
    if verdict.made:
        parts += [Text("\n".join(headline(everything, verdict)), overflow="fold"), ""]
    if second:
        parts.append(second)
    return Group(*parts) if len(parts) > 1 else main


def _whose_stages(results: DatasetResults) -> list[str]:
    others = sorted({run.record.stages_of for run in results.done if run.record.stages_of})
    return [f"Networks are those of {', '.join(others)}, trained on other people."] if others else []


def _side_by_side(pairs: list[Beside], beside: Path) -> Table:
    titles = [title for s in COMPARED for title in (BY_ID[s].name, "there", "diff.")]
    table = _new(f"beside {beside}", ("method", *titles))
    table.padding, table.show_edge = (0, 0, 0, 0), False  # ten columns in 80 characters
    for pair in pairs:
        cells = []
        for score in COMPARED:
            digits = COMPARED_DIGITS[score]
            cells += [number(pair.ours[score], digits), number(pair.theirs[score], digits)]
            cells.append(number(pair.difference(score), digits, "+"))
        table.add_row(pair.method + ("" if pair.same_data else " *"), *cells)
    if not all(pair.same_data for pair in pairs):
        table.caption, table.caption_justify = (
            "* other people, slices, seeds or data: the difference means little",
            "left",
        )
    return table


def _new(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=escape(title), title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column(columns[0], no_wrap=True)
    for column in columns[1:]:
        table.add_column(column, justify="right", no_wrap=True)
    return table
