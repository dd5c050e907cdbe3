"""One stage: found on disk by its key, or trained or tuned and written there."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench import registry
from bench.composition import Chain, Link, reconstruct_all
from bench.config import Settings
from bench.data.assets import cache_folder
from bench.data.prepare import Slices
from bench.errors import UserError
from bench.run.methods import Stage, build, is_tuned
from bench.store.files import atomic_path, locked, read_json, write_json
from bench.store.keys import key_of
from bench.store.provenance import provenance
from bench.train import distributed as ranks
from bench.train.distributed import ALONE, Rank
from bench.train.loop import (
    Part,
    Report,
    State,
    Trainer,
    load_weights,
    save_weights,
    step_seed,
    validation_scores,
    write_curve,
)
from bench.workers import Task, carry_out


@dataclass(frozen=True)
class Upstream:
    """The reconstructor that a super-resolver is trained on: its plugin, and its stage's folder if it has one."""

    id: str
    folder: Path | None


@dataclass(frozen=True)
class StageJob:
    """All that a worker process needs to make one stage."""

    id: str
    plugin: str
    key: str
    upstream: Upstream | None
    folder: Path
    settings: Settings
    seed: int
    fold: int
    train: Slices
    validation: Slices
    device: str
    devices: int
    plugin_files: tuple[Path, ...]


def find_stage(stage: Stage, folders: list[Path]) -> Path | None:
    """The first of these folders that holds the finished stage of this key."""
    for folder in folders:
        if (folder / "stage.json").exists() and read_json(folder / "stage.json").get("key") == stage.key:
            return folder
    return None


def load_link(plugin: registry.Plugin, settings: Settings, folder: Path | None, device: str) -> Link:
    """Build a plugin's network and give it what its stage learned, if it has one."""
    module = build(plugin, settings)
    if folder is not None:
        record = read_json(folder / "stage.json")
        if is_tuned(plugin):
            module.configure(**record["choice"])  # type: ignore[operator]
        else:
            load_weights(module, folder / "weights.safetensors", record["weights_sha256"])
    if hasattr(module, "on_phase"):
        module.on_phase(module.phases()[-1].name)  # type: ignore[operator]
    return Link(plugin, module.to(device).eval())


def make_stage(job: StageJob, report: Report) -> None:
    """Train or tune a stage and write it. The lock makes a second run wait; what it then finds done, it leaves."""
    registry.discover(job.plugin_files)
    with locked(job.folder / "stage.lock"):
        if (job.folder / "stage.json").exists() and read_json(job.folder / "stage.json").get("key") == job.key:
            return
        started = job.folder / "started.json"
        if started.exists() and read_json(started)["key"] != job.key:
            (job.folder / "state.pt").unlink(missing_ok=True)
        write_json(started, {"key": job.key})
        plugin = registry.methods()[job.plugin]
        learned = _tune(job, plugin, report) if is_tuned(plugin) else _train(job, report)
        record = {
            "id": job.id,
            "plugin": job.plugin,
            "key": job.key,
            "seed": job.seed,
            "fold": job.fold,
            **learned,
            "settings": job.settings.to_dict(),
            "provenance": {**provenance(job.device), "devices": job.devices},
        }
        write_json(job.folder / "stage.json", record)
        tidy(job.folder)


def tidy(folder: Path) -> None:
    """Remove what a finished stage no longer needs; a run killed right after `stage.json` has left it."""
    for name in ("state.pt", "started.json"):
        (folder / name).unlink(missing_ok=True)


