import os

import numpy as np
import pytest

from bench.run.timing import status_mb
from bench.speed.compare import Missing
from bench.speed.peers import Bart, library, read_cfl, write_cfl

SCRIPT = """#!/usr/bin/env python3
import shutil, sys, time
if sys.argv[1] == "fail":
    sys.exit("Error: no such tool")
for end in ("hdr", "cfl"):
    shutil.copy(f"{sys.argv[2]}.{end}", f"out.{end}")
time.sleep(0.2)
"""


@pytest.fixture
def bart(tmp_path, monkeypatch):
    """A command of that name, which copies its input."""
    path = tmp_path / "bin" / "bart"
    path.parent.mkdir()
    path.write_text(SCRIPT)
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")


def test_arrays_come_back_as_they_went(tmp_path, random_array):
    write_cfl(tmp_path / "a", random_array)
    assert np.array_equal(read_cfl(tmp_path / "a"), random_array)


@pytest.fixture
def random_array():
    random = np.random.default_rng(0)
    return (random.standard_normal((3, 5, 4)) + 1j * random.standard_normal((3, 5, 4))).astype(np.complex64)


def test_bart_is_run_on_files_and_its_own_memory_told(bart, random_array):
    asked = Bart("copy", "kspace", kspace=random_array).contender((1, 2))
    assert np.array_equal(asked.run(), random_array)
    assert 1 < asked.memory() < min(100, status_mb("VmHWM"))


def test_what_bart_says_is_said(bart, random_array):
    with pytest.raises(RuntimeError, match=r"bart fail: Error: no such tool"):
        Bart("fail", "kspace", kspace=random_array).run()


def test_what_is_not_installed_says_what_to_type(monkeypatch):
    monkeypatch.setenv("PATH", "")
    asked = Bart("copy", "kspace").contender((1,))
    assert isinstance(asked, Missing)
    assert asked.reason == "not installed: apt install bart"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert library("mrpro", list) == Missing("mrpro", "not installed: pip install mrpro")
