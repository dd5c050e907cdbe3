import torch

from bench.nn.equilibrium import fixed_point


def test_a_contraction_reaches_its_fixed_point():
    x, residual = fixed_point(lambda x: 0.5 * x + 1, torch.zeros(2, 3), 40)
    assert torch.allclose(x, torch.full((2, 3), 2.0))
    assert residual.max() < 1e-6


def test_the_residual_is_the_relative_change_of_the_last_iteration():
    _, residual = fixed_point(lambda x: 0.5 * x + 1, torch.zeros(1, 3), 2)  # 0, 1, 1.5
    assert torch.allclose(residual, torch.tensor([0.5 / 1.5]))


def test_in_bf16_the_weights_of_the_last_application_get_their_gradient():
    """Cast once without gradient, they would be taken from autocast's cache and get none (PyTorch issue 112583)."""
    conv = torch.nn.Conv2d(1, 1, 1)
    with torch.autocast("cpu", torch.bfloat16):
        x, _ = fixed_point(lambda x: conv(x).float(), torch.ones(1, 1, 4, 4), 3)
    x.sum().backward()
    assert conv.weight.grad is not None
    assert conv.weight.grad.abs() > 0


def test_the_gradient_is_that_of_one_step_from_the_detached_point():
    weight = torch.tensor(0.7, requires_grad=True)
    x, _ = fixed_point(lambda x: weight * x + 1, torch.zeros(1, 1), 5)
    (gradient,) = torch.autograd.grad(x.sum(), weight)
    before, _ = fixed_point(lambda x: 0.7 * x + 1, torch.zeros(1, 1), 4)
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
