"""The tools are scripts; what they read is made up as for the report."""

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load(path):
    spec = importlib.util.spec_from_file_location(f"loaded_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def results(tmp_path):
    return load(ROOT / "tests/bench/report/conftest.py").Results(tmp_path / "results")


@pytest.fixture
def tool():
    return lambda name: load(ROOT / "tools" / f"{name}.py")
