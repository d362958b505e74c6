"""Engines of the flows: some parts of a step (shards, layers) are a Prefect task, wherever they are done.

The tasks themselves are threads of the flow's process. With the runner `processes` each hands its parts to a process of
`pfocr_rdf.workers`, which knows nothing of Prefect and so starts in less than a second; what it logs comes back with
the result. With `dask` shards go to the workers of a scheduler by `pfocr_rdf.dask_engine`, as one task.
"""

from __future__ import annotations

from .environment import prepare

prepare(program=False)

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar, cast
from uuid import UUID

from prefect import get_run_logger, task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.exceptions import MissingContextError
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from prefect.utilities.annotations import quote, unmapped

from pfocr_rdf.workers import Engine, Processes, cores

from .parameters import Running
from .recording import record

T = TypeVar("T")
Done = TypeVar("Done")

SHARD_SECONDS = 3_600
"""A part that takes longer hangs: it should take seconds."""

TASKS, PARTS = 2, 4
"""So many tasks a step has at least for each that runs at a time, if there are parts for them, and so many parts a task
at most beyond that: a part takes half a second and a task costs a tenth of one, so they are bundled."""

PAUSE = 2.0
"""Seconds between two looks of people at a progress bar."""


def whole(value: T) -> T:
    """Spare Prefect the search for futures in a large value; the task gets the value itself."""
    return cast(T, quote(value))


# Without tags: Prefect would ask its server for a slot before each.
@task(cache_policy=NO_CACHE, persist_result=False, task_run_name="{name}")
def work(name: str, function: Callable[[Any], Any], parts: Sequence[Any], processes: Processes | None) -> list[Any]:
    """Do some parts of a step: convert shards, write layers, search sections."""
    if processes is None:
        return [function(part) for part in parts]
    log = get_run_logger()
    results: list[Any] = []
    for number, part in enumerate(parts, 1):
        done = processes.call(record, (function, part), SHARD_SECONDS)
        for level, text in done.lines:
            log.log(level, "%s", text)
        log.info("%s, %d of %d: %.1f s in process %d", name, number, len(parts), done.seconds, done.process)
        results.append(done.result)
    return results


class TaskEngine:
    """Runs the parts of a step as Prefect tasks."""

    def __init__(self, runner: TaskRunner[Any], size: int, processes: Processes | None) -> None:
        """Submit to `runner`, which was entered; so many at a time, in processes or in its threads."""
        self.runner, self.size, self.processes = runner, size, processes

    def map(self, function: Callable[[T], Done], tasks: Sequence[T]) -> Iterator[Done]:
        """Begin all tasks at once, and yield their results, in any order; the first ones are in different bundles."""
        count = min(len(tasks), max(TASKS * self.size, -(-len(tasks) // PARTS)))
        parameters = {
            "name": [f"{function.__name__.strip('_')} {number} of {count}" for number in range(1, count + 1)],
            "function": unmapped(function),
            "parts": [whole(tasks[number::count]) for number in range(count)],
            "processes": unmapped(whole(self.processes)),
        }
        futures: Any = self.runner.map(cast(Any, work), parameters)  # typed for asynchronous tasks alone
        return chain.from_iterable(future.result() for future in futures)

    def stop(self) -> None:
        """Drop the parts that have not begun, and wait for the others."""
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
