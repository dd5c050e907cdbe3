"""In the archive of `make gpu-pack`: make ready what it holds, then run a Python module, `pytest -m gpu tests/gpu` by default.

`python tools/gpu_run.py bench speed --device cuda` runs the benchmark. Nothing is installed outside of the archive's folder.
"""

import json
import os
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTS = ("pytest", "-m", "gpu", "tests/gpu")


def unpack_wheels(wheels: Path, site: Path) -> list[str]:
    """Those that this Python lacks, and that are made for it, into a folder; which these are."""
    taken = []
    for wheel in sorted(wheels.glob("*.whl")):
        name, *_, python, _, _ = wheel.stem.split("-")
        made_for = python.startswith("py") or python == f"cp{sys.version_info.major}{sys.version_info.minor}"
        if made_for and find_spec(name) is None:
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(site)
            taken.append(wheel.name)
    return taken


def unpack_slices(packed: Path, cache: Path) -> None:
    """Prepared files as `bench` reads them, from those in half precision; their remarks say so."""
    import h5py
    import numpy as np

    for path in sorted(packed.rglob("*.npz")):
        whole = cache / path.relative_to(packed).with_suffix(".h5")
        if whole.exists():
            continue
        whole.parent.mkdir(parents=True, exist_ok=True)
        temporary = whole.with_suffix(".tmp")
        with np.load(path) as arrays, h5py.File(temporary, "w", libver="latest") as file:
            told = json.loads(str(arrays["told"]))
            for name, about in told["arrays"].items():
                array = np.ascontiguousarray(arrays[name].T).view(about["dtype"]).reshape(about["shape"])
                if about["half"]:
                    array = array.astype(np.float32) * np.float32(about["scale"])
                array = array[0] + 1j * array[1] if about["half"] == "complex" else array
                file.create_dataset(name, data=array, chunks=(1, *array.shape[1:]), fletcher32=True)
            file["ismrmrd_header"] = told["header"]
            file.attrs.update(told["attributes"])
        temporary.replace(whole)


def main(words: list[str]) -> None:
    """Make ready and run."""
    site = ROOT / ".site"
    sys.path.append(str(site))
    for name in unpack_wheels(ROOT / "wheels", site):
        print(f"taken from the archive: {name}", flush=True)
    unpack_slices(ROOT / "slices", ROOT / "cache")
    paths = [str(ROOT), str(site), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ |= {"PYTHONPATH": os.pathsep.join(paths), "BENCH_CACHE": str(ROOT / "cache")}
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", *(words or TESTS)])  # noqa: S606 - what was typed


if __name__ == "__main__":
    main(sys.argv[1:])
