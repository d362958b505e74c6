"""Engines of the flows: some parts of a step (shards, layers) are a Prefect task, wherever they are done.

The tasks share the parts of their step: each takes the next one when it is done with one, so all end together. They
are threads of the flow's process. With the runner `processes` each hands its parts to a process of
`pfocr_rdf.workers`, which knows nothing of Prefect and so starts in less than a second; what it logs comes back with
the result. With `dask` shards go to the workers of a scheduler by `pfocr_rdf.dask_engine`, as one task.
"""

from __future__ import annotations

from .environment import prepare

prepare(program=False)

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any, TypeVar, cast
from uuid import UUID

import fastapi.encoders  # noqa: F401 - Prefect would load it in the middle of the first run
from prefect import get_run_logger, task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.exceptions import MissingContextError
from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from prefect.utilities.annotations import quote, unmapped

from pfocr_rdf.workers import Engine, Processes, cores

from .parameters import Running
from .recording import record

T = TypeVar("T")
Done = TypeVar("Done")

SHARD_SECONDS = 3_600
"""A part that takes longer hangs: it should take seconds."""

PARTS = 8
"""So many parts a task does at most: a part takes half a second and a task costs a tenth of one."""

PAUSE = 2.0
"""Seconds between two looks of people at a progress bar."""


def whole(value: T) -> T:
    """Spare Prefect the search for futures in a large value; the task gets the value itself."""
    return cast(T, quote(value))


class Step:
    """The parts of a step, each of which is taken once, and the results of those that are done."""

    def __init__(self, parts: Iterable[Any]) -> None:
        """Begin with all parts left."""
        self._left: SimpleQueue[Any] = SimpleQueue()
        for part in parts:
            self._left.put(part)
        self.done: SimpleQueue[Any] = SimpleQueue()

    def take(self) -> Iterator[Any]:
        """Yield a part as long as one is left; several threads may do so at once."""
        with suppress(Empty):
            while True:
                yield self._left.get_nowait()

    def stop(self) -> None:
        """Leave no part to be taken."""
        for _ in self.take():
            pass


# Without tags: Prefect would ask its server for a slot before each.
@task(cache_policy=NO_CACHE, persist_result=False, task_run_name="{name}")
def work(name: str, function: Callable[[Any], Any], step: Step, processes: Processes | None) -> None:
    """Do some parts of a step: convert shards, write layers, search sections."""
    for part in islice(step.take(), PARTS):
        if processes is None:
            step.done.put(function(part))
            continue
        log = get_run_logger()
        done = processes.call(record, (function, part), SHARD_SECONDS)
        for level, text in done.lines:
            log.log(level, "%s", text)
        log.info("%s: %.1f s in process %d", name, done.seconds, done.process)
        step.done.put(done.result)


class TaskEngine:
    """Runs the parts of a step as Prefect tasks."""

    def __init__(self, runner: TaskRunner[Any], size: int, processes: Processes | None) -> None:
        """Submit to `runner`, which was entered; so many at a time, in processes or in its threads."""
        self.runner, self.size, self.processes = runner, size, processes
        self._steps: list[Step] = []

    def map(self, function: Callable[[T], Done], tasks: Sequence[T]) -> Iterator[Done]:
        """Begin with the first of the parts at once, and yield the result of each as it comes."""
        step, count = Step(tasks), max(min(len(tasks), self.size), -(-len(tasks) // PARTS))
        self._steps.append(step)
        parameters = {
            "name": [f"{function.__name__.strip('_')} {number} of {count}" for number in range(1, count + 1)],
            "function": unmapped(function),
            "step": unmapped(whole(step)),
            "processes": unmapped(whole(self.processes)),
        }
        futures: Any = self.runner.map(cast(Any, work), parameters)  # typed for asynchronous tasks alone
        for future in futures:
            future.add_done_callback(step.done.put)
        return self._results(step, futures)

    @staticmethod
    def _results(step: Step, futures: Sequence[PrefectFuture[None]]) -> Iterator[Any]:
        """Yield what comes until all futures have come as well; one that failed raises."""
        left = len(futures)
        while left:
            found = step.done.get()
            if isinstance(found, PrefectFuture):
                found.result()
                left -= 1
            else:
                yield found

    def stop(self) -> None:
        """Drop the parts that have not begun, and wait for the others."""
        for step in self._steps:
            step.stop()
        self.runner.__exit__(None, None, None)


@dataclass(frozen=True, slots=True)
class Engines:
    """Who converts shards, who does the rest as tasks, and who reads the source when it is opened."""

    shards: Engine
    rest: TaskEngine
    early: Engine | None

    @contextmanager
    def idle(self) -> Iterator[None]:
        """Let no part still write when a failure leaves the `with` block and its folder is removed."""
        try:
            yield
        except BaseException:
            self.rest.stop()
            raise


@contextmanager
def engines(asked: Running) -> Iterator[Engines]:
    """Yield the engines of a runner; they are stopped at the end.

    Raises `UsageError` when no Dask scheduler answers.
    """
    size = asked.workers or cores()
    with ExitStack() as stack:
        processes: Processes | None = None
        if asked.runner != "threads" and size > 1:
            processes = stack.enter_context(Processes(size))
            processes.start(size)
        runner: TaskRunner[Any] = stack.enter_context(ThreadPoolTaskRunner(max_workers=size))
        rest = TaskEngine(runner, size, processes)
        if asked.scheduler is None:
            yield Engines(rest, rest, processes)
            return
        from pfocr_rdf.dask_engine import DaskEngine

        yield Engines(stack.enter_context(DaskEngine(asked.scheduler)), rest, processes)


class Progress:
    """A progress bar on the page of a run; it never fails a run."""

    def __init__(self, key: str, what: str) -> None:
        """Name it; it appears when it begins."""
        self.key, self.what = key, what
        self._id: UUID | None = None
        self._done, self._total, self._shown = 0, 0, 0.0

    def start(self, total: int) -> Callable[[int], None]:
        """Begin with a total, or begin anew; return what is called with how many more are done."""
        self._done, self._total = 0, total
        self._show()
        return self._more

    def end(self) -> None:
        """Show that all is done."""
        self._done = self._total
        self._show()

    def _more(self, count: int) -> None:
        self._done += count
        if time.monotonic() - self._shown >= PAUSE:
            self._show()

    def _show(self) -> None:
        self._shown = time.monotonic()
        share = 100.0 * min(1.0, self._done / self._total) if self._total else 100.0
        try:
            if self._id is None:
                self._id = cast(UUID, create_progress_artifact(share, key=self.key, description=self.what))
            else:
                update_progress_artifact(self._id, share)
        except Exception as error:
            logger().warning("the progress of %s cannot be shown: %s", self.what, error)


def logger() -> logging.Logger | logging.LoggerAdapter[Any]:
    """Return the logger of the run, or that of the package outside of one."""
    try:
        return get_run_logger()
    except MissingContextError:
        return logging.getLogger("pfocr_rdf")
