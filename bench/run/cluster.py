"""The same tasks on a Dask cluster, whose workers see the same folders. Each runs in a process of its own, as it does here."""

import importlib
import multiprocessing
import os
import queue
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bench import registry
from bench.errors import UserError
from bench.workers import Outcome, Task, attempt, carry_out, skip_hopeless

PATIENCE_S = 30.0  # for a worker that offers what is demanded
ANSWER_S = 10  # for a scheduler
WATCH_S = 0.2
SHARED = "BENCH_"  # begins the names of what says where caches and data lie
Say = Callable[[str, int, int, str], None]


class Stopped(Exception):
    """Nobody waits for this task any more."""


def carry_out_on(
    address: str,
    tasks: list[Task],
    threads: int,
    demands: Mapping[str, int],
    on_progress: Say,
    on_end: Callable[[str, Outcome], None] = lambda *_: None,
) -> dict[str, Outcome]:
    """Run all tasks on the workers of a scheduler, as `bench.workers.carry_out` does on this machine.

    Parameters
    ----------
    address
        "tcp://host:8786", or the path of a scheduler file.
    demands
        Dask resources that a worker must offer for each task, {"GPU": 1}; none where it is empty.

    Raises
    ------
    UserError
        If Dask is not installed, no scheduler answers, or for 30 s no worker offers what is demanded.
    """
    _check_plugins()
    with _client(address) as client:
        return _Run(client, threads, demands, on_progress, on_end).carry_out(tasks)


def _check_plugins() -> None:
    every = (*registry.methods().values(), *registry.sources().values(), *registry.datasets().values())
    typed = [plugin.id for plugin in every if plugin.module in registry.MAIN]
    if typed:
        raise UserError(
            f"'{typed[0]}' stands in the script itself, where no other machine finds it: use --plugin FILE."
        )


@contextmanager
def _client(address: str) -> Iterator[Any]:
    try:
        distributed = importlib.import_module("distributed")
    except ImportError as error:
        raise UserError("--scheduler needs Dask: pip install 'joint-mri-bench[cluster]'.") from error
    try:
        client = distributed.Client(
            **({"scheduler_file": address} if os.path.exists(address) else {"address": address}), timeout=ANSWER_S
        )
    except (OSError, TimeoutError, ValueError) as error:
        raise UserError(
            f"No Dask scheduler answers at {address}: start one, or name another by --scheduler."
        ) from error
    with client:
        yield client


class _Run:
    """One submission: what waits, what runs, and what workers say."""

    def __init__(
        self,
        client: Any,
        threads: int,
        demands: Mapping[str, int],
        on_progress: Say,
        on_end: Callable[[str, Outcome], None],
    ) -> None:
        self.client, self.threads, self.demands = client, threads, dict(demands)
        self.on_progress, self.on_end = on_progress, on_end
        self.name = f"bench-{uuid.uuid4().hex}"
        self.stop = importlib.import_module("distributed").Event(f"{self.name}-stop", client=client)
        self.said: queue.SimpleQueue[tuple[str, int, int, str]] = queue.SimpleQueue()
        self.last_offer = time.monotonic()

    def carry_out(self, tasks: list[Task]) -> dict[str, Outcome]:
        """Submit each when what it needs is done."""
        waiting, outcomes = {task.id: task for task in tasks}, dict[str, Outcome]()
        running: dict[str, Any] = {}
        self.client.subscribe_topic(self.name, lambda event: self.said.put(event[1]))
        try:
            while waiting or running:
                for id in skip_hopeless(waiting, outcomes):
                    self.on_end(id, outcomes[id])
                for task in [t for t in waiting.values() if all(n not in waiting and n in outcomes for n in t.needs)]:
                    running[task.id] = self._submit(waiting.pop(task.id))
                for id, future in list(running.items()):
                    if future.done():
                        del running[id]
                        outcomes[id] = attempt_result(future)
                        self.on_end(id, outcomes[id])
                self._listen()
                self._see_offers()
                time.sleep(WATCH_S if running else 0)
        finally:
            if running:
                self.stop.set()
                self.client.cancel(list(running.values()))
            self.client.unsubscribe_topic(self.name)
        return outcomes

    def _submit(self, task: Task) -> Any:
        environment = {name: value for name, value in os.environ.items() if name.startswith(SHARED)}
        return self.client.submit(
            run_here, task, self.threads, environment, sys.argv, self.name,
            key=f"{self.name}-{task.id}", resources=self.demands or None, pure=False,
        )  # fmt: skip

    def _listen(self) -> None:
        while not self.said.empty():
            self.on_progress(*self.said.get())

    def _see_offers(self) -> None:
        workers = self.client.scheduler_info(n_workers=-1)["workers"].values()
        offered = [worker.get("resources") or {} for worker in workers]
        if any(all(offer.get(name, 0) >= n for name, n in self.demands.items()) for offer in offered):
            self.last_offer = time.monotonic()
        elif time.monotonic() - self.last_offer > PATIENCE_S:
            wanted = " and ".join(f"{name}={n}" for name, n in self.demands.items())
            start = f"`dask worker ... --resources {wanted.replace(' and ', ',')}`" if wanted else "`dask worker ...`"
            raise UserError(
                f"No worker of the scheduler{f' offers {wanted}' if wanted else ''}, of {len(offered)} there: start {start}."
            )


def attempt_result(future: Any) -> Outcome:
    """How a task ended: what it gave, or why its workers could not say."""
    given: list[Outcome] = []
    failed = attempt(lambda: given.append(future.result()))
    return given[0] if given else failed


def run_here(task: Task, threads: int, environment: Mapping[str, str], arguments: list[str], name: str) -> Outcome:
    """On a worker: carry one task out in a process of its own, and say how far it is."""
    distributed = importlib.import_module("distributed")
    os.environ.update(environment)
    sys.argv[:] = arguments  # records say by which command they were made
    multiprocessing.current_process().daemon = False  # a nanny's worker may have no processes of its own otherwise
    worker, stop = distributed.get_worker(), distributed.Event(f"{name}-stop")

    def on_progress(id: str, done: int, total: int, what: str) -> None:
        if stop.is_set():
            raise Stopped
        worker.log_event(name, (id, done, total, what))

    return carry_out([Task(task.id, task.function, task.arguments)], 1, threads, on_progress)[task.id]
