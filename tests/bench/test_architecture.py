"""The plan of the house: who may import whom, and how big a room may be."""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(p for folder in ("bench", "methods", "datasets") for p in (ROOT / folder).rglob("*.py"))


def module(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts if parts[0] == "bench" else ("bench", *parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module(path): path for path in FILES}


def imports(path, everywhere=False):
    """Modules of this project that a file imports; at its top, or `everywhere` in it too."""
    tree = ast.parse(path.read_text())
    nodes = ast.walk(tree) if everywhere else tree.body
    found = set()
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.level:
            package = module(path).rpartition(".")[0]
            found |= {f"{package}.{node.module}"}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name in MODULES and name != "bench"}


def test_no_import_circle():
    graph = {name: {i for i in imports(path) if i != name} for name, path in MODULES.items()}
    while leaves := [name for name, needs in graph.items() if not needs]:
        for leaf in leaves:
            del graph[leaf]
        graph = {name: needs - set(leaves) for name, needs in graph.items()}
    assert not graph


@pytest.mark.parametrize("wing", ["mri", "nn"])
def test_physics_and_blocks_stand_at_the_bottom(wing):
    for name, path in MODULES.items():
        if name.startswith(f"bench.{wing}"):
            assert all(i.startswith(("bench.mri", "bench.nn")) for i in imports(path, everywhere=True)), name


def test_the_engine_names_no_method_and_no_dataset():
    for name, path in MODULES.items():
        if not name.startswith(("bench.methods", "bench.datasets")):
            assert not any(i.startswith(("bench.methods", "bench.datasets")) for i in imports(path, True)), name


LATER = {  # a wing, and those that it may not know
    "metrics": ("store", "data", "train", "run", "report", "authoring"),
    "store": ("data", "train", "run", "report", "authoring"),
    "data": ("train", "run", "report", "authoring"),
    "train": ("run", "report", "authoring"),
    "run": ("report", "authoring"),
    "report": ("train", "run", "authoring", "data"),
}


@pytest.mark.parametrize("wing", LATER)
def test_calls_go_from_run_to_train_store_data_and_not_back(wing):
    forbidden = tuple(f"bench.{later}" for later in LATER[wing])
    for name, path in MODULES.items():
        if name.startswith(f"bench.{wing}"):
            assert not [i for i in imports(path, everywhere=True) if i.startswith(forbidden)], name


def test_no_room_is_too_big_and_few_stand_at_the_top():
    assert not [path for path in FILES if len(path.read_text().splitlines()) > 400]
    assert len(list((ROOT / "bench").glob("*.py"))) <= 14


def test_every_package_is_installed():
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    assert {name for name, path in MODULES.items() if path.name == "__init__.py"} | {"bench"} == set(packages)
