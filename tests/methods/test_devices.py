"""On a GPU nothing of a method stays on the CPU: shown without one, by tensors that have a device and no values."""

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode

from bench import config, registry
from bench.authoring.toy import toy
from bench.composition import Composition, Half, build
from bench.method import Trained
from bench.train.adversarial import adversarial_losses, critic_images, critic_loss

IDS = sorted(registry.methods())


def to_gpu(network):
    """As `network.to("cuda")`, which cannot swap such tensors."""
    for module in network.modules():
        for name, parameter in module._parameters.items():
            if parameter is not None:
                module._parameters[name] = nn.Parameter(parameter.detach().to("cuda"), parameter.requires_grad)
        for name, buffer in module._buffers.items():
            if buffer is not None:
                module._buffers[name] = buffer.to("cuda")
    return network


def on_gpu(output):
    tensors = [output] if isinstance(output, torch.Tensor) else [output.image, output.image_lr, output.residual]
    return {tensor.device.type for tensor in tensors if tensor is not None} == {"cuda"}


@pytest.fixture
def fake(monkeypatch):
    """No number can be read; where one is, as by a crop drawn at random, it is 0, and a condition is true."""
    for name, value in (("__int__", 0), ("__index__", 0), ("__float__", 0.0), ("__bool__", True)):
        monkeypatch.setattr(FakeTensor, name, lambda self, value=value: value, raising=False)
    with FakeTensorMode(allow_non_fake_inputs=True):
        yield


@pytest.fixture
def given(fake):
    return tuple(part.to("cuda") for part in toy((32, 32), 2, 4))


def test_a_tensor_that_stays_behind_is_found(fake):
    with pytest.raises(RuntimeError, match="devices"):
        torch.ones(2, device="cuda") + torch.ones(2)


@pytest.mark.parametrize("id", IDS)
def test_a_method_computes_on_the_device_of_its_input(id, given):
    acquisition, target = given
    plugin = registry.method(id)
    network = to_gpu(build(plugin, config.load("smoke")))
    if plugin.kind == "super_resolver":
        assert on_gpu(network(acquisition.zero_filled.abs()))
    else:
        assert on_gpu(network(acquisition, target) if plugin.bound else network(acquisition))


@pytest.mark.parametrize("id", [id for id in IDS if registry.method(id).trained])
def test_a_method_learns_on_the_device_of_its_input(id, given):
    acquisition, target = given
    plugin = registry.method(id)
    network = to_gpu(build(plugin, config.load("smoke")))
    assert isinstance(network, Trained)
    composition = Composition((Half(plugin, network),))
    for phase in network.phases():
        image_lr = acquisition.zero_filled if plugin.kind == "super_resolver" else None
        output = composition.train_step(phase, acquisition, target, image_lr)
        losses = network.losses(phase, acquisition, output, target)
        if phase.gan != "none":
            critic = to_gpu(network.discriminator())
            images = critic_images(phase, output.image, acquisition.zero_filled, target)
            losses = losses | adversarial_losses(critic, phase, *images)
            losses["critic"], _ = critic_loss(critic, phase, *images)
        assert losses
        assert {value.device.type for value in losses.values()} == {"cuda"}
