"""Whose a file is, and who is in which split, of data that a user brings."""

import csv
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.data.protocol import SPLITS, Split, apart
from bench.data.readers.records import Scan, Volume
from bench.errors import UserError, closest

SHARES = (0.7, 0.1, 0.2)
"""Of people in train, validation and test, where nobody says otherwise."""
COLUMNS = ("file", "person", "contrast", "split")


@dataclass(frozen=True)
class Whose:
    """A scan, and whose it is."""

    scan: Scan | Volume
    """Its contrast is that of the table of people, where there is one."""
    person: str
    split: Split | None = None
    """As the table of people says."""


@dataclass(frozen=True)
class Splitting:
    """How people are to be split."""

    shares: tuple[float, float, float] | None = None
    lists: Mapping[Split, tuple[str, ...]] | None = None
    """Everybody by name."""


def parse_splitting(shares: str | None, lists: Mapping[Split, str | None]) -> Splitting:
    """Read `--shares 7,1,2`, or `--train A,B --validation C --test D`.

    Raises
    ------
    UserError
        If the shares are no three numbers, or both are given.
    """
    named = {split: tuple(w.strip() for w in text.split(",") if w.strip()) for split, text in lists.items() if text}
    if shares is None:
        return Splitting(lists=named or None)
    if named:
        raise UserError("--shares and lists of people say the same thing: use one of them.")
    try:
        first, second, third = (float(word) for word in shares.split(","))
    except ValueError as error:
        raise UserError(f"--shares takes three numbers with commas, e.g. 7,1,2; got '{shares}'.") from error
    if not (min(first, second, third) >= 0 < third and math.isfinite(first + second + third)):
        raise UserError(f"--shares are at least 0, and that of test above it; got '{shares}'.")
    return Splitting((first, second, third))


def read_people(path: Path) -> list[dict[str, str]]:
    """A CSV file with columns `file` and `person`, and if wanted `contrast` and `split`.

    Raises
    ------
    UserError
        If it cannot be read, or lacks a column or has an unknown one: by line.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"--people {path} cannot be read ({error}).") from error
    for line, row in enumerate(rows, 2):
        for column, value in row.items():
            if column not in COLUMNS:
                raise UserError(f"--people {path}: unknown column '{column}'.{closest(str(column), COLUMNS)}")
            if column in COLUMNS[:2] and not (value or "").strip():
                raise UserError(f"--people {path}, line {line}: no {column}.")
        if not {"file", "person"} <= set(row):
            raise UserError(f"--people {path} has no columns file and person, with commas between.")
        if (row.get("split") or "") not in ("", *SPLITS):
            raise UserError(f"--people {path}, line {line}: '{row['split']}' is no split: use {', '.join(SPLITS)}.")
    if not rows:
        raise UserError(f"--people {path} names nobody.")
    return rows


def assign(scans: Sequence[Scan | Volume], roots: Sequence[Path], table: Path | None) -> list[Whose]:
    """Say whose each scan is: as the table says; else as the file itself; else by its folder or its name.

    The folder is the first one below what was given, where no folder holds two scans of one contrast.

    Raises
    ------
    UserError
        If the table lacks a file or names one that is not there, or somebody has two scans of one contrast.
    """
    given = _by_table(scans, table) if table else _by_place(scans, roots)
    seen: dict[tuple[str, str], Whose] = {}
    for one in given:
        other = seen.setdefault((one.person, one.scan.contrast), one)
        if other is not one:
            names = " and ".join(scan.files[0].name for scan in (other.scan, one.scan))
            raise UserError(
                f"'{one.person}' has two scans of the contrast '{one.scan.contrast}', {names}: tell them apart with "
                "--people FILE.csv (columns file, person, contrast)."
            )
    return given


def _by_table(scans: Sequence[Scan | Volume], table: Path) -> list[Whose]:
    rows, used, given = read_people(table), set(), []
    for scan in scans:
        own = [i for i, row in enumerate(rows) if any(_names(row["file"], file) for file in scan.files)]
        if not own:
            raise UserError(f"--people {table} says nothing of {scan.files[0]}.")
        people = sorted({rows[i]["person"].strip() for i in own})
        if len(people) > 1:
            raise UserError(f"--people {table}: {scan.files[0]} is of {' and '.join(people)}.")
        used |= set(own)
        row = rows[own[0]]
        contrast = (row.get("contrast") or "").strip() or scan.contrast
        split = next((split for split in SPLITS if split == (row.get("split") or "")), None)
        given.append(Whose(replace(scan, contrast=contrast), people[0], split))
    for i, row in enumerate(rows):
        if i not in used:
            raise UserError(f"--people {table}, line {i + 2}: there is no file {row['file']}.")
    return given


def _names(text: str, file: Path) -> bool:
    """Whether a line's file, a name or the end of a path, is this one."""
    wanted = Path(text.strip()).parts
    return file.parts[-len(wanted) :] == wanted or file.stem == text.strip()


