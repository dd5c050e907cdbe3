"""LPIPS by the official package's code, with weights from a published package."""

import io
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bench.errors import UserError
from bench.metrics.image import Image

ALEXNET = {"slice1.0": 0, "slice2.3": 1, "slice3.6": 2, "slice4.8": 3, "slice5.10": 4}  # lpips' layer -> convolution


class Lpips:
    """LPIPS-Alex by the official package's code: (Y, X) images in [0, 1] -> distance.

    The package ships its learned heads only; the AlexNet convolutions (torchvision's numbers) come from the asset "lpips".
    """

    def __init__(self, alexnet: Path, device: str = "cpu") -> None:
        import lpips

        with warnings.catch_warnings():
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
        self.net.to(device).eval().requires_grad_(False)
        self.device = device

    def __call__(self, image: Image, truth: Image) -> float:
        """Distance of one pair; grey (Y, X) or colour (Y, X, 3)."""
        for name, array in (("image", image), ("truth", truth)):
            if array.min() < 0 or array.max() > 1:
                raise ValueError(f"LPIPS takes values in [0, 1]; {name} has {array.min():g} to {array.max():g}")
        pair = [
            torch.as_tensor(np.ascontiguousarray(a), dtype=torch.float32, device=self.device) for a in (image, truth)
        ]
        channels = [t.expand(3, *t.shape) if t.ndim == 2 else t.movedim(-1, 0) for t in pair]
        with torch.no_grad():
            return float(self.net(channels[0][None], channels[1][None], normalize=True))


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
