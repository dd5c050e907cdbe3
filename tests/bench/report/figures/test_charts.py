import pytest

from bench.report.figures import charts
from bench.report.read.results import collect
from bench.report.tables import verdict
from bench.report.tables.main import lines


def only(results):
    (collected,) = collect(results.folder)
    return collected


def timed(results, method, group, psnr, seconds):
    folder = results.add(method, group, psnr=psnr)
    folder.timing.write_text(f"seconds,peak_memory_mb,device,threads\n{seconds},1,cpu,2\n")


def test_pareto_front_without_bounds(results):
    for method, group, psnr, seconds in (("fast", "sequential", 25, 0.1), ("slow", "joint", 30, 2), ("poor", "joint", 24, 1),
                                         ("equal", "sequential", 25, 0.5), ("see-all", "bound", 50, 0.01)):  # fmt: skip
        timed(results, method, group, psnr, seconds)
    table = lines(collect(results.folder)[0])
    assert [line.method for line in charts.pareto(table, "psnr")] == ["fast", "slow"]
    assert [line.method for line in charts.pareto(table, "lpips")] == ["fast"]  # all alike


def test_quality_time_numbers_every_method(collected):
    figure = charts.quality_time(collected)
    key = [text.get_text() for text in figure.legends[0].get_texts()]
    assert key[:2] == ["1  proposed", "2  ablation-sr"]
    assert key[-2:] == ["7  oracle+sinc (bound)", "Pareto front"]
    assert [[text.get_text() for text in axis.texts] for axis in figure.axes] == [list("1234567")] * 2


def test_quality_time_leaves_out_what_was_not_measured(results):
    results.add(lpips=None, without_lpips=True)
    assert [axis.get_ylabel() for axis in charts.quality_time(collect(results.folder)[0]).axes] == ["PSNR, dB"]


def test_differences_are_joint_minus_best_sequential_slice_by_slice(results):
    results.add("proposed", psnr=33.0, gain={"s1": 1.0}, contrasts=("t1w", "t2w"))
    results.add("modl+sinc", "sequential", psnr=32.5, contrasts=("t1w", "t2w"))
    results.add("modl+bicubic", "sequential", psnr=30.0, contrasts=("t1w", "t2w"))
    collected = only(results)
    comparison = next(c for c in verdict.compare_groups(collected) if c.score == "psnr")
    found = charts.clouds(collected, comparison)
    assert [cloud.contrast for cloud in found] == ["t1w", "t2w"]
    assert found[0].subjects == ("s0",) * 4 + ("s1",) * 4 + ("s2",) * 4
    assert found[0].differences == pytest.approx((0.5,) * 4 + (1.5,) * 4 + (0.5,) * 4)
    assert found[0].better("psnr") == 12
    assert found[0].better("lpips") == 0
    axis = charts.paired_differences(collected, [comparison]).axes[0]
    assert axis.get_title() == "proposed − modl+sinc"
    assert sum(len(dots.get_offsets()) for dots in axis.collections) == 24
    assert axis.get_xticklabels()[0].get_text() == "t1w\nbetter on 12/12"


def test_differences_to_the_best_and_to_the_twin_have_panels_of_their_own(results):
    results.add("proposed", psnr=33.0)
    results.add("modl+sinc", "sequential", psnr=32.5)
    results.add("ablation-end-to-end", "ablation", psnr=31.0)
    collected = only(results)
    figure = charts.paired_differences(collected, verdict.compare_groups(collected))
    titles = ["proposed − modl+sinc", "proposed − ablation-end-to-end"]
    assert [axis.get_title() for axis in figure.axes] == titles * 2  # PSNR above, LPIPS below
    assert all(sum(len(dots.get_offsets()) for dots in axis.collections) == 12 for axis in figure.axes)
