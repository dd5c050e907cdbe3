"""How long a plan will take: by what the shipped rows and stages took, and by a try of what nobody shipped."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd
import torch

from bench.acquisition import Acquisition
from bench.composition import build
from bench.config import Settings
from bench.data.protocol import Protocol
from bench.registry import MethodPlugin
from bench.run.plan import DatasetPlan, RowPlan, StagePlan
from bench.run.timing import LONGEST_S, TIMED_SLICES
from bench.store import layout
from bench.store.records import StageRecord

SCORES_S = 8e-6  # a pixel: metrics of a slice at one thread, LPIPS the most of it
LOADING_S = 2.0  # a row: process, networks, files
TRAINING_FORWARDS = 4.0  # a step costs as much: forward and backward, and what only training does


@dataclass(frozen=True)
class Estimate:
    """Seconds of one worker, by what they go to."""

    training: float = 0.0
    evaluation: float = 0.0
    timing: float = 0.0
    unknown: tuple[str, ...] = ()
    """Stages of which nobody can tell how long they take to train."""
    told: bool = True
    """Whether somebody can tell of evaluation and timing: not on another device than the CPU."""


def estimate(plans: Iterable[DatasetPlan], timing: bool, device: str) -> Estimate:
    """Add up what is to do; stages that several datasets or rows share count once."""
    training: dict[str, float | None] = {}
    seconds = {"evaluation": 0.0, "timing": 0.0}
    for plan in plans:
        for stage in plan.to_train:
            if stage.stage.plugin.trained:
                training.setdefault(stage.stage.key, _training(plan, stage) if device == "cpu" else None)
        pixels = plan.test.protocol.matrix[0] * plan.test.protocol.matrix[1]
        for row in (*plan.to_evaluate, *plan.to_time):
            if device != "cpu":
                continue
            once = _inference(plan, row)
            if row.to_do == "evaluate":
                again = 2 if len(row.method.halves) == 2 else 1  # its super-resolver is also fed the truth
                seconds["evaluation"] += LOADING_S + plan.test.count("test") * (again * once + SCORES_S * pixels)
            if timing:
                seconds["timing"] += LOADING_S + min(LONGEST_S, (TIMED_SLICES + 2) * once)
    known = [value for value in training.values() if value is not None]
    unknown = [s.stage.id for plan in plans for s in plan.to_train if training.get(s.stage.key, 0.0) is None]
    return Estimate(sum(known), **seconds, unknown=tuple(dict.fromkeys(unknown)), told=device == "cpu")


def _training(plan: DatasetPlan, stage: StagePlan) -> float | None:
    """As long as the shipped stage of this name took, longer with more steps; of others by a try."""
    steps, batch = plan.settings.training.iterations, plan.settings.training.batch
    root = layout.shipped()
    path = root and root.stage(plan.training.name, plan.settings.profile, stage.stage.id, 0).record
    if path and path.exists():
        record = StageRecord.read(path)
        if record.seconds and record.iterations:
            return record.seconds / record.iterations * steps
    parts = stage.stage.plugin.halves or (stage.stage.plugin,)
    once = [_try(part, plan.settings, plan.training.protocol) for part in parts]
    return TRAINING_FORWARDS * steps * batch * sum(once) if all(once) else None


def _inference(plan: DatasetPlan, row: RowPlan) -> float:
    """Seconds of one slice: the shipped row's, else by a try; 0 where that fails, as the row will."""
    root = layout.shipped()
    path = root and root.run(plan.dataset, plan.settings.profile, row.method.id, 0).timing
    if path and path.exists():
        return float(pd.read_csv(path)["seconds"].median())
    return sum(_try(part, plan.settings, plan.test.protocol) for part in row.method.authored)


_tried: dict[tuple[Any, ...], float] = {}


def _try(plugin: MethodPlugin, settings: Settings, protocol: Protocol) -> float:
    """Seconds of one slice of noise on this machine; 0 where it does not run."""
    key = (plugin.id, plugin.sha256, settings.profile, protocol.matrix, protocol.coils)
    if key not in _tried:
        acquisition = _noise(protocol.matrix, protocol.coils)
        given: Any = acquisition if plugin.kind != "super_resolver" else acquisition.zero_filled.abs()
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            network = build(plugin, settings).eval()
            with torch.no_grad():
                network(given)
                began = time.process_time()
                network(given)
            _tried[key] = time.process_time() - began
        except (Exception, SystemExit):  # noqa: BLE001 - bounds ask for the target, others fail: what fails here says so when it runs
            _tried[key] = 0.0
        finally:
            torch.set_num_threads(threads)
    return _tried[key]


@cache
def _noise(matrix: tuple[int, int], coils: int) -> Acquisition:
    """An acquisition of nothing but noise, of one slice."""
    y, x = matrix[0] // 2, matrix[1] // 2
    low, high = (torch.randn(1, coils, *grid, dtype=torch.complex64) for grid in ((y, x), matrix))
    return Acquisition(low, torch.ones(1, y, x, dtype=torch.bool), low, high, low.sum(1), (True, True), None)
