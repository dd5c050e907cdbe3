import pytest
import torch
from torch.nn import functional as F

from bench.mri.fourier import crop, fft2c, ifft2c, pad
from bench.mri.resample import bicubic, downsample, sinc

from .conftest import ellipse


def test_low_resolution_pixel_i_lies_on_pixel_2i_of_the_low_passed_image(random):
    image = random(64, 48)
    low_passed = ifft2c(pad(crop(fft2c(image), (32, 24)), (64, 48)))
    assert torch.allclose(downsample(image, (32, 24)), low_passed[::2, ::2], atol=1e-5)


def test_sinc_undoes_downsampling_of_a_band_limited_image(random):
    image = ifft2c(pad(random(30, 22), (64, 48)))
    assert torch.allclose(sinc(downsample(image, (32, 24)), (64, 48)), image, atol=1e-5)


def test_bicubic_on_the_fft_grid_keeps_the_pixels_it_is_given():
    image = torch.rand(2, 10, 8)
    assert torch.allclose(bicubic(image)[:, ::2, ::2], image)


def test_bicubic_midpoints_are_torchs_kernel():
    image = torch.rand(1, 12, 9)
    points = torch.linspace(-1, 1, 9)
    halves = (points[1:] + points[:-1]) / 2
    at = torch.stack(torch.meshgrid(torch.linspace(-1, 1, 12), halves, indexing="ij")[::-1], -1)
    reference = F.grid_sample(image[:, None], at[None], mode="bicubic", align_corners=True, padding_mode="border")[:, 0]
    assert torch.allclose(bicubic(image)[:, ::2, 1:-1:2], reference, atol=1e-5)


def test_the_fft_grid_beats_torchs_grid_by_decibels():
    image = ellipse((128, 96))[None]
    low = downsample(image, (64, 48)).real
    errors = {grid: (bicubic(low, grid) - image).square().mean() for grid in ("fft", "torch")}
    assert 10 * torch.log10(errors["torch"] / errors["fft"]) > 1.0


@pytest.mark.parametrize("function", [bicubic, lambda x: sinc(x, (12, 10)).abs()])
def test_a_gradient_flows(function):
    image = torch.rand(1, 6, 5, requires_grad=True)
    function(image).sum().backward()
    assert image.grad.abs().min() > 0
