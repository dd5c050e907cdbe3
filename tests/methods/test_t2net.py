import pytest
import torch
from torch.nn import functional as F

from bench import registry
from bench.authoring.toy import toy
from bench.composition import build, count
from bench.config import load
from bench.methods import t2net

registry.discover()


def make(*overrides, profile="smoke"):
    torch.manual_seed(0)
    return build(registry.methods()["t2net"], load(profile, overrides))


def dense(query, key):
    """The published form: the whole correlation, its maximum, gathering, folding."""
    unfolded = [F.unfold(x, 3, padding=1) for x in (query, key)]
    q, k = (F.normalize(x, dim=1) for x in unfolded)
    relevance, index = (k.mT @ q).max(1)
    values = unfolded[1].gather(2, index[:, None].expand_as(unfolded[1]))
    return F.fold(values, query.shape[-2:], 3, padding=1) / 9, relevance[:, None].unflatten(-1, query.shape[-2:])


@pytest.mark.parametrize("chunk", [7, 1024])
def test_the_search_in_chunks_equals_the_dense_form(monkeypatch, chunk):
    monkeypatch.setattr(t2net, "SEARCHED_AT_ONCE", chunk)
    torch.manual_seed(0)
    inputs = [torch.randn(2, 4, 16, 16, requires_grad=True) for _ in range(2)]
    weights = torch.randn(2, 4, 16, 16)
    gradients = []
    for form in (t2net.transfer, dense):
        transferred, relevance = form(*inputs)
        total = (weights * transferred * relevance).sum()
        gradients.append((total.detach(), *torch.autograd.grad(total, inputs)))
    for ours, theirs in zip(*gradients, strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_it_has_the_published_parameters_less_the_unused():
    assert count(make(profile="paper")) == 1_473_282 - 73_856


def test_both_tasks_are_weighted():
    acquisition, target = toy((48, 40))
    model = make().eval()
    output = model(acquisition)
    losses = model.losses(model.phases()[0], acquisition, output, target)
    expected = 0.2 * (output.image_lr.real - target.image_lr.abs()).abs().mean()
    assert torch.isclose(losses["reconstruction"], expected)
    assert torch.isclose(losses["super-resolution"], 0.8 * (output.image - target.image_hr.abs()).abs().mean())


def test_in_training_nothing_is_added_outside_of_the_patch():
    acquisition, _ = toy((48, 40))
    model = make("training.crop=16").train()
    for tail in (model.branches.sr_tail[-1], model.branches.rec_tail):
        torch.nn.init.constant_(tail.bias, 1.0)
    plain = make().eval()(acquisition)  # untrained: the input, upsampled
    output = model(acquisition)
    assert int((output.image != plain.image).sum()) == 2 * 16 * 16
    assert int((output.image_lr != plain.image_lr).sum()) == 2 * 8 * 8
    assert (model.eval()(acquisition).image != plain.image).all()
