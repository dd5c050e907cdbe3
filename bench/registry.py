"""The decorators, and discovery of plugins: built-in files, entry points, `--plugin FILE_OR_FOLDER`, scripts, notebooks."""

import hashlib
import importlib
import importlib.util
import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal, TypeVar

from bench.data.protocol import Protocol, Source
from bench.errors import UserError, closest
from bench.method import KINDS, Component, Trained, Tuned, fault
from bench.store.keys import sha256_of
from bench.together import together

ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
PACKAGES = ("bench.methods", "bench.datasets")
PREFIX = "bench_plugin_"
MAIN = ("__main__", "__mp_main__")
Group = Literal["joint", "sequential", "single"]
AnyMethod = TypeVar("AnyMethod", bound=type[Component])
AnySource = TypeVar("AnySource", bound=type[Source])
MakeProtocol = Callable[[], Protocol]


@dataclass(frozen=True)
class Plugin:
    """Something registered under an id."""

    id: str
    made_by: Any
    """The class or function that was decorated."""

    @property
    def module(self) -> str:
        """Name of the module that it stands in."""
        return str(self.made_by.__module__)

    @property
    def file(self) -> str:
        """The file it stands in; what it was typed into, where that is none."""
        return str(Path(getattr(sys.modules.get(self.module), "__file__", None) or f"<{self.module}>").resolve())

    @property
    def built_in(self) -> bool:
        """Whether it is part of this package."""
        return self.module.startswith((*PACKAGES, "bench.data."))

    @cached_property
    def sha256(self) -> str:
        """Of its text: the file, or the folder of its package; of the class alone where it was typed into a notebook."""
        folders = getattr(sys.modules.get(self.module.partition(".")[0]), "__path__", None)
        if self.module.startswith(PREFIX) and folders:
            return sha256_of(Path(folders[0]))
        if Path(self.file).is_file():
            return sha256_of(Path(self.file))
        try:
            return hashlib.sha256(inspect.getsource(self.made_by).encode()).hexdigest()
        except (OSError, TypeError):
            return "unknown"


@dataclass(frozen=True)
class MethodPlugin(Plugin):
    """A reconstructor, super-resolver or pipeline."""

    kind: str
    """One of `bench.method.KINDS`."""
    bound: bool = False
    """Whether it sees the target and is never ranked."""
    group: Group = "joint"
    """Of a pipeline."""
    settings_of: str | None = None
    """The method whose `[methods.ID]` it reads too, as a twin of it does."""
    frozen: Mapping[str, str] = field(default_factory=dict)
    """Attributes that are finished networks, not trained here: each with the stage that it comes from."""
    halves: tuple["MethodPlugin", ...] = ()
    """Of a pair trained together: reconstructor and super-resolver."""

    @property
    def file(self) -> str:
        """The file it stands in; a pair's is its super-resolver's."""
        return self.halves[-1].file if self.halves else super().file

    @property
    def authored(self) -> tuple["MethodPlugin", ...]:
        """Those that somebody wrote: itself, or the halves of a pair."""
        return self.halves or (self,)

    @property
    def cls(self) -> type[Component]:
        """The class."""
        made: type[Component] = self.made_by
        return made

    @property
    def trained(self) -> bool:
        """Whether it learns."""
        return issubclass(self.cls, Trained)

    @property
    def tuned(self) -> bool:
        """Whether it is tuned on validation."""
        return issubclass(self.cls, Tuned)


_methods: dict[str, MethodPlugin] = {}
_datasets: dict[str, Plugin] = {}
_sources: dict[str, Plugin] = {}
_admitted: set[str] = {"bench", *MAIN}  # roots of module names that may register


def reconstructor(id: str, *, bound: bool = False) -> Callable[[AnyMethod], AnyMethod]:
    """Register a `Reconstructor`. A bound also sees the target, and is never ranked."""
    return _register_method(id, "reconstructor", bound=bound)


def super_resolver(id: str) -> Callable[[AnyMethod], AnyMethod]:
    """Register a `SuperResolver`."""
    return _register_method(id, "super_resolver")


