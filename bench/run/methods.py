"""Which methods there are, which are wanted, and the stages that they are made of."""

import fnmatch
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from torch import nn

from bench import registry
from bench.composition import blocks, count, skeleton
from bench.config import Settings
from bench.errors import UserError, closest
from bench.method import Component, Trained
from bench.registry import MethodPlugin
from bench.store import paper
from bench.store.keys import key_of, other_than_default

GROUPS = ("joint", "sequential", "single", "bound")
LOSSES = ("l1", "gan", "none")
SELECTIONS = ("all", "paper", "ablation", *GROUPS, *LOSSES[:2])
TOGETHER_IN_ALL = ("modl~rrdb", "modl~medsrgan", "dl-espirit~rrdb", "dl-espirit~bebygan")
UNLEARNED_PARTNERS = ("bicubic", "sinc")


@dataclass(frozen=True)
class Method:
    """What a row of a table shows."""

    id: str
    group: str
    """One of `GROUPS`."""
    halves: tuple[MethodPlugin, ...]
    """(pipeline,), which a pair trained together is too, or (reconstructor, super-resolver)."""

    @property
    def in_all(self) -> bool:
        """Whether `all` names it: of pairs trained together four, of the plain CG-SENSE the one that the paper suggests."""
        if self.halves[-1].halves:
            return self.id in TOGETHER_IN_ALL
        return self.halves[0].id != "cg-sense-plain" or self.id == "cg-sense-plain+bicubic"

    @property
    def authored(self) -> list[MethodPlugin]:
        """The plugins that it is made of."""
        return [plugin for half in self.halves for plugin in half.authored]

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
    """Every method there is: pipelines, every reconstructor with every super-resolver, those that learn also together."""
    found = [Method(p.id, p.group, (p,)) for p in registry.methods("pipeline").values()]
    found += [Method(id, "joint", (registry.method(id),)) for id in registry.pairs()]
    for r in registry.methods("reconstructor").values():
        group = "bound" if r.bound else "sequential"
        found += [Method(f"{r.id}+{s.id}", group, (r, s)) for s in registry.methods("super_resolver").values()]
    return {method.id: method for method in sorted(found, key=lambda m: m.id)}


def select(wanted: str, settings: Settings) -> list[Method]:
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
        matches = _matches(name, table, settings)
        if not matches:
            raise UserError(_no_match(name, table))
        (excluded if word.startswith("!") else chosen).update(matches)
    left = sorted(chosen - excluded)
    if not left:
        raise UserError(f"--methods {wanted} leaves no method.")
    return [table[id] for id in left]


def _no_match(word: str, table: dict[str, Method]) -> str:
    halves = registry.methods("reconstructor", "super_resolver")
    if "~" in word and all(half in halves for half in word.split("~", 1)):
        registry.method(word)  # says which half cannot be trained together with the other
    part = halves.get(word)
    if part:
        pattern = f"{word}+*" if part.kind == "reconstructor" else f"*+{word}"
        return f"'{word}' is a {part.kind.replace('_', '-')}, one half of a method: use '{pattern}'."
    kind = "No method matches" if "*" in word else "Unknown method"
    return f"{kind} '{word}'.{closest(word, [*table, *SELECTIONS])}"


def _matches(word: str, table: dict[str, Method], settings: Settings) -> list[str]:
    if word == "all":
        return [id for id, method in table.items() if method.in_all]
    if word == "paper":
        return [id for id in paper.methods() if id in table]
    if word == "ablation":
        return fnmatch.filter(table, "ablation-*")
    if word in GROUPS:
        return [id for id, method in table.items() if method.group == word]
    if word in LOSSES[:2]:
        return [id for id, method in table.items() if loss_of(method, settings) == word]
    return fnmatch.filter(table, word)


