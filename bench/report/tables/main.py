"""The main table: one row a method. What it says, not how it is written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pandas as pd

from bench.report.read.results import Block, Run
from bench.report.statistics import Interval, bootstrap, holm, paired_tests
from bench.store.files import DETAILS, ROW_KEY, SCORES

ALL = (*SCORES, *DETAILS)
MAIN = ("psnr", "ssim", "lpips", "nmse")
HIGHER = {score: not score.startswith(("lpips", "nmse", "wall", "lumen")) for score in ALL}
DIGITS = {score: 2 if score.startswith(("psnr", "wall", "lumen")) else 4 for score in ALL}
NAMES = {
    "psnr": "PSNR", "ssim": "SSIM", "lpips": "LPIPS", "nmse": "NMSE",
    "psnr_fg": "PSNR fg", "ssim_fg": "SSIM fg", "psnr_lr": "LR PSNR",
    "psnr_oracle_fed": "PSNR oracle-fed", "nmse_oracle_fed": "NMSE oracle-fed",
    "psnr_boundary": "PSNR boundary", "psnr_flat": "PSNR flat",
    "wall_mm_error": "wall error", "lumen_contrast_error_percent": "lumen contrast error",
}  # fmt: skip
UNITS = {score: "dB" for score in ALL if score.startswith("psnr")}
UNITS |= {"wall_mm_error": "mm", "lumen_contrast_error_percent": "%"}


def label(score: str) -> str:
    """ "PSNR, dB"."""
    return NAMES[score] + (f", {UNITS[score]}" if score in UNITS else "")


TITLES = {score: f"{label(score)} {'↑' if HIGHER[score] else '↓'}" for score in NAMES}
HEADER = [
    "method", "group", *(TITLES[s] for s in MAIN), "n slices", "n subjects", "s / slice", "peak MB", "parameters", "GMAC",
]  # fmt: skip
MISSING = "–"
TIED = "†"
ALPHA = 0.05


@dataclass(frozen=True)
class Table:
    """A table beside the main one: `name` is that of its files; cells are text as printed."""

    name: str
    caption: str
    header: list[str]
    rows: list[list[str]]
    notes: list[str]


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
    gmac: float
    status: str
    reason: str | None
    by_slice: pd.DataFrame = field(repr=False, compare=False)  # index ROW_KEY, a column a score: the mean over seeds


@lru_cache(maxsize=64)
def lines(block: Block, contrast: str | None = None) -> tuple[Line, ...]:
    """Rows in table order; slices of all seeds and folds together. Remembered: every table starts from them."""
    return tuple(_line(block.of(id), contrast) for id in block.methods())


def _line(runs: list[Run], contrast: str | None) -> Line:
    done = [run for run in runs if run.rows is not None]
    first = (done or runs)[0]
    identity = (first.method, str(first.record["group"]))
    rows = pd.concat([run.rows for run in done if run.rows is not None]) if done else None
    if rows is not None and contrast:
        rows = rows[rows["contrast"] == contrast]
    if rows is None or rows.empty:
        nothing, nan = dict.fromkeys(HIGHER, float("nan")), float("nan")
        status, reason = ("no rows", None) if done else (str(first.record["status"]), first.record.get("reason"))
        empty = pd.DataFrame(columns=list(ALL), index=pd.MultiIndex.from_arrays([[]] * 3, names=ROW_KEY), dtype=float)
        return Line(*identity, nothing, nothing, 0, 0, nan, nan, first.parameters, nan, status, reason, empty)
    timing = [run.timing for run in done if run.timing is not None]
    times = pd.concat(timing) if timing else pd.DataFrame()
    times = times.reindex(columns=["seconds", "peak_memory_mb", "gmac"]).astype(float)
    return Line(
        *identity,
        {score: float(rows[score].mean()) for score in HIGHER},
        {score: float(rows[score].std(ddof=0)) for score in HIGHER},
        len(rows.drop_duplicates(ROW_KEY)),
        rows["subject"].nunique(),
        float(times["seconds"].median()),
        float(times["peak_memory_mb"].max()),
        first.parameters,
        float(times["gmac"].max()),
        "done",
        None,
        rows.groupby(ROW_KEY)[list(ALL)].mean(),
    )


def interval(line: Line, score: str) -> Interval | None:
    """95 % interval of a method's mean; None where it has no such score."""
    scores = line.by_slice[score].dropna()
    if scores.empty:
        return None
    return _bootstrap(tuple(scores), tuple(scores.index.get_level_values("subject")))


