import pytest
from scipy import stats

from bench.report.read.results import collect
from bench.report.statistics import ACROSS, WITHIN
from bench.report.tables import verdict
from bench.store.records import StageUse

PEOPLE = tuple(f"s{i}" for i in range(7))


def judged(results):
    (collected,) = collect(results.folder)
    found = verdict.compare_groups(collected)
    return found, verdict.markdown(collected, found)


def by_score(found, joint="proposed"):
    return {comparison.score: comparison for comparison in found if comparison.joint == joint}


def test_joint_minus_the_best_sequential(results):
    results.add("proposed", "joint", psnr=31.0, lpips=0.10, subjects=PEOPLE)
    results.add("modl+sinc", "sequential", psnr=30.0, lpips=0.12, subjects=PEOPLE)
    results.add("modl+gan", "sequential", psnr=29.0, lpips=0.05, subjects=PEOPLE)
    results.add("oracle+sinc", "bound", psnr=50.0, lpips=0.01, subjects=PEOPLE)
    found, text = judged(results)
    psnr, lpips = by_score(found)["psnr"], by_score(found)["lpips"]
    assert (psnr.sequential, lpips.sequential) == ("modl+sinc", "modl+gan")
    assert psnr.interval.mean == pytest.approx(1.0)
    assert lpips.interval.mean == pytest.approx(0.05)
    assert (psnr.outcome, lpips.outcome) == ("joint better", "sequential better")
    assert (psnr.better_on, lpips.better_on, psnr.slices, psnr.subjects) == (28, 0, 28, 7)
    assert by_score(found)["ssim"].outcome == "no difference shown"
    assert "| PSNR, dB | modl+sinc (best) | +1.00 | +1.00 to +1.00 | 28 of 28 |" in text


def test_no_difference_shown_where_people_disagree(results):
    gain = {s: (-1) ** i * 2.0 for i, s in enumerate(PEOPLE)}
    results.add("proposed", "joint", psnr=30.1, gain=gain, subjects=PEOPLE, slices=50)
    results.add("modl+sinc", "sequential", psnr=30.0, subjects=PEOPLE, slices=50)
    found, text = judged(results)
    psnr = by_score(found)["psnr"]
    assert psnr.interval.low < 0 < psnr.interval.mean < psnr.interval.high
    assert psnr.outcome == "no difference shown"
    ends = f"{psnr.interval.low:+.2f} to {psnr.interval.high:+.2f}"
    assert f"no difference shown in PSNR {psnr.interval.mean:+.2f} dB ({ends})" in text


def test_one_person_is_said_to_be_one(results):
    results.add("proposed", "joint", psnr=31.0, subjects=("only",))
    results.add("modl+sinc", "sequential", psnr=30.0, subjects=("only",))
    found, text = judged(results)
    assert {comparison.interval.scope for comparison in found} == {WITHIN}
    assert "within subject, not across people" in text
    assert "of each score, on slices of one person only: joint better in PSNR +1.00 dB (+1.00 to +1.00)" in text
    assert "| 4 of 4 | – | joint better |" in text  # no p-value from alike slices


def test_few_people_are_warned_of(results):
    for method, group in (("proposed", "joint"), ("modl+sinc", "sequential")):
        results.add(method, group, subjects=PEOPLE[:4])
    found, text = judged(results)
    assert {comparison.interval.scope for comparison in found} == {ACROSS}
    assert "With so few people both lean on the differences being about normal" in text


def test_p_is_adjusted_for_all_comparisons_of_the_block(results):
    gain = {s: 0.1 * i**2 for i, s in enumerate(PEOPLE)}
    results.add("proposed", "joint", psnr=30.5, gain=gain, subjects=PEOPLE)
    results.add("t2net", "joint", psnr=30.0, subjects=PEOPLE)
    results.add("modl+sinc", "sequential", psnr=30.0, subjects=PEOPLE)
    found, _ = judged(results)
    assert len(found) == 12
    alone = stats.ttest_1samp([0.5 + g for g in gain.values()], 0).pvalue  # the same in PSNR and PSNR fg; elsewhere 1
    assert by_score(found)["psnr"].p == pytest.approx(12 * alone)


