"""What `bench list` shows."""

from typing import Any

from torch import nn

from bench import config, registry
from bench.config import Settings
from bench.errors import UserError, closest
from bench.registry import Plugin
from bench.run.methods import Method, available, count, is_trained, is_tuned, skeleton


def rows(what: str, profile: str) -> list[dict[str, Any]]:
    """One dictionary an entry: methods, datasets or profiles."""
    tables = {"methods": lambda: _methods(config.load(profile)), "datasets": _datasets, "profiles": _profiles}
    if what not in tables:
        raise UserError(f"Cannot list '{what}'.{closest(what, tables)}")
    return tables[what]()


def _methods(settings: Settings) -> list[dict[str, Any]]:
    whole = [
        {"id": m.id, "kind": "pipeline" if len(m.plugins) == 1 else "sequence", "group": m.group,
         "file": m.plugins[-1].file, "stages": _stages(m, settings)}
        for m in available().values()
    ]  # fmt: skip
    halves = [
        {"id": p.id, "kind": p.kind, "group": "part", "file": p.file, "stages": [_stage(p, p.id, settings)]}
        for p in registry.methods("reconstructor", "super_resolver").values()
    ]
    return whole + halves


def _stages(method: Method, settings: Settings) -> list[dict[str, Any]]:
    ids = [method.plugins[0].id, method.id]
    used = [p for p in method.plugins if is_trained(p) or is_tuned(p)]
    return [_stage(p, ids[0] if p is method.plugins[0] else ids[1], settings) for p in used]


def _stage(plugin: Plugin, id: str, settings: Settings) -> dict[str, Any]:
    module, critic = skeleton(plugin, settings)
    return {"id": id, "parameters": count(module), "blocks": blocks(module) | (blocks(critic) if critic else {})}


def blocks(module: nn.Module) -> dict[str, int]:
    """Parameters of one of each kind of block inside, by the block's name."""
    parts = [part for part in module.modules() if hasattr(part, "version")]
    named = {str(getattr(part, "block_name", type(part).__name__.lower())): count(part) for part in parts}
    return {name: parameters for name, parameters in named.items() if name != type(module).__name__.lower()}


def _datasets() -> list[dict[str, Any]]:
    table = []
    for id, plugin in registry.datasets().items():
        protocol = plugin.make()
        table.append(
            {
                "id": id,
                "matrix": list(protocol.matrix),
                "coils": protocol.coils,
                "mask": f"{protocol.mask} {protocol.acceleration:g}x",
                "sources": list(protocol.sources),
                "train_on": protocol.train_on or id,
                "file": plugin.file,
            }
        )
    return table


def _profiles() -> list[dict[str, Any]]:
    loaded = [config.load(name) for name in config.profile_names()]
    return [{"id": s.profile, "description": s.description, "settings": s.to_dict()} for s in loaded]
