"""Rounded float32 is what autocast to bfloat16 gives, forwards and backwards."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bench.train import precision
from bench.train.precision import Rounded, mixed

ULP = 2**-8  # of bfloat16, relative


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Conv2d(2, 8, 3, padding=1), nn.Conv2d(10, 8, 3, padding=1)
        self.norm, self.last = nn.BatchNorm2d(8), nn.Linear(8, 4)

    def forward(self, x):
        features = F.leaky_relu(self.first(x), 0.2)
        features = self.norm(self.second(torch.cat([x, features], 1)))
        attention = features.flatten(2).mT @ features.flatten(2)
        return self.last(features.mean((-2, -1))).float().sum() + 1e-3 * attention.float().abs().sum()


def loss_and_gradients(context):
    network, x = Network(), torch.randn(2, 2, 12, 10, generator=torch.Generator().manual_seed(1))
    with context:
        loss = network(x)
    loss.backward()
    return loss, [p.grad for p in network.parameters()]


def test_it_equals_autocast():
    loss, gradients = loss_and_gradients(Rounded())
    expected, their_gradients = loss_and_gradients(torch.autocast("cpu", torch.bfloat16))
    full, _ = loss_and_gradients(mixed("cpu", "fp32"))
    assert loss.item() == pytest.approx(expected.item(), rel=ULP)
    assert abs(loss - expected) < abs(full - expected)
    for ours, theirs in zip(gradients, their_gradients, strict=True):
        assert ours.dtype == torch.float32
        assert torch.linalg.norm(ours - theirs) < 4 * ULP * torch.linalg.norm(theirs) + 1e-6


@pytest.mark.parametrize("operation", [lambda a, b: a @ b, torch.matmul, lambda a, b: a.bmm(b), F.linear])
def test_products_are_of_rounded_numbers_and_rounded(operation):
    a, b = torch.randn(2, 3, 5, 5).unbind()
    b = b[0] if operation is F.linear else b
    with Rounded():
        ours = operation(a, b)
    with torch.autocast("cpu", torch.bfloat16):
        theirs = operation(a, b)
    assert ours.dtype == theirs.dtype == torch.bfloat16
    assert torch.allclose(ours.float(), theirs.float(), rtol=ULP, atol=1e-6)


def test_complex_numbers_and_wholes_are_left_alone():
    a = torch.randn(3, 3, dtype=torch.complex64)
    with Rounded():
        assert torch.equal(a @ a, torch.matmul(a, a))
        assert (a @ a).dtype == torch.complex64
        assert (torch.ones(2, 2, dtype=torch.int64) @ torch.ones(2, 2, dtype=torch.int64)).dtype == torch.int64


def test_hardware_is_used_where_it_is(monkeypatch):
    monkeypatch.setattr(precision, "cpu_has_bfloat16", lambda: True)
    assert isinstance(mixed("cpu", "bf16"), torch.autocast)
    monkeypatch.setattr(precision, "cpu_has_bfloat16", lambda: False)
    assert isinstance(mixed("cpu", "bf16"), Rounded)
    assert not isinstance(mixed("cpu", "fp32"), Rounded | torch.autocast)
