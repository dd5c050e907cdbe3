import torch

from bench.nn.equilibrium import fixed_point, residual


def test_a_contraction_reaches_its_fixed_point():
    x = fixed_point(lambda x: 0.5 * x + 1, torch.zeros(2, 3), 40)
    assert torch.allclose(x, torch.full((2, 3), 2.0))
    assert residual(lambda x: 0.5 * x + 1, x).max() < 1e-6


def test_the_gradient_is_that_of_one_step_from_the_detached_point():
    weight = torch.tensor(0.7, requires_grad=True)
    x = fixed_point(lambda x: weight * x + 1, torch.zeros(1, 1), 5)
    (gradient,) = torch.autograd.grad(x.sum(), weight)
    before = fixed_point(lambda x: 0.7 * x + 1, torch.zeros(1, 1), 4)
    assert torch.isclose(gradient, before.sum())


def test_the_graph_does_not_grow_with_the_iterations():
    weight = torch.tensor(0.7, requires_grad=True)
    saved = []
    for iterations in (2, 50):
        kept = []
        with torch.autograd.graph.saved_tensors_hooks(lambda t, kept=kept: kept.append(t.numel()) or t, lambda t: t):
            fixed_point(lambda x: (weight * x).tanh(), torch.ones(1, 9), iterations)
        saved.append(sum(kept))
    assert saved[0] == saved[1]
