"""Agreement with BART, where it is installed."""

import os
import shutil
import subprocess

import numpy as np
import pytest
import torch

from bench.mri.coils import espirit_maps
from bench.mri.sense import Sense
from bench.mri.solvers import conjugate_gradient

pytestmark = pytest.mark.skipif(not shutil.which("bart"), reason="BART is not installed")


def write(path, array):
    """(coil, y, x) -> BART's (y, x, 1, coil), column-major complex64."""
    moved = np.moveaxis(array, 0, -1)[:, :, None]
    path.with_suffix(".hdr").write_text(f"# Dimensions\n{' '.join(map(str, moved.shape))}\n")
    moved.astype(np.complex64).ravel(order="F").tofile(path.with_suffix(".cfl"))


def read(path):
    shape = [int(n) for n in path.with_suffix(".hdr").read_text().splitlines()[1].split()]
    array = np.fromfile(path.with_suffix(".cfl"), np.complex64).reshape(shape, order="F")
    return np.moveaxis(array.reshape(*array.shape[:2], -1), -1, 0)


def bart(folder, *arguments):
    subprocess.run(
        ["bart", *arguments], cwd=folder, check=True, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )


def test_conjugate_gradients_agree_with_pics(tmp_path, scan):
    maps, image, kspace = scan
    mask = torch.zeros(1, *image.shape, dtype=torch.bool)
    mask[:, :, ::2] = mask[:, :, 20:28] = True
    write(tmp_path / "kspace", (kspace * mask).numpy())
    write(tmp_path / "maps", maps.numpy())
    bart(tmp_path, "pics", "-S", "-i", "60", "-l2", "-r", "0", "kspace", "maps", "image")
    operator = Sense(maps[None], mask)
    ours = conjugate_gradient(operator.normal, operator.adjoint(kspace[None]), 60)[0]
    theirs = torch.from_numpy(read(tmp_path / "image")[0])
    assert torch.linalg.norm(ours - theirs) < 2e-3 * torch.linalg.norm(ours)


def test_maps_agree_with_ecalib(tmp_path, scan):
    """Up to a phase in each pixel, which calibration leaves open."""
    _, image, kspace = scan
    write(tmp_path / "kspace", kspace.numpy())
    bart(tmp_path, "ecalib", "-m1", "-r24", "-k6", "-c0", "kspace", "maps")
    theirs = torch.from_numpy(read(tmp_path / "maps"))
    ours = espirit_maps(kspace, eigenvalue=0.0)
    alike = (ours.conj() * theirs).sum(0).abs()[image > 0]
    assert alike.min() > 0.99
