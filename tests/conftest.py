import importlib.util
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from bench import config, registry
from bench.data.dataset import Dataset
from bench.data.prepare import prepare
from bench.mri.fourier import fft2c
from bench.workers import pin

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
    pin(1)


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


def own_kspace(seed, slices=3, coils=4, size=(48, 40)):
    """K-space (slice, coil, Y, X) complex64 of somebody: maps x image, without noise, centred, orthonormal."""
    random = np.random.default_rng(seed)
    y, x = np.meshgrid(*(np.linspace(-1, 1, n, endpoint=False) for n in size), indexing="ij")
    angles = 2 * np.pi * np.arange(coils) / coils
    maps = np.stack([np.exp(-((y - np.sin(a)) ** 2 + (x - np.cos(a)) ** 2) + 1j * (y * np.cos(a) - x)) for a in angles])
    images = []
    for _ in range(slices):
        image = 0.4 * ((y / 0.8) ** 2 + (x / 0.7) ** 2 < 1)
        for _ in range(8):
            (cy, cx), (ry, rx) = random.uniform(-0.4, 0.4, 2), random.uniform(0.06, 0.3, 2)
            image = image + random.uniform(0.05, 0.3) * (((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1)
        images.append(image)
    coil_images = (np.stack(images)[:, None] * maps).astype(np.complex64)
    return fft2c(torch.from_numpy(coil_images)).numpy()


@pytest.fixture
def kspace():
    """Makes k-space of a person, by seed."""
    return own_kspace


@pytest.fixture
def data_folder(tmp_path, monkeypatch):
    """A folder for imported data, of this test alone."""
    folder = tmp_path / "data folder"
    monkeypatch.setenv("BENCH_DATA", str(folder))
    return folder


@pytest.fixture(scope="session")
def writers():
    """Writes files as other programs do: `tests/bench/data/readers/writers.py`."""
    path = Path(__file__).parent / "bench" / "data" / "readers" / "writers.py"
    spec = importlib.util.spec_from_file_location("file_writers", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
