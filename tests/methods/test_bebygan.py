import pytest
import torch

from bench import registry
from bench.acquisition import Output
from bench.authoring.toy import toy
from bench.composition import build, count
from bench.config import load
from bench.methods.bebygan import RegionAware, best_buddy_loss, patches, textured

registry.discover()


def make(profile="smoke", overrides=()):
    torch.manual_seed(0)
    return build(registry.methods()["bebygan"], load(profile, overrides))


def test_the_best_buddy_loss_of_the_truth_is_zero():
    truth = torch.rand(2, 24, 36)
    assert best_buddy_loss(truth, truth) == 0
    assert best_buddy_loss(truth + 0.1, truth) > 0


def test_the_buddy_is_the_one_of_the_published_rule():
    """argmin over candidates of the squared distances to both patches, searched one by one."""
    torch.manual_seed(0)
    truth = torch.rand(1, 12, 12)
    image = truth + 0.3 * torch.randn(1, 12, 12)
    scaled = [
        torch.nn.functional.interpolate(truth[:, None], scale_factor=s, mode="bicubic")[:, 0] for s in (0.5, 0.25)
    ]
    candidates = torch.cat([patches(x) for x in (truth, *scaled)], 1)[0]
    total = 0.0
    for own, at_place in zip(patches(image)[0], patches(truth)[0], strict=True):
        cost = (candidates - own).square().sum(1) + (candidates - at_place).square().sum(1)
        total += float((own - candidates[cost.argmin()]).abs().sum())
    assert float(best_buddy_loss(image, truth)) == pytest.approx(total / image.numel(), rel=1e-5)


def test_the_gradient_of_the_best_buddy_loss_reaches_the_image():
    image = torch.rand(1, 24, 24, requires_grad=True)
    best_buddy_loss(image, torch.rand(1, 24, 24)).backward()
    assert image.grad.abs().sum() > 0


def test_flat_regions_are_hidden_from_the_discriminator():
    lr = torch.zeros(1, 32, 32)
    lr[:, :, 16:] = torch.rand(1, 32, 16)
    critic = RegionAware(8).eval()
    hr = torch.rand(1, 64, 64)
    changed = hr.clone()
    changed[:, :, :16] = 0
    assert torch.equal(critic(hr, lr)[0], critic(changed, lr)[0])
    changed[:, :, 40:] = 0
    assert not torch.equal(critic(hr, lr)[0], critic(changed, lr)[0])


def test_texture_is_the_unbiased_standard_deviation_in_a_window():
    torch.manual_seed(0)
    image = 0.5 + 0.025 * torch.randn(1, 21, 21)
    inside = image[0, 5:16, 5:16]
    assert bool(textured(image)[0, 10, 10]) is bool(inside.std() >= 0.025)
    assert not textured(torch.full((1, 21, 21), 0.7)).any()


def test_back_projection_of_the_truth_is_nearly_zero():
    acquisition, target = toy((48, 40))
    model = make()
    adversarial = model.phases()[1]
    truth, wrong = (
        model.losses(adversarial, acquisition, Output(image, target.image_lr), target)["back-projection"]
        for image in (target.image_hr.abs(), 0.5 * target.image_hr.abs())
    )
    assert truth < 0.1 * wrong


def test_it_has_the_published_generator_and_a_relativistic_discriminator():
    model = make("paper")
    assert sum(count(block) for block in model.trunk) == 23 * 719_424
    assert [phase.gan for phase in model.phases()] == ["relativistic"]