def _train(job: StageJob, report: Report) -> dict[str, Any]:
    if job.devices > 1:
        _train_together(job, report)  # what they leave is a checkpoint of the last step, which is gone on from below
    trainer, state = _trained(job, ALONE, job.device, report)
    write_curve(job.folder / "curve.csv", state.curve)
    best = next(row for row in state.curve if row["step"] == state.best_step)
    save_weights(job.folder / "last.safetensors", trainer.module.state_dict())
    sha256 = save_weights(job.folder / "weights.safetensors", state.best_weights)
    return {
        "parameters": sum(p.numel() for p in trainer.module.parameters()),
        "weights_sha256": sha256,
        "iterations": state.step,
        "best_step": state.best_step,
        "validation": {k: v for k, v in best.items() if k in ("psnr", "lpips")},
        "seconds": round(state.seconds, 1),
    }


def _train_together(job: StageJob, report: Report) -> None:
    port = ranks.free_port()
    tasks = [Task(f"rank {i}", train_rank, (job, i, port)) for i in range(job.devices)]

    def on_report(id: str, done: int, total: int, what: str) -> None:
        if id == "rank 0":
            report(done, total, what)

    carry_out(tasks, job.devices, torch.get_num_threads(), on_report, together=True)


def train_rank(job: StageJob, number: int, port: int, report: Report) -> None:
    """Train a stage as one of `job.devices` processes."""
    registry.discover(job.plugin_files)
    rank = ranks.join(number, job.devices, port, job.device)
    _trained(job, rank, str(rank.fabric.device), report)
    ranks.leave(rank)


def _trained(job: StageJob, rank: Rank, device: str, report: Report) -> tuple[Trainer, State]:
    plugin = registry.methods()[job.plugin]
    torch.manual_seed(step_seed(job.seed, job.id, -2))
    link = Link(plugin, build(plugin, job.settings))
    train, validation = Part(job.train), Part(job.validation)
    links: tuple[Link, ...] = (link,)
    if job.upstream:
        report(0, job.settings.training.iterations, f"reconstructing with {job.upstream.id}")
        upstream = load_link(registry.methods()[job.upstream.id], job.settings, job.upstream.folder, device)
        train, validation = (_reconstructed(job, upstream, slices, device) for slices in (job.train, job.validation))
        links = (upstream, link)
    trainer = Trainer(Chain(links), job.id, job.settings.training, job.seed, job.folder, device, rank)
    return trainer, trainer.run(train, validation, report)


def _reconstructed(job: StageJob, upstream: Link, slices: Slices, device: str) -> Part:
    """The reconstructor's outputs over a split, computed once and cached."""
    assert job.upstream
    stage_key = read_json(job.upstream.folder / "stage.json")["key"] if job.upstream.folder else job.upstream.id
    key = key_of({"stage": stage_key, "data": slices.key})
    path = cache_folder() / "reconstructions" / f"{job.upstream.id}-{key[:16]}.npy"
    with locked(path.with_suffix(".lock"), path.name):
        if not path.exists():
            images = reconstruct_all(upstream, slices, device)
            with atomic_path(path) as temporary, temporary.open("wb") as file:
                np.save(file, images.numpy())
        try:
            loaded: Tensor = torch.from_numpy(np.load(path))
        except ValueError as error:
            raise UserError(f"The cached reconstructions {path} are damaged: delete the file.") from error
    return Part(slices, loaded)


def _tune(job: StageJob, plugin: registry.Plugin, report: Report) -> dict[str, Any]:
    link = Link(plugin, build(plugin, job.settings))
    candidates: list[dict[str, float]] = link.module.grid()  # type: ignore[operator]
    tried = []
    for i, candidate in enumerate(candidates):
        report(i, len(candidates), ", ".join(f"{k}={v:g}" for k, v in candidate.items()))
        link.module.configure(**candidate)  # type: ignore[operator]
        scores = validation_scores(Chain((link,)), Part(job.validation), job.device, None)
        tried.append({**candidate, "psnr": round(scores["psnr"], 4)})
    best = max(range(len(candidates)), key=lambda i: tried[i]["psnr"])
    return {"parameters": 0, "choice": candidates[best], "validation": {"psnr": tried[best]["psnr"]}, "grid": tried}