@lru_cache(maxsize=4096)
def _bootstrap(values: tuple[float, ...], subjects: tuple[str, ...]) -> Interval:
    """Remembered: the same figures stand in a table's Markdown, CSV, LaTeX and HTML."""
    return bootstrap(values, subjects)


def differences(one: Line, other: Line, score: str) -> "pd.Series[float]":
    """One minus other on the slices they share, the index ROW_KEY; empty if there are none."""
    return (one.by_slice[score] - other.by_slice[score]).dropna()


def best(table: Sequence[Line], score: str) -> set[str]:
    """Methods with the best printed mean; bounds are not ranked."""
    ranked = {line.method: round(line.means[score], DIGITS[score]) for line in table if line.group != "bound"}
    ranked = {method: mean for method, mean in ranked.items() if not np.isnan(mean)}
    if not ranked:
        return set()
    top = max(ranked.values()) if HIGHER[score] else min(ranked.values())
    return {method for method, mean in ranked.items() if mean == top}


def tied(table: Sequence[Line], score: str) -> set[str]:
    """Methods that cannot be told apart from the best one, without it; bounds are not ranked.

    Paired t-test on the shared slices: over subjects with three or more, else over slices; Holm over the methods.
    """
    ranked = [line for line in table if line.group != "bound" and not np.isnan(line.means[score])]
    if len(ranked) < 2:
        return set()
    top = (max if HIGHER[score] else min)(ranked, key=lambda line: line.means[score])
    others = [line for line in ranked if line is not top]
    adjusted = holm([_p(differences(top, line, score)) for line in others])
    return {line.method for line, p in zip(others, adjusted, strict=True) if not p < ALPHA}


def _p(difference: "pd.Series[float]") -> float:
    if difference.empty:
        return float("nan")
    return paired_tests(difference.to_numpy(), difference.index.get_level_values("subject").to_list()).t


def cell(line: Line, score: str) -> str:
    """Mean ± std over slices."""
    if np.isnan(line.means[score]):
        return MISSING
    return f"{line.means[score]:.{DIGITS[score]}f} ± {line.stds[score]:.{DIGITS[score]}f}"


def bracket(line: Line, score: str) -> str:
    """The interval of the mean in brackets, or nothing."""
    found = interval(line, score)
    return f"[{number(found.low, DIGITS[score])}, {number(found.high, DIGITS[score])}]" if found else ""


def number(value: float, digits: int, sign: str = "") -> str:
    """Fixed digits, or a dash; `sign="+"` for differences. Never "-0.00"."""
    return MISSING if np.isnan(value) else f"{round(value, digits) + 0.0:{sign}.{digits}f}"


def significant(value: float, digits: int = 3) -> str:
    """That many significant digits, never an exponent, or a dash."""
    if np.isnan(value):
        return MISSING
    return f"{value:.{max(0, digits - 1 - int(np.floor(np.log10(value))))}f}" if value > 0 else "0"


def body(
    table: Sequence[Line], bold: Callable[[str], str], plain: Callable[[str], str] = lambda text: text
) -> list[list[str]]:
    """Cells of every row, in the order of `HEADER`."""
    winners = {score: best(table, score) for score in MAIN}
    ties = {score: tied(table, score) - winners[score] for score in MAIN}

    def scored(line: Line, score: str) -> str:
        mark = TIED if line.method in ties[score] else ""
        text = f"{cell(line, score)} {bracket(line, score)}".strip() + mark
        return (bold if line.method in winners[score] else plain)(text)

    rows = []
    for line in table:
        if line.status != "done":
            rows.append(
                [plain(text) for text in (line.method, line.group, line.status, *[MISSING] * (len(HEADER) - 3))]
            )
        else:
            counts = (str(line.slices), str(line.subjects))
            cost = (number(line.seconds, 3), number(line.memory_mb, 0), f"{line.parameters:,}", significant(line.gmac))
            scores = [scored(line, score) for score in MAIN]
            rows.append([plain(line.method), plain(line.group), *scores, *map(plain, (*counts, *cost))])
    return rows
