"""What methods have in common is computed once, and never from what is no longer so."""

from dataclasses import replace

import pytest

from bench.run.execute import Callbacks, execute
from bench.run.plan import make_plan
from bench.run.request import Request
from bench.store.tables import read_rows

CALLBACKS = Callbacks(*[lambda *_: None] * 5)
MINE = """
import bench


@bench.reconstructor("mine")
class Mine(bench.Reconstructor):
    version = 1

    def forward(self, acquisition):
        return 1.0 * acquisition.zero_filled
"""


@pytest.fixture
def request_(tmp_path, cache):
    path = tmp_path / "mine.py"
    path.write_text(MINE)
    return Request(
        ("vwi",), "mine+bicubic,mine+sinc", "smoke", "phantom", overrides=("data.slices=[4, 2, 4]",),
        results=tmp_path / "first", plugin_files=(path,), timing=False,
    )  # fmt: skip


def psnr(request, method):
    execute(request, make_plan(request), CALLBACKS)
    return read_rows(request.results / "vwi" / "smoke" / method / "seed0" / "slices.csv")["psnr"].to_list()


def test_a_reconstruction_serves_all_its_super_resolvers(request_, cache):
    before = {*cache.rglob("mine-*.npz")}
    together = psnr(request_, "mine+sinc")
    (shared,) = {*cache.rglob("mine-*.npz")} - before
    shared.unlink()
    alone = replace(request_, methods="mine+sinc", results=request_.results.parent / "second")
    assert psnr(alone, "mine+sinc") == together


def test_a_reconstructor_that_was_changed_is_asked_anew(request_):
    before = psnr(request_, "mine+bicubic")
    (path,) = request_.plugin_files
    path.write_text(MINE.replace("1.0 *", "0.5 *"))
    from bench import registry

    registry._forget("bench_plugin_mine")
    registry._methods.pop("mine")
    after = psnr(replace(request_, results=request_.results.parent / "second"), "mine+bicubic")
    assert max(after) < min(before)