def pipeline(
    id: str, *, group: Group = "joint", settings_of: str | None = None, frozen: Mapping[str, str] | None = None
) -> Callable[[AnyMethod], AnyMethod]:
    """Register a `Pipeline`.

    Parameters
    ----------
    group
        "joint": the loss on the HR image reaches everything that is learned, or one network does both tasks. "sequential":
        the super-resolver learns with the reconstructor frozen, or apart from it. "single": one of the two tasks only.
    settings_of
        The original of a twin, whose settings it reads where it has none of its own.
    frozen
        Attributes of the class that are networks made by other stages and are not trained here, with the stages' ids.
    """
    return _register_method(id, "pipeline", group=group, settings_of=settings_of, frozen=dict(frozen or {}))


def _register_method(id: str, kind: str, **traits: Any) -> Callable[[AnyMethod], AnyMethod]:
    def register(cls: AnyMethod) -> AnyMethod:
        wrong = fault(cls, kind, traits.get("bound", False))
        if wrong:
            raise UserError(f"'{id}' cannot be registered as a {kind.replace('_', '-')}: {wrong}.")
        _enter(_methods, MethodPlugin(id, cls, kind, **traits))
        return cls

    return register


def dataset(id: str) -> Callable[[MakeProtocol], MakeProtocol]:
    """Register a function of no arguments that returns a `Protocol`."""

    def register(make: MakeProtocol) -> MakeProtocol:
        if isinstance(make, type) or not callable(make):
            raise UserError(
                f"'{id}' cannot be registered as a dataset: decorate a function that returns a bench.Protocol."
            )
        _enter(_datasets, Plugin(id, make))
        return make

    return register


def source(id: str) -> Callable[[AnySource], AnySource]:
    """Register a `Source`."""

    def register(cls: AnySource) -> AnySource:
        given: object = cls
        if not (isinstance(given, type) and issubclass(given, Source)):
            name = getattr(given, "__name__", "Mine")
            raise UserError(f"'{id}' cannot be registered as a source: write `class {name}(bench.Source):`.")
        lacking = sorted(cls.__abstractmethods__)
        if lacking:
            raise UserError(f"'{id}' cannot be registered as a source: it lacks `{lacking[0]}`.")
        _enter(_sources, Plugin(id, cls))
        return cls

    return register


def _enter(table: dict[str, Any], plugin: Plugin) -> None:
    if not ID.fullmatch(plugin.id):
        raise UserError(f"The id '{plugin.id}' is not made of a-z, 0-9 and single hyphens.")
    if plugin.module.partition(".")[0] not in _admitted:
        raise UserError(f"{plugin.file} registers '{plugin.id}' but was not given by --plugin nor by an entry point.")
    known = table.get(plugin.id)
    if known and known.file != plugin.file:
        raise UserError(f"The id '{plugin.id}' is taken twice: by {known.file} and by {plugin.file}. Rename one.")
    table[plugin.id] = plugin


def discover(plugin_files: Iterable[Path] = ()) -> None:
    """Import the built-in plugins, a user's data, the entry points of group `bench.plugins` and the given files or folders.

    Raises
    ------
    UserError
        If a file is not there, fails on import, or holds something that is not what it is registered as.
    """
    for package in PACKAGES:
        for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
            importlib.import_module(f"{package}.{module.name}")
    importlib.import_module("bench.data.imported").register()
    for entry in entry_points(group="bench.plugins"):
        _admitted.add(entry.module.partition(".")[0])
        entry.load()
    for file in plugin_files:
        _load(file)


