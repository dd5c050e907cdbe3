import base64
import hashlib
import io
import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from bench.report import make_report
from bench.report.page import browser
from bench.report.page import html as page
from bench.report.read import provenance as records
from bench.report.read.images import read_stored
from bench.report.read.results import collect
from bench.store.files import read_images, read_json, stage_folder, write_json


def written(results, out):
    return {path.relative_to(out).as_posix(): path for path in make_report(results.folder, out)}


@pytest.fixture(scope="module")
def full(new_results):
    """Six methods, two datasets, one failure. For reading only."""
    results = new_results()
    results.add("proposed", "joint", psnr=33.0)
    results.add("ablation-sr", "ablation", psnr=29.0)
    folder = stage_folder(results.folder, "vwi", "laptop", "proposed", 0)
    folder.mkdir(parents=True)
    (folder / "curve.csv").write_text("step,phase,psnr\n1,plain,20\n2,plain,30\n")
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


class Page(HTMLParser):
    """Collects what a page refers to, its identifiers, its alternative texts and its words."""

    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.alts, self.words = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.links += [found[key] for key in ("src", "href") if key in found]
        self.ids += [found["id"]] if "id" in found else []
        if tag == "img":
            self.alts.append(found["alt"])

    def handle_data(self, data):
        self.words.append(data)


def stored_data(text):
    return json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])


def test_files_and_the_same_bytes_twice(full, report, tmp_path):
    again = written(full, tmp_path)
    texts = ("main.md", "main.csv", "main.tex", "verdict.md")
    assert set(report) == {
        "index.html", "index.md", "examples.png", *(f"vwi/laptop/{name}" for name in texts),
        *(f"vwi/laptop/{name}.png" for name in ("grid-t1w", "zoom-t1w", "ablation", "quality-time", "differences")),
        "vwi/laptop/training.png",
        *(f"vwi/laptop/{n}.{e}" for n in ("differences", "details", "propagation", "paper") for e in ("md", "csv", "tex")),
        *(f"vfa/laptop/{n}.{e}" for n in ("details", "propagation") for e in ("md", "csv", "tex")),
        *(f"vfa/laptop/{name}" for name in (*texts, "contrasts.md")),
        *(f"vfa/laptop/{name}.png" for name in ("grid-fa05", "grid-fa20", "zoom-fa05", "zoom-fa20", "quality-time")),
    }  # fmt: skip
    digests = [{n: hashlib.sha256(p.read_bytes()).hexdigest() for n, p in files.items()} for files in (report, again)]
    assert digests[0] == digests[1]


def test_page_is_whole_in_itself(report):
    text = report["index.html"].read_text()
    found = Page(text)
    assert text.startswith("<!doctype html>")
    assert all(link.startswith(("data:image/png;base64,", "#")) for link in found.links if link != "data:,")
    assert "//" not in re.sub(r"base64,[^\"]*|// .*", "", text[: text.index('id="data"')])
    assert not re.search(r"@import|url\(|fetch\(|XMLHttp|://", re.sub(r"base64,[^\"]*", "", text))
    assert "default-src 'none'" in text
    assert len(found.alts) == 1 + 5 + 3  # a script draws the grids
    assert all(found.alts)
    assert "<b>33.15 ± 0.11 [33.15, 33.15]</b>" in text
    assert "<b>40.15" not in text
    assert "t2net: out-of-memory: needs 9 GB" in found.words


def test_every_link_within_the_page_has_its_target_once(report):
    found = Page(report["index.html"].read_text())
    inside = {link[1:] for link in found.links if link.startswith("#")}
    assert {"vwi-laptop", "browser", "run-vwi-laptop-modl+sinc", "run-vwi-laptop-t2net"} <= inside <= set(found.ids)
    assert len(found.ids) == len(set(found.ids))


def test_page_escapes_what_runs_say(results, tmp_path):
    results.add(label="</script><script>alert(1)</script>")
    results.fail("t2net", reason="<script>alert(2)</script> & more")
    write_json(results.folder / "vwi/laptop/t2net/seed0/run.json",
               read_json(results.folder / "vwi/laptop/t2net/seed0/run.json")
               | {"source_label": "</script><script>alert(1)</script>"})  # fmt: skip
    text = written(results, tmp_path)["index.html"].read_text()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(2)&lt;/script&gt; &amp; more" in text
    assert stored_data(text)["blocks"][0]["label"] == "</script><script>alert(1)</script>"


def test_index_links_to_what_is_there(report):
    text = report["index.md"].read_text()
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert len(links) == (4 + 4) + (5 + 2) + 1 + 6 + 5
    assert all((report["index.md"].parent / link).is_file() for link in links)


