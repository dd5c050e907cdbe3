import math

import pytest
import torch

from bench.nn.losses import complex_l1, discriminator_loss, generator_loss, magnitude_l1, random_crop


def test_the_relativistic_generator_loss_at_equal_logits_is_log_two():
    logits = torch.full((4, 1), 0.3)
    assert generator_loss("relativistic", logits, logits).item() == pytest.approx(math.log(2))
    assert discriminator_loss("relativistic", logits, logits).item() == pytest.approx(math.log(2))


def test_the_vanilla_losses_are_the_papers_logarithms():
    fake, real = torch.tensor([[0.4]]), torch.tensor([[1.3]])
    d_fake, d_real = torch.sigmoid(fake).item(), torch.sigmoid(real).item()
    assert generator_loss("vanilla", fake, real).item() == pytest.approx(-math.log(d_fake))
    assert discriminator_loss("vanilla", fake, real).item() == pytest.approx(-math.log(1 - d_fake) - math.log(d_real))


def test_complex_l1_takes_the_mean_over_real_and_imaginary_parts():
    image, truth = torch.full((1, 2, 2), 1 + 2j), torch.zeros(1, 2, 2, dtype=torch.complex64)
    assert complex_l1(image, truth, torch.tensor([2.0])).item() == pytest.approx(0.75)


def test_losses_are_taken_on_the_scale_of_each_slices_peak():
    image, peak = torch.tensor([[[3.0]], [[30.0]]]), torch.tensor([2.0, 20.0])
    assert magnitude_l1(image, torch.ones(2, 1, 1) * (1 + 0j) * peak[:, None, None], peak).item() == pytest.approx(0.5)


def test_crops_of_both_grids_show_the_same_place():
    hr = torch.arange(48 * 40.0).reshape(1, 48, 40)
    for seed in range(5):
        torch.manual_seed(seed)
        crop, lr = random_crop(16, hr, hr[:, ::2, ::2])
        assert crop.shape == (1, 16, 16)
        assert torch.equal(crop[:, ::2, ::2], lr)
