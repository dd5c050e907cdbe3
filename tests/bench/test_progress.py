import io
import re
import time

import pytest
from rich.console import Console
from rich.table import Table

from bench import progress
from bench.progress import Bars, Lines, duration, say, show
from bench.workers import Outcome


@pytest.fixture
def log(monkeypatch):
    """What a log of 40 columns gets."""
    file = io.StringIO()
    monkeypatch.setattr(progress, "console", Console(file=file, width=40))
    return file


def without_times(text):
    return re.sub(r"^\d\d:\d\d:\d\d ", "", text, flags=re.MULTILINE)


def test_a_log_gets_a_line_when_something_begins_ends_or_fails(log):
    with Lines() as lines:
        lines.work("stage modl", 0, 100, "starting")
        lines.work("stage modl", 50, 100, "plain, loss 0.1")
        lines.count("preparing vwi", 0, 4)
        lines.work("stage modl", 100, 100, "plain, loss 0.1")
        lines.count("preparing vwi", 4, 4)
        lines.work("[row]", 0, 1, "starting")
        lines.end("stage modl", Outcome("done"))
        lines.end("[row]", Outcome("failed", "no [table] in [/data]"))
        lines.work("tuned", 0, 1, "starting")
        lines.end("tuned", Outcome("done"))
        lines.end("never begun", Outcome("skipped", "needs more"))
    assert without_times(log.getvalue()).splitlines() == [
        "stage modl: begins", "preparing vwi: begins", "stage modl: 100 in 0 s", "preparing vwi: 4 in 0 s", "[row]: begins",
        "[row]: failed: no [table] in [/data]", "tuned: begins", "tuned: done in 0 s",
    ]  # fmt: skip


def test_a_log_is_never_silent_for_long_and_tells_what_is_left(log, monkeypatch):
    monkeypatch.setattr(progress, "SILENCE_S", 0.5)
    with Lines() as lines:
        lines.work("stage modl", 1, 4, "plain")
        lines.running["stage modl"].began -= 100
        time.sleep(1.3)
    (line, *_) = without_times(log.getvalue()).splitlines()[1:]
    assert re.fullmatch(r"stage modl: 1/4 plain, 5 min left", line)


def test_what_was_done_before_an_interruption_took_no_time(log, monkeypatch):
    monkeypatch.setattr(progress, "SILENCE_S", 0.5)
    with Lines() as lines:
        lines.work("stage modl", 0, 1, "starting")
        lines.work("stage modl", 800, 1000, "plain")
        lines.running["stage modl"].counted -= 100
        lines.work("stage modl", 820, 1000, "plain")
        time.sleep(1.3)
    (line, *_) = without_times(log.getvalue()).splitlines()[1:]
    assert re.fullmatch(r"stage modl: 820/1000 plain, 15 min left", line)


def test_it_is_at_work_where_nothing_else_can_be_said(log, monkeypatch):
    monkeypatch.setattr(progress, "SILENCE_S", 0.5)
    with Lines():
        time.sleep(1.3)
    assert set(without_times(log.getvalue()).splitlines()) == {"at work"}
    assert progress.SILENCE_S < 30


def test_a_download_is_done_once(log):
    with Lines() as lines:
        for done in (0, 1_499_999, 1_500_000, 1_900_000, 1_990_000, 2_000_000):
            lines.transfer("heads", done, 2_000_000)
    assert without_times(log.getvalue()).splitlines() == ["download heads: begins", "download heads: 2 in 0 s"]


def test_bars_say_what_failed_and_go(log):
    with Bars() as bars:
        bars.work("[row]", 1, 4, "evaluating [x]")
        bars.end("[row]", Outcome("failed", "no [table]"))
        bars.transfer("heads", 0, 2_000_000)
    assert "failed [row]: no [table]" in log.getvalue()
    assert not bars.tasks.get("[row]")


def test_a_pipe_gets_lines(log):
    assert isinstance(progress.shown(), Lines)


def test_a_narrow_terminal_breaks_lines_and_no_names(log):
    table = Table()
    table.add_column("id", no_wrap=True)
    table.add_column("a score that has a long name")
    table.add_row("ablation-end-to-end-l1", "1.0")
    show(table)
    say("[bold] stays")
    assert "ablation-end-to-end-l1" in log.getvalue()
    assert "a score that has a long name" in log.getvalue()
    assert "[bold] stays" in log.getvalue()


def test_durations_are_read_at_a_glance():
    assert [duration(s) for s in (0.4, 89, 90, 5399, 5400)] == ["0 s", "89 s", "2 min", "90 min", "1.5 h"]
