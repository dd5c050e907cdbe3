from dataclasses import replace

from bench.report.read.results import collect
from bench.report.tables import details, formats
from bench.report.tables.captions import about_means, caption, notes
from bench.report.tables.main import lines
from bench.store.records import RunRecord


def only(results):
    (collected,) = collect(results.folder)
    return collected


def cells(text, method):
    """Cells of a Markdown row."""
    (row,) = [line for line in text.splitlines() if line.startswith(f"| {method} |")]
    return [part.strip() for part in row.strip("|").split("|")]


def test_folds_together_cover_all_slices(results):
    for method, group in (("proposed", "joint"), ("modl+sinc", "sequential")):
        for fold, subject in enumerate(("s0", "s1")):
            results.add(method, group, subjects=(subject,), fold=fold)
    collected = only(results)
    assert "8 slices of 2 test subjects, 1 training seed, 2 folds" in caption(collected)
    assert not [note for note in notes(collected, lines(collected)) if "only" in note]


def test_how_many_people_is_said_once(results):
    results.add("proposed", subjects=("s0", "s1"))
    assert about_means(only(results)) == "vwi, profile laptop: simulated acquisition, 2 people"


def test_a_label_that_says_it_is_enough(results):
    results.add("proposed", subjects=("s0",), label="real raw data, one person")
    assert about_means(only(results)) == "vwi, profile laptop: real raw data, one person"


def test_failed_seed_beside_a_good_one_is_told(results):
    results.add("proposed", seed=0)
    results.fail("proposed", seed=1, reason="out of luck")
    assert "proposed seed 1: failed: out of luck" in notes(only(results), lines(only(results)))


def test_missing_scores_are_dashes_with_a_reason(results):
    results.add("proposed", lpips=None, without_lpips=True)
    results.add("ablation-sr", "single", lpips=None, without_lpips=True, lr=False)
    text = formats.markdown(only(results))
    assert cells(text, "proposed")[5] == "–"
    assert "- LPIPS: skipped: the profile downloads no weights" in text
    table = details.table(only(results))
    assert "LR PSNR –: no LR image on the way (ablation-sr)." in table.notes
    lr = table.header.index("LR PSNR, dB ↑")
    assert [row[lr] for row in table.rows] == ["40.00 ± 0.00", "–"]


def test_other_slices_and_other_metrics_are_told(results):
    results.add("proposed", slices=4)
    folder = results.add("modl+sinc", "sequential", slices=2)
    record = RunRecord.read(folder.record)
    replace(record, metrics=record.metrics | {"psnr": "library 2.0, psnr"}).write(folder.record)
    collected = only(results)
    said = notes(collected, lines(collected))
    few = "3 subjects: its interval is within these people, not across people."
    assert f"modl+sinc: only 6 of 12 slices; its means do not compare with others'; {few}" in said
    assert {"PSNR (proposed): library 1.0, psnr", "PSNR (modl+sinc): library 2.0, psnr"} < set(said)
    assert "SSIM: library 1.0, ssim" in said


def test_rows_of_changed_files_say_so(results):
    results.add(provenance={"commit": "0123456789abcdef+", "hardware": "a processor"})
    assert "Rows made at commit 0123456789ab with changes." in notes(only(results), lines(only(results)))
