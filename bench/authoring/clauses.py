"""What is tried on a method, clause by clause."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from bench.acquisition import Acquisition, Output, Target
from bench.authoring.toy import toy
from bench.composition import Composition, Half, build
from bench.config import Settings, load
from bench.method import Phase, Trained, Tuned
from bench.registry import MethodPlugin

LEARNING_STEPS = 30
LEAST_CORRELATION = 0.5  # below it, what an untrained network gives lies on nothing
GAIN = (0.4, 2.5)
SHIFT = 0.25  # HR pixels
PHASE = 0.6  # radians

Clause = tuple[str, Callable[[], None]]


class Broken(Exception):
    """A clause does not hold: how, and what to change."""


@dataclass
class Trial:
    """A plugin being tried, with a network of its own."""

    plugin: MethodPlugin
    settings: Settings = field(default_factory=lambda: load("smoke"))
    network: Any = None

    def given(self, acquisition: Acquisition, target: Target) -> tuple[Any, ...]:
        """What its forward takes."""
        if self.plugin.kind == "super_resolver":
            return (acquisition.zero_filled.abs(),)
        return (acquisition, target) if self.plugin.bound else (acquisition,)

    def run(self, acquisition: Acquisition, target: Target, network: Any = None) -> list[Tensor]:
        """What it gives in evaluation: the image and, of a pipeline, the LR image if there is one."""
        network = network or self.network
        network.eval()
        with torch.no_grad():
            return _tensors(network(*self.given(acquisition, target)))

    @property
    def composition(self) -> Composition:
        """The plugin as stages run it."""
        return Composition((Half(self.plugin, self.network),))

    def losses(self, phase: Phase, acquisition: Acquisition, target: Target) -> dict[str, Tensor]:
        """Those of one phase, in training."""
        given = acquisition.zero_filled if self.plugin.kind == "super_resolver" else None
        self.network.train()
        output = self.composition.train_step(phase, acquisition, target, given)
        found: dict[str, Tensor] = self.network.losses(phase, acquisition, output, target)
        return found


def _tensors(given: Any) -> list[Tensor]:
    if isinstance(given, Output):
        return [given.image, *([] if given.image_lr is None else [given.image_lr])]
    return [given]


def fresh(plugin: MethodPlugin) -> list[Tensor]:
    """What a newly made network of the plugin gives on the toy, from one seed."""
    trial = Trial(plugin)
    torch.manual_seed(0)
    trial.network = build(plugin, trial.settings)
    return trial.run(*toy())


def of_method(trial: Trial) -> list[Clause]:
    """The clauses of a method, in the order that they are tried in."""
    found: list[Clause] = [
        ("build", lambda: _build(trial)),
        ("forward", lambda: _forward(trial)),
        ("shape", lambda: _shape(trial)),
        ("finite", lambda: _finite(trial, (1.0, 1.0), "it gives NaN or infinity")),
        ("empty", lambda: _finite(trial, (1.0, 0.0), "it does not: divide by nothing that may be zero")),
        ("pure", lambda: _pure(trial)),
        ("batch", lambda: _batch(trial)),
        ("device", lambda: _device(trial)),
        ("learns", lambda: _learns(trial)),
    ]
    if trial.plugin.tuned:
        found.append(("grid", lambda: _grid(trial)))
    found.append(("place", lambda: _place(trial, judged=not trial.plugin.trained)))
    if trial.plugin.trained:
        found += [
            ("phases", lambda: _phases(trial)),
            ("losses", lambda: _losses(trial)),
            ("target", lambda: _target(trial)),
            ("discriminator", lambda: _discriminator(trial)),
            ("optimiser", lambda: _optimiser(trial)),
            ("memory", lambda: _memory(trial)),
            ("place", lambda: _place(trial, judged=False)),
        ]
    found.append(("input", lambda: _input(trial)))
    return found


def _build(trial: Trial) -> None:
    trial.network = build(trial.plugin, trial.settings)


def _forward(trial: Trial) -> None:
    trial.run(*toy())
    trial.run(*toy((56, 64)))


def _shape(trial: Trial) -> None:
    acquisition, target = toy()
    kind = trial.plugin.kind
    trial.network.eval()
    with torch.no_grad():
        given = trial.network(*trial.given(acquisition, target))
    expected_type = Output if kind == "pipeline" else Tensor
    if not isinstance(given, expected_type):
        raise Broken(f"it gives {type(given).__name__}; return a {expected_type.__name__}")
    lr, hr = ((2, 24, 20), torch.complex64), ((2, 48, 40), torch.float32)
    expected = {"reconstructor": [lr], "super_resolver": [hr], "pipeline": [hr, lr]}[kind]
    for tensor, (shape, dtype) in zip(_tensors(given), expected, strict=False):
        if tuple(tensor.shape) != shape or tensor.dtype != dtype:
            raise Broken(f"it gives {tuple(tensor.shape)} {tensor.dtype} where {shape} {dtype} is due")


def _finite(trial: Trial, brightness: tuple[float, ...], how: str) -> None:
    if not all(bool(torch.isfinite(t).all()) for t in trial.run(*toy(brightness=brightness))):
        raise Broken(how)


def _pure(trial: Trial) -> None:
    acquisition, target = toy()
    given = trial.given(acquisition, target)
    before = [_clones(part) for part in given]
    trial.network.eval()
    with torch.no_grad():
        first, second = (_clones(trial.network(*given)) for _ in range(2))
    for part, copies in zip(given, before, strict=True):
        for name, copy in copies.items():
            if not torch.equal(_clones(part)[name], copy):
                raise Broken(f"it changes {name} of its input in place: clone it first")
    if any(not torch.equal(first[name], second[name]) for name in first):
        raise Broken("two runs on the same input differ: leave out random numbers in evaluation")


def _clones(part: Any) -> dict[str, Tensor]:
    if isinstance(part, Tensor):
        return {"the magnitude": part.clone()}
    values = {f.name: getattr(part, f.name) for f in fields(part)}
    return {name: value.clone() for name, value in values.items() if isinstance(value, Tensor)}


def _batch(trial: Trial) -> None:
    acquisition, target = toy(brightness=(1.0, 0.3))
    together = trial.run(acquisition, target)[0]
    for i in range(2):
        alone = trial.run(acquisition[i : i + 1], target[i : i + 1])[0]
        error = float((together[i] - alone[0]).abs().max() / alone.abs().max().clamp_min(1e-6))
        if error > 1e-3:
            raise Broken(f"slice {i} alone and in a batch differ by {error:.1e}: reduce over each slice, not the batch")


class _Meta(TorchFunctionMode):
    """Answers what data would decide, so that a run without data goes on."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in (Tensor.cpu, Tensor.numpy, Tensor.tolist):
            raise Broken(f"it calls .{func.__name__}() inside: leave tensors on their device")
        if func in (Tensor.__bool__, Tensor.item, Tensor.__float__, Tensor.__int__):
            return func is Tensor.__bool__ or 1
        return func(*args, **(kwargs or {}))


