import numpy as np
import pytest
import sigpy.mri
import torch

from bench.mri.resample import sinc
from bench.mri.sense import Sense

from .conftest import birdcage

TOLERANCE = {torch.complex64: 1e-5, torch.complex128: 1e-10}


@pytest.fixture
def operator(random):
    maps = torch.stack([birdcage(4, (18, 15)), birdcage(4, (18, 15)).conj()])
    return Sense(maps, random(2, 18, 15).real > 0)


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
def test_the_adjoint_passes_the_dot_test(operator, random, dtype):
    operator = Sense(operator.maps.to(dtype), operator.mask)
    x, y = random(2, 18, 15, dtype=dtype), random(2, 4, 18, 15, dtype=dtype)
    left = torch.vdot(operator.forward(x).flatten(), y.flatten())
    right = torch.vdot(x.flatten(), operator.adjoint(y).flatten())
    assert abs(left - right) / abs(left) < TOLERANCE[dtype]


def test_normal_is_forward_then_adjoint(operator, random):
    x = random(2, 18, 15)
    assert torch.allclose(operator.normal(x), operator.adjoint(operator.forward(x)), atol=1e-6)


@pytest.mark.parametrize("axis", [1, 2])
def test_normal_of_sampled_lines_is_forward_then_adjoint(operator, random, axis):
    lines = Sense(operator.maps, operator.mask.select(axis, 0).unsqueeze(axis).expand_as(operator.mask))
    x = random(2, 18, 15)
    assert torch.allclose(lines.normal(x), lines.adjoint(lines.forward(x)), atol=1e-6)


def test_normal_of_a_batch_beyond_the_cache_is_that_of_each_slice(operator, random, monkeypatch):
    x = random(2, 18, 15)
    whole = operator.normal(x)
    monkeypatch.setattr("bench.mri.sense.CACHE_BYTES", 1)
    assert torch.allclose(operator.normal(x), whole, atol=1e-7)


def test_maps_of_one_slice_serve_a_batch_beyond_the_cache(operator, random, monkeypatch):
    one, x = Sense(operator.maps[:1], operator.mask[:1]), random(2, 18, 15)
    whole = one.normal(x)
    monkeypatch.setattr("bench.mri.sense.CACHE_BYTES", 1)
    assert torch.allclose(one.normal(x), whole, atol=1e-7)


def test_normal_has_the_gradients_of_forward_then_adjoint(operator, random):
    """Of the image, also twice, and of maps where they are learned."""
    image, weights = random(2, 18, 15).requires_grad_(), random(2, 18, 15)
    maps = operator.maps.clone().requires_grad_()

    def gradients(normal):
        once = torch.autograd.grad((normal(image).conj() * weights).real.sum(), image, create_graph=True)[0]
        twice = torch.autograd.grad((normal(image).abs() ** 4).sum(), image, create_graph=True)[0].abs().square().sum()
        return once, torch.autograd.grad(twice, image)[0]

    plain = gradients(lambda x: operator.adjoint(operator.forward(x)))
    for ours, theirs in zip(gradients(operator.normal), plain, strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-4)
    learned = Sense(maps, operator.mask)
    (ours,) = torch.autograd.grad(learned.normal(weights).abs().square().sum(), maps)
    (theirs,) = torch.autograd.grad(learned.adjoint(learned.forward(weights)).abs().square().sum(), maps)
    assert ours.abs().max() > 0.1
    assert torch.allclose(ours, theirs, atol=1e-5)


def test_its_norm_is_at_most_one(operator, random):
    x = random(2, 18, 15)
    for _ in range(50):
        x = operator.normal(x)
        norm = torch.linalg.vector_norm(x, dim=(1, 2), keepdim=True)
        x = x / norm
    assert norm.max() <= 1.001


def test_fully_sampled_with_unit_norm_maps_it_is_the_identity(operator, random):
    full = Sense(operator.maps, torch.ones_like(operator.mask))
    x = random(2, 18, 15)
    assert torch.allclose(full.normal(x), x, atol=1e-5)


def test_it_agrees_with_sigpy(operator, random):
    x = random(2, 18, 15)
    reference = sigpy.mri.linop.Sense(operator.maps[0].numpy(), weights=operator.mask[0].numpy().astype(np.float32))
    np.testing.assert_allclose(operator.forward(x)[0].numpy(), reference(x[0].numpy()), atol=1e-6)


def test_high_resolution_data_pads_the_mask_with_zeros(random):
    """The HR operator with the LR mask padded sees twice the LR k-space, of an image that is band-limited."""
    from bench.mri.fourier import pad, to_high_resolution

    maps = torch.ones(1, 1, 16, 12, dtype=torch.complex64)
    mask = random(1, 8, 6).real > 0
    low = random(1, 8, 6)
    kspace_lr = Sense(maps[..., ::2, ::2], mask).forward(low)
    kspace_hr = Sense(maps, pad(mask, (16, 12))).forward(sinc(low, (16, 12)))
    assert torch.allclose(kspace_hr, to_high_resolution(kspace_lr, (16, 12)), atol=1e-5)
