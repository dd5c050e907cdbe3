"""What stages learn from and are validated on: read once, and kept where it fits."""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from bench.acquisition import Acquisition, Batched, Target
from bench.data.slices import Slices, joined

Pair = tuple[Acquisition, Target]
KEPT_BYTES = 2 * 2**30
"""Of slices that a process keeps, on its device. What is beyond is read each time, one step ahead."""


class Samples:
    """The slices of a split, with what a reconstructor made of them where a super-resolver is trained on its outputs.

    Parameters
    ----------
    reconstructions
        By slice, (y, x) complex64; of those that are drawn.
    """

    def __init__(
        self, slices: Slices, reconstructions: Mapping[int, Tensor] | None = None, kept_bytes: int = KEPT_BYTES
    ) -> None:
        self.slices, self.reconstructions, self.kept_bytes = slices, reconstructions, kept_bytes
        self.kept: dict[int, Pair] = {}
        self.coming: dict[int, Future[Pair]] = {}

    @cached_property
    def foregrounds(self) -> Tensor:
        """(slice, Y, X) bool."""
        return torch.from_numpy(np.stack([self.slices.foreground(i) for i in range(len(self.slices))]))

    @cached_property
    def reader(self) -> ThreadPoolExecutor:
        """Its one thread."""
        return ThreadPoolExecutor(1, "reading ahead")

    def batch(self, indices: list[int], device: str) -> tuple[Acquisition, Target, Tensor | None]:
        """The slices of these indices."""
        acquisition, target = joined([self._one(i, device) for i in indices])
        self.coming.clear()
        if self.reconstructions is None:
            return acquisition, target, None
        return acquisition, target, torch.stack([self.reconstructions[i] for i in indices]).to(device)

    def read_ahead(self, indices: list[int], device: str) -> None:
        """Say what is asked for next: what is not kept, and has no room, is read meanwhile."""
        if self._room() <= 0:
            self.coming = {i: self.reader.submit(self._read, i, device) for i in indices if i not in self.kept}

    def _one(self, index: int, device: str) -> Pair:
        if index in self.kept:
            return self.kept[index]
        pair = self.coming[index].result() if index in self.coming else self._read(index, device)
        if self._room() > 0:
            self.kept[index] = pair
        return pair

    def _read(self, index: int, device: str) -> Pair:
        acquisition, target = self.slices.one(index)
        return acquisition.to(device), target.to(device)

    def _room(self) -> int:
        """Bytes; all slices are about as large."""
        return self.kept_bytes - sum(_bytes(part) for pair in [*self.kept.values()][:1] for part in pair) * len(
            self.kept
        )


def _bytes(part: Batched) -> int:
    return sum(tensor.nbytes for tensor in vars(part).values() if isinstance(tensor, Tensor))
