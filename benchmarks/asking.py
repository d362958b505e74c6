"""Clients that ask a store without pause, each answer held against the releases: failed, empty, mixed or right."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from pfocr_rdf import identifiers as ids
from pfocr_rdf.stores.content import HELD, Content

GRAPHS = (ids.graph("core"), ids.graph("links-genes-symbol"))

QUERY = f"""SELECT ?manifest ?one ?other WHERE {{
  GRAPH <{HELD}> {{ <{HELD}> <http://purl.org/dc/terms/identifier> ?manifest }}
  {{ SELECT (COUNT(*) AS ?one) WHERE {{ GRAPH <{GRAPHS[0]}> {{ ?s ?p ?o }} }} }}
  {{ SELECT (COUNT(*) AS ?other) WHERE {{ GRAPH <{GRAPHS[1]}> {{ ?s ?p ?o }} }} }}
}}"""
"""Which release it is, by its manifest, and the numbers of triples of two graphs, in one query."""

Numbers = tuple[int, int]


@dataclass
class Asked:
    """What the clients got: answers by manifest, and all that was wrong; the slowest answer in seconds."""

    right: dict[str, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    empty: int = 0
    mixed: list[str] = field(default_factory=list)
    slowest: float = 0.0

    def wait(self, seconds: float) -> None:
        """Let the clients ask for some seconds, and until they had an answer, or a failure, since."""
        before, began = self.answers, time.monotonic()
        while time.monotonic() < began + seconds or self.answers == before:
            time.sleep(0.05)

    @property
    def answers(self) -> int:
        """All answers, of whatever kind."""
        return sum(self.right.values()) + len(self.failed) + self.empty + len(self.mixed)

    @property
    def sound(self) -> bool:
        """Whether nothing was wrong."""
        return not (self.failed or self.empty or self.mixed)


def numbers(*releases: Content) -> dict[str, Numbers]:
    """Return what each of some releases has in the two graphs, by the hash of its manifest."""
    found = {}
    for release in releases:
        triples = {graph.iri: graph.triples for graph in release.graphs}
        found[release.manifest] = (triples[GRAPHS[0]], triples[GRAPHS[1]])
    return found


@contextmanager
def asking(endpoint: str, expected: Mapping[str, Numbers], clients: int = 8) -> Iterator[Asked]:
    """Let clients ask while the block lasts; what they got is whole when it has ended."""
    asked, stop, guard = Asked(), threading.Event(), threading.Lock()

    def ask() -> None:
        link = _Link(endpoint)
        while not stop.is_set():
            began = time.monotonic()
            try:
                rows = link.rows(QUERY)
            except (OSError, http.client.HTTPException, ValueError) as error:
                with guard:
                    asked.failed.append(f"{type(error).__name__}: {error}")
                link.close()
                continue
            with guard:
                _judge(asked, rows, expected)
                asked.slowest = max(asked.slowest, time.monotonic() - began)
        link.close()

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield asked
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _judge(asked: Asked, rows: list[dict[str, str]], expected: Mapping[str, Numbers]) -> None:
    if not rows:
        asked.empty += 1
    elif len(rows) != 1 or expected.get(rows[0]["manifest"]) != (int(rows[0]["one"]), int(rows[0]["other"])):
        asked.mixed.append(str(rows))
    else:
        manifest = rows[0]["manifest"]
        asked.right[manifest] = asked.right.get(manifest, 0) + 1


class _Link:
    """A connection that is kept, as clients keep them."""

    def __init__(self, endpoint: str) -> None:
        self._place = urlsplit(endpoint)
        self._link: http.client.HTTPConnection | None = None

    def rows(self, query: str) -> list[dict[str, str]]:
        if self._link is None:
            self._link = http.client.HTTPConnection(self._place.hostname or "", self._place.port, timeout=120)
        body = urlencode({"query": query}).encode()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/sparql-results+json",
        }
        self._link.request("POST", self._place.path, body, headers)
        got = self._link.getresponse()
        text = got.read()
        if got.status != 200:
            raise ValueError(f"HTTP {got.status}: {text[:200]!r}")
        bindings = json.loads(text)["results"]["bindings"]
        return [{name: value["value"] for name, value in row.items()} for row in bindings]

    def close(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None
