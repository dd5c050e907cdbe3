"""Conjugate gradients, batched, and the regularised inverse that MoDL differentiates through."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Operator = Callable[[Tensor], Tensor]


def _inner(a: Tensor, b: Tensor) -> Tensor:
    """Real inner product a sample, shaped to broadcast against it."""
    shape = (-1, *[1] * (a.ndim - 1))
    if a.is_complex():
        a, b = torch.view_as_real(a.resolve_conj()), torch.view_as_real(b.resolve_conj())
    return (a * b).flatten(1).sum(1).reshape(shape)


def conjugate_gradient(operator: Operator, rhs: Tensor, iterations: int, tolerance: float = 0.0) -> Tensor:
    """Solve operator(x) = rhs from x = 0 for a Hermitian positive operator.

    Parameters
    ----------
    operator
        Maps (batch, ...) to the same; each sample for itself.
    rhs
        (batch, ...) complex.
    iterations
        At most so many.
    tolerance
        A sample with ‖residual‖ <= tolerance * ‖rhs‖ stays as it is; all such: stop.
    """
    x = torch.zeros_like(rhs)
    residual = direction = rhs
    power = _inner(residual, residual)
    limit = tolerance**2 * power
    for _ in range(iterations):
        active = power > limit
        if tolerance and not bool(active.any()):
            break
        image = operator(direction)
        curvature = _inner(direction, image)
        step = torch.where(active & (curvature > 0), power / curvature, 0.0)
        x = torch.addcmul(x, direction, step)
        residual = torch.addcmul(residual, image, step, value=-1)
        before, power = power, _inner(residual, residual)
        direction = torch.addcmul(residual, direction, torch.where(before > 0, power / before, 0.0))
    return x


class _RegularisedInverse(torch.autograd.Function):
    """x = (N + weight I)^-1 rhs with the implicit gradient: another solve with the same, Hermitian, operator."""

    @staticmethod
    def forward(ctx: Any, rhs: Tensor, weight: Tensor, normal: Operator, iterations: int, tolerance: float) -> Tensor:
        ctx.solve = lambda b: conjugate_gradient(lambda x: normal(x) + weight * x, b, iterations, tolerance)
        x: Tensor = ctx.solve(rhs)
        ctx.save_for_backward(x)
        return x

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        (x,) = ctx.saved_tensors
        with torch.no_grad():
            adjoint = ctx.solve(gradients[0])
            weight_gradient = -(adjoint.conj() * x).real.sum()
        return adjoint, weight_gradient, None, None, None


def regularised_inverse(
    normal: Operator, rhs: Tensor, weight: Tensor, iterations: int, tolerance: float = 0.0
) -> Tensor:
    """(normal + weight I)^-1 rhs by conjugate gradients; differentiable in rhs and in weight, a real scalar."""
    x: Tensor = _RegularisedInverse.apply(rhs, weight, normal, iterations, tolerance)
    return x