def _load(file: Path) -> None:
    path = file.resolve()
    init = path / "__init__.py" if path.is_dir() else path
    if not path.exists():
        raise UserError(f"The plugin file {file} does not exist.")
    if not init.is_file() or init.suffix != ".py":
        raise UserError(f"The plugin {file} is neither a Python file nor a folder with an __init__.py.")
    name = f"{PREFIX}{re.sub(r'[^0-9A-Za-z_]', '_', path.stem)}"
    if name in sys.modules and getattr(sys.modules[name], "__file__", None) == str(init):
        return
    folders = [str(path)] if path.is_dir() else None
    spec = importlib.util.spec_from_file_location(name, init, submodule_search_locations=folders)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    _admitted.add(name)
    try:
        spec.loader.exec_module(module)
    except UserError:
        _forget(name)
        raise
    except (Exception, SystemExit) as error:
        _forget(name)
        raise UserError(f"The plugin file {file} fails on import: {_why(error, path)}") from error


def _why(error: BaseException, path: Path) -> str:
    said = f"{type(error).__name__}: {error}"
    missing = getattr(error, "name", None) if isinstance(error, ModuleNotFoundError) else None
    if missing and (path.parent / f"{missing}.py").exists():
        return f"{said}. A plugin of several files is a folder with an __init__.py: give the folder, and import `.{missing}`."
    return said


def _forget(name: str) -> None:
    for module in [m for m in sys.modules if m == name or m.startswith(f"{name}.")]:
        del sys.modules[module]


def methods(*kinds: str) -> dict[str, MethodPlugin]:
    """Registered methods of these kinds (of all without any), by id."""
    wanted = kinds or tuple(KINDS)
    return {id: plugin for id, plugin in sorted(_methods.items()) if plugin.kind in wanted}


def method(id: str) -> MethodPlugin:
    """One method, reconstructor or super-resolver by its id; `A~B` too.

    Raises
    ------
    UserError
        If there is none, or a half of a pair does not learn.
    """
    first, tilde, second = id.partition("~")
    if not tilde:
        return find(_methods, id, "method")
    a, b = (
        find(methods("reconstructor"), first, "reconstructor"),
        find(methods("super_resolver"), second, "super-resolver"),
    )
    for half in (a, b):
        if not half.trained:
            raise UserError(f"'{id}' trains both halves together, but '{half.id}' does not learn: use '{a.id}+{b.id}'.")
    return MethodPlugin(id, together((a.id, b.id), (a.cls, b.cls)), "pipeline", halves=(a, b))


def pairs() -> list[str]:
    """Ids of what can be trained together: every reconstructor that learns with every super-resolver that does."""
    learning = [[p.id for p in methods(kind).values() if p.trained] for kind in ("reconstructor", "super_resolver")]
    return [f"{a}~{b}" for a in learning[0] for b in learning[1]]


def datasets() -> dict[str, Plugin]:
    """Registered datasets, by id."""
    return dict(sorted(_datasets.items()))


def sources() -> dict[str, Plugin]:
    """Registered sources, by id."""
    return dict(sorted(_sources.items()))


AnyPlugin = TypeVar("AnyPlugin", bound=Plugin)


def find(table: Mapping[str, AnyPlugin], id: str, what: str) -> AnyPlugin:
    """Look an id up; an unknown one is the user's mistake."""
    if id not in table:
        raise UserError(f"Unknown {what} '{id}'.{closest(id, table)}")
    return table[id]


def check_text(path: Path, what: str, before: Mapping[str, str], plugins: Iterable[Plugin], remedy: str) -> None:
    """Refuse what another text of a plugin's file has made.

    Parameters
    ----------
    path
        The record that says so.
    what
        E.g. "row was made".
    before
        sha256 by id, as `foreign_files` gave them then.
    plugins
        Those that it depends on.
    remedy
        What to type.

    Raises
    ------
    UserError
        If a text has changed.
    """
    for plugin in plugins:
        if not plugin.built_in and before.get(plugin.id) != plugin.sha256:
            raise UserError(
                f"{path}: this {what} by another text of {plugin.file}, which still says the same version: "
                f"use {remedy}, or raise `version` there."
            )


def foreign_files(plugins: Iterable[Plugin]) -> dict[str, str]:
    """sha256 by id of those that are not part of this package: what rows and stages record."""
    return {plugin.id: plugin.sha256 for plugin in plugins if not plugin.built_in}
