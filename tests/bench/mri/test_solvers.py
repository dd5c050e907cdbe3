import numpy as np
import pytest
import sigpy.mri
import torch

from bench.mri.sense import Sense
from bench.mri.solvers import conjugate_gradient, regularised_inverse


@pytest.fixture
def problem(scan, random):
    maps, image, _ = scan
    mask = random(64, 48).real > 0.3
    mask[28:36, 20:28] = True
    operator = Sense(maps[None].repeat(2, 1, 1, 1), torch.stack([mask, torch.ones_like(mask)]))
    truth = torch.stack([image, 2 * image]).to(torch.complex64)
    return operator, truth, operator.adjoint(operator.forward(truth))


def test_fully_sampled_it_returns_the_truth(problem):
    operator, truth, rhs = problem
    x = conjugate_gradient(operator.normal, rhs, 5)
    assert torch.allclose(x[1], truth[1], atol=1e-4)


def test_samples_of_a_batch_do_not_see_each_other(problem):
    operator, _, rhs = problem
    together = conjugate_gradient(operator.normal, rhs, 8)
    alone = conjugate_gradient(Sense(operator.maps[:1], operator.mask[:1]).normal, rhs[:1], 8)
    assert torch.allclose(together[:1], alone, atol=1e-5)


def test_it_agrees_with_sigpys_sense_reconstruction(problem):
    operator, truth, rhs = problem
    kspace = operator.forward(truth)[0].numpy()
    reference = sigpy.mri.app.SenseRecon(
        kspace, operator.maps[0].numpy(), lamda=0.01, weights=operator.mask[0].numpy().astype(np.float32),
        max_iter=20, show_pbar=False,
    ).run()  # fmt: skip
    x = conjugate_gradient(lambda v: operator.normal(v) + 0.01 * v, rhs, 20)[0]
    assert np.abs(x.numpy() - reference).max() < 1e-3 * np.abs(reference).max()


def test_a_zero_right_hand_side_stays_zero(problem):
    operator, _, rhs = problem
    assert torch.equal(conjugate_gradient(operator.normal, 0 * rhs, 3), 0 * rhs)


def test_the_tolerance_stops_it(problem):
    operator, _, rhs = problem
    calls = []
    conjugate_gradient(lambda v: calls.append(1) or operator.normal(v) + v, rhs, 100, tolerance=1e-3)
    assert len(calls) < 20


def test_the_implicit_gradient_is_that_of_unrolled_iterations_at_convergence(problem, random):
    operator, _, rhs = problem
    rhs = rhs[:1].to(torch.complex128)
    operator = Sense(operator.maps[:1].to(torch.complex128), operator.mask[:1])
    direction = random(1, 64, 48, dtype=torch.complex128)
    gradients = []
    for implicit in (True, False):
        b, weight = rhs.clone().requires_grad_(), torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
        if implicit:
            x = regularised_inverse(operator.normal, b, weight, 30)
        else:
            x = conjugate_gradient(lambda v, w=weight: operator.normal(v) + w * v, b, 30)
        loss = (x.conj() * direction).real.sum() + x.abs().square().sum()
        gradients.append(torch.autograd.grad(loss, (b, weight)))
    for one, other in zip(*gradients, strict=True):
        assert torch.allclose(one, other, rtol=1e-6, atol=1e-8)
