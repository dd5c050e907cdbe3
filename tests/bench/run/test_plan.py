"""What is found, what is refused, and that keys name everything that numbers depend on."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from bench import registry
from bench.api import load_method
from bench.authoring.new import render
from bench.composition import build
from bench.config import load
from bench.data.dataset import Dataset
from bench.errors import UserError
from bench.run.execute import Callbacks, execute
from bench.run.methods import available, select, stages_of
from bench.run.plan import make_plan
from bench.run.request import Request, parse_folds
from bench.store import layout
from bench.store.records import RunRecord, StageRecord

QUIET = Callbacks(*[lambda *_: None] * 5)
FAST = ("training.iterations=2", "training.validate_every=2", "training.batch=1", "data.slices=[2, 1, 2]")


@pytest.fixture
def request_(tmp_path, cache):
    return Request(
        ("vwi",), "oracle+mine", "smoke", "phantom", overrides=FAST, results=tmp_path / "results", jobs=1, timing=False,
        plugin_files=(plugin(tmp_path, "mine", "super_resolver"),),
    )  # fmt: skip


def plugin(folder, id, kind, **replaced):
    path = folder / f"{id}.py"
    text = render(id, kind)
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    return path


def reload(path, old, new):
    """Edit a plugin's file as its author does between two runs."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    import sys

    del sys.modules[f"bench_plugin_{path.stem}"]


def run(request):
    outcomes = execute(request, make_plan(request), QUIET)
    assert {outcome.status for outcome in outcomes.values()} == {"done"}


def keys(wanted, overrides=(), seed=0, fold=0, source="phantom"):
    settings = load("smoke", overrides)
    data = Dataset.of(registry.datasets()["vwi"].made_by(), source, settings, fold, None)
    found = stages_of(select(wanted, settings), settings, seed, fold, lambda: data.key("train", "validation"))
    return {id: stage.key for id, stage in found.items()}


ALL = "modl+rrdb,dl-espirit+rrdb,cg-sense+rrdb,oracle+rrdb,proposed,t2net"


@pytest.mark.parametrize(
    ("override", "changed"),
    [
        ("methods.modl.unrolls=3", {"modl", "modl+rrdb"}),
        ("methods.dl-espirit.residual_blocks=2", {"dl-espirit", "dl-espirit+rrdb"}),
        ("methods.t2net.task_blocks=1", {"t2net"}),
        ("methods.rrdb.blocks=2", {"modl+rrdb", "dl-espirit+rrdb", "cg-sense+rrdb", "oracle+rrdb"}),
        ("methods.proposed.prior_features=5", {"proposed"}),
    ],
)
def test_a_methods_own_setting_is_in_the_keys_of_what_stands_on_it_and_of_nothing_else(override, changed):
    before, after = keys(ALL), keys(ALL, (override,))
    assert {id for id in before if before[id] != after[id]} == changed


@pytest.mark.parametrize(
    "change",
    [
        {"overrides": ("training.learning_rate=2e-3",)},
        {"overrides": ("data.coils=3",)},
        {"overrides": ("network.features=6",)},
        {"seed": 1},
        {"fold": 1},
    ],
)
def test_every_other_thing_that_training_depends_on_is_in_the_key(change):
    before, after = keys("modl+rrdb,proposed"), keys("modl+rrdb,proposed", **change)
    assert all(before[id] != after[id] for id in before)


def test_the_version_of_an_untrained_reconstructor_is_in_the_key_of_what_is_trained_on_it(monkeypatch):
    before = keys("oracle+rrdb")
    monkeypatch.setattr(registry.methods()["oracle"].cls, "version", 99)
    assert keys("oracle+rrdb") != before


def test_the_version_of_a_block_is_in_the_key(monkeypatch):
    from bench.nn.rrdb import RRDB

    before = keys("oracle+rrdb,modl+bicubic")
    monkeypatch.setattr(RRDB, "version", 99)
    after = keys("oracle+rrdb,modl+bicubic")
    assert before["oracle+rrdb"] != after["oracle+rrdb"]
    assert before["modl"] == after["modl"]


SITE = """
import bench
from bench.datasets.phantom import Phantom

@bench.source("{id}")
class Site(Phantom):
    datasets = ("vwi",)
"""


