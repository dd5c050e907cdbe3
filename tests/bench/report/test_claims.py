import numpy as np
import pytest
from scipy import stats

from bench.report import declared
from bench.report.claims import judge, person_differences, pick
from bench.report.read.results import collect
from bench.report.statistics import Outcome
from bench.report.tables.verdict import sentence
from bench.store.records import StageUse

SHAPE = np.array([0.31, 0.10, 0.19, 0.13, 0.12, 0.25, 0.08, 0.22, 0.15, 0.17])
SHAPE = (SHAPE - SHAPE.mean()) / SHAPE.std(ddof=1)
PEOPLE = tuple(f"s{i}" for i in range(10))


def only(results):
    (collected,) = collect(results.folder)
    return collected


def split(fold):
    """Two tested, one for validation, seven trained on."""
    test = [PEOPLE[2 * fold], PEOPLE[2 * fold + 1]]
    validation = PEOPLE[(2 * fold + 2) % 10]
    train = tuple(p for p in PEOPLE if p not in (*test, validation))
    return {"train": train, "validation": (validation,), "test": tuple(test)}


def in_folds(results, method, group, loss, mean=0.0, spread=0.0, folds=range(5), **more):
    """A method that is `mean` dB above 30, with that spread over people; what it does to LPIPS is a hundredth."""
    gain = dict(zip(PEOPLE, mean + spread * SHAPE, strict=True))
    for fold in folds:
        own = split(fold)
        results.add(
            method, group, loss=loss, gain=gain, subjects=own["test"], fold=fold, record_subjects=own, kept=0, **more
        )


def l1_pair(results, one, other, mean, spread=0.1):
    in_folds(results, one, "joint", "l1", mean, spread)
    in_folds(results, other, "sequential", "l1")


def by_number(found, loss="l1"):
    return {claim.declared.number: claim for claim in found.declared if claim.declared.loss == loss}


def test_the_order_is_fixed():
    for loss in declared.CLASSES:
        assert [c.number for c in declared.COMPARISONS if c.loss == loss] == [3, 2, 1, 4]
    assert {c.one for c in declared.COMPARISONS} >= {"proposed", "proposed-l1", "dl-espirit~rrdb", "dl-espirit~bebygan"}


def test_folds_are_pooled_person_by_person_with_the_corrected_variance(results):
    l1_pair(results, "dl-espirit~rrdb", "dl-espirit+rrdb", 0.25)
    claim = by_number(judge(only(results)))[3]
    assert dict(claim.people) == pytest.approx(dict(zip(PEOPLE, 0.25 + 0.1 * SHAPE, strict=True)), abs=1e-4)
    assert (claim.paired.people, claim.paired.test_share, claim.paired.level) == (10, pytest.approx(2 / 7), 0.025)
    error = 0.1 * np.sqrt(0.1 + 2 / 7)
    assert claim.paired.p == pytest.approx(2 * stats.t.sf(0.25 / error, 9), rel=1e-2)
    assert (claim.confirmatory, claim.outcome, claim.winner) == (True, Outcome.DIFFERENT, "dl-espirit~rrdb")


def test_the_first_without_a_difference_ends_the_confirmatory_part(results):
    l1_pair(results, "dl-espirit~rrdb", "dl-espirit+rrdb", 1.0)
    l1_pair(results, "ablation-end-to-end-l1", "ablation-separate-l1", 0.02, 0.3)
    in_folds(results, "proposed-l1", "joint", "l1", 2.0, 0.1)
    found = by_number(judge(only(results)))
    assert [found[n].confirmatory for n in (3, 2, 1)] == [True, True, False]
    assert (found[2].outcome, found[1].after) == (Outcome.UNDECIDED, 2)
    assert np.isnan(found[3].p_holm)
    assert found[1].p_holm > found[1].paired.p  # adjusted with the others that are exploratory
    assert found[1].paired.level == declared.EXPLORATORY_LEVEL


def test_practically_equal_ends_it_too(results):
    l1_pair(results, "dl-espirit~rrdb", "dl-espirit+rrdb", 0.01, 0.05)
    l1_pair(results, "ablation-end-to-end-l1", "ablation-separate-l1", 1.0)
    found = by_number(judge(only(results)))
    assert found[3].outcome is Outcome.EQUAL
    assert not found[2].confirmatory


def test_what_has_no_rows_says_so_and_is_passed_over(results):
    in_folds(results, "dl-espirit+rrdb", "sequential", "l1")
    l1_pair(results, "ablation-end-to-end-l1", "ablation-separate-l1", 1.0)
    found = by_number(judge(only(results)))
    assert found[3].missing == "no rows: dl-espirit~rrdb"
    assert found[1].missing == "no rows: proposed-l1"
    assert found[2].confirmatory
    assert "no pick: no joint and no sequential method with rows of every fold" in found[4].missing


def test_too_few_people_end_it_as_well(results):
    in_folds(results, "dl-espirit~rrdb", "joint", "l1", 1.0, 0.1)
    in_folds(results, "dl-espirit+rrdb", "sequential", "l1", folds=(0,))
    l1_pair(results, "ablation-end-to-end-l1", "ablation-separate-l1", 1.0)
    found = by_number(judge(only(results)))
    assert not found[3].paired.tested
    assert (found[2].confirmatory, found[2].after, found[2].after_untested) == (False, 3, True)
    assert "exploratory, as (3) was not tested, p (Holm)" in sentence(found[2])


def test_classes_do_not_end_each_other(results):
    l1_pair(results, "dl-espirit~rrdb", "dl-espirit+rrdb", 0.02, 0.3)
    in_folds(results, "dl-espirit~bebygan", "joint", "gan", -2.0, 0.1)
    in_folds(results, "dl-espirit+bebygan", "sequential", "gan")
    claim = by_number(judge(only(results)), "gan")[3]
    assert (claim.score, claim.confirmatory) == ("lpips_fg", True)
    assert claim.paired.mean == pytest.approx(-0.02)
    assert claim.winner == "dl-espirit~bebygan"  # less LPIPS


