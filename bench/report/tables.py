"""The main table: one row a method. What it says, not how it is written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench.report.collect import Block, Run
from bench.store import ROW_KEY

HIGHER = {"psnr": True, "ssim": True, "lpips": False, "nmse": False, "psnr_fg": True, "ssim_fg": True, "psnr_lr": True}
DIGITS = {"psnr": 2, "ssim": 4, "lpips": 4, "nmse": 4, "psnr_fg": 2, "ssim_fg": 4, "psnr_lr": 2}
NAMES = {
    "psnr": "PSNR", "ssim": "SSIM", "lpips": "LPIPS", "nmse": "NMSE",
    "psnr_fg": "PSNR fg", "ssim_fg": "SSIM fg", "psnr_lr": "LR PSNR",
}  # fmt: skip
UNITS = {"psnr": "dB", "psnr_fg": "dB", "psnr_lr": "dB"}
TITLES = {s: f"{name}{', ' + UNITS[s] if s in UNITS else ''} {'↑' if HIGHER[s] else '↓'}" for s, name in NAMES.items()}
HEADER = ["method", "group", *TITLES.values(), "n slices", "n subjects", "s / slice", "peak MB", "parameters"]
MISSING = "–"


@dataclass(frozen=True)
class Line:
    """One method."""

    method: str
    group: str
    means: dict[str, float]
    stds: dict[str, float]
    slices: int
    subjects: int
    seconds: float
    memory_mb: float
    parameters: int
    status: str
    reason: str | None


def lines(block: Block, contrast: str | None = None) -> list[Line]:
    """Rows in table order; slices of all seeds and folds together."""
    return [_line(block.of(id), contrast) for id in block.methods()]


def _line(runs: list[Run], contrast: str | None) -> Line:
    done = [run for run in runs if run.rows is not None]
    first = (done or runs)[0]
    identity = (first.method, str(first.record["group"]))
    rows = pd.concat([run.rows for run in done if run.rows is not None]) if done else None
    if rows is not None and contrast:
        rows = rows[rows["contrast"] == contrast]
    if rows is None or rows.empty:
        nothing = dict.fromkeys(HIGHER, float("nan"))
        status, reason = ("no rows", None) if done else (str(first.record["status"]), first.record.get("reason"))
        return Line(*identity, nothing, nothing, 0, 0, float("nan"), float("nan"), first.parameters, status, reason)
    timing = [run.timing for run in done if run.timing is not None]
    times = pd.concat(timing) if timing else pd.DataFrame({"seconds": [np.nan], "peak_memory_mb": [np.nan]})
    return Line(
        *identity,
        {score: float(rows[score].mean()) for score in HIGHER},
        {score: float(rows[score].std(ddof=0)) for score in HIGHER},
        len(rows.drop_duplicates(ROW_KEY)),
        rows["subject"].nunique(),
        float(times["seconds"].median()),
        float(times["peak_memory_mb"].max()),
        first.parameters,
        "done",
        None,
    )


def best(table: Sequence[Line], score: str) -> set[str]:
    """Methods with the best printed mean; bounds are not ranked."""
    ranked = {line.method: round(line.means[score], DIGITS[score]) for line in table if line.group != "bound"}
    ranked = {method: mean for method, mean in ranked.items() if not np.isnan(mean)}
    if not ranked:
        return set()
    top = max(ranked.values()) if HIGHER[score] else min(ranked.values())
    return {method for method, mean in ranked.items() if mean == top}


def cell(line: Line, score: str) -> str:
    """Mean ± std over slices."""
    if np.isnan(line.means[score]):
        return MISSING
    return f"{line.means[score]:.{DIGITS[score]}f} ± {line.stds[score]:.{DIGITS[score]}f}"


def number(value: float, digits: int, sign: str = "") -> str:
    """Fixed digits, or a dash; `sign="+"` for differences. Never "-0.00"."""
    return MISSING if np.isnan(value) else f"{round(value, digits) + 0.0:{sign}.{digits}f}"


def body(
    table: Sequence[Line], bold: Callable[[str], str], plain: Callable[[str], str] = lambda text: text
) -> list[list[str]]:
    """Cells of every row, in the order of `HEADER`."""
    winners = {score: best(table, score) for score in HIGHER}
    rows = []
    for line in table:
        if line.status != "done":
            rows.append(
                [plain(text) for text in (line.method, line.group, line.status, *[MISSING] * (len(HEADER) - 3))]
            )
        else:
            scores = [(bold if line.method in winners[s] else plain)(cell(line, s)) for s in HIGHER]
            counts = (str(line.slices), str(line.subjects))
            cost = (number(line.seconds, 3), number(line.memory_mb, 0), f"{line.parameters:,}")
            rows.append([plain(line.method), plain(line.group), *scores, *map(plain, (*counts, *cost))])
    return rows
