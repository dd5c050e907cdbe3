"""A protocol at a profile's size, over the subjects of a source: splits, counts, keys. Nothing is read here."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bench import registry
from bench.config import Settings
from bench.data.protocol import SPLITS, Protocol, Source, Split, View, folded
from bench.errors import UserError
from bench.store import layout
from bench.store.keys import key_of, other_than_default

NOT_IN_KEY = ("sources", "train_on", "caveats", "views", "slices")


@dataclass(frozen=True)
class Series:
    """Slices of one view of one subject: one prepared file."""

    protocol: Protocol
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
        protocol = {k: v for k, v in other_than_default(self.protocol).items() if k not in NOT_IN_KEY}
        subject = {"source": self.source_id, "id": self.subject, "digests": self.source.digests(self.subject)}
        view = other_than_default(self.view)
        return key_of({"protocol": protocol, "subject": subject, "view": view, "count": self.count})

    @property
    def megabytes(self) -> float:
        """Its size, about."""
        return self.count * self.protocol.matrix[0] * self.protocol.matrix[1] * (self.protocol.coils * 16 + 14) / 1e6

    @property
    def path(self) -> Path:
        """Where it lies in the cache."""
        return layout.prepared(self.protocol.id, self.subject, self.view.contrast, self.key)


@dataclass(frozen=True)
class Dataset:
    """The data of a protocol over a source and a fold. Declared here; made by `data.prepare`, read by `data.slices`."""

    protocol: Protocol
    source: str
    fold: int
    counts: dict[Split, int]
    """Slices of each split."""

    @classmethod
    def of(cls, protocol: Protocol, source: str | None, settings: Settings, fold: int, limit: int | None) -> "Dataset":
        """Scale a protocol to a profile and choose its source.

        A run never prepares more training or validation slices than it has training samples to draw.

        Raises
        ------
        UserError
            If the dataset does not take the source.
        """
        chosen = source or protocol.sources[0]
        plugin = registry.find(registry.sources(), chosen, "source")
        if chosen not in protocol.sources and protocol.id not in plugin.made_by.datasets:
            raise UserError(
                f"Dataset '{protocol.id}' does not take source '{chosen}': use {' or '.join(protocol.sources)}, or a source "
                f'that says `datasets = ("{protocol.id}",)`.'
            )
        data, drawn = settings.data, settings.training.iterations * settings.training.batch
        scaled = protocol.at(data.matrix_factor, data.coils or None, data.centre_factor)
        caps = (drawn, drawn, limit or protocol.slices[2])
        counts = {
            split: min(count, cap, most or count)
            for split, count, cap, most in zip(SPLITS, protocol.slices, caps, data.slices, strict=True)
        }
        return cls(scaled, chosen, fold, counts)

    @cached_property
    def subjects(self) -> dict[Split, tuple[str, ...]]:
        """Subjects of each split; no subject is in two."""
        return folded(make_source(self.source).subjects(), self.fold)

    @property
    def label(self) -> str:
        """What kind of data, e.g. "simulated acquisition"."""
        return make_source(self.source).label

    def series(self, *splits: Split) -> list[Series]:
        """Files of these splits."""
        return [series for split in splits for series in self._series(split)]

    def _series(self, split: Split) -> list[Series]:
        """Slices are shared out evenly over subjects and views, the first ones getting the rest."""
        pairs = [(s, v) for s in self.subjects[split] for v in self.protocol.views]
        share, rest = divmod(self.counts[split], max(1, len(pairs)))
        counts = [share + (i < rest) for i in range(len(pairs))]
        return [Series(self.protocol, self.source, s, v, n) for (s, v), n in zip(pairs, counts, strict=True) if n]

    def key(self, *splits: Split) -> str:
        """Of the declarations of these splits."""
        return key_of({split: [series.key for series in self.series(split)] for split in splits})

    def count(self, *splits: Split) -> int:
        """Slices in these splits."""
        return sum(series.count for series in self.series(*splits))


def make_source(id: str) -> Source:
    """An instance of a registered source."""
    made: Source = registry.sources()[id].made_by()
    return made
