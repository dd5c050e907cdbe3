import hashlib
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from rich.console import Console

from bench.errors import UserError
from bench.report import figures, make_report, summary
from bench.report.collect import collect
from bench.report.comparison import compare
from bench.report.tables import lines
from bench.store import read_images


@pytest.fixture(scope="module")
def full(new_results):
    """Seven methods, two datasets, one failure. For reading only."""
    results = new_results()
    results.add("proposed", "joint", psnr=33.0)
    for i, method in enumerate(("modl+bicubic", "modl+sinc", "modl+bebygan", "dl-espirit+bebygan")):
        results.add(method, "sequential", psnr=30.0 + i)
    results.add("oracle+sinc", "bound", psnr=40.0)
    results.fail("t2net", status="out-of-memory", reason="needs 9 GB")
    results.add("proposed", "joint", dataset="vfa", contrasts=("fa05", "fa20"), label="real raw data, one person",
                subjects=("p",), lpips=None, without_lpips=True)  # fmt: skip
    return results


def written(full, out, pdf=False):
    return {path.relative_to(out).as_posix(): path for path in make_report(full.folder, out, pdf)}


@pytest.fixture(scope="module")
def report(full, tmp_path_factory):
    """Its files by name. For reading only."""
    return written(full, tmp_path_factory.mktemp("report"), pdf=True)


def test_files_and_the_same_bytes_twice(full, report, tmp_path):
    again = written(full, tmp_path, pdf=True)
    assert set(report) == {
        "index.html", "index.md", "examples.png", "examples.pdf",
        *(f"vwi/laptop/{n}.{e}" for n in ("differences", "details", "propagation", "paper") for e in ("md", "csv", "tex")),
        *(f"vfa/laptop/{n}.{e}" for n in ("details", "propagation") for e in ("md", "csv", "tex")),
        *(f"vwi/laptop/{n}" for n in ("main.md", "main.csv", "main.tex", "verdict.md", "grid-t1w.png", "grid-t1w.pdf")),
        *(f"vfa/laptop/{n}" for n in ("main.md", "main.csv", "main.tex", "verdict.md", "contrasts.md")),
        *(f"vfa/laptop/grid-fa{angle}.{ending}" for angle in ("05", "20") for ending in ("png", "pdf")),
    }  # fmt: skip
    digests = [{n: hashlib.sha256(p.read_bytes()).hexdigest() for n, p in files.items()} for files in (report, again)]
    assert digests[0] == digests[1]


class Page(HTMLParser):
    """Collects what a page refers to, and its tables' cells."""

    def __init__(self):
        super().__init__()
        self.links, self.alts, self.cells = [], [], []

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.links += [found[key] for key in ("src", "href") if key in found]
        if tag == "img":
            self.alts.append(found["alt"])

    def handle_data(self, data):
        self.cells.append(data)


def test_page_is_whole_in_itself(report):
    text = report["index.html"].read_text()
    page = Page()
    page.feed(text)
    assert text.startswith("<!doctype html>")
    assert all(link.startswith(("data:image/png;base64,", "#")) for link in page.links)
    assert "http" not in re.sub(r"base64,[^\"]*", "", text)
    assert len(page.alts) == 4
    assert all(page.alts)
    assert "<b>33.15 ± 0.11 [33.15, 33.15]</b>" in text
    assert "<b>40.15" not in text
    assert "t2net: out-of-memory: needs 9 GB" in page.cells


def test_page_escapes_what_runs_say(results, tmp_path):
    results.add()
    results.fail("t2net", reason="<script>alert(1)</script> & more")
    text = written(results, tmp_path)["index.html"].read_text()
    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in text


def test_index_links_to_what_is_there(report):
    text = report["index.md"].read_text()
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert len(links) == 4 + 5 + 4
    assert all((report["index.md"].parent / link).is_file() for link in links)


def test_nothing_but_failures_still_gives_a_page(results, tmp_path):
    results.fail("proposed", reason="out of luck")
    text = written(results, tmp_path)["index.html"].read_text()
    assert "No verdict: no joint and no sequential method has rows (proposed failed: out of luck)." in text


