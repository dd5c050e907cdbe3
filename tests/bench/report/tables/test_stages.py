import pytest

from bench.report.read.results import collect
from bench.report.tables import stages

GRID = tuple({"iterations": float(n), "psnr": 30.0} for n in (4, 8, 16))


def row(results, **stage):
    results.add(stages=())
    folder = results.layout.run("vwi", "laptop", "proposed", 0)
    folder.record.write_text(
        folder.record.read_text().replace(
            '"stages": []', '"stages": [{"id": "a", "key": "a", "parameters": 1, "digest": "0"}]'
        )
    )
    results.stage("a", **stage)
    results.stage("another", choice={"x": 1.0})  # which no row stands on
    (collected,) = collect(results.folder)
    table = stages.table(collected)
    return None if table is None else table.rows


@pytest.mark.parametrize(
    ("chosen", "said"),
    [(4, "iterations 4 (edge of its grid)"), (8, "iterations 8"), (16, "iterations 16 (edge of its grid)")],
)
def test_a_choice_at_the_edge_of_its_grid_is_said(results, chosen, said):
    assert row(results, choice={"iterations": float(chosen)}, grid=GRID) == [["a", "0", "0", "", said, ""]]


def test_tries_stand_with_the_best_first(results):
    tries = ({"rate": 5e-4, "psnr_fg": 30.1}, {"rate": 1e-3, "psnr_fg": 30.35}, {"rate": 2e-3, "psnr_fg": 29.0})
    ((*_, said, _, _),) = row(results, tries=tries)
    assert said == "rate 0.001: 30.35; rate 0.0005: 30.10; rate 0.002: 29.00"


def test_a_rate_at_the_edge_of_what_was_tried_is_said(results):
    tries = ({"rate": 1e-3, "psnr_fg": 30.1}, {"rate": 2e-3, "psnr_fg": 30.35})
    ((*_, said, _, _),) = row(results, tries=tries)
    assert said == "rate 0.002: 30.35 (edge of what was tried); rate 0.001: 30.10"


@pytest.mark.parametrize(("accuracy", "said"), [(0.7, "0.70"), (0.5, "0.50 ‡"), (0.99, "0.99 ‡")])
def test_a_discriminator_that_is_not_at_work_is_marked(results, accuracy, said):
    assert row(results, critic_accuracy=accuracy)[0][-1] == said


def test_stages_of_which_there_is_nothing_to_say_have_no_table(results):
    assert row(results) is None