def _device(trial: Trial) -> None:
    acquisition, target = toy()
    with torch.device("meta"):
        network = build(trial.plugin, trial.settings)
    network.eval()
    try:
        with torch.no_grad(), _Meta():
            given = network(*trial.given(acquisition.to("meta"), target.to("meta")))
    except (RuntimeError, NotImplementedError) as error:
        first = str(error).splitlines()[0]
        raise Broken(f"a constant is made outside of its device ({first}): register it as a buffer") from error
    if any(tensor.device.type != "meta" for tensor in _tensors(given)):
        raise Broken("it gives a tensor of another device than its input's")


def _learns(trial: Trial) -> None:
    count = sum(p.numel() for p in trial.network.parameters() if p.requires_grad)
    weights = trial.settings.weights_of(trial.plugin)
    if count and not trial.plugin.trained and weights is None:
        raise Broken(
            f"it has {count} parameters and is not bench.Trained, so it would be evaluated as it was initialised: "
            "add bench.Trained to its bases, with phases and losses"
        )
    if trial.plugin.trained and not count:
        raise Broken("it is bench.Trained and has no parameter: leave bench.Trained out")


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
                raise Broken(f"'{name}' in phase '{phase.name}' is {type(value).__name__}, no Tensor")
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
            values.append(sum(float(v.detach()) for v in trial.losses(phase, acquisition, truth).values()))
        if values[0] == values[1]:
            raise Broken(f"in phase '{phase.name}' another target gives the same losses")
        images = [image.clone().requires_grad_() for image in (target.image_hr, target.image_lr)]
        losses = trial.losses(phase, acquisition, replace(target, image_hr=images[0], image_lr=images[1]))
        total = torch.stack(list(losses.values())).sum()
        for name, slope in zip(
            ("image_hr", "image_lr"), torch.autograd.grad(total, images, allow_unused=True), strict=True
        ):
            if slope is not None and bool((slope.real != 0).any()) != bool((slope.imag != 0).any()):
                part = "real" if bool((slope.real != 0).any()) else "imaginary"
                raise Broken(
                    f"in phase '{phase.name}' only the {part} part of {name} counts: take .abs() or both parts"
                )


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
    """Let it learn for a moment; a new network with the same weights then gives the same."""
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
    ours, theirs = trial.run(*unseen)[0], trial.run(*unseen, other)[0]
    if not torch.allclose(ours, theirs, rtol=1e-3, atol=1e-4):
        raise Broken("after training, a new network with the same weights gives something else: keep no tensor in self")


