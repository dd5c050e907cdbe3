"""Real runs killed with SIGKILL and started again end byte for byte where they would have ended."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

from bench.run.execute import Callbacks, execute
from bench.run.plan import make_plan
from bench.run.request import Request

METHODS = "cg-sense+bicubic,proposed"
SETTINGS = ("training.iterations=6", "training.validate_every=2", "data.slices=[2, 1, 1]")
SAME = ("weights.safetensors", "last.safetensors", "curve.csv", "slices.csv", "images.npz", "reference.npz")

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks processes up in /proc")


class Run:
    """`bench run` in a session of its own, so that all that it starts can be found."""

    def __init__(self, results: Path, cache: Path) -> None:
        bench = Path(sysconfig.get_path("scripts")) / "bench"
        command = [
            bench,
            "run",
            "--profile",
            "smoke",
            "--source",
            "phantom",
            "--methods",
            METHODS,
            "--results",
            results,
            "--no-timing",
        ]
        command += [word for setting in SETTINGS for word in ("--set", setting)]
        self.process = subprocess.Popen(
            command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "BENCH_CACHE": str(cache)},
        )  # fmt: skip
        self.id = self.process.pid

    def wait_until(self, reached, seconds=100):
        deadline = time.monotonic() + seconds
        while not reached():
            assert self.process.poll() is None, "the run ended before it was where it should be killed"
            assert time.monotonic() < deadline
            time.sleep(0.001)

    def kill_group(self):
        os.killpg(self.id, signal.SIGKILL)
        self.process.wait()

    def kill_inside_a_write(self, results):
        """Stop everything when a half written file is seen, and kill it if the file is still there then."""

        def stopped_inside():
            if not list(results.glob("*/*/stages/proposed/seed0/.state.pt.*.tmp")):
                return False
            os.killpg(self.id, signal.SIGSTOP)
            inside = bool(list(results.glob("*/*/stages/proposed/seed0/.state.pt.*.tmp")))
            if not inside:
                os.killpg(self.id, signal.SIGCONT)
            return inside

        self.wait_until(stopped_inside)
        self.kill_group()

    def kill_parent(self, seconds=15):
        """Nothing that it started may live on."""
        self.process.kill()
        self.process.wait()
        deadline = time.monotonic() + seconds
        while self.alive() and time.monotonic() < deadline:
            time.sleep(0.05)
        left = self.alive()
        if left:
            os.killpg(self.id, signal.SIGKILL)
        assert not left

    def alive(self):
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                state, _, _, session = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
                if int(session) == self.id and state != "Z":
                    found.append((folder / "cmdline").read_text().replace("\0", " "))
            except OSError:
                continue  # it ended while it was looked at
        return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory, cache):
    """Results of a run that nobody kills."""
    request = Request(
        ("vwi",),
        METHODS,
        "smoke",
        "phantom",
        overrides=SETTINGS,
        results=tmp_path_factory.mktemp("whole"),
        timing=False,
    )
    outcomes = execute(request, make_plan(request), Callbacks(*[lambda *_: None] * 5))
    assert {outcome.status for outcome in outcomes.values()} == {"done"}
    return request.results


def files(results):
    """What lies there, but for locks and TensorBoard's files, whose names hold the time."""
    found = {path.relative_to(results) for path in results.rglob("*") if path.is_file()}
    return {path for path in found if path.suffix != ".lock" and "tfevents" not in path.name}


def assert_same(results, whole):
    assert files(results) == files(whole)
    compared = [path for path in files(whole) if path.name in SAME]
    assert len(compared) == 3 + 2 * 2 + 1  # of one trained stage, of two methods, of the dataset
    for path in compared:
        assert (results / path).read_bytes() == (whole / path).read_bytes(), path


@pytest.mark.timeout(300)
def test_killed_three_times_it_ends_where_it_would_have_ended(whole, tmp_path):
    results, cache = tmp_path / "results", tmp_path / "cache"
    stage = results / "vwi/smoke/stages/proposed/seed0"
    started = time.monotonic()

    preparing = Run(results, cache)
    preparing.wait_until(lambda: list(cache.glob("prepared/*.lock")))
    preparing.kill_parent()
    assert not (results / "vwi").exists()

    writing = Run(results, cache)
    writing.kill_inside_a_write(results)
    assert list(stage.glob(".state.pt.*.tmp"))

    training = Run(results, cache)
    before = (stage / "state.pt").stat().st_mtime_ns if (stage / "state.pt").exists() else 0
    training.wait_until(lambda: (stage / "state.pt").exists() and (stage / "state.pt").stat().st_mtime_ns != before)
    training.kill_parent()
    assert not (stage / "stage.json").exists()

    assert Run(results, cache).process.wait() == 0
    assert_same(results, whole)
    print(f"3 kills and the run to its end: {time.monotonic() - started:.0f} s")


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_killed_a_hundred_times_it_ends_where_it_would_have_ended(whole, cache, tmp_path):
    results, moments = tmp_path / "results", random.Random(0)
    started = time.monotonic()
    assert Run(results, cache).process.wait() == 0
    longest, kills = time.monotonic() - started, 0
    while kills < 100:
        run = Run(results, cache)
        try:
            assert run.process.wait(moments.uniform(0, longest)) == 0
        except subprocess.TimeoutExpired:
            (run.kill_parent if kills % 2 else run.kill_group)()
            kills += 1
            continue
        assert_same(results, whole)
        shutil.rmtree(results)
    assert Run(results, cache).process.wait() == 0
    assert_same(results, whole)


HEARING = """
import signal
from bench.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # which what a shell runs in the background does not hear
main()
"""


def test_interrupted_it_says_how_to_go_on_and_that_is_true(cache, tmp_path):
    command = [
        sys.executable, "-c", HEARING, "run", "--profile", "smoke", "--source", "phantom", "--methods", "proposed",
        "--results", tmp_path / "r",
        "--no-timing", "--set", "training.iterations=120", "--set", "training.validate_every=20",
        "--set", "data.slices=[2, 1, 1]",
    ]  # fmt: skip
    asked = {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
        "env": {**os.environ, "BENCH_CACHE": str(cache)},
    }
    run = subprocess.Popen(command, start_new_session=True, **asked)
    checkpoint = tmp_path / "r/vwi/smoke/stages/proposed/seed0/state.pt"
    deadline = time.monotonic() + 100
    while not checkpoint.exists():
        assert run.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(run.pid, signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "the same command continues where it stopped" in err
    assert err.count("\n") == 1
    assert re.search(r"^\d\d:\d\d:\d\d vwi stage proposed seed0: begins$", out, re.MULTILINE)
    assert checkpoint.exists()

    again = subprocess.run(command, check=False, **asked)
    assert again.returncode == 0, again.stderr
    assert "vwi stage proposed seed0: 120 in" in again.stdout
