"""What is acquired: geometry, mask, acceleration, coils, noise, slices and splits. A dataset is a protocol over a source."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
Axis = Literal["axial", "coronal"]
OF_A_VIEW = ("acceleration", "coils", "noise")
"""What a view may set itself."""


@dataclass(frozen=True)
class View:
    """One series of slices: a plane, its contrast and where its slices lie."""

    contrast: str
    """As in the rows, e.g. "t1w-coronal"."""
    plane: Axis
    extent: tuple[float, float]
    """First and last slice: axial, as parts of 190 mm below the vertex; coronal, of the cranium from front to back."""
    remap: str = "t1w"
    """Tissue-intensity remap of the simulation."""
    acceleration: float | None = None
    """Its own, on the LR grid; None: the protocol's."""
    coils: int | None = None
    """Its own, after compression, whatever the profile says; None: the protocol's."""
    noise: float | None = None
    """Its own; None: the protocol's."""


@dataclass(frozen=True)
class Protocol:
    """Declarations only. Sizes are the paper's until `at` scales them to a profile."""

    id: str
    version: int
    """Of the simulation and preparation; raised by hand when their numbers change."""
    matrix: tuple[int, int]
    """HR (Y, X)."""
    voxel_mm: tuple[float, float] | None
    """HR (y, x); None: unknown."""
    coils: int
    """After compression."""
    physical_coils: int
    mask: Literal["poisson-2d", "gaussian-1d"]
    acceleration: float
    """On the LR grid."""
    centre: int
    """Fully sampled lines (gaussian-1d) or width of the square (poisson-2d)."""
    phase_encode: tuple[bool, bool]
    """Is y, is x a phase-encoding axis?"""
    noise: float
    """Standard deviation of the complex noise a coil and k-space sample; the head's 99.9th percentile is 1."""
    views: tuple[View, ...]
    slices: tuple[int, int, int]
    """In train, validation and test, all views together."""
    sources: tuple[str, ...]
    """The first is the default."""
    least_matrix: tuple[int, int] = (0, 0)
    """No profile makes it smaller."""
    mask_seed: int = 0
    cells: bool = False
    """Views show the same slices, each acquired in its own way. `slices` counts positions: training draws from all views of
    all positions, each position of validation stands in one view, drawn once, and each of the test split in every view."""
    train_on: str | None = None
    """Another dataset, whose stages are used."""
    caveats: tuple[str, ...] = ()
    """Said in every table."""

    def at(self, matrix_factor: float, coils: int | None, centre_factor: float) -> "Protocol":
        """Scale to a profile: field of view kept, voxel grown, matrix a multiple of four."""
        if matrix_factor == 1 and coils is None and centre_factor == 1:
            return self
        y, x = (
            max(least, 4, 4 * round(n / matrix_factor / 4))
            for n, least in zip(self.matrix, self.least_matrix, strict=True)
        )
        voxel = self.voxel_mm and (
            self.voxel_mm[0] * self.matrix[0] / y,
            self.voxel_mm[1] * self.matrix[1] / x,
        )
        return replace(
            self,
            matrix=(y, x),
            voxel_mm=voxel,
            coils=min(self.coils, coils or self.coils),
            centre=round(self.centre / centre_factor),
        )

    def of(self, view: View) -> "Protocol":
        """The protocol of one view, with what the view sets itself."""
        own = {name: getattr(view, name) for name in OF_A_VIEW if getattr(view, name) is not None}
        return replace(self, **own)

    @property
    def matrix_lr(self) -> tuple[int, int]:
        """LR (y, x)."""
        return self.matrix[0] // 2, self.matrix[1] // 2


@dataclass(frozen=True)
class Vessel:
    """A vessel whose truth is known: round in every native z-slice, dark inside, with a bright wall."""

    centre: NDArray[np.float64]
    """(z, 2): native pixel (y, x); nan in slices where it does not lie whole in tissue."""
    lumen_mm: float
    """Radius."""
    wall_mm: float
    """Thickness."""