def test_only_shared_slices_are_compared(results):
    results.add("proposed", "joint", psnr=31.0, subjects=PEOPLE, slices=2)
    results.add("modl+sinc", "sequential", psnr=30.0, subjects=PEOPLE, slices=4)
    found, _ = judged(results)
    assert by_score(found)["psnr"].slices == 14
    assert by_score(found)["psnr"].interval.mean == pytest.approx(1.0)  # not 0.9, the difference of the means


def test_seeds_are_averaged_slice_by_slice(results):
    for seed, psnr in ((0, 31.0), (1, 33.0)):
        results.add("proposed", "joint", psnr=psnr, subjects=PEOPLE, seed=seed)
    results.add("modl+sinc", "sequential", psnr=30.0, subjects=PEOPLE)
    found, text = judged(results)
    assert by_score(found)["psnr"].interval.mean == pytest.approx(2.0)
    assert by_score(found)["psnr"].slices == 28
    assert "2 training seeds" in text


def test_no_lpips_no_comparison_of_it(results):
    for method, group in (("proposed", "joint"), ("modl+sinc", "sequential")):
        results.add(method, group, lpips=None, without_lpips=True)
    found, _ = judged(results)
    assert "lpips" not in by_score(found)
    assert "psnr" in by_score(found)


def test_one_group_gives_no_verdict(results):
    results.add("proposed", "joint")
    assert judged(results)[0] == []
    assert "No verdict: no sequential method has rows." in judged(results)[1]


def test_failed_joint_method_gives_no_verdict_and_the_reason(results):
    results.add("modl+sinc", "sequential")
    results.fail("proposed", reason="out of luck")
    assert "No verdict: no joint method has rows (proposed failed: out of luck)." in judged(results)[1]


def test_no_shared_slices(results):
    results.add("proposed", "joint", subjects=("s0",))
    results.add("modl+sinc", "sequential", subjects=("s1",))
    assert "No verdict: the joint and the sequential methods share no slices." in judged(results)[1]


def test_joint_minus_its_own_sequential_twin(results):
    results.add("proposed", "joint", psnr=31.0, subjects=PEOPLE)
    results.add("ablation-end-to-end", "ablation", psnr=30.75, subjects=PEOPLE)
    results.add("modl+sinc", "sequential", psnr=32.0, subjects=PEOPLE)
    found, text = judged(results)
    twin = next(c for c in found if c.against == verdict.TWIN and c.score == "psnr")
    assert (twin.sequential, twin.interval.mean) == ("ablation-end-to-end", pytest.approx(0.25))
    assert "proposed against its sequential twin ablation-end-to-end: joint better in PSNR +0.25 dB" in text
    assert "sequential better in PSNR -1.00 dB" in text
    assert "| PSNR, dB | ablation-end-to-end (twin) | +0.25 |" in text


def test_twin_alone_gives_a_verdict_too(results):
    results.add("proposed", "joint", subjects=PEOPLE)
    results.add("ablation-end-to-end", "ablation", subjects=PEOPLE)
    found, text = judged(results)
    assert {c.against for c in found} == {verdict.TWIN}
    assert "no difference shown in PSNR +0.00 dB (+0.00 to +0.00)" in text


def test_no_twin_no_word_of_it(results):
    results.add("proposed", "joint", subjects=PEOPLE)
    results.add("modl+sinc", "sequential", subjects=PEOPLE)
    assert "twin" not in judged(results)[1]


def test_the_verdict_says_how_long_each_was_trained(results):
    settings = {"settings": {"training": {"iterations": 600}}}
    results.add("proposed", "joint", **settings)
    two = tuple(StageUse(id, "k", 5, "abc") for id in ("modl", "modl+rrdb"))
    results.add("modl+rrdb", "sequential", stages=two, **settings)
    _, text = judged(results)
    assert "proposed 0.500 s a slice, 1,000 parameters, 1 stage of 600 iterations" in text
    assert "modl+rrdb 0.500 s a slice, 10 parameters, 2 stages of 600 iterations" in text
