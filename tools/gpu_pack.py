"""All that `make gpu` needs, in one archive for a machine with a GPU and no network: `python tools/gpu_pack.py [ARCHIVE]`.

Code, trained weights and a few prepared slices of `vwi` (in half precision), masks, LPIPS's weights, and wheels of what is
not on a Python that has torch, numpy, scipy, h5py, pandas, rich, typer and safetensors. There:

    tar xf gpu-pack.tar.gz && cd gpu-pack && make gpu
"""

import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from bench import config, registry
from bench.data import assets
from bench.data.dataset import Dataset
from bench.data.prepare import open_split, prepare
from bench.data.protocol import Split
from bench.errors import UserError
from bench.speed.scene import Scene
from bench.store import layout
from bench.store.provenance import commit

Array = NDArray[Any]
ROOT = Path(__file__).resolve().parents[1]
ARCHIVE = ROOT / "dist" / "gpu-pack.tar.gz"
LARGEST = 48 * 2**20
GIVEN: dict[str, tuple[str, tuple[Split, ...]]] = {
    "laptop": ("data.slices=[4,2,4]", ("train", "validation", "test")),
    "workstation": ("data.slices=[2,1,4]", ("train", "validation")),
}
"""Profile -> how many slices of `vwi`'s heads, and which splits of it."""
CODE = ("bench", "methods", "datasets", "tests/gpu", "tests/conftest.py", "tools", "pyproject.toml", "LICENSE")
MOVED = {"methods": "bench/methods", "datasets": "bench/datasets"}
"""As an installation lays them out."""
LEFT_OUT = ("datasets/heads_data",)
WEIGHTS = "results/vwi/laptop/stages/*/seed0"
PURE = (
    "pydantic", "annotated-types", "typing-inspection", "filelock", "lazy-loader", "pytest", "pytest-timeout", "pluggy",
    "iniconfig", "packaging", "lpips", "tqdm", "lightning-fabric", "lightning-utilities",
)  # fmt: skip
COMPILED = ("pydantic-core",)
PYTHONS = ("3.11", "3.12", "3.13")
MAKEFILE = "PYTHON ?= python3\n\ngpu:\n\t$(PYTHON) tools/gpu_run.py\n"


def data(profile: str) -> Dataset:
    """What tests on a GPU are given at a profile."""
    registry.discover()
    return Dataset.of(
        registry.datasets()["vwi"].made_by(), "heads", config.load(profile, (GIVEN[profile][0],)), 0, None
    )


def pack(archive: Path) -> None:
    """Write the archive.

    Raises
    ------
    UserError
        If it is too large, or wheels cannot be downloaded.
    """
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary) / "gpu-pack"
        root.mkdir()
        _copy_code(root)
        (root / "COMMIT").write_text(commit())
        (root / "Makefile").write_text(MAKEFILE)
        for folder in sorted(ROOT.glob(WEIGHTS)):
            for name in ("stage.json", "weights.safetensors"):
                if (folder / name).exists():
                    _copy(folder / name, root / folder.relative_to(ROOT) / name)
        for profile, (_, splits) in GIVEN.items():
            pack_slices(data(profile), splits, root / "slices")
        _ = Scene("cpu", 1).physics  # makes its masks
        _copy_from_cache(root, *layout.mask("*").parent.glob("*.npz"), assets.fetch("lpips"))
        _download(root / "wheels")
        archive.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive, "w:gz") as file:
            file.add(root, root.name)
    if archive.stat().st_size > LARGEST:
        raise UserError(f"{archive} has {archive.stat().st_size} bytes, more than {LARGEST}: pack fewer slices.")


def _copy_code(root: Path) -> None:
    listed = subprocess.run(  # noqa: S603 - fixed words
        ["git", "-C", str(ROOT), "ls-files", *CODE], check=True, capture_output=True, text=True  # noqa: S607
    ).stdout.splitlines()  # fmt: skip
    for name in listed:
        if not name.startswith(LEFT_OUT):
            top, _, rest = name.partition("/")
            _copy(ROOT / name, root / MOVED.get(top, top) / rest)


