from bench.report.read.results import collect
from bench.report.tables import differences

PEOPLE = tuple(f"s{i}" for i in range(7))


def test_differences_by_contrast_as_numbers(results):
    for contrast, psnr in (("t1w", 31.0), ("t2w", 29.0)):
        results.add("proposed", "joint", psnr=psnr, contrasts=(contrast,), subjects=PEOPLE, fold=int(psnr))
    results.add("modl+sinc", "sequential", psnr=30.0, contrasts=("t1w", "t2w"), subjects=PEOPLE)
    (collected,) = collect(results.folder)
    table = differences.table(collected)
    rows = {(row[1], row[2]): dict(zip(table.header, row, strict=True)) for row in table.rows}
    assert [rows[c, "PSNR"]["joint minus it"] for c in ("all", "t1w", "t2w")] == ["+0.00", "+1.00", "-1.00"]
    assert [rows[c, "PSNR"]["n subjects"] for c in ("all", "t1w", "t2w")] == ["7"] * 3
    outcomes = ["no difference shown", "joint better", "sequential better"]
    assert [rows[c, "PSNR"]["outcome"] for c in ("all", "t1w", "t2w")] == outcomes
