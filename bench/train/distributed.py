"""Processes that train one stage together, one a device: each takes its share of the batch, gradients are averaged.

Losses are means over the batch, so the mean over equal shares is that of one process with the whole batch. What a batch
normalisation or a relativistic loss averages over is a process's own share.
"""

import logging
import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, nn

PATIENCE = timedelta(days=1)  # others wait while rank 0 validates; those of a dead rank are ended by who started them


@dataclass(frozen=True)
class Rank:
    """One of the processes. As it is made without arguments: the only one, and nothing is exchanged."""

    number: int = 0
    count: int = 1
    fabric: Any = None

    def share(self, drawn: list[int]) -> list[int]:
        """Give this process its part of the slices that were drawn for all."""
        return drawn[self.number :: self.count]

    def mean(self, losses: dict[str, Tensor]) -> dict[str, Tensor]:
        """Losses averaged over the processes, without gradient; the only process's as they are."""
        if self.count == 1:
            return losses
        values = torch.stack([value.detach().float() for value in losses.values()])
        return dict(zip(losses, self.fabric.all_reduce(values, reduce_op="mean"), strict=True))

    def average_gradients(self, module: nn.Module) -> None:
        """Average over the processes what `backward` left in the module."""
        if self.count == 1:
            return
        gradients = [p.grad for p in module.parameters() if p.grad is not None]
        flat = self.fabric.all_reduce(torch.cat([g.flatten() for g in gradients]), reduce_op="mean")
        for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(mean.view_as(gradient))


ALONE = Rank()


def free_port() -> int:
    """A port of this machine for the ranks to meet at."""
    from lightning_fabric.plugins.environments.lightning import find_free_network_port

    return find_free_network_port()


def join(number: int, count: int, port: int, device: str) -> Rank:
    """Make this process one of `count` that meet at a port; Fabric chooses the device and how they speak."""
    os.environ |= {"LOCAL_RANK": str(number), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments import LightningEnvironment
    from lightning_fabric.strategies import DDPStrategy

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it would write into the progress bars
    strategy = DDPStrategy(cluster_environment=LightningEnvironment(), timeout=PATIENCE)
    fabric = Fabric(accelerator=device, devices=count, strategy=strategy)
    fabric.launch()
    return Rank(number, count, fabric)


def leave(rank: Rank) -> None:
    """Wait for the others and part."""
    rank.fabric.barrier()
    torch.distributed.destroy_process_group()
