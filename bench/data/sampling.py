"""A protocol's one mask: made once, and kept in the cache, since the library that makes it compiles for seconds."""

import importlib.util
import os
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.data.protocol import Protocol
from bench.errors import UserError
from bench.mri import masks
from bench.store import layout
from bench.store.arrays import load_arrays, save_arrays
from bench.store.keys import key_of

VERSION = 1
"""Raised by hand when `bench.mri.masks` gives other masks."""


def sampling_mask(protocol: Protocol) -> NDArray[np.bool_]:
    """(y, x) on the LR grid.

    Raises
    ------
    UserError
        If no such mask has this acceleration and centre.
    """
    return kept_mask(protocol.mask, protocol.matrix_lr, protocol.acceleration, protocol.centre, protocol.mask_seed)


@cache
def kept_mask(kind: str, shape: tuple[int, int], acceleration: float, centre: int, seed: int) -> NDArray[np.bool_]:
    """(y, x) of any kind and size."""
    declared = {"kind": kind, "shape": shape, "acceleration": acceleration, "centre": centre, "seed": seed}
    path = layout.mask(key_of({**declared, "version": VERSION}))
    kept = load_arrays(path)
    if kept is None:
        kept = [_made(kind, shape, acceleration, centre, seed)]
        with suppress(UserError):  # a cache that cannot be written: it is made again next time
            save_arrays(path, kept)
    return kept[0]


def _made(kind: str, shape: tuple[int, int], acceleration: float, centre: int, seed: int) -> NDArray[np.bool_]:
    library = importlib.util.find_spec("sigpy")
    if library and library.origin and not os.access(Path(library.origin).parent, os.W_OK):
        os.environ.setdefault(
            "NUMBA_CACHE_DIR", str(layout.cache_folder() / "numba")
        )  # it compiles, and has to keep that somewhere
    make = masks.poisson_2d if kind == "poisson-2d" else masks.gaussian_1d
    try:
        with np.errstate(all="ignore"):
            return make(shape, acceleration, centre, seed)
    except ValueError as error:
        raise UserError(
            f"no {kind} mask of {shape} has acceleration {acceleration:g} and a centre of {centre}: make the centre smaller, "
            "or the acceleration."
        ) from error
