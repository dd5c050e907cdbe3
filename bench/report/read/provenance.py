"""Where each row comes from: what its run.json and its stages' stage.json say, flat."""

import json
from collections.abc import Mapping
from typing import Any

from bench.report.read.results import Block, Run
from bench.store.files import read_json

STAGE_FIELDS = ("weights_sha256", "choice", "iterations", "best_step", "seconds")
STAGE_PROVENANCE = ("hardware", "date", "commit", "command")


def provenance(block: Block) -> tuple[dict[str, str], list[tuple[Run, dict[str, str]]]]:
    """What all runs of a block have in common, said once; and what is each run's own, in the table's order."""
    stages = _stage_records(block)
    runs = [run for method in block.methods() for run in block.of(method)]
    flat = [_flat({k: v for k, v in run.record.items() if k != "stages"} | _stages(run, stages)) for run in runs]
    common = {key: value for key, value in flat[0].items() if all(other.get(key) == value for other in flat)}
    own = [{key: value for key, value in record.items() if key not in common} for record in flat]
    return common, list(zip(runs, own, strict=True))


def _stage_records(block: Block) -> dict[str, dict[str, Any]]:
    """By key. A dataset's stages may be those of another one, beside it."""
    found = {}
    for path in sorted(block.folder.parent.parent.glob(f"*/{block.profile}/stages/*/seed*/stage.json")):
        record = read_json(path)
        found[str(record.get("key"))] = record
    return found


def _stages(run: Run, records: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    said = {}
    for stage in run.record["stages"]:
        record = records.get(str(stage["key"]), {})
        made = record.get("provenance", {})
        trained = {field: record[field] for field in STAGE_FIELDS if field in record}
        said[f"stage {stage['id']}"] = (
            stage | trained | {field: made[field] for field in STAGE_PROVENANCE if field in made}
        )
    return said


def _flat(record: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """Nested keys joined by dots; values as text."""
    flat: dict[str, str] = {}
    for key, value in record.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{before}{key}.")
        elif value is not None:
            flat[f"{before}{key}"] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return flat


def anchor(block: Block, method: str) -> str:
    """The page's id of a method's provenance."""
    return f"run-{block.dataset}-{block.profile}-{method}"
