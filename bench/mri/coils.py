"""Coil sensitivities by ESPIRiT (Uecker 2014) and geometric coil compression (Zhang 2013)."""

from collections.abc import Iterator

import torch
from torch import Tensor

from bench.mri.fourier import crop, fft2c, ifft2c, pad

ROUNDS = 6
"""Of raising a matrix to its fourth power."""
CLEAR = 1e-3
"""Share of the trace that all eigenvalues but the largest have together, at most, when its vector is taken."""
STRIP = 2**19
"""Numbers of the Hermitian field that are worked on at a time."""


def espirit_maps(
    kspace: Tensor,
    shape: tuple[int, int] | None = None,
    calibration: int = 24,
    kernel: int = 6,
    threshold: float = 0.02,
    eigenvalue: float = 0.9,
) -> Tensor:
    """Sensitivities from the fully sampled centre of k-space.

    Parameters
    ----------
    kspace
        (coil, Y, X) complex64; its central `calibration`^2 samples are used.
    shape
        Grid of the maps; that of `kspace` by default. All grids see the same kernels.
    kernel
        Width of the k-space kernels.
    threshold
        Singular values of the calibration matrix below this share of the largest are dropped.
    eigenvalue
        Where the largest eigenvalue is lower, there is no object, and the maps are 0.

    Returns
    -------
    Tensor
        (coil, *shape) complex64, unit norm over coils on the support. The phase is that of the calibration data's principal
        virtual coil, so it has no jumps where one coil is dark.
    """
    centre = crop(kspace, (min(calibration, kspace.shape[-2]), min(calibration, kspace.shape[-1])))
    flat = centre.flatten(1)
    principal = torch.linalg.eigh(flat @ flat.mH)[1][:, -1]
    maps = []
    for field in _hermitian_field(_kernels(centre, kernel, threshold), shape or (kspace.shape[-2], kspace.shape[-1])):
        matrices = field.flatten(0, 1)
        bright = _squares(matrices) > eigenvalue**2  # no eigenvalue is larger than the norm
        values, found = _principal(matrices[bright])
        reference = found @ principal.conj()
        found *= torch.where(values > eigenvalue, torch.exp(-1j * reference.angle()), 0)[:, None]
        vectors = found.new_zeros(matrices.shape[:2])
        vectors[bright] = found
        maps.append(vectors.T.reshape(-1, *field.shape[:2]))
    return torch.cat(maps, 1)


def _principal(matrices: Tensor) -> tuple[Tensor, Tensor]:
    """Largest eigenvalue (n,) and its vector (n, coil) of Hermitian matrices (n, coil, coil), by repeated squaring.

    Powers of a matrix have its vectors, and all but the largest eigenvalue fade in them. Many times faster on a CPU than all
    eigenvectors of each matrix; what is not clear after `ROUNDS`, an eigenvalue within 0.2 % of the largest, is left to that.
    """
    vectors = matrices.new_empty(matrices.shape[:2])
    left, power = torch.arange(len(matrices)), _to_trace_1(matrices.clone())
    for _ in range(ROUNDS):
        power = power @ power
        power = _to_trace_1(power @ power)
        clear = _squares(power) > 1 - 2 * CLEAR
        vectors[left[clear]] = _column(power[clear])
        left, power = left[~clear], power[~clear]
    if len(left):
        vectors[left] = torch.linalg.eigh(matrices[left])[1][..., -1]
    values = (vectors.conj() * (matrices @ vectors[..., None])[..., 0]).real.sum(1)
    return values, vectors


def _column(power: Tensor) -> Tensor:
    """The vector (n, coil) of matrices (n, coil, coil) of nearly rank one: their brightest column, multiplied once more."""
    brightest = power.diagonal(dim1=-2, dim2=-1).real.argmax(-1)
    vectors = (power @ power[torch.arange(len(power)), :, brightest, None])[..., 0]
    result: Tensor = vectors / torch.linalg.vector_norm(vectors, dim=1, keepdim=True)
    return result


def _to_trace_1(matrices: Tensor) -> Tensor:
    """Divide them (n, coil, coil) by their traces, in place; what is 0 stays so."""
    traces = matrices.diagonal(dim1=-2, dim2=-1).real.sum(-1)
    torch.view_as_real(matrices).mul_(1 / traces.clamp_min(torch.finfo(traces.dtype).tiny)[:, None, None, None])
    return matrices


def _squares(matrices: Tensor) -> Tensor:
    """Sum of the squared magnitudes of each, (n,)."""
    result: Tensor = torch.view_as_real(matrices).square().sum((1, 2, 3))
    return result


