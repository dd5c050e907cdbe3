import io
import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bench.errors import UserError
from bench.report.read.results import collect
from bench.report.tables import extras, formats
from bench.report.tables.captions import caption, notes
from bench.report.tables.main import best, cell, interval, lines, number, significant, tied


def only(results):
    (block,) = collect(results.folder)
    return block


def cells(text, method):
    """Cells of a Markdown row."""
    (row,) = [line for line in text.splitlines() if line.startswith(f"| {method} |")]
    return [part.strip() for part in row.strip("|").split("|")]


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
    block = only(results)
    (line,) = lines(block)
    assert (line.slices, line.subjects) == (3, 3)
    assert (line.means["psnr"], line.stds["psnr"]) == pytest.approx((31.0, 1.0))
    assert "3 slices of 3 test subjects, 2 training seeds" in caption(block)


def test_order_is_joint_ablation_sequential_bound(results):
    for method, group in (("b+x", "bound"), ("z", "joint"), ("a+x", "sequential"), ("c", "ablation"), ("d", "joint")):
        results.add(method, group)
    assert only(results).methods() == ["d", "z", "c", "a+x", "b+x"]


def test_best_is_bold_and_bounds_are_not_ranked(results):
    results.add("proposed", "joint", psnr=30.0, lpips=0.09)
    results.add("modl+sinc", "sequential", psnr=31.0, lpips=0.10)
    results.add("oracle+sinc", "bound", psnr=40.0, lpips=0.01)
    block = only(results)
    assert best(lines(block), "psnr") == {"modl+sinc"}
    assert best(lines(block), "lpips") == {"proposed"}  # lower is better
    text = formats.markdown(block)
    assert cells(text, "modl+sinc")[2] == "**31.15 ± 0.11 [31.15, 31.15]**"
    assert cells(text, "proposed")[2] == "30.15 ± 0.11 [30.15, 30.15]"
    assert cells(text, "oracle+sinc")[2] == "40.15 ± 0.11 [40.15, 40.15]"
    assert r"\textbf{31.15 $\pm$ 0.11 [31.15, 31.15]}" in formats.latex(block)
    assert r"\textbf{40.15" not in formats.latex(block)


def test_equal_as_printed_is_equally_best(results):
    results.add("a", "joint", psnr=30.001)
    results.add("b", "joint", psnr=30.003)
    assert best(lines(only(results)), "psnr") == {"a", "b"}


def test_failed_method_is_shown_with_its_reason(results):
    results.add("modl+sinc", "sequential")
    results.fail("proposed", status="diverged", reason="loss was not finite\nat step 31")
    text = formats.markdown(only(results))
    assert cells(text, "proposed")[2:4] == ["diverged", "–"]
    assert "- proposed: diverged: loss was not finite at step 31\n" in text
    latex = formats.latex(only(results))
    assert "% proposed: diverged: loss was not finite at step 31\n" in latex
    assert f"proposed & joint & diverged{' & --' * 9} \\\\\n" in latex


def test_folds_together_cover_all_slices(results):
    for method, group in (("proposed", "joint"), ("modl+sinc", "sequential")):
        for fold, subject in enumerate(("s0", "s1")):
            results.add(method, group, subjects=(subject,), fold=fold)
    block = only(results)
    assert "8 slices of 2 test subjects, 1 training seed, 2 folds" in caption(block)
    assert not [note for note in notes(block, lines(block)) if "only" in note]


def test_failed_seed_beside_a_good_one_is_told(results):
    results.add("proposed", seed=0)
    results.fail("proposed", seed=1, reason="out of luck")
    assert "proposed seed 1: failed: out of luck" in notes(only(results), lines(only(results)))


def test_nothing_but_failures(results):
    results.fail("proposed")
    block = only(results)
    assert cells(formats.markdown(block), "proposed")[2] == "failed"
    assert formats.csv(block).count("\n") == 2


