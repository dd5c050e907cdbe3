import base64
import hashlib
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
from PIL import Image

from bench.report import make_report
from bench.report.claims import Verdict
from bench.report.figures.answer import claims
from bench.report.page import Answer, Section, html
from bench.report.read.images import read_kept
from bench.report.read.results import collect
from bench.report.tables.main import Table


def written(results, out):
    return {path.relative_to(out).as_posix(): path for path in make_report(results.folder, out)}


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


def data_of(text):
    return json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])


def test_files_and_the_same_bytes_twice(full, report, tmp_path):
    again = written(full, tmp_path)
    texts = ("main.md", "main.csv", "main.tex", "verdict.md")
    assert set(report) == {
        "index.html", "index.md", "declared.csv", "declared.png", "examples.png", *(f"vwi/laptop/{name}" for name in texts),
        *(f"vwi/laptop/{name}.png" for name in ("grid-t1w", "zoom-t1w", "ablation", "quality-time", "quality-quality")),
        *(f"vwi/laptop/{name}.png" for name in ("training", "orders")),
        *(f"vwi/laptop/{name}.csv" for name in ("quality-time", "quality-quality", "training", "orders")),
        "vfa/laptop/quality-time.csv",
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
    assert len(found.alts) == 1 + 6 + 3  # a script draws the grids, and what is declared is text
    assert all(found.alts)
    assert "<b>33.15 ± 0.11 [33.0" in text
    assert "<b>40.15" not in text
    assert "Joint: the loss on the HR image reaches everything that is learned" in text
    assert "(1, gan) what the interaction of the two parts adds: proposed − ablation-end-to-end" in text
    assert "t2net: out-of-memory: needs 9 GB" in found.words


def test_every_link_within_the_page_has_its_target_once(report):
    found = Page(report["index.html"].read_text())
    inside = {link[1:] for link in found.links if link.startswith("#")}
    assert {"vwi-laptop", "browser", "run-vwi-laptop-modl+sinc", "run-vwi-laptop-t2net"} <= inside <= set(found.ids)
    assert len(found.ids) == len(set(found.ids))


def test_page_escapes_what_runs_say(results, tmp_path):
    results.add(label="</script><script>alert(1)</script>")
    results.fail("t2net", reason="<script>alert(2)</script> & more", source_label="</script><script>alert(1)</script>")
    text = written(results, tmp_path)["index.html"].read_text()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(2)&lt;/script&gt; &amp; more" in text
    assert data_of(text)["sections"][0]["label"] == "</script><script>alert(1)</script>"


def test_nothing_but_failures_still_gives_a_page(results, tmp_path):
    results.fail("proposed", reason="out of luck")
    files = written(results, tmp_path)
    text = files["index.html"].read_text()
    assert "No declared comparison has rows (proposed: failed: out of luck)." in text
    assert 'id="browser"' not in text
    assert data_of(text)["sections"] == []
    assert "examples.png" not in files


def test_tables_beside_the_main_one_are_shown(full, tmp_path):
    collected = collect(full.folder, "vwi")[0]
    table = Table("By slice", "What it is < that", ["method", "count"], [["proposed", "7 & 8"]], ["A note."])
    section = Section(collected, Verdict((), (), {}), read_kept(collected), [], [table], tmp_path / "vwi")
    words = Page(html.page(Answer("No winner", [], [], [], None, None, claims([])), [section], None, tmp_path)).words
    assert {"By slice", "What it is < that", "count", "7 & 8", "A note."} <= set(words)


def test_figures_wider_than_the_page_are_halved(tmp_path):
    image = Image.fromarray(np.zeros((10, html.WIDTH + 2, 3), np.uint8))
    image.save(tmp_path / "wide.png")
    inlined = html._inline(tmp_path / "wide.png")
    size = html.WIDTH // 2 + 1, 5
    assert (inlined["width"], inlined["height"]) == size
    assert (
        Image.open(io.BytesIO(base64.b64decode(inlined["source"].removeprefix("data:image/png;base64,")))).size == size
    )
