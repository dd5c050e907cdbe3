import io

import pytest
from rich.console import Console

from bench.report.tables import terminal


@pytest.fixture
def printed(results):
    def show():
        out = Console(file=io.StringIO(), width=200)
        out.print(terminal.summary(results.folder, "vwi", "laptop"))
        return out.file.getvalue()

    return show


def test_the_best_stands_first_then_bounds_then_what_failed(results, printed):
    for method, group, psnr in (
        ("a+sinc", "sequential", 29.0),
        ("proposed", "joint", 31.0),
        ("oracle+sinc", "bound", 40.0),
    ):
        results.add(method, group, details={"psnr_fg": psnr}, psnr=psnr)
    results.fail("t2net")
    text = printed()
    places = [text.index(method) for method in ("proposed", "a+sinc", "oracle+sinc", "t2net")]
    assert places == sorted(places)


def test_the_verdict_stands_under_it_where_there_is_one(results, printed):
    results.add("modl+sinc", "sequential")
    assert "declared" not in printed()
    for method, group in (("dl-espirit~rrdb", "joint"), ("dl-espirit+rrdb", "sequential")):
        results.add(method, group, loss="l1")
    text = printed()
    said = "(3, l1) what training together adds, on the strongest halves: dl-espirit~rrdb − dl-espirit+rrdb: PSNR fg +0.00 dB"
    assert text.index(said) > text.index("modl+sinc")


def test_it_says_whose_networks_these_are(results, printed):
    results.add("modl+sinc", "sequential", stages_of="brain")
    assert "Networks are those of brain, trained on other people." in printed()
