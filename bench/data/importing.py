"""`bench data check` and `import`: from a person's own files to a dataset of their own, under a name."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from bench import registry
from bench.data import imported
from bench.data.imported import OwnRecord, Piece
from bench.data.inspection import Found, doubles, look
from bench.data.people import Splitting, Whose, assign, split_people
from bench.data.protocol import Protocol, Split, View
from bench.data.readers.opening import open_all
from bench.data.readers.records import Unusable, Volume
from bench.errors import UserError, closest
from bench.store.files import atomic_write, locked, writing
from bench.store.keys import key_of, sha256_of, sha256_of_array
from bench.store.layout import OwnFolder, data_folder, own_data
from bench.store.provenance import provenance

RULE = "vwi"
"""The dataset whose rule own data follow, on their own matrix, unless another is named."""
LAPTOP_FACTOR = 2
"""Of a rule's matrix and centre at profile laptop: no profile makes one's own matrix smaller than that."""
LEAST_CENTRE = 4
SLICES = (300, 40, 0)
"""In train, validation, test; 0: all there are."""
ONE_AXIS = "Undersampling a 2-D slice along both axes is done afterwards; along the readout no scanner could."
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Checked:
    """What files and folders hold."""

    found: tuple[Found, ...]
    unusable: tuple[Unusable, ...]
    doubles: tuple[str, ...]
    """Where the same samples lie under two names, or twice under one."""

    @property
    def refusals(self) -> list[str]:
        """Why files are of no use, each with its name."""
        damaged = [f"{bad.path}: {bad.reason}" for bad in self.unusable]
        return damaged + [f"{one.scan.files[0]}: {one.refusal}" for one in self.found if one.refusal]


def check(paths: Sequence[Path], table: Path | None, progress: Progress) -> Checked:
    """Look at files and folders.

    Parameters
    ----------
    table
        CSV of who is who, if there is one.
    progress
        Called with the file's name, the slices done and in all.

    Raises
    ------
    UserError
        If a path or a reader's file is not there, or the table does not fit.
    """
    scans, unusable = open_all(paths)
    given = assign(scans, paths, table)
    found, counter = [], _Counter("reading", given, progress)
    for one in given:
        try:
            found.append(look(one.scan, one.person, counter.of(one)))
        except UserError as error:
            unusable = [*unusable, Unusable(one.scan.files[0], str(error))]
    return Checked(tuple(found), tuple(unusable), tuple(doubles(found)))


def table_row(found: Found) -> dict[str, Any]:
    """What `bench data check` tells of a scan."""
    scan, rounded = found.scan, found.kept_by_maps
    return {
        "file": str(scan.files[0]), "format": scan.format, "person": found.person, "contrast": found.contrast,
        "slices": len(found.slices), "matrix": list(found.size), "coils": None if isinstance(scan, Volume) else found.coils,
        "stored_matrix": list(scan.shape[2:] if len(scan.shape) == 4 else scan.shape),
        "voxel_mm": None if found.voxel_mm is None else [round(mm, 4) for mm in found.voxel_mm],
        "centre": found.centre, "energy_kept_by_maps": None if rounded is None else round(rounded, 4),
        "precision": scan.dtype, "scale": found.scale, "usable": found.refusal is None, "refusal": found.refusal,
        "remarks": list(found.remarks),
    }  # fmt: skip


def import_data(
    paths: Sequence[Path], name: str, table: Path | None, splitting: Splitting, like: str | None, progress: Progress
) -> tuple[OwnRecord, list[str]]:
    """Write what files and folders hold into the data folder, as the dataset `name`.

    Returns
    -------
    tuple
        What lies there, and what there is to say.

    Raises
    ------
    UserError
        If the name is taken by other content, a file is of no use, people cannot be told apart or split, or the protocol
        does not fit.
    """
    _check_name(name)
    if like is not None and (like not in registry.datasets() or like in own_data()):
        raise UserError(f"--like {like}: no such dataset.{closest(like, set(registry.datasets()) - set(own_data()))}")
    scans, unusable = open_all(paths)
    if unusable:
        raise UserError(_first([f"{bad.path}: {bad.reason}" for bad in unusable]))
    if not scans:
        raise UserError(f"There are no raw data in {', '.join(map(str, paths))}.")
    given = assign(scans, paths, table)
    splits = split_people(given, splitting)
    digests = {file: sha256_of(file) for one in given for file in one.scan.files}
    request = _request(given, digests, splits, like)
    folder = OwnFolder(data_folder() / name)
    with locked(data_folder() / f".{name}.lock", name):
        if folder.record.exists():
            before = imported.read_record(folder)
            if before.request == request:
                return before, [f"'{name}' is there already, made of the same files: nothing was done."]
            raise UserError(
                f"'{name}' is there already, with other content: take another --name, or `bench data remove {name}` first."
            )
        counter = _Counter("reading", given, progress)
        found = [_usable(one, counter) for one in given]
        same = [said for said in doubles(found) if "two names" in said]
        if same:
            raise UserError(f"{same[0]}: give them one name with --people FILE.csv, or leave one out.")
        protocol, said = protocol_for(name, found, like)
        with _new_folder(folder) as new:
            counter = _Counter("writing", given, progress)
            pieces = tuple(_write(new, f, digests, counter.of(g)) for f, g in zip(found, given, strict=True))
            record = OwnRecord(name, _label(found), request, pieces, imported.VERSION, provenance("cpu"))
            atomic_write(new.protocol, imported.protocol_text(protocol, splits))
            record.write(new.record)
    return record, said


def remove(name: str) -> Path:
    """Delete what was imported under a name.

    Raises
    ------
    UserError
        If there is nothing.
    """
    folder = find(name)
    with locked(data_folder() / f".{name}.lock", name), writing(folder.path):
        folder.record.unlink(missing_ok=True)
        shutil.rmtree(folder.path)
    return folder.path


def find(name: str) -> OwnFolder:
    """The folder of what was imported under a name."""
    there = own_data()
    if name not in there:
        known = closest(name, there) if there else " Nothing was imported yet."
        raise UserError(f"No data was imported under the name '{name}'.{known}")
    return there[name]


def _check_name(name: str) -> None:
    if not registry.ID.fullmatch(name):
        raise UserError(f"--name '{name}' is not made of a-z, 0-9 and single hyphens.")
    known = [table[name].module for table in (registry.datasets(), registry.sources()) if name in table]
    if any(module != imported.__name__ for module in known):
        raise UserError(f"--name {name}: a dataset or source is called so already.")


def _request(
    given: Sequence[Whose], digests: Mapping[Path, str], splits: Mapping[Split, tuple[str, ...]], like: str | None
) -> str:
    whose = sorted([one.person, one.scan.contrast, *(digests[file] for file in one.scan.files)] for one in given)
    return key_of({"files": whose, "splits": splits, "like": like, "version": imported.VERSION})


def _first(refusals: Sequence[str]) -> str:
    more = f" ({len(refusals) - 1} more files are of no use: bench data check says why)" if len(refusals) > 1 else ""
    return f"{refusals[0]}{more}"


def _usable(one: Whose, counter: "_Counter") -> Found:
    found = look(one.scan, one.person, counter.of(one))
    if found.refusal:
        raise UserError(f"{one.scan.files[0]}: {found.refusal}")
    return found


class _Counter:
    """Counts slices over all scans."""

    def __init__(self, what: str, given: Sequence[Whose], progress: Progress) -> None:
        self.what, self.progress, self.before = what, progress, 0
        self.total = sum(one.scan.shape[0] for one in given)

    def of(self, one: Whose) -> Callable[[int, int], None]:
        """What the next scan tells its slices to."""
        first, self.before = self.before, self.before + one.scan.shape[0]
        return lambda done, _: self.progress(self.what, first + done, self.total)


def _label(found: Sequence[Found]) -> str:
    if isinstance(found[0].scan, Volume):
        return "simulated acquisition"
    if any(one.scan.format == "MoDL" for one in found):
        return "k-space simulated from maps and combined images"
    return "real raw data"


def protocol_for(name: str, found: Sequence[Found], like: str | None) -> tuple[Protocol, list[str]]:
    """The rule of a dataset on these data's own matrix, or the protocol of `like`; and what there is to say.

    Raises
    ------
    UserError
        If raw data and heads, or heads of several contrasts, stand together.
    """
    rule: Protocol = registry.datasets()[like or RULE].made_by()
    rule = replace(rule, id=name, version=1, sources=(name,), train_on=None, cells=False)
    volumes = [one for one in found if isinstance(one.scan, Volume)]
    if not volumes:
        return _raw_protocol(rule, found, like)
    if len(volumes) < len(found):
        raise UserError("Magnitude volumes and raw k-space make no one dataset: import each under a name of its own.")
    contrasts = sorted({one.contrast for one in found})
    if len(contrasts) > 1:
        raise UserError(
            f"There are volumes of {', '.join(contrasts)}, and a head is simulated from one: import each contrast under a "
            "name of its own, by naming its files."
        )
    views = tuple(replace(view, contrast=f"{contrasts[0]}-{view.plane}") for view in rule.views)
    if like:
        return rule, []
    least = min(rule.voxel_mm or (1.0, 1.0))
    voxel = max([least, *(mm for one in volumes for mm in one.voxel_mm or ())])
    fields = [n * least for n in rule.matrix]
    matrix = (_fours(fields[0] / voxel), _fours(fields[1] / voxel))
    made = replace(
        rule, matrix=matrix, voxel_mm=(voxel, voxel), views=views, least_matrix=_smaller(matrix, _at_laptop(rule)),
        centre=_centre(rule, matrix),
    )  # fmt: skip
    return made, []


def _raw_protocol(rule: Protocol, found: Sequence[Found], like: str | None) -> tuple[Protocol, list[str]]:
    own = (_fours(min(one.size[0] for one in found)), _fours(min(one.size[1] for one in found)))
    matrix = _smaller(own, rule.matrix) if like else own
    said = []
    if like and matrix != rule.matrix:
        said.append(
            f"'{like}' has a matrix of {rule.matrix[0]} x {rule.matrix[1]}, these data {own[0]} x {own[1]}: "
            f"{matrix[0]} x {matrix[1]} is used."
        )
    known = [one for one in found if one.voxel_mm]
    voxel = None
    if len(known) == len(found):
        grown = [[mm * n / m for mm, n, m in zip(one.voxel_mm or (), one.size, matrix, strict=True)] for one in found]
        voxel = (max(mm[0] for mm in grown), max(mm[1] for mm in grown))
    coils = min(rule.coils, max(one.coils for one in found))
    caveats = list(rule.caveats)
    if all(rule.phase_encode) and not all(all(_encoded(one)) for one in found):
        caveats.append(ONE_AXIS)
    views = tuple(View(contrast, "axial", (0.0, 1.0)) for contrast in sorted({one.contrast for one in found}))
    made = replace(
        rule, matrix=matrix, voxel_mm=voxel, coils=coils, physical_coils=coils, noise=0.0, views=views, slices=SLICES,
        least_matrix=_smaller(matrix, _at_laptop(rule)), caveats=tuple(caveats), centre=_centre(rule, matrix),
    )  # fmt: skip
    return made, said


def _fours(length: float) -> int:
    return 4 * int(length // 4 + 1e-9)


def _smaller(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return min(one[0], other[0]), min(one[1], other[1])


def _at_laptop(rule: Protocol) -> tuple[int, int]:
    return rule.at(LAPTOP_FACTOR, None, 1).matrix


def _centre(rule: Protocol, matrix: tuple[int, int]) -> int:
    """The rule's own fully sampled centre; smaller where the matrix is smaller than the rule's at profile laptop."""
    share = min(1.0, *(n / due for n, due in zip(matrix, _at_laptop(rule), strict=True)))
    return max(LEAST_CENTRE, 2 * round(rule.centre * share / 2))


def _encoded(one: Found) -> tuple[bool, bool]:
    return (True, True) if isinstance(one.scan, Volume) else one.scan.phase_encode


@contextmanager
def _new_folder(folder: OwnFolder) -> Iterator[OwnFolder]:
    """A folder beside the wanted one that takes its name when all is written."""
    new = folder.path.with_name(f".{folder.path.name}.new")
    with writing(folder.path.parent):
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        try:
            yield OwnFolder(new)
            shutil.rmtree(folder.path, ignore_errors=True)  # what a killed `remove` left
            new.rename(folder.path)
        finally:
            shutil.rmtree(new, ignore_errors=True)


def _write(folder: OwnFolder, found: Found, digests: Mapping[Path, str], progress: Callable[[int, int], None]) -> Piece:
    """One contrast of one person; slices are read one by one."""
    scan = found.scan
    path = folder.volume(found.person, found.contrast)
    path.parent.mkdir(exist_ok=True)
    with h5py.File(path, "w", libver="latest") as file:
        if isinstance(scan, Volume):
            volume = found.head.volume
            file.create_dataset("volume", data=volume, chunks=(1, *volume.shape[1:]), fletcher32=True)
            content = sha256_of_array(volume)
        else:
            content = _write_slices(file, found, progress)
        file["slice"] = np.asarray(found.slices)
        sources = {original.name: digests[original] for original in scan.files}
        piece = Piece(
            found.person, found.contrast, len(found.slices), found.coils, found.size, found.voxel_mm, _encoded(found),
            found.scale, scan.format, scan.dtype, sources, content, found.remarks,
        )  # fmt: skip
        known = {"person": piece.person, "contrast": piece.contrast, "content": content, "scale": piece.scale}
        file.attrs.update({**known, "voxel_mm": piece.voxel_mm or [], "provenance": json.dumps(asdict(piece))})
    return piece


def _write_slices(file: h5py.File, found: Found, progress: Callable[[int, int], None]) -> str:
    shape = (len(found.slices), found.coils, *found.size)
    stored = file.create_dataset("kspace", shape, np.complex64, chunks=(1, 1, *found.size), fletcher32=True)
    digest = hashlib.sha256()
    for index, number in enumerate(found.slices):
        kspace: NDArray[np.complex64] = found.read(number)
        stored[index] = kspace
        digest.update(np.ascontiguousarray(kspace).data)
        progress(index + 1, len(found.slices))
    return digest.hexdigest()
