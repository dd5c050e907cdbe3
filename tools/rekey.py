"""Carry the shipped stages over to the new form of keys, once: `python tools/rekey.py results`.

A stage is carried over only if its old record says the settings that the profile resolves to now, method by method. The
weights are not touched; `former_key`, date, commit and seconds stay in `stage.json`.
"""

import json
import sys
from pathlib import Path
from typing import Any

from bench import config, registry
from bench.config import Settings
from bench.data.dataset import Dataset
from bench.run.methods import available, stages_of
from bench.store.files import read_json
from bench.store.layout import ResultsFolder
from bench.store.records import StageRecord

OLD_NAMES = {"weights": None}  # new settings that the old record could not say, with the value that means the same


def check(id: str, old: dict[str, Any], settings: Settings, plugin: registry.MethodPlugin) -> None:
    """Refuse a stage that was made with other settings."""
    now = json.loads(json.dumps(settings.to_dict((plugin,))))
    assert old["data"] == now["data"], id
    assert old["training"] == now["training"], id
    said = old["network"] | old["training"]
    for name, value in now["methods"][plugin.id].items():
        assert said.get(name, OLD_NAMES.get(name, "missing")) == value, (id, name, value)


def rekey(root: ResultsFolder, dataset: str, profile: str) -> None:
    """All stages of one table."""
    settings = config.load(profile)
    data = Dataset.of(registry.datasets()[dataset].made_by(), None, settings, 0, None)
    stages = stages_of(available().values(), settings, 0, 0, lambda: data.key("train", "validation"))
    for folder in root.stages(dataset, profile):
        old = read_json(folder.record)
        stage = stages[old["id"]]
        if old["key"] == stage.key:
            continue
        assert (old["seed"], old["fold"], old["plugin"]) == (0, 0, stage.plugin.id)
        assert old["parameters"] == stage.parameters
        check(stage.id, old["settings"], settings, stage.plugin)
        names = ("seed", "fold", "parameters", "validation", "provenance")
        learned: dict[str, Any] = {name: old[name] for name in names}
        for name in ("weights_sha256", "iterations", "best_step", "seconds", "choice"):
            learned[name] = old.get(name)
        StageRecord(
            id=stage.id, plugin=stage.plugin.id, key=stage.key, former_key=old["key"],
            settings=settings.to_dict((stage.plugin,)), grid=tuple(old.get("grid", ())), **learned,
        ).write(folder.record)  # fmt: skip
        print(f"{dataset} {profile} {stage.id}: {old['key'][:12]} -> {stage.key[:12]}")


def main() -> None:
    """Every table below the folder named."""
    registry.discover()
    root = ResultsFolder(Path(sys.argv[1]))
    for dataset, profile in sorted({(p.record.parts[-6], p.record.parts[-5]) for p in root.stages()}):
        rekey(root, dataset, profile)


if __name__ == "__main__":
    main()
