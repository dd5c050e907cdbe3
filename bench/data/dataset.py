"""A protocol at a profile's size, over the subjects of a source: splits, counts, keys. Nothing is read here."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from bench import registry
from bench.config import ProtocolSettings, Settings
from bench.data.admission import admit_digests, admit_protocol, admit_source
from bench.data.protocol import OF_A_VIEW, SPLITS, Protocol, Source, Split, View
from bench.errors import UserError, why
from bench.mri.simulate import generator
from bench.store import layout
from bench.store.keys import key_of, other_than_default

MASK = ("mask", "acceleration", "centre", "mask_seed")
"""Fields of a protocol that say which samples are kept: laid on when a slice is read, so no prepared file depends on them."""
NOT_IN_FILES = ("id", "sources", "train_on", "caveats", "views", "slices", "cells", *MASK)


@dataclass(frozen=True)
class Series:
    """Slices of one view of one subject: one prepared file."""

    protocol: Protocol
    """With what the view sets itself."""
    source_id: str
    subject: str
    view: View
    count: int
    """Slices."""

    @property
    def source(self) -> Source:
        """Where its subject comes from."""
        return make_source(self.source_id)

    @cached_property
    def key(self) -> str:
        """Of declarations only: known before anything is downloaded."""
        protocol = {k: v for k, v in other_than_default(self.protocol).items() if k not in NOT_IN_FILES}
        subject = {"source": self.source_id, "id": self.subject, "digests": digests_of(self.source_id, self.subject)}
        view = {k: v for k, v in other_than_default(self.view).items() if k not in OF_A_VIEW}
        within = self.source.within(self.subject, self.view.plane)
        return key_of({"protocol": protocol, "subject": subject, "view": view, "within": within, "count": self.count})

    @property
    def megabytes(self) -> float:
        """Its size, about."""
        return self.count * self.protocol.matrix[0] * self.protocol.matrix[1] * (self.protocol.coils * 16 + 15) / 1e6

    @property
    def path(self) -> Path:
        """Where it lies in the cache."""
        return layout.prepared(self.source_id, self.subject, self.view.contrast, self.key)


@dataclass(frozen=True)
class Dataset:
    """The data of a protocol over a source and a fold. Declared here; made by `data.prepare`, read by `data.slices`."""

    protocol: Protocol
    source: str
    fold: int
    counts: dict[Split, int]
    """Slices of each split; positions where views are cells of one anatomy."""
    changed: tuple[str, ...] = ()
    """What `--set protocol.*` made other than it was, "acceleration=8", sorted."""
    limit: int | None = None
    """`--limit`: at most so many test slices, or positions, of each person."""

    @classmethod
    def of(cls, protocol: Protocol, source: str | None, settings: Settings, fold: int, limit: int | None) -> "Dataset":
        """Scale a protocol to a profile and choose its source.

        A run never prepares more training or validation slices than it has training samples to draw, and never tests anybody
        in fewer than one slice a view, unless `limit` says how many slices of each person are tested.

        Raises
        ------
        UserError
            If the dataset does not take the source, the source has no such fold, or no view is as `protocol.*` is set.
        """
        chosen = source or protocol.sources[0]
        plugin = registry.find(registry.sources(), chosen, "source")
        if chosen not in protocol.sources and protocol.id not in plugin.made_by.datasets:
            raise UserError(
                f"Dataset '{protocol.id}' does not take source '{chosen}': use {' or '.join(protocol.sources)}, or a source "
                f'that says `datasets = ("{protocol.id}",)`.'
            )
        with asking(chosen, "its subjects cannot be told"):
            admit_source(make_source(chosen))
            folds = make_source(chosen).folds()
        if not 0 <= fold < folds:
            there = f"{folds} folds, 0 to {folds - 1}" if folds > 1 else "1 fold, 0"
            raise UserError(f"Source '{chosen}' of dataset '{protocol.id}' has {there}; got {fold}.")
        data, drawn = settings.data, settings.training.iterations * settings.training.batch
        scaled, changed = _changed(
            protocol.at(data.matrix_factor, data.coils or None, data.centre_factor), settings.protocol
        )
        admit_protocol(scaled)
        caps = (drawn, drawn, protocol.slices[2])
        counts = {
            split: min(count, cap, most or count)
            for split, count, cap, most in zip(SPLITS, protocol.slices, caps, data.slices, strict=True)
        }
        made = cls(scaled, chosen, fold, counts, changed, limit)
        people = len(made.subjects["test"])
        counts["test"] = max(counts["test"], people * (1 if scaled.cells else len(scaled.views)))
        if limit:
            counts["test"] = min(counts["test"], people * limit)
        return made

    @property
    def name(self) -> str:
        """As folders and rows call it: "vwi", or "vwi@acceleration=8,coils=4"."""
        return f"{self.protocol.id}@{','.join(self.changed)}" if self.changed else self.protocol.id

    @cached_property
    def subjects(self) -> dict[Split, tuple[str, ...]]:
        """Subjects of each split; no subject is in two."""
        with asking(self.source, "its subjects cannot be told"):
            split = make_source(self.source).split(self.fold)
        return {name: split.get(name, ()) for name in SPLITS}

    @property
    def label(self) -> str:
        """What kind of data, e.g. "simulated acquisition"."""
        return make_source(self.source).label

    def digests(self, subject: str) -> tuple[str, ...]:
        """What somebody is made of."""
        return digests_of(self.source, subject)

    def series(self, *splits: Split) -> list[Series]:
        """Files of these splits."""
        return [series for split in splits for series in self._series(split)]

    def _series(self, split: Split) -> list[Series]:
        """Slices are shared out evenly over subjects and views, the first ones getting the rest; a limit over views alone.

        Views that show the same plane and extent of somebody get the same number, so that they lie at the same positions.
        """
        protocol = self.protocol
        views = (
            list(dict.fromkeys(_file(protocol, view) for view in protocol.views)) if protocol.cells else protocol.views
        )
        pairs = [(s, v) for s in self.subjects[split] for v in views]
        if protocol.cells:
            share, rest = divmod(self.counts[split], max(1, len(self.subjects[split])))
            counts = [share + (i < rest) for i in range(len(self.subjects[split])) for _ in views]
        else:
            together = len(views) if split == "test" and self.limit else max(1, len(pairs))
            share, rest = divmod(self.counts[split] * together // max(1, len(pairs)), together)
            alike = sum((view.plane, view.extent) == (views[0].plane, views[0].extent) for view in views)
            rest -= rest % alike if share else 0
            counts = [share + (i % together < rest) for i in range(len(pairs))]
        there = [
            n if (own := self._there(s, v)) is None else min(n, own) for (s, v), n in zip(pairs, counts, strict=True)
        ]
        return [Series(protocol.of(v), self.source, s, v, n) for (s, v), n in zip(pairs, there, strict=True) if n]

    def _there(self, subject: str, view: View) -> int | None:
        return None if self.protocol.cells else make_source(self.source).count(subject, view.contrast)

    def slices(self, split: Split) -> Iterator[tuple[Series, int, View]]:
        """Each slice of a split: its file, its place there, and the view that it is acquired in."""
        if not self.protocol.cells:
            yield from ((series, index, series.view) for series in self._series(split) for index in range(series.count))
            return
        views, position = self.protocol.views, 0
        for subject in self.subjects[split]:
            files = {series.view: series for series in self._series(split) if series.subject == subject}
            of_view = [(files[file], view) for view in views if (file := _file(self.protocol, view)) in files]
            count = of_view[0][0].count if of_view else 0
            if split == "validation":
                for index in range(count):
                    series, view = of_view[_draw(len(views), position)]
                    position += 1
                    yield series, index, view
            else:
                yield from ((series, index, view) for series, view in of_view for index in range(count))

    def key(self, *splits: Split) -> str:
        """Of the declarations of these splits."""
        of_files = {split: [series.key for series in self.series(split)] for split in splits}
        protocols = [self.protocol.of(view) for view in self.protocol.views]
        sampled = [[getattr(protocol, name) for name in MASK] for protocol in protocols]
        return key_of(
            {"files": of_files, "contrasts": [view.contrast for view in self.protocol.views], "masks": sampled}
        )

    def count(self, *splits: Split) -> int:
        """Slices in these splits."""
        return sum(1 for split in splits for _ in self.slices(split))

    def remarks(self) -> list[str]:
        """Where positions stop before the view does, a sentence a subject and plane."""
        source, said = make_source(self.source), []
        everyone = [subject for ids in self.subjects.values() for subject in ids]
        for view in {view.plane: view for view in self.protocol.views}.values():
            for subject in everyone:
                low, high = view.extent
                within = source.within(subject, view.plane)
                first, last = max(low, within[0]), min(high, within[1])
                if (first, last) != (low, high):
                    parts = f"from {first:g} to {last:g} of the head, not {low:g} to {high:g}"
                    said.append(f"{subject}: {view.plane} slices {parts}: there its volume ends.")
        return said


def _changed(protocol: Protocol, wanted: ProtocolSettings) -> tuple[Protocol, tuple[str, ...]]:
    """The protocol as `--set protocol.*` wants it, and what that changes, by name.

    What views set themselves they keep: those that have the value wanted are left.
    """
    names = []
    for name, value in sorted(vars(wanted).items()):
        own = [getattr(protocol.of(view), name) for view in protocol.views]
        if value is None or set(own) == {value}:
            continue
        text = f"{value:g}" if isinstance(value, float) else str(value)
        if name in OF_A_VIEW and any(getattr(view, name) is not None for view in protocol.views):
            views = tuple(view for view, there in zip(protocol.views, own, strict=True) if there == value)
            if not views:
                there = ", ".join(f"{v:g}" for v in sorted(set(own)))
                raise UserError(f"No view of '{protocol.id}' has {name} {text}: protocol.{name} is one of {there}.")
            protocol = replace(protocol, views=views)
        elif name == "coils" and value > protocol.physical_coils:
            raise UserError(f"protocol.coils is at most {protocol.physical_coils} in '{protocol.id}'; got {value}.")
        else:
            protocol = replace(protocol, **{name: value})
        names.append(f"{name}={text}")
    if names:
        said = f"Changed by --set: {', '.join(names).replace('=', ' ')}."
        protocol = replace(protocol, caveats=(*protocol.caveats, said))
    return protocol, tuple(names)


def _file(protocol: Protocol, view: View) -> View:
    """The view whose file a cell's slices lie in: cells that differ in the mask alone share it."""
    own = protocol.of(view)
    return replace(
        view, contrast=f"c{own.coils}-n{100 * own.noise:02.0f}", acceleration=None, coils=own.coils, noise=own.noise
    )


def _draw(views: int, position: int) -> int:
    """Which view a position of validation stands in: each once before any a second time."""
    return int(generator("cells", position // views).permutation(views)[position % views])


def digests_of(source_id: str, subject: str) -> tuple[str, ...]:
    """What a source declares somebody to be made of."""
    with asking(source_id, f"the digests of '{subject}' cannot be told"):
        return admit_digests(make_source(source_id), subject)


def make_source(id: str) -> Source:
    """An instance of a registered source."""
    with asking(id, "it cannot be made"):
        made: Source = registry.sources()[id].made_by()
    return made


@contextmanager
def asking(source: str, what: str) -> Iterator[None]:
    """Say in a user's words what went wrong in a source that somebody wrote."""
    try:
        yield
    except UserError as error:
        already = f"Source '{source}': "
        raise UserError(str(error) if str(error).startswith(already) else f"{already}{error}") from error
    except (MemoryError, KeyboardInterrupt):
        raise
    except (Exception, SystemExit) as error:
        raise UserError(f"Source '{source}': {what}: {why(error)}") from error
