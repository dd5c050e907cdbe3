"""One loop for all trained stages, plain and adversarial. Killed at any instant, it goes on where it was."""

import hashlib
import math
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from bench.composition import BATCH, Composition
from bench.config import TrainingSettings
from bench.data import assets
from bench.errors import Diverged, UserError
from bench.method import Phase, Trained
from bench.metrics.gmac import multiply_adds
from bench.metrics.image import windowed
from bench.metrics.lpips import Lpips
from bench.store.files import atomic_path
from bench.store.layout import StageFolder
from bench.store.tables import write_table
from bench.together import Together, in_sequence
from bench.train.adversarial import adversarial_losses, critic_images, critic_loss
from bench.train.distributed import ALONE, Rank
from bench.train.phases import learning_rate, phase_at
from bench.train.precision import mixed
from bench.train.samples import Samples
from bench.workers import Progress

CHECKPOINT_SECONDS = 60.0
CRITIC_ACCURACY = "critic-accuracy"
LAST_QUARTER = 0.75
VALIDATED = ("psnr", "psnr_fg", "lpips", "lpips_fg")
"""Scores of validation that a stage records."""


@dataclass
class State:
    """Everything that a resumed run needs; no random state, since each step is seeded by its number."""

    step: int = 0
    phase: str = ""
    seconds: float = 0.0
    curve: list[dict[str, Any]] = field(default_factory=list)
    sums: dict[str, float] = field(default_factory=dict)
    """Losses since the last validation."""
    best_score: float = -math.inf
    best_step: int = 0
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    critic_right: float = 0.0
    """Sum of the discriminator's accuracies over the last quarter of the adversarial phase."""
    critic_steps: int = 0
    """Steps in that quarter so far."""

    @property
    def critic_accuracy(self) -> float | None:
        """Their mean; None without an adversarial phase."""
        return self.critic_right / self.critic_steps if self.critic_steps else None


def step_seed(seed: int, stage: str, step: int) -> int:
    """The seed of every random number of one step."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{stage}/{step}".encode()).digest()[:7], "big")


def drawn(seed: int, step: int, slices: int, batch: int) -> list[int]:
    """Indices of the slices of a step, the same in all stages of a seed. Seeds torch's global generator."""
    torch.manual_seed(step_seed(seed, "slices", step))
    return torch.randperm(slices)[:batch].tolist()


