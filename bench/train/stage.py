"""One stage: trained or tuned, and written to its folder."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from bench import registry
from bench.composition import Composition, Half, build
from bench.config import Settings, TrainingSettings
from bench.data.slices import Slices
from bench.errors import UserError
from bench.method import Component, Tuned
from bench.registry import MethodPlugin
from bench.store.files import locked, read_json, write_json
from bench.store.layout import StageFolder
from bench.store.provenance import provenance
from bench.store.records import StageRecord
from bench.together import Together, in_sequence
from bench.train import distributed
from bench.train.distributed import ALONE, Rank
from bench.train.loop import VALIDATED, State, Trainer, drawn, step_seed, validation_scores, write_curve
from bench.train.reconstructions import Upstream, reconstructed
from bench.train.samples import Samples
from bench.train.weights import load_foreign_weights, load_weights, save_weights
from bench.workers import Progress, Task, carry_out, compute_alike


@dataclass(frozen=True)
class StageJob:
    """All that a worker process needs to make one stage."""

    id: str
    plugin: str
    key: str
    upstream: Upstream | None
    folder: StageFolder
    settings: Settings
    seed: int
    fold: int
    train: Slices
    validation: Slices
    device: str
    devices: int
    plugin_files: tuple[Path, ...]
    foreign: dict[str, str]
    """sha256 by id of the plugins that are not part of this package."""
    frozen: dict[str, StageFolder] = field(default_factory=dict)
    """Attributes of the network that finished stages give, and that are not trained."""


def load_half(plugin: MethodPlugin, settings: Settings, folder: StageFolder | None, device: str) -> Half:
    """Build a plugin's network and give it what its stage learned, or the weights that its settings name."""
    network = build(plugin, settings)
    foreign = settings.weights_of(plugin)
    if foreign:
        load_foreign_weights(network, foreign)
    elif folder is not None:
        record = StageRecord.read(folder.record)
        if isinstance(network, Tuned):
            network.configure(**(record.choice or {}))
        else:
            load_weights(network, folder.weights, record.weights_sha256 or "")
    network.to(device).to(memory_format=torch.channels_last)
    return Half(plugin, network.eval())


def make_stage(job: StageJob, progress: Progress) -> None:
    """Train or tune a stage and write it. The lock makes a second run wait; what it then finds done, it leaves."""
    registry.discover(job.plugin_files)
    with locked(job.folder.lock):
        if find_stage(job.folder, (), job.key):
            return
        begin(job.folder, job.key)
        plugin = registry.method(job.plugin)
        learned = _tune(job, plugin, progress) if plugin.tuned else _train(job, progress)
        StageRecord(
            id=job.id,
            plugin=job.plugin,
            key=job.key,
            seed=job.seed,
            fold=job.fold,
            settings=job.settings.to_dict((plugin,)),
            provenance={**provenance(job.device), "devices": job.devices},
            plugin_files=job.foreign,
            **learned,
        ).write(job.folder.record)
        tidy(job.folder)


def find_stage(own: StageFolder, elsewhere: Iterable[StageFolder], key: str) -> StageFolder | None:
    """The first of these folders that holds the finished stage of this key.

    Elsewhere only with its weights: of other folds and seeds than the first, nothing but the record is shipped.
    """
    for folder in (own, *elsewhere):
        if folder.record.exists():
            record = StageRecord.read(folder.record)
            if record.key == key and (folder is own or not record.weights_sha256 or folder.weights.exists()):
                return folder
    return None


def begin(folder: StageFolder, key: str) -> None:
    """Note which key a training is for, and drop the checkpoint of another."""
    if not unfinished(folder, key):
        folder.checkpoint.unlink(missing_ok=True)
        write_json(folder.started, {"key": key})


def unfinished(folder: StageFolder, key: str) -> bool:
    """Whether a training for this key has begun there and not ended."""
    return folder.started.exists() and read_json(folder.started).get("key") == key


def discard(folder: StageFolder) -> None:
    """Forget what a stage learned, and its checkpoint."""
    tidy(folder)
    folder.record.unlink(missing_ok=True)


def tidy(folder: StageFolder) -> None:
    """Remove what a finished stage no longer needs; a run killed right after `stage.json` has left it."""
    for path in (folder.checkpoint, folder.started):
        path.unlink(missing_ok=True)


