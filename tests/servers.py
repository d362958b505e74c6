"""Real triple stores, started on free ports of 127.0.0.1 in a folder of their own, and stopped at the end of a block.

Each function is a context manager; the program itself must be there (`tests/support.py` finds it or skips the test).
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from pfocr_rdf.stores import programs, starting
from tests.support import unavailable

PATIENCE = 240
"""So many seconds a program may take to be ready, to answer and to stop."""

COUNT = "SELECT ?g (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g"
JAVA = ("java", "-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""For programs that run for seconds: without the optimizing compiler they take half the processor time."""


@dataclass(frozen=True)
class Answer:
    """What a server said: HTTP status and body."""

    status: int
    body: bytes


@dataclass(frozen=True)
class Endpoint:
    """A running store, by the addresses of its services; an empty one is not offered."""

    query: str
    update: str = ""
    graphs: str = ""
    """Graph Store Protocol; add `?graph=`."""

    def select(self, query: str) -> list[dict[str, str]]:
        """Return the rows of a SELECT query, values without their types."""
        answer = send(
            "POST",
            self.query,
            urlencode({"query": query}).encode(),
            {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/sparql-results+json"},
        )
        assert answer.status == 200, answer.body[:2000]
        rows = json.loads(answer.body)["results"]["bindings"]
        return [{name: value["value"] for name, value in row.items()} for row in rows]

    def counts(self) -> dict[str, int]:
        """Return the number of triples of each named graph."""
        return {row["g"]: int(row["n"]) for row in self.select(COUNT) if "g" in row}

    def put(self, graph: str, body: bytes | Iterator[bytes], **headers: str) -> Answer:
        """Replace a graph by Turtle."""
        return send(
            "PUT", f"{self.graphs}?{urlencode({'graph': graph})}", body, {"Content-Type": "text/turtle"} | headers
        )


def send(method: str, url: str, body: bytes | Iterator[bytes], headers: dict[str, str]) -> Answer:
    """Send one request; a body in parts goes out part by part."""
    place = urlsplit(url)
    assert place.hostname in ("127.0.0.1", "localhost")
    link = http.client.HTTPConnection(place.hostname, place.port, timeout=PATIENCE)
    try:
        with suppress(BrokenPipeError):  # then the server has heard enough, and says why
            link.request(method, place._replace(scheme="", netloc="").geturl(), body, headers)
        got = link.getresponse()
        return Answer(got.status, got.read())
    finally:
        link.close()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def running(command: Sequence[str | Path], folder: Path, ready: Callable[[], bool]) -> Iterator[None]:
    """Run a server while the block lasts; it is ready when `ready` says so. What it prints is in `folder/log`."""
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=folder)
        try:
            end = time.monotonic() + PATIENCE
            while not ready():
                assert process.poll() is None, f"{command[0]} stopped:\n{log.read_text(errors='replace')[-2000:]}"
                assert time.monotonic() < end, f"{command[0]} is not ready:\n{log.read_text(errors='replace')[-2000:]}"
                time.sleep(0.1)
            yield
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def answers(url: str) -> Callable[[], bool]:
    """Return what tells whether an address answers with 200."""

    def ask() -> bool:
        try:
            return send("GET", url, b"", {}).status == 200
        except (OSError, http.client.HTTPException):
            return False

    return ask


def require_oxigraph() -> Path:
    """Return the command `oxigraph` of this environment, or skip the running test."""
    try:
        return programs.oxigraph()
    except programs.Missing as missing:
        unavailable(str(missing))


@contextmanager
def oxigraph(program: Path, folder: Path, *options: str) -> Iterator[Endpoint]:
    """Run an Oxigraph server over the database `folder/db`."""
    base = f"http://127.0.0.1:{free_port()}"
    command = (program, "serve", "--location", folder / "db", "--bind", base.removeprefix("http://"), *options)
    with running(command, folder, answers(base)):
        yield Endpoint(f"{base}/query", f"{base}/update", f"{base}/store")


@contextmanager
def fuseki(jar: Path, folder: Path, *storage: str | Path) -> Iterator[Endpoint]:
    """Run a Fuseki server, in memory or with a storage such as `--tdb2 --loc=DIR --update`."""
    port = free_port()
    base = f"http://localhost:{port}"  # with --localhost it listens at the name
    server = "org.apache.jena.fuseki.main.cmds.FusekiMainCmd"
    options = ["--localhost", f"--port={port}", "--ping", *(storage or ["--mem"]), "/ds"]
    with running([*JAVA, "-cp", jar, server, *options], folder, answers(f"{base}/$/ping")):
        yield Endpoint(f"{base}/ds/query", f"{base}/ds/update", f"{base}/ds/data")


def blazegraph_properties(folder: Path) -> Path:
    """Write the settings of a Blazegraph database with named graphs and without inference in a folder."""
    path = folder / starting.SETTINGS
    starting.write_properties(path, starting.blazegraph_settings(folder))
    return path


@contextmanager
def blazegraph(jar: Path, folder: Path) -> Iterator[Endpoint]:
    """Run a Blazegraph server over the database that `blazegraph_properties` describes."""
    port = free_port()
    base = f"http://127.0.0.1:{port}/blazegraph"
    command = starting.blazegraph_command(list(JAVA), jar, port, blazegraph_properties(folder))
    with running(command, folder, answers(f"{base}/status")):
        yield Endpoint(f"{base}/sparql", f"{base}/sparql")


@dataclass(frozen=True)
class Virtuoso:
    """A running Virtuoso: its SQL port and its SPARQL endpoint."""

    port: int
    endpoint: Endpoint

    def sql(self, statements: str) -> str:
        """Run statements, each ended by `;`, and return what is printed, without headings.

        The client ends with 0 whatever happens, so its messages are looked at.
        """
        command = ["isql-vt", f"127.0.0.1:{self.port}", "dba", "dba", "VERBOSE=OFF", f"EXEC={statements}"]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        assert "*** Error" not in done.stdout + done.stderr, done.stdout + done.stderr
        return done.stdout

    def number(self, query: str) -> int:
        """Return the one number that a statement yields."""
        found = re.findall(r"(?m)^\s*([0-9]+)\s*$", self.sql(query))
        assert len(found) == 1, found
        return int(found[0])


@contextmanager
def virtuoso(program: Path, folder: Path, allowed: Path) -> Iterator[Virtuoso]:
    """Run a new Virtuoso that may load files of the folder `allowed`."""
    port, web = free_port(), free_port()
    settings = starting.virtuoso_settings(folder, web, port, allowed, 200)
    (folder / "virtuoso.ini").write_text(settings, encoding="utf-8")
    base = f"http://127.0.0.1:{web}/sparql"
    ready = answers(f"{base}?{urlencode({'query': 'SELECT (1 AS ?n) {}'})}")
    with running([program, "+configfile", folder / "virtuoso.ini", "+foreground"], folder, ready):
        yield Virtuoso(port, Endpoint(base))