def test_missing_scores_are_dashes_with_a_reason(results):
    results.add("proposed", lpips=None, without_lpips=True)
    results.add("ablation-sr", "ablation", lpips=None, without_lpips=True, lr=False)
    text = formats.markdown(only(results))
    assert cells(text, "proposed")[4] == "–"
    assert "- LPIPS: skipped: the profile downloads no weights" in text
    details = extras.details(only(results))
    assert "LR PSNR –: no LR image on the way (ablation-sr)." in details.notes
    assert [row[-3] for row in details.rows] == ["40.00 ± 0.00", "–"]


def test_other_slices_and_other_metrics_are_told(results):
    results.add("proposed", slices=4)
    folder = results.add("modl+sinc", "sequential", slices=2)
    record = json.loads((folder / "run.json").read_text())
    record["metrics"]["psnr"] = "library 2.0, psnr"
    (folder / "run.json").write_text(json.dumps(record))
    block = only(results)
    said = notes(block, lines(block))
    assert "modl+sinc: only 6 of 12 slices; its means do not compare with others'." in said
    assert {"PSNR (proposed): library 1.0, psnr", "PSNR (modl+sinc): library 2.0, psnr"} < set(said)
    assert "SSIM: library 1.0, ssim" in said


def test_partly_missing_score_is_told(results):
    folder = results.add("proposed", slices=4, subjects=("s0",))
    text = (folder / "slices.csv").read_text().replace(",0.05,", ",,", 1)
    (folder / "slices.csv").write_text(text)
    results.reseal(folder)
    assert "proposed: LPIPS is the mean over 3 of 4 rows." in notes(only(results), lines(only(results)))


def test_caption_says_what_kind_of_data(results):
    results.add(label="real raw data, one person", subjects=("s0",), slices=1)
    said = caption(only(results))
    assert said.startswith(
        "vwi, profile laptop: real raw data, one person; 1 slice of 1 test subject, 1 training seed."
    )


def test_a_table_for_each_contrast(results):
    results.add(contrasts=("t1w", "t2w"), slices=2)
    block = only(results)
    text = formats.contrasts(block)
    assert text.index("contrast t1w") < text.index("contrast t2w")
    assert text.count("| proposed | joint | **30.05 ± 0.05 [30.05, 30.05]** |") == 2
    table = pd.read_csv(io.StringIO(formats.csv(block)))
    assert table["contrast"].to_list() == ["all", "t1w", "t2w"]
    assert table["slices"].to_list() == [12, 6, 6]
    assert table["psnr_mean"].to_numpy() == pytest.approx([30.05] * 3)


def test_latex_is_escaped(results):
    results.add(label="50 % of $5 & a_b")
    text = formats.latex(only(results))
    assert r"50 \% of \$5 \& a\_b" in text
    assert text.count(r"\begin{") == text.count(r"\end{") == 2
    header, row = (line for line in text.splitlines() if line.endswith(r" \\"))
    assert header.count("&") - header.count(r"\&") == row.count("&") - row.count(r"\&") == 11


def test_numbers():
    assert (number(-0.001, 2), number(0.5, 2, "+"), number(float("nan"), 2)) == ("0.00", "+0.50", "–")


def test_no_runs(tmp_path):
    with pytest.raises(UserError, match=r"holds no runs: type bench run --results"):
        collect(tmp_path)
    with pytest.raises(UserError, match=r"type bench run --dataset vwi --profile smoke --results"):
        collect(tmp_path, "vwi", "smoke")


def test_two_sources_are_not_mixed(results):
    results.add("a")
    results.add("b", source="phantom")
    with pytest.raises(UserError, match=r"vwi/laptop mixes the sources heads and phantom"):
        collect(results.folder)


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("slices.csv", "ssim,", "sim,", r"slices\.csv lacks the column 'ssim'"),
        ("slices.csv", "0.9,", "high,", r"slices\.csv: column 'ssim' holds something that is no number"),
        ("slices.csv", "0.9,", "0.95,", r"slices\.csv is not what 'slices_sha256'"),
        ("timing.csv", "seconds", "minutes", r"timing\.csv lacks the column 'seconds'"),
        ("timing.csv", "0.5,", "fast,", r"timing\.csv: column 'seconds'"),
        ("timing.csv", "120,cpu,2,1.5", "120,cpu,2,much", r"timing\.csv: column 'gmac'"),
        ("run.json", '"metrics"', '"metric"', r"run\.json lacks the field 'metrics'"),
        ("run.json", '"group": "joint"', '"group": "best"', r"run\.json: 'group' is 'best'"),
        ("run.json", "{", "", r"run\.json cannot be read"),
    ],
)
def test_damaged_file_is_refused_by_name_and_field(results, name, old, new, said):
    path = results.add() / name
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(UserError, match=said):
        collect(results.folder)


