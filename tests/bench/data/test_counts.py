"""How many slices of whom: everybody is tested, and a limit is a number a person."""

from collections import Counter
from dataclasses import replace

import pytest

from bench import config, registry
from bench.data.dataset import Dataset, make_source
from bench.data.prepare import slice_numbers
from bench.data.protocol import RawSubject

SMOKE = config.load("smoke")


@pytest.fixture
def people(monkeypatch):
    """A source of 38 people to test, which any dataset of the phantom takes."""

    def declare(count):
        class Many(type(make_source("phantom"))):
            datasets = ("vwi", "brain", "regimes")

            def subjects(self):
                return {"train": ("a", "b"), "validation": ("c",), "test": tuple(f"p{i:02d}" for i in range(count))}

        Many.__module__ = "__main__"
        registry.source("many")(Many)

    return declare


def counted(name, limit=None, settings=SMOKE):
    data = Dataset.of(registry.datasets()[name].made_by(), "many", settings, 0, limit)
    return Counter(series.subject for series, _, _ in data.slices("test")), data


@pytest.mark.parametrize(("name", "views"), [("vwi", 2), ("brain", 4)])
def test_everybody_is_tested_in_every_view(people, name, views):
    people(38)
    by_person, data = counted(name)
    assert len(by_person) == 38
    assert set(by_person.values()) == {views}
    assert {view.contrast for _, _, view in data.slices("test")} == {v.contrast for v in data.protocol.views}


def test_everybody_is_tested_in_every_cell(people):
    people(38)
    by_person, data = counted("regimes")
    assert set(by_person.values()) == {len(data.protocol.views)}


@pytest.mark.parametrize("name", ["vwi", "brain", "regimes"])
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6])
def test_a_limit_is_a_number_a_person(people, name, limit):
    people(3)
    laptop = config.load("laptop")
    by_person, data = counted(name, limit, laptop)
    most = limit * (len(data.protocol.views) if name == "regimes" else 1)
    assert len(by_person) == 3
    assert len(set(by_person.values())) == 1
    assert max(by_person.values()) <= most
    assert max(by_person.values()) == most or name == "brain"  # whose views share their positions


def test_a_limit_beyond_what_there_is_changes_nothing(people):
    people(3)
    assert counted("vwi", 1000)[0] == counted("vwi")[0]


def test_training_does_not_depend_on_a_limit(people):
    people(3)
    keys = {counted("vwi", limit)[1].key("train", "validation") for limit in (None, 1, 7)}
    assert len(keys) == 1


def test_nobody_to_test_is_no_slice(people):
    people(0)
    assert not counted("vwi")[0]


@pytest.mark.parametrize(
    ("there", "asked", "expected"),
    [(1, 2, [0]), (3, 6, [0, 1, 2]), (3, 4, [0, 1, 2]), (6, 2, [2, 3]), (5, 2, [1, 2]), (4, 4, [0, 1, 2, 3])],
)
def test_of_measured_slices_the_middle_ones_are_taken_and_all_if_there_are_too_few(people, there, asked, expected):
    people(1)
    series = counted("vwi")[1].series("test")[0]
    raw = RawSubject({(series.view.contrast, n): None for n in range(there)}, None)
    assert slice_numbers(replace(series, count=asked), raw) == expected
