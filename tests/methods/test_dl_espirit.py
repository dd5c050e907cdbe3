import torch

from bench import registry
from bench.authoring.toy import toy
from bench.composition import build, count
from bench.config import load
from bench.mri.sense import Sense

registry.discover()


def make(*overrides, profile="smoke"):
    torch.manual_seed(0)
    return build(registry.methods()["dl-espirit"], load(profile, overrides))


def test_an_unroll_has_the_published_parameters():
    model = make(profile="paper")
    assert [count(network) for network in model.networks] == [150_082] * 10
    assert model.steps.shape == (10,)


def test_untrained_it_is_gradient_descent():
    acquisition, _ = toy((48, 40))
    operator = Sense(acquisition.maps_lr, acquisition.mask)
    x = acquisition.zero_filled
    for _ in range(2):
        x = x - 1.8 * (operator.normal(x) - acquisition.zero_filled)
    assert torch.allclose(make()(acquisition), x, atol=1e-5)


def test_an_unroll_wraps_around_along_phase_encoding_axes_only():
    """A circular shift of the image along a phase-encoding axis shifts the result."""
    network = make().networks[0]
    torch.nn.init.normal_(network.last.weight)
    image = torch.randn(1, 24, 20, dtype=torch.complex64)
    for axis, encoded in ((-1, (False, True)), (-2, (True, False))):
        result = network(image, encoded)
        assert result.shape == image.shape
        shifted = network(image.roll(5, axis), encoded).roll(-5, axis)
        assert torch.allclose(shifted, result, atol=1e-4)
        other = -1 if axis == -2 else -2
        assert not torch.allclose(network(image.roll(5, other), encoded).roll(-5, other), result, atol=1e-2)


def test_steps_and_networks_are_trained():
    acquisition, target = toy((48, 40))
    model = make()
    (model(acquisition) - target.image_lr).abs().sum().backward()
    assert (model.steps.grad != 0).all()
    assert all(network.last.weight.grad.abs().sum() > 0 for network in model.networks)
