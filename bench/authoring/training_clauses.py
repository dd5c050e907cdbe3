"""What is tried on a method that is trained."""

from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from bench.acquisition import Output
from bench.authoring.devices import without_data
from bench.authoring.toy import toy
from bench.authoring.trial import Broken, Clause, Trial, fresh
from bench.composition import build
from bench.method import Phase, Trained
from bench.mri.resample import sinc

LEARNING_STEPS = 30


def of_training(trial: Trial) -> list[Clause]:
    """The clauses of training, in the order that they are tried in."""
    return [
        ("phases", lambda: _phases(trial)),
        ("losses", lambda: _losses(trial)),
        ("target", lambda: _target(trial)),
        ("truth", lambda: _truth(trial)),
        ("device", lambda: _device(trial)),
        ("discriminator", lambda: _discriminator(trial)),
        ("optimiser", lambda: _optimiser(trial)),
        ("memory", lambda: _memory(trial)),
    ]


def _phases(trial: Trial) -> None:
    phases = trial.network.phases()
    if not phases or not all(isinstance(phase, Phase) for phase in phases):
        raise Broken("phases gives no bench.Phase")
    total = sum(phase.fraction for phase in phases)
    if abs(total - 1) > 1e-6:
        raise Broken(f"the fractions sum to {total:g}")
    if len({phase.name for phase in phases}) != len(phases):
        raise Broken("a name stands twice")


def _losses(trial: Trial) -> None:
    acquisition, target = toy(brightness=(1.0, 0.3))
    for phase in trial.network.phases():
        trial.network.zero_grad()
        losses = trial.losses(phase, acquisition, target)
        if not isinstance(losses, dict) or not losses:
            raise Broken(f"in phase '{phase.name}' it gives {losses!r}: return {{name: scalar}} with at least one")
        for name, value in losses.items():
            if not isinstance(value, Tensor):
                raise Broken(
                    f"'{name}' in phase '{phase.name}' is {type(value).__name__}, no Tensor: return a scalar Tensor"
                )
            if value.ndim != 0:
                raise Broken(f"'{name}' in phase '{phase.name}' has shape {tuple(value.shape)}: take its mean")
            if not bool(torch.isfinite(value)):
                raise Broken(f"'{name}' in phase '{phase.name}' is {value.item()}")
        total = torch.stack(list(losses.values())).sum()
        if not total.requires_grad:
            raise Broken(f"no parameter has a gradient in phase '{phase.name}': it is detached on the way")
        total.backward()
        if not any(p.grad is not None and bool((p.grad != 0).any()) for p in trial.network.parameters()):
            raise Broken(f"no parameter has a gradient in phase '{phase.name}'")


def _target(trial: Trial) -> None:
    acquisition, target = toy()
    _, other = toy(seed=1)
    for phase in trial.network.phases():
        values = []
        for truth in (target, replace(target, image_hr=other.image_hr, image_lr=other.image_lr)):
            torch.manual_seed(0)
            values.append(_sum(trial.losses(phase, acquisition, truth)))
        if values[0] == values[1]:
            raise Broken(
                f"in phase '{phase.name}' another target gives the same losses: compare output with target.image_hr or "
                "target.image_lr"
            )
        images = [image.clone().requires_grad_() for image in (target.image_hr, target.image_lr)]
        losses = trial.losses(phase, acquisition, replace(target, image_hr=images[0], image_lr=images[1]))
        total = torch.stack(list(losses.values())).sum()
        slopes = torch.autograd.grad(total, images, allow_unused=True)
        for name, slope in zip(("image_hr", "image_lr"), slopes, strict=True):
            if slope is not None and bool((slope.real != 0).any()) != bool((slope.imag != 0).any()):
                part = "real" if bool((slope.real != 0).any()) else "imaginary"
                raise Broken(
                    f"in phase '{phase.name}' only the {part} part of {name} counts: take .abs() or both parts"
                )


def _sum(losses: dict[str, Tensor]) -> float:
    return sum(float(value.detach()) for value in losses.values())


