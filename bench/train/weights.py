"""Weights on disk."""

import pickle
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from bench.errors import UserError
from bench.store.files import atomic_path
from bench.store.keys import sha256_of


def save_weights(path: Path, weights: dict[str, Tensor]) -> str:
    """Write weights, floats rounded to float16, and return the file's sha256."""
    rounded = {k: (v.half() if v.is_floating_point() else v).contiguous() for k, v in weights.items()}
    with atomic_path(path) as temporary:
        save_file(rounded, temporary)
    return sha256_of(path)


def load_weights(network: nn.Module, path: Path, sha256: str) -> None:
    """Read the weights of a stage; a file other than the recorded one is refused."""
    if not path.exists() or sha256_of(path) != sha256:
        raise UserError(f"The weights {path} are missing or not those that stage.json records: train with --retrain.")
    network.load_state_dict(_as_float32(load_file(path)))


def load_foreign_weights(network: nn.Module, path: Path) -> None:
    """Read weights made elsewhere: a state dict in .safetensors or in PyTorch's own format.

    Raises
    ------
    UserError
        If the file is no such thing, or its names or shapes are not the network's: the first that differs.
    """
    try:
        table: Any = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
        network.load_state_dict(_as_float32(table))
    except pickle.UnpicklingError as error:  # whose message advises to run what the file holds
        raise UserError(
            f"The weights {path} do not fit {type(network).__name__}: no plain state dict of tensors"
        ) from error
    except (SafetensorError, RuntimeError, OSError, EOFError, ValueError, AttributeError, TypeError) as error:
        said = " ".join(str(error).split())
        raise UserError(f"The weights {path} do not fit {type(network).__name__}: {said[:300]}") from error


def _as_float32(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k: v.float() if v.is_floating_point() else v for k, v in weights.items()}
