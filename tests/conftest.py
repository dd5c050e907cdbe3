import os
import sys

import pytest
import torch

from bench import config, registry
from bench.data.dataset import Dataset
from bench.data.prepare import prepare

registry.discover()

LONGEST = ("test_kill.py", "test_execute.py", "test_distributed.py", "test_plan.py", "test_check.py", "test_workers.py")


def pytest_collection_modifyitems(items):
    """The longest files first, so that no worker ends alone."""
    places = {name: i for i, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONGEST)))


@pytest.fixture(autouse=True)
def own_plugins(monkeypatch):
    """What a test registers is gone after it."""
    for table in ("_methods", "_datasets", "_sources"):
        monkeypatch.setattr(registry, table, dict(getattr(registry, table)))
    yield
    for name in [name for name in sys.modules if name.startswith("bench_plugin_")]:
        del sys.modules[name]


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """A cache of the session's own, shared by its workers; nothing can be downloaded into it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cache"
    folder.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_CACHE", str(folder))
        patch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        yield folder


@pytest.fixture(scope="session")
def phantom(cache):
    """Prepared `vwi` slices of the phantom at the smoke profile."""
    data = Dataset.of(registry.datasets()["vwi"].made_by(), "phantom", config.load("smoke"), 0, None)
    prepare(data, ["train", "validation", "test"], 1, lambda *_: None)
    return data
