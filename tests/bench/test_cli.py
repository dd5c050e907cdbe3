import json
import os
import re
import subprocess
import sys

import pytest

from bench.cli import main
from bench.store.layout import CHECKOUT


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    return stop.value.code, capsys.readouterr()


RUN = ("run", "--profile", "smoke", "--source", "phantom")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((*RUN, "--dataset", "vwl"), "Did you mean 'vwi'"),
        ((*RUN, "--methods", "propose"), "Did you mean 'proposed'"),
        (("run", "--profile", "lptop"), "Did you mean 'laptop'"),
        ((*RUN, "--set", "training.iteration=1"), "Did you mean 'iterations'"),
        ((*RUN, "--plugin", "nowhere.py"), "nowhere.py does not exist"),
        (("run", "--profile", "smoke", "--source", "nowhere"), "Unknown source 'nowhere'"),
        (("run", "--profile", "smoke", "--dataset", "vfa", "--source", "phantom"), "use vfa-raw"),
        ((*RUN, "--results", "/dev/null/x"), "cannot be written"),
        ((*RUN, "--device", "abacus"), "use --device cpu"),
        ((*RUN, "--device", "meta"), "The device 'meta' is not available here: use --device cpu"),
        ((*RUN, "--results", "~nobody-here/x"), "'~nobody-here/x' begins with a home folder that there is not"),
        ((*RUN, "--plugin", "~nobody-here/x.py"), "begins with a home folder that there is not"),
        (("report", "--results", "~nobody-here/x"), "begins with a home folder that there is not"),
        ((*RUN, "--seeds", "0"), "--seeds must be at least 1"),
        ((*RUN, "--limit", "0"), "--limit must be at least 1"),
        ((*RUN, "--devices", "0"), "--devices must be at least 1"),
        ((*RUN, "--devices", "3"), "A batch of 2 cannot be shared equally by --devices 3"),
        ((*RUN, "--devices", "2", "--device", "cpu:0"), "--devices 2 takes the first ones"),
        ((*RUN, "--seeds", "many"), "--seeds"),
        (("rnu",), "Did you mean 'run'"),
        (("report", "--results", "/nowhere"), "holds no runs"),
        (("list", "method"), "Did you mean 'methods'"),
        (("fetch", "head"), "Did you mean 'heads'"),
        (("check", "modll"), "Did you mean 'modl'"),
        (("new", "Mine"), "a-z"),
        (("fetch",), "bench fetch takes names: heads (137 MB), vfa ("),
        (("speed", "--threads", "0"), "--threads is at least 1"),
        ((*RUN, "--jobs", "100000"), "--jobs is at most "),
        ((*RUN, "--compare", "nowhere"), "--compare nowhere holds no runs"),
        ((*RUN, "--weights", "."), "--weights . is no folder of results with trained stages"),
        ((*RUN, "--methods", "modl"), "'modl' is a reconstructor, one half of a method: use 'modl+*'"),
        (("new", "mine", "--kind", "pipline"), "Did you mean 'pipeline'"),
    ],
)
def test_a_users_mistake_is_one_line_and_code_two(capsys, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    code, printed = run(capsys, *arguments)
    assert code == 2
    assert words in printed.err
    assert printed.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_without_a_network_it_says_what_is_missing_and_what_needs_no_download(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setattr("bench.data.assets.PAUSE_S", 0.0)
    code, printed = run(capsys, "run", "--methods", "oracle+bicubic")
    assert code == 2
    assert "--source phantom --profile smoke" in printed.err
    assert printed.err.strip().count("\n") == 0


def test_a_dry_run_prints_the_plan_and_writes_nothing(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, printed = run(capsys, *RUN, "--methods", "proposed", "--dry-run")
    assert code == 0
    assert "proposed" in printed.out
    assert not list(tmp_path.iterdir())


def test_the_list_of_methods_has_the_published_parameter_counts(capsys):
    code, printed = run(capsys, "list", "methods", "--profile", "paper", "--json")
    assert code == 0
    table = {entry["id"]: entry for entry in json.loads(printed.out)}
    blocks = table["proposed"]["stages"][0]["blocks"]
    assert blocks["rrdb"] == 719_424
    assert blocks["rrdb-two-skips"] == 725_568
    assert table["modl"]["stages"][0]["parameters"] == 113_413
    assert table["modl"]["kind"] == "reconstructor"
    assert {"id", "kind", "group", "file", "stages"} <= set(table["cg-sense+bicubic"])


def test_laptop_stages_are_small(capsys):
    _, printed = run(capsys, "list", "methods", "--json")
    sizes = {s["id"]: s["parameters"] for entry in json.loads(printed.out) for s in entry["stages"]}
    assert max(sizes.values()) <= 400_000


@pytest.mark.parametrize("what", ["methods", "datasets", "profiles"])
def test_each_list_is_shown(capsys, what):
    code, printed = run(capsys, "list", what)
    assert code == 0
    assert printed.out


def test_new_writes_what_check_passes(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(capsys, "new", "mine-too", "--kind", "reconstructor")[0] == 0
    code, printed = run(capsys, "check", "mine-too", "--plugin", "mine-too.py")
    assert code == 0
    assert "holds to the contract" in printed.out
    assert run(capsys, "new", "mine-too")[0] == 2


def test_help_loads_nothing_heavy():
    heavy = {"torch", "numpy", "pandas", "bench.run.execute"}
    code = f"import sys; from bench.cli import app; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_alone_it_prints_its_help_and_with_h_too(capsys):
    printed = [run(capsys, *arguments) for arguments in ((), ("-h",), ("--help",))]
    assert {code for code, _ in printed} == {0}
    assert len({text.out for _, text in printed}) == 1
    assert printed[0][1].out.count("\n") > 10


def test_it_says_its_version(capsys):
    code, printed = run(capsys, "--version")
    assert code == 0
    assert re.fullmatch(r"bench \d+\.\d+\.\d+\n", printed.out)


def test_a_report_never_overwrites_what_is_none(capsys, tmp_path):
    (tmp_path / "index.html").write_text("<title>My page</title>")
    (tmp_path / "file").write_text("")
    for out, words in (
        (tmp_path, "is no report and would be overwritten"),
        (tmp_path / "file", "is a file: name a folder"),
    ):
        code, printed = run(capsys, "report", "--results", str(CHECKOUT / "results"), "--out", str(out))
        assert code == 2
        assert words in printed.err
    assert (tmp_path / "index.html").read_text() == "<title>My page</title>"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_what_an_encoding_lacks_is_replaced(encoding):
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    listed = subprocess.run(
        [sys.executable, "-m", "bench", "list", "sources"], check=True, capture_output=True, env=environment
    )
    assert "phantom" in listed.stdout.decode(encoding)


def test_a_home_folder_is_meant_wherever_a_path_is_named(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home").mkdir()
    path = "~/cache"
    monkeypatch.setenv("BENCH_CACHE", path)
    code, _ = run(
        capsys, *RUN, "--methods", "oracle+sinc", "--limit", "2", "--no-timing", "--jobs", "1", "--results=~/runs"
    )
    assert code == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["home"]
    assert (tmp_path / "home/runs/vwi/smoke/oracle+sinc/seed0/run.json").exists()
    assert run(capsys, "report", "--results=~/runs", "--out=~/page")[0] == 0
    assert (tmp_path / "home/page/index.html").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["home"]


def test_a_cache_in_a_home_that_there_is_not_is_one_line(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", "~nobody-here")
    code, printed = run(capsys, *RUN, "--methods", "oracle+sinc", "--results", str(tmp_path))
    assert code == 2
    assert printed.err == "bench: '~nobody-here' begins with a home folder that there is not: name another path.\n"
