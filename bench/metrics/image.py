"""Each metric with its identity. Magnitudes are divided by the truth's slice maximum and clipped to [0, 1]; peak 1."""

import io
import math
import pickle
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes, distance_transform_edt, label
from skimage.filters import threshold_otsu
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from bench.data import assets
from bench.errors import UserError

Image = NDArray[np.floating[Any]]

HIGHEST_PSNR = 100.0  # dB, what identical images get
EROSION_MM = 8.0
UNKNOWN_VOXEL_MM = 1.0  # taken for the erosion where the voxel size is not known
ALEXNET = {"slice1.0": 0, "slice2.3": 1, "slice3.6": 2, "slice4.8": 3, "slice5.10": 4}  # lpips' layer -> convolution


def identities(with_lpips: bool) -> dict[str, str]:
    """What each column is: library, version, window, range."""
    rule = "magnitudes / truth's slice maximum, clipped to [0, 1], peak 1"
    skimage = f"scikit-image {version('scikit-image')}"
    wang = "Gaussian 11x11 sigma 1.5, K 0.01 0.03, population covariance"
    lpips = f"lpips {version('lpips')}, AlexNet v0.1, one channel repeated to three; {rule}"
    inside = "mean over the foreground: Otsu on the truth, largest component, filled, eroded 8 mm (unknown voxel: 1 mm)"
    return {
        "psnr": f"{skimage}; {rule}; identical images {HIGHEST_PSNR:g} dB",
        "ssim": f"{skimage}, {wang}; {rule}",
        "lpips": lpips if with_lpips else "skipped: the profile downloads no weights (training.perceptual_weight = 0)",
        "nmse": f"squared error / squared truth; {rule}",
        "psnr_fg": f"PSNR, {inside}; {rule}",
        "ssim_fg": f"SSIM map, {wang}, {inside}; {rule}",
        "psnr_lr": "PSNR of the magnitude on the low-resolution grid against the fully sampled LR image; same rule there",
    }


def score(
    image: Image,
    image_lr: Image | None,
    truth: Image,
    truth_lr: Image,
    voxel_mm: tuple[float, float] | None,
    lpips: Callable[[Image, Image], float] | None,
) -> dict[str, float]:
    """All scores of one slice; nan where there is no LR image or no LPIPS.

    Parameters
    ----------
    image, truth
        (Y, X) HR magnitudes on one scale.
    image_lr, truth_lr
        (y, x) LR magnitudes.
    voxel_mm
        HR voxel, for the foreground.
    lpips
        An `Lpips`, or None.
    """
    x, y = unit_range(image, truth)
    ssim_mean, ssim_map = ssim(x, y)
    inside = foreground(y, voxel_mm)
    return {
        "psnr": psnr(x, y),
        "ssim": ssim_mean,
        "lpips": lpips(x, y) if lpips else math.nan,
        "nmse": nmse(x, y),
        "psnr_fg": psnr(x[inside], y[inside]),
        "ssim_fg": float(ssim_map[inside].mean()),
        "psnr_lr": math.nan if image_lr is None else psnr(*unit_range(image_lr, truth_lr)),
    }


def unit_range(image: Image, truth: Image) -> tuple[Image, Image]:
    """Both divided by the truth's maximum, the image clipped to [0, 1].

    Raises
    ------
    ValueError
        If shapes differ, the truth is empty or something is not finite.
    """
    if image.shape != truth.shape:
        raise ValueError(f"shapes differ: {image.shape=} {truth.shape=}")
    peak = truth.max()
    if not (np.isfinite(image).all() and np.isfinite(peak) and peak > 0 and truth.min() >= 0):
        raise ValueError("images must be finite and the truth a magnitude that is not all zero")
    return np.clip(image / peak, 0, 1).astype(np.float64), (truth / peak).astype(np.float64)


def psnr(image: Image, truth: Image) -> float:
    """Peak signal-to-noise ratio in dB, peak 1 (paper, Eq. 14)."""
    if np.array_equal(image, truth):
        return HIGHEST_PSNR
    return min(HIGHEST_PSNR, float(peak_signal_noise_ratio(truth, image, data_range=1.0)))


def ssim(image: Image, truth: Image) -> tuple[float, Image]:
    """Mean SSIM as Wang 2004 defines it (paper, Eq. 15), and its map."""
    mean, full = structural_similarity(
        truth, image, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
    )
    return float(mean), full


def nmse(image: Image, truth: Image) -> float:
    """Squared error over the truth's energy."""
    return float(((image - truth) ** 2).sum() / (truth**2).sum())


def foreground(truth: Image, voxel_mm: tuple[float, float] | None) -> NDArray[np.bool_]:
    """Inside of the head: Otsu on the truth, largest component, filled, eroded 8 mm (less where nothing would be left)."""
    labels, count = label(truth > threshold_otsu(truth))
    sizes = np.bincount(labels.ravel())[1:]
    whole = binary_fill_holes(labels == 1 + int(np.argmax(sizes))) if count else np.ones(truth.shape, bool)
    depth = distance_transform_edt(np.pad(whole, 1), sampling=voxel_mm or (UNKNOWN_VOXEL_MM, UNKNOWN_VOXEL_MM))
    depth = np.asarray(depth)[1:-1, 1:-1]
    return depth > min(EROSION_MM, 0.5 * float(depth.max()))


class Lpips:
    """LPIPS-Alex by the official package's code: (Y, X) images in [0, 1] -> distance.

    The package ships its learned heads only; the AlexNet convolutions (torchvision's numbers) come from a package file.
    """

    def __init__(self, device: str = "cpu") -> None:
        import lpips

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.net = lpips.LPIPS(net="alex", pretrained=False, pnet_rand=True, verbose=False)
            heads = Path(lpips.__file__).parent / "weights" / "v0.1" / "alex.pth"
            self.net.load_state_dict(torch.load(heads, map_location="cpu", weights_only=True), strict=False)
        convolutions = alexnet_convolutions(assets.fetch("lpips"))
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
