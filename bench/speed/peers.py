"""The peers: whether they are here, how they are called, and their answers in our layout."""

import importlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
import weakref
from collections.abc import Callable
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.run.timing import status_mb
from bench.speed.compare import Contender, Missing

Array = NDArray[Any]
LOOK_S = 0.002
LIBRARIES = {"sigpy": "sigpy", "mrpro": "mrpro", "skimage": "scikit-image", "torchmetrics": "torchmetrics"}
"""Module -> what to install."""


def library(name: str, run: Callable[[], Any], threads: tuple[int, ...] = ()) -> Contender | Missing:
    """A peer that is a Python package."""
    if importlib.util.find_spec(name) is None:
        return Missing(name, f"not installed: pip install {LIBRARIES[name]}")
    return Contender(name, run, threads)


def module(name: str) -> Any:
    """Import it; types of what may not be installed are not looked at."""
    return importlib.import_module(name)


def versions() -> dict[str, str]:
    """Of what is here."""
    found = {name: version(package) for name, package in LIBRARIES.items() if importlib.util.find_spec(name)}
    if shutil.which("bart"):
        found["bart"] = subprocess.run(
            ["bart", "version"], check=True, capture_output=True, text=True  # noqa: S607
        ).stdout.strip()  # fmt: skip
    return found


class Sigpy:
    """Its linear operator, reconstruction and calibration."""

    def __init__(self, maps: Array, mask: Array, image: Array, data: Array) -> None:
        self.maps, self.mask, self.image, self.data = maps, mask.astype(np.float32), image, data

    @cached_property
    def operator(self) -> Any:
        """Its weights are what it multiplies by, so a mask."""
        from sigpy.mri import linop

        return linop.Sense(self.maps, weights=self.mask)

    def forward(self) -> Any:
        """A x."""
        return self.operator(self.image)

    def adjoint(self) -> Any:
        """A^H b."""
        return self.operator.H(self.data)

    def normal(self) -> Any:
        """A^H A x."""
        return self.operator.N(self.image)

    def conjugate_gradient(self, iterations: int) -> Any:
        """Its app of SENSE."""
        from sigpy.mri import app

        return app.SenseRecon(self.data, self.maps, weights=self.mask, max_iter=iterations, show_pbar=False).run()

    @staticmethod
    def espirit(kspace: Array, calibration: int, kernel: int, threshold: float, eigenvalue: float) -> Any:
        """Its app of ESPIRiT."""
        from sigpy.mri import app

        return app.EspiritCalib(kspace, calibration, threshold, kernel, crop=eigenvalue, show_pbar=False).run()


class Mrpro:
    """Its operators: sensitivities, fast Fourier transform, Cartesian sampling."""

    def __init__(self, maps: Tensor, mask: Tensor, image: Tensor, data: Tensor) -> None:
        self.maps, self.mask, self.image = maps[None, :, None], mask, image[None, None, None]
        self.data = data[:, mask][None, :, None, None]

    @cached_property
    def operator(self) -> Any:
        """(1, 1, 1, y, x) -> (1, coil, 1, 1, sample)."""
        data, operators = module("mrpro.data"), module("mrpro.operators")
        shape = self.mask.shape
        y, x = (places - n // 2 for places, n in zip(self.mask.nonzero(as_tuple=True), shape, strict=True))
        ky, kx = (k.to(torch.float32)[None, None, None, None] for k in (y, x))
        trajectory = data.KTrajectory(torch.zeros_like(kx), ky, kx)
        sampling = operators.CartesianSamplingOp(data.SpatialDimension(1, shape[0], shape[1]), trajectory)
        return sampling @ operators.FastFourierOp(dim=(-2, -1)) @ operators.SensitivityOp(self.maps)

    def forward(self) -> Array:
        """A x, on the grid."""
        (samples,) = self.operator(self.image)
        grid = samples.new_zeros(self.maps.shape[1], *self.mask.shape)
        grid[:, self.mask] = samples[0, :, 0, 0]
        return np.asarray(grid.cpu())

    def adjoint(self) -> Array:
        """A^H b."""
        return np.asarray(self.operator.adjoint(self.data)[0][0, 0, 0].cpu())

    def normal(self) -> Array:
        """A^H A x."""
        return np.asarray(self.operator.gram(self.image)[0][0, 0, 0].cpu())

    def conjugate_gradient(self, iterations: int) -> Array:
        """Its own, on A^H A."""
        cg = module("mrpro.algorithms.optimizers").cg
        (image,) = cg(self.operator.gram, self.operator.adjoint(self.data), max_iterations=iterations, tolerance=0.0)
        return np.asarray(image[0, 0, 0].cpu())


class Bart:
    """One command of BART on files in memory. Its time holds its start and its files; both are some milliseconds."""

    def __init__(self, *arguments: str, **inputs: NDArray[np.complex64]) -> None:
        self.arguments, self.inputs = arguments, inputs

    def contender(self, threads: tuple[int, ...]) -> Contender | Missing:
        """What can be asked, if BART is installed."""
        if not shutil.which("bart"):
            return Missing("bart", "not installed: apt install bart")
        return Contender("bart", self.run, threads, self.peak_mb)

    @cached_property
    def folder(self) -> Path:
        """With the inputs; gone with this object."""
        folder = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))  # noqa: S108
        weakref.finalize(self, shutil.rmtree, folder)
        for name, array in self.inputs.items():
            write_cfl(folder / name, array)
        return folder

    def run(self) -> NDArray[np.complex64]:
        """(coil, y, x): the file `out`, made with as many threads as torch has."""
        with self._started() as process:
            _, said = process.communicate()
        if process.returncode:
            lines = said.decode(errors="replace").strip().splitlines()
            raise RuntimeError(f"bart {self.arguments[0]}: {lines[-1] if lines else process.returncode}")
        return read_cfl(self.folder / "out")

    def peak_mb(self) -> float:
        """Run it once more and look at its memory meanwhile: what the system tells afterwards holds this process's too."""
        highest = 0.0
        with self._started() as process:
            while process.poll() is None:
                highest = max(highest, status_mb("VmHWM", process.pid))
                time.sleep(LOOK_S)
        return highest or float("nan")

    def _started(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
        return subprocess.Popen(  # noqa: S603
            ["bart", *self.arguments], cwd=self.folder, env=environment,  # noqa: S607
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip


def write_cfl(path: Path, array: NDArray[np.complex64]) -> None:
    """(coil, y, x) -> BART's (y, x, 1, coil), column-major complex64."""
    moved = np.moveaxis(array, 0, -1)[:, :, None]
    path.with_suffix(".hdr").write_text(f"# Dimensions\n{' '.join(map(str, moved.shape))}\n")
    moved.astype(np.complex64).ravel(order="F").tofile(path.with_suffix(".cfl"))


def read_cfl(path: Path) -> NDArray[np.complex64]:
    """BART's (y, x, 1, coil) -> (coil, y, x)."""
    shape = [int(n) for n in path.with_suffix(".hdr").read_text().splitlines()[1].split()]
    array = np.fromfile(path.with_suffix(".cfl"), np.complex64).reshape(shape, order="F")
    return np.moveaxis(array.reshape(*array.shape[:2], -1), -1, 0)
