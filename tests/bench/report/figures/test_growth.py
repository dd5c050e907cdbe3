import pandas as pd
import pytest

from bench.report.figures.growth import costs, growth
from bench.store.layout import ResultsFolder
from bench.store.tables import SPEED, write_table


def row(part, size, seconds):
    numbers = {"size": size, "ours_s": seconds, "ratio": None, "threads": 1}
    return dict.fromkeys(SPEED, "") | dict.fromkeys(["lowest", "highest", "theirs_s", "their_threads"]) | {
        "difference": None, "ours_mb": None, "theirs_mb": None, "part": part, "peer": "none", "what": "pixels a side",
    } | numbers  # fmt: skip


def test_a_panel_a_part_says_how_steep_it_is(tmp_path):
    squares = [row("cg-sense-by-matrix", n, 1e-6 * n**2) for n in (64, 128, 256)]
    others = [row("cg-sense", None, 0.1), row("run-by-slices", 2, 1.0)]
    write_table(tmp_path / "speed" / "amd.csv", pd.DataFrame([*squares, *others])[SPEED])
    figure = growth(costs(ResultsFolder(tmp_path).speeds()))
    titles = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert titles == ["cg-sense-by-matrix", "run-by-slices"]
    first = figure.axes[0]
    assert first.lines[0].get_ydata() == pytest.approx([1e-6 * n**2 for n in (64, 128, 256)])
    assert [text.get_text() for text in first.texts] == ["time ∝ size^2.0"]
    assert [tick.get_text() for tick in first.get_xticklabels()] == ["64", "128", "256"]
    assert not figure.axes[1].texts


def test_nothing_is_drawn_where_no_sizes_were_timed(tmp_path):
    write_table(tmp_path / "speed" / "amd.csv", pd.DataFrame([row("cg-sense", None, 0.1)])[SPEED])
    assert growth(costs(ResultsFolder(tmp_path).speeds())) is None
    assert growth(costs([])) is None
