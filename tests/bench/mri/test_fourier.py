import numpy as np
import pytest
import sigpy
import torch

from bench.mri.fourier import crop, fft2c, ifft2c, pad, to_high_resolution, to_low_resolution

SHAPES = [((8, 6), (4, 3)), ((9, 7), (5, 4)), ((9, 8), (4, 5)), ((6, 6), (6, 6))]


@pytest.mark.parametrize("shape", [(8, 6), (9, 7)])
def test_the_transform_is_sigpys(random, shape):
    image = random(2, *shape)
    np.testing.assert_allclose(fft2c(image).numpy(), sigpy.fft(image.numpy(), axes=(-2, -1)), atol=1e-6)
    np.testing.assert_allclose(ifft2c(image).numpy(), sigpy.ifft(image.numpy(), axes=(-2, -1)), atol=1e-6)


def test_a_constant_image_has_its_energy_at_the_centre():
    kspace = fft2c(torch.ones(8, 6))
    assert kspace[4, 3].item() == pytest.approx(48**0.5)
    assert kspace.abs().sum().item() == pytest.approx(48**0.5, rel=1e-5)


@pytest.mark.parametrize(("large", "small"), SHAPES)
def test_pad_is_the_adjoint_and_right_inverse_of_crop(random, large, small):
    a, b = random(*large), random(*small)
    assert torch.isclose(
        torch.vdot(crop(a, small).flatten(), b.flatten()), torch.vdot(a.flatten(), pad(b, large).flatten())
    )
    assert torch.equal(crop(pad(b, large), small), b)
    assert torch.equal(to_low_resolution(to_high_resolution(b, large), small), b) or torch.allclose(
        to_low_resolution(to_high_resolution(b, large), small), b
    )


@pytest.mark.parametrize(("large", "small"), SHAPES)
def test_crop_agrees_with_sigpy(random, large, small):
    image = random(*large)
    assert np.array_equal(crop(image, small).numpy(), sigpy.resize(image.numpy(), small))


def test_the_low_resolution_image_keeps_its_intensity():
    image = ifft2c(to_low_resolution(fft2c(torch.full((16, 12), 3.0)), (8, 6)))
    assert torch.allclose(image, torch.full((8, 6), 3.0 + 0j), atol=1e-5)
