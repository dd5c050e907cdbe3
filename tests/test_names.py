"""What a user may call people and contrasts survives every path, table and page unchanged."""

import html
import re

import numpy as np
import pandas as pd
import pytest

from bench.errors import UserError
from bench.report import make_report, summary
from bench.report.read.images import read_kept
from bench.report.read.results import collect
from bench.run.execute import Callbacks, execute
from bench.run.plan import make_plan
from bench.run.request import Request
from bench.store.images import SliceName, read_images
from bench.store.tables import read_rows

PEOPLE = (
    "sub-01/ses-01", "..", "a,b", 'say "hi"', "007", "1e5", "NA", "nan", "", " x", "[red]", "<script>alert(1)</script>",
    "Zoë 猫", "C:\\data", "%2F", "x" * 300, "*?", "$(rm)", "a|b", "$\\bad$", "line\nbreak",
)  # fmt: skip
ALLOWED = tuple(name for name in PEOPLE if name.isprintable() and name.strip())
CONTRASTS = ("T1w/post|2", "<b>,\"é'")
SOURCE = """
import numpy as np
import bench

@bench.source("named")
class Named(bench.Source):
    label = "[b]odd[/b] <i>names</i>, of\u00e9"
    datasets = ("named",)
    people = {people!r}

    def subjects(self):
        return {{"test": self.people}}

    def digests(self, subject):
        return ()

    def load(self, subject):
        random = np.random.default_rng(list(subject.encode()))
        y, x = np.mgrid[-1:1:32j, -1:1:32j]
        maps = np.stack([np.exp(-((y - a) ** 2 + (x - b) ** 2)) for a, b in ((-1, 0), (1, 0), (0, 1))])
        slices = {{}}
        for contrast in {contrasts!r}:
            body = (np.hypot(y, x) < 0.8) * (1 + 0.3 * random.standard_normal((32, 32)))
            noise = 0.02 * (random.standard_normal(maps.shape) + 1j * random.standard_normal(maps.shape))
            images = np.fft.ifftshift(maps * body + noise, axes=(1, 2))
            slices[contrast, 0] = np.fft.fftshift(np.fft.fft2(images, norm="ortho"), axes=(1, 2)).astype(np.complex64)
        return bench.RawSubject(slices, (4.0, 4.0))

@bench.dataset("named")
def named():
    views = tuple(bench.View(contrast, "axial", (0.0, 1.0)) for contrast in {contrasts!r})
    return bench.Protocol("named", 1, (32, 32), (4.0, 4.0), 3, 3, "gaussian-1d", 2.0, 4, (False, True), 0.0, views,
                          (4, 2, 4), ("named",))
"""


@pytest.fixture
def request_(tmp_path, cache):
    def ask(people):
        path = tmp_path / "named.py"
        path.write_text(SOURCE.format(people=tuple(people), contrasts=CONTRASTS), encoding="utf-8")
        return Request(
            ("named",), "oracle+sinc", "smoke", jobs=1, results=tmp_path / "r", plugin_files=(path,), timing=False,
            overrides=("data.matrix_factor=1.0", "data.centre_factor=1.0"),
        )  # fmt: skip

    return ask


def test_odd_names_survive(request_, tmp_path):
    request = request_(ALLOWED)
    plans = make_plan(request)
    outcomes = execute(request, plans, Callbacks(*[lambda *_: None] * 5))
    assert [outcome.status for outcome in outcomes.values()] == ["done"]
    folder = request.folder.run("named", "smoke", "oracle+sinc", 0)
    rows = read_rows(folder.slices)
    expected = {(person, contrast) for person in ALLOWED for contrast in CONTRASTS}
    assert set(zip(rows["subject"], rows["contrast"], strict=True)) == expected
    names = {SliceName.parse(name) for name in read_images(folder.images)}
    assert {name.contrast for name in names} == set(CONTRASTS)
    assert {name.subject for name in names} <= set(ALLOWED)
    (found,) = collect(request.results)
    assert set(found.rows["subject"]) == set(ALLOWED)
    assert read_kept(found)
    make_report(request.results, tmp_path / "report")
    page = (tmp_path / "report/index.html").read_text(encoding="utf-8")
    assert "<script>alert(1)" not in page
    assert "<i>names</i>" not in page
    assert html.escape("<i>names</i>", quote=False) in page
    table = pd.read_csv(tmp_path / "report/named/smoke/main.csv", dtype=str, keep_default_na=False)
    assert set(table["subjects"]) == {str(len(ALLOWED))}
    markdown = (tmp_path / "report/named/smoke/contrasts.md").read_text(encoding="utf-8")
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in markdown.splitlines() if line.startswith("|")}
    assert len(widths) == 1
    assert summary(request.results, "named", "smoke")
    assert np.isfinite(rows["psnr"]).all()


@pytest.mark.parametrize("name", sorted(set(PEOPLE) - set(ALLOWED)))
def test_what_is_no_name_is_refused_before_anything_is_made(request_, name):
    with pytest.raises(UserError, match="give a tuple of names, printable texts"):
        make_plan(request_(("ann", name)))


def test_the_same_data_under_two_names_are_told(request_):
    request = request_(("ann", "bob"))
    path = request.plugin_files[0]
    path.write_text(path.read_text(encoding="utf-8").replace("list(subject.encode())", "0"), encoding="utf-8")
    said = []
    callbacks = Callbacks(*[lambda *_: None] * 2, said.append, *[lambda *_: None] * 2)
    execute(request, make_plan(request), callbacks)
    assert said == ["'ann' (test) and 'bob' (test) hold the same data, and count as two people."]
