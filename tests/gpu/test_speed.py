"""The whole of `bench speed`."""

import json
import subprocess
import sys

import pytest

from bench.speed.parts import NAMES

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(1800), pytest.mark.filterwarnings("default")]


def test_every_part_is_timed_and_agrees_with_its_plain_version(device, tmp_path):
    only = [] if device.startswith("cuda") else ["--only", "normal,transformer,loader"]
    done = subprocess.run(
        [sys.executable, "-m", "bench", "speed", "--json", "--device", device, "--out", "runs/gpu/speed", *only],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    rows = json.loads(done.stdout)
    assert {row["part"] for row in rows} == set(only[1].split(",") if only else NAMES)
    for row in rows:
        missing = "not installed" in row["note"] or "No module named" in row["note"]
        assert row["ours_s"] or missing, row
        if row["peer"] == "plain":
            assert row["ratio"], row
