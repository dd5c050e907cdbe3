import numpy as np
import pytest
from scipy import stats

from bench.report.read.results import collect
from bench.report.tables import details
from bench.report.tables.captions import caption, notes
from bench.report.tables.main import best, body, cell, lines, number, significant, tied
from bench.store.records import StageUse


def only(results):
    (collected,) = collect(results.folder)
    return collected


PEOPLE = tuple(f"s{i}" for i in range(8))


def test_mean_and_std_over_slices(results):
    results.add(psnr=30.0, slices=3, subjects=("s0",))  # 30.0, 30.1, 30.2
    (line,) = lines(only(results))
    assert line.means["psnr"] == pytest.approx(30.1)
    assert line.stds["psnr"] == pytest.approx(0.1 * np.sqrt(2 / 3))  # ddof 0
    assert cell(line, "psnr") == "30.10 ± 0.08"
    assert (line.slices, line.subjects, line.seconds, line.memory_mb, line.parameters) == (3, 1, 0.5, 120, 1000)


def test_slices_of_two_seeds_are_counted_once(results):
    results.add(psnr=30.0, slices=1, seed=0)
    results.add(psnr=32.0, slices=1, seed=1)
    collected = only(results)
    (line,) = lines(collected)
    assert (line.slices, line.subjects) == (3, 3)
    assert (line.means["psnr"], line.stds["psnr"]) == pytest.approx((31.0, 1.0))
    assert "3 slices of 3 test subjects, 2 training seeds" in caption(collected)


def test_equal_as_printed_is_equally_best(results):
    results.add("a", "joint", psnr=30.001)
    results.add("b", "joint", psnr=30.003)
    assert best(lines(only(results)), "psnr") == {"a", "b"}


def test_partly_missing_score_is_told(results):
    folder = results.add("proposed", slices=4, subjects=("s0",))
    text = (folder.slices).read_text().replace(",0.05,", ",,", 1)
    (folder.slices).write_text(text)
    results.reseal(folder)
    assert "proposed: LPIPS is the mean over 3 of 4 rows." in notes(only(results), lines(only(results)))


def test_caption_says_what_kind_of_data(results):
    results.add(label="real raw data, one person", subjects=("s0",), slices=1)
    said = caption(only(results))
    assert said.startswith(
        "vwi, profile laptop: real raw data, one person; 1 slice of 1 test subject, 1 training seed."
    )


def test_numbers():
    assert (number(-0.001, 2), number(0.5, 2, "+"), number(float("nan"), 2)) == ("0.00", "+0.50", "–")


@pytest.mark.parametrize(
    ("value", "text"), [(0.000684, "0.000684"), (0.0262, "0.0262"), (12.345, "12.3"), (5432.1, "5432")]
)
def test_three_significant_digits(value, text):
    assert significant(value) == text


def test_ties_are_adjusted_for_the_number_of_methods(results):
    """One difference of p = 0.03 is shown alone, and not among four."""
    wave = np.array([1, -1, 1, -1, 1, -1, 1, -1.0])
    size = next(d for d in np.linspace(0.3, 2, 500) if stats.ttest_1samp(wave + d, 0).pvalue < 0.03)
    results.add("best", "joint", psnr=30.0, subjects=PEOPLE)
    gain = dict(zip(PEOPLE, wave, strict=True))
    results.add("a+b", "sequential", psnr=30.0 - size, gain=gain, subjects=PEOPLE)
    assert tied(lines(only(results)), "psnr") == set()
    for other in ("a+c", "a+d", "a+e"):
        results.add(other, "sequential", psnr=30.0 - size, gain=gain, subjects=PEOPLE)
    assert tied(lines(only(results)), "psnr") == {"a+b", "a+c", "a+d", "a+e"}


def test_a_discriminator_that_was_not_at_work_is_marked(results):
    for method, accuracy in (("proposed", 0.99), ("t2net", 0.7), ("modl+sinc", None)):
        results.add(method, stages=(StageUse(method, method, 1, "0"),), loss="gan")
        results.stage(method, critic_accuracy=accuracy)
    table = lines(only(results))
    rows = {row[0]: row for row in body(table, str)}
    assert [rows[m][2] for m in ("proposed", "t2net", "modl+sinc")] == ["gan ‡", "gan", "gan"]
    said = "‡ discriminator's accuracy outside 0.55 to 0.95 at the end: it guesses, or is always right: proposed."
    assert said in notes(only(results), table)


def test_the_residual_of_an_equilibrium_stands_in_the_details(results):
    results.add("proposed", details={"residual": 0.00123})
    results.add("modl+sinc", "sequential")
    table = details.table(only(results))
    column = table.header.index("residual ↓")
    assert [row[column] for row in table.rows] == ["0.00123 ± 0.00000", "–"]


def test_a_person_with_more_slices_weighs_as_much_as_another(results):
    results.add(psnr=30.0, slices=3, subjects=("s0",))
    results.add(psnr=32.0, slices=1, subjects=("s1",), fold=1)
    (line,) = lines(only(results))
    assert line.means["psnr"] == pytest.approx((30.1 + 32.0) / 2)
