"""The physics: SENSE, conjugate gradients, ESPIRiT, geometric coil compression."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bench.mri.coils import compress, compression, espirit_maps
from bench.mri.fourier import ifft2c
from bench.mri.solvers import conjugate_gradient
from bench.speed import plain
from bench.speed.compare import Contender, Part, relative
from bench.speed.peers import Bart, Mrpro, Sigpy, library
from bench.speed.scene import Scene

ITERATIONS = 30
VIRTUAL = 8
CALIBRATION, KERNEL, THRESHOLD, EIGENVALUE = 24, 6, 0.02, 0.9
SAME = 1e-4
SAME_IMAGE = 1e-2
"""Of 30 iterations of conjugate gradients, whose roundings and starting points differ."""
SAME_MAPS = 1e-3
"""Of 1 - correlation: the mean over the common support."""
SAME_SUBSPACE = 1e-3
"""Of combined images after compression."""
Array = NDArray[Any]


def array(tensor: Tensor) -> Array:
    """On the CPU, without gradient."""
    return tensor.detach().resolve_conj().cpu().numpy()


def operators(scene: Scene) -> list[Part]:
    """A, A^H and A^H A, of a mask of lines."""
    physics = scene.physics
    operator = physics.operator(physics.lines)
    image = operator.adjoint(physics.kspace[None])
    data = operator.forward(image)
    ours: Mapping[str, Callable[[], Tensor]] = {
        "forward": lambda: operator.forward(image),
        "adjoint": lambda: operator.adjoint(data),
        "normal": lambda: operator.normal(image),
    }
    sigpy = Sigpy(array(physics.maps), array(physics.lines), array(image[0]), array(data[0]))
    mrpro = Mrpro(physics.maps, physics.lines, image[0], data[0])
    parts = []
    for name, action in ours.items():
        peers = [
            library("sigpy", getattr(sigpy, name)),
            library("mrpro", getattr(mrpro, name), scene.thread_numbers),
        ]
        if name == "normal":
            peers.append(_pinned(scene, "plain", lambda: plain.normal(operator, image)))
        parts.append(
            Part(
                name,
                f"SENSE {name}, {physics.size}, 4x lines",
                _pinned(scene, "ours", action),
                tuple(peers),
                relative,
                SAME,
            )
        )
    return parts


def cg_sense(scene: Scene) -> list[Part]:
    """30 iterations from 0, of lines and of points."""
    return [
        _cg_sense(scene, kind, mask)
        for kind, mask in (("lines", scene.physics.lines), ("points", scene.physics.points))
    ]


def _cg_sense(scene: Scene, kind: str, mask: Tensor) -> Part:
    physics = scene.physics
    operator = physics.operator(mask)
    data = mask * physics.kspace
    rhs = operator.adjoint(data[None])
    sigpy = Sigpy(array(physics.maps), array(mask), array(rhs[0]), array(data))
    mrpro = Mrpro(physics.maps, mask, rhs[0], data)
    bart = Bart("pics", "-S", "-i", str(ITERATIONS), "-l2", "-r", "0", "kspace", "maps", "out",
                kspace=array(data), maps=array(physics.maps))  # fmt: skip
    return Part(
        "cg-sense" if kind == "lines" else "cg-sense-2d",
        f"CG-SENSE, {ITERATIONS} iterations, {physics.size}, 4x {kind}",
        _pinned(scene, "ours", lambda: conjugate_gradient(operator.normal, rhs, ITERATIONS)),
        (
            library("sigpy", lambda: sigpy.conjugate_gradient(ITERATIONS)),
            bart.contender(scene.thread_numbers),
            library("mrpro", lambda: mrpro.conjugate_gradient(ITERATIONS), scene.thread_numbers),
            _pinned(
                scene, "plain", lambda: plain.conjugate_gradient(lambda x: plain.normal(operator, x), rhs, ITERATIONS)
            ),
        ),
        _unscaled,
        SAME_IMAGE,
    )


def espirit(scene: Scene) -> list[Part]:
    """Maps of the full grid from 24 x 24 samples."""
    kspace = scene.physics.kspace
    given = (CALIBRATION, KERNEL, THRESHOLD, EIGENVALUE)
    bart = Bart("ecalib", "-m1", f"-r{CALIBRATION}", f"-k{KERNEL}", f"-t{THRESHOLD**2}", f"-c{EIGENVALUE}", "kspace", "out",
                kspace=array(kspace))  # fmt: skip
    return [
        Part(
            "espirit",
            f"ESPIRiT, {scene.physics.size}",
            _pinned(scene, "ours", lambda: espirit_maps(kspace, None, *given)),
            (
                library("sigpy", lambda: Sigpy.espirit(array(kspace), *given)),
                bart.contender(scene.thread_numbers),
                _pinned(scene, "plain", lambda: plain.espirit_maps(kspace, *given)),
            ),
            _uncorrelated,
            SAME_MAPS,
        )
    ]


def gcc(scene: Scene) -> list[Part]:
    """12 coils to 8 along a readout of 256: matrices and k-space."""
    kspace = scene.physics.kspace
    lines = f"{kspace.shape[1]}:{CALIBRATION}:1"
    bart = Bart("cc", "-G", f"-p{VIRTUAL}", "-r", lines, "kspace", "out", kspace=array(kspace))
    return [
        Part(
            "gcc",
            f"geometric coil compression to {VIRTUAL}, {scene.physics.size}",
            _pinned(scene, "ours", lambda: compress(kspace, compression(kspace, VIRTUAL, 0, CALIBRATION), 0)),
            (bart.contender(scene.thread_numbers),),
            _differently_combined,
            SAME_SUBSPACE,
        )
    ]


def _pinned(scene: Scene, name: str, action: Callable[[], Tensor]) -> Contender:
    return Contender(name, lambda: array(action()), scene.thread_numbers)


def _unscaled(ours: Array, theirs: Array) -> float:
    return relative(np.squeeze(ours), np.squeeze(theirs))


def _uncorrelated(ours: Array, theirs: Array) -> float:
    """1 - mean |<a, b>| where both have maps; infinite where the supports are not nearly the same."""
    here, there = (np.abs(maps).sum(0) > 0 for maps in (ours, theirs))
    if (here != there).mean() > SAME_IMAGE:
        return float("inf")
    both = here & there
    ours, theirs = ours.astype(np.complex128), theirs.astype(np.complex128)
    norms = np.linalg.norm(ours[:, both], axis=0) * np.linalg.norm(theirs[:, both], axis=0)
    return float(1 - (np.abs((ours.conj() * theirs).sum(0)[both]) / norms).mean())


def _differently_combined(ours: Array, theirs: Array) -> float:
    import torch

    combined = [ifft2c(torch.from_numpy(np.ascontiguousarray(k))).abs().square().sum(0).sqrt() for k in (ours, theirs)]
    return relative(combined[0], combined[1])
