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
    figure = curves.training_curves(collect(results.folder)[0])
    panels = {axis.get_title(): axis for axis in figure.axes if axis.get_title()}
    assert list(panels) == ["modl", "proposed"]
    drawn = [line.get_xydata().tolist() for line in panels["proposed"].lines]
    assert drawn[1:] == [[[1, 20], [2, 30], [3, 29]], [[3, 29]]]  # after the line where a phase ends
    assert drawn[0][0][0] == 1
    assert [line.get_xydata().tolist() for line in panels["modl"].lines] == [[[1, 20], [2, 30]], [[2, 30]]]