def test_two_sources_with_the_same_people_share_neither_files_nor_keys(tmp_path, cache):
    for id in ("site-a", "site-b"):
        path = tmp_path / f"{id}.py"
        path.write_text(SITE.format(id=id))
        registry.discover((path,))
    vwi = registry.datasets()["vwi"].made_by()
    one, other = (Dataset.of(vwi, id, load("smoke"), 0, None) for id in ("site-a", "site-b"))
    assert one.subjects == other.subjects
    assert not {s.path for s in one.series("test")} & {s.path for s in other.series("test")}
    assert keys("modl+rrdb", source="site-a")["modl"] != keys("modl+rrdb", source="site-b")["modl"]


def test_two_widths_of_a_plugin_have_two_keys(request_):
    registry.discover(request_.plugin_files)
    assert keys("oracle+mine", ("methods.mine.width=8",)) != keys("oracle+mine", ("methods.mine.width=9",))
    assert keys("oracle+mine", ("methods.mine.width=16",)) == keys("oracle+mine")


def test_a_plugin_edited_under_the_same_version_is_refused_in_one_line(request_):
    run(request_)
    (plan,) = make_plan(request_)
    assert not plan.to_evaluate
    reload(request_.plugin_files[0], "bench.bicubic(magnitude) +", "0.9 * bench.bicubic(magnitude) +")
    with pytest.raises(UserError, match=r"another text of .*mine\.py"):
        load_method(
            "oracle+mine", profile="smoke", source="phantom", results=request_.results, overrides=FAST,
            plugins=request_.plugin_files,
        )  # fmt: skip
    for request, remedy in ((request_, "--retrain"), (replace(request_, rerun=True), "--retrain")):
        with pytest.raises(UserError, match=rf"another text of .*mine\.py.*{remedy}, or raise `version`") as error:
            make_plan(request)
        assert "\n" not in str(error.value)
    again = replace(request_, retrain=True)
    run(again)
    (plan,) = make_plan(request_)
    assert not plan.to_evaluate
    reload(request_.plugin_files[0], "version = 1", "version = 2")
    with pytest.raises(UserError, match="another version of the method"):
        make_plan(request_)


def test_an_untrained_plugin_edited_is_refused_and_rerun(request_, tmp_path):
    path = tmp_path / "plain.py"
    path.write_text(
        'import bench\n\n@bench.super_resolver("plain")\nclass Plain(bench.SuperResolver):\n    version = 1\n\n'
        "    def forward(self, magnitude):\n        return bench.bicubic(magnitude)\n"
    )
    request = replace(request_, methods="oracle+plain", plugin_files=(path,))
    run(request)
    reload(path, "return bench.bicubic(magnitude)", "return 0.9 * bench.bicubic(magnitude)")
    with pytest.raises(UserError, match=r"another text of .*plain\.py.*use --rerun"):
        make_plan(request)
    run(replace(request, rerun=True))
    (plan,) = make_plan(request)
    assert not plan.to_evaluate


def test_rows_are_computed_again_when_their_stage_was_made_again(request_):
    run(request_)
    folder = request_.folder.stage("vwi", "smoke", "oracle+mine", 0)
    record = StageRecord.read(folder.record)
    replace(record, weights_sha256="0" * 64).write(folder.record)
    (plan,) = make_plan(request_)
    assert [row.method.id for row in plan.to_evaluate] == ["oracle+mine"]


def test_rows_of_other_training_do_not_come_into_one_table(request_):
    run(request_)
    other = replace(request_, methods="oracle+sinc", overrides=(*FAST, "training.iterations=3"))
    with pytest.raises(UserError, match=r"training\.iterations 2, now 3.*another --results"):
        make_plan(other)


def test_retraining_uses_no_checkpoint_and_no_reconstruction_that_lies_there(request_, cache):
    run(request_)
    (plan,) = make_plan(replace(request_, retrain=True))
    (stage,) = plan.to_train
    stage.folder.checkpoint.write_bytes(b"an old checkpoint")
    old = layout.reconstructions("oracle", "f" * 64)
    old.write_bytes(b"an old reconstruction")
    before = stage.folder.weights.read_bytes()
    run(replace(request_, retrain=True))
    assert not old.exists()
    assert not stage.folder.checkpoint.exists()
    assert stage.folder.weights.read_bytes() == before  # the same training from the same seed


