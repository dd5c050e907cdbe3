"""A user's data under a name: what `bench data import` wrote, as a dataset and a source of that name.

In the data folder each has a folder with `dataset.json` (who and what), `protocol.toml` (how it is acquired and who is in
which split; a person may edit it) and one HDF5 file for each contrast of each person: `kspace` (slice, coil, Y, X) complex64,
centred, orthonormal, or `volume` (z, y, x) float32, both scaled to about 1, and `slice`, their numbers in the original file.
"""

import json
import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, ClassVar

import h5py
import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from bench import registry
from bench.data.protocol import (
    SPLITS,
    Head,
    LazyKspace,
    Protocol,
    RawSubject,
    Source,
    Split,
    View,
    apart,
)  # fmt: skip
from bench.errors import UserError, closest
from bench.store.layout import OwnFolder, own_data
from bench.store.records import Record

VERSION = 1
"""Of what import makes of the same files; raised by hand when its numbers change."""
WRITTEN = (
    "version", "matrix", "least_matrix", "voxel_mm", "coils", "physical_coils", "mask", "acceleration", "centre",
    "phase_encode", "noise", "slices", "mask_seed", "caveats", "views",
)  # fmt: skip
"""Fields of a protocol that `protocol.toml` has, in this order."""


@dataclass(frozen=True)
class Piece:
    """One contrast of one person."""

    person: str
    contrast: str
    slices: int
    coils: int
    """1 of a magnitude volume."""
    size: tuple[int, ...]
    """(Y, X) of its k-space, or (z, y, x) of a volume."""
    voxel_mm: tuple[float, ...] | None
    phase_encode: tuple[bool, bool]
    scale: float
    """What the file's values were divided by."""
    format: str
    dtype: str
    files: dict[str, str]
    """sha256 by name of what it was made from."""
    content: str
    """sha256 of the samples as they lie in its file here."""
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class OwnRecord(Record):
    """What was imported under a name: its `dataset.json`."""

    remedy: ClassVar[str] = "remove it with `bench data remove NAME` and import it again"
    name: str
    label: str
    """What kind of data, said in every table."""
    request: str
    """sha256 of what was asked: the same again does nothing."""
    pieces: tuple[Piece, ...]
    version: int
    provenance: dict[str, Any]

    def of(self, person: str) -> dict[str, Piece]:
        """What there is of somebody, by contrast."""
        return {piece.contrast: piece for piece in self.pieces if piece.person == person}


@dataclass(frozen=True)
class Written:
    """What `protocol.toml` says."""

    protocol: Protocol
    splits: dict[Split, tuple[str, ...]]


class Imported(Source):
    """People whose data a user has imported. Made for a name by `register`."""

    folder: ClassVar[OwnFolder]

    def __init__(self) -> None:
        self.record = _record(self.folder.record, _stamp(self.folder.record))
        self.label = self.record.label

    def subjects(self) -> dict[Split, tuple[str, ...]]:
        """As `protocol.toml` says."""
        splits = read_protocol(self.folder).splits
        known = {piece.person for piece in self.record.pieces}
        for ids in splits.values():
            for id in ids:
                if id not in known:
                    raise UserError(f"{self.folder.protocol}: splits: nobody is called '{id}'.{closest(id, known)}")
        return splits

    def count(self, subject: str, contrast: str) -> int | None:
        """Slices of a contrast; of heads slices are chosen."""
        pieces = self.record.of(subject)
        if any(len(piece.size) == 3 for piece in pieces.values()):
            return None
        return pieces[contrast].slices if contrast in pieces else 0

    def digests(self, subject: str) -> tuple[str, ...]:
        """sha256 of what was imported, and of what it was imported from."""
        pieces = self.record.of(subject).values()
        return tuple(sorted({digest for piece in pieces for digest in (piece.content, *piece.files.values())}))

    def load(self, subject: str) -> Head | RawSubject:
        """Read a head, or make k-space ready to be read."""
        pieces = self.record.of(subject)
        first = next(iter(pieces.values()))
        path = self.folder.volume(subject, first.contrast)
        if len(first.size) == 3:
            with _opened(path, first) as file:
                z, y, x = first.voxel_mm or (1.0, 1.0, 1.0)
                return Head(np.asarray(file["volume"][()], np.float32), (z, y, x))
        reads: dict[tuple[str, int], Callable[[], NDArray[np.complex64]]] = {}
        for contrast, piece in pieces.items():
            path = self.folder.volume(subject, contrast)
            with _opened(path, piece) as file:
                numbers = [int(n) for n in file["slice"][()]]
            reads |= {(contrast, n): partial(_slice, path, i) for i, n in enumerate(numbers)}
        known = {contrast: voxel for contrast, piece in pieces.items() if (voxel := self._voxel(piece))}
        return RawSubject(LazyKspace(reads), None, known)

    def _voxel(self, piece: Piece) -> tuple[float, float] | None:
        """As the file says; else as `protocol.toml` does, whose matrix is a crop of this k-space."""
        if piece.voxel_mm:
            return piece.voxel_mm[0], piece.voxel_mm[1]
        protocol = read_protocol(self.folder).protocol
        if not protocol.voxel_mm:
            return None
        y, x = (mm * n / m for mm, n, m in zip(protocol.voxel_mm, protocol.matrix, piece.size, strict=True))
        return y, x


def _opened(path: Path, piece: Piece) -> h5py.File:
    try:
        file = h5py.File(path)
        if file.attrs["content"] != piece.content:
            raise UserError(f"{path} is not what was imported: {OwnRecord.remedy}.")
    except (OSError, KeyError) as error:
        raise UserError(f"{path} cannot be read ({error}): {OwnRecord.remedy}.") from error
    return file


