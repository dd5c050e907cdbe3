import re

import pytest

from bench.report.claims import judge
from bench.report.read.results import collect
from bench.report.tables import verdict

PEOPLE = tuple(f"s{i}" for i in range(10))
SIGNS = [1, -1, 0.5, -0.5, 1, -1, 0.5, -0.5, 0.2, -0.2]


def written(results):
    (collected,) = collect(results.folder)
    return verdict.markdown(collected, judge(collected))


def pair(results, one, other, mean, spread=0.1, loss="l1", people=PEOPLE, **more):
    """Two methods, the first `mean` dB above the other, with that spread over people."""
    gain = {s: mean + spread * sign for s, sign in zip(PEOPLE, SIGNS, strict=True)}
    results.add(one, "joint", gain=gain, subjects=people, loss=loss, kept=0, **more)
    results.add(other, "sequential", subjects=people, loss=loss, kept=0, **more)


STRONGEST = ("dl-espirit~rrdb", "dl-espirit+rrdb")
END_TO_END = ("ablation-end-to-end-l1", "ablation-separate-l1")


def rows(text, heading):
    """Rows of the table under a heading, as lists of cells."""
    block = text.split(f"## {heading}\n")[1].strip().split("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in block.splitlines()[2:]]


def test_question_and_definition_stand_first(results):
    pair(results, *STRONGEST, 1.0)
    lines = [line for line in written(results).splitlines() if line]
    assert "jointly beat doing one after the other" in lines[1]
    assert lines[2].startswith("Joint: the loss on the HR image reaches everything that is learned, or one network")


def test_one_sentence_with_figure_interval_and_people(results):
    pair(results, *STRONGEST, 1.0)
    text = written(results)
    said = "(3, l1) what training together adds, on the strongest halves: dl-espirit~rrdb − dl-espirit+rrdb: PSNR fg +1.00 dB "
    assert said + "(97.5 % interval +0.94 to +1.06, 10 people): dl-espirit~rrdb better." in text
    assert "takes their differences to be about normal" in text
    assert rows(text, "Declared comparisons")[0][4:7] == ["+1.00", "+0.94 to +1.06 (97.5 %)", "10"]


@pytest.mark.parametrize(
    ("mean", "spread", "said"),
    [
        (-1.0, 0.1, "dl-espirit+rrdb better."),
        (0.1, 0.02, "dl-espirit~rrdb better, by less than matters."),
        (0.0, 0.1, "practically equal."),
        (0.3, 0.6, r"not decided: would need about \d+ people."),
    ],
)
def test_every_outcome_has_its_words(results, mean, spread, said):
    pair(results, *STRONGEST, mean, spread)
    assert re.search(rf"10 people\): {re.escape(said) if 'd+' not in said else said}\n", written(results))


def test_every_person_is_listed(results):
    pair(results, *STRONGEST, 1.0)
    found = rows(written(results), "Every person")
    assert [row[0] for row in found] == list(PEOPLE)
    assert [row[1] for row in found[:3]] == ["+1.10", "+0.90", "+1.05"]


@pytest.mark.parametrize("people", [PEOPLE[:1], PEOPLE[:2], PEOPLE[:4]])
def test_below_five_people_nobody_is_better_anywhere(results, people):
    pair(results, *STRONGEST, 1.0, people=people)
    pair(results, "hr-refined", "hr-refined-frozen", 1.0, people=people)
    text = written(results)
    assert "better" not in text
    assert "point estimates and dots only" in text
    assert " to +" not in text
    figures = "one person" if len(people) == 1 else f"each of {len(people)} people: +1.10, +0.90"
    assert f"PSNR fg {'+1.10' if len(people) == 1 else '+1.0'}" in text
    assert figures in text


def test_what_comes_after_an_undecided_one_is_called_exploratory(results):
    pair(results, *STRONGEST, 0.1, 1.0)
    pair(results, *END_TO_END, 1.0)
    text = written(results)
    assert re.search(
        r"\(2, l1\) .*\(95 % interval [^)]*; exploratory, as \(3\) showed no difference, p \(Holm\) < 0.001\)", text
    )
    assert "exploratory)" in rows(text, "Declared comparisons")[1][7]


def test_what_was_not_made_is_said(results):
    pair(results, *STRONGEST, 1.0)
    text = written(results)
    assert (
        "Not made: (2, l1) no rows: ablation-end-to-end-l1, ablation-separate-l1; (1, l1) no rows: proposed-l1" in text
    )
    assert rows(text, "Declared comparisons")[1][-1] == "no rows: ablation-end-to-end-l1, ablation-separate-l1"


def test_nothing_to_compare_and_why(results):
    results.fail("proposed", reason="out of luck")
    text = written(results)
    assert "No declared comparison has rows (proposed: failed: out of luck)." in text
    assert "better" not in text


def test_picks_and_costs_stand_beside_the_claim(results):
    pair(results, "mine", "a+b", 1.0)
    for method, value in (("mine", 31.5), ("a+b", 30.5)):
        folder = results.layout.run("vwi", "laptop", method, 0)
        text = folder.record.read_text().replace('"key": "k"', f'"key": "{method}"')
        folder.record.write_text(text)
        results.stage(
            method, validation={"psnr_fg": value}, iterations=600, seconds=10 * value, training_gmac=1e3 * value
        )
    text = written(results)
    assert "best joint mine (31.50, of 1 method), best sequential a+b (30.50, of 1 method)" in text
    assert "mine − a+b (picked): PSNR fg +1.00 dB" in text
    (cost,) = rows(text, "Cost, one / other")
    assert cost[3:8] == ["600 / 600", "315 / 305", "31.5 / 30.5", "0.500 / 0.500", "1.50 / 1.50"]
    assert cost[8:] == ["1,000 / 1,000", "120 / 120"]


def test_exploratory_ones_are_adjusted_and_apart(results):
    pair(results, *STRONGEST, 1.0)
    pair(results, "hr-refined", "hr-refined-frozen", 1.0)
    found = rows(written(results), "Exploratory")
    assert [row[0] for row in found].count("hr-refined − hr-refined-frozen") == 4  # psnr_fg, ssim_fg, psnr, ssim
    psnr = next(row for row in found if row[0].startswith("hr-") and row[2] == "PSNR fg, dB")
    assert psnr[-1] == "hr-refined better"


def test_more_people_in_five_folds_may_never_do(results):
    for fold in range(5):
        own = PEOPLE[2 * fold : 2 * fold + 2]
        split = {"test": own, "train": tuple(p for p in PEOPLE if p not in own)[:7]}
        pair(results, *STRONGEST, 0.3, 0.6, people=own, fold=fold, record_subjects=split)
    said = written(results)
    assert re.search(
        r"more people in five folds would not do, about \d+ new people would for these networks alone", said
    )
    assert "variance (1/n + 0.286) s² as 5 folds share training people" in said
    assert "One fold:" not in said


def test_what_chance_in_training_does_is_shown_on_the_same_people(results):
    pair(results, *STRONGEST, 1.0, spread=0, people=PEOPLE[:2])
    pair(results, *STRONGEST, 3.0, spread=0, people=PEOPLE[:2], seed=1)
    pair(results, *STRONGEST, 9.0, spread=0, people=PEOPLE[2:], fold=1)
    pair(results, *END_TO_END, 1.0)
    text = written(results)
    seeds = rows(text, "By training seed, the same people")
    assert seeds == [["(3)", "l1", "dl-espirit~rrdb − dl-espirit+rrdb", "PSNR fg, dB", "2", "+1.00", "+3.00"]]
    assert "2 training seeds at most: what chance in training does stands by seed, and is in no interval." in text


def test_of_one_seed_there_is_no_table_of_seeds(results):
    pair(results, *STRONGEST, 1.0)
    assert "By training seed" not in written(results)
