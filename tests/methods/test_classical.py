import torch

from bench import registry
from bench.authoring.toy import toy
from bench.composition import build
from bench.config import load
from bench.mri.resample import sinc, sinc_magnitude

registry.discover()
SETTINGS = load("smoke")


def test_cg_sense_takes_a_candidate_and_its_plain_form_is_the_papers():
    acquisition, target = toy((48, 40))
    model = build(registry.methods()["cg-sense"], SETTINGS)
    plain = {"weight": 0.0, "iterations": 40}
    assert plain in model.grid()
    model.configure(**plain)
    assert torch.equal(model(acquisition), build(registry.methods()["cg-sense-plain"], SETTINGS)(acquisition))
    errors = []
    for iterations in (1, 5, 30):
        model.configure(weight=0.0, iterations=iterations)
        errors.append((model(acquisition) - target.image_lr).abs().square().mean())
    assert errors[0] > errors[1] > errors[2]


def test_the_oracle_gives_the_truth():
    acquisition, target = toy((48, 40))
    assert torch.equal(build(registry.methods()["oracle"], SETTINGS)(acquisition, target), target.image_lr)


def test_sinc_is_zero_padding():
    magnitude = torch.rand(2, 24, 20)
    assert torch.equal(build(registry.methods()["sinc"], SETTINGS)(magnitude), sinc(magnitude, (48, 40)).abs())


def test_bicubic_keeps_a_linear_ramp():
    ramp = torch.arange(20.0).expand(1, 24, 20)
    image = build(registry.methods()["bicubic"], SETTINGS)(ramp)
    assert torch.allclose(image[0, 0, 4:-6], torch.arange(40)[4:-6] / 2, atol=1e-5)


def test_rrdb_starts_as_sinc_with_the_image_skip():
    magnitude = torch.rand(2, 24, 20)
    made = build(registry.methods()["rrdb"], SETTINGS)
    assert torch.equal(made(magnitude), sinc_magnitude(magnitude))
