"""Results on disk: where each file lies, its columns, atomic writes, reading back."""

import json
import os
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock
from numpy.typing import NDArray

from bench.errors import UserError

IDENTITY = ["dataset", "source", "profile", "method", "seed", "fold", "subject", "contrast", "slice"]
SCORES = ["psnr", "ssim", "lpips", "nmse", "psnr_fg", "ssim_fg", "psnr_lr"]
DETAILS = [  # written too, not needed when read
    "psnr_oracle_fed", "nmse_oracle_fed", "psnr_boundary", "psnr_flat", "wall_mm_error", "lumen_contrast_error_percent",
]  # fmt: skip
ROW_KEY = ["subject", "contrast", "slice"]
TEXT = ("subject", "contrast", "method", "region")  # columns that are text though they may look like numbers
AGAIN = "run again with --rerun"
STATUSES = ("done", "skipped", "failed", "diverged", "out-of-memory", "interrupted")


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
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error}): delete it, it will be made again.") from error
    if not isinstance(content, dict):
        raise UserError(f"{path} holds no JSON object: delete it, it will be made again.")
    return content


def run_folder(results: Path, dataset: str, profile: str, method: str, seed: int, fold: int = 0) -> Path:
    """Where the rows of one method lie. A fold other than the reference split has a folder of its own."""
    return results / dataset / profile / method / _replicate(seed, fold)


def stage_folder(results: Path, dataset: str, profile: str, stage: str, seed: int, fold: int = 0) -> Path:
    """Where the weights of one trained stage lie."""
    return results / dataset / profile / "stages" / stage / _replicate(seed, fold)


def _replicate(seed: int, fold: int) -> str:
    return f"seed{seed}" if fold == 0 else f"seed{seed}-fold{fold}"


def write_table(path: Path, table: pd.DataFrame, digits: int = 6) -> None:
    """Write a CSV with so many significant digits."""
    atomic_write(path, table.to_csv(index=False, float_format=f"%.{digits}g", lineterminator="\n"))


def read_table(path: Path, columns: Iterable[str], numbers: Iterable[str], remedy: str = AGAIN) -> pd.DataFrame:
    """Read a CSV that has these columns; those of `numbers` that it has hold numbers.

    Raises
    ------
    UserError
        If it is damaged: by file and column, with what to do (`remedy`).
    """
    try:
        table = pd.read_csv(path, dtype=dict.fromkeys(TEXT, str))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error}): {remedy}.") from error
    for column in columns:
        if column not in table.columns:
            raise UserError(f"{path} lacks the column '{column}': {remedy}.")
    for column in numbers:
        if column in table.columns and not pd.api.types.is_numeric_dtype(table[column]):
            raise UserError(f"{path}: column '{column}' holds something that is no number: {remedy}.")
    return table


def write_rows(path: Path, rows: pd.DataFrame) -> None:
    """Write `slices.csv`: one row a slice, six digits."""
    duplicated = rows.duplicated(ROW_KEY)
    if duplicated.any():
        raise ValueError(f"{path}: rows are not unique by {ROW_KEY}: {rows[duplicated].iloc[0][ROW_KEY].to_list()}")
    write_table(path, rows)


def read_rows(path: Path) -> pd.DataFrame:
    """Read `slices.csv`; a damaged file is refused by name and field."""
    rows = read_table(path, [*IDENTITY, *SCORES], [*SCORES, *DETAILS])
    if rows.duplicated(ROW_KEY).any():
        raise UserError(f"{path} has a slice twice: {AGAIN}.")
    return rows


def write_images(path: Path, images: Mapping[str, NDArray[Any]]) -> None:
    """Write images as uint16 with a scale each; boolean arrays as they are. Keys are `contrast/subject/slice` or such."""
    arrays: dict[str, NDArray[Any]] = {}
    for name, image in images.items():
        if image.dtype == bool:
            arrays[name] = image
            continue
        scale = float(np.max(image, initial=0.0)) / 65535 or 1.0
        arrays[name] = np.round(np.clip(image, 0, None) / scale).astype(np.uint16)
        arrays[f"{name}@scale"] = np.asarray(scale)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def read_images(path: Path) -> dict[str, NDArray[Any]]:
    """Read what `write_images` wrote, as float32 (or bool)."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} cannot be read ({error}): run again with --rerun.") from error
    images = {name: array for name, array in arrays.items() if not name.endswith("@scale")}
    return {
        name: image if image.dtype == bool else (image * arrays[f"{name}@scale"]).astype(np.float32)
        for name, image in images.items()
    }


def finished_runs(results: Path, datasets: Sequence[str] = ()) -> list[Path]:
    """Every `run.json` below `results`, sorted; of these datasets only, if any are named."""
    return sorted(p for p in results.glob("*/*/*/seed*/run.json") if not datasets or p.parts[-5] in datasets)
