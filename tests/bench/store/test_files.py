import pytest

from bench.store.files import atomic_path, atomic_write


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
