"""Rows and their records, gathered by dataset and profile."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from pathlib import Path

import pandas as pd

from bench.errors import UserError
from bench.store import layout
from bench.store.keys import sha256_of
from bench.store.layout import ResultsFolder, RunFolder
from bench.store.records import STATUSES, RunRecord, StageRecord
from bench.store.tables import AGAIN, ROW_KEY, read_rows, read_table

GROUPS = ("joint", "sequential", "single", "bound")
"""In the order in which tables show them."""
SIMULATED = "simulated acquisition"
"""With which the label of data begins that were simulated from a head or a phantom."""
LOSSES = ("l1", "gan", "none")
"""The classes, in the order in which tables show them."""


@dataclass(frozen=True)
class Run:
    """One method, dataset, profile, seed and fold."""

    folder: RunFolder
    """Where its other files lie."""
    record: RunRecord
    """Its `run.json`."""
    rows: pd.DataFrame | None
    """A row a slice; None where the run did not end."""
    timing: pd.DataFrame | None
    """A row a timed slice; None where nothing was timed."""

    @property
    def method(self) -> str:
        """Its method's id."""
        return self.record.method


@dataclass(frozen=True, eq=False)
class DatasetResults:
    """All runs of one dataset and profile: what one table shows.

    Two of them are equal only if they are the same object, so that functions of them can be cached.
    """

    dataset: str
    """Its id."""
    profile: str
    """Its name."""
    folder: ResultsFolder
    """The folder of results that these are part of."""
    runs: tuple[Run, ...]
    """At least one."""

    @property
    def title(self) -> str:
        """ "vwi, profile laptop"."""
        return f"{self.dataset}, profile {self.profile}"

    @property
    def done(self) -> list[Run]:
        """Runs with rows."""
        return [run for run in self.runs if run.rows is not None]

    @cached_property
    def folds(self) -> tuple[int, ...]:
        """Those of which there are rows."""
        return tuple(sorted({run.record.fold for run in self.done}))

    @cached_property
    def same_people(self) -> "DatasetResults":
        """The part of it in which every method has the same people: all, or else the first fold that has any rows.

        Means of methods are comparable in it, which they are not where some methods have all folds and others one only.
        """
        people = {
            tuple(sorted({run.record.fold for run in self.of(m) if run.rows is not None})) for m in self.methods()
        }
        if len(people - {()}) < 2:
            return self
        return self.in_folds(self.folds[:1])

    def in_folds(self, folds: tuple[int, ...]) -> "DatasetResults":
        """The part of it that these folds are, which may be none."""
        return replace(self, runs=tuple(run for run in self.runs if run.record.fold in folds))

    def with_every_fold(self) -> list[str]:
        """Methods that have rows of each fold there is, in table order."""
        return [
            m
            for m in self.methods()
            if {run.record.fold for run in self.of(m) if run.rows is not None} == {*self.folds}
        ]

    @cached_property
    def test_share(self) -> float:
        """People tested over people trained on, where folds share the latter; else 0: how far a variance is corrected."""
        return test_share(self.done)

    @cached_property
    def stages(self) -> dict[str, StageRecord]:
        """By key. Rows may stand on stages of another dataset, beside it, and on shipped ones."""
        own = _stages(self.folder, self.profile)
        shipped = layout.shipped()
        if shipped is None:
            return own
        used = {(stage.key, stage.digest) for run in self.runs for stage in run.record.stages}
        return {k: record for k, record in _stages(shipped, self.profile).items() if (k, record.digest) in used} | own

    def stages_of(self, run: Run) -> list[StageRecord]:
        """Records of the stages that a run stands on, as far as they are there; in the order they are made in."""
        return [self.stages[stage.key] for stage in run.record.stages if stage.key in self.stages]

    @property
    def rows(self) -> pd.DataFrame:
        """The rows of all runs; empty if none ended."""
        found = [run.rows for run in self.runs if run.rows is not None]
        return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=ROW_KEY)

    @property
    def label(self) -> str:
        """What kind of data, e.g. "simulated acquisition"."""
        return self.runs[0].record.source_label

    @property
    def simulated(self) -> bool:
        """Whether the acquisition is: then slices are cut from heads, and columns run from the patient's left."""
        return self.label.startswith(SIMULATED)

    def methods(self) -> list[str]:
        """Ids in table order: by group, by name within."""
        group = {run.method: GROUPS.index(run.record.group) for run in self.runs}
        return sorted(group, key=lambda id: (group[id], id))

    def contrasts(self) -> list[str]:
        """Names of the contrasts that have rows."""
        return sorted(set(self.rows["contrast"]))

    def of(self, method: str) -> list[Run]:
        """All runs of a method, by seed and fold."""
        mine = [run for run in self.runs if run.method == method]
        return sorted(mine, key=lambda run: (run.record.seed, run.record.fold))

    def group(self, method: str) -> str:
        """The group of a method."""
        return self.of(method)[0].record.group

    def loss(self, method: str) -> str:
        """The class of a method: l1, gan or none."""
        return self.of(method)[0].record.loss


