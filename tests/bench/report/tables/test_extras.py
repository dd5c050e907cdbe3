import io
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bench.errors import UserError
from bench.report.read.results import collect
from bench.report.tables import extras, formats, paper, propagation, spectra
from bench.report.tables.main import lines

PEOPLE = ("s0", "s1", "s2", "s3")
FED = {"psnr_oracle_fed": 33.0, "nmse_oracle_fed": 0.004, "psnr_boundary": 27.0, "psnr_flat": 35.0}


def only(results):
    (block,) = collect(results.folder)
    return block


def records(table):
    return {row[0]: dict(zip(table.header, row, strict=True)) for row in table.rows}


def test_share_of_the_error_that_propagated(results):
    results.add("modl+sinc", "sequential", details=FED, subjects=PEOPLE)  # NMSE 0.01 in sequence
    results.add("proposed", "joint", subjects=PEOPLE)
    results.add("oracle+sinc", "bound", details={**FED, "nmse_oracle_fed": 0.01}, subjects=PEOPLE)
    table = propagation.table(only(results))
    rows = records(table)
    assert rows["modl+sinc"]["share propagated, %"] == "60.0"
    assert rows["modl+sinc"]["lost in sequence, dB"] == "2.85"  # 33 - 30.15
    assert rows["modl+sinc"]["n subjects"] == "4"
    assert (rows["proposed"]["share propagated, %"], rows["proposed"]["LR PSNR, dB ↑"]) == ("–", "40.00")
    assert rows["oracle+sinc"]["share propagated, %"] == "0.0"
    assert [row[1] for row in table.rows] == ["joint", "sequential", "bound"]
    assert "simulated acquisition" in table.caption


def test_interval_of_the_share_is_over_people(results):
    folder = results.add("modl+sinc", "sequential", details=FED, subjects=PEOPLE, slices=2)
    rows = pd.read_csv(folder / "slices.csv")
    rows["nmse_oracle_fed"] = rows["subject"].map(dict(zip(PEOPLE, (0.002, 0.004, 0.006, 0.008), strict=True)))
    rows.to_csv(folder / "slices.csv", index=False)
    results.reseal(folder)
    (line,) = lines(only(results))
    found = propagation.propagated(line)
    assert found.mean == pytest.approx(0.5)
    shares = [0.8, 0.6, 0.4, 0.2]
    low, high = stats.t.interval(0.95, 3, 0.5, stats.sem(shares))
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.1)


def test_without_any_lr_image_there_is_no_propagation(results):
    results.add("ablation-sr", "ablation", lr=False)
    assert propagation.table(only(results)) is None


