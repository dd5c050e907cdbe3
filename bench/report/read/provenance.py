"""Where each row comes from: what its run.json and its stages' stage.json say, flat."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bench.report.read.results import DatasetResults, Run
from bench.store.records import StageRecord

STAGE_FIELDS = ("weights_sha256", "choice", "iterations", "best_step", "seconds")
STAGE_PROVENANCE = ("hardware", "date", "commit", "command")


def read_provenance(results: DatasetResults) -> tuple[dict[str, str], list[tuple[Run, dict[str, str]]]]:
    """What all runs of a dataset have in common, said once; and what is each run's own, in the table's order."""
    runs = [run for method in results.methods() for run in results.of(method)]
    flat = [
        _flat({k: v for k, v in asdict(run.record).items() if k != "stages"} | _stages(run, results.stages))
        for run in runs
    ]
    common = {key: value for key, value in flat[0].items() if all(other.get(key) == value for other in flat)}
    own = [{key: value for key, value in record.items() if key not in common} for record in flat]
    return common, list(zip(runs, own, strict=True))


def _stages(run: Run, records: Mapping[str, StageRecord]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for stage in run.record.stages:
        said[f"stage {stage.id}"] = of_stage = asdict(stage)
        if stage.key in records:
            record = records[stage.key]
            of_stage |= {field: getattr(record, field) for field in STAGE_FIELDS}
            of_stage |= {field: record.provenance[field] for field in STAGE_PROVENANCE if field in record.provenance}
    return said


def _flat(record: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """Nested keys joined by dots; values as text; what is empty is left out."""
    flat: dict[str, str] = {}
    for key, value in record.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{before}{key}.")
        elif value not in (None, ""):
            flat[f"{before}{key}"] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return flat