def _slice(path: Path, index: int) -> NDArray[np.complex64]:
    try:
        with h5py.File(path) as file:
            return np.asarray(file["kspace"][index], np.complex64)
    except (OSError, KeyError) as error:
        raise UserError(f"{path} is damaged ({error}): {OwnRecord.remedy}.") from error


def register() -> None:
    """Make what a user has imported known under its name, as a source and a dataset."""
    for name, folder in own_data().items():
        if registry.ID.fullmatch(name) and name not in registry.datasets():
            registry.source(name)(type("Imported", (Imported,), {"folder": folder, "__module__": __name__}))
            registry.dataset(name)(_protocol_of(folder))


def _protocol_of(folder: OwnFolder) -> Callable[[], Protocol]:
    def protocol() -> Protocol:
        return read_protocol(folder).protocol

    return protocol


def _stamp(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


@lru_cache(maxsize=64)
def _record(path: Path, _: int) -> OwnRecord:
    return OwnRecord.read(path)


def read_record(folder: OwnFolder) -> OwnRecord:
    """What was imported under a name."""
    return _record(folder.record, _stamp(folder.record))


def read_protocol(folder: OwnFolder) -> Written:
    """The protocol as a person may have edited it.

    Raises
    ------
    UserError
        If it cannot be read, or a field is unknown, missing, or of another type or range: by file and field.
    """
    written = _written(folder.protocol, _stamp(folder.protocol))
    record = read_record(folder)
    return Written(_all_slices(written, record), written.splits)


@lru_cache(maxsize=64)
def _written(path: Path, _: int) -> Written:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error}): mend it, or {OwnRecord.remedy}.") from error
    splits = table.pop("splits", {})
    for key in table:
        if key not in WRITTEN:
            raise UserError(f"{path}: unknown field '{key}'.{closest(key, (*WRITTEN, 'splits'))}")
    views = table.get("views")
    known = [field.name for field in fields(View)]
    for view in views if isinstance(views, list) else []:
        for key in view if isinstance(view, dict) else []:
            if key not in known:
                raise UserError(f"{path}: views: unknown field '{key}'.{closest(key, known)}")
    name = path.parent.name
    whole = {"voxel_mm": None, **table, "id": name, "sources": (name,)}
    protocol: Protocol = _validated(path, Protocol, whole)
    for key, least in (("acceleration", 1), ("coils", 1), ("physical_coils", 1), ("noise", 0), ("centre", 0)):
        value = getattr(protocol, key)
        if not math.isfinite(value) or value < least:
            raise UserError(f"{path}: {key} must be at least {least}; got {value}.")
    if min(protocol.slices) < 0:
        raise UserError(f"{path}: slices must be at least 0, which means all there are; got {list(protocol.slices)}.")
    people: dict[Split, tuple[str, ...]] = _validated(path, dict[Split, tuple[str, ...]], splits, "splits.")
    try:
        apart(people)
    except ValueError as error:
        raise UserError(f"{path}: splits: {error}.") from error
    return Written(protocol, {split: people.get(split, ()) for split in SPLITS})


def _validated(path: Path, kind: Any, values: Mapping[str, Any], within: str = "") -> Any:
    try:
        return TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = within + ".".join(map(str, first["loc"]))
        raise UserError(f"{path}: {where}: {first['msg']}.") from error


def _all_slices(written: Written, record: OwnRecord) -> Protocol:
    """The protocol with numbers of slices for 0, which means all there are."""
    protocol, counts = written.protocol, []
    for split, count in zip(SPLITS, protocol.slices, strict=True):
        most = max(
            (p.slices for p in record.pieces if len(p.size) == 2 and p.person in written.splits[split]), default=0
        )
        counts.append(count or most * len(protocol.views) * len(written.splits[split]))
    return replace(protocol, slices=(counts[0], counts[1], counts[2]))


def protocol_text(protocol: Protocol, splits: Mapping[Split, tuple[str, ...]]) -> str:
    """`protocol.toml`."""
    lines = [
        f"# How '{protocol.id}' is acquired, and who is in which split. Edit it; rows made before are then refused by name.",
        "# matrix, voxel_mm (mm) and phase_encode are (Y, X) of the high-resolution grid, at full size: profile laptop halves",
        "# the matrix, though not below least_matrix. acceleration and centre are those of the low-resolution grid. mask is",
        "# poisson-2d or gaussian-1d. coils: after compression. noise is added to simulated acquisitions only.",
        "# slices: at most so many in train, validation, test; 0: all there are.",
    ]
    for name in WRITTEN[:-1]:
        value = getattr(protocol, name)
        if value is not None and not (name == "caveats" and not value):
            lines.append(f"{name} = {_toml(value)}")
    lines += ["", "[splits]", *(f"{split} = {_toml(splits.get(split, ()))}" for split in SPLITS)]
    for view in protocol.views:
        lines += ["", "[[views]]", f"contrast = {_toml(view.contrast)}", f"plane = {_toml(view.plane)}"]
        lines += [f"extent = {_toml(view.extent)}"]
        own = ("acceleration", "coils", "noise")
        lines += [f"{name} = {_toml(getattr(view, name))}" for name in own if getattr(view, name) is not None]
        lines += [f"remap = {_toml(view.remap)}"] if view.remap != "t1w" else []
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """Numbers, texts and lists of them; JSON's form of these is TOML's."""
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