def staged(results, method, group, loss, validation, folds=range(5), mean=0.0):
    stages = (StageUse(method.split("+")[0], "first", 1, "0"), StageUse(method, method, 1, "0"))
    in_folds(results, method, group, loss, mean, 0.1, folds, stages=stages)
    results.stage(method, validation=validation)


def test_rivals_are_picked_on_validation_among_those_with_every_fold(results):
    staged(results, "a+x", "sequential", "l1", {"psnr_fg": 33.0, "lpips_fg": 0.1})
    staged(results, "b+x", "sequential", "l1", {"psnr_fg": 34.0}, mean=-3.0)  # worse where it is tested
    staged(results, "c+x", "sequential", "l1", {"psnr_fg": 35.0}, folds=[0])
    staged(results, "d+x", "sequential", "gan", {"psnr_fg": 36.0, "lpips_fg": 0.2})
    staged(results, "e+x", "sequential", "gan", {"psnr_fg": 30.0, "lpips_fg": 0.1})
    staged(results, "modl+sinc", "sequential", "l1", {})
    staged(results, "j", "joint", "l1", {"psnr_fg": 31.0})
    collected = only(results)
    found = pick(collected, "l1", "sequential")
    assert (found.method, found.value, found.among) == ("b+x", 34.0, 2)
    assert pick(collected, "gan", "sequential").method == "e+x"
    assert pick(collected, "gan", "joint") is None
    claim = by_number(judge(collected))[4]
    assert (claim.one, claim.other) == ("j", "b+x")
    assert claim.paired.mean == pytest.approx(3.0)


def test_the_other_joint_methods_meet_the_picked_rival_in_the_scores_of_their_class(results):
    staged(results, "a+x", "sequential", "l1", {"psnr_fg": 33.0})
    staged(results, "mine", "joint", "l1", {"psnr_fg": 31.0}, folds=[0])
    found = judge(only(results)).exploratory
    assert {(c.one, c.other) for c in found} == {("mine", "a+x")}
    assert [c.score for c in found] == list(declared.JUDGED["l1"])


def test_beside_the_declared_stands_what_refining_together_adds(results):
    in_folds(results, "hr-refined", "joint", "l1", 1.0, 0.1)
    in_folds(results, "hr-refined-frozen", "sequential", "l1")
    found = judge(only(results))
    first = found.exploratory[0]
    assert (first.one, first.other, first.score) == ("hr-refined", "hr-refined-frozen", "psnr_fg")
    assert not first.confirmatory
    assert first.outcome is Outcome.DIFFERENT


def test_one_fold_is_not_corrected_and_two_people_are_not_tested(results):
    in_folds(results, "dl-espirit~rrdb", "joint", "l1", 1.0, 0.1, [0])
    in_folds(results, "dl-espirit+rrdb", "sequential", "l1", folds=range(5))
    found = judge(only(results))
    claim = by_number(found)[3]
    assert (claim.paired.people, claim.paired.test_share) == (2, 0.0)
    assert (claim.outcome, claim.confirmatory, found.tested) == (Outcome.NONE, False, False)


def test_only_slices_and_seeds_that_both_have_are_compared(results):
    for seed, psnr in ((0, 31.0), (1, 99.0)):
        results.add("a", psnr=psnr, subjects=PEOPLE, seed=seed, slices=2)
    results.add("b", psnr=30.0, subjects=PEOPLE, seed=0, slices=4)
    values = person_differences(only(results), "a", "b", "psnr")
    assert values.to_dict() == pytest.approx(dict.fromkeys(PEOPLE, 1.0))


def test_seeds_are_averaged_within_a_person(results):
    for seed, psnr in ((0, 31.0), (1, 33.0)):
        results.add("a", psnr=psnr, subjects=PEOPLE, seed=seed)
        results.add("b", psnr=30.0, subjects=PEOPLE, seed=seed)
    values = person_differences(only(results), "a", "b", "psnr")
    assert values.to_dict() == pytest.approx(dict.fromkeys(PEOPLE, 2.0))


def test_a_person_with_more_slices_weighs_as_much_as_another(results):
    for subject, slices, psnr in (("s0", 9, 31.0), ("s1", 1, 33.0)):
        for method, level in (("a", psnr), ("b", 30.0)):
            results.add(method, psnr=level, subjects=(subject,), slices=slices, fold=int(subject[1]))
    assert person_differences(only(results), "a", "b", "psnr").to_dict() == pytest.approx({"s0": 1.0, "s1": 3.0})


def test_a_contrast_alone_is_exploratory(results):
    in_folds(results, "dl-espirit~rrdb", "joint", "l1", 1.0, 0.1, contrasts=("t1w", "t2w"))
    in_folds(results, "dl-espirit+rrdb", "sequential", "l1", contrasts=("t1w", "t2w"))
    claim = by_number(judge(only(results), "t2w"))[3]
    assert (claim.confirmatory, claim.after, claim.paired.level) == (False, 0, declared.EXPLORATORY_LEVEL)


def test_every_pair_trained_together_meets_the_same_halves_in_sequence(results):
    in_folds(results, "mine~rrdb", "joint", "l1", 1.0, 0.1)
    in_folds(results, "mine+rrdb", "sequential", "l1")
    found = judge(only(results)).exploratory
    assert [(c.one, c.other, c.score) for c in found] == [
        ("mine~rrdb", "mine+rrdb", score) for score in declared.JUDGED["l1"]
    ]
    assert found[0].outcome is Outcome.DIFFERENT
