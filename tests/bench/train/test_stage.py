from bench.data.prepare import prepare
from bench.run.execute import stage_job
from bench.run.plan import make_plan
from bench.run.request import Request
from bench.train import stage
from bench.train.loop import drawn

SETTINGS = ("training.iterations=2", "training.batch=1", "data.slices=[8, 2, 2]")


def test_only_slices_that_are_drawn_are_reconstructed(cache, tmp_path, monkeypatch):
    request = Request(("vwi",), "oracle+rrdb", "smoke", "phantom", overrides=SETTINGS, results=tmp_path, timing=False)
    (plan,) = make_plan(request)
    prepare(plan.training, ["train", "validation"], 1, lambda *_: None)
    asked, reconstruct_all = [], stage.reconstruct_all

    def spy(half, slices, indices, device):
        asked.append(list(indices))
        return reconstruct_all(half, slices, indices, device)

    monkeypatch.setattr(stage, "reconstruct_all", spy)
    job = stage_job(request, plan, plan.stages["oracle+rrdb"])
    stage.make_stage(job, lambda *_: None)
    count = len(job.train)
    seen = sorted({*drawn(0, 0, count, 1), *drawn(0, 1, count, 1)})
    assert len(seen) < count
    assert asked == [seen, list(range(len(job.validation)))]
