"""Whole trainings: many at once, two ranks, full size, twice the same."""

import warnings
from dataclasses import replace

import pandas as pd
import pytest
import torch

from bench import config, registry
from bench.composition import build, count
from bench.data.prepare import prepare
from bench.run.execute import stage_job, stage_task
from bench.run.plan import make_plan
from bench.run.request import Request
from bench.store.keys import sha256_of
from bench.store.layout import StageFolder
from bench.store.records import StageRecord
from bench.train.stage import StageJob, make_stage
from bench.workers import carry_out

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(900), pytest.mark.filterwarnings("default")]
SAME_LOSS, SAME_PSNR = 0.01, 0.1
"""Of the means of the first six steps, and dB after all twelve: of float32 trainings, whose roundings grow."""
STEPS = 100
TWICE = ("modl+sinc", "dl-espirit+sinc", "oracle+rrdb", "t2net", "proposed-l1", "proposed")


@pytest.fixture
def request_for(tmp_path, device, cache):
    def make(methods, name, **changes):
        asked = Request(("vwi",), methods, "smoke", "phantom", device=device, results=tmp_path / name, timing=False)
        return replace(asked, **changes)

    return make


def planned(request):
    (plan,) = make_plan(request)
    prepare(plan.training, ["train", "validation"], 1, lambda *_: None)
    return plan


def train(request, jobs):
    """All stages of a request, so many at once; their folders by id."""
    plan = planned(request)
    tasks = [stage_task(request, plan, stage) for stage in plan.to_train]
    outcomes = carry_out(tasks, jobs, 1, lambda *_: None)
    assert {id: outcome.reason for id, outcome in outcomes.items() if outcome.status != "done"} == {}
    return {stage.stage.id: stage.folder for stage in plan.to_train}


def test_stages_of_all_methods_eight_at_once_learn_as_on_the_cpu(request_for):
    here, there = train(request_for("all", "gpu"), 8), train(request_for("all", "cpu", device="cpu"), 8)
    assert here.keys() == there.keys()
    for id, folder in here.items():
        if not folder.curve.exists():  # tuned
            assert StageRecord.read(folder.record).choice == StageRecord.read(there[id].record).choice, id
            continue
        own, due = (pd.read_csv(f.curve) for f in (folder, there[id]))
        losses = [name for name in due if name.startswith("loss-")]
        assert losses
        assert own.loc[0, losses].tolist() == pytest.approx(due.loc[0, losses].tolist(), rel=SAME_LOSS, nan_ok=True), id
        assert own["psnr"].tolist() == pytest.approx(due["psnr"].tolist(), abs=SAME_PSNR), id


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="fewer than two GPUs")
def test_two_ranks_over_nccl_have_the_losses_of_one(request_for):
    pytest.importorskip("lightning_fabric")
    settings = ("training.iterations=4", "training.validate_every=1", "training.batch=4", "data.slices=[8, 2, 2]")
    one, two = (
        pd.read_csv(train(request_for("oracle+rrdb", f"{n}", devices=n, overrides=settings), 1)["oracle+rrdb"].curve)
        for n in (1, 2)
    )
    assert two["loss-pixel"].tolist() == pytest.approx(one["loss-pixel"].tolist(), abs=1e-4)


def job(id, profile, overrides, train, validation, folder, device):
    """A stage of a pipeline, of slices that are given."""
    return StageJob(
        id, id, "key", None, StageFolder(folder), config.load(profile, overrides), 0, 0, train, validation, device, 1, (), {}
    )  # fmt: skip


@pytest.mark.parametrize("id", ["proposed-l1", "hr-refined", "proposed"])
def test_the_workstation_profile_learns_for_100_steps(id, given, device, note, tmp_path):
    if id == "proposed":
        pytest.importorskip("torchvision")  # for LPIPS
        pytest.importorskip("lpips")
    profile, data = ("workstation", "workstation") if device.startswith("cuda") else ("smoke", "laptop")
    kept, held_out = given(data, "train"), given(data, "validation")
    overrides = (f"training.iterations={STEPS}", "training.validate_every=20", f"training.batch={len(kept)}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # CUDA names what it cannot do in one order
        make_stage(job(id, profile, overrides, kept, held_out, tmp_path / id, device), lambda *_: None)
    record, curve = StageRecord.read(tmp_path / id / "stage.json"), pd.read_csv(tmp_path / id / "curve.csv")
    assert record.iterations == STEPS
    assert record.parameters == count(build(registry.method(id), config.load(profile)))
    first = curve[curve["phase"] == curve["phase"].iloc[0]]  # before an adversarial phase, whose losses are others
    losses = first[[name for name in first if name.startswith("loss-")]].sum(axis=1)  # of all slices in each step
    assert losses.iloc[-1] < losses.iloc[0]
    note(profile=profile, method=f"{id}, 100 steps with validation", batch=len(kept),
         steps_a_second=round(STEPS / record.seconds, 2))  # fmt: skip


@pytest.mark.parametrize("id", TWICE)
def test_a_training_gives_the_same_weights_twice_or_names_what_does_not(id, request_for):
    weights, said = [], []
    for name in ("first", "second"):
        request = request_for(id, name, overrides=("training.precision=bf16",))
        plan = planned(request)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for stage in plan.to_train:
                make_stage(stage_job(request, plan, stage), lambda *_: None)
        said += [str(warning.message) for warning in caught if "deterministic" in str(warning.message)]
        weights.append(sha256_of(plan.to_train[-1].folder.weights))
    assert weights[0] == weights[1] or said, "the weights differ, and nothing was said"
    if said:
        print(f"{id}: {sorted({text.splitlines()[0] for text in said})}")
