"""A method at work: one pipeline, or a reconstructor followed by a super-resolver; also the part of it a stage trains."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from bench.acquisition import Acquisition, Output, Target
from bench.config import Settings
from bench.data.slices import Slices
from bench.method import Component, Phase, Trained
from bench.mri.resample import sinc
from bench.nn.block import Block
from bench.nn.uninitialised import Uninitialised
from bench.registry import MethodPlugin
from bench.together import Together

BATCH = 4  # slices at a time where nothing is learned


@dataclass(frozen=True)
class Half:
    """A plugin and its network: a pipeline, or one half of a sequence."""

    plugin: MethodPlugin
    network: Component


@dataclass(frozen=True)
class Composition:
    """One half (pipeline, bare reconstructor) or two (reconstructor, super-resolver). The last one is what is trained."""

    halves: tuple[Half, ...]

    @property
    def last(self) -> Component:
        """The network that a stage trains."""
        return self.halves[-1].network

    @cached_property
    def kind(self) -> str:
        """That of its last half."""
        return self.halves[-1].plugin.kind

    @property
    def gives_lr_only(self) -> bool:
        """Whether this is a bare reconstructor."""
        return self.kind == "reconstructor"

    def __call__(self, acquisition: Acquisition, target: Target, image_lr: Tensor | None = None) -> Output:
        """Run it. `image_lr` (batch, y, x) stands for the first half's output where that is known already."""
        if isinstance(self.last, Together) and image_lr is not None:
            return Output(self.last.super_resolver(image_lr.abs()), image_lr)
        if self.kind == "pipeline":
            output: Output = self.last(acquisition)
            return output
        if image_lr is None:
            image_lr = reconstruct(self.halves[0], acquisition, target)
        return _beside_sinc(image_lr) if self.gives_lr_only else Output(self.last(image_lr.abs()), image_lr)

    @property
    def has_super_resolver(self) -> bool:
        """Whether it super-resolves an LR image that it is given, so that it can be given another."""
        return len(self.halves) == 2 or isinstance(self.last, Together)

    def seen_by_critic(self, acquisition: Acquisition, output: Output) -> Tensor:
        """(batch, y, x) complex: the LR image that the generator was given. No gradient passes."""
        given = output.image_lr if self.has_super_resolver else acquisition.zero_filled
        assert given is not None
        return given.detach()

    def train_step(
        self, phase: Phase, acquisition: Acquisition, target: Target, image_lr: Tensor | None = None
    ) -> Output:
        """Run it as its last half asks for in training."""
        network = self.last
        assert isinstance(network, Trained)
        if self.kind == "pipeline":
            output: Output = network.forward_training(acquisition, target, phase)
            return output
        if self.gives_lr_only:
            return _beside_sinc(network.forward_training(acquisition, target, phase))
        if image_lr is None:
            image_lr = reconstruct(self.halves[0], acquisition, target)
        return Output(network.forward_training(image_lr.abs(), target, phase), image_lr)

    @torch.no_grad()
    def infer(self, acquisition: Acquisition, target: Target, image_lr: Tensor | None = None) -> Output:
        """Run it for a result: evaluation mode, no gradient, float32."""
        for half in self.halves:
            half.network.eval()
        return self(acquisition, target, image_lr)


def _beside_sinc(image_lr: Tensor) -> Output:
    height, width = image_lr.shape[-2:]
    return Output(sinc(image_lr, (2 * height, 2 * width)).abs(), image_lr)


def reconstruct(half: Half, acquisition: Acquisition, target: Target) -> Tensor:
    """(batch, y, x) complex; only a bound is shown the target."""
    arguments = (acquisition, target) if half.plugin.bound else (acquisition,)
    image: Tensor = half.network(*arguments)
    return image


@torch.no_grad()
def reconstruct_all(half: Half, slices: Slices, indices: Sequence[int], device: str) -> Tensor:
    """The reconstructor's images of slices of a split, (slice, y, x) complex64 on the CPU."""
    half.network.eval()
    images = []
    for start in range(0, len(indices), BATCH):
        acquisition, target = slices.batch(list(indices[start : start + BATCH]), device)
        images.append(reconstruct(half, acquisition, target).cpu())
    return torch.cat(images)


def build(plugin: MethodPlugin, settings: Settings) -> Component:
    """Make the network of a plugin with its own settings."""
    return plugin.cls(settings.of(plugin))


def skeleton(plugin: MethodPlugin, settings: Settings) -> tuple[Component, nn.Module | None]:
    """The network and the discriminator, if any, without memory behind their parameters."""
    with torch.device("meta"), Uninitialised():
        network = build(plugin, settings)
        return network, network.discriminator() if isinstance(network, Trained) else None


def count(network: nn.Module) -> int:
    """Trainable parameters."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def blocks(network: nn.Module, discriminator: nn.Module | None) -> list[Block | Component]:
    """Versioned parts of both, networks of other methods that this one holds among them."""
    parts = [*network.modules(), *(discriminator.modules() if discriminator else [])][1:]
    return [part for part in parts if isinstance(part, Block | Component)]
