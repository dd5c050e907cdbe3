import pandas as pd

from bench.report.tables import formats, speed
from bench.store.layout import ResultsFolder
from bench.store.tables import SPEED, write_table

ROW = {
    "part": "cg-sense", "peer": "sigpy", "version": "0.1.27", "ratio": 4.256, "lowest": 4.1, "highest": 4.4, "ours_s": 0.15,
    "theirs_s": 0.64, "threads": 2, "their_threads": 0, "difference": 5e-5, "ours_mb": 40.0, "theirs_mb": 30.0,
    "device": "cpu",
    "what": "CG-SENSE, 30 iterations", "note": "", "commit": "0123456789+", "size": None,
}  # fmt: skip


def test_each_machine_has_its_rows_and_what_is_missing_says_why(tmp_path):
    missing = {**ROW, "peer": "bart", "version": "", "ratio": None, "theirs_s": None, "note": "not installed"}
    for machine in ("amd", "intel"):
        write_table(tmp_path / "speed" / f"{machine}.csv", pd.DataFrame([ROW, missing])[SPEED])
    table = speed.table(ResultsFolder(tmp_path).speeds())
    assert [row[:4] for row in table.rows[:2]] == [
        ["cg-sense", "sigpy", "amd", "4.26"],
        ["cg-sense", "bart", "amd", "–"],
    ]
    assert {row[2] for row in table.rows} == {"amd", "intel"}
    assert "cg-sense, bart, amd: not installed." in table.notes
    assert "amd: sigpy 0.1.27, commit 0123456+." in table.notes
    assert "| cg-sense | sigpy | amd |" in formats.files(table)["speed.md"]


def test_nothing_is_said_where_nothing_was_timed(tmp_path):
    assert speed.table([]) is None
