import dataclasses

import pytest
import torch

from bench import config, registry
from bench.authoring.toy import toy
from bench.composition import Composition, Half, build
from bench.data.prepare import open_split
from bench.errors import UserError
from bench.method import Phase
from bench.run.methods import select, stages_of
from bench.store.layout import StageFolder
from bench.together import together
from bench.train.adversarial import critic_images
from bench.train.loop import Trainer
from bench.train.samples import Samples
from bench.train.stage import StageJob, _initialised

registry.discover()
SETTINGS = config.load("smoke", ["training.iterations=6", "training.validate_every=3"])


def make(id, settings=SETTINGS):
    torch.manual_seed(0)
    return build(registry.method(id), settings)


def job(id, folder, phantom):
    plugin = registry.method(id.split("+")[-1])
    splits = (open_split(phantom, split) for split in ("train", "validation"))
    return StageJob(id, plugin.id, "", None, StageFolder(folder), SETTINGS, 0, 0, *splits, "cpu", 1, (), {})


def test_the_loss_on_the_hr_image_reaches_the_reconstructor_and_its_own_stands_beside_it():
    acquisition, target = toy((48, 40))
    model = make("dl-espirit~rrdb")
    (phase,) = model.phases()
    output = model.forward_training(acquisition, target, phase)
    losses = model.losses(phase, acquisition, output, target)
    assert set(losses) == {"pixel", "lr-reconstruction"}
    losses["pixel"].backward()
    assert all(net.last.weight.grad.abs().sum() > 0 for net in model.reconstructor.networks)


def test_the_reconstructor_runs_as_in_its_own_last_phase():
    acquisition, target = toy((48, 40))
    model = make("modl~medsrgan").eval()
    assert [phase.name for phase in model.phases()] == ["pixel", "adversarial"]
    for phase in model.phases():
        image_lr = model.forward_training(acquisition, target, phase).image_lr
        assert torch.equal(image_lr, model.reconstructor(acquisition))  # in full K


def test_the_critic_sees_the_lr_image_without_its_gradient():
    acquisition, target = toy((48, 40))
    half = Half(registry.method("modl~medsrgan"), make("modl~medsrgan"))
    composition, phase = Composition((half,)), half.network.phases()[-1]
    output = composition.train_step(phase, acquisition, target)
    seen = composition.seen_by_critic(acquisition, output)
    assert output.image_lr.requires_grad
    assert torch.equal(seen, output.image_lr)
    assert not critic_images(phase, output.image, seen, target)[2].requires_grad


def test_halves_start_and_slices_are_drawn_as_in_the_stages_of_the_sequence(phantom, tmp_path):
    pair = _initialised(job("modl~rrdb", tmp_path, phantom), registry.method("modl~rrdb"))
    for half, stage, plugin in zip(pair.halves, ("modl", "modl+rrdb"), ("modl", "rrdb"), strict=True):
        alone = _initialised(job(stage, tmp_path, phantom), registry.method(plugin))
        for ours, theirs in zip(half.parameters(), alone.parameters(), strict=True):
            assert torch.equal(ours, theirs)
    drawn = {}
    for id in ("modl", "modl~rrdb"):
        samples = Samples(open_split(phantom, "train")), Samples(open_split(phantom, "validation"))
        drawn[id] = seen = []
        composition = Composition((Half(registry.method(id), make(id)),))
        trainer = Trainer(composition, id, SETTINGS.training, 0, StageFolder(tmp_path / id.replace("~", "-")), "cpu")
        trainer.folder.path.mkdir()
        step = composition.train_step

        def spy(phase, acquisition, target, given=None, step=step, seen=seen):
            seen.append(acquisition.zero_filled.clone())
            return step(phase, acquisition, target, given)

        object.__setattr__(composition, "train_step", spy)
        trainer.run(*samples, lambda *_: None)
    assert len(drawn["modl"]) == 6
    assert all(torch.equal(a, b) for a, b in zip(*drawn.values(), strict=True))


