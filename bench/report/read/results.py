"""Reading back what runs wrote."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bench.errors import UserError
from bench.store.files import AGAIN, DETAILS, finished_runs, read_json, read_rows, read_table

GROUPS = ("joint", "ablation", "sequential", "bound")
NEEDED = ("status", "method", "group", "seed", "fold", "source", "source_label", "dataset", "profile", "stages")
NEEDED_WHEN_DONE = ("metrics", "provenance", "slices_sha256")


@dataclass(frozen=True)
class Run:
    """One method, dataset, profile, seed and fold."""

    folder: Path
    record: dict[str, Any]
    rows: pd.DataFrame | None  # None where it did not end
    timing: pd.DataFrame | None
    parameters: int

    @property
    def method(self) -> str:
        """Its method's id."""
        return str(self.record["method"])

    @property
    def outcome(self) -> str:
        """Status and reason, on one line."""
        said = ": ".join(str(self.record[key]) for key in ("status", "reason") if self.record.get(key))
        return " ".join(said.split())


@dataclass(frozen=True, eq=False)
class Block:
    """All runs of one dataset and profile: what one table shows. Itself alone is its equal, so results can be remembered."""

    dataset: str
    profile: str
    folder: Path
    runs: tuple[Run, ...]

    @property
    def done(self) -> list[Run]:
        """Runs with rows."""
        return [run for run in self.runs if run.rows is not None]

    @property
    def rows(self) -> pd.DataFrame:
        """The rows of all runs; empty if none ended."""
        found = [run.rows for run in self.runs if run.rows is not None]
        return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=["subject", "contrast", "slice"])

    @property
    def label(self) -> str:
        """What kind of data, e.g. "simulated acquisition"."""
        return str(self.runs[0].record["source_label"])

    def methods(self) -> list[str]:
        """Ids in table order: joint, ablation, sequential, bound; by name within."""
        group = {run.method: GROUPS.index(run.record["group"]) for run in self.runs}
        return sorted(group, key=lambda id: (group[id], id))

    def contrasts(self) -> list[str]:
        """Names of the contrasts that have rows."""
        return sorted(set(self.rows["contrast"]))

    def of(self, method: str) -> list[Run]:
        """All runs of a method, by seed and fold."""
        mine = [run for run in self.runs if run.method == method]
        return sorted(mine, key=lambda run: (run.record["seed"], run.record["fold"]))


def collect(results: Path, dataset: str | None = None, profile: str | None = None) -> list[Block]:
    """Every run below `results`, by dataset and profile.

    Raises
    ------
    UserError
        If there is none, a file is damaged, or one folder mixes sources.
    """
    found: dict[tuple[str, str], list[Run]] = {}
    for path in finished_runs(results):
        here = path.parts[-5:-3]
        if (dataset or here[0]) == here[0] and (profile or here[1]) == here[1]:
            found.setdefault((here[0], here[1]), []).append(_read(path))
    if not found:
        arguments = "".join(f" --{k} {v}" for k, v in (("dataset", dataset), ("profile", profile)) if v)
        raise UserError(f"{results} holds no runs: type bench run{arguments} --results {results} first.")
    for (d, p), runs in found.items():
        sources = sorted({str(run.record["source"]) for run in runs})
        if len(sources) > 1:
            raise UserError(
                f"{results / d / p} mixes the sources {' and '.join(sources)}: give each its own --results."
            )
    return [Block(d, p, results / d / p, tuple(runs)) for (d, p), runs in sorted(found.items())]


def _read(path: Path) -> Run:
    record = read_json(path)
    done = record.get("status") == "done"
    for field in (*NEEDED, *NEEDED_WHEN_DONE) if done else NEEDED:
        if field not in record:
            raise UserError(f"{path} lacks the field '{field}': {AGAIN}.")
    if record["group"] not in GROUPS:
        raise UserError(f"{path}: 'group' is '{record['group']}', none of {', '.join(GROUPS)}: {AGAIN}.")
    parameters = sum(int(stage.get("parameters", 0)) for stage in record["stages"])
    if not done:
        return Run(path.parent, record, None, None, parameters)
    return Run(path.parent, record, _rows(path.parent / "slices.csv", record), _timing(path.parent), parameters)


def _rows(path: Path, record: dict[str, Any]) -> pd.DataFrame:
    rows = read_rows(path)
    if rows.empty:
        raise UserError(f"{path} holds no slices: {AGAIN}.")
    if hashlib.sha256(path.read_bytes()).hexdigest() != record["slices_sha256"]:
        raise UserError(f"{path} is not what 'slices_sha256' in its run.json says, so somebody changed it: {AGAIN}.")
    return rows.assign(**{column: float("nan") for column in DETAILS if column not in rows.columns})


def _timing(folder: Path) -> pd.DataFrame | None:
    """None where the timing pass has not been."""
    path = folder / "timing.csv"
    if not path.exists():
        return None
    measured = ("seconds", "peak_memory_mb", "threads")
    return read_table(path, (*measured, "device"), (*measured, "gmac"))
