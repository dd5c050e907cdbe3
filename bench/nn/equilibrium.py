"""Deep equilibrium by plain iteration, with Jacobian-free backpropagation."""

from collections.abc import Callable

import torch
from torch import Tensor


def fixed_point(function: Callable[[Tensor], Tensor], start: Tensor, iterations: int) -> Tensor:
    """Apply `function` `iterations` times; the gradient flows through the last application only (Fung 2022).

    A fixed number of iterations, the same in training and test: the data-consistency step has eigenvalue 1 on what was
    not sampled, so the map is no contraction and a tolerance would stop samples of one batch at different depths.
    """
    x = start
    with torch.no_grad():
        for _ in range(iterations - 1):
            x = function(x)
    return function(x.detach())


def residual(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Relative change ‖f(x) - x‖ / ‖x‖ a sample, (batch,): how far `x` is from a fixed point."""
    with torch.no_grad():
        dims = tuple(range(1, x.ndim))
        result: Tensor = torch.linalg.vector_norm(function(x) - x, dim=dims) / torch.linalg.vector_norm(x, dim=dims)
        return result
