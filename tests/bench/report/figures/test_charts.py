from bench.report.figures import charts
from bench.report.read.results import collect
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
    assert key[:2] == ["1  ablation-end-to-end", "2  proposed"]
    assert key[-2:] == ["8  oracle+sinc (bound)", "Pareto front"]
    assert [[text.get_text() for text in axis.texts] for axis in figure.axes] == [list("12345678")] * 3


def test_quality_time_leaves_out_what_was_not_measured(results):
    results.add(lpips=None, without_lpips=True)
    assert [axis.get_ylabel() for axis in charts.quality_time(collect(results.folder)[0]).axes] == [
        "PSNR fg, dB",
        "PSNR, dB",
    ]


def test_quality_against_quality_has_one_front_over_both_classes(results):
    for method, loss, psnr, lpips in (
        ("a", "l1", 33, 0.10),
        ("b", "gan", 31, 0.04),
        ("c", "gan", 30, 0.05),
        ("d", "l1", 32, 0.09),
    ):
        results.add(method, "joint", psnr=psnr, lpips=lpips, loss=loss, kept=0)
    results.add("see-all", "bound", psnr=50, lpips=0.0, kept=0)
    table = lines(only(results))
    assert [line.method for line in charts.front_of_both(table)] == ["b", "d", "a"]
    (axis,) = charts.quality_quality(only(results)).axes
    faces = [line.get_markerfacecolor() for line in axis.lines[: len(table)]]
    assert [face == "none" for face in faces] == [True, False, False, True, True]  # filled: gan
    assert [text.get_text() for text in axis.texts] == list("12345")


def test_without_lpips_of_the_foreground_there_is_no_such_figure(results):
    results.add(lpips=None, without_lpips=True, kept=0)
    assert charts.quality_quality(only(results)) is None
