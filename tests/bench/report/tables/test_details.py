import numpy as np
import pandas as pd

from bench.report.read.results import collect
from bench.report.tables import details


def only(results):
    (collected,) = collect(results.folder)
    return collected


FED = {"psnr_oracle_fed": 33.0, "nmse_oracle_fed": 0.004, "psnr_boundary": 27.0, "psnr_flat": 35.0}


def records(table):
    return {row[0]: dict(zip(table.header, row, strict=True)) for row in table.rows}


def test_boundary_and_flat_stand_beside_the_foreground(results):
    results.add(details=FED)
    row = records(details.table(only(results)))["proposed"]
    assert (row["PSNR boundary, dB ↑"], row["PSNR flat, dB ↑"]) == ("27.00 ± 0.00", "35.00 ± 0.00")


def test_errors_of_vessels_stand_there_if_any_row_has_them(results):
    folder = results.add(details={"wall_mm_error": 0.25, "lumen_contrast_error_percent": 3.5})
    results.add("modl+sinc", "sequential")
    rows = pd.read_csv(folder.slices)
    rows.loc[rows["slice"] > 0, ["wall_mm_error", "lumen_contrast_error_percent"]] = np.nan
    rows.to_csv(folder.slices, index=False)
    results.reseal(folder)
    table = details.table(only(results))
    row = records(table)["proposed"]
    assert (row["wall error, mm ↓"], row["lumen contrast error, % ↓"]) == ("0.25 ± 0.00", "3.50 ± 0.00")
    assert records(table)["modl+sinc"]["wall error, mm ↓"] == "–"
    assert "wall error, lumen contrast error: over the 3 slices whose truth shows known vessels." in table.notes
    assert "wall error: library 1.0, wall_mm_error" in table.notes


def test_without_known_vessels_there_is_no_word_of_them(results):
    results.add(details=FED)
    table = details.table(only(results))
    assert not any("wall" in text or "lumen" in text for text in (*table.header, *table.notes))