def test_nothing_but_failures_still_gives_a_page(results, tmp_path):
    results.fail("proposed", reason="out of luck")
    files = written(results, tmp_path)
    text = files["index.html"].read_text()
    assert "No verdict: no joint and no sequential method has rows (proposed failed: out of luck)." in text
    assert 'id="browser"' not in text
    assert stored_data(text)["blocks"] == []
    assert "examples.png" not in files


def test_browser_has_the_stored_slices_in_units_of_the_truths_maximum(full):
    block = collect(full.folder, "vwi")[0]
    data = browser.data([(block, read_stored(block))])
    found = data["blocks"][0]
    assert found["groups"] == {
        "proposed": "joint",
        "t2net": "joint",
        "ablation-sr": "ablation",
        "modl+sinc": "sequential",
        "oracle+sinc": "bound",
    }
    assert [s["name"] for s in found["slices"]] == ["s0, slice 0", "s0, slice 1", "s0, slice 2"]
    shown = found["slices"][1]
    assert list(shown["images"]) == [
        "truth",
        "LR input, zero-filled",
        "proposed",
        "ablation-sr",
        "modl+sinc",
        "oracle+sinc",
    ]
    assert shown["missing"] == {"t2net": "out-of-memory"}
    assert shown["scores"]["modl+sinc"] == "31.10 dB, LPIPS 0.050"
    truth = read_images(full.folder / "vwi/laptop/reference.npz")["t1w/s0/1/truth"]
    image = read_images(full.folder / "vwi/laptop/modl+sinc/seed0/images.npz")["t1w/s0/1"]
    opened = Image.open(io.BytesIO(base64.b64decode(shown["images"]["modl+sinc"])))
    assert opened.mode == "L"
    assert opened.size == tuple(shown["size"]) == (40, 48)
    assert np.abs(np.asarray(opened) / 255 - np.clip(image / truth.max(), 0, 1)).max() <= 0.5 / 255 + 1e-6


def with_stages(results, method, dataset="vwi", **more):
    stage = {"id": "modl", "key": "the key", "parameters": 7}
    results.add(method, dataset=dataset, stages=[stage], **more)


def test_provenance_says_once_what_all_share_and_weights_of_stages(results):
    with_stages(results, "proposed", settings={"training": {"batch": 2}})
    with_stages(results, "t2net", settings={"training": {"batch": 3}})
    folder = stage_folder(results.folder, "vwi", "laptop", "modl", 0)
    write_json(folder / "stage.json", {"key": "the key", "weights_sha256": "abc", "provenance": {"hardware": "a card"}})
    common, own = records.provenance(collect(results.folder)[0])
    assert common["provenance.hardware"] == "a processor"
    assert common["metrics.psnr"] == "library 1.0, psnr"
    assert common["stage modl.weights_sha256"] == "abc"
    assert common["stage modl.hardware"] == "a card"
    assert [said["settings.training.batch"] for _, said in own] == ["2", "3"]
    assert [said["method"] for _, said in own] == ["proposed", "t2net"]
    assert not any(set(said) & set(common) for _, said in own)


def test_provenance_finds_the_stages_of_another_dataset(results):
    with_stages(results, "proposed", dataset="vfa")
    folder = stage_folder(results.folder, "vwi", "laptop", "modl", 0)
    write_json(folder / "stage.json", {"key": "the key", "weights_sha256": "abc"})
    common, _ = records.provenance(collect(results.folder)[0])
    assert common["stage modl.weights_sha256"] == "abc"


@dataclass(frozen=True)
class Extra:
    name: str = "By slice"
    caption: str = "What it is < that"
    header: list = field(default_factory=lambda: ["method", "count"])
    rows: list = field(default_factory=lambda: [["proposed", "7 & 8"]])
    notes: list = field(default_factory=lambda: ["A note."])


def test_extra_tables_are_shown(full):
    block = collect(full.folder, "vwi")[0]
    section = page.Section(block, [], read_stored(block), [], [Extra()])
    words = Page(page.html([section], None)).words
    assert {"By slice", "What it is < that", "count", "7 & 8", "A note."} <= set(words)


def test_figures_wider_than_the_page_are_halved(tmp_path):
    image = Image.fromarray(np.zeros((10, page.WIDTH + 2, 3), np.uint8))
    image.save(tmp_path / "wide.png")
    inlined = page._inline(tmp_path / "wide.png").removeprefix("data:image/png;base64,")
    assert Image.open(io.BytesIO(base64.b64decode(inlined))).size == (page.WIDTH // 2 + 1, 5)
