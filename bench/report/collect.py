"""Reading back what runs wrote."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bench.errors import UserError
from bench.store import finished_runs, read_json, read_rows

GROUPS = ("joint", "sequential", "ablation", "bound")


@dataclass(frozen=True)
class Run:
    """One method, dataset, profile and seed."""

    folder: Path
    record: dict[str, Any]
    rows: pd.DataFrame | None  # None where it did not end
    timing: pd.DataFrame | None
    parameters: int

    @property
    def method(self) -> str:
        """Its method's id."""
        return str(self.record["method"])


@dataclass(frozen=True)
class Block:
    """All runs of one dataset and profile: what one table shows."""

    dataset: str
    profile: str
    folder: Path
    runs: tuple[Run, ...]

    @property
    def done(self) -> list[Run]:
        """Runs with rows."""
        return [run for run in self.runs if run.rows is not None]

    @property
    def label(self) -> str:
        """What kind of data, e.g. "simulated acquisition"."""
        return str(self.runs[0].record["source_label"])

    def methods(self) -> list[str]:
        """Ids in table order: joint, sequential, ablation, bound; by name within."""
        group = {run.method: GROUPS.index(run.record["group"]) for run in self.runs}
        return sorted(group, key=lambda id: (group[id], id))


def collect(results: Path, dataset: str | None = None, profile: str | None = None) -> list[Block]:
    """Every run below `results`, by dataset and profile.

    Raises
    ------
    UserError
        If there is none, or a file is damaged.
    """
    found: dict[tuple[str, str], list[Run]] = {}
    for path in finished_runs(results):
        here = path.parts[-5:-3]
        if (dataset or here[0]) == here[0] and (profile or here[1]) == here[1]:
            found.setdefault((here[0], here[1]), []).append(_read(path))
    if not found:
        raise UserError(f"{results} holds no runs: type bench run --results {results} first.")
    return [Block(d, p, results / d / p, tuple(runs)) for (d, p), runs in sorted(found.items())]


def _read(path: Path) -> Run:
    record = read_json(path)
    for field in ("status", "method", "group", "source_label", "dataset", "profile", "stages"):
        if field not in record:
            raise UserError(f"{path} lacks the field '{field}': run again with --rerun.")
    if record["status"] != "done":
        return Run(path.parent, record, None, None, 0)
    timing = path.parent / "timing.csv"
    return Run(
        path.parent,
        record,
        read_rows(path.parent / "slices.csv"),
        pd.read_csv(timing) if timing.exists() else None,
        sum(int(stage.get("parameters", 0)) for stage in record["stages"]),
    )
