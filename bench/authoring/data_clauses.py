"""What is tried on a source or a dataset, clause by clause."""

from collections.abc import Callable

import numpy as np
import torch

from bench import registry
from bench.acquisition import off_centre
from bench.authoring.trial import Broken, Clause
from bench.config import load
from bench.data.dataset import Dataset
from bench.data.prepare import sampling_mask
from bench.data.protocol import SPLITS, Head, Protocol, RawSubject, Source, Split
from bench.errors import UserError
from bench.registry import Plugin


def of_source(plugin: Plugin) -> list[Clause]:
    """The clauses of a source; its first test subject is loaded."""
    source: Source = plugin.made_by()
    return [("subjects", lambda: _subjects(source)), ("load", lambda: _load(source))]


def of_dataset(plugin: Plugin) -> list[Clause]:
    """The clauses of a dataset."""
    return [("protocol", lambda: _protocol(plugin))]


def _subjects(source: Source) -> None:
    if not isinstance(getattr(source, "label", None), str):
        raise Broken('it has no `label`: write label = "simulated acquisition", or what the data are')
    subjects = source.subjects()
    wrong = [split for split in subjects if split not in SPLITS]
    if wrong:
        raise Broken(f"'{wrong[0]}' is no split: use {', '.join(SPLITS)}")
    if not subjects.get("test"):
        raise Broken("nobody is in 'test'")
    for fold in range(source.folds()):
        _apart(source.split(fold), f", fold {fold}" if fold else "")
    for subject in (s for split in subjects.values() for s in split):
        digests = source.digests(subject)
        if not digests or not all(isinstance(digest, str) for digest in digests):
            raise Broken(f"digests('{subject}') is {digests!r}: give at least one text")


def _apart(subjects: dict[Split, tuple[str, ...]], fold: str) -> None:
    place: dict[str, str] = {}
    for split, ids in subjects.items():
        for subject in ids:
            if subject in place:
                where = f"twice in '{split}'" if place[subject] == split else f"in '{place[subject]}' and in '{split}'"
                raise Broken(f"'{subject}' stands {where}{fold}: name everybody once")
            place[subject] = split


def _load(source: Source) -> None:
    subject = source.subjects()["test"][0]
    loaded: object = source.load(subject)
    if isinstance(loaded, Head):
        _array(subject, "volume", loaded.volume, 3, np.float32)
        if not 0.1 <= float(np.percentile(loaded.volume, 99.9)) <= 10:
            raise Broken(f"'{subject}': the 99.9th percentile of the volume must be 1")
    elif isinstance(loaded, RawSubject):
        if not loaded.kspace:
            raise Broken(f"'{subject}' has no slice")
        for (contrast, number), kspace in loaded.kspace.items():
            who = f"{subject}, {contrast}, slice {number}"
            _array(who, "kspace", kspace, 3, np.complex64)
            wrong = off_centre(torch.from_numpy(kspace))
            if wrong:
                raise Broken(f"'{who}': kspace {wrong}")
    else:
        raise Broken(f"'{subject}' is a {type(loaded).__name__}: return a bench.Head or a bench.RawSubject")


def _array(who: str, name: str, array: object, ndim: int, dtype: type) -> None:
    if not isinstance(array, np.ndarray) or array.ndim != ndim or array.dtype != dtype:
        found = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
        raise Broken(f"'{who}': {name} is {found}, not {dtype.__name__} with {ndim} axes")
    if not np.isfinite(array).all() or not array.any():
        raise Broken(f"'{who}': {name} holds NaN or infinity, or nothing but zeros")


def _protocol(plugin: Plugin) -> None:
    make: Callable[[], object] = plugin.made_by
    protocol = make()
    if not isinstance(protocol, Protocol):
        raise Broken(f"it gives a {type(protocol).__name__}: return a bench.Protocol")
    if protocol.id != plugin.id:
        raise Broken(f"it is registered as '{plugin.id}' and calls itself '{protocol.id}'")
    unknown = [source for source in protocol.sources if source not in registry.sources()]
    if unknown or not protocol.sources:
        raise Broken(f"there is no source '{(*unknown, '')[0]}': name one of {', '.join(registry.sources())}")
    if not protocol.views:
        raise Broken("it has no view")
    for profile in ("smoke", "laptop"):
        scaled = Dataset.of(protocol, None, load(profile), 0, None).protocol
        try:
            for view in scaled.views:
                sampling_mask(scaled.of(view))
        except UserError as error:
            raise Broken(f"at the profile {profile} {str(error).rstrip('.')}") from error
