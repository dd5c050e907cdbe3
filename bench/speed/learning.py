"""Networks: a forward pass, a training step, batches, T2Net's attention; each against the same written plainly."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property, partial
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor, nn

from bench import registry
from bench.acquisition import Acquisition, Output, Target
from bench.composition import Composition, Half, build
from bench.data.slices import Slices, open_prepared
from bench.method import Trained
from bench.mri.sense import Sense
from bench.speed import plain
from bench.speed.compare import Contender, Part, relative
from bench.speed.scene import Scene
from bench.train.precision import mixed
from bench.train.samples import Samples

BATCH = 4
SAME_IMAGE = 1e-3
SAME_LOSS = 0.05
"""Of the first step's loss: in bfloat16 against float32."""
PLAINLY = {"fixed_point": plain.unrolled, "regularised_inverse": plain.inverse, "transfer": plain.transfer}
"""What a method's file imports or defines -> its plain version."""


class Learner:
    """A method's network with an optimiser. Plainly: float32, no memory format, a graph through all, A^H A as A and A^H."""

    def __init__(self, scene: Scene, id: str, plainly: bool) -> None:
        self.scene, self.id, self.plainly = scene, id, plainly

    @cached_property
    def plugin(self) -> registry.MethodPlugin:
        """As registered."""
        return registry.method(self.id)

    @cached_property
    def network(self) -> Trained:
        """Its weights are the same each time."""
        torch.manual_seed(0)
        network = build(self.plugin, self.scene.settings).to(self.scene.device)
        assert isinstance(network, Trained)
        return network if self.plainly else network.to(memory_format=torch.channels_last)

    @cached_property
    def optimiser(self) -> torch.optim.Optimizer:
        """The method's own."""
        return self.network.optimiser([p for p in self.network.parameters() if p.requires_grad])

    @cached_property
    def given(self) -> tuple[Acquisition, Target]:
        """One batch."""
        return self.scene.batch(BATCH)

    def forward(self) -> np.ndarray[Any, Any]:
        """One slice, for a result."""
        with self._written(), torch.no_grad():
            made = self.network.eval()(self.given[0][:1])
        image = made.image if isinstance(made, Output) else made.abs()
        return image.cpu().numpy()

    def step(self) -> float:
        """One step of training on a batch, of a super-resolver on the truth; its loss."""
        phase = self.network.phases()[-1]
        image_lr = self.given[1].image_lr if self.plugin.kind == "super_resolver" else None
        precision = "fp32" if self.plainly else self.scene.settings.training.precision
        self.network.train()
        with self._written():
            with mixed(self.scene.device, precision):
                output = Composition((Half(self.plugin, self.network),)).train_step(phase, *self.given, image_lr)
                losses = self.network.losses(phase, self.given[0], output, self.given[1])
            total = torch.stack(list(losses.values())).sum()
            self.optimiser.zero_grad(set_to_none=True)
            total.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        return total.item()

    @contextmanager
    def _written(self) -> Iterator[None]:
        with ExitStack() as stack:
            if self.plainly:
                stack.enter_context(patch.object(Sense, "normal", plain.normal))
                home = sys.modules[self.plugin.module]
                for name, version in PLAINLY.items():
                    if hasattr(home, name):
                        stack.enter_context(patch.object(home, name, version))
            yield


def forward(id: str) -> Callable[[Scene], list[Part]]:
    """A slice through a network."""
    return _against_plain(id, "forward", Learner.forward, "one slice", relative, SAME_IMAGE)


def step(id: str) -> Callable[[Scene], list[Part]]:
    """A step of training."""

    def difference(ours: float, theirs: float) -> float:
        return abs(ours - theirs) / abs(ours)

    return _against_plain(id, "step", Learner.step, f"a step of training, batch {BATCH}", difference, SAME_LOSS)


def _against_plain(
    id: str,
    name: str,
    action: Callable[[Learner], object],
    what: str,
    difference: Callable[[Any, Any], float],
    tolerance: float,
) -> Callable[[Scene], list[Part]]:
    def parts(scene: Scene) -> list[Part]:
        ours, theirs = (
            Contender(contender, partial(action, Learner(scene, id, plainly)), scene.thread_numbers)
            for contender, plainly in (("ours", False), ("plain", True))
        )
        said = f"{id}: {what}, {_sizes(scene)}"
        return [Part(f"{id.removesuffix('-l1')}-{name}", said, ours, (theirs,), difference, tolerance)]

    return parts


def loader(scene: Scene) -> list[Part]:
    """Batches in the order that a stage draws them."""
    slices, samples = scene.slices, Samples(scene.slices)
    drawn = [[int(i) for i in torch.randperm(len(slices))[:BATCH]] for _ in range(8)]

    def all_batches(read: Callable[[list[int]], Tensor]) -> np.ndarray[Any, Any]:
        return torch.stack([read(indices) for indices in drawn]).cpu().numpy()

    def ours(indices: list[int]) -> Tensor:
        return samples.batch(indices, scene.device)[0].zero_filled

    def theirs(indices: list[int]) -> Tensor:
        return torch.cat([_read(slices, i) for i in indices]).to(scene.device)

    return [
        Part(
            "loader", f"8 batches of {BATCH} slices, {_sizes(scene)}",
            Contender("ours", lambda: all_batches(ours), (1,)),
            (Contender("plain", lambda: all_batches(theirs), (1,)),), relative, SAME_IMAGE,
        )
    ]  # fmt: skip


def _read(slices: Slices, index: int) -> Tensor:
    """From the file each time."""
    open_prepared.cache_clear()
    return slices.batch([index])[0].zero_filled


def transformer(scene: Scene) -> list[Part]:
    """T2Net's search, and its gradient."""
    home = sys.modules[registry.method("t2net").module]
    acquisition, _ = scene.batch(1)
    features = int(scene.settings.network["features"])
    torch.manual_seed(0)
    shape = (1, features, *acquisition.zero_filled.shape[-2:])
    query, key = (torch.randn(shape, device=scene.device, requires_grad=True) for _ in range(2))

    def searched(transfer: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]) -> np.ndarray[Any, Any]:
        transferred, relevance = transfer(query, key)
        (gradient,) = torch.autograd.grad((relevance * transferred).sum(), query)
        return gradient.cpu().numpy()

    return [
        Part(
            "transformer", f"T2Net's search and its gradient, {' x '.join(map(str, shape[1:]))}",
            Contender("ours", lambda: searched(home.transfer), scene.thread_numbers),
            (Contender("plain", lambda: searched(plain.transfer), scene.thread_numbers),), relative, SAME_IMAGE,
        )
    ]  # fmt: skip


def _sizes(scene: Scene) -> str:
    y, x = scene.data.protocol.matrix
    return f"{scene.data.protocol.coils} coils, {y} x {x} HR"
