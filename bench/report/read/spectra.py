"""`spectrum.csv` and `radial.csv`: where in k-space energy and error lie."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from bench.metrics.error import ENERGIES
from bench.report.read.results import DatasetResults
from bench.store.tables import ROW_KEY, read_table


def with_spectra(results: DatasetResults) -> DatasetResults:
    """The part of it that kept spectra: of committed results that is one fold."""
    kept = (run for run in results.done if run.folder.spectrum.exists() or run.folder.radial.exists())
    return replace(results, runs=tuple(kept))


def read_spectra(results: DatasetResults) -> pd.DataFrame:
    """Rows of `spectrum.csv` of all runs that have one: a row a method, seed, slice and region; empty if none has."""
    paths = [run.folder.spectrum for run in results.done]
    return _read(paths, [*ROW_KEY, "region", *ENERGIES, "coherence"])


def read_radial(results: DatasetResults) -> pd.DataFrame:
    """Mean energies by method, contrast and |k|: method, contrast, bin, k, the energies, slices, subjects.

    Runs of several folds are pooled, each weighted by its slices; of several seeds the mean is taken.
    """
    rows = _read([run.folder.radial for run in results.done], ["contrast", "bin", "k", *ENERGIES, "slices", "subjects"])
    if rows.empty:
        return rows
    weighted = rows.assign(**{energy: rows[energy] * rows["slices"] for energy in ENERGIES})
    by_seed = weighted.groupby(["method", "contrast", "bin", "k", "seed"])[[*ENERGIES, "slices", "subjects"]].sum()
    for energy in ENERGIES:
        by_seed[energy] /= by_seed["slices"]
    means = by_seed.groupby(["method", "contrast", "bin", "k"])
    counts = means[["slices", "subjects"]].max()
    return means[list(ENERGIES)].mean().join(counts).reset_index()


def _read(paths: Sequence[Path], columns: Sequence[str]) -> pd.DataFrame:
    columns = ["method", "seed", *columns]
    numbers = (*ENERGIES, "coherence", "slices", "subjects")
    found = [read_table(path, columns, numbers) for path in paths if path.exists()]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=columns)
