"""Which stages the methods need, in what order, under which key; trained once, shared."""

import fnmatch
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import nn

from bench import registry
from bench.config import Settings
from bench.errors import UserError, closest
from bench.registry import Plugin
from bench.store.keys import declared, key_of

# The paper's Tables 1-4.
PAPER = (
    *(f"{r}+{s}" for r in ("cg-sense", "modl", "dl-espirit") for s in ("bicubic", "medsrgan", "bebygan")),
    "t2net", "proposed", "ablation-sr", "ablation-recon", "ablation-separate", "ablation-end-to-end",
)  # fmt: skip
GROUPS = ("all", "paper", "joint", "sequential", "ablation")


@dataclass(frozen=True)
class Method:
    """What a table row shows."""

    id: str
    group: str  # joint | sequential | ablation | bound
    plugins: tuple[Plugin, ...]  # (pipeline,) or (reconstructor, super-resolver)


@dataclass(frozen=True)
class Stage:
    """One thing that is trained or tuned."""

    id: str  # plugin id, or reconstructor+super_resolver for a super-resolver trained on that reconstructor
    plugin: Plugin
    upstream: Plugin | None  # the reconstructor whose outputs it is trained on
    needs: tuple[str, ...]  # stages that come first
    key: str
    parameters: int


def available() -> dict[str, Method]:
    """Every method there is: pipelines, and every reconstructor with every super-resolver."""
    found = [Method(p.id, p.traits["group"], (p,)) for p in registry.methods("pipeline").values()]
    for r in registry.methods("reconstructor").values():
        group = "bound" if r.traits["bound"] else "sequential"
        found += [Method(f"{r.id}+{s.id}", group, (r, s)) for s in registry.methods("super_resolver").values()]
    return {method.id: method for method in sorted(found, key=lambda m: m.id)}


def select(wanted: str) -> list[Method]:
    """Methods by ids, globs and groups, comma-separated; each once, in the order of their ids."""
    table = available()
    chosen: set[str] = set()
    for word in (w.strip() for w in wanted.split(",")):
        matches = _matches(word, table)
        if not matches:
            kind = "No method matches" if "*" in word else "Unknown method"
            raise UserError(f"{kind} '{word}'.{closest(word, [*table, *GROUPS])}")
        chosen |= set(matches)
    return [table[id] for id in sorted(chosen)]


def _matches(word: str, table: dict[str, Method]) -> list[str]:
    if word == "all":
        return list(table)
    if word == "paper":
        return [id for id in PAPER if id in table]
    if word in GROUPS:
        return [id for id, method in table.items() if method.group == word]
    return fnmatch.filter(table, word)


def build(plugin: Plugin, settings: Settings) -> nn.Module:
    """Make the network of a plugin."""
    module = plugin.make(settings)
    assert isinstance(module, nn.Module)
    return module


def is_trained(plugin: Plugin) -> bool:
    """Whether the plugin has something to train."""
    return hasattr(plugin.make, "phases")


def is_tuned(plugin: Plugin) -> bool:
    """Whether the plugin has something to tune on validation."""
    return hasattr(plugin.make, "grid")


def skeleton(plugin: Plugin, settings: Settings) -> tuple[nn.Module, nn.Module | None]:
    """The network and the discriminator, if any, without memory behind their parameters."""
    with torch.device("meta"):
        module = build(plugin, settings)
        critic: nn.Module | None = module.discriminator() if hasattr(module, "discriminator") else None  # type: ignore[operator]
    return module, critic


def count(module: nn.Module) -> int:
    """Trainable parameters."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def _versions(module: nn.Module, critic: nn.Module | None) -> dict[str, int]:
    """Versions of the blocks that they are made of."""
    parts = [*module.modules(), *(critic.modules() if critic else [])]
    return {type(part).__name__: int(part.version) for part in parts if hasattr(part, "version")}  # type: ignore[arg-type]


def stages_of(
    methods: Iterable[Method], settings: Settings, seed: int, fold: int, training_data_key: Callable[[], str]
) -> dict[str, Stage]:
    """Stages of these methods by id, each after what it needs."""
    stages: dict[str, Stage] = {}

    def add(plugin: Plugin, upstream: Plugin | None) -> Stage | None:
        first = add(upstream, None) if upstream else None
        if not (is_trained(plugin) or is_tuned(plugin)):
            return None
        id = f"{upstream.id}+{plugin.id}" if upstream else plugin.id
        if id not in stages:
            module, critic = skeleton(plugin, settings)
            key = key_of(
                {
                    "plugin": plugin.id,
                    "blocks": _versions(module, critic),
                    "network": declared(settings.network),
                    "training": declared(settings.training) if is_trained(plugin) else {},
                    "seed": seed if is_trained(plugin) else 0,
                    "fold": fold,
                    "data": training_data_key(),
                    "upstream": upstream and (first.key if first else f"{upstream.id}@{upstream.make.version}"),  # type: ignore[attr-defined]
                }
            )
            stages[id] = Stage(id, plugin, upstream, (first.id,) if first else (), key, count(module))
        return stages[id]

    for method in methods:
        if len(method.plugins) == 1:
            add(method.plugins[0], None)
        else:
            add(method.plugins[0], None)
            add(method.plugins[1], method.plugins[0])
    return stages


def stages_for(method: Method, stages: dict[str, Stage]) -> list[Stage]:
    """The stages that one method is made of, in order."""
    ids = [method.plugins[0].id, method.id] if len(method.plugins) == 2 else [method.id]
    return [stages[id] for id in ids if id in stages]