@dataclass(frozen=True)
class Head:
    """A magnitude volume to simulate an acquisition from."""

    volume: NDArray[np.float32]
    """(z, y, x): superior to inferior, anterior to posterior, left to right; 99.9th percentile 1."""
    voxel_mm: tuple[float, float, float]
    """(z, y, x)."""
    vessels: tuple[Vessel, ...] = ()


@dataclass(frozen=True)
class RawSubject:
    """Measured, fully sampled k-space."""

    kspace: Mapping[tuple[str, int], NDArray[np.complex64]]
    """(contrast, slice) -> (coil, Y, X), centred, orthonormal FFT."""
    voxel_mm: tuple[float, float] | None
    """(y, x) of this k-space as it is given: field of view over Y and X. A crop to the protocol's matrix makes it grow. None:
    unknown."""
    voxels: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Those of contrasts that have another one."""


class LazyKspace(Mapping[tuple[str, int], NDArray[np.complex64]]):
    """Slices that are read when they are asked for, by (contrast, slice number)."""

    def __init__(self, reads: Mapping[tuple[str, int], Callable[[], NDArray[np.complex64]]]) -> None:
        self.reads = reads

    def __getitem__(self, key: tuple[str, int]) -> NDArray[np.complex64]:
        return self.reads[key]()

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return iter(self.reads)

    def __len__(self) -> int:
        return len(self.reads)


class Source(ABC):
    """Where fully sampled subjects come from."""

    label: str
    """"simulated acquisition" or "real raw data, ...": said in every table and figure."""
    datasets: ClassVar[tuple[str, ...]] = ()
    """Datasets whose protocol it suits, besides those that name it themselves."""

    @abstractmethod
    def subjects(self) -> dict[Split, tuple[str, ...]]:
        """Subject ids of the reference split, by train, validation and test."""

    def folds(self) -> int:
        """How many folds there are; by default each person begins the list once."""
        return sum(map(len, self.subjects().values()))

    def split(self, fold: int) -> dict[Split, tuple[str, ...]]:
        """Subject ids of a fold from 0, the reference split, on; by default its people are rotated (`folded`)."""
        return folded(self.subjects(), fold)

    def within(self, subject: str, plane: Axis) -> tuple[float, float]:
        """Parts of a head, as `View.extent` counts them, between which its volume holds whole slices."""
        return 0.0, 1.0

    def count(self, subject: str, contrast: str) -> int | None:
        """How many slices of a contrast somebody has, 0 where none; None: known when the subject is loaded."""
        return None

    def assets(self, subject: str) -> tuple[str, ...]:
        """Names for `bench fetch` of what has to be downloaded for a subject."""
        return ()

    @abstractmethod
    def digests(self, subject: str) -> tuple[str, ...]:
        """Declare what the subject is made of: sha256 of its files, or generator version and seed."""

    @abstractmethod
    def load(self, subject: str) -> Head | RawSubject:
        """Read or make one subject."""


def folded(subjects: dict[Split, tuple[str, ...]], fold: int) -> dict[Split, tuple[str, ...]]:
    """Rotate the subjects through the splits by `fold` places; 0 is the reference split."""
    everyone = [s for split in SPLITS for s in subjects.get(split, ())]
    everyone = everyone[fold:] + everyone[:fold]
    result: dict[Split, tuple[str, ...]] = {}
    for split in SPLITS:
        n = len(subjects.get(split, ()))
        result[split], everyone = tuple(everyone[:n]), everyone[n:]
    return result


def apart(subjects: Mapping[Split, tuple[str, ...]]) -> None:
    """See that nobody stands in two splits, or twice in one.

    Raises
    ------
    ValueError
        If somebody does.
    """
    place: dict[str, str] = {}
    for split, ids in subjects.items():
        for subject in ids:
            if subject in place:
                where = f"twice in '{split}'" if place[subject] == split else f"in '{place[subject]}' and in '{split}'"
                raise ValueError(f"'{subject}' stands {where}: name everybody once")
            place[subject] = split
