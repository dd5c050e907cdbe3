"""`run.json` and `stage.json`: their fields, one reader, one writer."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import TypeAdapter, ValidationError

from bench.errors import UserError
from bench.store.files import write_json

STATUSES = ("done", "skipped", "failed", "diverged", "out-of-memory", "interrupted")


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


@dataclass(frozen=True)
class Record:
    """What is a JSON file."""

    remedy: ClassVar[str] = "run again with --rerun, or delete the folder"
    """What to do where the file is damaged."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read it.

        Raises
        ------
        UserError
            If the file cannot be read, or lacks a field or has one of another type: by file and field.
        """
        try:
            kind: type = cls
            record: Self = _adapter(kind).validate_json(path.read_bytes())
        except OSError as error:
            raise UserError(f"{path} cannot be read ({error}): {cls.remedy}.") from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the whole file"
            raise UserError(
                f"{path}: {where}: {first['msg']} ({error.error_count()} such faults): {cls.remedy}."
            ) from error
        return record

    def write(self, path: Path) -> None:
        """Write the whole file or leave what was there."""
        write_json(path, asdict(self))


@dataclass(frozen=True)
class StageUse:
    """A stage as the rows that stand on it record it."""

    id: str
    key: str
    parameters: int
    digest: str
    """sha256 of the weights, or of the choice of a tuned stage."""


@dataclass(frozen=True)
class Keys:
    """What rows are known by."""

    method: str
    """Of everything that the rows depend on."""
    data: str
    """Of the test slices."""


@dataclass(frozen=True)
class RunRecord(Record):
    """What is known of one row of a table: its `run.json`."""

    status: str
    """One of `STATUSES`."""
    reason: str | None
    """Why there are no rows; None where they are there."""
    dataset: str
    source: str
    profile: str
    method: str
    seed: int
    fold: int
    source_label: str
    """What kind of data, e.g. "simulated acquisition"."""
    caveats: tuple[str, ...]
    """What every table has to say of the dataset."""
    group: str
    """joint, sequential, single or bound."""
    limit: int | None
    """`--limit`, if it was given."""
    subjects: dict[str, tuple[str, ...]]
    """By split."""
    contrasts: tuple[str, ...]
    matrix: tuple[int, int]
    """HR (Y, X)."""
    voxel_mm: tuple[float, float] | None
    """HR (y, x)."""
    settings: dict[str, Any]
    """The profile with its overrides, and the method's own settings."""
    keys: Keys
    stages: tuple[StageUse, ...]
    provenance: dict[str, Any]
    stages_of: str | None = None
    """`--stages-of`, if it was given: the dataset whose stages scored it."""
    images_sha256: str | None = None
    """Of images that were made elsewhere and scored here; None where a method of this suite made them."""
    loss: str = "none"
    """Class: "gan" with a perceptual or adversarial term, "l1" for all others that learn, "none" for the rest."""
    plugin_files: dict[str, str] = field(default_factory=dict)
    """sha256 by id of the plugins that are not part of this package."""
    metrics: dict[str, str] = field(default_factory=dict)
    """What each column is."""
    slices_sha256: str = ""
    """Of `slices.csv`; empty where there is none."""

    @property
    def done(self) -> bool:
        """Whether there are rows."""
        return self.status == "done"

    @property
    def parameters(self) -> int:
        """Trainable parameters of all its stages."""
        return sum(stage.parameters for stage in self.stages)

    @property
    def outcome(self) -> str:
        """Status and reason, on one line."""
        return " ".join(": ".join(part for part in (self.status, self.reason) if part).split())


def at_edge(chosen: Mapping[str, float], tried: Sequence[Mapping[str, float]]) -> tuple[str, ...]:
    """Names in which what was chosen is the smallest or the largest of what was tried; 0 is no such end."""
    values = {name: {found[name] for found in tried if name in found} for name in chosen}
    ends = {name: (min(own), max(own)) for name, own in values.items() if len(own) > 1}
    return tuple(name for name, both in ends.items() if chosen[name] in both and chosen[name] != 0)


@dataclass(frozen=True)
class StageRecord(Record):
    """What is known of one trained or tuned stage: its `stage.json`."""

    id: str
    plugin: str
    key: str
    seed: int
    fold: int
    parameters: int
    validation: dict[str, float]
    """Scores of what was chosen."""
    settings: dict[str, Any]
    """Own settings, training and data settings."""
    provenance: dict[str, Any]
    plugin_files: dict[str, str] = field(default_factory=dict)
    """sha256 by id of the plugins that are not part of this package."""
    weights_sha256: str | None = None
    iterations: int | None = None
    best_step: int | None = None
    seconds: float | None = None
    training_gmac: float | None = None
    """Arithmetic of all updates, 10^9 multiply-adds; validation and the making of inputs are not counted."""
    critic_accuracy: float | None = None
    """The discriminator's, over the last quarter of the adversarial phase; None without one."""
    tries: tuple[dict[str, float], ...] = ()
    """Rates that were tried before, each with its `psnr_fg` on validation."""
    choice: dict[str, float] | None = None
    """What tuning chose."""
    grid: tuple[dict[str, float], ...] = ()
    """What tuning tried, with its scores."""
    former_key: str | None = None
    """The key that it was made under, where the form of keys has changed since."""

    @property
    def at_edge(self) -> tuple[str, ...]:
        """Tuned settings that came out at an end of what was tried, beyond which nobody looked; 0 is no such end."""
        return at_edge(self.choice or {}, self.grid)

    @property
    def digest(self) -> str:
        """sha256 of what was learned: of the weights, or of the choice."""
        if self.weights_sha256:
            return self.weights_sha256
        return hashlib.sha256(json.dumps(self.choice, sort_keys=True).encode()).hexdigest()
