"""Every network at the size of the paper: one step of training."""

import math

import pytest
import torch

from bench import config, registry
from bench.composition import Composition, Half, build
from bench.data.dataset import Dataset
from bench.data.prepare import open_split, prepare
from bench.store.layout import StageFolder
from bench.train.loop import Trainer
from bench.train.samples import Samples

SETTINGS = config.load(
    "paper",
    [
        "training.iterations=1", "training.batch=1", "training.validate_every=1", "training.perceptual_weight=0",
        "data.slices=[1, 1, 1]",
    ],
)  # fmt: skip
registry.discover()
TRAINED = {id: plugin for id, plugin in registry.methods().items() if plugin.trained}


@pytest.fixture(scope="module")
def slices(cache):
    data = Dataset.of(registry.datasets()["vwi"].made_by(), "phantom", SETTINGS, 0, None)
    prepare(data, ["train", "validation"], 1, lambda *_: None)
    assert data.protocol.matrix == (336, 280)
    return open_split(data, "train"), open_split(data, "validation")


def zero_filled(slices):
    """What a super-resolver is fed here."""
    return slices.batch(list(range(len(slices))))[0].zero_filled


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("id", TRAINED)
def test_a_step_of_training_at_the_size_of_the_paper(id, slices, tmp_path):
    plugin = TRAINED[id]
    torch.manual_seed(0)
    parts = [Samples(s, dict(enumerate(zero_filled(s))) if plugin.kind == "super_resolver" else None) for s in slices]
    trainer = Trainer(
        Composition((Half(plugin, build(plugin, SETTINGS)),)), id, SETTINGS.training, 0, StageFolder(tmp_path), "cpu"
    )
    before = {name: value.clone() for name, value in trainer.network.state_dict().items()}
    state = trainer.run(*parts, lambda *_: None)
    assert math.isfinite(state.curve[-1]["psnr"])
    assert any(not torch.equal(value, before[name]) for name, value in trainer.network.state_dict().items())