def _stages(folder: ResultsFolder, profile: str) -> dict[str, StageRecord]:
    records = [StageRecord.read(stage.record) for stage in folder.stages(profile=profile)]
    return {record.key: record for record in records}


def test_share(runs: Iterable[Run]) -> float:
    """People tested over people trained on, the largest of the folds; 0 where no two folds share a training person."""
    splits = {run.record.fold: run.record.subjects for run in runs}
    trained = {fold: set(split.get("train", ())) for fold, split in splits.items()}
    if not any(one & other for one, other in combinations(trained.values(), 2)):
        return 0.0
    return max(len(split["test"]) / len(trained[fold]) for fold, split in splits.items() if trained[fold])


def collect(results: Path, dataset: str | None = None, profile: str | None = None) -> list[DatasetResults]:
    """Every run below the folder `results`, by dataset and profile.

    Raises
    ------
    UserError
        If there is none, a file is damaged, or one folder mixes sources.
    """
    folder = ResultsFolder(results)
    found: dict[tuple[str, str], list[Run]] = {}
    for place in folder.runs(dataset, profile):
        run = _read(place)
        own = folder.run(run.record.dataset, run.record.profile, run.method, run.record.seed, run.record.fold)
        if own != place:
            raise UserError(f"{place.record} says that it belongs into {own.path}: move or delete {place.path}.")
        found.setdefault((run.record.dataset, run.record.profile), []).append(run)
    if not found:
        arguments = "".join(f" --{k} {v}" for k, v in (("dataset", dataset), ("profile", profile)) if v)
        raise UserError(f"{results} holds no runs: type bench run{arguments} --results {results} first.")
    for (name, size), runs in found.items():
        sources = sorted({run.record.source for run in runs})
        if len(sources) > 1:
            raise UserError(
                f"{folder.table(name, size)} mixes the sources {' and '.join(sources)}: give each its own --results."
            )
    return [DatasetResults(name, size, folder, tuple(runs)) for (name, size), runs in sorted(found.items())]


def _read(folder: RunFolder) -> Run:
    record = RunRecord.read(folder.record)
    for field, value, allowed in (("status", record.status, STATUSES), ("group", record.group, GROUPS)):
        if value not in allowed:
            raise UserError(f"{folder.record}: '{field}' is '{value}', none of {', '.join(allowed)}: {AGAIN}.")
    if not record.done:
        return Run(folder, record, None, None)
    for field in ("metrics", "slices_sha256"):
        if not getattr(record, field):
            raise UserError(f"{folder.record} lacks the field '{field}': {AGAIN}.")
    return Run(folder, record, _rows(folder.slices, record), _timing(folder.timing))


def _rows(path: Path, record: RunRecord) -> pd.DataFrame:
    rows = read_rows(path)
    if rows.empty:
        raise UserError(f"{path} holds no slices: {AGAIN}.")
    if sha256_of(path) != record.slices_sha256:
        raise UserError(
            f"{path} does not match 'slices_sha256' in its run.json, so it was changed afterwards: {AGAIN}."
        )
    return rows


def _timing(path: Path) -> pd.DataFrame | None:
    """None where the timing pass has not been."""
    if not path.exists():
        return None
    measured = ("seconds", "peak_memory_mb", "threads")
    return read_table(path, (*measured, "device"), (*measured, "gmac", "cpu_seconds", "switches"))
