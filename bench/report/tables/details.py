"""Scores of parts of the image, and of the LR image on the way."""

from collections.abc import Sequence

import numpy as np

from bench.metrics import vessels
from bench.metrics.scores import BY_ID
from bench.report.read.results import DatasetResults
from bench.report.tables.captions import about, counted, identities, unfinished
from bench.report.tables.main import MISSING, Line, Table, cell, lines

DETAILED = (
    "psnr_fg",
    "ssim_fg",
    "lpips_fg",
    "nmse",
    "psnr_boundary",
    "psnr_flat",
    "psnr_lr",
    "residual",
    *vessels.COLUMNS,
)


def table(results: DatasetResults) -> Table | None:
    """A row a method; None where none has rows."""
    done = [line for line in lines(results) if line.done]
    if not done:
        return None
    shown = [score for score in DETAILED if any(not np.isnan(line.means[score]) for line in done)]
    header = ["method", "group", *(BY_ID[score].title for score in shown), "n slices", "n people"]
    rows = [
        [line.method, line.group, *(cell(line, score) for score in shown), str(line.slices), str(line.subjects)]
        for line in done
    ]
    said = (
        f"{about(results)} Inside the head (fg), at tissue boundaries, in flat tissue, and of the LR image on the way: mean "
        "over people ± standard deviation over slices. Bounds stand last and are not ranked."
    )
    without = [line.method for line in done if np.isnan(line.means["psnr_lr"])]
    missing = [f"LR PSNR {MISSING}: no LR image on the way ({', '.join(without)})."] if without else []
    notes = [*identities(results, shown), *_vessels(done), *missing, *unfinished(results)]
    return Table("details", said, header, rows, notes)


def _vessels(done: Sequence[Line]) -> list[str]:
    """Over how many slices the errors of vessels are averaged."""
    column = vessels.COLUMNS[0]
    most = max(int(line.by_slice[column].count()) for line in done)
    names = ", ".join(BY_ID[score].name for score in vessels.COLUMNS)
    return [f"{names}: over the {counted(most, 'slice')} whose truth shows known vessels."] if most else []
