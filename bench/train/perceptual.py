"""The perceptual loss with the weights of the cache."""

from functools import cache

from torch import Tensor

from bench.data import assets
from bench.errors import UserError
from bench.nn.losses import random_crop
from bench.nn.perceptual import CONV5_4, Perceptual, read

__all__ = ["CONV5_4", "PERCEPTUAL_ASSETS", "perceptual_losses"]

PERCEPTUAL_ASSETS = ("vgg19",)


@cache
def _perceptual(layers: tuple[tuple[str, float], ...], device: str) -> Perceptual:
    path = assets.fetch("vgg19")
    try:
        return read(path, dict(layers)).to(device)
    except ValueError as error:
        raise UserError(f"{error}: delete the file, it will be fetched again.") from error


def perceptual_losses(
    weight: float, layers: tuple[tuple[str, float], ...], crop: int, image: Tensor, truth: Tensor
) -> dict[str, Tensor]:
    """The term by its name, of a random crop (0: everything) of images in [0, 1]; nothing where the weight is 0.

    Parameters
    ----------
    layers
        Pairs of a layer of VGG-19 and its weight, in the network's order.
    image, truth
        (batch, Y, X).
    """
    if not weight:
        return {}
    image, truth = random_crop(crop, image, truth)
    return {"perceptual": weight * _perceptual(layers, str(image.device))(image, truth)}
