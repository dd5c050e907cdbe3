import json

import pytest

from bench import cli
from bench.errors import UserError
from bench.speed.compare import Row
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


@pytest.mark.parametrize("part", ["loader", "gcc"])
def test_the_command_prints_json_alone(part, capsys, tmp_path, cache):
    with pytest.raises(SystemExit) as ended:
        cli.main(["speed", "--only", part, "--json", "--out", str(tmp_path)])
    assert ended.value.code == 0
    rows = json.loads(capsys.readouterr().out)
    assert {r["part"] for r in rows} == {part}
    assert {"part", "peer", "ratio", "ours_s", "theirs_s", "threads", "difference"} <= rows[0].keys()
    assert len(read_speed(tmp_path / f"{host_kind('cpu')}.csv")) == len(rows)
