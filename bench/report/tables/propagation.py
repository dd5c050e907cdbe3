"""How much of a sequential method's error came with the reconstruction."""

import numpy as np
import pandas as pd

from bench.metrics.scores import BY_ID
from bench.report.read.results import DatasetResults
from bench.report.statistics import WITHIN, Interval
from bench.report.tables.captions import about, identities, unfinished
from bench.report.tables.main import MISSING, Line, Table, by_person, interval_of, lines, mean, number

FED = "psnr_oracle_fed"


def share(line: Line) -> "pd.Series[float]":
    """Slice by slice (NMSE in sequence - NMSE oracle-fed) / NMSE in sequence; empty without an oracle-fed run."""
    scores = line.by_slice[["nmse", "nmse_oracle_fed"]].dropna()
    scores = scores[scores["nmse"] > 0]
    return (scores["nmse"] - scores["nmse_oracle_fed"]) / scores["nmse"]


def propagated(line: Line) -> Interval | None:
    """Mean share over people, with its interval if there is one; None without an oracle-fed run."""
    shares = share(line)
    if shares.empty:
        return None
    mean = float(by_person(shares).mean())
    return interval_of(shares, line.test_share) or Interval(mean, float("nan"), float("nan"), WITHIN)


def table(results: DatasetResults) -> Table | None:
    """A row a method that has an LR image or an oracle-fed run; None if none has."""
    shown = [line for line in lines(results) if not (np.isnan(line.means["psnr_lr"]) and np.isnan(line.means[FED]))]
    if not shown:
        return None
    header = [
        "method", "group", BY_ID["psnr_lr"].title, BY_ID[FED].title, BY_ID["psnr"].title, "lost in sequence, dB",
        BY_ID["nmse_oracle_fed"].title, BY_ID["nmse"].title, "share propagated, %", "95 % low", "95 % high",
        "n slices", "n people",
    ]  # fmt: skip
    said = (
        f"{about(results)} Error propagation: the super-resolver of each sequential method in sequence (fed its "
        "reconstruction) and oracle-fed (fed the fully sampled LR image). Bounds stand last and are not ranked."
    )
    return Table("propagation", said, header, [_row(line) for line in shown], _notes(results, shown))


def _row(line: Line) -> list[str]:
    found = propagated(line)
    percent = [number(100 * v, 1) for v in (found.mean, found.low, found.high)] if found else [MISSING] * 3
    scores = [mean(line, score) for score in ("psnr_lr", FED, "psnr")]
    errors = [mean(line, score) for score in ("nmse_oracle_fed", "nmse")]
    lost = number(line.means[FED] - line.means["psnr"], 2)
    return [line.method, line.group, *scores, lost, *errors, *percent, str(line.slices), str(line.subjects)]


def _notes(results: DatasetResults, shown: list[Line]) -> list[str]:
    notes = [
        "Share propagated: (NMSE in sequence - NMSE oracle-fed) / NMSE in sequence, mean over people. Negative: the "
        "super-resolver does better on its reconstruction's images, which it was trained on, than on error-free ones.",
        "LR PSNR: the reconstruction on the way; a joint method's is inside it, with no super-resolver to feed apart.",
    ]
    found = [interval for interval in map(propagated, shown) if interval]
    if any(interval.scope == WITHIN for interval in found):
        notes.append(f"Intervals: {WITHIN}.")
    named = {line.method for line in shown}
    without = [line.method for line in lines(results) if line.done and line.method not in named]
    if without:
        notes.append(f"Not shown, with neither an LR image nor an oracle-fed run: {', '.join(without)}.")
    return [*notes, *identities(results, (FED, "nmse_oracle_fed", "psnr_lr")), *unfinished(results)]
