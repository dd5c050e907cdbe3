import pkgutil
import re
import subprocess
import sys

import pytest
from rich.console import Console

import bench.report
from bench.errors import UserError
from bench.report import make_report, summary
from bench.report.read.results import collect
from bench.report.tables.terminal import compare
from bench.store.records import Keys


@pytest.fixture(scope="module")
def full(new_results):
    """Eight methods, two datasets, one failure. For reading only."""
    results = new_results()
    results.add("proposed", "joint", psnr=33.0)
    for i, method in enumerate(("modl+bicubic", "modl+sinc", "modl+bebygan", "dl-espirit+bebygan")):
        results.add(method, "sequential", psnr=30.0 + i)
    results.add("oracle+sinc", "bound", psnr=40.0)
    results.add("ablation-end-to-end-l1", "joint", psnr=32.0)  # the longest name
    results.fail("t2net", status="out-of-memory", reason="needs 9 GB")
    results.add("proposed", "joint", dataset="vfa", contrasts=("fa05", "fa20"), label="real raw data, one person",
                subjects=("p",), lpips=None, without_lpips=True)  # fmt: skip
    return results


def test_no_runs_nothing_written(tmp_path):
    with pytest.raises(UserError, match="type bench run"):
        make_report(tmp_path / "none", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def printed(renderable, width=80):
    console = Console(width=width, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()


def test_summary_fits_a_terminal(full):
    text = printed(summary(full.folder, "vwi", "laptop"))
    assert "ablation-end-to-end-l1" in text
    assert "33.15" in text
    assert "t2net: out-of-memory: needs 9 GB" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "LPIPS: skipped" in printed(summary(full.folder, "vfa", "laptop"))


def test_summary_beside_the_reference(full, results):
    reference = results
    reference.add("proposed", "joint", psnr=32.5, lpips=0.06)
    reference.add("modl+sinc", "sequential", psnr=31.0, slices=2)
    reference.add("ablation-end-to-end-l1", "joint", psnr=31.0)
    pairs = compare(collect(full.folder, "vwi")[0], collect(reference.folder, "vwi")[0])
    assert [pair.method for pair in pairs] == ["ablation-end-to-end-l1", "proposed", "modl+sinc"]
    assert pairs[1].difference("psnr") == pytest.approx(0.5)
    assert [pair.same_data for pair in pairs] == [True, True, False]
    text = printed(summary(full.folder, "vwi", "laptop", reference.folder))
    assert re.search(r"proposed +31\.15 +30\.65 +\+0\.50 .* 0\.050 +0\.060 +-0\.010", text)
    assert re.search(r"modl\+sinc \* ", text)
    assert "ablation-end-to-end-l1 " in text.split("beside")[1]
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("other", [{"keys": Keys("m", "other masks")}, {"source": "elsewhere"}])
def test_a_reference_of_other_data_is_told_apart(full, results, other):
    results.add("proposed", "joint", psnr=32.5, **other)
    text = printed(summary(full.folder, "vwi", "laptop", results.folder))
    assert re.search(r"proposed \* ", text)
    assert "* not the same people, slices or data: the difference means little" in text


def test_a_reference_of_more_folds_is_compared_in_the_same_one(full, results):
    results.add("proposed", "joint", psnr=32.5)
    results.add("proposed", "joint", psnr=20.0, fold=1)
    text = printed(summary(full.folder, "vwi", "laptop", results.folder))
    assert re.search(r"proposed +31\.15 +30\.65 +\+0\.50", text)


def test_summary_beside_nothing_says_so(full, tmp_path):
    text = " ".join(printed(summary(full.folder, "vwi", "laptop", tmp_path / "none")).split())
    assert "nothing to compare with" in text


def test_report_does_not_import_torch():
    modules = [found.name for found in pkgutil.walk_packages(bench.report.__path__, "bench.report.")]
    assert {"bench.report.page.html", "bench.report.figures.zoom", "bench.report.tables.terminal"} < set(modules)
    code = f"import sys, {', '.join(modules)}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_error_with_brackets_stands_in_the_terminal_as_it_is(results):
    results.add("proposed", label="[red]real[/red] data")
    results.fail("t2net", reason="expected [/bold] or [a, b] in x[0]", source_label="[red]real[/red] data")
    text = " ".join(printed(summary(results.folder, "vwi", "laptop"), 200).split())
    assert "t2net: failed: expected [/bold] or [a, b] in x[0]" in text
    assert "[red]real[/red] data" in text
