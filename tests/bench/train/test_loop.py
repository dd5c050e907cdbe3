import hashlib
import os
from pathlib import Path

import pytest
import torch

from bench import config, registry
from bench.composition import Composition, Half, build
from bench.data.prepare import open_split
from bench.errors import Diverged, UserError
from bench.store.files import read_json, write_json
from bench.store.layout import StageFolder
from bench.train.loop import Trainer, step_seed
from bench.train.samples import Samples

GOLDEN = Path(__file__).parent / "golden.json"
SETTINGS = config.load("smoke", ["training.iterations=6", "training.validate_every=2"])


def trainer(folder, id="proposed", settings=SETTINGS):
    torch.manual_seed(0)
    plugin = registry.methods()[id]
    folder.mkdir(exist_ok=True)
    return Trainer(
        Composition((Half(plugin, build(plugin, settings)),)), id, settings.training, 0, StageFolder(folder), "cpu"
    )


def digest(weights):
    return hashlib.sha256(b"".join(weights[name].numpy().tobytes() for name in sorted(weights))).hexdigest()


def quiet(*_):
    pass


class Stop(Exception):
    pass


def stop_at(step):
    def report(done, total, what):
        if done == step:
            raise Stop

    return report


def test_stopped_anywhere_it_ends_where_it_would_have_ended(phantom, tmp_path):
    parts = Samples(open_split(phantom, "train")), Samples(open_split(phantom, "validation"))
    whole = trainer(tmp_path / "whole").run(*parts, quiet)
    for stop in (1, 3, 5):  # before the first checkpoint, between two, in the adversarial phase
        with pytest.raises(Stop):
            trainer(tmp_path / "stopped").run(*parts, stop_at(stop))
    resumed_trainer = trainer(tmp_path / "stopped")
    resumed = resumed_trainer.run(*parts, quiet)
    assert digest(resumed.best_weights) == digest(whole.best_weights)
    assert resumed.curve == whole.curve
    assert [row["phase"] for row in resumed.curve] == ["pixel", "pixel", "adversarial"]
    assert len(list(resumed_trainer.folder.tensorboard.iterdir())) == 1


def test_training_lowers_the_loss(phantom, tmp_path):
    settings = config.load(
        "smoke", ["training.iterations=120", "training.validate_every=120", "training.learning_rate=5e-3"]
    )
    parts = Samples(open_split(phantom, "train")), Samples(open_split(phantom, "validation"))
    module = trainer(tmp_path, "modl", settings)
    before = module.composition.last.losses
    losses = []

    def record(*arguments):
        terms = before(*arguments)
        losses.append(float(sum(term.detach() for term in terms.values())))
        return terms

    module.composition.last.losses = record
    module.run(*parts, quiet)
    assert sum(losses[-20:]) < 0.9 * sum(losses[:20])


def test_a_loss_that_is_not_finite_names_the_step(phantom, tmp_path):
    module = trainer(tmp_path)
    torch.nn.init.constant_(module.network.reconstruction.last.weight, float("nan"))
    with pytest.raises(Diverged, match="of stage proposed is nan at step 0"):
        module.run(Samples(open_split(phantom, "train")), Samples(open_split(phantom, "validation")), quiet)


def test_a_damaged_checkpoint_is_named(phantom, tmp_path):
    (tmp_path / "state.pt").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"state\.pt is damaged"):
        trainer(tmp_path).run(Samples(open_split(phantom, "train")), Samples(open_split(phantom, "validation")), quiet)


def test_each_step_of_each_stage_has_its_own_seed():
    seeds = {step_seed(s, stage, i) for s in (0, 1) for stage in ("a", "b") for i in (0, 1)}
    assert len(seeds) == 8


def three_steps(folder, phantom, id):
    """Validation PSNR after three steps; a super-resolver is fed the truth's LR image."""
    parts = Samples(open_split(phantom, "train")), Samples(open_split(phantom, "validation"))
    settings = config.load("smoke", ["training.iterations=3", "training.validate_every=3"])
    plugin, oracle = registry.method(id), registry.method("oracle")
    torch.manual_seed(0)
    links = (Half(plugin, build(plugin, settings)),)
    if plugin.kind == "super_resolver":
        links = (Half(oracle, build(oracle, settings)), *links)
    folder.mkdir()
    curve = Trainer(Composition(links), id, settings.training, 0, StageFolder(folder), "cpu").run(*parts, quiet).curve
    return {"version": plugin.cls.version, "psnr": [round(row["psnr"], 4) for row in curve]}


def test_numbers_change_only_with_a_version(phantom, tmp_path):
    """Three steps of every trained built-in plugin and of a pair.

    After raising a version: `BENCH_WRITE_GOLDEN=1 pytest -k version`.
    """
    ours = [id for id, p in registry.methods().items() if p.trained and p.built_in] + ["modl~rrdb"]
    found = {id: three_steps(tmp_path / id, phantom, id) for id in ours}
    if os.environ.get("BENCH_WRITE_GOLDEN"):
        write_json(GOLDEN, found)
    golden = read_json(GOLDEN)
    versions, expected = ({id: entry["version"] for id, entry in table.items()} for table in (found, golden))
    assert versions == expected
    for id, entry in found.items():
        assert entry["psnr"] == pytest.approx(golden[id]["psnr"], abs=2e-3), (
            f"{id} gives other numbers: raise its version"
        )


def test_a_methods_own_optimiser_is_used_and_its_rate_factors_multiply_the_rate(phantom, tmp_path, monkeypatch):
    def optimiser(self, parameters):
        first, *rest = parameters
        return torch.optim.SGD([{"params": [first], "rate_factor": 10.0}, {"params": rest}])

    monkeypatch.setattr(registry.methods()["modl"].cls, "optimiser", optimiser)
    training = trainer(tmp_path, "modl")
    training.run(Samples(open_split(phantom, "train")), Samples(open_split(phantom, "validation")), quiet)
    (optimiser,) = training.optimisers
    assert isinstance(optimiser, torch.optim.SGD)
    fast, slow = (group["lr"] for group in optimiser.param_groups)
    assert fast == pytest.approx(10 * slow)
    assert slow > 0


def test_a_part_with_a_loss_of_its_own_is_clipped_by_itself(phantom, tmp_path, monkeypatch):
    clipped = []
    clip = torch.nn.utils.clip_grad_norm_
    monkeypatch.setattr(
        torch.nn.utils, "clip_grad_norm_", lambda p, limit: clipped.append(p := list(p)) or clip(p, limit)
    )
    training = trainer(tmp_path, "ablation-separate-l1")
    training.run(Samples(open_split(phantom, "train")), Samples(open_split(phantom, "validation")), quiet)
    network = training.network
    assert len(clipped) == 2 * 6
    assert [id(p) for p in clipped[0]] == [id(p) for p in network.reconstruction.parameters()]
    assert {id(p) for part in clipped[:2] for p in part} == {id(p) for p in network.parameters()}


def test_the_discriminators_accuracy_is_logged_and_kept_for_the_last_quarter(phantom, tmp_path):
    settings = config.load("smoke", ["training.iterations=24", "training.validate_every=4"])
    state = trainer(tmp_path, "proposed", settings).run(
        Samples(open_split(phantom, "train")), Samples(open_split(phantom, "validation")), quiet
    )
    logged = [row.get("critic-accuracy") for row in state.curve]
    assert [value is not None for value in logged] == [row["phase"] == "adversarial" for row in state.curve]
    assert all(0 <= value <= 1 for value in logged if value is not None)
    assert state.critic_steps == 2  # of the eight of the adversarial phase
    assert 0 <= state.critic_accuracy <= 1
