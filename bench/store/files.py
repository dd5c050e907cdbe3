"""Whole files or none: atomic writes, locks, JSON."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from bench.errors import UserError


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; it takes the name of `path` only when the block ends without error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def atomic_write(path: Path, content: bytes | str) -> None:
    """Write the whole file or leave what was there."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def locked(lock: Path, files: str = "*") -> Iterator[None]:
    """Hold a lock file, and clear what killed writers left beside it of these files (a glob)."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):
        for leftover in lock.parent.glob(f".{files}.*.tmp"):
            leftover.unlink(missing_ok=True)
        yield


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write readable JSON, keys in the order given."""
    atomic_write(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; a damaged file is refused by name."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error}): delete it, it will be made again.") from error
    if not isinstance(content, dict):
        raise UserError(f"{path} holds no JSON object: delete it, it will be made again.")
    return content
