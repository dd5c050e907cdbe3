"""How far the work is: bars in a terminal, plain lines in a pipe or log."""

import threading
import time
from dataclasses import dataclass, field
from typing import Self

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bench.workers import Outcome

SILENCE_S = 25.0  # between two lines of a log, at most; a line each 30 s is promised
LEAST_WIDTH = 80
console = Console(stderr=False)


def say(line: str) -> None:
    """Print a line of free text."""
    console.print(line, soft_wrap=True, markup=False, highlight=False)


def show(table: RenderableType) -> None:
    """Print a table, at least as wide as a page has letters: a narrow terminal breaks its lines rather than its words."""
    wide = console if console.width >= LEAST_WIDTH else Console(file=console.file, width=LEAST_WIDTH)
    wide.print(table)


class Shown:
    """How progress is shown; `count` and `transfer` are special cases of `work`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def work(self, id: str, done: int, total: int, what: str) -> None:
        """A report of what is being done."""
        raise NotImplementedError

    def end(self, id: str, outcome: Outcome) -> None:
        """What is done, or never will be."""
        raise NotImplementedError

    def count(self, id: str, done: int, total: int) -> None:
        """A count, such as prepared slices."""
        self.work(id, done, total, "")

    def transfer(self, id: str, done: int, total: int) -> None:
        """A download in bytes, which is not done before the last of them."""
        whole = max(1, round(total / 1e6))
        self.work(f"download {id}", whole if done >= total else min(round(done / 1e6), whole - 1), whole, "MB")


class Bars(Shown):
    """A bar a download, a preparation, a worker's task."""

    def __init__(self) -> None:
        self.progress = Progress(
            TextColumn("{task.description}", markup=False), BarColumn(bar_width=24),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"), TimeElapsedColumn(), TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[what]}", markup=False), console=console, refresh_per_second=4,
        )  # fmt: skip
        self.tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def work(self, id: str, done: int, total: int, what: str) -> None:
        """Move its bar, which stays while no other moves."""
        if id not in self.tasks:
            self.tasks[id] = self.progress.add_task(id, total=total, what=what)
        self.progress.update(self.tasks[id], completed=done, total=total, what=what)
        if done >= total:
            self.progress.update(self.tasks[id], visible=sum(not t.finished for t in self.progress.tasks) == 0)

    def end(self, id: str, outcome: Outcome) -> None:
        """Take its bar away; say so where it failed."""
        if id in self.tasks:
            self.progress.update(self.tasks.pop(id), visible=False)
        if outcome.status not in ("done", "skipped"):
            say(f"{outcome.status} {id}: {outcome.reason}")


@dataclass
class _Line:
    total: int
    done: int = 0
    what: str = ""
    began: float = field(default_factory=time.monotonic)
    first: int = 0
    """What was done when it said for the first time how much there is: before an interruption."""
    counted: float | None = None
    """When that was; None: when it began."""

    def __str__(self) -> str:
        said = f"{self.done}/{self.total}" + (f" {self.what}" if self.what else "")
        seconds, done = time.monotonic() - (self.counted or self.began), self.done - self.first
        return f"{said}, {duration(seconds / done * (self.total - self.done))} left" if done > 0 else said


class Lines(Shown):
    """A line when something begins, ends or fails, and while nothing does, one every half a minute."""

    def __init__(self) -> None:
        self.running: dict[str, _Line] = {}
        self.stopped = threading.Event()
        self.lock = threading.Lock()
        self.said = time.monotonic()
        self.thread = threading.Thread(target=self._keep_talking, daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.thread.join()

    def work(self, id: str, done: int, total: int, what: str) -> None:
        """Say that it begins, or is done."""
        with self.lock:
            line = self.running.get(id)
            if line is None:
                line = self.running[id] = _Line(total)
                self._say(f"{id}: begins")
            if total != line.total:
                line.first, line.counted = done, time.monotonic()
            line.total, line.done, line.what = total, done, what
            if done >= total:
                del self.running[id]
                self._say(f"{id}: {total} in {duration(time.monotonic() - line.began)}")

    def end(self, id: str, outcome: Outcome) -> None:
        """Say how it ended, if it has not said so itself."""
        with self.lock:
            line = self.running.pop(id, None)
            if line and outcome.status == "done":
                self._say(f"{id}: done in {duration(time.monotonic() - line.began)}")
            if outcome.status not in ("done", "skipped"):
                self._say(f"{id}: {outcome.status}: {outcome.reason}")

    def _keep_talking(self) -> None:
        while not self.stopped.wait(1.0):
            with self.lock:
                if time.monotonic() - self.said > SILENCE_S:
                    for id, line in self.running.items():
                        self._say(f"{id}: {line}")
                    if not self.running:
                        self._say("at work")

    def _say(self, text: str) -> None:
        self.said = time.monotonic()
        say(f"{time.strftime('%H:%M:%S')} {text}")


def shown() -> Shown:
    """Bars where they can be drawn."""
    return Bars() if console.is_terminal else Lines()


def duration(seconds: float) -> str:
    """In the unit that fits."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
