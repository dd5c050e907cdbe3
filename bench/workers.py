"""Tasks in processes of their own, in the order that they need each other. A worker ends when its parent does."""

import ctypes
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from bench.errors import Diverged, UserError, why

Progress = Callable[[int, int, str], None]  # done, total, what
WATCH_SECONDS = 0.5
STARTING = threading.Lock()  # of threads that start processes: the main module is changed meanwhile
ENDED = "its process ended"  # begins what is said where a task could not say so itself
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's mallopt
HEAVY = [
    "bench.run.evaluate",
    "torch._inductor",
    "lpips",
    "skimage.metrics",
]  # deterministic algorithms import the second
KEPT_BYTES = 2**30  # freed memory up to here is kept by a process
LONGEST_TEMPORARY = 60  # bytes of a folder's path; with the name of a socket in it, 108 are the most


@dataclass(frozen=True)
class Task:
    """A module-level function, called as function(*arguments, progress) in a process of its own."""

    id: str
    function: Callable[..., None]
    arguments: tuple[Any, ...]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """How a task ended: a status of `bench.store.records.STATUSES`, and why where it is not done."""

    status: str
    reason: str | None = None


class Ended(Exception):
    """A task of this one's ended before it was done; this one ends alike."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


def carry_out(
    tasks: list[Task],
    jobs: int,
    threads: int,
    on_progress: Callable[[str, int, int, str], None],
    on_end: Callable[[str, Outcome], None] = lambda *_: None,
    together: bool = False,
) -> dict[str, Outcome]:
    """Run all tasks, at most `jobs` at a time; one whose need failed is skipped. Interrupted, it ends its workers.

    Raises
    ------
    Ended
        By the first task that is not done, which ends all, if they wait for each other (`together`).
    """
    waiting = {task.id: task for task in tasks}
    running: dict[Connection, tuple[str, BaseProcess]] = {}
    outcomes: dict[str, Outcome] = {}
    try:
        while waiting or running:
            for id in skip_hopeless(waiting, outcomes):
                on_end(id, outcomes[id])
            for task in [t for t in waiting.values() if all(n not in waiting and n in outcomes for n in t.needs)]:
                if len(running) < jobs:
                    del waiting[task.id]
                    connection, process = _start(task, threads)
                    running[connection] = (task.id, process)
                    on_progress(task.id, 0, 1, "starting")
            for connection in _ready(running):
                id, process = running[connection]
                outcome = _listen(connection, process, id, on_progress)
                if outcome:
                    outcomes[id] = outcome
                    del running[connection]
                    on_end(id, outcome)
                    if together and outcome.status != "done":
                        raise Ended(outcome)
    finally:
        for _, process in running.values():
            process.terminate()
    return outcomes


def _ready(running: dict[Connection, tuple[str, BaseProcess]]) -> list[Connection]:
    ready = wait(list(running), timeout=WATCH_SECONDS) if running else []
    return [connection for connection in running if connection in ready]


def skip_hopeless(waiting: dict[str, Task], outcomes: dict[str, Outcome]) -> list[str]:
    """Move tasks whose need is not done to `outcomes`; their ids."""
    skipped = []
    for task in list(waiting.values()):
        for need in task.needs:
            if need in outcomes and outcomes[need].status != "done" and task.id in waiting:
                outcomes[task.id] = Outcome(
                    "skipped", f"needs {need}, which is {outcomes[need].status}: {outcomes[need].reason}"
                )
                del waiting[task.id]
                skipped.append(task.id)
    return skipped


def _context() -> multiprocessing.context.BaseContext:
    """Workers are forked from a server that has imported what is heavy, or spawned where there is no fork."""
    from bench import registry

    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*HEAVY, *(name for name in sys.modules if name.startswith(registry.PACKAGES))])
    return context


@contextmanager
def _short_sockets() -> Iterator[None]:
    """Sockets are made in the folder for temporary files, whose path they can only take if it is short."""
    usual = tempfile.tempdir
    if len(os.fsencode(tempfile.gettempdir())) > LONGEST_TEMPORARY:
        short = next((folder for folder in ("/tmp", "/var/tmp", "/dev/shm") if os.access(folder, os.W_OK)), None)  # noqa: S108
        if short is None:
            raise UserError(
                f"The path of TMPDIR, {tempfile.gettempdir()}, is too long for sockets: name a shorter one."
            )
        tempfile.tempdir = short
    try:
        yield
    finally:
        tempfile.tempdir = usual


def _start(task: Task, threads: int) -> tuple[Connection, BaseProcess]:
    context = _context()
    ours, theirs = context.Pipe(duplex=False)
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    process = context.Process(target=_work, args=(task, theirs, environment, threads), name=task.id)  # type: ignore[attr-defined]
    with STARTING, _without_main(), _short_sockets():
        process.start()
    theirs.close()
    return ours, process


@contextmanager
def _without_main() -> Iterator[None]:
    """Keep a starting worker from running the main script anew, which would start all over where it has no main guard.

    Not where something was registered in the script: then workers must find it there.
    """
    from bench import registry

    plugins = (*registry.methods().values(), *registry.sources().values(), *registry.datasets().values())
    main = sys.modules["__main__"]
    if not any(plugin.module in registry.MAIN for plugin in plugins):
        sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _listen(
    connection: Connection, process: BaseProcess, id: str, on_progress: Callable[[str, int, int, str], None]
) -> Outcome | None:
    try:
        message = connection.recv()
    except EOFError:
        process.join()
        if process.exitcode == -signal.SIGKILL:
            return Outcome("out-of-memory", "the system ended its process")
        return Outcome("failed", f"{ENDED} with code {process.exitcode}")
    if isinstance(message, Outcome):
        process.join()
        return message
    on_progress(id, *message)
    return None


def _work(task: Task, connection: Connection, environment: Mapping[str, str], threads: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.clear()
    os.environ.update(environment)
    pin(threads)
    last = 0.0

    def progress(done: int, total: int, what: str) -> None:
        nonlocal last
        if time.monotonic() - last > WATCH_SECONDS or done == total:
            last = time.monotonic()
            connection.send((done, total, what))

    connection.send(attempt(lambda: task.function(*task.arguments, progress)))


def pin(threads: int) -> None:
    """Give this process so many threads, before it computes.

    Two things double the time of an FFT, and are kept from them: memory that is given back and taken anew for each result, and
    numbers below the smallest normal one, which are 0 from here on.
    """
    import torch

    os.environ["OMP_NUM_THREADS"] = str(threads)
    torch.set_flush_denormal(True)  # inherited by the threads that start at the first computation
    try:
        for parameter in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD):
            ctypes.CDLL("libc.so.6").mallopt(parameter, KEPT_BYTES)
    except (OSError, AttributeError):  # no glibc
        pass
    torch.set_num_threads(threads)


def compute_alike(device: str) -> None:
    """Give this process the same numbers each time, float32 where float32 is said; where CUDA cannot, it says so."""
    import torch

    if device != "cpu":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # else its sums are in another order each time
        torch.backends.cudnn.allow_tf32 = False  # by default convolutions round float32 to 10 bits
    torch.use_deterministic_algorithms(True, warn_only=device != "cpu")
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def attempt(action: Callable[[], object]) -> Outcome:
    """Call it and put how it ends into an outcome."""
    import torch

    try:
        action()
    except Ended as error:
        return error.outcome
    except (Diverged, UserError) as error:
        return Outcome("diverged" if isinstance(error, Diverged) else "failed", str(error))
    except (MemoryError, torch.OutOfMemoryError) as error:
        return Outcome("out-of-memory", str(error).splitlines()[0] if str(error) else "no memory left")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a row says what went wrong; the others go on
        if "can't allocate memory" in str(error):
            return Outcome("out-of-memory", str(error).splitlines()[0])
        return Outcome("failed", why(error))
    return Outcome("done")


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
