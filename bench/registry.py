"""The decorators, and discovery of plugins: built-in files, entry points, `--plugin FILE`."""

import importlib
import importlib.util
import pkgutil
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal, TypeVar

from bench.errors import UserError, closest

Kind = Literal["reconstructor", "super_resolver", "pipeline", "dataset", "source"]
METHOD_KINDS: tuple[Kind, ...] = ("reconstructor", "super_resolver", "pipeline")
ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
Decorated = TypeVar("Decorated", bound=Callable[..., Any])


@dataclass(frozen=True)
class Plugin:
    """A registered class, or for datasets a function."""

    id: str
    kind: Kind
    make: Callable[..., Any]
    file: str
    traits: dict[str, Any] = field(default_factory=dict)


_plugins: dict[tuple[str, str], Plugin] = {}
_admitted_files: set[str] = set()


def reconstructor(id: str, *, bound: bool = False) -> Callable[[Decorated], Decorated]:
    """Register an `nn.Module`: Acquisition -> complex LR image. A bound also sees the Target and is never ranked."""
    return _register(id, "reconstructor", bound=bound)


def super_resolver(id: str) -> Callable[[Decorated], Decorated]:
    """Register an `nn.Module`: LR magnitude (batch, y, x) -> HR magnitude (batch, Y, X)."""
    return _register(id, "super_resolver")


def pipeline(id: str, *, group: Literal["joint", "ablation"] = "joint") -> Callable[[Decorated], Decorated]:
    """Register an `nn.Module`: Acquisition -> Output.

    One whose training feeds a part with the truth, such as a super-resolver trained on clean images, also has
    `forward_training(acquisition, target) -> Output`.
    """
    return _register(id, "pipeline", group=group)


def dataset(id: str) -> Callable[[Decorated], Decorated]:
    """Register a function of no arguments that returns a `bench.protocol.Protocol`."""
    return _register(id, "dataset")


def source(id: str) -> Callable[[Decorated], Decorated]:
    """Register a class of fully sampled subjects (see `bench.protocol.Source`)."""
    return _register(id, "source")


def _register(id: str, kind: Kind, **traits: Any) -> Callable[[Decorated], Decorated]:
    if not ID.fullmatch(id):
        raise UserError(f"The id '{id}' is not made of a-z, 0-9 and single hyphens.")

    def register(decorated: Decorated) -> Decorated:
        module = sys.modules[decorated.__module__]
        file = str(Path(module.__file__ or "").resolve())
        if not decorated.__module__.startswith("bench.") and file not in _admitted_files:
            raise UserError(f"{file} registers '{id}' but was not given by --plugin nor by an entry point.")
        space = "method" if kind in METHOD_KINDS else kind
        known = _plugins.get((space, id))
        if known and known.file != file:
            raise UserError(f"The id '{id}' is taken twice: by {known.file} and by {file}. Rename one.")
        _plugins[space, id] = Plugin(id, kind, decorated, file, traits)
        return decorated

    return register


def discover(plugin_files: tuple[Path, ...] = ()) -> None:
    """Import the built-in plugins, the entry points of group `bench.plugins` and the given files."""
    for package in ("bench.methods", "bench.datasets"):
        for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
            importlib.import_module(f"{package}.{module.name}")
    for entry in entry_points(group="bench.plugins"):
        spec = importlib.util.find_spec(entry.module)
        if spec and spec.origin:
            _admitted_files.add(str(Path(spec.origin).resolve()))
        entry.load()
    for file in plugin_files:
        _load_file(file)


def _load_file(file: Path) -> None:
    path = file.resolve()
    if not path.is_file():
        raise UserError(f"The plugin file {file} does not exist.")
    name = f"bench_plugin_{path.stem}"
    if name in sys.modules and getattr(sys.modules[name], "__file__", None) == str(path):
        return
    _admitted_files.add(str(path))
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UserError(f"The plugin file {file} is not a Python file: give it the ending .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except UserError:
        raise
    except Exception as error:
        del sys.modules[name]
        raise UserError(f"The plugin file {file} fails on import: {type(error).__name__}: {error}") from error


def methods(*kinds: Kind) -> dict[str, Plugin]:
    """Registered methods of these kinds (all three without any), by id."""
    wanted = kinds or METHOD_KINDS
    return {id: p for (space, id), p in sorted(_plugins.items()) if space == "method" and p.kind in wanted}


def datasets() -> dict[str, Plugin]:
    """Registered datasets, by id."""
    return {id: p for (space, id), p in sorted(_plugins.items()) if space == "dataset"}


def sources() -> dict[str, Plugin]:
    """Registered sources, by id."""
    return {id: p for (space, id), p in sorted(_plugins.items()) if space == "source"}


def find(table: dict[str, Plugin], id: str, what: str) -> Plugin:
    """Look an id up; an unknown one is the user's mistake."""
    if id not in table:
        raise UserError(f"Unknown {what} '{id}'.{closest(id, table)}")
    return table[id]
