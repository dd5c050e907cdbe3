"""What a reconstructor makes of a split, computed once for all that stands on it: training, and rows of its sequences."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bench.composition import Half, reconstruct_all
from bench.data.slices import Slices
from bench.store import layout
from bench.store.arrays import load_arrays, save_arrays
from bench.store.files import locked
from bench.store.keys import key_of
from bench.store.layout import StageFolder
from bench.store.records import StageRecord


@dataclass(frozen=True)
class Upstream:
    """The reconstructor that a super-resolver stands on."""

    id: str
    key: str
    """Of its stage, or of its declarations where it has none."""
    folder: StageFolder | None
    """Of its stage, if it has one."""


def reconstructed(
    upstream: Upstream, half: Half, slices: Slices, indices: Sequence[int], device: str
) -> dict[int, Tensor]:
    """Its images (y, x) complex64 by slice, cached under all they depend on; a damaged file (zip's checksum) is made anew."""
    learned = StageRecord.read(upstream.folder.record).digest if upstream.folder else None
    content = {"reconstructor": upstream.key, "text": half.plugin.sha256, "learned": learned, "data": slices.key}
    path = layout.reconstructions(upstream.id, key_of({**content, "slices": list(indices)}))
    with locked(path.with_suffix(".lock"), path.name):
        known = load_arrays(path)
        if known is None:
            images = reconstruct_all(half, slices, indices, device)
            save_arrays(path, [images.numpy()])
        else:
            images = torch.from_numpy(known[0])
    return dict(zip(indices, images, strict=True))
