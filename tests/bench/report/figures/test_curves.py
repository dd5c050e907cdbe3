from bench.report.figures import curves
from bench.report.read.results import collect


def only(results):
    (collected,) = collect(results.folder)
    return collected


def test_training_curves_by_stage(results):
    results.add()
    rows = {"step": [1, 2, 3], "phase": ["plain", "gan", "gan"], "psnr": [20.0, 30.0, 29.0], "lpips": [0.3, 0.2, 0.1]}
    results.stage("proposed", rows, best_step=3)
    results.stage("modl", {"step": [1, 2], "phase": ["plain", "plain"], "psnr": [20.0, 30.0]}, best_step=2)
    figure = curves.training_curves(curves.validation(only(results)), "of these")
    panels = {axis.get_title(): axis for axis in figure.axes if axis.get_title()}
    assert list(panels) == ["modl", "proposed"]
    drawn = [line.get_xydata().tolist() for line in panels["proposed"].lines]
    assert drawn[1:] == [[[1, 20], [2, 30], [3, 29]], [[3, 29]]]  # after the line where a phase ends
    assert drawn[0][0][0] == 1
    assert [line.get_xydata().tolist() for line in panels["modl"].lines] == [[[1, 20], [2, 30]], [[2, 30]]]


def test_a_discriminators_accuracy_has_a_strip_with_the_band_where_it_is_at_work(results):
    results.add()
    results.stage("modl", {"step": [1, 2], "phase": ["plain"] * 2, "psnr": [20.0, 30.0]}, best_step=2)
    rows = {"step": [1, 2, 3], "phase": ["plain", "gan", "gan"], "psnr": [20.0, 30.0, 29.0], "lpips": [0.3, 0.2, 0.1]}
    results.stage("proposed", rows | {"critic-accuracy": [None, 0.7, 0.8]}, best_step=3)
    figure = curves.training_curves(curves.validation(only(results)), "of these")
    panels = {axis.get_title(): axis for axis in figure.axes if axis.get_title()}
    (strip,) = panels["proposed"].child_axes
    assert panels["modl"].child_axes == []
    assert strip.lines[0].get_xydata()[1:].tolist() == [[2, 0.7], [3, 0.8]]
    (band,) = strip.patches
    assert (band.get_y(), band.get_y() + band.get_height()) == (0.55, 0.95)
