"""Perceptual loss: L1 of VGG-19 features before ReLU (paper, Eq. 8)."""

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.nn.block import Block

CONV5_4 = (("conv5_4", 1.0),)  # ESRGAN's choice
LAYERS = ("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv3_3", "conv3_4",
          "conv4_1", "conv4_2", "conv4_3", "conv4_4", "conv5_1", "conv5_2", "conv5_3", "conv5_4")  # fmt: skip
WIDTHS = {"1": 64, "2": 128, "3": 256, "4": 512, "5": 512}

# The weights that are available as a package are Caffe's, scaled so that each layer's mean activation is about 1; losses were
# published for torchvision's. Factor = mean |feature| of torchvision's VGG-16 (conv3_3, conv4_3, conv5_3; its VGG-19 is
# not available as a package) over that of these weights, on scikit-image's astronaut, coffee, chelsea and rocket: an
# approximation.
TO_TORCHVISION = {"conv3_4": 6.79, "conv4_4": 0.622, "conv5_4": 0.131}


class Perceptual(Block):
    """Frozen VGG-19; images (batch, Y, X) in [0, 1], one channel repeated to three."""

    version = 1

    def __init__(
        self,
        weights: Mapping[str, float],
        convolutions: Mapping[str, tuple[Tensor, Tensor]],
        first: tuple[Tensor, Tensor],
    ) -> None:
        super().__init__()
        self.weights = dict(weights)
        last = max(LAYERS.index(name) for name in weights)
        self.first = nn.Conv2d(3, 3, 1)  # RGB in [0, 1] -> BGR * 255 - mean
        self._set(self.first, first)
        self.convs = nn.ModuleDict()
        before = 3
        for name in LAYERS[: last + 1]:
            conv = nn.Conv2d(before, WIDTHS[name[4]], 3, padding=1, padding_mode="reflect")
            self._set(conv, convolutions[name])
            self.convs[name], before = conv, WIDTHS[name[4]]
        self.eval().requires_grad_(False).to(memory_format=torch.channels_last)

    @staticmethod
    def _set(conv: nn.Conv2d, values: tuple[Tensor, Tensor]) -> None:
        conv.load_state_dict({"weight": values[0], "bias": values[1]})

    def features(self, image: Tensor) -> dict[str, Tensor]:
        """Features before ReLU of the wanted layers."""
        x = self.first(image[:, None].expand(-1, 3, -1, -1))
        found = {}
        for name, conv in self.convs.items():
            if name.endswith("_1") and name != "conv1_1":
                x = F.max_pool2d(x, 2, ceil_mode=True)
            x = conv(x)
            if name in self.weights:
                found[name] = x
            x = F.relu(x)
        return found

    def forward(self, image: Tensor, reference: Tensor) -> Tensor:
        """Weighted mean |difference| of features."""
        with torch.no_grad():
            wanted = self.features(reference)
        terms = [
            weight * TO_TORCHVISION.get(name, 1.0) * F.l1_loss(feature, wanted[name])
            for (name, feature), weight in zip(self.features(image).items(), self.weights.values(), strict=True)
        ]
        return torch.stack(terms).sum()


def read(path: Path, weights: Mapping[str, float]) -> Perceptual:
    """The loss with the weights of a file: a state dict of an nn.Sequential with padding, convolution, ReLU, pooling.

    Raises
    ------
    ValueError
        If the file is damaged.
    """
    try:
        table = torch.load(path, map_location="cpu", weights_only=True)
        numbers = sorted({int(key.split(".")[0]) for key in table})
        values = [(table[f"{n}.weight"], table[f"{n}.bias"]) for n in numbers]
        return Perceptual(weights, dict(zip(LAYERS, values[1:], strict=True)), values[0])
    except (RuntimeError, KeyError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise ValueError(f"the VGG-19 weights {path} are damaged ({type(error).__name__})") from error