def test_an_interrupted_retraining_is_not_replaced_by_weights_from_elsewhere(request_, tmp_path):
    run(request_)
    shipped = request_.results
    mine = replace(request_, results=tmp_path / "mine", weights=shipped)
    (plan,) = make_plan(mine)
    assert not plan.to_train

    def interrupt(*_):
        raise KeyboardInterrupt

    retrain = replace(mine, retrain=True)
    with pytest.raises(KeyboardInterrupt):
        execute(retrain, make_plan(retrain), replace(QUIET, working=interrupt))
    (plan,) = make_plan(mine)
    assert [stage.stage.id for stage in plan.to_train] == ["oracle+mine"]


def test_a_stage_shipped_without_weights_is_trained_where_a_row_needs_it_and_nowhere_else(
    request_, tmp_path, monkeypatch
):
    run(request_)
    (plan,) = make_plan(request_)
    plan.stages["oracle+mine"].folder.weights.unlink()
    (plan,) = make_plan(request_)
    assert not plan.to_train
    assert not plan.to_evaluate
    mine = replace(request_, results=tmp_path / "mine", weights=request_.results)
    assert [stage.stage.id for stage in make_plan(mine)[0].to_train] == ["oracle+mine"]
    monkeypatch.setattr(layout, "shipped", lambda: layout.ResultsFolder(request_.results))
    asked = {"profile": "smoke", "source": "phantom", "overrides": FAST, "results": mine.results}
    with pytest.raises(UserError, match="has not been trained"):
        load_method("oracle+mine", **asked)
    run(mine)
    assert load_method("oracle+mine", **asked).kind == "super_resolver"


def test_weights_made_elsewhere_are_used_hashed_and_not_trained(request_, tmp_path):
    registry.discover(request_.plugin_files)
    torch.manual_seed(5)
    network = build(registry.methods()["mine"], load("smoke"))
    for name in ("one", "two"):
        torch.nn.init.normal_(network.net[-2].weight, std=0.01)
        save_file(network.state_dict(), tmp_path / f"{name}.safetensors")
    torch.save(network.state_dict(), tmp_path / "two.pt")
    found = {}
    for name in ("one.safetensors", "two.safetensors", "two.pt"):
        results = tmp_path / f"results-{name}"
        request = replace(request_, results=results, overrides=(*FAST, f"methods.mine.weights={tmp_path / name}"))
        (plan,) = make_plan(request)
        assert not plan.to_train
        run(request)
        found[name] = RunRecord.read(request.folder.run("vwi", "smoke", "oracle+mine", 0).record)
    assert len({record.keys.method for record in found.values()}) == 3
    assert len({record.slices_sha256 for record in found.values()}) == 2
    assert found["one.safetensors"].stages[0].parameters > 0


def test_weights_that_do_not_fit_are_one_line(request_, tmp_path):
    path = tmp_path / "other.safetensors"
    save_file({"a": torch.ones(2)}, path)
    request = replace(request_, overrides=(*FAST, f"methods.mine.weights={path}"))
    outcomes = execute(request, make_plan(request), QUIET)
    (outcome,) = outcomes.values()
    assert outcome.status == "failed"
    assert "do not fit Mine" in outcome.reason
    assert "\n" not in outcome.reason


def test_half_a_method_is_explained():
    with pytest.raises(UserError, match=r"'modl' is a reconstructor, one half of a method: use 'modl\+\*'"):
        select("modl", load("smoke"))
    with pytest.raises(UserError, match=r"use '\*\+rrdb'"):
        select("rrdb", load("smoke"))


def test_exclusions():
    ids = {method.id for method in select("all,!oracle+*,!proposed", load("smoke"))}
    assert ids == {
        id for id, m in available().items() if m.in_all and not id.startswith("oracle+") and id != "proposed"
    }
    with pytest.raises(UserError, match="leaves no method"):
        select("proposed,!proposed", load("smoke"))


def test_all_folds_are_planned_with_every_seed(request_):
    plans = make_plan(replace(request_, folds=parse_folds("all"), seeds=3))
    assert [(plan.fold, plan.seed) for plan in plans] == [(fold, seed) for fold in range(6) for seed in range(3)]
    assert len({plan.test.subjects["test"] for plan in plans}) == 6


