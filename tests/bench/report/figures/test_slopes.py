import pandas as pd
import pytest

from bench.report.figures.slopes import orders, slope_chart
from bench.report.read.results import collect
from bench.store import paper

METHODS = {"proposed": 33, "cg-sense+bicubic": 35, "modl+medsrgan": 34, "t2net": 20}


def made(results, methods):
    for method, psnr in methods.items():
        results.add(method, "joint" if method == "proposed" else "sequential", psnr=psnr, kept=0)
    results.add("dl-espirit~rrdb", "joint", psnr=40, kept=0)  # which the paper does not have
    (collected,) = collect(results.folder)
    return orders(collected)


def test_places_are_those_of_the_means(results):
    data = made(results, METHODS).query("score == 'psnr'").set_index("method")
    assert data["place_here"].to_dict() == {"cg-sense+bicubic": 1, "modl+medsrgan": 2, "proposed": 3, "t2net": 4}
    printed = paper.read().query("dataset == 'vwi'").set_index("method")["psnr"]
    assert data["paper"].to_dict() == {method: printed[method] for method in data.index}
    assert list(data.sort_values("place_paper").index) == list(printed[data.index].sort_values(ascending=False).index)


def test_the_smaller_lpips_takes_the_first_place(results):
    data = made(results, METHODS).query("score == 'lpips'")
    best = data[data["place_paper"] == 1].iloc[0]
    assert best["paper"] == data["paper"].min()


def test_a_line_goes_from_the_place_in_the_paper_to_the_one_here(results):
    data = made(results, METHODS)
    fidelity, *others = slope_chart(data, "of these").axes
    assert len(others) == 2
    own = data.query("score == 'psnr'").set_index("method")
    ends = [tuple(line.get_ydata()) for line in fidelity.lines]
    assert ends == list(own[["place_paper", "place_here"]].itertuples(index=False, name=None))
    assert all(tuple(line.get_xdata()) == (0, 1) for line in fidelity.lines)
    low, high = fidelity.get_ylim()
    assert low > high  # the first place is above
    assert [text.get_text() for text in fidelity.texts[:2]] == [
        f"{own.index[0]}  {own['paper'].iloc[0]:.2f}", f"{own['here'].iloc[0]:.2f}  {own.index[0]}"
    ]  # fmt: skip


@pytest.mark.parametrize("methods", [{}, {"proposed": 33, "t2net": 20}])
def test_two_methods_have_no_order(results, methods):
    assert slope_chart(made(results, methods), "") is None


def test_a_score_that_is_not_there_has_no_panel(results):
    data = made(results, METHODS)
    without = data[data["score"] != "lpips"]
    assert len(slope_chart(pd.DataFrame(without), "").axes) == 2
