import pytest

from bench.data.prepare import prepare
from bench.run.execute import stage_job
from bench.run.plan import make_plan
from bench.run.request import Request
from bench.store.records import StageRecord
from bench.train import reconstructions, stage
from bench.train.loop import drawn

SETTINGS = ("training.batch=1", "data.slices=[8, 2, 2]")


def planned(folder, iterations=2):
    """The job of a super-resolver's stage, its data prepared."""
    overrides = (*SETTINGS, f"training.iterations={iterations}")
    request = Request(("vwi",), "oracle+rrdb", "smoke", "phantom", overrides=overrides, results=folder)
    (plan,) = make_plan(request)
    prepare(plan.training, ["train", "validation"], 1, lambda *_: None)
    return stage_job(request, plan, plan.stages["oracle+rrdb"])


def test_only_slices_that_are_drawn_are_reconstructed(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    asked, reconstruct_all = [], reconstructions.reconstruct_all

    def spy(half, slices, indices, device):
        asked.append(list(indices))
        return reconstruct_all(half, slices, indices, device)

    monkeypatch.setattr(reconstructions, "reconstruct_all", spy)
    job = planned(tmp_path / "results")
    stage.make_stage(job, lambda *_: None)
    count = len(job.train)
    seen = sorted({*drawn(0, 0, count, 1), *drawn(0, 1, count, 1)})
    assert len(seen) < count
    assert asked == [seen, list(range(len(job.validation)))]


def test_the_arithmetic_of_a_training_is_that_of_its_updates(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    counts = []
    for iterations in (2, 4):
        job = planned(tmp_path / str(iterations), iterations)
        stage.make_stage(job, lambda *_: None)
        counts.append(StageRecord.read(job.folder.record).training_gmac)
    assert counts[0] > 0
    assert counts[1] == pytest.approx(2 * counts[0], rel=1e-3)
