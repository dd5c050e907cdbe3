import torch

from bench import registry
from bench.authoring.toy import toy
from bench.composition import build, count
from bench.config import load
from bench.mri.sense import Sense
from bench.mri.solvers import conjugate_gradient

registry.discover()


def make(*overrides, profile="smoke"):
    torch.manual_seed(0)
    return build(registry.methods()["modl"], load(profile, overrides))


def test_it_has_the_published_parameters():
    assert count(make(profile="paper")) == 113_413


def test_the_weight_starts_as_published():
    assert torch.isclose(make().weight_log.exp(), torch.tensor(0.05))


def test_the_weights_rate_is_ten_times_that_of_the_rest():
    model = make()
    groups = model.optimiser(model.parameters()).param_groups
    assert [(len(g["params"]), g.get("rate_factor", 1)) for g in groups] == [
        (len(list(model.parameters())) - 1, 1),
        (1, 10),
    ]
    assert groups[1]["params"][0] is model.weight_log


def test_untrained_it_is_iterated_tikhonov():
    acquisition, _ = toy((48, 40))
    operator = Sense(acquisition.maps_lr, acquisition.mask)
    model = make("methods.modl.cg_iterations=30").eval()
    x = acquisition.zero_filled
    for _ in range(2):
        x = conjugate_gradient(lambda v: operator.normal(v) + 0.05 * v, acquisition.zero_filled + 0.05 * x, 30, 1e-5)
    assert torch.allclose(model(acquisition), x, atol=1e-4)


def test_fully_sampled_it_returns_the_truth():
    acquisition, target = toy((48, 40))
    full = torch.ones_like(acquisition.mask)
    operator = Sense(acquisition.maps_lr, full)
    whole = type(acquisition)(**{**vars(acquisition), "mask": full, "zero_filled": operator.normal(target.image_lr)})
    model = make("methods.modl.cg_iterations=30").eval()
    assert torch.allclose(model(whole), target.image_lr, atol=1e-4)


def test_the_first_phase_unrolls_once():
    model = make()
    acquisition, target = toy((48, 40))
    one, unrolled = model.phases()
    assert [one.name, unrolled.name] == ["one", "unrolled"]
    model.eval()
    whole = model(acquisition)
    assert torch.equal(model.forward_training(acquisition, target, unrolled), whole)
    model.unrolls = 1
    assert torch.equal(model.forward_training(acquisition, target, one), model(acquisition))
    assert not torch.equal(model(acquisition), whole)