def _grid(trial: Trial) -> None:
    network = trial.network
    assert isinstance(network, Tuned)
    candidates = network.grid()
    if not candidates:
        raise Broken("it is empty")
    for candidate in reversed(candidates):
        network.configure(**candidate)


def _input(trial: Trial) -> None:
    """The same coils, another object."""
    acquisition, target = toy()
    _, other = toy(seed=3)
    measured, _ = toy(seed=3)
    changed = replace(acquisition, kspace=measured.kspace, zero_filled=measured.zero_filled)
    truth = replace(target, image_hr=other.image_hr, image_lr=other.image_lr)
    first, second = trial.run(acquisition, target)[0], trial.run(changed, truth)[0]
    if float((first - second).abs().max()) <= 1e-3 * float(first.abs().max()):
        raise Broken("another object gives the same image: use acquisition.kspace or .zero_filled")


def _place(trial: Trial, judged: bool) -> None:
    """Fully sampled, the truth is given: the result must lie on it, unless a network has yet to learn that."""
    acquisition, target = toy(full=True)
    image = trial.run(acquisition, target)[0]
    truth = target.image_lr if trial.plugin.kind == "reconstructor" else target.image_hr.abs()
    gain, shift, correlation = _fit(image, truth)
    if image.is_complex() and _fit(image, truth.conj())[2] > max(correlation, LEAST_CORRELATION) + 0.02:
        raise Broken("it gives the complex conjugate of the image")
    if correlation < LEAST_CORRELATION:
        if judged:
            raise Broken(f"its correlation with the truth is {correlation:.2f}")
        return
    if gain.real <= 0 and abs(gain.real) >= abs(gain.imag):
        raise Broken("it gives the negative of the image")
    if abs(torch.angle(torch.tensor(gain))) > PHASE:
        raise Broken(f"it turns the image's phase by {float(torch.angle(torch.tensor(gain))):.1f} rad")
    if not GAIN[0] <= abs(gain) <= GAIN[1]:
        raise Broken(f"it gives the image {abs(gain):.3g} times as bright as it is: give it in the input's own scale")
    pixels = 1.0 if trial.plugin.kind != "reconstructor" else 2.0
    if max(map(abs, shift)) * pixels > SHIFT:
        raise Broken(
            f"it shifts the image by ({shift[0]:.2f}, {shift[1]:.2f}) pixels: LR pixel i lies on HR pixel 2i "
            "(bench.bicubic does that; torch's align_corners=False lies half a pixel off)"
        )


def _fit(image: Tensor, truth: Tensor) -> tuple[complex, tuple[float, float], float]:
    """Gain, shift in pixels and correlation: least squares on the truth and its slopes, a Taylor series of a shift."""
    spectrum = torch.fft.fft2(truth.to(torch.complex64))
    slopes = []
    for axis in (-2, -1):
        frequency = torch.fft.fftfreq(truth.shape[axis])
        frequency = frequency[:, None] if axis == -2 else frequency
        slopes.append(torch.fft.ifft2(2j * torch.pi * frequency * spectrum))
    columns = torch.stack([truth.to(torch.complex64), *slopes], -1).reshape(-1, 3)
    values = image.to(torch.complex64).reshape(-1)
    gain, dy, dx = (complex(c) for c in torch.linalg.lstsq(columns, values[:, None]).solution[:, 0])
    overlap = torch.vdot(columns[:, 0], values).abs()
    norm = torch.linalg.vector_norm(columns[:, 0]) * torch.linalg.vector_norm(values)
    correlation = float(overlap / norm.clamp_min(1e-12))
    shift = (-(dy / gain).real, -(dx / gain).real) if gain else (0.0, 0.0)
    return gain, shift, correlation
