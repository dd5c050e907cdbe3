import pandas as pd
import pytest

from bench.report.read.results import collect
from bench.report.tables import spectra


def only(results):
    (collected,) = collect(results.folder)
    return collected


def records(table):
    return {row[0]: dict(zip(table.header, row, strict=True)) for row in table.rows}


def add_spectrum(folder, subjects=("s0", "s1", "s2"), method="proposed", seed=0, scale=1.0):
    regions = (("acquired", 1.0, 80.0), ("unacquired", 3.0, 15.0), ("beyond", 4.0, 5.0))
    rows = [
        {"method": method, "seed": seed, "subject": s, "contrast": "t1w", "slice": n, "region": name,
         "error_energy": scale * error * (1 + n), "truth_energy": energy, "image_energy": energy, "coherence": 0.5}
        for s in subjects for n in range(2) for name, error, energy in regions
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(folder.spectrum, index=False)


def test_error_by_region_in_percent_of_the_truths_energy(results):
    add_spectrum(results.add(slices=2))
    results.add("modl+sinc", "sequential", slices=2)
    results.fail("t2net", reason="out of luck")
    table = spectra.table(only(results))
    assert records(table).keys() == {"proposed"}
    row = records(table)["proposed"]
    assert [row[f"error {title}, %"] for title in spectra.REGIONS.values()] == ["1.500", "4.500", "6.000"]
    assert row["right beyond LR band"] == "0.500"
    assert (row["n slices"], row["n people"]) == ("6", "3")
    assert "The truth's own energy: sampled 80.0 %, unsampled in LR band 15.0 %, beyond LR band 5.0 %." in table.notes
    assert any("modl+sinc" in note for note in table.notes)
    assert "t2net: failed: out of luck" in table.notes


def test_a_fold_that_kept_no_spectra_is_not_counted(results):
    add_spectrum(results.add(slices=2))
    results.add(slices=2, fold=1, subjects=("s3", "s4"))
    assert spectra.table(only(results)).caption.startswith(
        "vwi, profile laptop: simulated acquisition; 6 slices of 3 test subjects, 1 training seed. Where in k-space"
    )


def test_seeds_of_a_spectrum_are_averaged(results):
    for seed, scale in ((0, 1.0), (1, 3.0)):
        add_spectrum(results.add(seed=seed, slices=2), seed=seed, scale=scale)
    found = spectra.regions(only(results)).loc["proposed"]
    assert found.loc["acquired", "error"] == pytest.approx(3.0)
    assert found.loc["acquired", "slices"] == 6
