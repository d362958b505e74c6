"""Running many like tasks at once: here, in processes of this machine, or by whatever else maps a function.

An `Engine` takes a function and tasks and yields results as they come, in any order. Functions and tasks are
small and picklable, so an engine may send them to other machines (`pfocr_rdf.dask_engine` is one).
"""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType, TracebackType
from typing import Any, Protocol, Self, TypeVar

from pfocr_rdf.errors import WorkerLost

Task = TypeVar("Task")
Done = TypeVar("Done")

_KILLED = (
    "a worker process was killed, perhaps for lack of memory; run again with a smaller --workers or --shard-records"
)
_GARBAGE = 100_000
"""So many objects are made before a worker process looks for garbage."""
_PARENT_DEATH = 1
"""Linux's number for "send me a signal when my parent dies"."""


@contextmanager
def uncollected() -> Iterator[None]:
    """Look for no garbage meanwhile: it takes long where many objects are made to stay, and few refer to themselves."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


class Engine(Protocol):
    """What runs tasks."""

    @property
    def size(self) -> int:
        """How many tasks run at the same time."""
        ...

    def map(self, function: Callable[[Task], Done], tasks: Sequence[Task]) -> Iterator[Done]:
        """Yield the result of each task, in any order; raise the first exception of a task."""
        ...


class Serial:
    """Runs tasks here, one after the other."""

    size = 1

    def map(self, function: Callable[[Task], Done], tasks: Sequence[Task]) -> Iterator[Done]:
        """Yield the result of each task, in order."""
        return map(function, tasks)


class Processes(AbstractContextManager["Processes"]):
    """Runs tasks in processes of this machine, which are started when there is more than one task."""

    def __init__(self, workers: int) -> None:
        """Use so many processes; one means none beside this."""
        self.workers = workers
        self._pool: ProcessPoolExecutor | None = None

    @property
    def size(self) -> int:
        """How many tasks run at the same time."""
        return max(1, self.workers)

    def __bool__(self) -> bool:
        """Whether there is anything to run tasks."""
        return self.workers > 0

    def start(self, processes: int) -> ProcessPoolExecutor:
        """Start so many processes now, so that they are ready when tasks come."""
        self._pool = ProcessPoolExecutor(processes, multiprocessing.get_context(_method()), _begin, (os.getpid(),))
        with _without_main():
            for _ in range(processes):
                self._pool.submit(cores)
        return self._pool

    def __enter__(self) -> Self:
        """Begin; nothing is started yet."""
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Stop the processes; tasks that have not begun are dropped."""
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def map(self, function: Callable[[Task], Done], tasks: Sequence[Task]) -> Iterator[Done]:
        """Begin all tasks at once, and yield the result of each as it comes.

        Raises `WorkerLost` when a process was killed.
        """
        if self.workers == 1 or (len(tasks) < 2 and self._pool is None):
            return map(function, tasks)
        pool = self._pool or self.start(min(self.workers, len(tasks)))
        try:
            return self._results([pool.submit(function, task) for task in tasks])
        except BrokenProcessPool as error:
            raise WorkerLost(_KILLED) from error

    def call(self, function: Callable[[Task], Done], task: Task, seconds: float | None = None) -> Done:
        """Run one task in one of the processes, and return its result; several threads may do so at once.

        Raises `WorkerLost` when the process was killed, as all are when one takes longer than so many seconds.
        """
        pool = self._pool or self.start(self.workers)
        try:
            return pool.submit(function, task).result(seconds)
        except BrokenProcessPool as error:
            raise WorkerLost(_KILLED) from error
        except TimeoutError as error:
            for process in (pool._processes or {}).values():
                process.kill()
            raise WorkerLost(f"a worker process did not end within {seconds:,.0f} s, and was stopped") from error

    @staticmethod
    def _results(futures: list[Future[Done]]) -> Iterator[Done]:
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            raise WorkerLost(_KILLED) from error


def _method() -> str:
    """Return how to start processes: as copies of this one, which need not load the program again, if that is safe.

    It is so on Linux while nothing else runs here: another thread may hold a lock that no copy of it will open.
    """
    return "fork" if sys.platform == "linux" and threading.active_count() == 1 else "spawn"


@contextmanager
def _without_main() -> Iterator[None]:
    """Let processes that are started meanwhile not load the program's main module: no task stands there.

    It may be that of another program, and large.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _begin(parent: int) -> None:
    """Set a worker process up: it ends with its parent, leaves interrupts to it, and seldom looks for garbage.

    Tasks make millions of texts and tuples, and no cycles to speak of.
    """
    gc.freeze()
    gc.set_threshold(_GARBAGE, 20, 100)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:  # it died before
            os._exit(1)


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_engine(workers: int | None) -> Any:
    """Return the engine for a number of workers; None means one for each core."""
    return Processes(workers or cores())
