"""How cost grows with matrix, coils and slices: physics, a step of training, a run. Each size is a row of its own."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch

from bench.acquisition import Acquisition, Target
from bench.authoring.toy import toy
from bench.mri.coils import espirit_maps
from bench.mri.fourier import fft2c
from bench.mri.sense import Sense
from bench.mri.solvers import conjugate_gradient
from bench.speed.compare import Contender, Part, no_difference
from bench.speed.learning import Learner
from bench.speed.scene import Scene
from bench.speed.whole import typed

MATRICES, COILS, SLICES, TESTED = (64, 128, 256, 384), (4, 8, 16, 32), (1, 2, 4, 8), (2, 8, 32)
MATRIX, SOME_COILS = 192, 8
ITERATIONS, EQUILIBRIUM = 30, (5, 15, 45)
Given = tuple[Acquisition, Target]


def physics(scene: Scene) -> list[Part]:
    """CG-SENSE and ESPIRiT by matrix, CG-SENSE by coils and by slices at a time."""
    by_matrix = _on(scene.device, {n: toy((2 * n, 2 * n), 1, SOME_COILS) for n in MATRICES})
    by_coils = _on(scene.device, {n: toy((2 * MATRIX, 2 * MATRIX), 1, n) for n in COILS})
    by_slices = _on(scene.device, {n: toy((2 * MATRIX, 2 * MATRIX), n, SOME_COILS) for n in SLICES})
    return [
        *_sizes(scene.thread_numbers, "cg-sense-by-matrix", "pixels a side, 8 coils", by_matrix, _solve),
        *_sizes(scene.thread_numbers, "cg-sense-by-coils", f"coils, {MATRIX} x {MATRIX}", by_coils, _solve),
        *_sizes(
            scene.thread_numbers,
            "cg-sense-by-slices",
            f"slices at a time, 8 coils, {MATRIX} x {MATRIX}",
            by_slices,
            _solve,
        ),
        *_sizes(scene.thread_numbers, "espirit-by-matrix", "pixels a side, 8 coils", by_matrix, _calibrate),
    ]


def training(scene: Scene) -> list[Part]:
    """A step of `proposed-l1` by matrix, by batch, and by iterations of its equilibrium, whose memory does not grow."""
    by_matrix = _on(scene.device, {n: toy((n, n), 1, SOME_COILS) for n in MATRICES[:3]})
    by_batch = _on(scene.device, {n: toy((MATRIX, MATRIX), n, SOME_COILS) for n in SLICES[:3]})

    def prepared(given: Given, of: Scene = scene) -> Callable[[], object]:
        learner = Learner(of, "proposed-l1", plainly=False)
        learner.given = given
        return learner.step

    def iterated(iterations: int) -> Callable[[], object]:
        changed = replace(scene, overrides=(f"methods.proposed-l1.equilibrium_iterations={iterations}",))
        return prepared(by_batch[0][1], changed)

    return [
        *_sizes(scene.thread_numbers, "step-by-matrix", "HR pixels a side, 8 coils, batch 1", by_matrix, prepared),
        *_sizes(
            scene.thread_numbers, "step-by-batch", f"slices a step, 8 coils, {MATRIX} x {MATRIX} HR", by_batch, prepared
        ),
        *_sizes(
            scene.thread_numbers,
            "step-by-iterations",
            f"iterations of the equilibrium, batch 1, 8 coils, {MATRIX} x {MATRIX} HR",
            [(n, n) for n in EQUILIBRIUM],
            iterated,
        ),
    ]


def runs(scene: Scene) -> list[Part]:
    """A whole run at the smoke profile by tested slices."""

    def run(slices: int) -> Callable[[], object]:
        def in_new_folder() -> None:
            with tempfile.TemporaryDirectory() as folder:
                typed(
                    "run", "--dataset", "vwi", "--source", "phantom", "--methods", "cg-sense-plain+bicubic", "--profile",
                    "smoke", "--set", f"data.slices=[2, 2, {slices}]", "--device", scene.device, "--results", folder,
                )  # fmt: skip

        return in_new_folder

    return _sizes((), "run-by-slices", "tested slices, one method, smoke profile", [(n, n) for n in TESTED], run)


def _sizes(
    threads: tuple[int, ...],
    name: str,
    what: str,
    given: Sequence[tuple[int, Any]],
    prepare: Callable[[Any], Callable[[], object]],
) -> list[Part]:
    parts = []
    for size, case in given:
        ours = Contender("ours", prepare(case), threads)
        parts.append(Part(name, what, ours, (), no_difference, 0.0, float(size)))
    return parts


def _on(device: str, given: dict[int, Given]) -> list[tuple[int, Given]]:
    return [(size, (acquisition.to(device), target.to(device))) for size, (acquisition, target) in given.items()]


def _solve(given: Given) -> Callable[[], object]:
    acquisition = given[0]
    operator = Sense(acquisition.maps_lr, acquisition.mask)
    return lambda: conjugate_gradient(operator.normal, acquisition.zero_filled, ITERATIONS)


def _calibrate(given: Given) -> Callable[[], object]:
    acquisition, target = given
    kspace: torch.Tensor = fft2c(acquisition.maps_lr * target.image_lr[:, None])[0]
    return lambda: espirit_maps(kspace)
