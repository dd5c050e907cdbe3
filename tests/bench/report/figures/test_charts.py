import pytest

from bench.report.figures import charts
from bench.report.read.results import collect


def only(results):
    (collected,) = collect(results.folder)
    return collected


def timed(results, method, group, psnr, seconds, **more):
    folder = results.add(method, group, psnr=psnr, **more)
    folder.timing.write_text(f"seconds,peak_memory_mb,device,threads\n{seconds},1,cpu,2\n")


def test_pareto_front_without_bounds(results):
    for method, group, psnr, seconds in (("fast", "sequential", 25, 0.1), ("slow", "joint", 30, 2), ("poor", "joint", 24, 1),
                                         ("equal", "sequential", 25, 0.5), ("see-all", "bound", 50, 0.01)):  # fmt: skip
        timed(results, method, group, psnr, seconds)
    data = charts.qualities(only(results))
    front = charts.pareto(data, "seconds", "psnr_fg")
    assert front["method"].tolist() == ["fast", "slow"]
    assert front[["x", "y"]].to_numpy().tolist() == [[0.1, pytest.approx(23.15)], [2.0, pytest.approx(28.15)]]
    assert charts.pareto(data, "seconds", "lpips_fg")["method"].tolist() == ["fast"]  # all alike


def test_the_front_alone_is_named(results):
    for method, psnr, seconds in (("fast", 25, 0.1), ("slow", 30, 2), ("poor", 24, 1)):
        timed(results, method, "joint", psnr, seconds)
    figure = charts.quality_time(charts.qualities(only(results)), "of these")
    assert [[text.get_text() for text in axis.texts] for axis in figure.axes] == [["fast", "slow"], ["fast"]]
    key = [text.get_text() for text in figure.legends[0].get_texts()]
    assert key == ["joint", "Pareto front, its methods named"]
    assert figure.get_suptitle() == "of these\nquality against time"


def test_names_lie_within_the_axes_and_apart(results):
    for i in range(8):
        timed(results, f"a-method-with-name-{i}", "joint", 25 + 0.4 * i, 0.1 * 1.3**i, lpips=0.2 - 0.01 * i)
    figure = charts.quality_time(charts.qualities(only(results)), "")
    for axis in figure.axes:
        boxes = [text.get_window_extent() for text in axis.texts]
        assert len(boxes) == 8
        frame = axis.get_window_extent()
        assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 for box in boxes)
        assert all(box.count_overlaps(boxes) == 1 for box in boxes)  # itself


def test_what_lies_far_out_is_drawn_at_the_edge(results):
    for i, psnr in enumerate((30, 30.5, 31, 31.5, 10)):
        timed(results, f"m{i}", "joint", psnr, 0.1 + i)
    (axis, _) = charts.quality_time(charts.qualities(only(results)), "").axes
    lowest = min(y for line in axis.lines for y in line.get_ydata())
    assert lowest == pytest.approx(30 - 1.85 - 3 * 1.0)  # the middle half is 30 to 31


def test_quality_time_leaves_out_what_was_not_measured(results):
    results.add(lpips=None, without_lpips=True)
    figure = charts.quality_time(charts.qualities(only(results)), "")
    assert [axis.get_ylabel() for axis in figure.axes] == ["PSNR fg, dB ↑"]


def test_quality_against_quality_has_one_front_over_both_classes(results):
    for method, loss, psnr, lpips in (
        ("a", "l1", 33, 0.10),
        ("b", "gan", 31, 0.04),
        ("c", "gan", 30, 0.05),
        ("d", "l1", 32, 0.09),
    ):
        results.add(method, "joint", psnr=psnr, lpips=lpips, loss=loss, kept=0)
    results.add("see-all", "bound", psnr=50, lpips=0.0, kept=0)
    data = charts.qualities(only(results))
    (axis,) = charts.quality_quality(data, "").axes
    faces = [line.get_markerfacecolor() for line in axis.lines[: len(data)]]
    assert [face == "none" for face in faces] == [True, False, False, True, True]  # filled: gan
    assert [text.get_text() for text in axis.texts] == ["b", "d", "a"]


def test_without_lpips_of_the_foreground_there_is_no_such_figure(results):
    results.add(lpips=None, without_lpips=True, kept=0)
    assert charts.quality_quality(charts.qualities(only(results)), "") is None
