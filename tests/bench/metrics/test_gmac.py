import pytest
import torch
from torch import nn

from bench.metrics.gmac import multiply_adds
from bench.mri.fourier import fft2c


def test_a_convolution_is_counted_by_hand():
    layer = nn.Conv2d(3, 5, 3, padding=1)
    image = torch.zeros(1, 3, 16, 12)
    with torch.no_grad():
        assert multiply_adds(lambda: layer(image)) == pytest.approx(16 * 12 * 3 * 5 * 9 / 1e9)


def test_a_product_of_matrices_is_counted_by_hand():
    assert multiply_adds(lambda: torch.zeros(7, 5) @ torch.zeros(5, 3)) == pytest.approx(7 * 5 * 3 / 1e9)


def test_a_transform_is_counted_by_its_formula():
    image = torch.zeros(2, 16, 8, dtype=torch.complex64)
    assert multiply_adds(lambda: fft2c(image)) == pytest.approx(2 * 5 * 128 * 7 / 2e9)
    assert multiply_adds(lambda: torch.fft.fft(image)) == pytest.approx(32 * 5 * 8 * 3 / 2e9)


def test_a_real_transform_is_half_of_a_complex_one():
    image = torch.zeros(16, 8)
    assert multiply_adds(lambda: torch.fft.rfft2(image)) == pytest.approx(5 * 128 * 7 / 4e9)
    assert multiply_adds(lambda: torch.fft.irfft2(torch.fft.rfft2(image))) == pytest.approx(2 * 5 * 128 * 7 / 4e9)


def test_element_wise_work_is_not_counted():
    assert multiply_adds(lambda: torch.ones(9).exp() + 1) == 0