class Trainer:
    """The modules, optimisers and data of one stage."""

    def __init__(
        self,
        composition: Composition,
        stage: str,
        settings: TrainingSettings,
        seed: int,
        folder: StageFolder,
        device: str,
        rank: Rank = ALONE,
    ) -> None:
        self.random = in_sequence(stage)
        torch.manual_seed(step_seed(seed, self.random, -1))
        self.composition, self.stage, self.settings, self.seed = composition, stage, settings, seed
        self.folder, self.device, self.rank = folder, device, rank
        network = composition.last
        assert isinstance(network, Trained)
        self.network = network
        _place(network, device)
        self.phases = network.phases()
        self.critic: nn.Module | None = None
        if any(phase.gan != "none" for phase in self.phases):
            self.critic = network.discriminator()
            assert self.critic is not None
            _place(self.critic, device)
        halves = network.halves if isinstance(network, Together) else (network,)
        learning = [[p for p in half.parameters() if p.requires_grad] for half in halves]
        self.optimisers = [half.optimiser(own) for half, own in zip(halves, learning, strict=True)]
        self.parts = [part for half in halves for part in half.parts()]
        self.critic_optimiser = torch.optim.Adam(self.critic.parameters()) if self.critic else None
        self.lpips = Lpips(assets.fetch("lpips"), device) if settings.perceptual_weight and self.critic else None
        self.state = State()

    def run(self, train: Samples, validation: Samples, progress: Progress) -> State:
        """Train to the end, from the last checkpoint if there is one. Of several ranks, number 0 validates and writes."""
        self._resume()
        started = saved = time.monotonic()
        total = self.settings.iterations
        while self.state.step < total:
            phase, _ = phase_at(self.phases, self.state.step, total)
            if phase.name != self.state.phase:
                self._enter(phase)
            losses = self._step(phase, train)
            for name, value in losses.items():
                self.state.sums[name] = self.state.sums.get(name, 0.0) + value
            self.state.step += 1
            total_loss = sum(value for name, value in losses.items() if name != CRITIC_ACCURACY)
            progress(self.state.step, total, f"{phase.name}, loss {total_loss:.4f}")
            validate = self.state.step % self.settings.validate_every == 0 or self._phase_ends(phase)
            if self.rank.number > 0:
                continue
            if validate:
                self._validate(phase, validation)
            if validate or time.monotonic() - saved > CHECKPOINT_SECONDS:
                saved = time.monotonic()
                self.state.seconds += saved - started
                started = saved
                self._save()
        return self.state

    def gmac(self, train: Samples) -> float:
        """Arithmetic of all updates, 10^9 multiply-adds: of one in each phase. It moves the weights, so take them before."""
        total, iterations = 0.0, self.settings.iterations
        for phase, steps in groupby(range(iterations), lambda step: phase_at(self.phases, step, iterations)[0]):
            *before, self.state.step = steps
            total += (len(before) + 1) * multiply_adds(lambda: self._step(phase, train))  # noqa: B023 - called at once
        return total

    def _phase_ends(self, phase: Phase) -> bool:
        step, total = self.state.step, self.settings.iterations
        return step == total or phase_at(self.phases, step, total)[0].name != phase.name

    def _enter(self, phase: Phase) -> None:
        """Begin a phase: the best weights are those of the last phase, so what was best before does not count."""
        self.state.phase = phase.name
        self.state.best_score = -math.inf

    def _step(self, phase: Phase, train: Samples) -> dict[str, float]:
        indices, later = (self._drawn(train, self.state.step + ahead) for ahead in (0, 1))
        acquisition, target, given = train.batch(indices, self.device)
        train.read_ahead(later, self.device)
        torch.manual_seed(step_seed(self.seed, self.random, self.state.step))
        rate = self._rate(phase, self.state.step)
        self._set_training()
        with mixed(self.device, self.settings.precision):
            output = self.composition.train_step(phase, acquisition, target, given)
            losses = self.network.losses(phase, acquisition, output, target)
            if self.critic and phase.gan != "none":
                lr = self.composition.seen_by_critic(acquisition, output)
                images = critic_images(phase, output.image, lr, target)
                losses = losses | adversarial_losses(self.critic, phase, *images)
        means = self.rank.mean(losses)
        self._check_finite(means)
        total = torch.stack(list(losses.values())).sum()
        self._descend(self.network, self.parts, self.optimisers, total, rate)
        logged = {f"loss-{name}": value.item() for name, value in means.items()}
        if self.critic and phase.gan != "none":
            logged[CRITIC_ACCURACY] = self._train_critic(phase, images, rate)
        return logged

    def _drawn(self, train: Samples, step: int) -> list[int]:
        return self.rank.share(drawn(self.seed, step, len(train.slices), self.settings.batch))

    def _train_critic(self, phase: Phase, images: tuple[Tensor, Tensor, Tensor], rate: float) -> float:
        """One step of the discriminator. Returns the share of images that it told right before it."""
        assert self.critic is not None
        assert self.critic_optimiser is not None
        with mixed(self.device, self.settings.precision):
            loss, right = critic_loss(self.critic, phase, *images)
        means = self.rank.mean({"discriminator": loss, "right": right})
        self._check_finite(means)
        self._descend(self.critic, [self.critic], [self.critic_optimiser], loss, rate * phase.critic_lr)
        accuracy = means["right"].item()
        if phase_at(self.phases, self.state.step, self.settings.iterations)[1] >= LAST_QUARTER:
            self.state.critic_right += accuracy
            self.state.critic_steps += 1
        return accuracy

    def _set_training(self) -> None:
        """Training mode, but for parts that are frozen."""
        self.network.train()
        for module in self.network.children():
            own = list(module.parameters())
            if own and not any(p.requires_grad for p in own):
                module.eval()

    def _rate(self, phase: Phase, step: int) -> float:
        return learning_rate(self.settings, phase, phase_at(self.phases, step, self.settings.iterations)[1])

    def _descend(
        self,
        module: nn.Module,
        parts: Sequence[nn.Module],
        optimisers: Sequence[torch.optim.Optimizer],
        loss: Tensor,
        rate: float,
    ) -> None:
        for optimiser in optimisers:
            optimiser.zero_grad(set_to_none=True)
            for group in optimiser.param_groups:
                group["lr"] = rate * group.get("rate_factor", 1.0)
        loss.backward()
        self.rank.average_gradients(module)
        for part in parts:
            nn.utils.clip_grad_norm_(part.parameters(), self.settings.clip)
        for optimiser in optimisers:
            optimiser.step()

    def _check_finite(self, losses: dict[str, Tensor]) -> None:
        for name, value in losses.items():
            if not torch.isfinite(value):
                raise Diverged(f"the {name} loss of stage {self.stage} is {value.item()} at step {self.state.step}")

    def _validate(self, phase: Phase, validation: Samples) -> None:
        scores = validation_scores(
            self.composition, validation, self.device, self.lpips if phase.gan != "none" else None
        )
        every = self.state.step - (self.state.curve[-1]["step"] if self.state.curve else 0)
        losses = {name: value / every for name, value in self.state.sums.items()}
        rate = self._rate(phase, self.state.step - 1)
        row = {"step": self.state.step, "phase": phase.name, "rate": rate, **losses, **scores}
        self.state.curve.append(row)
        self.state.sums = {}
        score = -scores["lpips"] if "lpips" in scores else scores["psnr"]
        if not math.isfinite(score):
            raise Diverged(f"the validation score of stage {self.stage} is {score} at step {self.state.step}")
        if score > self.state.best_score:
            self.state.best_score, self.state.best_step = score, self.state.step
            self.state.best_weights = {k: v.detach().cpu().clone() for k, v in self.network.state_dict().items()}
        self._write_scalars()

    def _write_scalars(self) -> None:
        """One file for TensorBoard, whatever interrupted the training; none if it is not installed: `curve.csv` says all."""
        if find_spec("tensorboard") is None:
            return
        from torch.utils.tensorboard import SummaryWriter

        shutil.rmtree(self.folder.tensorboard, ignore_errors=True)
        with SummaryWriter(str(self.folder.tensorboard)) as writer:
            for row in self.state.curve:
                for name, value in row.items():
                    if isinstance(value, float):
                        writer.add_scalar(name, value, row["step"])

    def _save(self) -> None:
        content = {
            "state": vars(self.state),
            "network": self.network.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "critic": self.critic.state_dict() if self.critic else None,
            "critic_optimiser": self.critic_optimiser.state_dict() if self.critic_optimiser else None,
        }
        with atomic_path(self.folder.checkpoint) as path:
            torch.save(content, path)

    def _resume(self) -> None:
        path = self.folder.checkpoint
        if not path.exists():
            return
        try:
            content = torch.load(path, map_location=self.device, weights_only=True)
            self.state = State(**content["state"])
            self.network.load_state_dict(content["network"])
            for optimiser, state in zip(self.optimisers, content["optimisers"], strict=True):
                optimiser.load_state_dict(state)
            if self.critic and self.critic_optimiser:
                self.critic.load_state_dict(content["critic"])
                self.critic_optimiser.load_state_dict(content["critic_optimiser"])
        except Exception as error:
            raise UserError(f"The checkpoint {path} is damaged: delete it to train this stage anew.") from error


