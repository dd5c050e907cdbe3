"""Whole files or none: atomic writes, locks, JSON."""

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock

from bench.errors import UserError
from bench.store.layout import cache_folder, data_folder

UNWRITABLE = (
    errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOLCK, errno.ENOSYS, errno.EIO, errno.ENOTSUP,
    errno.ENOTDIR, errno.EEXIST,
)  # fmt: skip
NEXT_TO_NOTHING = 1_000_000  # bytes


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; it takes the name of `path` only when the block ends without error."""
    with writing(path.parent):
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
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Say in a user's words that a folder cannot be written.

    Raises
    ------
    UserError
        For a folder or disk that is read-only or full, or whose file system has no locks: which, and how to name another.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        raise UserError(f"{folder} cannot be written ({os.strerror(error.errno)}): {_elsewhere(folder)}.") from error
    except RuntimeError as error:  # torch's and HDF5's writers do not tell of a full disk otherwise
        if not _is_full(folder):
            raise
        raise UserError(f"{folder} cannot be written, its disk is full: {_elsewhere(folder)}.") from error


def _elsewhere(folder: Path) -> str:
    for place, variable in ((cache_folder, "BENCH_CACHE"), (data_folder, "BENCH_DATA")):
        with suppress(UserError):  # no home folder
            if folder.is_relative_to(place()):
                return f"name another folder with {variable}"
    return "name another folder with --results, or --out"


def _is_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < NEXT_TO_NOTHING
    except OSError:
        return False


def atomic_write(path: Path, content: bytes | str) -> None:
    """Write the whole file or leave what was there."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def locked(lock: Path, files: str = "*") -> Iterator[None]:
    """Hold a lock file, and clear what killed writers left beside it of these files (a glob)."""
    with ExitStack() as held:
        with writing(lock.parent):
            lock.parent.mkdir(parents=True, exist_ok=True)
            held.enter_context(FileLock(lock))
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
