"""Deep equilibrium by plain iteration, with Jacobian-free backpropagation."""

from collections.abc import Callable

import torch
from torch import Tensor


def fixed_point(function: Callable[[Tensor], Tensor], start: Tensor, iterations: int) -> tuple[Tensor, Tensor]:
    """Apply `function` `iterations` times; the gradient flows through the last application only (Fung 2022).

    Returns x_K and the residual ‖x_K - x_(K-1)‖ / ‖x_K‖ of each sample, (batch,) float32 without gradient.

    A fixed number of iterations, the same in training and test: the data-consistency step has eigenvalue 1 on what was
    not sampled, so the map is no contraction and a tolerance would stop samples of one batch at different depths.
    """
    x = start
    with torch.no_grad():
        for _ in range(iterations - 1):
            x = function(x)
    if torch.is_autocast_enabled(x.device.type):
        torch.clear_autocast_cache()  # weights that were cast without gradient would be taken again, and get none
    last: Tensor = function(x)
    with torch.no_grad():
        dims = tuple(range(1, x.ndim))
        change = torch.linalg.vector_norm(last - x, dim=dims)
        return last, change / torch.linalg.vector_norm(last, dim=dims).clamp_min(1e-12)
