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
from bench.report.tables.main import cell, lines, mean
from bench.report.tables.terminal import compare
from bench.store.records import Keys
from bench.store.tables import read_rows, write_rows


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
    assert "* other people, slices, seeds or data: the difference means little" in text


def test_a_reference_of_more_folds_is_compared_in_the_same_one(full, results):
    results.add("proposed", "joint", psnr=32.5)
    results.add("proposed", "joint", psnr=20.0, fold=1)
    text = printed(summary(full.folder, "vwi", "laptop", results.folder))
    assert re.search(r"proposed +31\.15 +30\.65 +\+0\.50", text)


def test_a_reference_of_more_seeds_is_compared_in_the_same_one(full, results):
    results.add("proposed", "joint", psnr=32.5)
    results.add("proposed", "joint", psnr=20.0, seed=1)
    text = printed(summary(full.folder, "vwi", "laptop", results.folder))
    assert re.search(r"proposed +31\.15 +30\.65 +\+0\.50", text)


def test_a_reference_of_other_seeds_is_told_apart(full, results):
    results.add("proposed", "joint", psnr=32.5, seed=1)
    text = printed(summary(full.folder, "vwi", "laptop", results.folder))
    assert re.search(r"proposed \* +31\.15 +30\.65", text)


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


def test_a_bound_that_is_the_truth_has_a_dash_for_its_distance(results):
    results.add("oracle+sinc", "bound", psnr=40.0)
    (folder,) = collect(results.folder)[0].runs
    path = folder.folder.slices
    rows = read_rows(path)
    write_rows(path, rows.assign(psnr_lr=100.0))
    results.reseal(folder.folder)
    (line,) = lines(collect(results.folder)[0])
    assert line.means["psnr_lr"] == 100
    assert mean(line, "psnr_lr") == "–"
    assert cell(line, "psnr_lr") == "–"
    assert mean(line, "psnr") == "40.15"


@pytest.mark.parametrize(("cpu", "mark"), [("0.5", ""), ("0.9", ""), ("0.1", "§")])
def test_what_was_timed_on_a_busy_machine_is_marked(results, cpu, mark):
    folder = results.add("proposed", "joint")
    folder.timing.write_text(f"seconds,cpu_seconds,peak_memory_mb,device,threads,gmac\n0.5,{cpu},100,cpu,2,1.5\n")
    text = printed(summary(results.folder, "vwi", "laptop"))
    assert re.search(rf"0\.500{mark} *\n", text)
    assert ("timed while the machine was busy" in text) == bool(mark)


@pytest.mark.parametrize(("switches", "mark"), [("4", ""), ("", ""), ("120", "§")])
def test_two_threads_at_half_speed_were_timed_on_a_busy_machine(results, switches, mark):
    folder = results.add("proposed", "joint")
    folder.timing.write_text(
        f"seconds,cpu_seconds,switches,peak_memory_mb,device,threads,gmac\n0.5,0.5,{switches},100,cpu,2,1.5\n"
    )
    text = printed(summary(results.folder, "vwi", "laptop"))
    assert re.search(rf"0\.500{mark} *\n", text)
    assert ("timed while the machine was busy" in text) == bool(mark)
