"""Two hundred mistyped commands: options, values, ids and paths. Each is one line and exit code 2, and writes nothing."""

from itertools import product

import pytest

from bench.cli import main

RUN = ["run", "--profile", "smoke", "--source", "phantom", "--methods", "oracle+sinc"]
FULL = [*RUN, "--dataset", "vwi", "--results", "runs"]


def typos(word):
    """What a hand makes of a word."""
    yield word[:-1]
    yield word[1:]
    yield word + word[-1]
    yield word[1] + word[0] + word[2:]
    yield word.upper()
    yield f"{word},x"
    yield word.replace("+", "++") if "+" in word else f"{word} {word}"


def put(name, value, base=FULL):
    """The command with another value of an option."""
    base = list(base)
    if name in base:
        base[base.index(name) + 1] = value
        return base
    return [*base, name, value]


NUMBERS = ["", "x", "-1", "0", "1.5", "1e9", "nan", "--", "1,2"]
SETTINGS = [
    "training.iterations", "=", "training.iterations=", "training.iterations=x", "training.iterations=1.5",
    "training.iterations=-5", "training.iterations=0", "training.iteration=5", "trainin.iterations=5", "iterations=5",
    "training.learning_rate=inf", "training.learning_rate=nan", "training.learning_rate=0", "training.learning_rate=x",
    "training.schedule=linear", "training.precision=fp16", "training.pretraining=2", "training.batch=[1]",
    "training.validate_every=0", "training.clip=-1", "training.a.b=1", "training=5", "data=5", "data.slices=4",
    "data.slices=[4,4]", "data.slices=[4,4,-1]", "data.slices=[4,4,x]", "data.slices=[4.5,4,4]", "data.matrix_factor=0",
    "data.matrix_factor=0.5", "data.matrix_factor=1000", "data.coils=-1", "data.coils=x", "data.centre_factor=0",
    "data.centre_factor=nan", "protocol.acceleration=0.5", "protocol.acceleration=1000", "protocol.acceleration=x",
    "protocol.coils=0", "protocol.coils=1000", "protocol.noise=-1", "protocol.noise=nan", "protocol.centre=-1",
    "protocol.centre=1000", "protocol.mask=spiral", "protocol.matrix=[8,8]", "methods.modll.unrolls=5",
    "methods.modl.unroll=5", "methods.modl.unrolls=x", "methods.modl.unrolls=-1", "methods.modl.weights=nowhere.pt",
    "methods.modl.weights=.", "methods.oracle.weights=empty.toml", "methods.modl=5", "methods.modl+sinc.unrolls=5",
    "methods.modl~bicubic.learning_rate=1e-3", "methods.modl.a.b=1", "network.featurs=8", "network.features=x",
    "network.features=0", "profile=laptop", "description=", ".=1", "..=1",
]  # fmt: skip

COMMANDS = [
    *(put("--dataset", word) for word in [*typos("vwi"), "", ",", "vwi,", "vwi,,brain", "vwi;brain", "*"]),
    *(put("--methods", word) for word in [*typos("oracle+sinc"), "", ",", "!all", "modl", "sinc", "oracle", "+", "~", "a+b",
      "modl+modl", "sinc+modl", "modl~sinc", "oracle~rrdb", "all,!all", "modl+sinc+sinc", "[a", "nothing*"]),
    *(put("--profile", word) for word in [*typos("smoke"), "", "nowhere.toml", "empty.toml", "bad.toml", "smoke.toml", "."]),
    *(put("--source", word) for word in [*typos("phantom"), "", "heads,phantom", "vfa-raw"]),
    *(put(name, value) for name, value in product(["--seeds", "--jobs", "--devices", "--limit"], NUMBERS)
      if not (name == "--limit" and value == "1e9")),
    *(put("--folds", value) for value in ["", "x", "-1", "99", "1.5", "0-3", "0,,1", "ALL", "0,x", "all,0"]),
    *(put("--device", value) for value in ["", "gpu", "cuda:99", "CPU", "cpu:x", "meta!", "0"]),
    *(put("--results", value) for value in ["/proc/x", "empty.toml", "empty.toml/x", "/dev/null"]),
    *(put("--weights", value) for value in ["nowhere", "empty.toml", ""]),
    *(put("--plugin", value) for value in ["nowhere.py", "empty.toml", "", "/", "broken.py", "folder", "names.py"]),
    put("--plugin", "exits.py"),
    *(put("--compare", value) for value in ["nowhere", "empty.toml", ""]),
    *(put("--set", value) for value in SETTINGS),
    *([*FULL, option] for option in ["--dryrun", "--re-run", "--retain", "-x", "extra", "--no-time", "--seed"]),
    *([word] for word in [*typos("report"), "Run", "--verson", "-v", "helpme"]),
    *(["report", "--results", value] for value in ["nowhere", "empty.toml", "", "folder"]),
    *(["report", "--resuls", "x"], ["report", "--out"], ["report", "--pdf", "now"], ["report", "x"]),
    *(["list", word] for word in [*typos("methods"), "", "method", "all"]),
    *(["list", "methods", "--profile", word] for word in ["", "smok", "bad.toml"]),
    *(["list"], ["list", "methods", "datasets"], ["list", "methods", "--jsn"], ["list", "methods", "--plugin", "nowhere.py"]),
    *(["fetch", word] for word in [*typos("heads"), "", "heads/nobody", "../heads"]),
    *(["new", word] for word in ["", "Mine", "my_method", "a b", "../x", "-", "a--b", "modl", "mine.py"]),
    *(["new", "mine", "--kind", word] for word in ["", "pipelines", "super-resolver", "Source"]),
    *(["check", word] for word in ["", "modll", "modl+sinc+x", "MODL", "modl~bicubic", "nowhere.py", "modl+sinc"]),
    *(["check"], ["new"], ["fetch"], ["check", "modl", "--plugin", "broken.py"]),
    *(["speed", "--threads", value] for value in ["0", "-1", "x", "100000", "1.5"]),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with what a user may name by mistake."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.toml").write_text("")
    (tmp_path / "smoke.toml").write_text("")
    (tmp_path / "bad.toml").write_text("[training\n")
    (tmp_path / "broken.py").write_text("import nowhere_at_all\n")
    (tmp_path / "exits.py").write_text("import sys\nsys.exit(3)\n")
    (tmp_path / "names.py").write_text("import bench\n\n@bench.source('Mine')\nclass Mine:\n    pass\n")
    (tmp_path / "folder").mkdir()
    return tmp_path


def test_two_hundred_mistyped_commands_are_one_line_each_and_write_nothing(folder, capsys, cache):
    assert len({tuple(command) for command in COMMANDS}) >= 200
    before = sorted(folder.rglob("*"))
    wrong = []
    for command in COMMANDS:
        try:
            main(command)
            code = 0
        except SystemExit as stop:
            code = stop.code
        except BaseException as error:
            code = f"{type(error).__name__}: {error}"
        printed = capsys.readouterr()
        lines = printed.err.splitlines()
        if code != 2 or len(lines) != 1 or not lines[0].startswith("bench: ") or len(lines[0]) < 20:
            wrong.append((" ".join(command), code, printed.err[-300:], printed.out[-100:]))
    assert not wrong, "\n".join(map(str, wrong))
    assert sorted(folder.rglob("*")) == before
