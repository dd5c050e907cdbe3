from bench.report import tables
from bench.report.read.results import collect


def only(results):
    (collected,) = collect(results.folder)
    return collected


def test_a_plugin_alone_has_its_tables(results):
    results.add("never-heard-of", "joint", dataset="mine")
    assert [table.name for table in tables.beside_main(only(results))] == ["propagation", "details"]


def test_nothing_but_failures_has_none(results):
    results.fail("proposed")
    assert tables.beside_main(only(results)) == []
