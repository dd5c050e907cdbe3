"""Stages that several processes train together."""

from dataclasses import replace

import pandas as pd
import pytest

from bench.authoring.new import render
from bench.run.execute import Callbacks, execute
from bench.run.plan import make_plan
from bench.run.request import Request
from bench.store.records import StageRecord

SETTINGS = (
    "training.iterations=4", "training.validate_every=1", "training.batch=4", "training.learning_rate=1e-2",
    "data.slices=[8, 2, 2]",
)  # fmt: skip


def run(request):
    return execute(request, make_plan(request), Callbacks(*[lambda *_: None] * 5))


@pytest.fixture
def alone(cache, tmp_path):
    return Request(
        ("vwi",), "oracle+rrdb", "smoke", "phantom", overrides=SETTINGS, results=tmp_path / "alone", timing=False
    )


def test_two_processes_have_the_losses_of_one(alone, tmp_path):
    together = replace(alone, devices=2, results=tmp_path / "together")
    curves = []
    for request in (alone, together):
        assert {outcome.status for outcome in run(request).values()} == {"done"}
        folder = request.results / "vwi/smoke/stages/oracle+rrdb/seed0"
        assert StageRecord.read(folder / "stage.json").provenance["devices"] == request.devices
        curves.append(pd.read_csv(folder / "curve.csv"))
    one, two = (curve["loss-pixel"].to_numpy() for curve in curves)
    assert len(one) == 4
    assert abs(one[1:] - one[0]).min() > 1e-4  # the weights do move
    assert two == pytest.approx(one, abs=1e-5)
    assert curves[1]["psnr"].to_numpy() == pytest.approx(curves[0]["psnr"].to_numpy(), abs=1e-3)


ONE_FAILS = """
    def losses(self, phase, acquisition, output, target):
        import torch.distributed
        if torch.distributed.get_rank() == 1:
            raise MemoryError("this one is full")
        return {"pixel": output.image.mean()}
"""


def test_one_that_fails_ends_the_others(alone, tmp_path):
    path = tmp_path / "greedy.py"
    text = render("greedy", "pipeline")
    path.write_text(text[: text.index("    def losses")] + ONE_FAILS.lstrip("\n"))
    outcomes = run(replace(alone, methods="greedy", devices=2, plugin_files=(path,)))
    assert outcomes["vwi stage greedy seed0"].status == "out-of-memory"
    assert outcomes["vwi stage greedy seed0"].reason == "this one is full"
