"""What `bench list` shows."""

from typing import Any

from bench import config, registry
from bench.composition import blocks, count, skeleton
from bench.config import Settings
from bench.errors import UserError, closest
from bench.registry import MethodPlugin
from bench.run.methods import Method, available


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
        {"id": m.id, "kind": "pipeline" if len(m.halves) == 1 else "sequence", "group": m.group,
         "file": m.halves[-1].file, "stages": _stages(m, settings)}
        for m in available().values()
    ]  # fmt: skip
    halves = [
        {"id": p.id, "kind": p.kind, "group": "part", "file": p.file, "stages": [_stage(p, p.id, settings)]}
        for p in registry.methods("reconstructor", "super_resolver").values()
    ]
    return whole + halves


def _stages(method: Method, settings: Settings) -> list[dict[str, Any]]:
    pairs = zip(method.halves, method.stage_ids, strict=True)
    return [_stage(plugin, id, settings) for plugin, id in pairs if plugin.trained or plugin.tuned]


def _stage(plugin: MethodPlugin, id: str, settings: Settings) -> dict[str, Any]:
    network, discriminator = skeleton(plugin, settings)
    named = {part.block_name or type(part).__name__.lower(): count(part) for part in blocks(network, discriminator)}
    return {"id": id, "parameters": count(network), "blocks": named}


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
