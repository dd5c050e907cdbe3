"""The tables: the main one, and the list of those beside it."""

from bench.report.read.results import DatasetResults
from bench.report.tables import answer, details, differences, folds, paper, propagation, spectra, speed, stages
from bench.report.tables.main import Table

__all__ = ["answer", "beside_main", "speed"]

OF_ALL = (folds.table, differences.table)
"""Makers of a table each, of everything there is."""
OF_SAME_PEOPLE = (propagation.table, spectra.table, details.table, stages.table, paper.table)
"""Makers of a table each in which methods stand beside each other, so that all need the same people."""


def beside_main(results: DatasetResults) -> list[Table]:
    """Every table beside the main one for which there are rows, in the order in which the report shows them."""
    made = [*(make(results) for make in OF_ALL), *(make(results.same_people) for make in OF_SAME_PEOPLE)]
    return [table for table in made if table and table.rows]
