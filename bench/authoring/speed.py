"""`bench speed`: the physics against sigpy and against a plain version, in one run. Ratios, since machines differ."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bench.authoring.toy import toy
from bench.mri.coils import espirit_maps
from bench.mri.fourier import fft2c
from bench.mri.sense import Sense
from bench.mri.solvers import conjugate_gradient

REPEATS = 5
ITERATIONS = 10


@dataclass(frozen=True)
class Row:
    """One comparison; seconds a call."""

    what: str
    against: str
    ours: float
    theirs: float

    @property
    def ratio(self) -> float:
        """Above 1: ours is faster."""
        return self.theirs / self.ours


def median_seconds(action: Callable[[], object], repeats: int = REPEATS) -> float:
    """Median of a few runs after one to warm up."""
    action()
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds))


def compare(matrix: tuple[int, int] = (168, 140), coils: int = 8) -> list[Row]:
    """Time each piece of physics against another's, on this process's threads."""
    import sigpy.mri

    acquisition, target = toy(matrix, batch=1, coils=coils)
    maps, mask, image = acquisition.maps_lr, acquisition.mask, target.image_lr
    operator = Sense(maps, mask)
    one: tuple[NDArray[np.complex64], NDArray[np.float32]] = (maps[0].numpy(), mask[0].numpy().astype(np.float32))
    theirs = sigpy.mri.linop.Sense(one[0], weights=one[1])
    kspace = acquisition.kspace[0].numpy()
    full = fft2c(acquisition.maps_hr * target.image_hr[:, None])[0]

    def plain(x: Tensor) -> Tensor:
        return operator.adjoint(operator.forward(x))

    def sigpys_cg() -> object:
        app = sigpy.mri.app.SenseRecon(kspace, one[0], weights=one[1], max_iter=ITERATIONS, show_pbar=False)
        return app.run()

    def sigpys_espirit() -> object:
        return sigpy.mri.app.EspiritCalib(full.numpy(), show_pbar=False).run()

    pairs: list[tuple[str, str, Callable[[], object], Callable[[], object]]] = [
        ("A^H A", "A then A^H, with image shifts", lambda: operator.normal(image), lambda: plain(image)),
        ("A^H A", "sigpy", lambda: operator.normal(image), lambda: theirs.H(theirs(image[0].numpy()))),
        (f"CG, {ITERATIONS} iterations", "sigpy",
         lambda: conjugate_gradient(operator.normal, acquisition.zero_filled, ITERATIONS), sigpys_cg),
        ("ESPIRiT", "sigpy", lambda: espirit_maps(full), sigpys_espirit),
    ]  # fmt: skip
    return [Row(what, other, median_seconds(ours), median_seconds(reference)) for what, other, ours, reference in pairs]
