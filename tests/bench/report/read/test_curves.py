import math

import pytest

from bench.errors import UserError
from bench.report.read.curves import read_curves
from bench.report.read.results import collect


def only(results):
    (collected,) = collect(results.folder)
    return collected


def test_a_damaged_curve_is_refused_by_name(results):
    results.add()
    results.stage("modl", {"step": [1], "phase": ["plain"]})
    with pytest.raises(UserError, match=r"modl/seed0/curve.csv lacks the column 'psnr'"):
        read_curves(only(results))


def test_the_curve_of_a_stage_in_training_has_no_best_step(results):
    results.add()
    rows = {"step": [1], "phase": ["plain"], "psnr": [20.0]}
    results.stage("modl", rows, best_step=1)
    results.stage("proposed", rows).record.unlink()
    assert [(curve.stage, curve.best_step) for curve in read_curves(only(results))] == [("modl", 1), ("proposed", None)]


def test_a_score_that_was_not_measured_at_every_step_is_a_number(results):
    results.add()
    results.stage("proposed", {"step": [1, 2], "phase": ["plain", "gan"], "psnr": [20.0, 30.0], "lpips": [None, 0.25]})
    (curve,) = read_curves(only(results))
    assert math.isnan(curve.rows["lpips"][0])
    assert curve.rows["lpips"][1] == 0.25
