"""Coil sensitivities by ESPIRiT (Uecker 2014) and geometric coil compression (Zhang 2013)."""

import torch
from torch import Tensor

from bench.mri.fourier import crop, fft2c, ifft2c, pad


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
    field = _hermitian_field(_kernels(centre, kernel, threshold), shape or (kspace.shape[-2], kspace.shape[-1]))
    values, vectors = torch.linalg.eigh(field)
    maps = vectors[..., -1].movedim(-1, 0)
    flat = centre.flatten(1)
    principal = torch.linalg.eigh(flat @ flat.mH)[1][:, -1]
    reference = (principal.conj()[:, None, None] * maps).sum(0)
    maps = maps * torch.exp(-1j * reference.angle())
    return torch.where(values[..., -1] > eigenvalue, maps, torch.zeros(()))


def _kernels(centre: Tensor, width: int, threshold: float) -> Tensor:
    """Row space of the calibration matrix, (kernel, coil, width, width)."""
    coils = centre.shape[0]
    windows = centre.unfold(1, width, 1).unfold(2, width, 1)  # (coil, y, x, width, width)
    matrix = windows.movedim(0, 2).flatten(0, 1).flatten(1)
    values, vectors = torch.linalg.eigh(matrix.mH @ matrix)  # squared singular values, ascending
    kept = values > threshold**2 * values[-1]
    result: Tensor = vectors[:, kept].mH.reshape(-1, coils, width, width)
    return result


def _hermitian_field(kernels: Tensor, shape: tuple[int, int]) -> Tensor:
    """Sum over kernels of k(r) k(r)^H, (*shape, coil, coil); its largest eigenvalue is about 1 on the object.

    It is a trigonometric polynomial of the kernels' autocorrelation, so a grid of twice their width holds all of it, and
    zero-padding gives it anywhere.
    """
    width = kernels.shape[-1]
    small = (2 * width, 2 * width)
    images = ifft2c(pad(kernels, small))
    products = torch.einsum("ncyx,ndyx->cdyx", images, images.conj())
    lags = pad(fft2c(products), shape) * (small[0] * small[1]) ** 0.5 * (shape[0] * shape[1]) ** 0.5 / width**2
    return ifft2c(lags).movedim((0, 1), (-2, -1)).contiguous()


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
        hybrid = _ifft_rows(lines).movedim(1, 0)  # (readout, coil, line)
    _, vectors = torch.linalg.eigh(hybrid @ hybrid.mH)
    matrices = vectors.flip(-1)[..., :coils].mH.contiguous()
    for position in range(1, len(matrices)):
        product = matrices[position] @ matrices[position - 1].mH
        left, _, right = torch.linalg.svd(product)
        matrices[position] = (left @ right).mH @ matrices[position]
    result: Tensor = matrices
    return result


def compress(kspace: Tensor, matrices: Tensor, readout: int | None) -> Tensor:
    """Apply `compression`: (coil, Y, X) -> (virtual coil, Y, X)."""
    if readout is None:
        return torch.einsum("vc,cyx->vyx", matrices[0], kspace)
    return fft2c(compress_images(ifft2c(kspace), matrices, readout))


def compress_images(images: Tensor, matrices: Tensor, readout: int | None) -> Tensor:
    """The same of coil images, or of sensitivities: (coil, Y, X) -> (virtual coil, Y, X)."""
    along = "yvc,cyx->vyx" if readout != 1 else "xvc,cyx->vyx"
    return torch.einsum(along, matrices if readout is not None else matrices.expand(images.shape[1], -1, -1), images)


def _ifft_rows(kspace: Tensor) -> Tensor:
    shifted = torch.fft.ifftshift(kspace, dim=-2)
    result: Tensor = torch.fft.fftshift(torch.fft.ifft(shifted, dim=-2, norm="ortho"), dim=-2)
    return result
