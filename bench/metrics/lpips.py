"""LPIPS by the official package's code, with weights from a published package."""

import hashlib
import io
import pickle
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bench.errors import UserError
from bench.metrics.image import Image
from bench.nn.uninitialised import Uninitialised

ALEXNET = {"slice1.0": 0, "slice2.3": 1, "slice3.6": 2, "slice4.8": 3, "slice5.10": 4}  # lpips' layer -> convolution


class Memory(Protocol):
    """Keeps arrays under a key, for later and for others."""

    def get(self, key: str) -> list[NDArray[np.float32]] | None:
        """What was kept, if it was."""

    def put(self, key: str, arrays: Sequence[NDArray[np.float32]]) -> None:
        """Keep it."""


class Lpips:
    """LPIPS-Alex by the official package's code: (Y, X) images in [0, 1] -> distance.

    The package ships its learned heads only; the AlexNet convolutions (torchvision's numbers) come from the asset "lpips".
    With a `memory`, the features of a truth are computed once for all methods.
    """

    def __init__(self, alexnet: Path, device: str = "cpu", memory: Memory | None = None) -> None:
        import lpips

        with warnings.catch_warnings(), Uninitialised():
            warnings.simplefilter("ignore")
            self.net = lpips.LPIPS(net="alex", pretrained=False, pnet_rand=True, verbose=False)
            heads = Path(lpips.__file__).parent / "weights" / "v0.1" / "alex.pth"
            self.net.load_state_dict(torch.load(heads, map_location="cpu", weights_only=True), strict=False)
        convolutions = alexnet_convolutions(alexnet)
        trunk = self.net.net.state_dict()
        for layer, i in ALEXNET.items():
            kernel, bias = convolutions[f"Conv_{i}"]
            trunk[f"{layer}.weight"], trunk[f"{layer}.bias"] = torch.from_numpy(kernel), torch.from_numpy(bias)
        self.net.net.load_state_dict(trunk)
        self.net.to(device).to(memory_format=torch.channels_last)
        self.net.eval().requires_grad_(False)
        weights = hashlib.sha256(alexnet.read_bytes()).digest() if memory else b""
        self.net.net = self.trunk = _Trunk(self.net.net, weights, memory)
        self.device = device

    def __call__(self, image: Image, truth: Image) -> float:
        """Distance of one pair; grey (Y, X) or colour (Y, X, 3)."""
        for name, array in (("image", image), ("truth", truth)):
            if array.min() < 0 or array.max() > 1:
                raise ValueError(f"LPIPS takes values in [0, 1]; {name} has {array.min():g} to {array.max():g}")
        pair = [
            torch.as_tensor(np.ascontiguousarray(a), dtype=torch.float32, device=self.device) for a in (image, truth)
        ]
        self.trunk.expect(*pair)
        channels = [t.expand(3, *t.shape) if t.ndim == 2 else t.movedim(-1, 0) for t in pair]
        with torch.no_grad():
            return float(self.net(channels[0][None], channels[1][None], normalize=True))


class _Trunk(nn.Module):
    """AlexNet's features of an image and then of its truth, the latter from memory where they are."""

    def __init__(self, network: nn.Module, weights: bytes, memory: Memory | None) -> None:
        super().__init__()
        self.network, self.weights, self.memory = network, weights, memory
        self.keys: list[str | None] = []

    def expect(self, image: Tensor, truth: Tensor) -> None:
        """Say what comes next, (Y, X) each."""
        content = self.weights + str(tuple(truth.shape)).encode() + truth.cpu().numpy().tobytes()
        self.keys = [None, hashlib.sha256(content).hexdigest() if self.memory else None]

    def forward(self, x: Tensor) -> Sequence[Tensor]:
        """Scaled (1, 3, Y, X) -> features of five layers."""
        key = self.keys.pop(0)
        known = self.memory.get(key) if self.memory and key else None
        if known is not None:
            return [torch.from_numpy(array).to(x.device, memory_format=torch.channels_last) for array in known]
        features: Sequence[Tensor] = self.network(x)
        if self.memory and key:
            self.memory.put(key, [feature.cpu().numpy() for feature in features])
        return features


class _NumpyOnly(pickle.Unpickler):
    """Admits numpy's array constructors and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        admitted = {"_reconstruct", "ndarray", "dtype", "scalar", "_frombuffer"}
        if module.split(".", maxsplit=1)[0] == "numpy" and name in admitted:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is not admitted")


def alexnet_convolutions(path: Path) -> dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Kernels (out, in, y, x) and biases by layer."""
    try:
        table = _NumpyOnly(io.BytesIO(path.read_bytes())).load()
        layers = table["AlexNet_0"]
        return {
            name: (np.ascontiguousarray(layers[name]["kernel"].transpose(3, 2, 0, 1)), np.asarray(layers[name]["bias"]))
            for name in (f"Conv_{i}" for i in range(5))
        }
    except (pickle.UnpicklingError, KeyError, EOFError, ValueError) as error:
        raise UserError(
            f"The AlexNet weights {path} are damaged ({error}): delete the file, it will be fetched again."
        ) from error