def _copy_from_cache(root: Path, *paths: Path) -> None:
    for path in paths:
        _copy(path, root / "cache" / path.relative_to(layout.cache_folder()))


def _copy(path: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, to)


def pack_slices(dataset: Dataset, splits: tuple[Split, ...], folder: Path) -> None:
    """Prepare them here and write them in half precision; what the LR grid does not see of k-space is 0."""
    prepare(dataset, splits, 1, lambda *_: None)
    for split in splits:
        for path in dict.fromkeys(place.path for place in open_split(dataset, split).places):
            to = folder / path.relative_to(layout.cache_folder()).with_suffix(".npz")
            to.parent.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(to, **halved(path))


def halved(path: Path) -> dict[str, Any]:
    """Arrays of a prepared file by name, and under "told" what else `gpu_run.py` needs to write it again, as JSON."""
    arrays: dict[str, Any] = {}
    about: dict[str, dict[str, Any]] = {}
    with h5py.File(path) as file:
        attributes = {name: np.asarray(value).tolist() for name, value in file.attrs.items()}
        header = file["ismrmrd_header"][()].decode()
        for name in (name for name in file if name != "ismrmrd_header"):
            array = file[name][()]
            if name == "kspace":
                array = _seen(array, file["image_lr"].shape[1:])
            arrays[name], about[name] = _packed(array)
    told = json.loads(attributes["about"])
    told["remarks"] = [*told["remarks"], f"'{attributes['patient_id']}' was rounded to half precision for an archive."]
    attributes["about"] = json.dumps(told)
    arrays["told"] = np.asarray(json.dumps({"arrays": about, "attributes": attributes, "header": header}))
    return arrays


def _packed(array: Array) -> tuple[Array, dict[str, Any]]:
    """Bytes (weight, element), those of the same weight together, and how to read them.

    Single precision becomes float16 over the largest value; complex numbers, all real parts and then all imaginary ones.
    """
    half, scale = {"float32": "real", "complex64": "complex"}.get(array.dtype.name, ""), 1.0
    if half:
        array = np.stack([array.real, array.imag]) if half == "complex" else array
        scale = float(np.abs(array).max()) or 1.0
        array = (array / scale).astype(np.float16)
    elements = np.ascontiguousarray(array).reshape(-1, 1).view(np.uint8)
    about = {"shape": array.shape, "dtype": array.dtype.str, "half": half, "scale": scale}
    return np.ascontiguousarray(elements.T), about


def _seen(kspace: Array, lr: tuple[int, int]) -> Array:
    """K-space (slice, coil, Y, X) inside the LR grid's (y, x), 0 outside."""
    box = tuple(slice(n // 2 - m // 2, n // 2 - m // 2 + m) for n, m in zip(kspace.shape[-2:], lr, strict=True))
    seen = np.zeros_like(kspace)
    seen[..., box[0], box[1]] = kspace[..., box[0], box[1]]
    return seen


def _download(folder: Path) -> None:
    """Wheels of the versions that are installed here."""
    platforms = [f"--platform=manylinux{kind}_x86_64" for kind in ("_2_28", "_2_27", "_2_17", "2014", "1")]
    common = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "-d", str(folder)]
    asks = [[f"{name}=={version(name)}" for name in PURE]]
    asks += [
        [f"--python-version={python}", *platforms, *(f"{name}=={version(name)}" for name in COMPILED)]
        for python in PYTHONS
    ]
    for ask in asks:
        done = subprocess.run([*common, *ask], capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise UserError(f"Wheels cannot be downloaded: {done.stderr.strip().splitlines()[-1]}")


if __name__ == "__main__":
    try:
        target = Path(sys.argv[1]) if len(sys.argv) > 1 else ARCHIVE
        pack(target)
    except UserError as error:
        sys.exit(str(error))
    print(f"{target}: {target.stat().st_size / 2**20:.1f} MiB")
