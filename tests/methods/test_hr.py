import dataclasses

import pytest
import torch

from bench import config, registry
from bench.authoring.toy import toy
from bench.composition import build, count, skeleton
from bench.data.prepare import open_split
from bench.run.methods import select, stages_of
from bench.store.layout import StageFolder
from bench.store.records import StageRecord
from bench.train.samples import Samples
from bench.train.stage import StageJob, make_stage

registry.discover()
SETTINGS = config.load("smoke")


def make(id, *overrides):
    torch.manual_seed(0)
    return build(registry.method(id), config.load("smoke", overrides))


@pytest.mark.parametrize(("id", "expected"), [("hr-unrolled", 208_205), ("hr-refined", 380_803)])
def test_at_laptop_size_it_has_the_published_trials_parameters(id, expected):
    assert count(skeleton(registry.method(id), config.load("laptop"))[0]) == expected


def test_untrained_and_fully_sampled_the_unrolled_network_gives_the_low_passed_truth():
    acquisition, target = toy((48, 40), full=True)
    truth = target.image_hr.abs()
    for unrolls in (1, 12):
        image = make("hr-unrolled", "network.step_size=1.0", f"methods.hr-unrolled.unrolls={unrolls}")(
            acquisition
        ).image
        assert (image - truth).abs().mean() < 0.06 * truth.mean()


def test_outside_of_the_maps_it_gives_nothing():
    acquisition, _ = toy((48, 40))
    maps = acquisition.maps_hr.clone()
    maps[..., :10] = 0
    image = make("hr-unrolled")(dataclasses.replace(acquisition, maps_hr=maps)).image
    assert not image[..., :10].any()
    assert image[..., 10:].any()


def test_the_refinement_answers_to_the_measured_kspace():
    """A wrong super-resolved image is drawn back to the data, whatever the halves gave."""
    acquisition, target = toy((48, 40), full=True)
    model = make("hr-refined", "methods.hr-refined.cascades=8").eval()
    truth = target.image_hr
    refined = model.refinement(0.5 * truth, acquisition)
    assert (refined - truth).abs().mean() < 0.2 * (0.5 * truth).abs().mean()


def test_the_losses_of_the_refined_image_reach_both_halves():
    acquisition, target = toy((48, 40))
    model = make("hr-refined")
    output = model(acquisition)
    model.losses(model.phases()[0], acquisition, output, target)["pixel"].backward()
    assert model.reconstructor.networks[0].last.weight.grad.abs().sum() > 0
    assert model.super_resolver.tail.last.weight.grad.abs().sum() > 0


def test_frozen_the_halves_are_those_of_the_finished_sequence(phantom, tmp_path):
    settings = config.load("smoke", ["training.iterations=4", "training.validate_every=2"])
    stages = stages_of(select("hr-refined-frozen", settings), settings, 0, 0, lambda: "data")
    assert list(stages) == ["dl-espirit", "dl-espirit+rrdb", "hr-refined-frozen"]
    assert stages["hr-refined-frozen"].needs == ("dl-espirit", "dl-espirit+rrdb")
    splits = [open_split(phantom, split) for split in ("train", "validation")]
    places = {}
    for id, frozen in (
        ("dl-espirit", {}),
        ("rrdb", {}),
        ("hr-refined-frozen", {"reconstructor": "dl-espirit", "super_resolver": "rrdb"}),
    ):
        places[id] = StageFolder(tmp_path / id)
        places[id].path.mkdir()
        given = {name: places[need] for name, need in frozen.items()}
        slices = Samples(splits[0]).slices, splits[1]
        job = StageJob(id, id, "", None, places[id], settings, 0, 0, *slices, "cpu", 1, (), {}, given)
        if id == "rrdb":
            _write_untrained(job, settings)
        else:
            make_stage(job, lambda *_: None)
    record = StageRecord.read(places["hr-refined-frozen"].record)
    assert record.parameters == count(skeleton(registry.method("hr-refined-frozen"), settings)[0])
    from safetensors.torch import load_file

    ours = load_file(places["hr-refined-frozen"].weights)
    for name, need in (("reconstructor", "dl-espirit"), ("super_resolver", "rrdb")):
        for key, value in load_file(places[need].weights).items():
            assert torch.equal(ours[f"{name}.{key}"], value), key
    assert ours["refinement.networks.0.last.weight"].any()


def _write_untrained(job, settings):
    """A super-resolver's stage without an upstream of its own."""
    from bench.train.weights import save_weights

    network = build(registry.method("rrdb"), settings)
    sha256 = save_weights(job.folder.weights, network.state_dict())
    StageRecord(
        id="rrdb", plugin="rrdb", key="", seed=0, fold=0, parameters=count(network), validation={}, settings={},
        provenance={}, weights_sha256=sha256,
    ).write(job.folder.record)  # fmt: skip