def loss_of(method: Method, settings: Settings) -> str:
    """The loss class: "gan" with a perceptual or adversarial term, "l1" for all others that learn, "none" for the rest."""
    classes = [Sketch.of(plugin, settings).loss for plugin in method.halves]
    return next((loss for loss in ("gan", "l1") if loss in classes), "none")


def learns(plugin: MethodPlugin, settings: Settings) -> bool:
    """Whether it has a stage: something to train or tune, and no weights made elsewhere."""
    return (plugin.trained or plugin.tuned) and settings.weights_of(plugin) is None


@dataclass(frozen=True)
class Sketch:
    """A method without its weights: what can be said of it before anything is made."""

    plugin: MethodPlugin
    settings: Settings
    network: Component
    critic: nn.Module | None

    @classmethod
    def of(cls, plugin: MethodPlugin, settings: Settings) -> "Sketch":
        """Draw it."""
        return cls(plugin, settings, *skeleton(plugin, settings))

    @property
    def loss(self) -> str:
        """One of `LOSSES`."""
        if not isinstance(self.network, Trained):
            return "none"
        adversarial = any(phase.gan != "none" for phase in self.network.phases())
        return "gan" if adversarial or self.network.assets() else "l1"

    @property
    def declarations(self) -> dict[str, object]:
        """What its own numbers depend on: id, versions of it and its blocks, own settings."""
        return {
            "plugin": self.plugin.id,
            "version": self.plugin.cls.version,
            "blocks": {type(part).__name__: part.version for part in blocks(self.network, self.critic)},
            "settings": other_than_default(self.settings.of(self.plugin)),
        }


def stages_of(
    methods: Iterable[Method], settings: Settings, seed: int, fold: int, training_data_key: Callable[[], str]
) -> dict[str, Stage]:
    """Stages of these methods by id, each after what it needs."""
    stages: dict[str, Stage] = {}
    for method in methods:
        _add_stages(stages, method, settings, seed, fold, training_data_key)
    return stages


def _add_stages(
    stages: dict[str, Stage], method: Method, settings: Settings, seed: int, fold: int, data_key: Callable[[], str]
) -> None:
    for i, (id, plugin) in enumerate(zip(method.stage_ids, method.halves, strict=True)):
        if id in stages or not learns(plugin, settings):
            continue
        _check_weights(plugin, settings)
        for need in plugin.frozen.values():
            _add_stages(stages, _find(need), settings, seed, fold, data_key)
        upstream = method.halves[0] if i else None
        first = stages.get(upstream.id) if upstream else None
        upstream_key = ""
        if upstream:
            upstream_key = first.key if first else key_of(Sketch.of(upstream, settings).declarations)
        sketch = Sketch.of(plugin, settings)
        content = {
            **sketch.declarations,
            "training": other_than_default(settings.training_of(id, plugin)) if plugin.trained else {},
            "seed": seed if plugin.trained else 0,
            "fold": fold,
            "data": data_key(),
            "upstream": upstream_key,
        }
        if plugin.frozen:
            content["frozen"] = {name: stages[need].key for name, need in plugin.frozen.items()}
        needs = (*((first.id,) if first else ()), *plugin.frozen.values())
        parameters, key = count(sketch.network), key_of(content)
        stages[id] = Stage(id, plugin, upstream, upstream_key, needs, key, parameters)


def _check_weights(plugin: MethodPlugin, settings: Settings) -> None:
    """Weights made elsewhere stand for a stage; what trains it again, or stands on that stage, cannot take them."""
    stands_on = [part for need in plugin.frozen.values() for part in _find(need).halves]
    for part in (*plugin.halves, *stands_on):
        if settings.weights_of(part):
            raise UserError(
                f"'{plugin.id}' needs '{part.id}' as it is trained here, but methods.{part.id}.weights names weights."
            )


def _find(id: str) -> Method:
    """A method, or a bare reconstructor's stage, by its id."""
    if id in registry.methods("reconstructor"):
        return Method(id, "single", (registry.method(id),))
    return available()[id]
