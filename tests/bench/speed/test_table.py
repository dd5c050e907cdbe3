import json

import pytest

from bench import cli
from bench.errors import UserError
from bench.report.tables.main import MISSING
from bench.report.tables.speed import HEADER, cells
from bench.speed import parts
from bench.speed.compare import Contender, Part, Row, no_difference
from bench.speed.table import host_kind, save
from bench.store.tables import read_speed

NAN = float("nan")


def row(part, ratio=2.0, peer="sigpy"):
    return Row(part, peer, "cpu", "words, with a comma", ratio=ratio, ours_s=0.1, theirs_s=0.2, threads=1, ours_mb=1.0)


def test_parts_that_are_timed_again_take_the_place_of_their_rows(tmp_path):
    save([row("a"), row("b")], tmp_path, "cpu")
    path = save([row("b", 3.0), row("c", NAN, "bart")], tmp_path, "cpu")
    assert path.name == f"{host_kind('cpu')}.csv"
    table = read_speed(path)
    assert table["part"].to_list() == ["a", "b", "c"]
    assert table["ratio"].to_list()[:2] == [2.0, 3.0]
    assert table["ratio"].isna().to_list() == [False, False, True]


def test_a_damaged_table_is_refused_by_name(tmp_path):
    (tmp_path / f"{host_kind('cpu')}.csv").write_text("part,peer\na,sigpy\n")
    with pytest.raises(UserError, match=r"\.csv lacks the column 'version'"):
        save([row("a")], tmp_path, "cpu")


def test_what_has_no_times_is_printed_as_missing():
    named = dict(zip(HEADER, cells("here", vars(Row("a", "bart", "cpu", "words", note="not installed"))), strict=True))
    assert (named["part"], named["peer"], named["machine"], named["what"]) == ("a", "bart", "here", "words")
    assert {text for name, text in named.items() if name not in ("part", "peer", "machine", "what")} == {MISSING}


def test_the_command_prints_a_table_of_what_nobody_else_does(capsys, monkeypatch):
    alone = Row("run", "none", "cpu", "slices", 2.0, ours_s=1.5, threads=1)
    monkeypatch.setattr(parts, "measure", lambda *_: [alone])
    with pytest.raises(SystemExit) as ended:
        cli.main(["speed"])
    assert ended.value.code == 0
    assert "run 2 " in capsys.readouterr().out


def test_a_command_that_is_interrupted_keeps_what_it_has_timed(tmp_path, monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    quick = Part("quick", "nothing", Contender("ours", lambda: 1.0), (), no_difference, 1.0)
    monkeypatch.setattr(parts, "MAKERS", {("quick",): lambda _: [quick], ("slow",): interrupted})
    monkeypatch.setattr(parts, "NAMES", ["quick", "slow"])
    with pytest.raises(SystemExit):
        cli.main(["speed", "--out", str(tmp_path)])
    assert read_speed(tmp_path / f"{host_kind('cpu')}.csv")["part"].to_list() == ["quick"]


@pytest.mark.parametrize("part", ["loader", "gcc"])
def test_the_command_prints_json_alone(part, capsys, tmp_path, cache):
    with pytest.raises(SystemExit) as ended:
        cli.main(["speed", "--only", part, "--json", "--out", str(tmp_path)])
    assert ended.value.code == 0
    rows = json.loads(capsys.readouterr().out)
    assert {r["part"] for r in rows} == {part}
    assert {"part", "peer", "ratio", "ours_s", "theirs_s", "threads", "difference"} <= rows[0].keys()
    assert len(read_speed(tmp_path / f"{host_kind('cpu')}.csv")) == len(rows)
