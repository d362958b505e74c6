"""An engine beyond one machine: tasks run on the workers of a Dask scheduler that is there already.

Scheduler and workers have the same pfocr-rdf installed, and reach the source and the place of the parts under the
same names. Tasks are descriptions and results are numbers, so no data goes through the scheduler; and only as many
tasks as keep the workers busy are handed to it at a time, so that its memory does not grow with the source.
"""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self

from pfocr_rdf.errors import UsageError, WorkerLost
from pfocr_rdf.workers import Done, Task

CONNECT_SECONDS = 10.0
"""So long a scheduler may take to answer."""

PATIENCE_SECONDS = 60.0
"""So long a scheduler may be without any worker."""

_LOOK_SECONDS = 5.0
"""When nothing has come for so long, the workers are counted."""

_AHEAD = 3
"""Tasks handed over for each thread of the workers: one runs, the others wait near it."""

_AGAIN = "run again with the same --work; what is finished is taken over"


class DaskEngine(AbstractContextManager["DaskEngine"]):
    """Runs tasks on Dask's workers. A task whose worker was lost is run by another one; nothing else is retried."""

    def __init__(
        self, scheduler: Any, *, connect_seconds: float | None = None, patience_seconds: float | None = None
    ) -> None:
        """Use a `distributed.Client`, or connect to the scheduler of an address such as `tcp://host:8786`.

        Raises `UsageError` when Dask is not installed or no scheduler answers there.
        """
        self._own = isinstance(scheduler, str)
        self._patience = PATIENCE_SECONDS if patience_seconds is None else patience_seconds
        seconds = CONNECT_SECONDS if connect_seconds is None else connect_seconds
        self._client: Any = _connect(scheduler, seconds) if self._own else scheduler

    def __enter__(self) -> Self:
        """Begin; the scheduler is known."""
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Leave the scheduler, unless it is the caller's own client; scheduler and workers go on."""
        if self._own:
            self._client.close()

    @property
    def size(self) -> int:
        """How many tasks run at the same time."""
        return max(1, sum(int(worker["nthreads"]) for worker in self._client.scheduler_info()["workers"].values()))

    def map(self, function: Callable[[Task], Done], tasks: Sequence[Task]) -> Iterator[Done]:
        """Yield the result of each task as it comes; the others are cancelled when one fails.

        Raises what a task raised; `UsageError` when the workers lack this package, `WorkerLost` when the scheduler or
        all workers were lost, or a task was lost with several workers, one after the other.
        """
        waiting = iter(tasks)
        running: set[Any] = set()
        last = time.monotonic()
        try:
            while True:
                with _told():
                    for task in self._more(waiting, len(running)):
                        running.add(self._client.submit(function, task, pure=False, retries=0))
                    if not running:
                        return
                    done = self._wait(running)
                    alive = bool(done) or self._threads() > 0
                if done:
                    last = time.monotonic()
                elif alive:
                    last = max(last, time.monotonic() - _LOOK_SECONDS)
                elif time.monotonic() - last > self._patience:
                    raise WorkerLost(f"the Dask scheduler has no workers; start some (`dask worker`), then {_AGAIN}")
                running -= done
                for future in done:
                    with _told(task_failed=future.status == "error"):
                        result = future.result()
                    future.release()
                    yield result
        finally:
            if running and self._client.status == "running":
                self._client.cancel(list(running), force=True)

    def _more(self, waiting: Iterator[Task], running: int) -> Iterator[Task]:
        """Yield as many tasks as should be handed over now."""
        room = max(8, _AHEAD * self._threads()) - running
        for _ in range(room):
            for task in waiting:
                yield task
                break
            else:
                return

    def _threads(self) -> int:
        """Return how many tasks the workers run at a time."""
        return sum(self._client.nthreads().values())

    def _wait(self, running: set[Any]) -> set[Any]:
        """Return the futures that are done, at least one unless it takes long."""
        distributed: Any = importlib.import_module("distributed")
        try:
            with self._client.as_current():
                done: set[Any] = distributed.wait(running, timeout=_LOOK_SECONDS, return_when="FIRST_COMPLETED").done
        except TimeoutError:
            return set()
        return done


def _connect(address: str, seconds: float) -> Any:
    """Return a client of the scheduler at an address.

    Raises `UsageError` when Dask is not installed or no scheduler answers.
    """
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError as error:
        raise UsageError(f"--scheduler needs Dask ({error}); install pfocr-rdf[dask]") from error

    async def knock() -> None:
        security = distributed.Security().get_connection_args("client")
        (await distributed.comm.connect(address, timeout=seconds, **security)).abort()

    try:
        asyncio.run(asyncio.wait_for(knock(), seconds))  # a client that never came to be does not go quietly
        return distributed.Client(address, timeout=seconds, set_as_default=False)
    except (OSError, ValueError, TimeoutError, MemoryError) as error:  # no memory: a program of another kind answered
        raise UsageError(
            f"{address}: no Dask scheduler answers there within {seconds:g} seconds; "
            "give the address that `dask scheduler` prints, such as tcp://host:8786"
        ) from error


class _told(AbstractContextManager[None]):
    """Raises what Dask raises as errors of one line; what a task raised is left as it is."""

    def __init__(self, *, task_failed: bool = False) -> None:
        """Say whether a task may have raised it: else an `OSError` is one of the way to the scheduler."""
        self._task_failed = task_failed

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Raise the error that tells what to do."""
        from distributed.client import ClosedClientError
        from distributed.comm.core import CommClosedError
        from distributed.scheduler import KilledWorker

        if isinstance(error, KilledWorker):
            raise WorkerLost(
                f"several workers died of the same task, the last was {error.last_worker.address}, perhaps for lack of "
                f"memory; give them more, or a smaller --shard-records, then {_AGAIN}"
            ) from error
        lost = isinstance(error, (CancelledError, CommClosedError, ClosedClientError))
        if lost or (isinstance(error, OSError) and not self._task_failed):
            raise WorkerLost(f"the Dask scheduler was lost; start it anew, then {_AGAIN}") from error
        if isinstance(error, ImportError):
            raise UsageError(
                f"a worker or the scheduler lacks a package ({error}); install the same pfocr-rdf there"
            ) from error
