"""What parts are timed on: slices of the numerical phantom. Everything is made when it is first asked for."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from bench import config, registry
from bench.acquisition import Acquisition, Target
from bench.config import Settings
from bench.data.dataset import Dataset, Series
from bench.data.prepare import open_split, prepare
from bench.data.sampling import kept_mask
from bench.data.slices import Slices, open_prepared
from bench.mri.sense import Sense

COILS = 12
ACCELERATION = 4.0
CENTRE = 24
SLICES = 8


@dataclass(frozen=True)
class Physics:
    """A slice of 12 coils x 256 x 232 on one grid, where the paper's `brain` has it; noisy k-space, its own maps."""

    kspace: Tensor
    """(coil, y, x) complex64, fully sampled."""
    maps: Tensor
    """(coil, y, x) complex64."""
    lines: Tensor
    """(y, x) bool: lines of a one-dimensional mask."""
    points: Tensor
    """(y, x) bool: points of a two-dimensional one."""

    @property
    def size(self) -> str:
        """In words."""
        return " x ".join(map(str, self.kspace.shape))

    def operator(self, mask: Tensor) -> Sense:
        """Of one slice."""
        return Sense(self.maps[None], mask[None])


@dataclass(frozen=True)
class Scene:
    """Where, and with how many threads."""

    device: str
    threads: int
    """At most."""
    profile: str = "laptop"
    """Of networks and their data."""
    overrides: tuple[str, ...] = ()
    """Of its settings."""

    @property
    def thread_numbers(self) -> tuple[int, ...]:
        """What a contender that can be pinned is tried at."""
        return (1, self.threads) if self.threads > 1 and self.device == "cpu" else (1,)

    @cached_property
    def settings(self) -> Settings:
        """Of all."""
        return config.load(self.profile, self.overrides)

    @cached_property
    def data(self) -> Dataset:
        """`vwi` of the phantom: so many slices of its test person."""
        return _phantom("vwi", self.settings, SLICES)

    @cached_property
    def slices(self) -> Slices:
        """Prepared."""
        prepare(self.data, ["test"], 1, lambda *_: None)
        return open_split(self.data, "test")

    def batch(self, slices: int) -> tuple[Acquisition, Target]:
        """What a method is given and shown."""
        return self.slices.batch(list(range(slices)), self.device)

    @cached_property
    def physics(self) -> Physics:
        """At the size of the paper's `brain`."""
        data = _phantom("brain", config.load("laptop", ("data.matrix_factor=1", f"data.coils={COILS}")), 1)
        prepare(data, ["test"], 1, lambda *_: None)
        file = open_prepared(_first(data).path)
        kspace, maps = (torch.from_numpy(file[name][0]).to(self.device) for name in ("kspace", "maps"))
        shape = (kspace.shape[1], kspace.shape[2])
        masks = (kept_mask(kind, shape, ACCELERATION, CENTRE, 0) for kind in ("gaussian-1d", "poisson-2d"))
        lines, points = (torch.from_numpy(mask).to(self.device) for mask in masks)
        return Physics(kspace, maps, lines, points)


def _phantom(dataset: str, settings: Settings, limit: int) -> Dataset:
    return Dataset.of(registry.datasets()[dataset].made_by(), "phantom", settings, 0, limit)


def _first(data: Dataset) -> Series:
    return data.series("test")[0]