def _train(job: StageJob, progress: Progress) -> dict[str, Any]:
    if job.devices > 1:
        _train_together(job, progress)  # they leave a checkpoint of the last step, from which this process continues
    trainer, train, state = _trained(job, ALONE, job.device, progress)
    write_curve(job.folder.curve, state.curve)
    best = next(row for row in state.curve if row["step"] == state.best_step)
    save_weights(job.folder.last_weights, trainer.network.state_dict())
    return {
        "parameters": sum(p.numel() for p in trainer.network.parameters()),
        "weights_sha256": save_weights(job.folder.weights, state.best_weights),
        "iterations": state.step,
        "best_step": state.best_step,
        "validation": {k: v for k, v in best.items() if k in VALIDATED},
        "seconds": round(state.seconds, 1),
        "critic_accuracy": state.critic_accuracy,
        "training_gmac": float(f"{trainer.gmac(train):.5g}"),
    }


def _train_together(job: StageJob, progress: Progress) -> None:
    port = distributed.free_port()
    tasks = [Task(f"rank {i}", train_rank, (job, i, port)) for i in range(job.devices)]

    def on_progress(id: str, done: int, total: int, what: str) -> None:
        if id == "rank 0":
            progress(done, total, what)

    carry_out(tasks, job.devices, torch.get_num_threads(), on_progress, together=True)


def train_rank(job: StageJob, number: int, port: int, progress: Progress) -> None:
    """Train a stage as one of `job.devices` processes."""
    registry.discover(job.plugin_files)
    rank = distributed.join(number, job.devices, port, job.device)
    _trained(job, rank, str(rank.fabric.device), progress)
    distributed.leave(rank)


def _trained(job: StageJob, rank: Rank, device: str, progress: Progress) -> tuple[Trainer, Samples, State]:
    compute_alike(device)
    plugin = registry.method(job.plugin)
    own = Half(plugin, _initialised(job, plugin))
    training = job.settings.training_of(job.id, plugin)
    train, validation = Samples(job.train), Samples(job.validation)
    halves: tuple[Half, ...] = (own,)
    if job.upstream:
        progress(0, job.settings.training.iterations, f"reconstructing with {job.upstream.id}")
        first = load_half(registry.method(job.upstream.id), job.settings, job.upstream.folder, device)
        drawn = _drawn(job, training)
        train = Samples(job.train, reconstructed(job.upstream, first, job.train, drawn, device))
        every = range(len(job.validation))
        validation = Samples(job.validation, reconstructed(job.upstream, first, job.validation, every, device))
        halves = (first, own)
    trainer = Trainer(Composition(halves), job.id, training, job.seed, job.folder, device, rank)
    return trainer, train, trainer.run(train, validation, progress)


def _initialised(job: StageJob, plugin: MethodPlugin) -> Component:
    """The network at its start. Halves that are trained together start as they do in the stages `A` and `A+B`."""
    torch.manual_seed(step_seed(job.seed, job.id, -2))
    network = build(plugin, job.settings)
    if isinstance(network, Together):
        stages = plugin.halves[0].id, in_sequence(job.id)
        for half, own, stage in zip(network.halves, plugin.halves, stages, strict=True):
            torch.manual_seed(step_seed(job.seed, stage, -2))
            half.load_state_dict(build(own, job.settings).state_dict())
    for name, folder in job.frozen.items():
        part = network.get_submodule(name)
        load_weights(part, folder.weights, StageRecord.read(folder.record).weights_sha256 or "")
        part.requires_grad_(False)
    return network


def _drawn(job: StageJob, training: TrainingSettings) -> Sequence[int]:
    """The slices of training that any step will see."""
    steps = (drawn(job.seed, step, len(job.train), training.batch) for step in range(training.iterations))
    return sorted({index for step in steps for index in step})


def _tune(job: StageJob, plugin: MethodPlugin, progress: Progress) -> dict[str, Any]:
    compute_alike(job.device)
    network = build(plugin, job.settings)
    if not isinstance(network, Tuned):
        raise UserError(f"'{plugin.id}' is not tuned.")
    composition = Composition((Half(plugin, network),))
    candidates, tried = network.grid(), []
    for i, candidate in enumerate(candidates):
        progress(i, len(candidates), ", ".join(f"{k}={v:g}" for k, v in candidate.items()))
        network.configure(**candidate)
        scores = validation_scores(composition, Samples(job.validation), job.device, None)
        tried.append({**candidate, "psnr": round(scores["psnr"], 4)})
    best = max(range(len(candidates)), key=lambda i: tried[i]["psnr"])
    return {
        "parameters": 0, "choice": candidates[best], "validation": {"psnr": tried[best]["psnr"]}, "grid": tuple(tried),
    }  # fmt: skip
