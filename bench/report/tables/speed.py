"""How fast parts of this package are beside what people would use instead, on every kind of machine that was tried."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bench.report.tables.main import MISSING, Table, significant
from bench.store.tables import read_speed

NAME = "speed"
HEADER = [
    "part", "peer", "machine", "ratio", "lowest", "highest", "ms", "peer's ms", "threads", "peer's threads", "peak MB",
    "peer's peak MB", "difference", "what",
]  # fmt: skip
SAID = (
    "Times of parts of this package and of others', medians of alternated repeats in one run, each at the number of threads "
    "that it is fastest with. The ratio is the other's time over ours: above 1, ours is faster. The difference is that of the "
    "two answers, relative."
)


def table(paths: Sequence[Path]) -> Table | None:
    """A row a part, peer and kind of machine, of the tables that `bench speed --out` wrote; None without any."""
    rows, notes = [], []
    for path in paths:
        found = read_speed(path)
        for _, row in found.iterrows():
            rows.append(cells(path.stem, dict(row)))
            if row["note"]:
                notes.append(f"{row['part']}, {row['peer']}, {path.stem}: {row['note']}.")
        versions = sorted({f"{row['peer']} {row['version']}" for _, row in found.iterrows() if row["version"]})
        commits = sorted({str(commit)[:7] + "+" * str(commit).endswith("+") for commit in found["commit"]})
        notes.append(f"{path.stem}: {', '.join([*versions, 'commit ' + ' and '.join(commits)])}.")
    return Table(NAME, SAID, HEADER, rows, notes) if rows else None


def cells(machine: str, row: Mapping[str, Any]) -> list[str]:
    """A row under `HEADER`."""
    ratios = (_number(row[name], "{:.2f}") for name in ("ratio", "lowest", "highest"))
    times = (significant(1e3 * row[name]) for name in ("ours_s", "theirs_s"))
    threads = (str(int(row[name])) if row[name] > 0 else MISSING for name in ("threads", "their_threads"))
    memory = (_number(row[name], "{:.0f}") for name in ("ours_mb", "theirs_mb"))
    size = "" if pd.isna(row["size"]) else f" {row['size']:g}"
    named = (f"{row['part']}{size}", str(row["peer"]), machine)
    return [*named, *ratios, *times, *threads, *memory, _number(row["difference"], "{:.1g}"), str(row["what"])]


def _number(value: float, form: str) -> str:
    return MISSING if pd.isna(value) else form.format(value)
