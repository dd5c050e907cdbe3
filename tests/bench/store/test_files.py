import errno
import shutil

import pytest

from bench.errors import UserError
from bench.store.files import atomic_path, atomic_write, locked


def test_a_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "file"
    atomic_write(path, "before")

    def write_half():
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "No space left on device"), (errno.EROFS, "Read-only file system"), (errno.EACCES, "Permission denied"),
        (errno.ENOLCK, "No locks available"), (errno.EDQUOT, "Disk quota exceeded"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("cached", [True, False])
def test_a_folder_that_cannot_be_written_is_named_with_the_remedy(tmp_path, monkeypatch, number, words, cached):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path if cached else tmp_path / "elsewhere"))
    remedy = "BENCH_CACHE" if cached else "--results"

    def refuse(*_, **__):
        raise OSError(number, "no")

    def write(path):
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            refuse()

    with pytest.raises(
        UserError, match=rf"{tmp_path} cannot be written \({words}\): name another folder with {remedy}"
    ):
        write(tmp_path / "file")
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr("bench.store.files.FileLock", refuse)
    with pytest.raises(UserError, match=rf"{tmp_path} cannot be written \({words}\)"), locked(tmp_path / "lock"):
        pass


def test_a_full_disk_that_a_library_tells_of_otherwise_is_one_too(tmp_path, monkeypatch):
    def write():
        with atomic_path(tmp_path / "file"):
            raise RuntimeError("PytorchStreamWriter failed writing file")

    with pytest.raises(RuntimeError, match="Pytorch"):
        write()
    monkeypatch.setattr("shutil.disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 0))
    with pytest.raises(UserError, match="its disk is full"):
        write()


def test_what_goes_wrong_while_a_lock_is_held_is_not_taken_for_the_lock(tmp_path):
    with pytest.raises(OSError, match="mine"), locked(tmp_path / "lock"):
        raise OSError(errno.EACCES, "mine")
