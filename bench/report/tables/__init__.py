"""The tables: the main one, and the list of those beside it."""

from bench.report.read.results import DatasetResults
from bench.report.tables import details, differences, paper, propagation, spectra
from bench.report.tables.main import Table

BESIDE_MAIN = (differences.table, propagation.table, spectra.table, details.table, paper.table)
"""Makers of a table each, in the order in which the report shows them."""


def beside_main(results: DatasetResults) -> list[Table]:
    """Every table beside the main one for which there are rows."""
    return [table for make in BESIDE_MAIN if (table := make(results)) and table.rows]
