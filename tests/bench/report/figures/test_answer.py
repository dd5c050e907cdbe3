import matplotlib as mpl
import pytest

from bench.report.claims import judge
from bench.report.figures.answer import EXPLORATORY, answer_plot, claims
from bench.report.read.results import collect

PEOPLE = tuple(f"s{i}" for i in range(6))
GAIN = {s: 1.0 + 0.1 * i for i, s in enumerate(PEOPLE)}


def made(results, people, **more):
    results.add("dl-espirit~rrdb", "joint", gain=GAIN, subjects=people, loss="l1", kept=0, **more)
    results.add("dl-espirit+rrdb", "sequential", subjects=people, loss="l1", kept=0, **more)
    results.add("dl-espirit~bebygan", "joint", gain=GAIN, subjects=people, loss="gan", kept=0, **more)
    results.add("dl-espirit+bebygan", "sequential", subjects=people, loss="gan", kept=0, **more)
    return claims([(found, judge(found)) for found in collect(results.folder)])


def drawn(results, people, **more):
    return answer_plot(made(results, people, **more))


def words(axis):
    return [text.get_text() for text in axis.texts]


def test_a_dot_a_person_a_panel_a_class(results):
    first, second = drawn(results, PEOPLE).axes
    (dots,) = [found for found in first.collections if len(found.get_offsets()) == 6]
    assert dots.get_offsets()[:, 0].tolist() == pytest.approx(list(GAIN.values()), abs=1e-4)
    assert words(first) == [
        "what training together adds: dl-espirit~rrdb − dl-espirit+rrdb",
        "+1.25, dl-espirit~rrdb better",
    ]
    assert [label.get_text() for label in first.get_yticklabels()] == ["", "vwi"]
    assert first.get_xlabel() == "class l1: PSNR fg, dB; right of 0 in favour of the first"
    assert second.get_xlabel() == "class gan: LPIPS fg; left of 0 in favour of the first"


def test_a_row_a_dataset_below_the_words_of_a_comparison(results):
    made(results, PEOPLE, dataset="brain")
    data = made(results, PEOPLE[:2])
    first, _ = answer_plot(data).axes
    assert [label.get_text() for label in first.get_yticklabels()] == ["", "brain", "vwi"]
    assert words(first)[1:] == ["+1.25, dl-espirit~rrdb better", "+1.05, 2 people"]


def test_what_stands_beside_and_what_is_exploratory(results):
    for method, group in (("hr-refined", "joint"), ("hr-refined-frozen", "sequential")):
        results.add(method, group, gain=GAIN if group == "joint" else None, subjects=PEOPLE, loss="l1", kept=0)
    (found,) = collect(results.folder)
    data = claims([(found, judge(found))])
    shown = data.drop_duplicates("asks").set_index("claim")["shown"]
    assert shown[0] == f"hr-refined better{EXPLORATORY}"
    assert data.groupby("asks").size().tolist() == [6]


def test_the_band_is_what_is_called_equal(results):
    first, second = drawn(results, PEOPLE).axes
    for axis, margin in ((first, 0.2), (second, 0.005)):
        (band,) = [patch for patch in axis.patches if isinstance(patch, mpl.patches.Rectangle)]
        assert (band.get_x(), band.get_width()) == pytest.approx((-margin, 2 * margin))


def test_few_people_have_dots_and_no_interval(results):
    data = made(results, PEOPLE[:3])
    assert data["low"].isna().all()
    assert set(data["shown"]) == {"3 people"}
    first, _ = answer_plot(data).axes
    assert all(len(set(line.get_xdata())) == 1 for line in first.lines)  # upright bars only


def test_nothing_to_compare_nothing_drawn(results):
    results.add()
    (collected,) = collect(results.folder)
    assert answer_plot(claims([(collected, judge(collected))])) is None