def test_no_runs_nothing_written(tmp_path):
    with pytest.raises(UserError, match="type bench run"):
        make_report(tmp_path / "none", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_errors_share_one_scale(full):
    block = collect(full.folder, "vwi")[0]
    figure = figures.method_grid(block, "t1w/s0/1")
    maps = [image for axis in figure.axes for image in axis.images if image.get_cmap().name == "inferno"]
    panels = [p for p in figures.grid_panels(block, "t1w/s0/1") if p.below is not None and p.below.dtype != bool]
    everything = np.stack([panel.below for panel in panels])
    assert len(maps) == len(panels) == 6
    assert {image.get_clim() for image in maps} == {(0.0, float(np.percentile(everything, 99)))}
    grey = {image.get_clim() for axis in figure.axes for image in axis.images if image.get_cmap().name == "gray"}
    assert len(grey - {(0.0, 1.0)}) == 1  # images too; (0, 1) is the mask


def test_error_map_is_relative_to_the_truths_maximum(full):
    block = collect(full.folder, "vwi")[0]
    panel = next(p for p in figures.grid_panels(block, "t1w/s0/1") if p.title == "modl+sinc")
    truth = read_images(full.folder / "vwi/laptop/reference.npz")["t1w/s0/1/truth"]
    image = read_images(full.folder / "vwi/laptop/modl+sinc/seed0/images.npz")["t1w/s0/1"]
    assert panel.below == pytest.approx(np.abs(image - truth) / truth.max())
    assert panel.corner == "31.10 dB  0.050"


def test_grid_says_what_it_is_and_keeps_the_place_of_failures(full):
    figure = figures.method_grid(collect(full.folder, "vwi")[0], "t1w/s0/1")
    texts = [text.get_text() for text in figure.texts] + [t.get_text() for axis in figure.axes for t in axis.texts]
    assert "vwi, profile laptop: simulated acquisition\nt1w, s0, slice 1" in texts
    assert "out-of-memory" in texts
    titles = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert titles[:4] == ["fully sampled HR (truth)", "LR input, 4.0×, zero-filled", "proposed", "t2net"]


def test_median_slice_is_by_zero_filled_error(full):
    block = collect(full.folder, "vwi")[0]
    assert figures.median_slice(block, "t1w") == "t1w/s0/1"  # noise grows with the number: 0, 1, 2
    assert figures.median_slice(block, "t2w") is None


def test_a_fold_alone_has_its_figures(results, tmp_path):
    results.add(fold=1, subjects=("s7",))
    assert "vwi/laptop/grid-t1w.png" in written(results, tmp_path)
    panels = figures.grid_panels(collect(results.folder)[0], "t1w/s7/0")
    assert panels[2].title == "proposed"
    assert panels[2].image is not None


def test_cropping_mask_keeps_dc_at_its_place():
    kept = figures._kept((8, 6), (4, 3))
    assert kept.sum() == 12
    assert np.argwhere(kept)[0].tolist() == [8 // 2 - 4 // 2, 6 // 2 - 3 // 2]


def printed(renderable, width=80):
    console = Console(width=width, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()


def test_summary_fits_a_terminal(full):
    text = printed(summary(full.folder, "vwi", "laptop"))
    assert "dl-espirit+bebygan" in text
    assert "33.15" in text
    assert "t2net: out-of-memory: needs 9 GB" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "LPIPS: skipped" in printed(summary(full.folder, "vfa", "laptop"))


def test_summary_beside_the_reference(full, results):
    reference = results
    reference.add("proposed", "joint", psnr=32.5, lpips=0.06)
    reference.add("modl+sinc", "sequential", psnr=31.0, slices=2)
    pairs = compare(lines(collect(full.folder, "vwi")[0]), lines(collect(reference.folder, "vwi")[0]))
    assert [pair.method for pair in pairs] == ["proposed", "modl+sinc"]
    assert pairs[0].difference("psnr") == pytest.approx(0.5)
    assert [pair.same_slices for pair in pairs] == [True, False]
    text = printed(summary(full.folder, "vwi", "laptop", reference.folder))
    assert re.search(r"proposed +33\.15 +32\.65 +\+0\.50 .* 0\.050 +0\.060 +-0\.010", text)
    assert re.search(r"modl\+sinc \* ", text)


def test_summary_beside_nothing_says_so(full, tmp_path):
    text = " ".join(printed(summary(full.folder, "vwi", "laptop", tmp_path / "none")).split())
    assert "nothing to compare with" in text


def test_report_does_not_import_torch():
    modules = ("bench.report", *(f"bench.report.{name}" for name in ("page", "figures", "comparison", "verdict")))
    code = f"import sys, {', '.join(modules)}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