def _kernels(centre: Tensor, width: int, threshold: float) -> Tensor:
    """Row space of the calibration matrix, (kernel, coil, width, width)."""
    coils = centre.shape[0]
    windows = centre.unfold(1, width, 1).unfold(2, width, 1)  # (coil, y, x, width, width)
    matrix = windows.movedim(0, 2).flatten(0, 1).flatten(1)
    values, vectors = torch.linalg.eigh(matrix.mH @ matrix)  # squared singular values, ascending
    kept = values > threshold**2 * values[-1]
    result: Tensor = vectors[:, kept].mH.reshape(-1, coils, width, width)
    return result


def _hermitian_field(kernels: Tensor, shape: tuple[int, int]) -> Iterator[Tensor]:
    """Sum over kernels of k(r) k(r)^H in strips (rows, X, coil, coil); its largest eigenvalue is about 1 on the object.

    It is a trigonometric polynomial of the kernels' autocorrelation: a grid of twice their width holds all of it, and it is
    evaluated from there, along one axis after the other.
    """
    width, coils = kernels.shape[-1], kernels.shape[1]
    small = (2 * width, 2 * width)
    images = ifft2c(pad(kernels, small))
    products = torch.einsum("ncyx,ndyx->cdyx", images, images.conj())
    lags = fft2c(products) * (2 * width / width**2)
    along_y, along_x = (_harmonics(size, 2 * width).to(lags) for size in shape)
    lines = (lags.flatten(0, 2) @ along_x.T).view(coils**2, 2 * width, shape[1])
    lines = lines.permute(1, 2, 0).flatten(1)  # (lag, X * coil * coil)
    for rows in along_y.split(max(1, STRIP // lines.shape[1])):
        yield (rows @ lines).view(len(rows), shape[1], coils, coils)


def _harmonics(size: int, lags: int) -> Tensor:
    """exp(2 pi i position lag / size), (size, lags); both are counted from their centre."""
    position, lag = torch.arange(size) - size // 2, torch.arange(lags) - lags // 2
    turns = torch.outer(position, lag).remainder(size).to(torch.float64) / size
    return torch.exp(2j * torch.pi * turns)


def compression(kspace: Tensor, coils: int, readout: int | None, calibration: int = 24) -> Tensor:
    """Matrices that compress to `coils` virtual coils.

    Parameters
    ----------
    kspace
        (coil, Y, X), its centre fully sampled.
    readout
        0 or 1: the fully sampled axis (of Y, X), along which each position has a matrix of its own, aligned with its
        neighbour's (Zhang 2013). None: both axes are phase-encoded; one matrix, by principal components.

    Returns
    -------
    Tensor
        (readout or 1, coils, coil), orthonormal rows.
    """
    if readout is None:
        hybrid = crop(kspace, (min(calibration, kspace.shape[1]), min(calibration, kspace.shape[2]))).flatten(1)[None]
    else:
        along_y = kspace if readout == 0 else kspace.mT
        lines = crop(along_y, (along_y.shape[1], min(calibration, along_y.shape[2])))
        hybrid = torch.fft.fftshift(torch.fft.ifft(lines, dim=1, norm="ortho"), dim=1).movedim(
            1, 0
        )  # (readout, coil, line)
    _, vectors = torch.linalg.eigh(hybrid @ hybrid.mH)
    matrices: Tensor = vectors.flip(-1)[..., :coils].mH
    return _aligned(matrices)


def _aligned(matrices: Tensor) -> Tensor:
    """Turn each matrix, (position, coils, coil), to be nearest to the one before.

    What turns a matrix to its neighbour as it is found is told for all at once; the turns then add up along the positions.
    """
    left, _, right = torch.linalg.svd(matrices[1:] @ matrices[:-1].mH)
    turns = (left @ right).mH
    for position in range(1, len(turns)):
        turns[position] = turns[position - 1] @ turns[position]
    return torch.cat((matrices[:1], turns @ matrices[1:]))


def compress(kspace: Tensor, matrices: Tensor, readout: int | None) -> Tensor:
    """Apply `compression`: (coil, Y, X) -> (virtual coil, Y, X)."""
    if readout is None:
        return torch.einsum("vc,cyx->vyx", matrices[0], kspace)
    axis = readout - 2
    hybrid = torch.fft.ifft(kspace, dim=axis)  # without shifts: each is a phase of a position, which all coils share
    result: Tensor = torch.fft.fft(compress_images(hybrid, torch.fft.ifftshift(matrices, dim=0), readout), dim=axis)
    return result


def compress_images(images: Tensor, matrices: Tensor, readout: int | None) -> Tensor:
    """The same of coil images, or of sensitivities: (coil, Y, X) -> (virtual coil, Y, X)."""
    along = "yvc,cyx->vyx" if readout != 1 else "xvc,cyx->vyx"
    return torch.einsum(along, matrices if readout is not None else matrices.expand(images.shape[1], -1, -1), images)
