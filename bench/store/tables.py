"""CSV files: their columns, one reader, one writer."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from bench.errors import UserError
from bench.metrics.scores import DETAILS, SCORES
from bench.store.files import atomic_write

IDENTITY = ["dataset", "source", "profile", "method", "seed", "fold", "subject", "contrast", "slice"]
ROW_KEY = ["subject", "contrast", "slice"]
TEXT = ("dataset", "source", "profile", "subject", "contrast", "method", "region")  # though they may look like numbers
SPEED_NUMBERS = [
    "ratio",
    "lowest",
    "highest",
    "ours_s",
    "theirs_s",
    "threads",
    "their_threads",
    "difference",
    "ours_mb",
    "theirs_mb",
    "size",
]
SPEED = ["part", "peer", "version", *SPEED_NUMBERS, "device", "what", "note", "commit"]
AGAIN = "run again with --rerun"


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
        table = pd.read_csv(
            path, dtype=dict.fromkeys(TEXT, str), keep_default_na=False, na_values={c: [""] for c in numbers}
        )
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
    write_table(path, rows[[*IDENTITY, *SCORES, *DETAILS]])


def read_rows(path: Path) -> pd.DataFrame:
    """Read `slices.csv`; a damaged file is refused by name and field. Columns that it lacks of `DETAILS` are nan."""
    rows = read_table(path, [*IDENTITY, *SCORES], [*SCORES, *DETAILS])
    if rows.duplicated(ROW_KEY).any():
        raise UserError(f"{path} has a slice twice: {AGAIN}.")
    return rows.assign(**{column: float("nan") for column in DETAILS if column not in rows.columns})


def read_speed(path: Path) -> pd.DataFrame:
    """Read a table of `bench speed`, a row a part and peer."""
    return read_table(path, SPEED, SPEED_NUMBERS, "write it anew by `bench speed --out`")[SPEED]
