import pandas as pd
import pytest
from scipy import stats

from bench.report.read.results import collect
from bench.report.tables import propagation
from bench.report.tables.main import lines


def only(results):
    (collected,) = collect(results.folder)
    return collected


PEOPLE = ("s0", "s1", "s2", "s3", "s4")


FED = {"psnr_oracle_fed": 33.0, "nmse_oracle_fed": 0.004, "psnr_boundary": 27.0, "psnr_flat": 35.0}


def records(table):
    return {row[0]: dict(zip(table.header, row, strict=True)) for row in table.rows}


def test_share_of_the_error_that_propagated(results):
    results.add("modl+sinc", "sequential", details=FED, subjects=PEOPLE)  # NMSE 0.01 in sequence
    results.add("proposed", "joint", subjects=PEOPLE)
    results.add("oracle+sinc", "bound", details={**FED, "nmse_oracle_fed": 0.01}, subjects=PEOPLE)
    table = propagation.table(only(results))
    rows = records(table)
    assert rows["modl+sinc"]["share propagated, %"] == "60.0"
    assert rows["modl+sinc"]["lost in sequence, dB"] == "2.85"  # 33 - 30.15
    assert rows["modl+sinc"]["n people"] == "5"
    assert (rows["proposed"]["share propagated, %"], rows["proposed"]["LR PSNR, dB ↑"]) == ("–", "40.00")
    assert rows["oracle+sinc"]["share propagated, %"] == "0.0"
    assert [row[1] for row in table.rows] == ["joint", "sequential", "bound"]
    assert "simulated acquisition" in table.caption


def test_interval_of_the_share_is_over_people(results):
    folder = results.add("modl+sinc", "sequential", details=FED, subjects=PEOPLE, slices=2)
    rows = pd.read_csv(folder.slices)
    rows["nmse_oracle_fed"] = rows["subject"].map(dict(zip(PEOPLE, (0.002, 0.004, 0.005, 0.006, 0.008), strict=True)))
    rows.to_csv(folder.slices, index=False)
    results.reseal(folder)
    (line,) = lines(only(results))
    found = propagation.propagated(line)
    assert found.mean == pytest.approx(0.5)
    shares = [0.8, 0.6, 0.5, 0.4, 0.2]
    low, high = stats.t.interval(0.95, 4, 0.5, stats.sem(shares))
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-6)


def test_without_any_lr_image_there_is_no_propagation(results):
    results.add("ablation-sr", "single", lr=False)
    assert propagation.table(only(results)) is None
