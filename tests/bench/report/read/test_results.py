import pytest

from bench.errors import UserError
from bench.report.read.results import collect
from bench.store import layout
from bench.store.records import StageUse


def only(results):
    (collected,) = collect(results.folder)
    return collected


def test_rows_of_shipped_weights_have_the_record_of_these_very_weights(results, new_results, monkeypatch):
    shipped = new_results()
    for method, key in (("a", "k"), ("b", "other")):
        results.add(method, stages=(StageUse(method, key, 1, "0" * 64),))
        shipped.stage(method, key=key, weights_sha256="0" * 64 if method == "a" else "1" * 64)
    monkeypatch.setattr(layout, "shipped", lambda: shipped.layout)
    found = only(results)
    assert [stage.id for stage in found.stages_of(found.of("a")[0])] == ["a"]
    assert found.stages_of(found.of("b")[0]) == []


def test_order_is_joint_sequential_single_bound(results):
    for method, group in (("b+x", "bound"), ("z", "joint"), ("a+x", "sequential"), ("c", "single"), ("d", "joint")):
        results.add(method, group)
    assert only(results).methods() == ["d", "z", "a+x", "c", "b+x"]


def test_people_tested_over_people_trained_on_where_folds_share_the_latter(results):
    people = [f"s{i}" for i in range(10)]
    assert only_split(results, people, [0]) == 0.0  # one fold: nobody is shared
    assert only_split(results, people, [1]) == pytest.approx(2 / 7)


def only_split(results, people, folds):
    for fold in folds:
        test = people[2 * fold : 2 * fold + 2]
        train = [p for p in people if p not in test][:7]
        results.add("a", subjects=test, fold=fold, record_subjects={"test": tuple(test), "train": tuple(train)})
    return only(results).test_share


def test_folds_without_a_shared_training_person_are_independent(results):
    for fold in (0, 1):
        split = {"test": (f"t{fold}",), "train": (f"a{fold}", f"b{fold}")}
        results.add("a", subjects=split["test"], fold=fold, record_subjects=split)
    assert only(results).test_share == 0.0


def test_no_runs(tmp_path):
    with pytest.raises(UserError, match=r"holds no runs: type bench run --results"):
        collect(tmp_path)
    with pytest.raises(UserError, match=r"type bench run --dataset vwi --profile smoke --results"):
        collect(tmp_path, "vwi", "smoke")


def test_two_sources_are_not_mixed(results):
    results.add("a")
    results.add("b", source="phantom")
    with pytest.raises(UserError, match=r"vwi/laptop mixes the sources heads and phantom"):
        collect(results.folder)


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("slices.csv", "ssim,", "sim,", r"slices\.csv lacks the column 'ssim'"),
        ("slices.csv", "0.9,", "high,", r"slices\.csv: column 'ssim' holds something that is no number"),
        ("slices.csv", "0.9,", "0.95,", r"slices\.csv does not match 'slices_sha256'"),
        ("timing.csv", "seconds", "minutes", r"timing\.csv lacks the column 'seconds'"),
        ("timing.csv", "0.5,", "fast,", r"timing\.csv: column 'seconds'"),
        ("timing.csv", "120,cpu,2,1.5", "120,cpu,2,much", r"timing\.csv: column 'gmac'"),
        ("run.json", '"metrics"', '"metric"', r"run\.json lacks the field 'metrics'"),
        ("run.json", '"group": "joint"', '"group": "best"', r"run\.json: 'group' is 'best'"),
        ("run.json", "{", "", r"run\.json: the whole file: Invalid JSON"),
        ("run.json", '"status": "done"', '"status": "finished"', r"run\.json: 'status' is 'finished', none of done, "),
        ("run.json", '"seed": 0', '"seed": "first"', r"run\.json: seed: Input should be a valid integer"),
        ("run.json", '"parameters": 1000', '"parameter": 1000', r"run\.json: stages\.0\.parameters: Field required"),
        ("run.json", '"source": "heads",', "", r"run\.json: source: Field required"),
        ("run.json", '"slices_sha256"', '"sha256"', r"run\.json lacks the field 'slices_sha256'"),
    ],
)
def test_damaged_file_is_refused_by_name_and_field(results, name, old, new, said):
    path = results.add().path / name
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(UserError, match=said):
        collect(results.folder)


def test_rows_in_a_folder_of_another_dataset_are_refused(results):
    folder = results.add()
    moved = results.folder / "vwi-old/laptop/proposed/seed0"
    moved.parent.mkdir(parents=True)
    folder.path.rename(moved)
    with pytest.raises(
        UserError, match=r"vwi-old/laptop/proposed/seed0/run\.json says that it belongs into .*vwi/laptop"
    ):
        collect(results.folder)


def test_names_are_free_text(results):
    names = {"dataset": "my data/2", "profile": "50 % [x]"}
    results.add(subjects=("sub-01/ses-2 [b]", "007"), contrasts=("t1/w",), **names)
    results.add("modl+sinc", "sequential", **names)
    for (found,) in (collect(results.folder), collect(results.folder, names["dataset"], names["profile"])):
        assert (found.dataset, found.profile) == tuple(names.values())
        assert found.contrasts() == ["t1/w", "t1w"]
        assert set(found.rows["subject"]) == {"sub-01/ses-2 [b]", "007", "s0", "s1", "s2"}