def add_spectrum(folder, subjects=("s0", "s1", "s2"), method="proposed", seed=0, scale=1.0):
    regions = (("acquired", 1.0, 80.0), ("unacquired", 3.0, 15.0), ("beyond", 4.0, 5.0))
    rows = [
        {"method": method, "seed": seed, "subject": s, "contrast": "t1w", "slice": n, "region": name,
         "error_energy": scale * error * (1 + n), "truth_energy": energy, "image_energy": energy, "coherence": 0.5}
        for s in subjects for n in range(2) for name, error, energy in regions
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(folder / "spectrum.csv", index=False)


def test_error_by_region_in_percent_of_the_truths_energy(results):
    add_spectrum(results.add(slices=2))
    results.add("modl+sinc", "sequential", slices=2)
    results.fail("t2net", reason="out of luck")
    table = spectra.table(only(results))
    assert records(table).keys() == {"proposed"}
    row = records(table)["proposed"]
    assert [row[f"error {title}, %"] for title in spectra.REGIONS.values()] == ["1.500", "4.500", "6.000"]
    assert row["right beyond LR band"] == "0.500"
    assert (row["n slices"], row["n subjects"]) == ("6", "3")
    assert "The truth's own energy: sampled 80.0 %, unsampled in LR band 15.0 %, beyond LR band 5.0 %." in table.notes
    assert any("modl+sinc" in note for note in table.notes)
    assert "t2net: failed: out of luck" in table.notes


def test_seeds_of_a_spectrum_are_averaged(results):
    for seed, scale in ((0, 1.0), (1, 3.0)):
        add_spectrum(results.add(seed=seed, slices=2), seed=seed, scale=scale)
    found = spectra.regions(only(results)).loc["proposed"]
    assert found.loc["acquired", "error"] == pytest.approx(3.0)
    assert found.loc["acquired", "slices"] == 6


def test_folds_of_a_radial_spectrum_weigh_by_their_slices(results):
    for fold, (error, slices) in enumerate(((1.0, 1), (5.0, 3))):
        folder = results.add(fold=fold, subjects=(f"s{fold}",), slices=slices)
        row = {"method": "proposed", "seed": 0, "contrast": "t1w", "bin": 0, "k": 0.02, "error_energy": error,
               "truth_energy": 9.0, "image_energy": 8.0, "slices": slices, "subjects": 1}  # fmt: skip
        pd.DataFrame([row]).to_csv(folder / "radial.csv", index=False)
    (found,) = spectra.radial(only(results)).to_dict("records")
    assert (found["error_energy"], found["truth_energy"], found["slices"], found["subjects"]) == (4.0, 9.0, 4, 2)


def test_damaged_spectrum_is_refused_by_name_and_field(results):
    folder = results.add()
    add_spectrum(folder)
    path = folder / "spectrum.csv"
    path.write_text(path.read_text().replace("coherence", "phase"))
    with pytest.raises(UserError, match=r"spectrum\.csv lacks the column 'coherence'"):
        spectra.table(only(results))


def test_the_papers_tables_are_whole():
    rows = paper.read()
    assert rows.groupby("dataset").size().to_dict() == {"brain": 15, "vwi": 15}
    by = rows.set_index(["dataset", "method"])
    assert by.loc[("brain", "proposed"), ["psnr", "ssim", "lpips", "seconds"]].to_list() == [
        30.32,
        0.8682,
        0.0409,
        0.0775,
    ]
    assert by.loc[("vwi", "modl+bebygan"), ["psnr", "lpips_std"]].to_list() == [32.71, 0.0103]
    assert paper.twins() == {"proposed": "ablation-end-to-end"}
    assert rows.drop(columns=["seconds", "twin_of"]).notna().all(axis=None)


def test_order_by_hand():
    assert paper.order([1, 2, 3, 4], [10, 20, 30, 40]) == pytest.approx((1, 1, 6, 6))
    assert paper.order([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx((-1, -1, 0, 6))
    rho, tau, same, pairs = paper.order([1, 2, 3, 4], [1, 2, 4, 3])
    assert (rho, tau, same, pairs) == pytest.approx((1 - 6 * 2 / (4 * 15), 4 / 6, 5, 6))
    assert math.isnan(paper.order([1, 2, 3], [5, 5, 5])[0])


def test_order_agrees_with_the_paper_or_not(results):
    for method, group, psnr, lpips in (
        ("proposed", "joint", 33.0, 0.03),
        ("modl+bicubic", "sequential", 32.0, 0.02),
        ("t2net", "joint", 31.0, 0.01),
    ):
        results.add(method, group, psnr=psnr, lpips=lpips)
    results.add("mine", "joint", psnr=50.0)
    table = paper.table(only(results))
    rows = records(table)
    assert len(rows) == 15
    assert "mine" not in rows
    assert (rows["t2net"]["PSNR, dB ↑ paper"], rows["t2net"]["PSNR, dB ↑ here"]) == ("30.75", "31.15")
    assert rows["modl+medsrgan"]["PSNR, dB ↑ here"] == "–"
    assert table.notes[0] == (
        "Order by PSNR, 3 methods in both: Spearman +1.00, Kendall +1.00, 3 of 3 pairs in the same order; "
        "best of these in the paper proposed, here proposed."
    )
    assert (
        "Kendall -0.33, 1 of 3 pairs in the same order; best of these in the paper proposed, here t2net"
        in table.notes[2]
    )
    assert "only the order" in table.caption


def test_too_few_methods_for_an_order(results):
    results.add("proposed")
    assert "Order by PSNR: too few methods in both (1) to tell." in paper.table(only(results)).notes


def test_a_dataset_that_is_not_the_papers_has_no_such_table(results):
    results.add("proposed", dataset="vfa")
    assert paper.table(only(results)) is None


def test_boundary_and_flat_stand_beside_the_foreground(results):
    results.add(details=FED)
    row = records(extras.details(only(results)))["proposed"]
    assert (row["PSNR boundary, dB ↑"], row["PSNR flat, dB ↑"]) == ("27.00 ± 0.00", "35.00 ± 0.00")


def test_errors_of_vessels_stand_there_if_any_row_has_them(results):
    folder = results.add(details={"wall_mm_error": 0.25, "lumen_contrast_error_percent": 3.5})
    results.add("modl+sinc", "sequential")
    rows = pd.read_csv(folder / "slices.csv")
    rows.loc[rows["slice"] > 0, ["wall_mm_error", "lumen_contrast_error_percent"]] = np.nan
    rows.to_csv(folder / "slices.csv", index=False)
    results.reseal(folder)
    table = extras.details(only(results))
    row = records(table)["proposed"]
    assert (row["wall error, mm ↓"], row["lumen contrast error, % ↓"]) == ("0.25 ± 0.00", "3.50 ± 0.00")
    assert records(table)["modl+sinc"]["wall error, mm ↓"] == "–"
    assert "wall error, lumen contrast error: over the 3 slices whose truth shows known vessels." in table.notes
    assert "wall error: library 1.0, wall_mm_error" in table.notes


def test_without_known_vessels_there_is_no_word_of_them(results):
    results.add(details=FED)
    table = extras.details(only(results))
    assert not any("wall" in text or "lumen" in text for text in (*table.header, *table.notes))


def test_a_plugin_alone_has_its_tables(results):
    results.add("never-heard-of", "joint", dataset="mine")
    assert [table.name for table in extras.tables(only(results))] == ["propagation", "details"]


def test_nothing_but_failures_has_none(results):
    results.fail("proposed")
    assert extras.tables(only(results)) == []


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
