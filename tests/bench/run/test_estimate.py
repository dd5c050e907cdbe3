from dataclasses import replace

import pytest

from bench import terminal
from bench.authoring.new import render
from bench.run import estimate as module
from bench.run.estimate import estimate
from bench.run.plan import make_plan
from bench.run.request import Request


@pytest.fixture
def request_(tmp_path, cache):
    return Request(("vwi",), "oracle+sinc,modl+sinc", "smoke", "phantom", results=tmp_path, timing=True)


def test_training_evaluation_and_timing_are_told(request_):
    found = estimate(make_plan(request_), True, "cpu")
    assert found.training > 0
    assert found.evaluation > 2 * module.LOADING_S
    assert found.timing >= 2 * module.LOADING_S
    assert found.unknown == ()


def test_ones_own_method_is_tried_and_twice_the_steps_take_twice_as_long(request_, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(render("mine", "reconstructor"))
    times = []
    for steps in (100, 200):
        own = replace(request_, methods="mine+sinc", plugin_files=(path,), overrides=(f"training.iterations={steps}",))
        times.append(estimate(make_plan(own), False, "cpu").training)
    assert times[1] == pytest.approx(2 * times[0])


def test_seeds_add_up_and_shared_stages_count_once(request_):
    one = estimate(make_plan(request_), False, "cpu")
    two = estimate(make_plan(replace(request_, seeds=2)), False, "cpu")
    shared = estimate(make_plan(replace(request_, methods="modl+sinc,modl+bicubic")), False, "cpu")
    assert two.training == pytest.approx(2 * one.training)
    assert two.evaluation == pytest.approx(2 * one.evaluation)
    assert shared.training == pytest.approx(one.training)


def test_what_was_shipped_took_as_long_as_it_says(request_, monkeypatch):
    monkeypatch.setattr(module, "_try", None)
    laptop = replace(request_, profile="laptop", source=None, methods="dl-espirit+rrdb", retrain=True)
    (plan,) = make_plan(laptop)
    from bench.store import layout
    from bench.store.records import StageRecord

    shipped = [
        StageRecord.read(layout.shipped().stage("vwi", "laptop", id, 0).record).seconds
        for id in ("dl-espirit", "dl-espirit+rrdb")
    ]
    assert estimate([plan], False, "cpu").training == pytest.approx(sum(shipped))


def test_on_a_gpu_nobody_can_tell(request_, monkeypatch):
    assert estimate(make_plan(request_), False, "cuda").unknown == ("modl",)
    monkeypatch.setattr(module, "_try", None)  # nor is anything tried
    found = estimate(make_plan(request_), True, "cuda")
    assert (found.training, found.evaluation, found.timing, found.told) == (0, 0, 0, False)
    assert estimate([], True, "cpu").told


def test_what_is_not_told_is_said(request_, capsys):
    terminal._show_estimate(replace(request_, device="cuda"), make_plan(request_))
    said = capsys.readouterr().out
    assert "Nobody can tell how long evaluation and timing take on cuda." in said
    assert "It takes about" not in said


@pytest.mark.parametrize("end", ["SystemExit(3)", "OSError()"])
def test_a_method_that_ends_itself_does_not_end_the_estimate(request_, tmp_path, end):
    path = tmp_path / "mine.py"
    text = render("mine", "reconstructor")
    path.write_text(text.replace("        image = acquisition.zero_filled\n", f"        raise {end}\n"))
    assert f"raise {end}" in path.read_text()
    own = replace(request_, methods="mine+sinc", plugin_files=(path,))
    assert estimate(make_plan(own), False, "cpu").unknown == ("mine",)
