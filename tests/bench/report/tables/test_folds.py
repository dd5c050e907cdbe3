from bench.report.read.results import collect
from bench.report.tables import folds, formats


def two_folds(results):
    for fold, subject in enumerate(("s0", "s1")):
        results.add("proposed", psnr=30.0 + fold, subjects=(subject,), fold=fold, kept=0)
    results.add("modl+sinc", "sequential", psnr=30.2, subjects=("s0",), kept=0)
    return collect(results.folder)[0]


def test_the_main_table_has_the_people_that_all_methods_have(results):
    found = two_folds(results)
    assert found.same_people.methods() == ["proposed", "modl+sinc"]
    text = formats.markdown(found.same_people)
    assert "of 1 test subject" in text
    assert "**30.35 ± 0.11" in text  # not the 30.65 that `proposed` has over both people
    assert "do not compare" not in text


def test_methods_with_every_fold_have_a_table_of_their_own(results):
    table = folds.table(two_folds(results))
    assert [row[0] for row in table.rows] == ["proposed"]
    assert table.rows[0][table.header.index("PSNR, dB ↑")].startswith("30.65")
    assert "of 2 test subjects" in table.caption
    assert table.notes == ["Without rows of every fold: modl+sinc."]


def test_where_all_have_the_same_people_there_is_one_table(results):
    for method in ("proposed", "t2net"):
        for fold, subject in enumerate(("s0", "s1")):
            results.add(method, subjects=(subject,), fold=fold, kept=0)
    found = collect(results.folder)[0]
    assert found.same_people is found
    assert folds.table(found) is None
