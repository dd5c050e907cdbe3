"""Keys are made of declarations only: never of code text or computed bytes."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def key_of(content: Mapping[str, Any]) -> str:
    """sha256 of canonical JSON."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def other_than_default(settings: "DataclassInstance") -> dict[str, Any]:
    """Fields that do not stand at their default: a field added later with a default changes no key.

    A path stands for the file's content: its sha256.
    """
    values: dict[str, Any] = {}
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        if value != default:
            values[field.name] = _plain(value)
    return values


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return sha256_of(value)
    return other_than_default(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else value


def sha256_of_array(array: NDArray[Any]) -> str:
    """sha256 of an array's numbers, row by row."""
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()


def sha256_of(path: Path) -> str:
    """sha256 of a file, or of all Python files of a folder with their names."""
    if not path.is_dir():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    parts = {p.relative_to(path).as_posix(): sha256_of(p) for p in sorted(path.rglob("*.py"))}
    return key_of(parts)
