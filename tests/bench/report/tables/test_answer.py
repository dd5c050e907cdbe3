import numpy as np
import pandas as pd
import pytest

from bench.report.claims import judge
from bench.report.read.results import collect
from bench.report.tables import answer
from bench.store.records import StageUse

PEOPLE = tuple(f"s{i}" for i in range(10))
NOISE = np.array([0.31, 0.10, 0.19, 0.13, 0.12, 0.25, 0.08, 0.22, 0.15, 0.17]) - 0.172


def ten(results, one, other, gain, noise=0.1, loss="l1", **more):
    """Two methods on ten people of one fold; the first is so much better."""
    gains = dict(zip(PEOPLE, gain + noise * NOISE, strict=True))
    results.add(one, "joint", loss=loss, gain=gains, subjects=PEOPLE, kept=0, **more)
    results.add(other, "sequential", loss=loss, subjects=PEOPLE, kept=0, **more)


def judged(results):
    return [(found, judge(found)) for found in collect(results.folder)]


STRONGEST = "dl-espirit~rrdb", "dl-espirit+rrdb"
ENDS = "ablation-end-to-end-l1", "ablation-separate-l1"


@pytest.mark.parametrize(
    ("gain", "said"),
    [
        (1.0, "Joint: of 1 comparison of joint with sequential training (class l1, 10 people each), 1 found joint ahead."),
        (-1.0, "Sequence: of 1 comparison of joint with sequential training (class l1, 10 people each), none found "
               "joint ahead and 1 found the sequence ahead."),
        (0.0, "No winner: of 1 comparison of joint with sequential training (class l1, 10 people each), none found "
              "joint ahead and 1 found the two practically equal."),
    ],
)  # fmt: skip
def test_the_sentence_counts_who_is_ahead(results, gain, said):
    ten(results, *STRONGEST, gain)
    assert answer.in_a_sentence(judged(results)) == said


def test_what_is_exploratory_gives_no_lead(results):
    ten(results, *STRONGEST, 0.0)  # ends the confirmatory part
    ten(results, "ablation-end-to-end-l1", "ablation-separate-l1", 1.0)
    said = answer.in_a_sentence(judged(results))
    assert said.startswith("No winner: of 2 comparisons")
    assert "1 found joint ahead (exploratory) and 1 found the two practically equal." in said


def test_what_the_interaction_adds_is_no_comparison_of_joint_with_sequential(results):
    ten(results, "proposed-l1", "ablation-end-to-end-l1", 1.0)
    assert answer.in_a_sentence(judged(results)).startswith("Not tested")
    (said,) = answer.by_comparison(judged(results))
    assert said.startswith(
        "What the interaction of the two parts adds (proposed-l1 − ablation-end-to-end-l1), PSNR fg, dB"
    )
    assert "proposed-l1 better" in said


def test_a_sentence_holds_every_dataset_with_its_people(results):
    ten(results, *STRONGEST, 1.0)
    for method, group in zip(STRONGEST, ("joint", "sequential"), strict=True):
        results.add(
            method, group, loss="l1", dataset="vfa", subjects=("p",), contrasts=("fa05",), label="real raw data"
        )
    (said,) = answer.by_comparison(judged(results))
    assert "vfa +0.00 (one person, not tested); vwi +1.00 (" in said
    assert said.endswith("dl-espirit~rrdb better.")


def in_cells(results, gain, less):
    """The strongest pair in two cells, so much apart, in one of them so much less."""
    cells = ("r4-c8-n01", "r8-c4-n07")
    more = {"loss": "l1", "dataset": "regimes", "contrasts": cells}
    folder = results.add(STRONGEST[0], "joint", gain=dict.fromkeys(("s0", "s1", "s2"), gain), **more)
    results.add(STRONGEST[1], "sequential", **more)
    rows = pd.read_csv(folder.slices)
    rows.loc[rows["contrast"] == cells[0], "psnr_fg"] -= less
    rows.to_csv(folder.slices, index=False)
    results.reseal(folder)
    (said,) = answer.where(judged(results))
    return said


def test_where_says_in_how_many_cells_a_difference_matters(results):
    assert in_cells(results, 0.5, 0.35) == (
        "Where: over the 2 cells of regimes (rA-cC-nN: acceleration, coils, noise in hundredths), dl-espirit~rrdb − "
        "dl-espirit+rrdb is +0.15 to +0.50 dB, more than 0.2 dB in 1 of them, most in r8-c4-n07."
    )


def test_where_says_that_it_matters_nowhere(results):
    assert in_cells(results, 0.1, 0.15) == (
        "Where: over the 2 cells of regimes (rA-cC-nN: acceleration, coils, noise in hundredths), dl-espirit~rrdb − "
        "dl-espirit+rrdb is -0.05 to +0.10 dB, more than 0.2 dB in none of them."
    )
    assert not answer.where([])