def _truth(trial: Trial) -> None:
    """No wrong image may have smaller losses than the right one."""
    acquisition, target = toy()
    for phase in trial.network.phases():
        own = trial.output(phase, acquisition, target)

        def losses_at(image_hr: Tensor, image_lr: Tensor, phase: Phase = phase, own: Output = own) -> float:
            torch.manual_seed(0)
            with torch.no_grad():
                return _sum(trial.network.losses(phase, acquisition, _like(own, trial, image_hr, image_lr), target))

        hr, lr = target.image_hr.abs(), target.image_lr
        wrong = {
            "255 times as bright": (255 * hr, 255 * lr),
            "255 times as dark": (hr / 255, lr / 255),
            "with its sign changed": (-hr, -lr),
            "shifted by a pixel": (hr.roll(1, -1), lr.roll(1, -1)),
            "as its complex conjugate": (hr, lr.conj().resolve_conj()),
        }
        least = losses_at(hr, lr)
        for how, images in wrong.items():
            if losses_at(*images) < least - 1e-3 * abs(least):
                raise Broken(
                    f"in phase '{phase.name}' the true image {how} has smaller losses than the true image itself: compare "
                    "output and target on one scale and grid"
                )


def _like(own: Output, trial: Trial, image_hr: Tensor, image_lr: Tensor) -> Output:
    """An output of the form that the method's own has."""
    if trial.plugin.kind == "reconstructor":
        shape = (image_hr.shape[-2], image_hr.shape[-1])
        return Output(sinc(image_lr, shape).abs(), image_lr)
    return Output(image_hr, None if own.image_lr is None else image_lr)


def _device(trial: Trial) -> None:
    acquisition, target = toy()
    network = build(trial.plugin, trial.settings).to("meta")
    there = acquisition.to("meta"), target.to("meta")
    for phase in trial.network.phases():
        without_data(partial(trial.losses, phase, *there, network))


def _discriminator(trial: Trial) -> None:
    if all(phase.gan == "none" for phase in trial.network.phases()):
        return
    acquisition, target = toy()
    discriminator = trial.network.discriminator()
    if discriminator is None:
        raise Broken("a phase is adversarial and `discriminator` gives None: return a network")
    logits, features = discriminator(target.image_hr.abs(), acquisition.zero_filled.abs())
    if logits.shape[0] != 2 or not isinstance(features, list):
        raise Broken(f"it gives logits of shape {tuple(logits.shape)} and {type(features).__name__}")


def _optimiser(trial: Trial) -> None:
    optimiser = trial.network.optimiser(trial.network.parameters())
    if not isinstance(optimiser, torch.optim.Optimizer):
        raise Broken(f"it gives {type(optimiser).__name__}")


def _memory(trial: Trial) -> None:
    """Let it learn for a moment; a new network with the same weights then gives the same, and one without as before."""
    acquisition, target = toy(brightness=(1.0, 0.6))
    network = trial.network
    assert isinstance(network, Trained)
    optimiser = network.optimiser(network.parameters())
    for step in range(LEARNING_STEPS):
        for group in optimiser.param_groups:
            group["lr"] = trial.settings.training.learning_rate * group.get("rate_factor", 1.0)
        phase = network.phases()[min(step * len(network.phases()) // LEARNING_STEPS, len(network.phases()) - 1)]
        optimiser.zero_grad(set_to_none=True)
        torch.stack(list(trial.losses(phase, acquisition, target).values())).sum().backward()
        optimiser.step()
    other = build(trial.plugin, trial.settings)
    other.load_state_dict(network.state_dict())
    unseen = toy(seed=2)
    _same(trial.run(*unseen), trial.run(*unseen, other), "a new network with the same weights")
    _same(trial.untouched, fresh(trial.plugin), "a new network of the same seed")


def _same(ours: list[Tensor], theirs: list[Tensor], what: str) -> None:
    if not all(torch.allclose(a, b, rtol=1e-3, atol=1e-4) for a, b in zip(ours, theirs, strict=True)):
        raise Broken(f"after training, {what} gives something else: keep no tensor in self or its class")
