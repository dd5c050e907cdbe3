"""Validation scores while stages were trained."""

from dataclasses import dataclass

import pandas as pd

from bench.report.read.results import DatasetResults
from bench.store.layout import StageFolder
from bench.store.records import StageRecord
from bench.store.tables import read_table

CRITIC = "critic-accuracy"


@dataclass(frozen=True)
class Curve:
    """One stage, seed and fold."""

    stage: str
    """Its id."""
    replicate: str
    """Its seed and fold, as its folder is called."""
    rows: pd.DataFrame
    """step, phase, psnr, and lpips and critic-accuracy where they were measured."""
    best_step: int | None
    """Whose weights were taken; None before training has ended."""


def read_curves(results: DatasetResults) -> list[Curve]:
    """Every stage of a dataset that keeps a curve, by name, seed and fold.

    Raises
    ------
    UserError
        If a file is damaged.
    """
    return [_read(folder) for folder in results.folder.curves(results.dataset, results.profile)]


def _read(folder: StageFolder) -> Curve:
    remedy = "delete it, and the figure is made without it"
    rows = read_table(folder.curve, ("step", "phase", "psnr"), ("step", "psnr", "lpips", CRITIC), remedy)
    best = StageRecord.read(folder.record).best_step if folder.record.exists() else None
    return Curve(folder.stage, folder.path.name, rows, best)
