"""A report of made-up results."""

import pytest

from bench.report import make_report


def written(results, out):
    return {path.relative_to(out).as_posix(): path for path in make_report(results.folder, out)}


@pytest.fixture(scope="module")
def full(new_results):
    """Seven methods, two datasets, one failure. For reading only."""
    results = new_results()
    results.add("proposed", "joint", psnr=33.0, loss="gan")
    results.add("ablation-end-to-end", "joint", psnr=32.0, loss="gan")
    results.add("ablation-sr", "single", psnr=29.0)
    results.stage("proposed", {"step": [1, 2], "phase": ["plain", "plain"], "psnr": [20, 30]})
    results.add("modl+sinc", "sequential", psnr=31.0)
    results.add("oracle+sinc", "bound", psnr=40.0)
    results.fail("t2net", status="out-of-memory", reason="needs 9 GB")
    results.add("proposed", "joint", dataset="vfa", contrasts=("fa05", "fa20"), label="real raw data, one person",
                subjects=("p",), lpips=None, without_lpips=True)  # fmt: skip
    return results


@pytest.fixture(scope="module")
def report(full, tmp_path_factory):
    """Its files by name. For reading only."""
    return written(full, tmp_path_factory.mktemp("report"))
