"""A plugin that gives the perceptual loss a network of VGG-19's shape with random weights."""

from dataclasses import replace

import torch

from bench.data.packages import ASSETS
from bench.nn.perceptual import LAYERS, WIDTHS
from bench.store.files import atomic_path, locked
from bench.store.keys import sha256_of


def write(path):
    generator = torch.Generator().manual_seed(0)
    table = {"0.weight": 255 * torch.eye(3)[:, :, None, None], "0.bias": torch.full((3,), -110.0)}
    before = 3
    for number, layer in enumerate(LAYERS, start=1):
        width = WIDTHS[layer[4]]
        table[f"{number}.weight"] = torch.randn(width, before, 3, 3, generator=generator) * (2 / 9 / before) ** 0.5
        table[f"{number}.bias"] = torch.zeros(width)
        before = width
    with atomic_path(path) as temporary:
        torch.save(table, temporary)


random = replace(ASSETS["vgg19"], package="random-vgg19", version="0", member="vgg19.pth")
with locked(random.path.with_suffix(".lock")):  # every process of a test run comes here
    if not random.path.exists():
        write(random.path)
ASSETS["vgg19"] = replace(random, member_sha256=sha256_of(random.path))
