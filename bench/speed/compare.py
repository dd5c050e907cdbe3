"""A part against its peers, in one run: answers first, then times in turn, each at its best number of threads."""

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from bench.errors import UserError, why
from bench.run.timing import measure

REPEATS = 5
NO_PEER = "none"


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
    size: float = float("nan")
    """Where a part is timed at several: pixels a side, coils, slices."""


@dataclass(frozen=True)
class Row:
    """A part and a peer. Times are medians of seconds, memory is peak MB above before; nan where there is none."""

    part: str
    peer: str
    ratio: float
    """Their time over ours."""
    lowest: float
    """Ratio of one repeat."""
    highest: float
    ours_s: float
    theirs_s: float
    threads: int
    """Of ours."""
    their_threads: int
    difference: float
    ours_mb: float
    theirs_mb: float
    device: str
    what: str
    note: str
    size: float = float("nan")
    """Of what `what` says, where a part is timed at several."""

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
    return float("nan")


def compare(part: Part, device: str, repeats: int = REPEATS) -> list[Row]:
    """One row a peer; one without a peer where nobody else does it. Where ours or a peer fails it says why, without times."""
    try:
        own_threads, answer = _best(part.ours, device)
    except Exception as error:  # noqa: BLE001 - as where something is missing on this machine; the other parts go on
        names = [peer.name for peer in part.peers] or [NO_PEER]
        return [_row(part, name, device, None, None, 0, 0, note=f"ours failed: {why(error)}") for name in names]
    if not part.peers:
        times = [_seconds(part.ours, own_threads, device) for _ in range(repeats)]
        memory = _memory(part.ours, own_threads, device)
        return [_row(part, NO_PEER, device, times, None, own_threads, 0, ours_mb=memory)]
    rows = []
    for peer in part.peers:
        if isinstance(peer, Missing):
            rows.append(_row(part, peer.name, device, None, None, own_threads, 0, note=peer.reason))
            continue
        try:
            threads, theirs = _best(peer, device)
        except Exception as error:  # noqa: BLE001 - a peer's own failure is a row that says so
            rows.append(_row(part, peer.name, device, None, None, own_threads, 0, note=f"failed: {why(error)}"))
            continue
        difference = part.difference(answer, theirs)
        if difference > part.tolerance:
            note = f"another answer: differs by {difference:.2g}, more than {part.tolerance:g}"
            rows.append(_row(part, peer.name, device, None, None, own_threads, threads, difference, note=note))
            continue
        pairs = [(_seconds(part.ours, own_threads, device), _seconds(peer, threads, device)) for _ in range(repeats)]
        ours_s, theirs_s = ([pair[i] for pair in pairs] for i in (0, 1))
        peaks = _memory(part.ours, own_threads, device), _memory(peer, threads, device)
        rows.append(_row(part, peer.name, device, ours_s, theirs_s, own_threads, threads, difference, *peaks))
    return rows


def _row(
    part: Part,
    peer: str,
    device: str,
    ours: list[float] | None,
    theirs: list[float] | None,
    threads: int,
    their_threads: int,
    difference: float = float("nan"),
    ours_mb: float = float("nan"),
    theirs_mb: float = float("nan"),
    note: str = "",
) -> Row:
    nan = float("nan")
    ratios = [b / a for a, b in zip(ours, theirs, strict=True)] if ours and theirs else [nan]
    ours_s, theirs_s = (statistics.median(times) if times else nan for times in (ours, theirs))
    return Row(
        part.name, peer, theirs_s / ours_s, min(ratios), max(ratios), ours_s, theirs_s, threads, their_threads, difference,
        ours_mb, theirs_mb, device, part.what, note, part.size,
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
