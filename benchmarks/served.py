"""Real stores on free ports of 127.0.0.1, each over a folder of its own, that may be killed and started again there."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from benchmarks.common import ROOT
from pfocr_rdf.stores import programs, starting
from pfocr_rdf.stores.contract import Kind
from pfocr_rdf.stores.starting import HOST, Wanted
from pfocr_rdf.stores.virtuososql import SQL

PATIENCE = 240.0
"""Seconds that a server may take to answer, and to stop."""

JARS = ROOT / "build" / "jars"
_JAR = {Kind.FUSEKI: programs.JENA, Kind.BLAZEGRAPH: programs.BLAZEGRAPH}


@dataclass
class Server:
    """A server: it keeps its port and its data whatever happens to its process."""

    kind: Kind
    data: Path
    folder: Path
    port: int
    sql: int
    memory: int = starting.MEMORY
    services: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Number of the process that runs."""
        return self.process.pid if self.process else 0

    @property
    def query(self) -> str:
        """The address that answers queries."""
        return self.services["query"]

    @property
    def address(self) -> str:
        """What the command line takes for it."""
        if self.kind is Kind.FUSEKI:
            return self.query.rpartition("/")[0]
        if self.kind is Kind.OXIGRAPH:
            return self.query.removesuffix("/query")
        return self.query

    @property
    def environment(self) -> dict[str, str]:
        """What the environment must say besides."""
        return {SQL: f"{HOST}:{self.sql}"} if self.kind is Kind.VIRTUOSO else {}

    def start(self) -> None:
        """Start it over its data, and wait until it answers."""
        name = _JAR.get(self.kind)
        jar = programs.jar(name, folder=JARS) if name else None
        wanted = Wanted(self.kind, self.data, self.folder, self.port, self.sql, self.memory, jar=jar)
        started = starting.start(wanted)
        self.services = dict(started.services)
        log = (self.folder / "log").open("ab")
        with log:
            self.process = subprocess.Popen(
                started.command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        end = time.monotonic() + PATIENCE
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > end:
                said = (self.folder / "log").read_text(errors="replace")[-2000:]
                self.kill()
                raise RuntimeError(f"{self.kind} does not answer:\n{said}")
            time.sleep(0.1)

    def kill(self) -> None:
        """End it as a loss of power would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        """Ask it to end, and wait."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()

    def select(self, query: str) -> list[dict[str, str]]:
        """Return the rows of a SELECT query, values without their types."""
        headers = {"Accept": "application/sparql-results+json"}
        got = httpx.post(self.query, data={"query": query}, headers=headers, timeout=PATIENCE)
        rows = got.raise_for_status().json()["results"]["bindings"]
        return [{name: term["value"] for name, term in row.items()} for row in rows]

    def bytes(self) -> int:
        """Return the bytes of its data on the disk."""
        return sum(path.stat().st_blocks * 512 for path in self.data.rglob("*") if path.is_file())

    def _answers(self) -> bool:
        try:
            return self.select("SELECT (1 AS ?one) WHERE {}") != []
        except (httpx.HTTPError, ValueError):
            return False


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])


def new(kind: Kind, folder: Path, memory: int = starting.MEMORY) -> Server:
    """Return a server that does not run yet, with its data below a folder, which is made."""
    data = folder / "data"
    data.mkdir(parents=True)
    return Server(kind, data, folder, free_port(), free_port(), memory)


@contextmanager
def served(kind: Kind, folder: Path, memory: int = starting.MEMORY) -> Iterator[Server]:
    """Run a new server while the block lasts."""
    server = new(kind, folder, memory)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def place_of(server: Server) -> tuple[str, int]:
    """Return host and port of a server."""
    place = urlsplit(server.query)
    return str(place.hostname), int(place.port or 80)
