"""These figures beside those of other results, such as the reference's; and the tables for the terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Group
from rich.table import Table

from bench.errors import UserError
from bench.report.read.results import collect
from bench.report.tables.captions import caption, notes
from bench.report.tables.main import DIGITS, NAMES, TITLES, Line, best, lines, number

COMPARED = ("psnr", "ssim", "lpips")
COMPARED_DIGITS = {"psnr": 2, "ssim": 3, "lpips": 3}  # nine columns in 80 characters


@dataclass(frozen=True)
class Beside:
    """A method's means here and there; nan where one side has none."""

    method: str
    ours: dict[str, float]
    theirs: dict[str, float]
    same_slices: bool  # as many, that is

    def difference(self, score: str) -> float:
        """Ours minus theirs."""
        return self.ours[score] - self.theirs[score]


def compare(table: Sequence[Line], reference: Sequence[Line]) -> list[Beside]:
    """Methods that both tables have, in the order of the first."""
    others = {line.method: line for line in reference}
    return [
        Beside(line.method, line.means, others[line.method].means, line.slices == others[line.method].slices)
        for line in table
        if line.method in others
    ]


def summary(results: Path, dataset: str, profile: str, beside: Path | None = None) -> Table | Group:
    """The table for the terminal; with `beside`, a second one with those results' means and the difference.

    Raises
    ------
    UserError
        If `results` holds no such runs or a file is damaged; `beside` may lack them.
    """
    block = collect(results, dataset, profile)[0]
    table = lines(block)
    main = _new(caption(block), ("method", *(TITLES[s] for s in (*COMPARED, "psnr_lr")), "s / slice"))
    winners = {score: best(table, score) for score in DIGITS}
    for line in table:
        cells = [number(line.means[s], DIGITS[s]) for s in (*COMPARED, "psnr_lr")]
        for i, score in enumerate(COMPARED):
            if line.method in winners[score]:
                cells[i] = f"[bold]{cells[i]}[/bold]"
        main.add_row(
            line.method, *([line.status, *cells[1:]] if line.status != "done" else cells), number(line.seconds, 3)
        )
    missing = [
        note for note in notes(block, table) if note.startswith(("LPIPS: skipped", *(f"{m}:" for m in block.methods())))
    ]
    main.caption, main.caption_justify = "\n".join(missing) or None, "left"
    if beside is None:
        return main
    try:
        reference = lines(collect(beside, dataset, profile)[0])
    except UserError as error:
        main.caption = "\n".join([*missing, f"nothing to compare with: {error}"])
        return main
    return Group(main, _side_by_side(compare(table, reference), beside))


def _side_by_side(pairs: list[Beside], beside: Path) -> Table:
    titles = [title for s in COMPARED for title in (NAMES[s], "there", "diff.")]
    table = _new(f"beside {beside}", ("method", *titles))
    table.padding = (0, 0, 0, 0)  # ten columns in 80 characters
    for pair in pairs:
        cells = []
        for score in COMPARED:
            digits = COMPARED_DIGITS[score]
            cells += [number(pair.ours[score], digits), number(pair.theirs[score], digits)]
            cells.append(number(pair.difference(score), digits, "+"))
        table.add_row(pair.method + ("" if pair.same_slices else " *"), *cells)
    if not all(pair.same_slices for pair in pairs):
        table.caption, table.caption_justify = "* not the same number of slices: the difference means little", "left"
    return table


def _new(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column(columns[0], no_wrap=True)
    for column in columns[1:]:
        table.add_column(column, justify="right", no_wrap=True)
    return table
