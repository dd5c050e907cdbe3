from bench.report.read.results import collect
from bench.report.tables import differences

PEOPLE = tuple(f"s{i}" for i in range(7))
GAIN = {s: 0.1 * (-1) ** i for i, s in enumerate(PEOPLE)}


def test_differences_by_contrast_as_numbers(results):
    """Up in one contrast, down in the other, nothing in both together."""
    by_contrast = {"psnr_fg": lambda t: t["psnr"].where(t["contrast"] == "t1w", t["psnr"] - 2) - 2.01}
    results.add("dl-espirit~rrdb", "joint", psnr=31.0, gain=GAIN, contrasts=("t1w", "t2w"), subjects=PEOPLE, loss="l1",
                details=by_contrast)  # fmt: skip
    results.add("dl-espirit+rrdb", "sequential", psnr=32.0, contrasts=("t1w", "t2w"), subjects=PEOPLE, loss="l1")
    (collected,) = collect(results.folder)
    table = differences.table(collected)
    rows = {(row[1], row[4]): dict(zip(table.header, row, strict=True)) for row in table.rows}
    found = [rows[c, "PSNR fg"] for c in ("all", "t1w", "t2w")]
    assert [row["one minus other"] for row in found] == ["-2.00", "-1.00", "-3.00"]
    assert [row["n people"] for row in found] == ["7"] * 3
    assert [row["level of interval"] for row in found] == ["97.5 %", "95 %", "95 %"]
    assert [row["p (Holm)"] for row in found] == ["–", "< 0.001", "< 0.001"]
    assert {row["outcome"] for row in found} == {"dl-espirit+rrdb better"}