def validation_scores(
    composition: Composition, validation: Samples, device: str, lpips: Lpips | None
) -> dict[str, float]:
    """Mean scores over validation, fp32: of the LR image for a reconstructor, of the HR image for all others."""
    rows: list[dict[str, float]] = []
    for start in range(0, len(validation.slices), BATCH):
        indices = list(range(start, min(start + BATCH, len(validation.slices))))
        acquisition, target, given = validation.batch(indices, device)
        output = composition.infer(acquisition, target, given)
        if composition.gives_lr_only:
            assert output.image_lr is not None
            image, truth = output.image_lr.abs(), target.image_lr.abs()
        else:
            image, truth = output.image, target.image_hr.abs()
        peak = truth.amax((-2, -1), keepdim=True)
        image, truth = (image / peak).clamp(0, 1).cpu(), (truth / peak).cpu()
        for i, x, y in zip(indices, image, truth, strict=True):
            inside = validation.foregrounds[i]
            rows.append(_scores(x, y, inside[::2, ::2] if composition.gives_lr_only else inside, lpips))
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}


def _scores(image: Tensor, truth: Tensor, inside: Tensor, lpips: Lpips | None) -> dict[str, float]:
    error = (image - truth).square()
    scores = {name: float(-10 * part.mean().log10()) for name, part in (("psnr", error), ("psnr_fg", error[inside]))}
    if lpips:
        x, y = image.numpy(), truth.numpy()
        scores |= {"lpips": lpips(x, y), "lpips_fg": lpips(*windowed(x, y, inside.numpy()))}
    return scores


def write_curve(path: Path, curve: list[dict[str, Any]]) -> None:
    """Write `curve.csv`: one row a validation."""
    write_table(path, pd.DataFrame(curve))


def _place(network: nn.Module, device: str) -> None:
    """Move it, its kernels channels last, which CPUs and tensor cores are faster with."""
    network.to(device)
    network.to(memory_format=torch.channels_last)
