"""Processes that answer queries: so many at a time, each within its time, all of the dataset that is served now.

A switch to another dataset starts new processes and lets each old one finish the query that it is at, so an answer is
always of one dataset.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pfocr_rdf.errors import UsageError
from pfocr_rdf.serve.dataset import Dataset
from pfocr_rdf.serve.protocol import Asked, Refused
from pfocr_rdf.serve.worker import MEMORY

WAITING = 64
"""So many queries may wait until a process is free."""

_READY = 120.0
_GRACE = 5
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Limits:
    """What a query may take: seconds, rows, queries at a time, and addresses that it may call by SERVICE."""

    seconds: float
    rows: int
    processes: int
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that lies whole in a file without name: its size, its media type, what it is the answer of."""

    file: BinaryIO
    size: int
    media: str
    dataset: Dataset


class Lost(Exception):
    """A process could not be started, or it ended."""


class _Worker:
    """A process and what it answers from."""

    def __init__(self, dataset: Dataset, process: asyncio.subprocess.Process) -> None:
        self.dataset = dataset
        self.graphs: list[str] = []
        self._process = process

    @classmethod
    async def start(cls, dataset: Dataset) -> _Worker:
        """Start a process and wait until it has opened the database."""
        # -P: what lies in the folder where the server was started is no module
        command = (sys.executable, "-P", "-m", "pfocr_rdf.serve.worker", str(dataset.database))
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, start_new_session=True)
        worker = cls(dataset, process)
        try:
            worker.graphs = (await asyncio.wait_for(worker.hear(), _READY))["graphs"]
        except Lost:
            await worker.ended()
            raise
        except BaseException:
            await worker.end()
            raise
        return worker

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def say(self, said: dict[str, Any]) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        self._process.stdin.write(json.dumps(said).encode() + b"\n")
        await self._process.stdin.drain()

    async def hear(self) -> dict[str, Any]:
        """Return the next line of the process. Raises `Lost` when it ends instead."""
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        line = await self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise Lost
        said: dict[str, Any] = json.loads(line)
        return said

    async def end(self) -> int:
        """End the process, whatever it is at; return how it ended."""
        with suppress(ProcessLookupError):
            self._process.kill()
        return await self._process.wait()

    async def ended(self) -> int:
        return await self._process.wait()


class Pool:
    """The processes of a server. `gone` is asked when the database that is served can no longer be opened."""

    def __init__(self, limits: Limits, folder: Path) -> None:
        self.limits = limits
        self.current: Dataset | None = None
        self.gone: Callable[[], Awaitable[None]] | None = None
        self._folder = folder
        self._turns = asyncio.Semaphore(limits.processes)
        self._waiting = 0
        self._idle: list[_Worker] = []
        self._users: dict[int, int] = {}
        self._numbers = itertools.count()

    async def switch(self, dataset: Dataset) -> None:
        """Answer from another dataset from now on.

        Raises `UsageError` when it cannot be opened or lacks a graph; then all stays as it was.
        """
        starting = [_Worker.start(dataset) for _ in range(self.limits.processes)]
        started = await asyncio.gather(*starting, return_exceptions=True)
        workers = [worker for worker in started if isinstance(worker, _Worker)]
        missing = set(dataset.graphs).difference(*(worker.graphs for worker in workers[:1]))
        if len(workers) < len(started) or missing:
            await asyncio.gather(*(worker.end() for worker in workers))
            dataset.holding.close()
            what = f"lacks {', '.join(sorted(missing))}" if workers and missing else "cannot be opened"
            raise UsageError(f"{dataset.database}: {what}")
        former, old, self.current, self._idle = self.current, self._idle, dataset, workers
        await asyncio.gather(*(worker.end() for worker in old))
        if former is not None:
            self._forget(former)

    async def ask(self, asked: Asked) -> Answer:
        """Return the answer to a query. Raises `Refused`."""
        if self._waiting >= WAITING:
            raise Refused(503, "too many queries wait; try again in a moment")
        self._waiting += 1
        try:
            await asyncio.wait_for(self._turns.acquire(), self.limits.seconds)
        except TimeoutError:
            raise Refused(503, "other queries take too long; try again in a moment") from None
        finally:
            self._waiting -= 1
        try:
            worker = await self._take()
            return await self._answer(worker, asked)
        finally:
            self._turns.release()

    async def close(self) -> None:
        """End all processes that wait for queries."""
        await asyncio.gather(*(worker.end() for worker in self._idle))
        self._idle = []

    async def _take(self) -> _Worker:
        """Return a process of what is served now, started if none waits."""
        for _ in range(_TRIES):
            while self._idle:
                worker = self._idle.pop()
                if worker.alive:
                    return worker
            if self.current is None:
                break
            try:
                return await _Worker.start(self.current)
            except (Lost, TimeoutError, OSError):
                if self.gone is not None:
                    await self.gone()
        raise Refused(503, "the database cannot be opened just now; try again in a moment")

    async def _answer(self, worker: _Worker, asked: Asked) -> Answer:
        dataset, limits = worker.dataset, self.limits
        self._users[id(dataset)] = self._users.get(id(dataset), 0) + 1
        out = self._folder / f"answer-{next(self._numbers)}"
        done = False
        try:
            await worker.say(
                {
                    "query": asked.query,
                    "default": asked.default_graphs,
                    "named": asked.named_graphs,
                    "accept": asked.accept,
                    "services": limits.services,
                    "rows": limits.rows,
                    "seconds": limits.seconds + _GRACE,
                    "out": str(out),
                }
            )
            said = await asyncio.wait_for(worker.hear(), limits.seconds)
            done = True
            if said["status"] != 200:
                raise Refused(said["status"], said["message"])
            file = out.open("rb")
            return Answer(file, os.fstat(file.fileno()).st_size, said["media"], dataset)
        except TimeoutError:
            raise Refused(504, _too_long(limits.seconds)) from None
        except (Lost, ConnectionError):
            raise _of_end(await worker.ended(), limits.seconds) from None
        finally:
            for path in (out, out.with_suffix(".lines")):
                path.unlink(missing_ok=True)
            if done and dataset is self.current:
                self._idle.append(worker)
            else:  # also when the client has gone, which cancels this
                await worker.end()
            self._users[id(dataset)] -= 1
            if dataset is not self.current:
                self._forget(dataset)

    def _forget(self, dataset: Dataset) -> None:
        """Let go of a former dataset when the last query of it has ended."""
        if not self._users.get(id(dataset)):
            self._users.pop(id(dataset), None)
            dataset.holding.close()


def _too_long(seconds: float) -> str:
    return f"the query took longer than {seconds:g} seconds, which is the limit here; ask for less of it at a time"


def _of_end(code: int, seconds: float) -> Refused:
    """Return what is said of a query whose process ended."""
    if code == -signal.SIGALRM:
        return Refused(504, _too_long(seconds))
    return Refused(500, f"the query needs more than {MEMORY >> 30} GiB of memory, or is nested too deeply")