def test_the_cells_are_explained_once(results):
    for one, other in (STRONGEST, ENDS):
        for method, group in ((one, "joint"), (other, "sequential")):
            results.add(method, group, loss="l1", dataset="regimes", contrasts=("r4-c8-n01", "r8-c4-n07"))
    first, second = answer.where(judged(results))
    assert first.startswith("Where: over the 2 cells of regimes (rA-cC-nN: ")
    assert second.startswith("Over the same cells, ablation-end-to-end-l1 − ablation-separate-l1 is ")


def test_of_other_cells_it_is_said_how_many_they_are(results):
    for cells, pair in ((("r4-c8-n01", "r8-c4-n07"), STRONGEST), (("r4-c8-n01",), ENDS)):
        for method, group in zip(pair, ("joint", "sequential"), strict=True):
            results.add(method, group, loss="l1", dataset="regimes", contrasts=cells)
    said = answer.where(judged(results))
    assert [" ".join(sentence.split()[:4]) for sentence in said] == ["Where: over the 2", "Where: over the 1"]


def test_the_limits_name_kind_of_data_and_size_of_networks(results):
    ten(results, *STRONGEST, 1.0, parameters=250_000)
    results.stage("dl-espirit~rrdb", key="k", iterations=600)
    said = " ".join(answer.limits(judged(results)))
    assert "vwi: simulated acquisition, 10 people." in said
    assert (
        "at most 0.25 M parameters, 600 updates a stage (the paper: 400,000): this neither confirms nor refutes" in said
    )
    assert "1 training seed at most." in said
    assert "Nothing was trained longer." in said


def test_what_was_trained_longer_is_no_limit(results):
    for method, updates in zip(STRONGEST, (600, 1200), strict=True):
        ten_of = {"subjects": PEOPLE, "loss": "l1", "stages": (StageUse(method, method, 1, "0" * 64),)}
        results.add(method, "joint" if "~" in method else "sequential", **ten_of)
        results.stage(method, iterations=updates)
    said = " ".join(answer.limits(judged(results)))
    assert "600 or 1,200 updates a stage" in said
    assert "Nothing was trained longer" not in said


def test_a_refinement_without_its_frozen_twin_is_a_limit(results):
    results.add("hr-refined", "joint", loss="l1")
    assert "vwi: no hr-refined-frozen beside hr-refined" in " ".join(answer.limits(judged(results)))
    results.add("hr-refined-frozen", "sequential", loss="l1")
    assert "hr-refined-frozen" not in " ".join(answer.limits(judged(results)))


def test_a_winner_without_its_sequential_twin_says_so_at_once(results):
    gains = dict(zip(PEOPLE, 1 + 0.1 * NOISE, strict=True))
    for method, group, gain in (("hr-refined", "joint", gains), ("dl-espirit+rrdb", "sequential", {})):
        results.add(
            method, group, loss="l1", gain=gain, subjects=PEOPLE, stages=(StageUse(method, method, 1, "0" * 64),)
        )
        results.stage(method, validation={"psnr_fg": 30.0})
    assert "1 found joint ahead (its sequential twin was not run there)." in answer.in_a_sentence(judged(results))
    results.add("hr-refined-frozen", "sequential", loss="l1", subjects=PEOPLE)
    assert "1 found joint ahead." in answer.in_a_sentence(judged(results))


def test_datasets_of_the_same_people_say_so(results):
    ten(results, *STRONGEST, 1.0)
    ten(results, *STRONGEST, 1.0, dataset="brain")
    assert "brain, vwi: simulated acquisition, the same 10 people." in answer.limits(judged(results))


def test_a_few_rows_are_those_of_the_dataset_with_most_people(results):
    ten(results, *STRONGEST, 1.0)
    results.add("cg-sense+sinc", "sequential", subjects=PEOPLE, loss="none")
    results.add("oracle+sinc", "bound", subjects=PEOPLE, loss="none")
    results.add("proposed-l1", "joint", subjects=PEOPLE, loss="l1")
    results.add("proposed", "joint", dataset="vfa", subjects=("p",), loss="gan")
    table = answer.few_rows(judged(results))
    assert (
        table.caption
        == "vwi, profile laptop: simulated acquisition, 10 people; means over people; best: by validation."
    )
    assert [row[:2] for row in table.rows] == [
        ["the paper's network", "proposed-l1"],
        ["CG-SENSE", "cg-sense+sinc"],
        ["bound: no reconstruction error", "oracle+sinc"],
    ]
    assert all(len(row) == len(table.header) for row in table.rows)
