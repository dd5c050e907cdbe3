"""Which methods there are, which are wanted, and the stages that they are made of."""

import fnmatch
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bench import registry
from bench.composition import blocks, count, skeleton
from bench.config import Settings
from bench.errors import UserError, closest
from bench.registry import MethodPlugin
from bench.store import paper
from bench.store.keys import key_of, other_than_default

GROUPS = ("joint", "sequential", "ablation")
SELECTIONS = ("all", "paper", *GROUPS)


@dataclass(frozen=True)
class Method:
    """What a row of a table shows."""

    id: str
    group: str
    """joint, sequential, ablation or bound."""
    halves: tuple[MethodPlugin, ...]
    """(pipeline,) or (reconstructor, super-resolver)."""

    @property
    def stage_ids(self) -> tuple[str, ...]:
        """The names that its stages have, a half each: a super-resolver's is that of the pair it is trained in."""
        return (self.id,) if len(self.halves) == 1 else (self.halves[0].id, self.id)


@dataclass(frozen=True)
class Stage:
    """One thing that is trained or tuned."""

    id: str
    plugin: MethodPlugin
    upstream: MethodPlugin | None
    """The reconstructor whose outputs it is trained on."""
    upstream_key: str
    """Of that reconstructor's stage, or of its declarations where it has none; empty without one."""
    needs: tuple[str, ...]
    """Stages that come first."""
    key: str
    parameters: int


def available() -> dict[str, Method]:
    """Every method there is: pipelines, and every reconstructor with every super-resolver."""
    found = [Method(p.id, p.group, (p,)) for p in registry.methods("pipeline").values()]
    for r in registry.methods("reconstructor").values():
        group = "bound" if r.bound else "sequential"
        found += [Method(f"{r.id}+{s.id}", group, (r, s)) for s in registry.methods("super_resolver").values()]
    return {method.id: method for method in sorted(found, key=lambda m: m.id)}


def select(wanted: str) -> list[Method]:
    """Methods by ids, globs and selections, comma-separated; `!` excludes. Each once, in the order of their ids.

    Raises
    ------
    UserError
        If a word matches nothing.
    """
    table = available()
    chosen: set[str] = set()
    excluded: set[str] = set()
    for word in (w.strip() for w in wanted.split(",")):
        name = word.removeprefix("!")
        matches = _matches(name, table)
        if not matches:
            raise UserError(_no_match(name, table))
        (excluded if word.startswith("!") else chosen).update(matches)
    left = sorted(chosen - excluded)
    if not left:
        raise UserError(f"--methods {wanted} leaves no method.")
    return [table[id] for id in left]


def _no_match(word: str, table: dict[str, Method]) -> str:
    part = registry.methods("reconstructor", "super_resolver").get(word)
    if part:
        pattern = f"{word}+*" if part.kind == "reconstructor" else f"*+{word}"
        return f"'{word}' is a {part.kind.replace('_', '-')}, one half of a method: use '{pattern}'."
    kind = "No method matches" if "*" in word else "Unknown method"
    return f"{kind} '{word}'.{closest(word, [*table, *SELECTIONS])}"


def _matches(word: str, table: dict[str, Method]) -> list[str]:
    if word == "all":
        return list(table)
    if word == "paper":
        return [id for id in paper.methods() if id in table]
    if word in GROUPS:
        return [id for id, method in table.items() if method.group == word]
    return fnmatch.filter(table, word)


def learns(plugin: MethodPlugin, settings: Settings) -> bool:
    """Whether it has a stage: something to train or tune, and no weights made elsewhere."""
    return (plugin.trained or plugin.tuned) and settings.weights_of(plugin) is None


def declarations(plugin: MethodPlugin, settings: Settings) -> dict[str, object]:
    """What a method's own numbers depend on: id, versions of it and its blocks, own settings."""
    parts = blocks(*skeleton(plugin, settings))
    return {
        "plugin": plugin.id,
        "version": plugin.cls.version,
        "blocks": {type(part).__name__: part.version for part in parts},
        "settings": other_than_default(settings.of(plugin)),
    }


def stages_of(
    methods: Iterable[Method], settings: Settings, seed: int, fold: int, training_data_key: Callable[[], str]
) -> dict[str, Stage]:
    """Stages of these methods by id, each after what it needs."""
    stages: dict[str, Stage] = {}

    def add(id: str, plugin: MethodPlugin, upstream: MethodPlugin | None) -> None:
        if id in stages or not learns(plugin, settings):
            return
        first = stages.get(upstream.id) if upstream else None
        upstream_key = ""
        if upstream:
            upstream_key = first.key if first else key_of(declarations(upstream, settings))
        key = key_of(
            {
                **declarations(plugin, settings),
                "training": other_than_default(settings.training) if plugin.trained else {},
                "seed": seed if plugin.trained else 0,
                "fold": fold,
                "data": training_data_key(),
                "upstream": upstream_key,
            }
        )
        parameters = count(skeleton(plugin, settings)[0])
        stages[id] = Stage(id, plugin, upstream, upstream_key, (first.id,) if first else (), key, parameters)

    for method in methods:
        for i, (id, plugin) in enumerate(zip(method.stage_ids, method.halves, strict=True)):
            add(id, plugin, method.halves[0] if i else None)
    return stages
