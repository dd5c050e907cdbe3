import torch

from bench import registry
from bench.authoring.check import toy
from bench.config import load
from bench.mri.sense import Sense
from bench.mri.solvers import conjugate_gradient
from bench.run.methods import count

registry.discover()


def make(*overrides, profile="smoke"):
    torch.manual_seed(0)
    return registry.methods()["modl"].make(load(profile, overrides))


def test_it_has_the_published_parameters():
    assert count(make(profile="paper")) == 113_413


def test_the_weight_starts_as_published():
    assert torch.isclose(torch.nn.functional.softplus(make().weight_raw), torch.tensor(0.05))


def test_untrained_it_is_iterated_tikhonov():
    acquisition, _ = toy((48, 40))
    operator = Sense(acquisition.maps_lr, acquisition.mask)
    model = make("network.cg_iterations=30").eval()
    x = acquisition.zero_filled
    for _ in range(2):
        x = conjugate_gradient(lambda v: operator.normal(v) + 0.05 * v, acquisition.zero_filled + 0.05 * x, 30, 1e-5)
    assert torch.allclose(model(acquisition), x, atol=1e-4)


def test_fully_sampled_it_returns_the_truth():
    acquisition, target = toy((48, 40))
    full = torch.ones_like(acquisition.mask)
    operator = Sense(acquisition.maps_lr, full)
    whole = type(acquisition)(**{**vars(acquisition), "mask": full, "zero_filled": operator.normal(target.image_lr)})
    model = make("network.cg_iterations=30").eval()
    assert torch.allclose(model(whole), target.image_lr, atol=1e-4)


def test_the_first_phase_unrolls_once():
    model = make()
    model.on_phase("one")
    assert model.unrolls == 1
    model.on_phase("unrolled")
    assert model.unrolls == 2
    assert [phase.name for phase in model.phases()] == ["one", "unrolled"]
