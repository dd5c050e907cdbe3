import pytest

from bench.report.claims import judge
from bench.report.figures import regimes
from bench.report.read.results import collect

PEOPLE = ("s0", "s1", "s2")
CELLS = ("r12-c4-n01", "r4-c8-n07", "r4-c4-n07", "r4-c4-n01")


def drawn(results, contrasts):
    gain = {"s0": 0.1, "s1": 0.2, "s2": 0.6}
    results.add("dl-espirit~rrdb", "joint", gain=gain, subjects=PEOPLE, contrasts=contrasts, loss="l1", kept=0)
    for method, group, psnr in (("dl-espirit+rrdb", "sequential", 30), ("cg-sense+sinc", "sequential", 28),
                                ("oracle+sinc", "bound", 33), ("modl+bicubic", "sequential", 25)):  # fmt: skip
        results.add(method, group, psnr=psnr, subjects=PEOPLE, contrasts=contrasts, loss="l1", kept=0)
    (collected,) = collect(results.folder)
    return collected, regimes.regime_map(regimes.differences_by_cell(collected, judge(collected)), "of these")


def test_a_dot_a_person_in_every_cell(results):
    collected, figure = drawn(results, CELLS)
    four, eight, lost, _ = figure.axes
    assert (four.get_title(), eight.get_title()) == ("4 coils", "8 coils")
    assert [text.get_text() for text in lost.get_xticklabels()] == ["4×\n.01", "4×\n.07", "12×\n.01"]
    dots = [found.get_offsets()[:, 1].tolist() for found in four.collections]
    assert dots == [pytest.approx([0.1, 0.2, 0.6], abs=1e-4)] * 3
    assert lost.collections[0].get_offsets()[:, 1].tolist() == pytest.approx([5.0] * 3, abs=1e-4)
    assert regimes.lost(collected) == [("oracle+sinc", "cg-sense+sinc")]  # there is no oracle+bicubic


def test_contrasts_that_are_no_cells_have_no_map(results):
    assert drawn(results, ("t1w", "t2w"))[1] is None
