"""The plain versions are right: else they are nothing to measure against."""

import pytest
import torch

from bench import registry
from bench.authoring.toy import toy
from bench.mri.coils import espirit_maps
from bench.mri.fourier import fft2c
from bench.mri.sense import Sense
from bench.mri.solvers import conjugate_gradient, regularised_inverse
from bench.nn.equilibrium import fixed_point
from bench.speed import plain


@pytest.fixture
def operator():
    acquisition, _ = toy((48, 40), batch=1, coils=4)
    return Sense(acquisition.maps_lr, acquisition.mask)


def test_conjugate_gradients(operator):
    rhs = operator.normal(torch.randn(1, 24, 20, dtype=torch.complex64))
    found = plain.conjugate_gradient(lambda x: plain.normal(operator, x), rhs, 8)
    assert torch.allclose(found, conjugate_gradient(operator.normal, rhs, 8), atol=1e-4)


def test_the_inverse_and_its_gradient(operator):
    rhs = torch.randn(1, 24, 20, dtype=torch.complex64)
    gradients = []
    for solve in (plain.inverse, regularised_inverse):
        weight = torch.tensor(0.5, requires_grad=True)
        solve(operator.normal, rhs, weight, 30, 0.0).abs().square().sum().backward()
        gradients.append(weight.grad)
    assert gradients[0] == pytest.approx(gradients[1].item(), rel=1e-3)


def test_maps_up_to_phase():
    acquisition, target = toy((48, 40), batch=1, coils=4, full=True)
    kspace = fft2c(acquisition.maps_hr * target.image_hr[:, None])[0]
    ours, theirs = espirit_maps(kspace), plain.espirit_maps(kspace)
    both = (ours.abs().sum(0) > 0) & (theirs.abs().sum(0) > 0)
    assert both.float().mean() > 0.9
    assert (ours.conj() * theirs).sum(0).abs()[both].mean() > 0.999


def test_an_equilibrium():
    start = torch.zeros(2, 3, dtype=torch.complex64)
    ours, theirs = (way(lambda x: 0.5 * x + 1, start, 7)[0] for way in (fixed_point, plain.unrolled))
    assert torch.equal(ours, theirs)


def test_the_search_of_t2net():
    registry.discover()
    import sys

    transfer = sys.modules[registry.method("t2net").module].transfer
    query, key = torch.randn(2, 1, 4, 9, 8).unbind()
    for ours, theirs in zip(transfer(query, key), plain.transfer(query, key), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5)
