import json
from dataclasses import replace

import pytest

from bench.errors import UserError
from bench.store.records import Keys, RunRecord, StageRecord, StageUse

RUN = RunRecord(
    status="done", reason=None, dataset="vwi", source="phantom", profile="smoke", method="modl+rrdb", seed=0, fold=1,
    source_label="simulated acquisition", caveats=("said",), group="sequential", limit=None,
    subjects={"test": ("sub-01/ses-2",)}, contrasts=("t1w",), matrix=(48, 40), voxel_mm=(4.2, 4.2), settings={"a": {"b": 1}},
    keys=Keys("k", "d"), stages=(StageUse("modl", "k", 12, "f" * 64), StageUse("modl+rrdb", "l", 30, "e" * 64)),
    provenance={"commit": "unknown"}, slices_sha256="0" * 64,
)  # fmt: skip
STAGE = StageRecord(
    id="cg-sense", plugin="cg-sense", key="k", seed=0, fold=0, parameters=0, validation={"psnr": 30.0}, settings={},
    provenance={}, choice={"weight": 0.1, "iterations": 4}, grid=({"weight": 0.1, "psnr": 30.0},), former_key="j",
)  # fmt: skip


@pytest.mark.parametrize("record", [RUN, STAGE])
def test_a_record_comes_back(tmp_path, record):
    record.write(tmp_path / "record.json")
    assert type(record).read(tmp_path / "record.json") == record


def test_a_record_sums_its_stages_parameters_and_says_how_it_ended():
    assert RUN.parameters == 42
    assert replace(RUN, status="failed", reason="two\nlines").outcome == "failed: two lines"


def test_the_digest_of_a_stage_is_that_of_what_it_learned():
    assert replace(STAGE, weights_sha256="a" * 64).digest == "a" * 64
    assert STAGE.digest != replace(STAGE, choice={"weight": 0.2, "iterations": 4}).digest


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": "zero"}, "seed"),
        ({"keys": {"method": "k"}}, r"keys\.data"),
        ({"stages": [{"id": "modl", "key": "k", "parameters": 1}]}, r"stages\.0\.digest"),
        ({"matrix": [1, 2, 3]}, "matrix"),
        ({"method": None}, "method"),
    ],
)
def test_a_damaged_field_is_refused_by_file_and_name(tmp_path, change, words):
    path = tmp_path / "run.json"
    RUN.write(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(UserError, match=rf"run\.json: {words}") as error:
        RunRecord.read(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", ["", "[]", "{", "null"])
def test_what_is_no_record_is_refused_by_name(tmp_path, content):
    path = tmp_path / "run.json"
    path.write_text(content)
    with pytest.raises(UserError, match=r"run\.json"):
        RunRecord.read(path)


def test_fields_that_a_later_version_wrote_are_left_alone(tmp_path):
    path = tmp_path / "run.json"
    RUN.write(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"more": 1}))
    assert RunRecord.read(path) == RUN
