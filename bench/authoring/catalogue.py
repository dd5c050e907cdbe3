"""What `bench list` shows."""

from typing import Any

from bench import config, registry
from bench.composition import blocks, count, skeleton
from bench.config import Settings
from bench.errors import UserError, closest
from bench.method import Component
from bench.nn.block import Block
from bench.registry import MethodPlugin
from bench.run.methods import Method, Sketch, available, loss_of


def rows(what: str, profile: str) -> list[dict[str, Any]]:
    """One dictionary an entry: methods, datasets, sources or profiles."""
    tables = {
        "methods": lambda: _methods(config.load(profile)),
        "datasets": _datasets,
        "sources": _sources,
        "profiles": _profiles,
    }
    if what not in tables:
        raise UserError(f"Cannot list '{what}'.{closest(what, tables)}")
    return tables[what]()


def _methods(settings: Settings) -> list[dict[str, Any]]:
    whole = [
        _entry(m.id, "pipeline" if len(m.halves) == 1 else "sequence", m.group, loss_of(m, settings), m.halves[-1])
        | _learned(_stages(m, settings))
        for m in available().values()
    ]
    halves = [
        _entry(p.id, p.kind, "part", Sketch.of(p, settings).loss, p) | _learned([_stage(p, p.id, settings)])
        for p in registry.methods("reconstructor", "super_resolver").values()
    ]
    return whole + halves


def _entry(id: str, kind: str, group: str, loss: str, plugin: MethodPlugin) -> dict[str, Any]:
    return {"id": id, "kind": kind, "group": group, "loss": loss, "file": plugin.file}


def _learned(stages: list[dict[str, Any]]) -> dict[str, Any]:
    return {"parameters": sum(stage["parameters"] for stage in stages), "stages": stages}


def _stages(method: Method, settings: Settings) -> list[dict[str, Any]]:
    pairs = zip(method.halves, method.stage_ids, strict=True)
    return [_stage(plugin, id, settings) for plugin, id in pairs if plugin.trained or plugin.tuned]


def _stage(plugin: MethodPlugin, id: str, settings: Settings) -> dict[str, Any]:
    network, discriminator = skeleton(plugin, settings)
    named = {_name(part): count(part) for part in blocks(network, discriminator)}
    return {"id": id, "parameters": count(network), "blocks": named}


def _name(part: Block | Component) -> str:
    return part.block_name if isinstance(part, Block) and part.block_name else type(part).__name__.lower()


def _datasets() -> list[dict[str, Any]]:
    table = []
    for id, plugin in registry.datasets().items():
        protocol = plugin.made_by()
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


def _sources() -> list[dict[str, Any]]:
    protocols = [plugin.made_by() for plugin in registry.datasets().values()]
    table = []
    for id, plugin in registry.sources().items():
        named = [protocol.id for protocol in protocols if id in protocol.sources]
        people = {split: len(subjects) for split, subjects in plugin.made_by().subjects().items()}
        table.append(
            {
                "id": id,
                "label": plugin.made_by.label,
                "people": ", ".join(f"{n} {split}" for split, n in people.items()),
                "datasets": sorted({*named, *plugin.made_by.datasets}),
                "file": plugin.file,
            }
        )
    return table


def _profiles() -> list[dict[str, Any]]:
    loaded = [config.load(name) for name in config.profile_names()]
    plugins = list(registry.methods().values())
    return [{"id": s.profile, "description": s.description, "settings": s.to_dict(plugins)} for s in loaded]
