"""What the figures are drawn from."""

import pytest

from bench.report.read.images import read_kept
from bench.report.read.results import collect


@pytest.fixture(scope="module")
def full(new_results):
    """Ten methods, one of them failed. For reading only."""
    results = new_results()
    results.add("proposed", "joint", psnr=33.0, loss="gan")
    results.add("ablation-end-to-end", "joint", psnr=32.5, loss="gan")
    results.add("ablation-sr", "single", psnr=29.0)
    for i, method in enumerate(("modl+bicubic", "modl+sinc", "modl+bebygan", "dl-espirit+bebygan")):
        results.add(method, "sequential", psnr=30.0 + i)
    results.add("oracle+sinc", "bound", psnr=40.0)
    results.fail("t2net", status="out-of-memory", reason="needs 9 GB")
    return results


@pytest.fixture(scope="module")
def collected(full):
    return collect(full.folder)[0]


@pytest.fixture(scope="module")
def images(collected):
    return read_kept(collected)
