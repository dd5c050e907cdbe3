"""Opens people's own files, of whatever format. Each reader opens a file safely and gives k-space in one form.

A reader has `NAME`, what people call the format; `knows(path)`, whether a file is of it, by a look at its name and at no
more of it than is needed; and `open_scans(path)`, which gives its scans or raises.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

from bench.data.readers import bart, calgary, dicom, fastmri, ismrmrd, modl, nifti, numpy_files
from bench.data.readers.probe import PROBER
from bench.data.readers.records import Scan, Unusable, Volume
from bench.data.readers.safely import BROKEN, is_hdf5, one_line
from bench.errors import UserError

READERS: tuple[ModuleType, ...] = (dicom, bart, numpy_files, nifti, ismrmrd, calgary, modl, fastmri)
"""In the order in which they are asked."""
BESIDE = (
    ".json", ".txt", ".csv", ".tsv", ".md", ".rst", ".bval", ".bvec", ".py", ".ipynb", ".m", ".xml", ".html", ".pdf", ".png",
    ".jpg", ".svg", ".log", ".toml", ".yml", ".yaml", ".lock",
)  # fmt: skip
"""Endings of files that lie beside data in people's folders and are passed over there."""
OTHER_HALF = (".cfl",)
"""Endings of files that are opened with another one."""


def open_all(paths: Sequence[Path]) -> tuple[list[Scan | Volume], list[Unusable]]:
    """Open files, and all files below folders.

    Returns
    -------
    tuple
        What was found, in the order of the names; what is of no use, and why.

    Raises
    ------
    UserError
        If a path does not exist.
    """
    scans: list[Scan | Volume] = []
    unusable: list[Unusable] = []
    for path in dict.fromkeys(file for given in paths for file in _files(given)):
        try:
            scans += _open(path)
        except BROKEN as error:
            unusable.append(Unusable(path, one_line(error)))
    return fastmri.averaged(scans, unusable), dicom.told_once(unusable)


def _files(given: Path) -> Iterator[Path]:
    if not given.exists():
        raise UserError(f"{given} does not exist.")
    if given.is_file():
        yield bart.header_of(given)
        return
    for folder, folders, names in os.walk(given):
        folders.sort()
        for name in sorted(names):
            path = Path(folder) / name
            if not name.startswith(".") and path.suffix.lower() not in (*BESIDE, *OTHER_HALF) and path.is_file():
                yield path


def _open(path: Path) -> list[Scan | Volume]:
    fault = PROBER.fault(path) if is_hdf5(path) else None
    if fault:
        raise UserError(fault)
    for reader in READERS:
        if reader.knows(path):
            found: list[Scan | Volume] = reader.open_scans(path)
            return found
    known = ", ".join(reader.NAME for reader in READERS if reader is not dicom)
    raise UserError(f"no reader knows this file: {known}; for others write a source (bench new mine --kind source)")
