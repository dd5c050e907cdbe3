"""`bench data`, `export` and `score`, as people type them."""

import json

import numpy as np
import pytest

from bench.cli import main


@pytest.fixture
def typed(capsys, tmp_path, monkeypatch, data_folder, cache):
    """Runs a command in a folder with three people's k-space; gives exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        with pytest.raises(SystemExit) as stop:
            main(list(arguments))
        printed = capsys.readouterr()
        return stop.value.code, printed.out, printed.err

    return run


@pytest.fixture
def raw(tmp_path, kspace):
    folder = tmp_path / "raw data [1]"
    folder.mkdir()
    for i, name in enumerate(("anna", "berta", "carl")):
        np.save(folder / f"{name}.npy", kspace(i))
    return folder


def refused(outcome, words):
    code, _, err = outcome
    assert code == 2
    assert words in err
    assert err.startswith("bench: ")
    assert err.count("\n") == 1


def test_check_import_list_remove(typed, raw):
    code, out, _ = typed("data", "check", str(raw))
    assert code == 0
    assert out.count("48x40") == 3
    assert "anna.npy: NumPy, complex64, image values up to about" in out
    code, out, _ = typed("data", "import", str(raw), "--name", "mine")
    assert code == 0
    assert "now: bench run --dataset mine --methods all" in out
    assert "train: anna" in out
    code, out, _ = typed("data", "list")
    assert "mine" in out
    assert "48 x 40" in out
    code, out, _ = typed("list", "datasets", "--json")
    assert "mine" in [row["id"] for row in json.loads(out)]
    refused(typed("data", "remove", "mine"), "add --yes")
    assert typed("data", "remove", "mine", "--yes")[0] == 0
    refused(typed("data", "list"), "Nothing was imported yet")


def test_check_for_programs(typed, raw):
    (raw / "broken.npy").write_bytes(b"\x93NUMPY nothing")
    code, out, err = typed("data", "check", "--json", str(raw))
    rows = {row["file"].rpartition("/")[2]: row for row in json.loads(out)}
    assert code == 2
    assert "broken.npy" in err
    assert rows["anna.npy"]["usable"]
    assert (rows["anna.npy"]["matrix"], rows["anna.npy"]["coils"], rows["anna.npy"]["slices"]) == ([48, 40], 4, 3)
    assert not rows["broken.npy"]["usable"]


def test_what_is_of_no_use_is_told_after_all_others(typed, raw, kspace):
    sparse = kspace(7)
    sparse[..., 1::2] = 0
    np.save(raw / "dora.npy", sparse)
    code, out, err = typed("data", "check", str(raw))
    assert code == 2
    assert "dora.npy: 19 of 40 columns are zero between measured ones: undersampled" in err
    assert "anna" in out
    refused(typed("data", "import", str(raw), "--name", "mine"), "dora.npy")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("data", "check", "nowhere"), "nowhere does not exist"),
        (("data", "check"), "Missing argument"),
        (("data",), "Missing command"),
        (("data", "check", "."), ""),
        (("data", "import", "raw data [1]"), "--name"),
        (("data", "import", "raw data [1]", "--name", "vwi"), "called so already"),
        (("data", "import", "raw data [1]", "--name", "My"), "not made of a-z"),
        (("data", "import", "raw data [1]", "--name", "mine", "--like", "vwl"), "Did you mean 'vwi'"),
        (("data", "import", "raw data [1]", "--name", "mine", "--shares", "1,1"), "three numbers"),
        (
            ("data", "import", "raw data [1]", "--name", "mine", "--shares", "1,1,1", "--test", "anna"),
            "use one of them",
        ),
        (("data", "import", "raw data [1]", "--name", "mine", "--test", "anna"), "'berta' is in no split"),
        (("data", "import", "raw data [1]", "--name", "mine", "--people", "nowhere.csv"), "nowhere.csv cannot be read"),
        (("data", "remove", "mine", "--yes"), "No data was imported"),
        (("data", "lst"), "lst"),
        (("export", "--dataset", "vwl", "--out", "x"), "Did you mean 'vwi'"),
        (("export", "--dataset", "vwi", "--out", "x", "--split", "tset"), "Did you mean 'test'"),
        (("export", "--dataset", "vwi", "--out", "/dev/null/x"), "cannot be written"),
        (("export", "--dataset", "vfa", "--out", "x", "--split", "train"), "has nobody in 'train'"),
        (("score", "mine", "nowhere", "--dataset", "vwi"), "nowhere is no folder"),
        (("score", "proposed", ".", "--dataset", "vwi"), "is a method of this suite"),
        (("score", "mine", ".", "--dataset", "vwi", "--group", "best"), "--group best"),
        (("score", "mine", ".", "--dataset", "vwi", "--results", "/dev/null/x"), "cannot be written"),
    ],
)
def test_a_users_mistake_is_one_line_and_code_two(typed, raw, tmp_path, arguments, words):
    before = sorted(tmp_path.rglob("*"))
    if arguments == ("data", "check", "."):
        for file in raw.iterdir():
            file.unlink()
        before = sorted(tmp_path.rglob("*"))
        words = "There are no raw data in ."
    refused(typed(*arguments), words)
    assert [path for path in sorted(tmp_path.rglob("*")) if path not in before and "data folder" not in str(path)] == []


def test_the_whole_road_from_export_to_score(typed, tmp_path):
    data = ("--dataset", "vwi", "--source", "phantom", "--profile", "smoke")
    code, out, _ = typed("export", *data, "--out", "acquisitions", "--with-truth")
    assert code == 0
    assert "bench score NAME DIR --dataset vwi" in out
    import h5py

    for path in (tmp_path / "acquisitions").iterdir():
        with h5py.File(path, "a") as file:
            file["image"] = file["truth"][()]
    code, out, _ = typed("score", "perfect", "acquisitions", *data, "--group", "bound", "--training", "by hand")
    assert code == 0
    assert "perfect" in out
    code, out, _ = typed("report", "--results", "runs")
    assert code == 0
    assert "training, as their authors say: by hand" in (tmp_path / "runs/report/index.html").read_text()
