import io

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bench.report.read.results import collect
from bench.report.tables import formats, propagation
from bench.report.tables.captions import caption
from bench.report.tables.main import best, interval, lines


def only(results):
    (collected,) = collect(results.folder)
    return collected


def cells(text, method):
    """Cells of a Markdown row."""
    (row,) = [line for line in text.splitlines() if line.startswith(f"| {method} |")]
    return [part.strip() for part in row.strip("|").split("|")]


PEOPLE = tuple(f"s{i}" for i in range(8))


def test_best_is_bold_and_bounds_are_not_ranked(results):
    results.add("proposed", "joint", psnr=30.0, lpips=0.09)
    results.add("modl+sinc", "sequential", psnr=31.0, lpips=0.10)
    results.add("oracle+sinc", "bound", psnr=40.0, lpips=0.01)
    collected = only(results)
    assert best(lines(collected), "psnr") == {"modl+sinc"}
    assert best(lines(collected), "lpips") == {"proposed"}  # lower is better
    text = formats.markdown(collected)
    assert cells(text, "modl+sinc")[6].startswith("**31.15 ± 0.11 [31.0")
    assert cells(text, "proposed")[6].startswith("30.15 ± 0.11 [30.0")
    assert cells(text, "oracle+sinc")[6].startswith("40.15 ± 0.11 [40.0")
    assert r"\textbf{31.15 $\pm$ 0.11 [31.0" in formats.latex(collected)
    assert r"\textbf{40.15" not in formats.latex(collected)


def test_failed_method_is_shown_with_its_reason(results):
    results.add("modl+sinc", "sequential")
    results.fail("proposed", status="diverged", reason="loss was not finite\nat step 31")
    text = formats.markdown(only(results))
    assert cells(text, "proposed")[3:5] == ["diverged", "–"]
    assert "- proposed: diverged: loss was not finite at step 31\n" in text
    latex = formats.latex(only(results))
    assert "% proposed: diverged: loss was not finite at step 31\n" in latex
    assert f"proposed & joint & none & diverged{' & --' * 11} \\\\\n" in latex


def test_nothing_but_failures(results):
    results.fail("proposed")
    collected = only(results)
    assert cells(formats.markdown(collected), "proposed")[3] == "failed"
    assert formats.csv(collected).count("\n") == 2


def test_a_table_for_each_contrast(results):
    results.add(contrasts=("t1w", "t2w"), slices=2)
    collected = only(results)
    text = formats.contrasts(collected)
    assert text.index("contrast t1w") < text.index("contrast t2w")
    assert text.count("| **30.05 ± 0.05** |") == 2  # two positions give no interval
    table = pd.read_csv(io.StringIO(formats.csv(collected)))
    assert table["contrast"].to_list() == ["all", "t1w", "t2w"]
    assert table["slices"].to_list() == [12, 6, 6]
    assert table["psnr_mean"].to_numpy() == pytest.approx([30.05] * 3)


def test_latex_is_escaped(results):
    results.add(label="50 % of $5 & a_b")
    text = formats.latex(only(results))
    assert r"50 \% of \$5 \& a\_b" in text
    assert text.count(r"\begin{") == text.count(r"\end{") == 2
    header, row = (line for line in text.splitlines() if line.endswith(r" \\"))
    assert header.count("&") - header.count(r"\&") == row.count("&") - row.count(r"\&") == 14


def test_rows_without_timing(results):
    results.add().timing.unlink()
    assert cells(formats.markdown(only(results)), "proposed")[11:] == ["–", "–", "1,000", "–"]


def test_rows_and_timing_of_an_older_version_are_still_reported(results):
    folder = results.add()
    timing = pd.read_csv(folder.timing).drop(columns="gmac")
    timing.to_csv(folder.timing, index=False)
    row = cells(formats.markdown(only(results)), "proposed")
    assert row[6].startswith("**30.15 ± 0.11")
    assert row[14] == "–"


def test_gmac_stands_in_the_table_with_what_it_counts(results):
    results.add()
    text = formats.markdown(only(results))
    assert cells(text, "proposed")[14] == "1.50"
    assert "- GMAC: library 1.0, gmac." in text


def test_interval_of_the_mean_is_over_people(results):
    gain = {s: 2.0 * (-1) ** i for i, s in enumerate(PEOPLE)}
    results.add(gain=gain, subjects=PEOPLE, slices=3)
    (line,) = lines(only(results))
    found = interval(line, "psnr")
    low, high = stats.t.interval(0.95, 7, 30.1, stats.sem(list(gain.values())))
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)
    assert f"[{found.low:.2f}, {found.high:.2f}]" in formats.markdown(only(results))
    assert "Student's t over 8 people]" in caption(only(results))
    table = pd.read_csv(io.StringIO(formats.csv(only(results))))
    assert table[["psnr_low", "psnr_high"]].iloc[0].to_list() == pytest.approx([found.low, found.high], rel=1e-5)
    assert table["interval_scope"].to_list() == ["across people"]


@pytest.mark.parametrize("subjects", [("s0",), ("s0", "s1", "s2", "s3")])
def test_interval_of_few_people_is_labelled(results, subjects):
    results.add(subjects=subjects)
    assert "within these people, not across people" in caption(only(results))
    assert "within these people, not across people" in formats.csv(only(results))


def test_who_cannot_be_told_apart_from_the_best(results):
    noisy = {s: 0.5 * (-1) ** i for i, s in enumerate(PEOPLE)}
    results.add("proposed", "joint", psnr=31.0, subjects=PEOPLE)
    results.add("a+b", "sequential", psnr=30.9, gain=noisy, subjects=PEOPLE)  # differs by 0.1 ± 0.5
    results.add("c+d", "sequential", psnr=29.0, gain=noisy, subjects=PEOPLE)
    results.add("oracle+d", "bound", psnr=30.95, gain=noisy, subjects=PEOPLE)
    text = formats.markdown(only(results))
    marked = {m: "†" in cells(text, m)[3] for m in ("proposed", "a+b", "c+d", "oracle+d")}
    assert marked == {"proposed": False, "a+b": True, "c+d": False, "oracle+d": False}
    assert r"$^\dagger$" in formats.latex(only(results))


def test_one_method_alone_is_the_best_and_has_no_tie(results):
    results.add()
    assert "†" not in "".join(cells(formats.markdown(only(results)), "proposed"))


FED = {"psnr_oracle_fed": 33.0, "nmse_oracle_fed": 0.004, "psnr_boundary": 27.0, "psnr_flat": 35.0}


def test_a_table_as_files(results):
    results.add("modl+sinc", "sequential", details=FED, subjects=PEOPLE)
    results.add("proposed", "joint", subjects=PEOPLE)
    made = formats.files(propagation.table(only(results)))
    assert set(made) == {"propagation.md", "propagation.csv", "propagation.tex"}
    assert made == formats.files(propagation.table(only(results)))
    table = pd.read_csv(io.StringIO(made["propagation.csv"])).set_index("method")
    assert table.loc["modl+sinc", "share propagated, %"] == 60.0
    assert np.isnan(table.loc["proposed", "share propagated, %"])
    tex = made["propagation.tex"]
    assert r"share propagated, \% &" in tex
    assert tex.count(r"\begin{") == tex.count(r"\end{") == 2
    assert "| modl+sinc | sequential |" in made["propagation.md"]
