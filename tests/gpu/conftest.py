"""What `make gpu` runs. `BENCH_GPU_TEST_DEVICE=cpu` tries the tests themselves where there is no GPU."""

import importlib.util
import os
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest
import torch

from bench import registry
from bench.data import assets
from bench.data.prepare import open_split, prepare
from bench.speed.table import host_kind
from bench.store import layout

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # as workers have it; later is too late
DEVICE = os.environ.get("BENCH_GPU_TEST_DEVICE", "cuda")
NOTES = Path("runs") / "gpu"
RANDOM_VGG = Path(__file__).with_name("random_vgg.py")


def pytest_report_header():
    perceptual = "the package's weights" if assets.cached("vgg19") else "RANDOM weights: they are not here"
    lpips = "can be measured" if find_spec("lpips") and find_spec("torchvision") else "CANNOT be imported"
    return f"device {DEVICE}; VGG-19 of {perceptual}; LPIPS {lpips}; cache {layout.cache_folder()}"


def pytest_terminal_summary(terminalreporter):
    for path in sorted(NOTES.glob("*.csv")):
        terminalreporter.section(str(path))
        terminalreporter.write_line(pd.read_csv(path).to_string(index=False))


@pytest.fixture(scope="session", autouse=True)
def device():
    if DEVICE.startswith("cuda") and not torch.cuda.is_available():
        pytest.exit("there is no CUDA device here", returncode=2)
    return DEVICE


@pytest.fixture(scope="session")
def cache():
    """The archive's, or the user's own."""
    return layout.cache_folder()


@pytest.fixture(scope="session")
def given(cache):
    """Opens a split of the few slices of a profile that the archive holds."""
    path = Path(__file__).parents[2] / "tools" / "gpu_pack.py"
    spec = importlib.util.spec_from_file_location("gpu_pack", path)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)

    def slices(profile, split):
        data = tool.data(profile)
        prepare(data, [split], 1, lambda *_: None)
        return open_split(data, split)

    return slices


@pytest.fixture(scope="session", autouse=True)
def perceptual():
    """Plugins that give VGG-19 random weights where its own are not here."""
    files = () if assets.cached("vgg19") else (RANDOM_VGG,)
    registry.discover(files)
    return files


@pytest.fixture(scope="session", autouse=True)
def exact():
    """float32 without rounding to TF32, since it is compared."""
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False


@pytest.fixture(scope="session")
def note():
    """Takes a row of figures; at the end they are written and printed."""
    rows = []
    yield lambda **row: rows.append(row)
    if rows:
        NOTES.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(rows).to_csv(NOTES / f"{host_kind(DEVICE)}.csv", index=False)
