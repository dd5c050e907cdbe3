"""Pages that hold the tables, figures and verdicts of all datasets."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bench.report.claims import Verdict
from bench.report.figures.drawing import Picture
from bench.report.read.images import KeptImages
from bench.report.read.results import DatasetResults
from bench.report.tables.main import Table


@dataclass(frozen=True)
class Answer:
    """What a reader sees first, over all datasets."""

    sentence: str
    """Who is ahead."""
    where: Sequence[str]
    """Over cells of acceleration, coils and noise."""
    comparisons: Sequence[str]
    """A sentence for each declared one."""
    limits: Sequence[str]
    """What it does not reach."""
    rows: Table | None
    """A few methods."""
    picture: Picture | None
    """The declared comparisons, each person a dot."""
    claims: pd.DataFrame
    """What it is drawn of: `figures.answer.claims`."""


@dataclass(frozen=True)
class Section:
    """The results of one dataset and profile, with what was made of them."""

    results: DatasetResults
    """Rows and records."""
    verdict: Verdict
    """What is claimed."""
    images: KeptImages
    """Of the slices that were kept."""
    pictures: Sequence[Picture]
    """Figures on disk."""
    tables: Sequence[Table]
    """Those beside the main one."""
    folder: Path
    """Where its files lie."""
