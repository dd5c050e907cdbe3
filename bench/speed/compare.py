"""A part against its peers, in one run: answers first, then times in turn, each at its best number of threads."""

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from bench.errors import UserError, why
from bench.run.timing import measure

REPEATS = 5
NO_PEER = "none"
NAN = float("nan")


@dataclass(frozen=True)
class Contender:
    """Who can do a part."""

    name: str
    run: Callable[[], Any]
    """Does it and gives the answer."""
    threads: tuple[int, ...] = ()
    """Numbers that it can be given; none: it takes what it likes, as NumPy's libraries do."""
    memory: Callable[[], float] | None = None
    """Runs it and gives its peak MB, where that is in another process."""


@dataclass(frozen=True)
class Missing:
    """A peer that cannot be asked here."""

    name: str
    reason: str


@dataclass(frozen=True)
class Part:
    """Something that takes time, and who can do it."""

    name: str
    what: str
    """In words, with its size."""
    ours: Contender
    peers: tuple[Contender | Missing, ...]
    difference: Callable[[Any, Any], float]
    """Between our answer and theirs; nan where nothing can be compared."""
    tolerance: float
    """The largest difference of one answer."""
    size: float = NAN
    """Where a part is timed at several: pixels a side, coils, slices."""


@dataclass(frozen=True)
class Row:
    """A part and a peer. Times are medians of seconds, memory is peak MB above before; nan where there is none."""

    part: str
    peer: str
    device: str
    what: str
    size: float = NAN
    """Of what `what` says, where a part is timed at several."""
    note: str = ""
    """Why there are no times."""
    ratio: float = NAN
    """Their time over ours."""
    lowest: float = NAN
    """Ratio of one repeat."""
    highest: float = NAN
    ours_s: float = NAN
    theirs_s: float = NAN
    threads: int = 0
    """Of ours."""
    their_threads: int = 0
    difference: float = NAN
    ours_mb: float = NAN
    theirs_mb: float = NAN

    def to_dict(self) -> dict[str, Any]:
        """For JSON: what is not a number is null."""
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in asdict(self).items()
        }


def relative(ours: ArrayLike, theirs: ArrayLike) -> float:
    """Norm of the difference over the norm."""
    a, b = np.asarray(ours), np.asarray(theirs)
    return float(np.linalg.norm(a - b) / np.linalg.norm(a))


def no_difference(ours: object, theirs: object) -> float:
    """Where answers are drawn at random, or there are none."""
    return NAN


def compare(part: Part, device: str, repeats: int = REPEATS) -> list[Row]:
    """One row a peer; one without a peer where nobody else does it. Where ours or a peer fails it says why, without times."""
    rows = [Row(part.name, name, device, part.what, part.size) for name in [p.name for p in part.peers] or [NO_PEER]]
    try:
        threads, answer = _best(part.ours, device)
    except Exception as error:  # noqa: BLE001 - as where something is missing on this machine; the other parts go on
        return [replace(row, note=f"ours failed: {why(error)}") for row in rows]
    rows = [replace(row, threads=threads) for row in rows]
    if not part.peers:
        times = [_seconds(part.ours, threads, device) for _ in range(repeats)]
        return [replace(rows[0], ours_s=statistics.median(times), ours_mb=_memory(part.ours, threads, device))]
    return [_beside(part, peer, row, answer, repeats) for peer, row in zip(part.peers, rows, strict=True)]


def _beside(part: Part, peer: Contender | Missing, row: Row, answer: Any, repeats: int) -> Row:
    """The row with what comes out beside a peer."""
    if isinstance(peer, Missing):
        return replace(row, note=peer.reason)
    try:
        threads, theirs = _best(peer, row.device)
    except Exception as error:  # noqa: BLE001 - a peer's own failure is a row that says so
        return replace(row, note=f"failed: {why(error)}")
    difference = part.difference(answer, theirs)
    row = replace(row, their_threads=threads, difference=difference)
    if difference > part.tolerance:
        return replace(row, note=f"another answer: differs by {difference:.2g}, more than {part.tolerance:g}")
    pairs = [
        (_seconds(part.ours, row.threads, row.device), _seconds(peer, threads, row.device)) for _ in range(repeats)
    ]
    ratios = [b / a for a, b in pairs]
    ours_s, theirs_s = (statistics.median(times) for times in zip(*pairs, strict=True))
    return replace(
        row, ratio=theirs_s / ours_s, lowest=min(ratios), highest=max(ratios), ours_s=ours_s, theirs_s=theirs_s,
        ours_mb=_memory(part.ours, row.threads, row.device), theirs_mb=_memory(peer, threads, row.device),
    )  # fmt: skip


def _best(contender: Contender, device: str) -> tuple[int, Any]:
    """The number of threads that it is fastest with, and its answer."""
    answer = contender.run()  # what is done once, at the first call, is not timed
    if len(contender.threads) < 2:
        return (contender.threads or (0,))[0], answer
    return min(contender.threads, key=lambda threads: _seconds(contender, threads, device)), answer


def _seconds(contender: Contender, threads: int, device: str) -> float:
    torch.set_num_threads(threads or torch.get_num_threads())
    started = time.perf_counter()
    contender.run()
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter() - started


def _memory(contender: Contender, threads: int, device: str) -> float:
    torch.set_num_threads(threads or torch.get_num_threads())
    if contender.memory:
        return contender.memory()
    return measure(contender.run, device)["peak_memory_mb"]


def chosen(only: str | None, names: list[str]) -> list[str]:
    """Parts by name, with commas; all by default.

    Raises
    ------
    UserError
        If there is no such part.
    """
    wanted = [name.strip() for name in only.split(",")] if only else names
    for name in wanted:
        if name not in names:
            raise UserError(f"no part '{name}': there are {', '.join(names)}.")
    return [name for name in names if name in wanted]
