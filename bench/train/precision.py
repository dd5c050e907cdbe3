"""Mixed precision: bfloat16 where the device has it; on CPUs that have not, float32 of the same rounded numbers."""

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

CAST = {
    torch.conv1d, torch.conv2d, torch.conv3d, torch.conv_transpose2d, functional.linear, torch.matmul, torch.mm, torch.bmm,
    Tensor.matmul, Tensor.__matmul__, Tensor.mm, Tensor.bmm,
}  # fmt: skip
"""What autocast hands to bfloat16."""


def mixed(device: str, precision: str) -> AbstractContextManager[object]:
    """A forward pass of this precision, "fp32" or "bf16"."""
    if precision != "bf16":
        return nullcontext()
    if device == "cpu" and not cpu_has_bfloat16():
        return Rounded()
    return torch.autocast(torch.device(device).type, torch.bfloat16)


@cache
def cpu_has_bfloat16() -> bool:
    """Whether oneDNN computes with it here; without, PyTorch does so some ten times slower than with float32."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


class Rounded(TorchFunctionMode):
    """Autocast to bfloat16 in float32: operands rounded to bfloat16, products summed in float32, the result rounded.

    That is what hardware does, so numbers differ by the order of summation alone; so do gradients.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func not in CAST or not any(_eligible(value) for value in args):
            return func(*args, **(kwargs or {}))
        rounded = {name: _rounded(value) for name, value in (kwargs or {}).items()}
        return func(*(_rounded(value) for value in args), **rounded).to(torch.bfloat16)


def _eligible(value: Any) -> bool:
    return isinstance(value, Tensor) and value.dtype in (torch.float32, torch.bfloat16)


def _rounded(value: Any) -> Any:
    return value.to(torch.bfloat16).float() if _eligible(value) else value