def test_each_half_has_its_own_optimiser_and_clip(phantom, tmp_path):
    composition = Composition((Half(registry.method("modl~rrdb"), make("modl~rrdb")),))
    trainer = Trainer(composition, "modl~rrdb", SETTINGS.training, 0, StageFolder(tmp_path), "cpu")
    factors = [[group.get("rate_factor", 1.0) for group in optimiser.param_groups] for optimiser in trainer.optimisers]
    assert factors == [[1.0, 10.0], [1.0]]
    assert trainer.parts == list(composition.last.halves)


def test_its_settings_are_those_of_its_halves():
    settings = config.load(
        "smoke", ["methods.modl.unrolls=4", "methods.rrdb.blocks=2", "methods.modl~rrdb.learning_rate=2e-3"]
    )
    model = make("modl~rrdb", settings)
    assert (model.reconstructor.unrolls, len(model.super_resolver.trunk)) == (4, 2)
    assert settings.training_of("modl~rrdb", registry.method("modl~rrdb")).learning_rate == 2e-3
    assert settings.training_of("modl", registry.method("modl")).learning_rate == settings.training.learning_rate
    sequence = config.load("smoke", ["methods.modl+rrdb.learning_rate=5e-4"])
    assert sequence.training_of("modl+rrdb", registry.method("rrdb")).learning_rate == 5e-4
    assert sequence.training_of("oracle+rrdb", registry.method("rrdb")).learning_rate == settings.training.learning_rate
    for wrong, said in (
        ("modl~rrdb.width=3", "Unknown setting"),
        ("cg-sense~rrdb.learning_rate=1e-3", "does not learn"),
    ):
        with pytest.raises(UserError, match=said):
            config.load("smoke", [f"methods.{wrong}"])


def test_the_rate_of_its_discriminator_is_said_of_the_pair():
    plain, slower = (
        make("modl~bebygan", config.load("smoke", ["training.perceptual_weight=0", *own]))
        for own in ([], ["methods.modl~bebygan.critic_rate=0.25"])
    )
    assert [phase.critic_lr for phase in plain.phases()][-1] == 1.0
    assert [phase.critic_lr for phase in slower.phases()][-1] == 0.25
    assert key("modl~bebygan") == key("modl~bebygan", "methods.modl+bebygan.learning_rate=2e-3")
    assert key("modl~bebygan") != key("modl~bebygan", "methods.modl~bebygan.critic_rate=0.25")
    for wrong, said in (("bebygan.critic_rate=0", "above 0"), ("rrdb.critic_rate=0.5", "Unknown setting")):
        with pytest.raises(UserError, match=said):
            config.load("smoke", [f"methods.modl~{wrong}"])


def key(id, *overrides):
    settings = config.load("smoke", list(overrides))
    return stages_of(select(id, settings), settings, 0, 0, lambda: "data")[id].key


def test_its_key_holds_what_its_halves_are(monkeypatch):
    before = key("modl~rrdb")
    assert key("modl~rrdb", "methods.modl.unrolls=4") != before
    assert key("modl~rrdb", "methods.rrdb.blocks=2") != before
    assert key("modl~rrdb", "methods.dl-espirit.unrolls=4") == before
    monkeypatch.setattr(registry.method("modl").cls, "version", 99)
    assert key("modl~rrdb") != before


def test_weights_made_elsewhere_cannot_stand_for_a_half(tmp_path):
    (tmp_path / "w.pt").write_bytes(b"")
    with pytest.raises(UserError, match=r"'modl~rrdb' needs 'modl' as it is trained here"):
        key("modl~rrdb", f"methods.modl.weights={tmp_path / 'w.pt'}")


def test_an_adversarial_term_of_the_reconstructors_own_is_left_out():
    modl = registry.method("modl").cls

    class Adversarial(modl):
        def phases(self):
            return (Phase("only", 1.0, gan="vanilla", gan_weight=1.0),)

    rrdb = registry.method("rrdb").cls
    kind = together(("adversarial", "rrdb"), (Adversarial, rrdb))
    settings = kind.Settings(
        reconstructor=SETTINGS.of(registry.method("modl")), super_resolver=SETTINGS.of(registry.method("rrdb"))
    )
    model = kind(settings)
    assert [phase.gan for phase in model.phases()] == ["none"]
    assert dataclasses.fields(settings)
