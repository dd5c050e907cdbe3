"""Reads HDF5 files first in a process of their own: on damaged ones the library may run for ever, or fall over.

This file is also that process's program, which imports nothing of this package: it takes a path a line, reads all attributes,
all texts and lists, and the first and last of all other arrays, and answers with a line.
"""

import atexit
import json
import queue
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

LONGEST_S = 20.0
"""That a file may take, and besides"""
BYTES_A_SECOND = 5e6
"""of its size."""
MOST_MEMORY = 4 << 30
"""Bytes of address space that the process may have, where that can be said."""
DEEPEST = 8  # groups in groups
BLOCK = 256  # texts or lists that are read together
LARGEST = 1 << 29  # bytes that an array's first or last part may have to be read


class Prober:
    """The process, started when it is first needed and again after a fall."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None
        self.answers: queue.Queue[str] = queue.Queue()

    def fault(self, path: Path) -> str | None:
        """Why a file cannot be opened here; None where it can."""
        process = self._running()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(str(path.resolve())) + "\n")
            process.stdin.flush()
            answer = self.answers.get(timeout=LONGEST_S + path.stat().st_size / BYTES_A_SECOND)
        except queue.Empty:
            self.stop()
            return "is damaged: reading it does not end"
        except OSError:
            answer = ""
        if not answer:
            self.stop()
            return "is damaged: the HDF5 library falls over it"
        return None

    def _running(self) -> "subprocess.Popen[str]":
        if self.process is None:
            program = [sys.executable, "-I", __file__]
            pipe = subprocess.PIPE
            self.process = subprocess.Popen(  # noqa: S603 - this file
                program, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, encoding="utf-8"
            )
            self.answers = queue.Queue()
            assert self.process.stdout is not None
            threading.Thread(target=_pass_on, args=(self.process.stdout, self.answers), daemon=True).start()
        return self.process

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                assert stream is not None
                try:
                    stream.close()
                except OSError:  # what was not written when it fell
                    continue


def _pass_on(stream: IO[str], answers: "queue.Queue[str]") -> None:
    try:
        for line in stream:
            answers.put(line)
    except (OSError, ValueError):  # closed meanwhile
        return
    answers.put("")


PROBER = Prober()
atexit.register(PROBER.stop)


def _touch(path: str) -> None:
    import h5py

    with h5py.File(path, "r", locking=False) as file:
        _attributes(file)
        _whatever(_walk, file, h5py, DEEPEST)


def _whatever(function: Any, *arguments: Any) -> None:
    """One fault does not hide the next: only what never ends, or falls over, matters here."""
    with suppress(Exception):
        function(*arguments)


def _walk(group: Any, h5py: Any, depth: int) -> None:
    for name in list(group):
        _whatever(_step, group, name, h5py, depth)


def _step(group: Any, name: str, h5py: Any, depth: int) -> None:
    """A member that lies in the file itself."""
    if group.id.links.get_info(name.encode()).type != h5py.h5l.TYPE_HARD:
        return
    item = group[name]
    if isinstance(item, h5py.Group) and depth:
        _attributes(item)
        _walk(item, h5py, depth - 1)
    else:
        _member(item, h5py)


def _attributes(item: Any) -> None:
    for name in item.attrs:
        _whatever(item.attrs.get, name)


def _member(item: Any, h5py: Any) -> None:
    _attributes(item)
    if not isinstance(item, h5py.Dataset) or item.shape is None or item.is_virtual or item.external or 0 in item.shape:
        return
    if not item.shape:
        item[()]
        return
    count = item.shape[0]
    if item.dtype.hasobject:
        for first in range(0, count, BLOCK):
            item[first : first + BLOCK]
    elif item.size // count * item.dtype.itemsize <= LARGEST:
        item[0], item[count - 1]


def _serve() -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    except (ImportError, ValueError, OSError):  # not on this system
        pass
    for line in sys.stdin:
        try:
            _touch(json.loads(line))
            said = "sound"
        except Exception as error:  # noqa: BLE001 - it is met again, and told, where the file is read
            said = type(error).__name__
        print(said, flush=True)


if __name__ == "__main__":
    _serve()
