import numpy as np
import pytest
import sigpy.mri
import torch

from bench.mri.coils import _hermitian_field, _kernels, compress, compression, espirit_maps
from bench.mri.fourier import crop, fft2c, ifft2c

from .conftest import birdcage, ellipse


def correlation(maps, truth, where):
    return (truth.conj() * maps).sum(0).abs()[where]


def test_espirit_finds_the_birdcage_up_to_phase(scan):
    maps, image, kspace = scan
    found = espirit_maps(kspace)
    assert correlation(found, maps, image > 0).min() > 0.99
    norms = found.abs().square().sum(0)
    assert torch.allclose(norms[norms > 0], torch.ones(()), atol=1e-4)


def test_the_eigenvalue_tells_the_object_from_air():
    shape = (64, 48)
    image = ellipse(shape)
    y, x = torch.meshgrid(torch.arange(64), torch.arange(48), indexing="ij")
    image = image * (((y - 32) ** 2 + (x - 24) ** 2) < 15**2)
    support = espirit_maps(fft2c(birdcage(8, shape) * image)).abs().sum(0) > 0
    assert support[image > 0].float().mean() > 0.98
    assert support[:8].float().mean() < 0.1


def test_both_grids_see_the_same_kernels(scan):
    *_, kspace = scan
    fine, coarse = espirit_maps(kspace), espirit_maps(kspace, shape=(32, 24))
    assert coarse.abs().max() > 0
    assert torch.allclose(coarse, fine[:, ::2, ::2], atol=1e-4)


def test_a_dark_first_coil_makes_no_nan():
    shape = (64, 48)
    kspace = fft2c(birdcage(6, shape, dark_first=True) * ellipse(shape))
    kspace[0] = 0
    maps = espirit_maps(kspace)
    assert torch.isfinite(torch.view_as_real(maps)).all()
    assert maps[0].abs().max() == 0


@pytest.mark.parametrize("noise", [0, 0.02, 0.05])
def test_each_map_is_the_first_eigenvector_however_near_the_second_is(noise):
    shape = (40, 36)
    random = torch.Generator().manual_seed(3)
    kspace = fft2c(birdcage(4, shape) * ellipse(shape))
    kspace = kspace + noise * torch.randn(kspace.shape, dtype=torch.complex64, generator=random)
    field = torch.cat([*_hermitian_field(_kernels(crop(kspace, (24, 24)), 6, 0.02), shape)])
    values, vectors = torch.linalg.eigh(field.to(torch.complex128))
    clear = (
        values[..., -2] < (1 - 1e-4) * values[..., -1]
    )  # nearer than that, single precision does not tell them apart
    clear &= values[..., -1] > 0.9 + 1e-3
    maps = espirit_maps(kspace)
    along = correlation(maps.to(torch.complex128), vectors[..., -1].movedim(-1, 0), clear)
    assert clear.sum() > 400
    assert along.min() > 1 - 1e-3


def test_it_agrees_with_sigpy(scan):
    _, image, kspace = scan
    reference = sigpy.mri.app.EspiritCalib(kspace.numpy(), calib_width=24, crop=0.9, show_pbar=False).run()
    assert correlation(espirit_maps(kspace), torch.from_numpy(reference), image > 0).min() > 0.99


@pytest.mark.parametrize("readout", [None, 0, 1])
def test_compression_keeps_the_energy_and_the_image(scan, readout):
    _, image, kspace = scan
    matrices = compression(kspace, 4, readout)
    squares = matrices @ matrices.mH
    assert torch.allclose(squares, torch.eye(4, dtype=torch.complex64).expand_as(squares), atol=1e-4)
    compressed = compress(kspace, matrices, readout)
    assert compressed.shape == (4, 64, 48)
    assert compressed.abs().square().sum() > 0.98 * kspace.abs().square().sum()
    assert (espirit_maps(compressed).abs().sum(0) > 0)[image > 0].float().mean() > 0.98


@pytest.mark.parametrize("readout", [0, 1])
def test_alignment_makes_the_matrices_smooth_along_the_readout(scan, readout):
    *_, kspace = scan
    matrices = compression(kspace, 4, readout)
    middle = matrices[len(matrices) // 4 : 3 * len(matrices) // 4]
    assert (middle[1:] - middle[:-1]).abs().max() < 0.3


def test_all_coils_are_kept_without_loss(scan):
    *_, kspace = scan
    compressed = compress(kspace, compression(kspace, 6, 0), 0)
    before, after = (ifft2c(k).abs().square().sum(0) for k in (kspace, compressed))
    np.testing.assert_allclose(after.numpy(), before.numpy(), atol=1e-4)
