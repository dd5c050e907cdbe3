import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.errors import Diverged, UserError
from bench.workers import Outcome, Task, attempt, carry_out

THREADS = 1


def write(path, text, report):
    path.write_text(text)
    report(1, 1, "written")


def read_then_write(source, path, report):
    path.write_text(source.read_text() + "!")


def fail(report):
    raise ValueError("two words")


def end(report):
    os.kill(os.getpid(), signal.SIGKILL)


def leave(report):
    sys.exit(3)


def quiet(*_):
    pass


def test_a_task_waits_for_what_it_needs(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    tasks = [Task("second", read_then_write, (one, two), ("first",)), Task("first", write, (one, "a"))]
    reports = []
    outcomes = carry_out(tasks, 2, THREADS, lambda *report: reports.append(report))
    assert outcomes == {"first": Outcome("done"), "second": Outcome("done")}
    assert two.read_text() == "a!"
    assert ("first", 1, 1, "written") in reports


def test_a_failure_is_named_and_what_needs_it_is_skipped(tmp_path):
    tasks = [Task("bad", fail, ()), Task("next", write, (tmp_path / "x", "a"), ("bad",)), Task("dead", end, ())]
    outcomes = carry_out(tasks, 2, THREADS, quiet)
    line = fail.__code__.co_firstlineno + 1
    assert outcomes["bad"] == Outcome("failed", f"ValueError: two words (test_workers.py, line {line})")
    assert outcomes["next"].status == "skipped"
    assert "two words" in outcomes["next"].reason
    assert outcomes["dead"].status == "out-of-memory"


@pytest.mark.parametrize(
    ("error", "status"),
    [(Diverged("nan at step 3"), "diverged"), (MemoryError(), "out-of-memory"), (UserError("no"), "failed")],
)
def test_each_error_has_its_status(error, status):
    def action():
        raise error

    assert attempt(action).status == status


SCRIPT = """
import time
from pathlib import Path
from pathlib import Path
from bench.workers import Task, carry_out
import tests_worker_module as m
if __name__ == "__main__":
    carry_out([Task("beat", m.beat, (Path("beats"),))], 1, 1, lambda *_: None)
"""
MODULE = """
import os, time
def beat(path, report):
    while True:
        path.write_text(str(os.getpid()))
        time.sleep(0.05)
"""


def test_a_worker_ends_with_its_parent(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "tests_worker_module.py").write_text(MODULE)
    parent = subprocess.Popen([sys.executable, "script.py"], cwd=tmp_path)
    beats = tmp_path / "beats"
    deadline = time.monotonic() + 30
    while not (beats.exists() and beats.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    worker = int(beats.read_text())
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 10
    while os.path.exists(f"/proc/{worker}") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not os.path.exists(f"/proc/{worker}")


HELPER = """
def write(path, progress):
    open(path, "w").write("done")
"""
UNGUARDED = """
from helper import write
from bench.workers import Task, carry_out

print(carry_out([Task("a", write, ("out.txt",))], 1, 1, lambda *_: None)["a"].status)
"""


@pytest.mark.parametrize("how", ["file", "standard input"])
def test_a_script_without_a_main_guard_has_workers_too(tmp_path, how):
    (tmp_path / "helper.py").write_text(HELPER)
    (tmp_path / "script.py").write_text(UNGUARDED)
    arguments, text = (["script.py"], None) if how == "file" else (["-"], UNGUARDED)
    done = subprocess.run(
        [sys.executable, *arguments], check=False, capture_output=True, text=True, cwd=tmp_path, input=text, timeout=60
    )
    assert done.stdout.strip() == "done", done.stderr
    assert (tmp_path / "out.txt").read_text() == "done"


GUARDED = """
import bench
from bench.authoring.check import _in_own_process
from bench.authoring.trial import fresh
from bench import registry

@bench.super_resolver("nearest")
class Nearest(bench.SuperResolver):
    version = 1

    def forward(self, magnitude):
        return magnitude.repeat_interleave(2, -1).repeat_interleave(2, -2)

if __name__ == "__main__":
    _in_own_process("nearest", (), fresh(registry.methods()["nearest"]))
    print("found")
"""


def test_workers_find_what_a_guarded_script_registers(tmp_path):
    (tmp_path / "script.py").write_text(GUARDED)
    done = subprocess.run(
        [sys.executable, "script.py"], check=False, capture_output=True, text=True, cwd=tmp_path, timeout=60
    )
    assert done.stdout.strip() == "found", done.stderr


def test_a_long_folder_for_temporary_files_will_do(tmp_path):
    folder = tmp_path / ("a-job-of-a-scheduler-" * 6)
    folder.mkdir()
    code = "from pathlib import Path\nfrom bench.workers import *\nfrom test_workers import write\n"
    code += "print(carry_out([Task('a', write, (Path('out.txt'), 'a'))], 1, 1, lambda *_: None)['a'].status)"
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=tmp_path, timeout=60,
        env={**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(Path(__file__).parent)},
    )  # fmt: skip
    assert done.stdout.strip() == "done", done.stderr


def test_whoever_leaves_is_named_and_the_others_go_on(tmp_path):
    ended = {}
    tasks = [Task("leaves", leave, ()), Task("next", write, (tmp_path / "x", "a"), ("leaves",))]
    outcomes = carry_out([*tasks, Task("other", write, (tmp_path / "y", "b"))], 2, THREADS, quiet, ended.__setitem__)
    assert outcomes["leaves"].status == "failed"
    assert outcomes["leaves"].reason.startswith("SystemExit: 3 (test_workers.py, line ")
    assert outcomes["other"].status == "done"
    assert ended == outcomes
