"""Whose a file is, and who is in which split."""

from pathlib import Path

import pytest

from bench.data.people import Splitting, Whose, assign, parse_splitting, split_people
from bench.data.readers.records import Scan
from bench.errors import UserError


def scan(file, person=None, contrast="raw"):
    return Scan(
        (Path(file),), "NumPy", person, contrast, (1, 1, 8, 8), "complex64", None, (True, True), (), lambda _: None
    )


def people(given):
    return [one.person for one in given]


def table(tmp_path, text):
    path = tmp_path / "people.csv"
    path.write_text(text)
    return path


def everybody(n):
    return [Whose(scan(f"{i}.npy"), f"p{i:02d}") for i in range(n)]


def test_the_file_says_whose_it_is(tmp_path):
    assert people(assign([scan("a.npy", "anna"), scan("b.npy")], [Path("a.npy"), Path("b.npy")], None)) == ["anna", "b"]


def test_a_folder_is_a_person_where_it_holds_no_contrast_twice(tmp_path):
    for name in ("one/t1.npy", "one/t2.npy", "two/t1.npy"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    scans = [scan(tmp_path / "one/t1.npy", contrast="t1"), scan(tmp_path / "one/t2.npy", contrast="t2")]
    scans.append(scan(tmp_path / "two/t1.npy", contrast="t1"))
    assert people(assign(scans, [tmp_path], None)) == ["one", "one", "two"]
    alike = [scan(tmp_path / "one/t1.npy"), scan(tmp_path / "one/t2.npy"), scan(tmp_path / "two/x.npy")]
    assert people(assign(alike, [tmp_path], None)) == ["t1", "t2", "x"]


def test_two_scans_of_one_contrast_are_told_apart_by_a_table(tmp_path):
    scans = [scan("a.h5", "anna"), scan("b.h5", "anna")]
    with pytest.raises(UserError, match=r"'anna' has two scans of the contrast 'raw', a\.h5 and b\.h5: .*--people"):
        assign(scans, [], None)
    path = table(tmp_path, "file,person,contrast\na.h5,anna,first\nb,anna,second\n")
    assert [one.scan.contrast for one in assign(scans, [], path)] == ["first", "second"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,who\na.h5,x\n", "unknown column 'who'"),
        ("file,person\na.h5,\n", "line 2: no person"),
        ("file\na.h5\n", "no columns file and person"),
        ("file,person\n", "names nobody"),
        ("file,person,split\na.h5,x,tset\n", "line 2: 'tset' is no split"),
        ("file,person\nb.h5,x\n", "says nothing of a.h5"),
        ("file,person\na.h5,x\nzz.h5,y\n", "line 3: there is no file zz.h5"),
        ("file,person\na.h5,x\na.h5,y\n", "a.h5 is of x and y"),
    ],
)
def test_a_table_is_refused_by_line(tmp_path, text, said):
    with pytest.raises(UserError, match=said):
        assign([scan("a.h5")], [], table(tmp_path, text))


@pytest.mark.parametrize(
    ("n", "counts"), [(1, (0, 0, 1)), (2, (0, 0, 2)), (3, (1, 1, 1)), (10, (7, 1, 2)), (40, (28, 4, 8))]
)
def test_at_least_one_person_a_split_by_sorted_name(n, counts):
    splits = split_people(everybody(n)[::-1], Splitting())
    assert tuple(map(len, splits.values())) == counts
    assert [p for ids in splits.values() for p in ids] == [f"p{i:02d}" for i in range(n)]


def test_shares_and_lists():
    assert tuple(map(len, split_people(everybody(8), parse_splitting("0,0,1", {})).values())) == (0, 0, 8)
    assert tuple(map(len, split_people(everybody(8), parse_splitting("2,1,1", {})).values())) == (4, 2, 2)
    lists = parse_splitting(None, {"train": "p02", "validation": None, "test": "p00, p01"})
    assert split_people(everybody(3), lists) == {"train": ("p02",), "validation": (), "test": ("p00", "p01")}


@pytest.mark.parametrize(
    ("lists", "said"),
    [
        ({"test": "p00"}, "'p01' is in no split"),
        ({"train": "p00,p01"}, "Nobody is in test"),
        ({"train": "p00", "test": "p00,p01"}, "'p00' stands in 'train' and in 'test'"),
        ({"test": "p00,p01,p1"}, "Nobody is called 'p1'. Did you mean"),
    ],
)
def test_lists_name_everybody_once(lists, said):
    with pytest.raises(UserError, match=said):
        split_people(everybody(2), parse_splitting(None, lists))


@pytest.mark.parametrize("shares", ["1,2", "1,2,x", "1,1,0", "-1,1,1", "nan,1,1", "inf,1,1"])
def test_shares_are_three_numbers(shares):
    with pytest.raises(UserError, match="--shares"):
        parse_splitting(shares, {})


def test_too_few_people_for_the_splits_asked_for():
    with pytest.raises(UserError, match="There are 2 people for 3 splits: with --shares 0,0,1 all are tested"):
        split_people(everybody(2), parse_splitting("1,1,1", {}))


def test_the_table_says_the_splits(tmp_path):
    path = table(tmp_path, "file,person,split\na.h5,x,test\nb.h5,y,train\n")
    given = assign([scan("a.h5"), scan("b.h5")], [], path)
    assert split_people(given, Splitting()) == {"train": ("y",), "validation": (), "test": ("x",)}
    with pytest.raises(UserError, match="--people says the splits"):
        split_people(given, Splitting((1, 1, 1)))
