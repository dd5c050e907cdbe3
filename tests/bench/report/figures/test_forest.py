import matplotlib as mpl
import pytest

from bench.report.claims import judge
from bench.report.figures.forest import forest_plot
from bench.report.read.results import collect

PEOPLE = tuple(f"s{i}" for i in range(6))
GAIN = {s: 1.0 + 0.1 * i for i, s in enumerate(PEOPLE)}


def drawn(results, people):
    results.add("dl-espirit~rrdb", "joint", gain=GAIN, subjects=people, loss="l1", kept=0)
    results.add("dl-espirit+rrdb", "sequential", subjects=people, loss="l1", kept=0)
    results.add("dl-espirit~bebygan", "joint", gain=GAIN, subjects=people, loss="gan", kept=0)
    results.add("dl-espirit+bebygan", "sequential", subjects=people, loss="gan", kept=0)
    (collected,) = collect(results.folder)
    return forest_plot(collected, judge(collected))


def test_a_dot_a_person_a_panel_a_class(results):
    first, second = drawn(results, PEOPLE).axes
    assert (first.get_title(loc="left"), second.get_title(loc="left")) == ("class l1", "class gan")
    (dots,) = [found for found in first.collections if len(found.get_offsets()) == 6]
    assert dots.get_offsets()[:, 0].tolist() == pytest.approx(list(GAIN.values()), abs=1e-4)
    assert first.get_yticklabels()[0].get_text() == "(3) dl-espirit~rrdb − dl-espirit+rrdb\ndl-espirit~rrdb better"
    assert second.get_xlabel() == "LPIPS fg; left of 0: in favour of the first"


def test_the_band_is_what_is_called_equal(results):
    first, second = drawn(results, PEOPLE).axes
    for axis, margin in ((first, 0.2), (second, 0.005)):
        (band,) = [patch for patch in axis.patches if isinstance(patch, mpl.patches.Rectangle)]
        assert (band.get_x(), band.get_width()) == pytest.approx((-margin, 2 * margin))


def test_few_people_have_dots_and_no_interval(results):
    first, _ = drawn(results, PEOPLE[:3]).axes
    label = first.get_yticklabels()[0].get_text()
    assert label.endswith("3 people, not tested")
    assert all(len(set(line.get_xdata())) == 1 for line in first.lines)  # upright bars only


def test_nothing_to_compare_nothing_drawn(results):
    results.add()
    (collected,) = collect(results.folder)
    assert forest_plot(collected, judge(collected)) is None
