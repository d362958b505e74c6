"""`pfocr-rdf serve` as a process on a free port, with a cache of its own."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pyoxigraph as ox

from pfocr_rdf import build, buildfolder, query
from pfocr_rdf.pipeline import Options
from pfocr_rdf.stores.content import HELD
from tests.servers import PATIENCE, answers, free_port
from tests.support import ROOT

EXAMPLE = ROOT / "docs" / "example"
FORM = "application/x-www-form-urlencoded"
JSON = "application/sparql-results+json"


@dataclass(frozen=True)
class Got:
    """What a server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")

    @property
    def media(self) -> str:
        return self.headers["content-type"].partition(";")[0]

    def rows(self) -> list[dict[str, str]]:
        assert self.status == 200, self.text
        bindings = json.loads(self.body)["results"]["bindings"]
        return [{name: value["value"] for name, value in row.items()} for row in bindings]


@dataclass(frozen=True)
class Serving:
    """A running server."""

    port: int
    process: subprocess.Popen[bytes] | None = None
    log: Path | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def send(self, method: str, path: str, body: bytes = b"", **headers: Any) -> Got:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            link.request(method, path, body or None, {name.replace("_", "-"): value for name, value in headers.items()})
            got = link.getresponse()
            return Got(got.status, {name.lower(): value for name, value in got.getheaders()}, got.read())
        finally:
            link.close()

    def get(self, text: str, accept: str = "", **fields: str) -> Got:
        path = f"/sparql?{urlencode({'query': text} | fields)}"
        return self.send("GET", path, b"", **_accept(accept))

    def post(self, text: str, accept: str = "", **fields: str) -> Got:
        body = urlencode({"query": text} | fields).encode()
        return self.send("POST", "/sparql", body, **({"Content_Type": FORM} | _accept(accept)))


def _accept(media: str) -> dict[str, Any]:
    return {"Accept": media} if media else {}


@contextmanager
def serving(place: Path, folder: Path, *options: str) -> Iterator[Serving]:
    """Serve a place while the block lasts; the server must end well when it is told to."""
    port, log = free_port(), folder / "serve.log"
    program = "from pfocr_rdf.cli import main; main()"
    command = [sys.executable, "-c", program, "serve", str(place), "--port", str(port), *options]
    environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache"), "TMPDIR": str(folder)}
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment)
        try:
            ready, end = answers(f"http://127.0.0.1:{port}/health"), time.monotonic() + PATIENCE
            while not ready():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < end, log.read_text()
                time.sleep(0.1)
            yield Serving(port, process, log)
        finally:
            process.terminate()
            code = process.wait(PATIENCE)
        assert code == 0, f"{code}: {log.read_text()}"
        assert "Traceback" not in log.read_text(), log.read_text()
        assert list(folder.glob("pfocr-rdf-serve-*")) == [], "the server leaves nothing behind"


def built(folder: Path, limit: int | None = None) -> Path:
    """A build of the example, or of its first figures."""
    return build(str(EXAMPLE), folder, Options(limit=limit), workers=1).folder


def database(made: Path, folder: Path, version: str, status: str = "complete") -> Path:
    """A database of a build, which says that it holds a version."""
    store = ox.Store(str(folder))
    query.load(store, query.by_graph(buildfolder.layer_files(made)))
    said = (
        f'<{HELD}> pav:version "{version}" ; schema:creativeWorkStatus "{status}" ; dcterms:identifier "{"0" * 64}" .'
    )
    prefixes = query.PREFIXES + "PREFIX pav: <http://purl.org/pav/>\n"
    store.update(f"{prefixes}INSERT DATA {{ GRAPH <{HELD}> {{ {said} }} }}")
    store.flush()
    return folder


def point(link: Path, target: Path) -> None:
    """Let a link lead to a target, in one act."""
    new = link.with_name(".current.new")
    new.symlink_to(os.path.relpath(target, link.parent))
    new.rename(link)
