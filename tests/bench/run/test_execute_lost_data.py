"""Data of which some cannot be prepared: the others go on."""

import re
from dataclasses import replace

import pytest

from bench import terminal
from bench.errors import UserError
from bench.report import make_report
from bench.run.execute import Callbacks, execute
from bench.run.plan import make_plan
from bench.run.request import Request
from bench.store.records import RunRecord

CALLBACKS = Callbacks(*[lambda *_: None] * 5)
FAST = ("training.iterations=3", "training.validate_every=3", "data.slices=[4, 2, 4]")


BLANK = """
import dataclasses
import bench
from bench.datasets.vwi import vwi

@bench.dataset("fine")
def fine():
    return dataclasses.replace(vwi(), id="fine", sources=("phantom",))

@bench.source("blank")
class Blank(bench.Source):
    label, datasets = "nothing", ("brain",)

    def subjects(self):
        return {"test": ("ann",)}

    def digests(self, subject):
        return ()

    def load(self, subject):
        raise OSError("the disk is not mounted")

@bench.dataset("blank")
def blank():
    return bench.Protocol("blank", 1, (192, 160), (1.0, 1.0), 2, 2, "gaussian-1d", 2.0, 4, (False, True), 0.0,
                          (bench.View("t1w", "axial", (0.0, 1.0)),), (4, 2, 2), ("blank",))
"""


def blank_and_fine(folder):
    """Two datasets, of which one cannot be prepared."""
    path = folder / "blank.py"
    path.write_text(BLANK)
    return Request(
        ("blank", "fine"), "oracle+sinc", "smoke", jobs=1, results=folder / "r", plugin_files=(path,), timing=False,
        overrides=FAST,
    )  # fmt: skip


def test_other_datasets_go_on_where_one_cannot_be_prepared(cache, tmp_path, capsys):
    request = blank_and_fine(tmp_path)
    outcomes = execute(request, make_plan(request), CALLBACKS)
    assert [(id.split()[0], outcome.status) for id, outcome in outcomes.items()] == [
        ("blank", "failed"),
        ("fine", "done"),
    ]
    assert "OSError: the disk is not mounted (blank.py, line" in outcomes["blank oracle+sinc seed0"].reason
    alone = replace(request, datasets=("blank",))
    with pytest.raises(UserError, match="the disk is not mounted"):
        execute(alone, make_plan(alone), CALLBACKS)


def test_the_table_of_the_others_and_what_is_lost_are_printed(cache, tmp_path, capsys):
    request = blank_and_fine(tmp_path)
    assert terminal.run(request, False, None) == 1
    said = capsys.readouterr().out
    assert "oracle+sinc: failed" in said
    assert re.search(r"fine, .*\n(.*\n)* oracle\+sinc +\d\d\.\d\d", said)
    *_, failed, last = said.splitlines()
    assert failed.startswith("failed blank oracle+sinc seed0: Source 'blank': subject 'ann', contrast 't1w' cannot")
    assert last.startswith("1 of 2 are not done: mend that")
    record = RunRecord.read(tmp_path / "r/blank/smoke/oracle+sinc/seed0/run.json")
    assert record.status == "failed"
    assert "the disk is not mounted" in record.reason
    assert make_report(tmp_path / "r", tmp_path / "out")


TORN = """
import dataclasses
import bench
from bench.datasets.phantom import Phantom
from bench.datasets.vwi import vwi

BROKEN = "phantom-5"

@bench.source("torn")
class Torn(Phantom):
    def load(self, subject):
        if subject == BROKEN:
            raise OSError("no such file")
        return super().load(subject)

@bench.dataset("first")
def first():
    return dataclasses.replace(vwi(), id="first", sources=("torn",))

@bench.dataset("second")
def second():
    return dataclasses.replace(vwi(), id="second", sources=("phantom",), train_on="first")
"""


def test_who_cannot_be_prepared_costs_only_what_needs_them(cache, tmp_path):
    path = tmp_path / "torn.py"
    path.write_text(TORN)
    request = Request(
        ("first", "second"), "oracle+sinc,dl-espirit+sinc", "smoke", jobs=1, results=tmp_path / "r", plugin_files=(path,),
        timing=False, overrides=FAST,
    )  # fmt: skip
    found = {id: outcome.status for id, outcome in execute(request, make_plan(request), CALLBACKS).items()}
    assert found == {
        "first oracle+sinc seed0": "failed", "first dl-espirit+sinc seed0": "failed", "second oracle+sinc seed0": "done",
        "first stage dl-espirit seed0": "done", "second dl-espirit+sinc seed0": "done",
    }  # fmt: skip
    folds = replace(request, datasets=("first",), methods="oracle+sinc", folds=(0, 1))
    found = {id: outcome.status for id, outcome in execute(folds, make_plan(folds), CALLBACKS).items()}
    assert found == {"first oracle+sinc seed0": "failed", "first oracle+sinc seed0-fold1": "done"}


def test_who_cannot_be_learnt_from_is_not_needed_by_what_learns_nothing(cache, tmp_path):
    path = tmp_path / "torn.py"
    path.write_text(TORN.replace('"phantom-5"', '"phantom-0"'))
    request = Request(
        ("first",), "oracle+sinc,dl-espirit+sinc", "smoke", jobs=1, results=tmp_path / "r", plugin_files=(path,),
        timing=False, overrides=FAST,
    )  # fmt: skip
    found = {id: outcome.status for id, outcome in execute(request, make_plan(request), CALLBACKS).items()}
    assert found == {"first dl-espirit+sinc seed0": "failed", "first oracle+sinc seed0": "done"}
    (plan,) = make_plan(request)
    assert [row.method.id for row in plan.to_evaluate] == ["dl-espirit+sinc"]
    with pytest.raises(UserError, match="subject 'phantom-0', contrast 't1w-axial' cannot be prepared"):
        execute(request, [plan], CALLBACKS)


def test_people_to_test_alone_are_no_people_to_learn_from(tmp_path, cache):
    path = tmp_path / "blank.py"
    path.write_text(BLANK)
    request = Request(("blank",), "modl+sinc", "smoke", results=tmp_path / "r", plugin_files=(path,))
    with pytest.raises(UserError, match="Source 'blank' has nobody in 'train', which 'modl' needs to learn from"):
        make_plan(request)
    with pytest.raises(UserError, match="has nobody in 'validation', which 'cg-sense' needs"):
        make_plan(replace(request, methods="cg-sense+sinc"))
    assert make_plan(replace(request, methods="cg-sense-plain+sinc"))
    assert not (tmp_path / "r").exists()
