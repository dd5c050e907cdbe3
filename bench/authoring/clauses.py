"""What is tried on a method, clause by clause. What training asks for stands in `training_clauses`."""

from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor

from bench.acquisition import Output
from bench.authoring import training_clauses
from bench.authoring.devices import without_data
from bench.authoring.toy import toy
from bench.authoring.trial import Broken, Clause, Trial, fresh, tensors
from bench.composition import build
from bench.method import Tuned

LEAST_CORRELATION = 0.5  # below it, what is given lies on nothing
GAIN = (0.4, 2.5)
SHIFT = 0.2  # HR pixels
PHASE = 0.6  # radians
SEEDS = 5  # networks whose gains are compared before they have learned anything
SPREAD = 0.25  # of these gains, relative: more, and they are random


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
    if not trial.plugin.trained:
        return [*found, ("input", lambda: _input(trial)), ("place", lambda: _place(trial))]
    return [
        *found,
        ("place", lambda: _place(trial)),
        *training_clauses.of_training(trial),
        ("input", lambda: _input(trial)),
    ]


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
    for tensor, (shape, dtype) in zip(tensors(given), expected, strict=False):
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
    trial.untouched = fresh(trial.plugin)


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


def _device(trial: Trial) -> None:
    acquisition, target = toy()
    network = build(trial.plugin, trial.settings).to("meta").eval()
    given = trial.given(acquisition.to("meta"), target.to("meta"))
    found = without_data(lambda: network(*given))
    if found is not None and any(not tensor.is_meta for tensor in tensors(found)):
        raise Broken("it gives a tensor of another device than its input's: make it of the input")


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


def _place(trial: Trial) -> None:
    """Fully sampled, the truth is given: the result must lie on it.

    A network that has learned nothing yet is held to this only if what it gives does not depend on its random weights, as
    where its input is added to its output.
    """
    acquisition, target = toy(full=True)
    networks = [trial.seeded(i) for i in range(SEEDS)] if trial.plugin.trained else [trial.network]
    images = [trial.run(acquisition, target, network)[0] for network in networks]
    truth = target.image_lr if trial.plugin.kind == "reconstructor" else target.image_hr.abs()
    fits = [_fit(image, truth) for image in images]
    gain, shift, correlation = fits[0]
    if images[0].is_complex():
        conjugate = [_fit(image, truth.conj()) for image in images]
        closer = conjugate[0][2] > max(correlation, LEAST_CORRELATION) + 0.02
        if closer and not (trial.plugin.trained and _random(conjugate)):
            raise Broken("it gives the complex conjugate of the image: leave out .conj()")
    if trial.plugin.trained and _random(fits):
        return
    if correlation < LEAST_CORRELATION:
        raise Broken(
            f"its correlation with the fully sampled image is {correlation:.2f}: with all of k-space, give that image"
        )
    if gain.real <= 0 and abs(gain.real) >= abs(gain.imag):
        raise Broken("it gives the negative of the image: change its sign")
    turned = float(torch.angle(torch.tensor(gain)))
    if abs(turned) > PHASE:
        raise Broken(f"it turns the image's phase by {turned:.1f} rad: keep the phase")
    if not GAIN[0] <= abs(gain) <= GAIN[1]:
        raise Broken(f"it gives the image {abs(gain):.3g} times as bright as it is: give it in the input's own scale")
    y, x = (round(pixels * (2 if trial.plugin.kind == "reconstructor" else 1), 1) + 0.0 for pixels in shift)
    if max(abs(y), abs(x)) > SHIFT:
        raise Broken(
            f"it shifts the image by ({y}, {x}) HR pixels: LR pixel i lies on HR pixel 2i "
            "(bench.bicubic does that; torch's align_corners=False lies half a pixel off)"
        )


Fit = tuple[complex, tuple[float, float], float]


def _random(fits: list[Fit]) -> bool:
    gains = torch.tensor([gain for gain, _, _ in fits])
    unlike = (gains - gains.mean()).abs().max() > SPREAD * gains.mean().abs()
    return bool(unlike) or min(correlation for _, _, correlation in fits) < LEAST_CORRELATION


def _fit(image: Tensor, truth: Tensor) -> Fit:
    """Gain, shift in pixels and correlation: least squares on the truth and its slopes, a Taylor series of a shift."""
    values = image.to(torch.complex64).reshape(-1)
    values = values - values.mean()
    spectrum = torch.fft.fft2(truth.to(torch.complex64))
    waves = [2j * torch.pi * torch.fft.fftfreq(n) for n in truth.shape[-2:]]
    waves[0] = waves[0][:, None]
    gain, shift, place = 0j, (0.0, 0.0), spectrum
    for _ in range(4):
        place = spectrum * torch.exp(-waves[0] * shift[0] - waves[1] * shift[1])
        columns = torch.stack([torch.fft.ifft2(part) for part in (place, waves[0] * place, waves[1] * place)], -1)
        columns = columns.reshape(-1, 3)
        columns = columns - columns.mean(0)
        gain, dy, dx = (complex(c) for c in torch.linalg.lstsq(columns, values[:, None]).solution[:, 0])
        overlap = torch.vdot(columns[:, 0], values).abs()
        norm = torch.linalg.vector_norm(columns[:, 0]) * torch.linalg.vector_norm(values)
        correlation = float(overlap / norm.clamp_min(1e-12))
        if abs(gain) < 1e-12:
            break
        step = [min(max(-(d / gain).real, -2.0), 2.0) for d in (dy, dx)]
        shift = (shift[0] + step[0], shift[1] + step[1])
    return gain, shift, correlation
