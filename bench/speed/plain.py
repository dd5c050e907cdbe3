"""The textbook's way, written without a thought for time: what our own way is measured against, and must equal."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from bench.mri.fourier import crop, ifft2c, pad
from bench.mri.sense import Sense


def normal(operator: Sense, image: Tensor) -> Tensor:
    """A^H A x: one after the other, both axes, each with its shifts."""
    return operator.adjoint(operator.forward(image))


def conjugate_gradient(operator: Callable[[Tensor], Tensor], rhs: Tensor, iterations: int) -> Tensor:
    """Solve operator(x) = rhs for a batch of one from 0; a graph of every iteration where gradients are wanted."""
    x, residual = torch.zeros_like(rhs), rhs
    direction, power = residual, (residual.conj() * residual).real.sum()
    for _ in range(iterations):
        image = operator(direction)
        step = power / (direction.conj() * image).real.sum()
        x, residual = x + step * direction, residual - step * image
        before, power = power, (residual.conj() * residual).real.sum()
        direction = residual + power / before * direction
    return x


def espirit_maps(
    kspace: Tensor, calibration: int = 24, kernel: int = 6, threshold: float = 0.02, eigenvalue: float = 0.9
) -> Tensor:
    """ESPIRiT as Uecker 2014 has it: all kernels' images at full size, all eigenvectors of each pixel; phase left as it is."""
    coils, *shape = kspace.shape
    windows = crop(kspace, (calibration, calibration)).unfold(1, kernel, 1).unfold(2, kernel, 1)
    _, values, rows = torch.linalg.svd(windows.movedim(0, 2).flatten(0, 1).flatten(1), full_matrices=False)
    kernels = rows[values > threshold * values[0]].reshape(-1, coils, kernel, kernel)
    field = torch.zeros(*shape, coils, coils, dtype=kspace.dtype, device=kspace.device)
    for weights in kernels:
        image = ifft2c(pad(weights, (shape[0], shape[1]))) * (shape[0] * shape[1]) ** 0.5 / kernel
        field += torch.einsum("cyx,dyx->yxcd", image, image.conj())
    values, vectors = torch.linalg.eigh(field)
    return torch.where(values[..., -1] > eigenvalue, vectors[..., -1].movedim(-1, 0), 0)


def unrolled(function: Callable[[Tensor], Tensor], start: Tensor, iterations: int) -> tuple[Tensor, Tensor]:
    """What `fixed_point` gives, with a graph through every iteration."""
    x = before = start
    for _ in range(iterations):
        before, x = x, function(x)
    return x, before.real.new_zeros(len(x))


def inverse(
    normal: Callable[[Tensor], Tensor], rhs: Tensor, weight: Tensor, iterations: int, tolerance: float
) -> Tensor:
    """(normal + weight I)^-1 rhs of one batch, with a graph through every iteration."""
    return conjugate_gradient(lambda x: normal(x) + weight * x, rhs, iterations)


def transfer(query: Tensor, key: Tensor) -> tuple[Tensor, Tensor]:
    """T2Net's hard attention with all similarities at once, and a graph through them."""
    shape = query.shape[-2:]
    values = functional.unfold(key.float(), 3, padding=1)
    queries, keys = (functional.normalize(functional.unfold(x.float(), 3, padding=1), dim=1) for x in (query, key))
    relevance, index = (keys.mT @ queries).max(1)
    taken = values.gather(2, index[:, None].expand_as(values))
    transferred = functional.fold(taken, shape, 3, padding=1) / 9
    return transferred, relevance[:, None].unflatten(-1, shape)
