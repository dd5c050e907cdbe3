"""How much arithmetic a method does: a measure of cost that does not depend on the machine."""

import math
from collections.abc import Callable
from typing import Any

import torch


def multiply_adds(action: Callable[[], object]) -> float:
    """GMAC of what `action` does: half of PyTorch's count of operations, in 10^9."""
    from torch.utils.flop_counter import FlopCounterMode  # half a second to import, for timing only

    transforms = (torch.ops.aten._fft_c2c, torch.ops.aten._fft_r2c, torch.ops.aten._fft_c2r)
    counter = FlopCounterMode(display=False, custom_mapping=dict.fromkeys(transforms, _transform))
    with counter:
        action()
    return counter.get_total_flops() / 2e9


def _transform(shape: torch.Size, axes: list[int], *_: Any, out_shape: torch.Size, **__: Any) -> int:
    """Cooley and Tukey's 5 N log2 N operations a complex transform, half of that where one side is real."""
    full = max(shape, out_shape, key=math.prod)
    points = math.prod(full[axis] for axis in axes)
    whole = 5 * math.prod(full) * math.log2(points) if points > 1 else 0.0
    return round(whole if tuple(shape) == tuple(out_shape) else whole / 2)
