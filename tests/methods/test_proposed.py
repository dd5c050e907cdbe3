import torch

from bench import registry
from bench.authoring.toy import toy
from bench.composition import build, count
from bench.config import load
from bench.mri.sense import Sense

registry.discover()
SETTINGS = load("smoke")


def make(id, settings=SETTINGS):
    torch.manual_seed(0)
    return build(registry.methods()[id], settings)


def part(name):
    return getattr(make("proposed"), name)


def test_untrained_the_reconstruction_is_plain_gradient_descent():
    acquisition, _ = toy((48, 40))
    operator = Sense(acquisition.maps_lr, acquisition.mask)
    x = acquisition.zero_filled
    for _ in range(3):
        x = x - 1.8 * (operator.normal(x) - acquisition.zero_filled)
    assert torch.allclose(part("reconstruction")(operator, acquisition.zero_filled)[0], x, atol=1e-5)


def test_fully_sampled_one_step_of_size_one_is_the_truth():
    acquisition, target = toy((48, 40))
    full = Sense(acquisition.maps_lr, torch.ones_like(acquisition.mask))
    rhs = full.adjoint(full.forward(target.image_lr))
    reconstruction = make(
        "proposed", load("smoke", ["network.step_size=1.0", "methods.proposed.equilibrium_iterations=1"])
    ).reconstruction
    assert torch.allclose(reconstruction(full, rhs)[0], target.image_lr, atol=1e-5)


def test_untrained_the_modulation_changes_nothing():
    acquisition, _ = toy((48, 40))
    network = part("super_resolution")
    condition = torch.randn(2, 64, 24, 20)
    image = acquisition.zero_filled
    assert torch.equal(network(image, image, 2 * condition), network(image, image, condition))
    torch.nn.init.normal_(network.modulations[0].scale[-1].weight)
    torch.nn.init.normal_(network.tail.last.weight)
    assert not torch.equal(network(image, image, 2 * condition), network(image, image, condition))


def test_the_super_resolution_losses_reach_the_reconstruction():
    """Through the condition: this is what makes the training joint."""
    acquisition, target = toy((48, 40))
    model = make("proposed", load("smoke", ["network.image_skip=false"]))
    for sft in model.super_resolution.modulations:
        torch.nn.init.normal_(sft.scale[-1].weight, std=0.1)
    output = model(acquisition)
    (output.image - target.image_hr.abs()).abs().mean().backward()
    assert model.reconstruction.last.weight.grad.abs().sum() > 0
    assert model.reconstruction.step_logit.grad.abs() > 0


def test_with_a_magnitude_the_super_resolver_sees_no_phase():
    acquisition, _ = toy((48, 40))
    for setting, same in (("false", True), ("true", False)):
        model = make("proposed", load("smoke", [f"methods.proposed.complex_input={setting}"]))
        torch.nn.init.normal_(model.super_resolution.tail.last.weight)
        image, turned = acquisition.zero_filled, acquisition.zero_filled * torch.exp(torch.tensor(0.7j))
        results = [model.super_resolution(x, x, model.conditioner(x)) for x in (image, turned)]
        assert torch.allclose(*results, atol=1e-4) == same


def test_no_gradient_passes_through_the_skip_into_the_reconstruction():
    acquisition, target = toy((48, 40))
    model = make("proposed")  # whose last convolution is zero, so that the skip is all there is
    (model(acquisition).image - target.image_hr.abs()).abs().mean().backward()
    assert model.reconstruction.last.weight.grad is None or not model.reconstruction.last.weight.grad.any()


def test_the_loss_on_the_hr_image_reaches_the_reconstruction_through_the_condition():
    acquisition, target = toy((48, 40))
    for id in ("proposed-l1", "proposed"):
        model = make(id)
        for sft in model.super_resolution.modulations:
            torch.nn.init.normal_(sft.scale[-1].weight, std=0.1)
        torch.nn.init.normal_(model.super_resolution.tail.last.weight)
        (model(acquisition).image - target.image_hr.abs()).abs().mean().backward()
        assert model.reconstruction.last.weight.grad.any()


def test_the_twin_is_the_same_network_without_the_adversary():
    ours, twin = make("proposed"), make("proposed-l1")
    assert {n: p.shape for n, p in ours.named_parameters()} == {n: p.shape for n, p in twin.named_parameters()}
    assert twin.discriminator() is None
    assert twin.assets() == ()
    assert all(phase.gan == "none" for phase in twin.phases())


def test_in_bf16_the_proximal_network_gets_a_gradient():
    acquisition, target = toy((48, 40))
    model = make("proposed-l1")
    with torch.autocast("cpu", torch.bfloat16):
        output = model(acquisition)
        loss = model.losses(model.phases()[0], acquisition, output, target)["reconstruction"]
    loss.backward()
    assert model.reconstruction.last.weight.grad.abs().sum() > 0


def test_the_losses_are_those_of_equation_12():
    acquisition, target = toy((48, 40))
    model = make("proposed")
    output = model(acquisition)
    pixel, adversarial = model.phases()
    first, second = (model.losses(p, acquisition, output, target) for p in (pixel, adversarial))
    assert set(first) == {"pixel", "reconstruction"}
    assert torch.isclose(second["pixel"], SETTINGS.training.pixel_weight * first["pixel"])
    assert torch.equal(second["reconstruction"], first["reconstruction"])
    assert adversarial.gan_weight == 5e-3
    paper = load("paper").training
    assert (paper.pixel_weight, paper.perceptual_weight) == (0.01, 1.0)


def test_the_papers_super_resolver_has_its_size():
    with torch.device("meta"):
        model = build(registry.methods()["proposed"], load("paper"))
    rrdbs = sum(count(block) for block in model.super_resolution.trunk)
    assert rrdbs == 23 * 725_568
    assert sum(count(block) for block in model.reconstruction.blocks) == 719_424
