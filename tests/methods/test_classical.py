import torch

from bench import registry
from bench.authoring.toy import toy
from bench.composition import build
from bench.config import load
from bench.mri.resample import sinc

registry.discover()
SETTINGS = load("smoke")


def test_cg_sense_starts_as_the_papers_and_takes_a_candidate():
    acquisition, target = toy((48, 40))
    model = build(registry.methods()["cg-sense"], SETTINGS)
    assert model.grid()[0] == {"weight": 0.0, "iterations": 40}
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


def test_rrdb_starts_as_bicubic_with_the_image_skip():
    magnitude = torch.rand(2, 24, 20)
    made = {id: build(registry.methods()[id], SETTINGS) for id in ("rrdb", "bicubic")}
    assert torch.allclose(made["rrdb"](magnitude), made["bicubic"](magnitude))
