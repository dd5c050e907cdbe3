"""The main table of the methods that have rows of every fold, where not all do."""

from bench.report.read.results import DatasetResults
from bench.report.tables.captions import caption
from bench.report.tables.main import HEADER, Line, Table, body, lines

NAME = "folds"


def shown(results: DatasetResults) -> list[Line]:
    """Of the methods that have rows of every fold."""
    whole = set(results.with_every_fold())
    return [line for line in lines(results) if line.method in whole]


def table(results: DatasetResults) -> Table | None:
    """Means over all people; None where the main table says the same."""
    if results.same_people is results:
        return None
    rows = shown(results)
    others = [method for method in results.methods() if method not in {line.method for line in rows}]
    notes = [f"Without rows of every fold: {', '.join(others)}."]
    return Table(NAME, caption(results), HEADER, body(rows, str), notes)
