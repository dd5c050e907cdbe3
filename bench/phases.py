"""Phases of training, as plugins declare them and the loop runs them."""

import math
from dataclasses import dataclass
from typing import Literal

from bench.config import TrainingSettings


@dataclass(frozen=True)
class Phase:
    """A part of the run with its own losses."""

    name: str
    fraction: float  # of the run's iterations
    lr: float = 1.0  # factor on training.learning_rate
    crop: int = 0  # side, in HR pixels, of the random crop that discriminator and perceptual loss see; 0: everything
    gan: Literal["none", "vanilla", "relativistic"] = "none"
    gan_weight: float = 0.0  # of the generator's adversarial loss
    gan_feature_weight: float = 0.0  # of the squared difference of the discriminator's features


PLAIN = (Phase("plain", 1.0),)


def adversarial_phases(
    training: TrainingSettings,
    gan: Literal["vanilla", "relativistic"] = "vanilla",
    weight: float = 5e-3,
    feature_weight: float = 0.0,
) -> tuple[Phase, ...]:
    """Pixel losses for the profile's `pretraining` share of the run, adversarial training for the rest."""
    share = training.pretraining
    phases = (
        Phase("pixel", share),
        Phase("adversarial", 1 - share, 1.0, training.crop, gan, weight, feature_weight),
    )
    return tuple(phase for phase in phases if phase.fraction > 0)


def phase_at(phases: tuple[Phase, ...], step: int, iterations: int) -> Phase:
    """The phase of a step; a run shorter than its phases runs the last one only."""
    if iterations < len(phases):
        return phases[-1]
    end = 0.0
    for phase in phases:
        end += phase.fraction * iterations
        if step < round(end):
            return phase
    return phases[-1]


def learning_rate(training: TrainingSettings, phase: Phase, step: int) -> float:
    """Rate of one step: the profile's schedule over the whole run, times the phase's factor.

    "halving" is the paper's: half after 1/8, 1/4, 1/2 and 3/4 of the run (50, 100, 200, 300 of 400 k iterations).
    "cosine" warms up over the first 2 % and falls to a hundredth.
    """
    done = step / training.iterations
    if training.schedule == "halving":
        factor = 0.5 ** sum(done >= mark for mark in (1 / 8, 1 / 4, 1 / 2, 3 / 4))
    else:
        warm = min(1.0, (step + 1) / max(1.0, 0.02 * training.iterations))
        factor = warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))
    return training.learning_rate * phase.lr * factor
