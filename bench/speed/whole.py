"""What a run is made of besides networks: scores, preparation, and a whole run."""

import shutil
import subprocess
import sys
import tempfile
import weakref
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray

from bench.data import prepare
from bench.data.admission import admit
from bench.data.dataset import make_source
from bench.metrics.image import ssim
from bench.speed import plain
from bench.speed.compare import Contender, Part, no_difference, relative
from bench.speed.peers import library, module
from bench.speed.scene import Scene

IMAGES, IMAGE = 150, (256, 232)
SAME_SSIM = 1e-3
SAME_SLICE = 1e-2
LAST_WORDS = 300  # letters
RUN = (
    "--dataset",
    "vwi",
    "--source",
    "phantom",
    "--methods",
    "cg-sense-plain+*,dl-espirit+rrdb,!*+medsrgan,!*+bebygan",
)
"""Trained and scored; no downloads."""
Array = NDArray[Any]


def similarity(scene: Scene) -> list[Part]:
    """SSIM of 150 slices."""
    random = np.random.default_rng(0)
    truth = np.clip(random.normal(0.5, 0.2, (IMAGES, *IMAGE)), 0, 1)
    image = np.clip(truth + random.normal(0, 0.1, truth.shape), 0, 1)

    def skimage() -> Array:
        from skimage.metrics import structural_similarity

        given: dict[str, Any] = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
        return np.array(
            [structural_similarity(a, b, data_range=1.0, **given) for a, b in zip(truth, image, strict=True)]
        )

    def torchmetrics() -> Array:
        measure = module("torchmetrics.functional.image").structural_similarity_index_measure
        pair = [torch.from_numpy(x)[:, None].to(scene.device, torch.float32) for x in (image, truth)]
        found: torch.Tensor = measure(*pair, sigma=1.5, kernel_size=11, data_range=1.0, reduction="none")
        return found.cpu().numpy()

    def ours() -> Array:
        return np.array([ssim(a, b)[0] for a, b in zip(image, truth, strict=True)])

    return [
        Part(
            "ssim", f"SSIM of {IMAGES} slices, {IMAGE[0]} x {IMAGE[1]}", Contender("ours", ours),
            (library("skimage", skimage), library("torchmetrics", torchmetrics, scene.thread_numbers)), relative, SAME_SSIM,
        )
    ]  # fmt: skip


def preparation(scene: Scene) -> list[Part]:
    """A slice from the head to what is written: coils, noise, compression, maps, truths."""
    series = scene.data.series("test")[0]
    head = admit(series.subject, make_source(series.source_id).load(series.subject)).subject
    number = prepare.slice_numbers(series, head)[0]

    def plainly() -> Array:
        with patch.object(prepare, "espirit_maps", plain.espirit_maps):
            return ours()

    def ours() -> Array:
        made: Array = np.abs(prepare.prepare_slice(series, head, number)["maps"])
        return made

    protocol, size = scene.data.protocol, " x ".join(map(str, scene.data.protocol.matrix))
    what = f"preparing a slice, {protocol.physical_coils} coils to {protocol.coils}, {size}"
    return [
        Part(
            "preparation", what, Contender("ours", ours, scene.thread_numbers),
            (Contender("plain", plainly, scene.thread_numbers),), relative, SAME_SLICE,
        )
    ]  # fmt: skip


def typed(*words: str) -> None:
    """`bench` with these words, as a user types it.

    Raises
    ------
    RuntimeError
        If it fails: its last words.
    """
    command = [sys.executable, "-m", "bench", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise RuntimeError(" ".join((done.stderr + done.stdout).split())[-LAST_WORDS:])


def whole_run(scene: Scene) -> list[Part]:
    """`bench run` at the smoke profile: plan, data, one network trained, rows, timing; and again, with all there."""

    def run(results: Path) -> None:
        typed("run", *RUN, "--profile", "smoke", "--device", scene.device, "--results", str(results))

    def first() -> None:
        with tempfile.TemporaryDirectory() as folder:
            run(Path(folder))

    kept = Path(tempfile.mkdtemp())

    def again() -> None:
        run(kept)

    weakref.finalize(again, shutil.rmtree, kept)

    what = "bench run of the smoke profile: 4 methods of the phantom"
    return [
        Part("run", what, Contender("ours", first), (), no_difference, 0.0),
        Part("run-again", f"{what}, again", Contender("ours", again), (), no_difference, 0.0),
    ]
