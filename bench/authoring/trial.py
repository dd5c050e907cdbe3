"""A plugin being tried: its network, and what that gives."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from bench.acquisition import Acquisition, Output, Target
from bench.authoring.toy import toy
from bench.composition import Composition, Half, build
from bench.config import Settings, load
from bench.method import Phase
from bench.registry import MethodPlugin

Clause = tuple[str, Callable[[], None]]


class Broken(Exception):
    """A clause does not hold: how, and what to change."""


@dataclass
class Trial:
    """A plugin being tried, with a network of its own."""

    plugin: MethodPlugin
    settings: Settings = field(default_factory=lambda: load("smoke"))
    network: Any = None
    untouched: list[Tensor] = field(default_factory=list)
    """What a network of seed 0 gave before anything was trained."""

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
            return tensors(network(*self.given(acquisition, target)))

    def seeded(self, seed: int) -> Any:
        """A new network, initialised from this seed."""
        torch.manual_seed(seed)
        return build(self.plugin, self.settings)

    def output(self, phase: Phase, acquisition: Acquisition, target: Target, network: Any = None) -> Output:
        """What it gives in training, as its losses see it."""
        network = network or self.network
        network.train()
        given = acquisition.zero_filled if self.plugin.kind == "super_resolver" else None
        return Composition((Half(self.plugin, network),)).train_step(phase, acquisition, target, given)

    def losses(self, phase: Phase, acquisition: Acquisition, target: Target, network: Any = None) -> dict[str, Tensor]:
        """Those of one phase, in training."""
        network = network or self.network
        output = self.output(phase, acquisition, target, network)
        found: dict[str, Tensor] = network.losses(phase, acquisition, output, target)
        return found


def tensors(given: Any) -> list[Tensor]:
    """The tensors that a method gave."""
    if isinstance(given, Output):
        return [given.image, *([] if given.image_lr is None else [given.image_lr])]
    return [given]


def fresh(plugin: MethodPlugin) -> list[Tensor]:
    """What a newly made network of the plugin gives on the toy, from one seed."""
    trial = Trial(plugin)
    return trial.run(*toy(), trial.seeded(0))
