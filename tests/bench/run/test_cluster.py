"""A scheduler and two workers, each a process: the same rows as this machine's own pool makes."""

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from bench import registry
from bench.errors import UserError
from bench.run import cluster
from bench.run.execute import Callbacks, execute
from bench.run.plan import make_plan
from bench.run.request import Request
from bench.workers import Outcome, Task

distributed = pytest.importorskip("distributed")
CALLBACKS = Callbacks(*[lambda *_: None] * 5)
WORDS = ("--no-dashboard", "--nthreads", "1", "--death-timeout", "60")


def said(text, progress):
    progress(1, 2, text)


def failing(progress):
    raise ValueError("no such coil")


def slow(path, progress):
    """Notes who works on it, then takes its time."""
    with path.open("a") as file:
        file.write(f"{os.getpid()} {multiprocessing.parent_process().pid}\n")
    for step in range(40):
        progress(step, 40, "resting")
        time.sleep(0.1)


def start(*words):
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "distributed.cli." + words[0], *words[1:]],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.path.dirname(__file__)},
    )  # fmt: skip


def end(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture
def workers(scheduler_file):
    """Two, without resources."""
    processes = [start("dask_worker", "--scheduler-file", scheduler_file, *WORDS) for _ in range(2)]
    with distributed.Client(scheduler_file=scheduler_file, timeout=60) as client:
        client.wait_for_workers(2, timeout=60)
    yield processes
    for process in processes:
        end(process)


@pytest.fixture
def scheduler_file(tmp_path, cache):
    path = tmp_path / "scheduler.json"
    process = start("dask_scheduler", "--scheduler-file", str(path), "--port", "0", "--no-dashboard")
    until = time.monotonic() + 60
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.1)
    yield str(path)
    end(process)


def test_rows_are_those_of_this_machine(workers, scheduler_file, tmp_path):
    fast = ("training.iterations=3", "training.validate_every=3", "data.slices=[4, 2, 4]")
    here = Request(
        ("vwi",),
        "modl+rrdb,oracle+bicubic",
        "smoke",
        "phantom",
        overrides=fast,
        results=tmp_path / "here",
        timing=False,
    )
    there = replace(here, results=tmp_path / "there", scheduler=scheduler_file)
    for request in (here, there):
        assert {outcome.status for outcome in execute(request, make_plan(request), CALLBACKS).values()} == {"done"}
    rows = sorted(path.relative_to(here.results) for path in here.results.rglob("slices.csv"))
    assert len(rows) == 2
    for path in rows:
        assert (here.results / path).read_bytes() == (there.results / path).read_bytes()


def test_needs_failures_and_progress_are_as_here(workers, scheduler_file):
    heard, ended = [], {}
    tasks = [
        Task("a", said, ("first",)),
        Task("b", failing, ()),
        Task("c", said, ("never",), ("b",)),
        Task("d", said, ("last",), ("a",)),
    ]
    outcomes = cluster.carry_out_on(scheduler_file, tasks, 1, {}, lambda *x: heard.append(x), ended.__setitem__)
    assert outcomes == ended
    assert [outcomes[id].status for id in "abcd"] == ["done", "failed", "skipped", "done"]
    assert "no such coil" in outcomes["b"].reason
    assert ("a", 1, 2, "first") in heard


def test_a_demand_that_nobody_meets_is_one_line(workers, scheduler_file, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE_S", 3.0)
    with pytest.raises(UserError, match=r"No worker of the scheduler offers GPU=1, of 2 there: start `dask worker"):
        cluster.carry_out_on(scheduler_file, [Task("a", said, ("x",))], 1, {"GPU": 1}, lambda *_: None)


def test_no_scheduler_is_one_line(monkeypatch):
    monkeypatch.setattr(cluster, "ANSWER_S", 1)
    with pytest.raises(UserError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        cluster.carry_out_on("tcp://127.0.0.1:9", [], 1, {}, lambda *_: None)


def test_what_stands_in_a_script_cannot_go_elsewhere(monkeypatch):
    monkeypatch.setattr(registry, "MAIN", ("bench.methods.modl",))
    with pytest.raises(UserError, match=r"'modl' stands in the script itself.*--plugin FILE"):
        cluster.carry_out_on("tcp://127.0.0.1:9", [], 1, {}, lambda *_: None)


@pytest.mark.slow
def test_a_worker_that_is_killed_is_survived(workers, scheduler_file, tmp_path):
    notes = tmp_path / "notes"

    def kill(id, done, total, what):
        if done >= 10 and len(notes.read_text().splitlines()) == 1:
            parent = int(notes.read_text().split()[1])
            os.kill(parent, signal.SIGKILL)

    outcomes = cluster.carry_out_on(scheduler_file, [Task("slow", slow, (notes,))], 1, {}, kill)
    assert outcomes == {"slow": Outcome("done")}
    first, second = (line.split()[0] for line in notes.read_text().splitlines())
    assert first != second


@pytest.mark.slow
def test_an_interruption_ends_what_runs_elsewhere(workers, scheduler_file, tmp_path):
    notes = tmp_path / "notes"

    def interrupt(id, done, total, what):
        if notes.exists():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cluster.carry_out_on(scheduler_file, [Task("slow", slow, (notes,))], 1, {}, interrupt)
    pid = int(notes.read_text().split()[0])
    until = time.monotonic() + 3
    while os.path.exists(f"/proc/{pid}") and time.monotonic() < until:
        time.sleep(0.1)
    assert not os.path.exists(f"/proc/{pid}")
