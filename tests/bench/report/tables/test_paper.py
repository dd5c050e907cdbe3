import math

import pytest

from bench.report.read.results import collect
from bench.report.tables import paper


def only(results):
    (collected,) = collect(results.folder)
    return collected


def records(table):
    return {row[0]: dict(zip(table.header, row, strict=True)) for row in table.rows}


def test_order_by_hand():
    assert paper.order([1, 2, 3, 4], [10, 20, 30, 40]) == pytest.approx((1, 1, 6, 6))
    assert paper.order([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx((-1, -1, 0, 6))
    rho, tau, same, pairs = paper.order([1, 2, 3, 4], [1, 2, 4, 3])
    assert (rho, tau, same, pairs) == pytest.approx((1 - 6 * 2 / (4 * 15), 4 / 6, 5, 6))
    assert math.isnan(paper.order([1, 2, 3], [5, 5, 5])[0])


def test_order_agrees_with_the_paper_or_not(results):
    for method, group, psnr, lpips in (
        ("proposed", "joint", 33.0, 0.03),
        ("modl+bicubic", "sequential", 32.0, 0.02),
        ("t2net", "joint", 31.0, 0.01),
    ):
        results.add(method, group, psnr=psnr, lpips=lpips)
    results.add("mine", "joint", psnr=50.0)
    table = paper.table(only(results))
    rows = records(table)
    assert len(rows) == 15
    assert "mine" not in rows
    assert (rows["t2net"]["PSNR, dB ↑ paper"], rows["t2net"]["PSNR, dB ↑ here"]) == ("30.75", "31.15")
    assert rows["modl+medsrgan"]["PSNR, dB ↑ here"] == "–"
    assert table.notes[0] == (
        "Order by PSNR, 3 methods in both: Spearman +1.00, Kendall +1.00, 3 of 3 pairs in the same order; "
        "best of these in the paper proposed, here proposed."
    )
    assert (
        "Kendall -0.33, 1 of 3 pairs in the same order; best of these in the paper proposed, here t2net"
        in table.notes[2]
    )
    assert "only the order" in table.caption


def test_too_few_methods_for_an_order(results):
    results.add("proposed")
    assert "Order by PSNR: too few methods in both (1) to tell." in paper.table(only(results)).notes


def test_a_dataset_that_is_not_the_papers_has_no_such_table(results):
    results.add("proposed", dataset="vfa")
    assert paper.table(only(results)) is None