def test_a_dataset_that_is_only_tested_has_one_fold_and_takes_the_stages_of_fold_0(request_):
    request = replace(request_, datasets=("vwi", "vfa"), source=None, folds=None)
    plans = make_plan(request)
    assert [(plan.dataset, plan.fold) for plan in plans] == [*(("vwi", fold) for fold in range(5)), ("vfa", 0)]
    assert plans[-1].training.subjects == plans[0].training.subjects
    assert {s.stage.key for s in plans[-1].stages.values()} == {s.stage.key for s in plans[0].stages.values()}


@pytest.mark.parametrize(
    ("dataset", "source", "there"), [("vwi", "heads", "5 folds, 0 to 4"), ("vfa", None, "1 fold, 0")]
)
def test_a_fold_beyond_those_there_are_is_refused(request_, dataset, source, there):
    with pytest.raises(UserError, match=f"has {there}.*; got 5"):
        make_plan(replace(request_, datasets=(dataset,), source=source, folds=(0, 5)))


def test_folds_are_numbers_or_all():
    assert parse_folds("0,2,0") == (0, 2)
    with pytest.raises(UserError, match="or all; got 'every'"):
        parse_folds("every")


def changed(request, dataset, *overrides):
    settings = tuple(f"protocol.{override}" for override in overrides)
    return make_plan(replace(request, datasets=(dataset,), overrides=(*request.overrides, *settings)))


def test_what_is_set_of_the_protocol_names_the_dataset_its_folder_and_its_caveat(request_):
    (plan,) = changed(request_, "vwi", "coils=3", "acceleration=8", "noise=0.07")
    assert plan.dataset == plan.test.name == "vwi@acceleration=8,coils=3"  # noise is as it was
    assert plan.test.protocol.coils == 3
    assert plan.test.protocol.caveats[-1] == "Changed by --set: acceleration 8, coils 3."
    for folder in (*(row.folder for row in plan.rows), *(stage.folder for stage in plan.stages.values())):
        assert "vwi@acceleration=8,coils=3" in folder.path.parts
    (before,) = make_plan(request_)
    assert not {s.stage.key for s in plan.stages.values()} & {s.stage.key for s in before.stages.values()}


def test_a_mask_alone_needs_no_other_prepared_files_and_another_key(request_):
    (before,), (plan,) = make_plan(request_), changed(request_, "vwi", "acceleration=8", "centre=3")
    assert [s.path for s in plan.test.series("test")] == [s.path for s in before.test.series("test")]
    assert plan.test.key("test") != before.test.key("test")


def test_other_settings_rename_nothing(request_):
    (plan,) = make_plan(replace(request_, overrides=(*FAST, "data.coils=3", "network.features=4")))
    assert plan.dataset == "vwi"


def test_stages_of_another_dataset_are_those_of_the_same_protocol(request_):
    (plan,) = changed(replace(request_, source=None), "vfa", "acceleration=8")
    assert (plan.test.name, plan.training.name) == ("vfa@acceleration=8", "vwi@acceleration=8")


def test_of_views_that_set_their_own_those_that_have_the_value_are_left(request_):
    (plan,) = changed(request_, "regimes", "acceleration=12", "coils=4", "noise=0.01")
    assert [view.contrast for view in plan.test.protocol.views] == ["r12-c4-n01"]
    assert plan.dataset == "regimes@acceleration=12,coils=4,noise=0.01"
    assert plan.training.count("train") == 2


@pytest.mark.parametrize(
    ("dataset", "override", "words"),
    [
        ("vwi", "speed=3", "Unknown setting 'protocol.speed'"),
        ("vwi", "acceleration=fast", "protocol.acceleration is of type float"),
        ("vwi", "acceleration=0.5", "protocol.acceleration must be at least 1"),
        ("vwi", "mask=spiral", "protocol.mask is one of poisson-2d, gaussian-1d"),
        ("vwi", "coils=19", "protocol.coils is at most 18 in 'vwi'; got 19"),
        ("vwi", "centre=30", r"no poisson-2d mask of \(24, 20\) has acceleration 4 and a centre of 30"),
        ("brain", "acceleration=30", "no gaussian-1d mask"),
        ("regimes", "acceleration=5", "protocol.acceleration is one of 4, 8, 12"),
    ],
)
def test_a_protocol_that_cannot_be_is_refused_in_one_line(request_, dataset, override, words):
    with pytest.raises(UserError, match=words) as error:
        changed(request_, dataset, override)
    assert "\n" not in str(error.value)
