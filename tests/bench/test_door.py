"""`import bench`: quick, and everything that is promised is there."""

import ast
import subprocess
import sys
import time
from pathlib import Path

import pytest

import bench

ROOT = Path(__file__).resolve().parents[2]
STUB = ast.parse((ROOT / "bench" / "__init__.pyi").read_text(encoding="utf-8"))
NAMES = sorted(alias.asname for node in STUB.body for alias in node.names)


def python(code, *options, cwd=None):
    return subprocess.run(
        [sys.executable, *options, "-c", code], check=True, capture_output=True, text=True, cwd=cwd
    ).stdout


def test_the_door_opens_in_a_tenth_of_a_second():
    def seconds(code):
        started = time.perf_counter()
        python(code)
        return time.perf_counter() - started

    pairs = [(seconds("pass"), seconds("import bench")) for _ in range(5)]
    assert min(with_it - without for without, with_it in pairs) < 0.1


def test_it_loads_nothing_heavy():
    heavy = {"torch", "numpy", "pandas", "scipy", "matplotlib", "h5py", "bench.registry", "bench.api"}
    assert python(f"import sys, bench; print({heavy} & set(sys.modules))").strip() == "set()"


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_there(name):
    assert getattr(bench, name) is not None
    assert name in dir(bench)
    assert name in bench.__all__


@pytest.mark.parametrize(
    "name",
    [
        "open_dataset", "acquire", "load_method", "reconstruct", "score", "read_results", "reconstructor", "super_resolver",
        "pipeline", "source", "dataset", "Reconstructor", "SuperResolver", "Pipeline", "Trained", "Tuned", "Phase", "Source",
        "Protocol", "View", "Head", "RawSubject", "Acquisition", "Target", "Output", "MethodSettings", "shared", "UserError",
    ],
)  # fmt: skip
def test_what_a_plugin_needs_is_promised_and_documented(name):
    assert name in NAMES
    assert getattr(bench, name).__doc__


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="reconstuct"):
        bench.reconstuct  # noqa: B018


def test_python_m_bench_prints_its_help():
    done = subprocess.run([sys.executable, "-m", "bench", "--help"], check=True, capture_output=True, text=True)
    assert "run" in done.stdout
    assert "report" in done.stdout


SCRIPT = """
import numpy as np
import bench

@bench.super_resolver("nearest")
class Nearest(bench.SuperResolver):
    version = 1

    def forward(self, magnitude):
        return magnitude.repeat_interleave(2, -1).repeat_interleave(2, -2)

y, x = np.mgrid[-1:1:32j, -1:1:32j]
coils = np.stack([np.exp(-((y - a) ** 2) - x**2) for a in (-1, 1)])
images = np.fft.ifftshift(coils * (y**2 + x**2 < 0.5), (1, 2))
acquisition = bench.acquire(np.fft.fftshift(np.fft.fft2(images, norm="ortho"), (1, 2)))
image = bench.reconstruct(bench.load_method("cg-sense+nearest"), acquisition)
assert np.array_equal(image[::2], image[1::2])
print(image.shape)
"""


@pytest.mark.parametrize("how", ["script", "notebook"])
def test_a_method_registered_where_it_is_used_can_be_loaded(tmp_path, how):
    (tmp_path / "script.py").write_text(SCRIPT)
    arguments = ["script.py"] if how == "script" else ["-W", "error", "-c", SCRIPT]
    done = subprocess.run([sys.executable, *arguments], check=False, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "(64, 64)"
