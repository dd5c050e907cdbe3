"""One dataset's stages score another's people."""

import numpy as np
import pytest

from bench import registry
from bench.data.importing import import_data
from bench.data.people import Splitting
from bench.errors import UserError
from bench.run.execute import Callbacks, execute
from bench.run.plan import make_plan
from bench.run.request import Request
from bench.store.records import RunRecord

QUIET = Callbacks(*[lambda *_: None] * 5)
FAST = ("training.iterations=2", "training.validate_every=2", "training.batch=1", "data.slices=[2, 1, 2]")
HOME = '''
from dataclasses import replace
import bench
from bench import registry

@bench.dataset("home")
def home():
    """Heads whose stages are borrowed."""
    return replace(registry.datasets()["vwi"].made_by(), id="home", sources=("phantom",))

@bench.dataset("abroad")
def abroad():
    """The same people in the other order."""
    return replace(home(), id="abroad")
'''


@pytest.fixture
def home(tmp_path, cache):
    path = tmp_path / "home.py"
    path.write_text(HOME)
    return path


def asked(home, dataset, methods="modl+sinc", **traits):
    given = {"stages_of": "home", "overrides": FAST, "jobs": 1, "timing": False, "results": home.parent / "results"}
    return Request((dataset,), methods, "smoke", plugin_files=(home,), **(given | traits))


def run(request):
    plans = make_plan(request)
    outcomes = execute(request, plans, QUIET)
    assert {outcome.status for outcome in outcomes.values()} == {"done"}
    return plans


def test_people_without_training_are_scored_by_stages_made_elsewhere(home, tmp_path, kspace, data_folder):
    np.save(tmp_path / "anna.npy", kspace(0))
    import_data([tmp_path / "anna.npy"], "mine", None, Splitting(), None, lambda *_: None)
    registry.discover()
    with pytest.raises(UserError, match="nobody in 'train', which 'modl' needs to learn from: score with other stages"):
        make_plan(asked(home, "mine", stages_of=None))
    run(asked(home, "home", stages_of=None))
    plan = make_plan(asked(home, "mine"))[0]
    assert not plan.to_train
    run(asked(home, "mine"))
    record = RunRecord.read(plan.rows[0].folder.record)
    assert (record.done, record.stages_of, record.dataset) == (True, "home", "mine")
    assert (
        record.caveats[-1]
        == "Networks are those trained on home (simulated acquisition of a numerical phantom), whose people are others."
    )
    assert not make_plan(asked(home, "mine"))[0].to_evaluate


def test_weights_may_lie_elsewhere(home, tmp_path):
    run(asked(home, "home", stages_of=None, results=tmp_path / "there"))
    plan = make_plan(asked(home, "abroad", weights=tmp_path / "there", results=tmp_path / "here"))[0]
    assert not plan.to_train


def test_nobody_is_tested_by_stages_that_they_trained(home):
    with pytest.raises(UserError, match="'phantom-0' of 'abroad' trained the stages of 'home', and cannot be tested"):
        make_plan(asked(home, "abroad", folds=(1,)))


def test_the_same_data_under_another_name_are_told(tmp_path, kspace, data_folder, cache):
    for i, name in enumerate(("anna", "berta", "carl")):
        np.save(tmp_path / f"{name}.npy", kspace(i))
    import_data([tmp_path], "mine", None, Splitting(), None, lambda *_: None)
    (tmp_path / "anna.npy").rename(tmp_path / "zoe.npy")
    import_data([tmp_path / "zoe.npy"], "again", None, Splitting(), None, lambda *_: None)
    registry.discover()
    with pytest.raises(UserError, match=r"'zoe' of 'again' trained the stages of 'mine' \(there 'anna'\)"):
        make_plan(Request(("again",), "modl+sinc", "smoke", stages_of="mine", results=tmp_path / "r"))


def test_rows_by_other_stages_stand_in_no_one_table(home):
    run(asked(home, "abroad", "oracle+sinc"))
    with pytest.raises(UserError, match="was made with stages_of home, now None"):
        make_plan(asked(home, "abroad", "oracle+bicubic", stages_of=None))


def test_an_unknown_dataset_is_told(home):
    with pytest.raises(UserError, match=r"Unknown dataset 'hone'\. Did you mean 'home'"):
        make_plan(asked(home, "abroad", stages_of="hone"))
