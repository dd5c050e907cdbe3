"""What is tried on a source or a dataset, clause by clause."""

from collections.abc import Callable, Sequence

import numpy as np

from bench import registry
from bench.authoring.trial import Broken, Clause
from bench.config import load
from bench.data.admission import admit, admit_contrast, admit_digests, admit_source
from bench.data.dataset import Dataset
from bench.data.protocol import Protocol, RawSubject, Source
from bench.data.sampling import sampling_mask
from bench.errors import UserError
from bench.progress import say
from bench.registry import Plugin


def of_source(plugin: Plugin) -> list[Clause]:
    """The clauses of a source; its first test subject is loaded."""
    source: Source = plugin.made_by()
    return [("subjects", lambda: _subjects(source)), ("load", lambda: _load(plugin.id, source))]


def of_dataset(plugin: Plugin) -> list[Clause]:
    """The clauses of a dataset."""
    return [("protocol", lambda: _protocol(plugin))]


def _subjects(source: Source) -> None:
    if not isinstance(getattr(source, "label", None), str):
        raise Broken('it has no `label`: write label = "simulated acquisition", or what the data are')
    try:
        admit_source(source)
        digests = {id: admit_digests(source, id) for ids in source.subjects().values() for id in ids}
    except UserError as error:
        raise Broken(str(error)) from error
    if not source.subjects().get("test"):
        raise Broken("nobody is in 'test'")
    for subject, found in digests.items():
        if not found:
            raise Broken(f"digests('{subject}') is (): give at least one text")


def _load(id: str, source: Source) -> None:
    """What a run would mend is said, as the run would."""
    subject = source.subjects()["test"][0]
    try:
        admitted = admit(subject, source.load(subject))
        remarks = admitted.remarks
        if isinstance(admitted.subject, RawSubject):
            for contrast in dict.fromkeys(contrast for contrast, _ in admitted.subject.kspace):
                sizes = [np.shape(k)[-2:] for (of, _), k in admitted.subject.kspace.items() if of == contrast]
                remarks += admit_contrast(subject, admitted.subject, contrast, _matrix(id, source, sizes)).remarks
    except UserError as error:
        raise Broken(str(error)) from error
    for remark in dict.fromkeys(remarks):
        say(remark)


def _matrix(id: str, source: Source, sizes: Sequence[tuple[int, ...]]) -> tuple[int, int] | None:
    """What a dataset that the source suits would use of k-space in a run of the default profile; None: all of it."""
    for plugin in registry.datasets().values():
        protocol = plugin.made_by()
        if id in protocol.sources or protocol.id in source.datasets:
            matrix = Dataset.of(protocol, id, load("laptop"), 0, None).protocol.matrix
            fits = all(len(size) == 2 and size[0] >= matrix[0] and size[1] >= matrix[1] for size in sizes)
            return matrix if fits else None
    return None


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
