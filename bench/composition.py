"""A method at work: one pipeline, or a reconstructor followed by a super-resolver; also the part of it a stage trains."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bench.acquisition import Acquisition, Output, Target
from bench.data.prepare import Slices
from bench.mri.resample import sinc
from bench.registry import Plugin

BATCH = 4  # slices at a time where nothing is learned


@dataclass(frozen=True)
class Link:
    """A plugin and its network."""

    plugin: Plugin
    module: nn.Module


@dataclass(frozen=True)
class Chain:
    """One link (pipeline, bare reconstructor) or two (reconstructor, super-resolver). The last one is what is trained."""

    links: tuple[Link, ...]

    @property
    def trained(self) -> nn.Module:
        """The network that a stage trains."""
        return self.links[-1].module

    @property
    def gives_lr_only(self) -> bool:
        """Whether this is a bare reconstructor."""
        return self.links[-1].plugin.kind == "reconstructor"

    def __call__(self, acquisition: Acquisition, target: Target, image_lr: Tensor | None = None) -> Output:
        """Run it. `image_lr` (batch, y, x) stands for the first link's output where that is known already."""
        first = self.links[0]
        if first.plugin.kind == "pipeline":
            output: Output
            if first.module.training and hasattr(first.module, "forward_training"):
                output = first.module.forward_training(acquisition, target)  # type: ignore[operator]
            else:
                output = first.module(acquisition)
            return output
        if image_lr is None:
            image_lr = reconstruct(first, acquisition, target)
        if self.gives_lr_only:
            height, width = image_lr.shape[-2:]
            return Output(sinc(image_lr, (2 * height, 2 * width)).abs(), image_lr)
        return Output(self.trained(image_lr.abs()), image_lr)

    @torch.no_grad()
    def infer(self, acquisition: Acquisition, target: Target, image_lr: Tensor | None = None) -> Output:
        """Run it for a result: evaluation mode, no gradient, float32."""
        for link in self.links:
            link.module.eval()
        return self(acquisition, target, image_lr)


def reconstruct(link: Link, acquisition: Acquisition, target: Target) -> Tensor:
    """(batch, y, x) complex; only a bound is shown the target."""
    arguments = (acquisition, target) if link.plugin.traits["bound"] else (acquisition,)
    image: Tensor = link.module(*arguments)
    return image


@torch.no_grad()
def reconstruct_all(link: Link, slices: Slices, device: str) -> Tensor:
    """The reconstructor's images of a whole split, (slice, y, x) complex64 on the CPU."""
    link.module.eval()
    images = []
    for start in range(0, len(slices), BATCH):
        acquisition, target = slices.batch(list(range(start, min(start + BATCH, len(slices)))), device)
        images.append(reconstruct(link, acquisition, target).cpu())
    return torch.cat(images)