def test_rows_without_timing(results):
    (results.add() / "timing.csv").unlink()
    assert cells(formats.markdown(only(results)), "proposed")[8:] == ["–", "–", "1,000", "–"]


def test_rows_and_timing_of_an_older_version_are_still_reported(results):
    folder = results.add()
    timing = pd.read_csv(folder / "timing.csv").drop(columns="gmac")
    timing.to_csv(folder / "timing.csv", index=False)
    row = cells(formats.markdown(only(results)), "proposed")
    assert row[2] == "**30.15 ± 0.11 [30.15, 30.15]**"
    assert row[11] == "–"


def test_gmac_stands_in_the_table_with_what_it_counts(results):
    results.add()
    text = formats.markdown(only(results))
    assert cells(text, "proposed")[11] == "1.50"
    assert "- GMAC: library 1.0, gmac." in text


@pytest.mark.parametrize(
    ("value", "text"), [(0.000684, "0.000684"), (0.0262, "0.0262"), (12.345, "12.3"), (5432.1, "5432")]
)
def test_three_significant_digits(value, text):
    assert significant(value) == text


PEOPLE = tuple(f"s{i}" for i in range(8))


def test_interval_of_the_mean_is_over_people(results):
    gain = {s: 2.0 * (-1) ** i for i, s in enumerate(PEOPLE)}
    results.add(gain=gain, subjects=PEOPLE, slices=3)
    (line,) = lines(only(results))
    found = interval(line, "psnr")
    low, high = stats.t.interval(0.95, 7, 30.1, stats.sem(list(gain.values())))
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.25)
    assert f"[{found.low:.2f}, {found.high:.2f}]" in formats.markdown(only(results))
    assert "bootstrap over 8 subjects" in caption(only(results))
    table = pd.read_csv(io.StringIO(formats.csv(only(results))))
    assert table[["psnr_low", "psnr_high"]].iloc[0].to_list() == pytest.approx([found.low, found.high], rel=1e-5)
    assert table["interval_scope"].to_list() == ["across people"]


@pytest.mark.parametrize("subjects", [("s0",), ("s0", "s1")])
def test_interval_of_few_people_is_labelled(results, subjects):
    results.add(subjects=subjects)
    assert "within subject, not across people" in caption(only(results))
    assert "within subject, not across people" in formats.csv(only(results))


def test_who_cannot_be_told_apart_from_the_best(results):
    noisy = {s: 0.5 * (-1) ** i for i, s in enumerate(PEOPLE)}
    results.add("proposed", "joint", psnr=31.0, subjects=PEOPLE)
    results.add("a+b", "sequential", psnr=30.9, gain=noisy, subjects=PEOPLE)  # differs by 0.1 ± 0.5
    results.add("c+d", "sequential", psnr=29.0, gain=noisy, subjects=PEOPLE)
    results.add("oracle+d", "bound", psnr=30.95, gain=noisy, subjects=PEOPLE)
    text = formats.markdown(only(results))
    marked = {m: "†" in cells(text, m)[2] for m in ("proposed", "a+b", "c+d", "oracle+d")}
    assert marked == {"proposed": False, "a+b": True, "c+d": False, "oracle+d": False}
    assert r"$^\dagger$" in formats.latex(only(results))


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


def test_one_method_alone_is_the_best_and_has_no_tie(results):
    results.add()
    assert "†" not in cells(formats.markdown(only(results)), "proposed")[2]


def test_rows_of_changed_files_say_so(results):
    results.add(provenance={"commit": "0123456789abcdef+", "hardware": "a processor"})
    assert "Rows made at commit 0123456789ab with changes." in notes(only(results), lines(only(results)))