def _by_place(scans: Sequence[Scan | Volume], roots: Sequence[Path]) -> list[Whose]:
    folders = [_folder(scan.files[0], roots) for scan in scans]
    taken = Counter((folder, scan.contrast) for folder, scan in zip(folders, scans, strict=True))
    by_folder = all(folders) and max(taken.values(), default=1) == 1
    return [
        Whose(scan, scan.person or (folder if by_folder and folder else scan.files[0].name.partition(".")[0]))
        for scan, folder in zip(scans, folders, strict=True)
    ]


def _folder(file: Path, roots: Sequence[Path]) -> str | None:
    """The first folder below what was given."""
    for root in roots:
        if root.is_dir() and file.is_relative_to(root) and len(parts := file.relative_to(root).parts) > 1:
            return parts[0]
    return None


def split_people(given: Sequence[Whose], wanted: Splitting) -> dict[Split, tuple[str, ...]]:
    """Everybody's split: as the table says, by lists, or by shares of the sorted names, at least one person a split.

    Fewer than three people are all tested.

    Raises
    ------
    UserError
        If somebody is in no split or in two, or nobody is tested.
    """
    people = sorted({one.person for one in given})
    by_table = {one.person: set[Split]() for one in given}
    for one in given:
        by_table[one.person] |= {one.split} if one.split else set()
    if any(by_table.values()):
        if wanted.lists or wanted.shares:
            raise UserError(
                "The table of --people says the splits: leave --shares, --train, --validation and --test out."
            )
        splits = {split: tuple(p for p in people if split in by_table[p]) for split in SPLITS}
    elif wanted.lists:
        splits = {split: tuple(wanted.lists.get(split, ())) for split in SPLITS}
    else:
        splits = _shared(people, wanted.shares)
    try:
        apart(splits)
    except ValueError as error:
        raise UserError(f"{error}.") from error
    named = [person for ids in splits.values() for person in ids]
    for person in named:
        if person not in people:
            raise UserError(f"Nobody is called '{person}'.{closest(person, people)}")
    left = [person for person in people if person not in named]
    if left:
        raise UserError(f"'{left[0]}' is in no split: name everybody, in train, validation or test.")
    if not splits["test"]:
        raise UserError("Nobody is in test: somebody has to be.")
    return splits


def _shared(people: Sequence[str], shares: tuple[float, float, float] | None) -> dict[Split, tuple[str, ...]]:
    wanted = shares or (SHARES if len(people) >= len(SPLITS) else (0.0, 0.0, 1.0))
    asked = [i for i, share in enumerate(wanted) if share > 0]
    if len(people) < len(asked):
        raise UserError(f"There are {len(people)} people for {len(asked)} splits: with --shares 0,0,1 all are tested.")
    counts = [0, 0, 0]
    for i in asked:
        counts[i] = max(1, round(len(people) * wanted[i] / sum(wanted)))
    while sum(counts) != len(people):  # rounding: the largest split gives or takes
        largest = max(asked, key=lambda i: (counts[i], -i))
        counts[largest] += 1 if sum(counts) < len(people) else -1
    first, second = counts[0], counts[0] + counts[1]
    return {"train": tuple(people[:first]), "validation": tuple(people[first:second]), "test": tuple(people[second:])}
