"""Where in its phases a training stands: phase, rate."""

import math
from dataclasses import dataclass
from typing import Literal

from bench.config import TrainingSettings
from bench.method import Phase, Sizes, shared


@dataclass(frozen=True)
class AdversarialSettings(Sizes):
    """A base for settings of methods with a discriminator."""

    pretraining: float = shared(0.0)
    """Share of the run before the adversarial phase."""
    crop: int = shared(0)
    """Side, in HR pixels, of the random crop that VGG-19 and discriminators see; 0: everything."""
    perceptual_weight: float = shared(1.0)
    """Of the perceptual loss; 0 downloads no VGG-19."""
    discriminator_features: int = shared(64)
    critic_rate: float = 1.0
    """Factor on the discriminator's learning rate, which is otherwise the generator's."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pretraining > 1:
            raise ValueError(f"pretraining is a share of the run, at most 1; got {self.pretraining}")


def adversarial_phases(
    settings: AdversarialSettings,
    gan: Literal["vanilla", "relativistic"] = "vanilla",
    weight: float = 5e-3,
    feature_weight: float = 0.0,
) -> tuple[Phase, ...]:
    """Pixel losses for the profile's `pretraining` share of the run, then adversarial training, at a quarter of the rate.

    Without pre-training, as in the paper, at the full rate.
    """
    share = settings.pretraining
    rate = 0.25 if share else 1.0
    phases = (
        Phase("pixel", share),
        Phase("adversarial", 1 - share, rate, settings.crop, gan, weight, feature_weight, settings.critic_rate),
    )
    return tuple(phase for phase in phases if phase.fraction > 0)


def phase_at(phases: tuple[Phase, ...], step: int, iterations: int) -> tuple[Phase, float]:
    """The phase of a step and the share of that phase that lies behind it, in [0, 1).

    A run shorter than its phases runs the last one only.
    """
    if iterations < len(phases):
        return phases[-1], step / iterations
    fractions = [sum(phase.fraction for phase in phases[: i + 1]) for i in range(len(phases))]
    ends = [round(fraction * iterations) for fraction in fractions]
    begin = 0
    for phase, end in zip(phases, ends, strict=True):
        if step < end:
            return phase, (step - begin) / (end - begin)
        begin = end
    return phases[-1], 1.0


def learning_rate(training: TrainingSettings, phase: Phase, done: float) -> float:
    """Rate after a share `done` of a phase: the profile's schedule, anew in each phase, times the phase's factor.

    "halving" is the paper's: half after 1/8, 1/4, 1/2 and 3/4 (50, 100, 200, 300 of 400 k iterations).
    "cosine" warms up over the first 2 % and falls to a hundredth.
    """
    if training.schedule == "halving":
        factor = 0.5 ** sum(done >= mark for mark in (1 / 8, 1 / 4, 1 / 2, 3 / 4))
    else:
        factor = min(1.0, 0.1 + done / 0.02) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))
    return training.learning_rate * phase.lr * factor
