"""What every adapter of a store is held to, against the real store: small graphs, what readers see, what faults leave.

A store under test is a `Place`: how it is opened, and where. `tests/test_store_contract.py` runs the rules on all.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import pyoxigraph as ox

from pfocr_rdf.stores import open as stores
from pfocr_rdf.stores.contract import Delta, Graph, Kind, Reach, Store

BASE = "https://example.org/graph/"
ONE, TWO, NOTE, OTHER = (f"{BASE}{name}" for name in ("one", "two", "note", "other"))
VERSION = "https://example.org/version"

TERMS = r"""
@prefix e: <https://example.org/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
e:s e:p <https://example.org/a%20b?c=d&e=f#g>, <https://example.org/é/漢>, "plain", "", "español"@es, "colour"@en,
    "2024-02-29"^^xsd:date, 5, true, "2.5"^^xsd:decimal, "P1D"^^<https://example.org/own>,
    "quote \" apostrophe ' backslash \\ newline \n return \r tab \t",
    "no escape: \\u0041 \\n", "α-synuclein κB", "emoji 🧬",
    "%41 {?s} <b>&amp;</b> # .", " blanks  ", "} ; DROP ALL ; {" .
"""
LONG = "A long caption. " * 3_000


def said(_: str) -> None:
    """Hear what a store says."""


@dataclass
class Place:
    """A store that runs: what a user gives, and how."""

    to: str
    kind: Kind | None = None
    update: str = ""
    graph_store: str = ""
    jar: Path | None = None
    lossy: frozenset[str] = frozenset()
    """Terms that the store is known not to keep as they are."""

    @contextmanager
    def opened(self, patience: float = 20.0) -> Iterator[Store]:
        """Open it."""
        with stores.opened(
            self.to,
            kind=self.kind,
            update=self.update,
            graph_store=self.graph_store,
            jar=self.jar,
            patience=patience,
        ) as store:
            yield store

    @property
    def served(self) -> bool:
        """Whether it is a server."""
        return "://" in self.to

    @property
    def target(self) -> tuple[str, int]:
        """Host and port of the server."""
        place = urlsplit(self.to)
        assert place.hostname
        assert place.port
        return place.hostname, place.port

    def at(self, port: int) -> Place:
        """The same server, reached at another port of this machine."""

        def moved(address: str) -> str:
            return urlsplit(address)._replace(netloc=f"127.0.0.1:{port}").geturl() if address else ""

        return replace(self, to=moved(self.to), update=moved(self.update), graph_store=moved(self.graph_store))


@dataclass
class Files:
    """Makes the files of graphs and differences in a folder."""

    folder: Path
    made: int = 0

    def graph(self, iri: str, text: str, triples: int | None = None) -> Graph:
        """A graph of some Turtle."""
        path = self._write(text, ".ttl")
        counted = (
            len({quad.triple for quad in ox.parse(text, format=ox.RdfFormat.TURTLE)}) if triples is None else triples
        )
        return Graph(iri, path, counted, hashlib.sha256(text.encode()).hexdigest())

    def numbered(self, iri: str, first: int, last: int) -> Graph:
        """A graph of numbered triples."""
        return self.graph(iri, "".join(lines(first, last)))

    def delta(self, iri: str, removed: list[str], added: list[str]) -> Delta:
        """A difference of sorted lines."""
        texts = ["".join(sorted(each)) for each in (removed, added)]
        return Delta(iri, self._write(texts[0], ".nt"), self._write(texts[1], ".nt"), len(removed), len(added))

    def _write(self, text: str, suffix: str) -> Path:
        self.made += 1
        path = self.folder / f"{self.made}{suffix}"
        path.write_text(text, encoding="utf-8", newline="\n")
        return path


def lines(first: int, last: int) -> list[str]:
    """Numbered triples as N-Triples."""
    return [
        f'<https://example.org/s{number // 5}> <https://example.org/p> "number {number}, αβ" .\n'
        for number in range(first, last)
    ]


def note(version: str) -> dict[str, str]:
    """A note that says a version."""
    return {NOTE: f'<{NOTE}> <{VERSION}> "{version}" .\n'}


def content(store: Store, iri: str) -> set[tuple[str, str, str]]:
    """All triples of a graph, as N-Triples writes their terms."""
    found = store.select(f"SELECT ?s ?p ?o WHERE {{ GRAPH <{iri}> {{ ?s ?p ?o }} }}")
    return {(str(s), str(p), str(o)) for s, p, o in found.rows}


def parsed(text: str) -> set[tuple[str, str, str]]:
    """The same of some Turtle."""
    quads = ox.parse(text, format=ox.RdfFormat.TURTLE)
    return {(str(quad.subject), str(quad.predicate), str(quad.object)) for quad in quads}


STATE = f"""SELECT ?one ?two ?version WHERE {{
  {{ SELECT (COUNT(*) AS ?one) WHERE {{ GRAPH <{ONE}> {{ ?a ?b ?c }} }} }}
  {{ SELECT (COUNT(*) AS ?two) WHERE {{ GRAPH <{TWO}> {{ ?d ?e ?f }} }} }}
  OPTIONAL {{ GRAPH <{NOTE}> {{ ?x <{VERSION}> ?version }} }}
}}"""


def state(store: Store) -> tuple[int, int, str]:
    """The counts of two graphs and the version, in one query."""
    ((one, two, version),) = store.select(STATE).rows
    return int(one.value), int(two.value), version.value if version else ""


@dataclass
class Watch:
    """What readers saw while something was done."""

    seen: set[tuple[int, int, str]] = field(default_factory=set)
    times: int = 0
    errors: list[str] = field(default_factory=list)


@contextmanager
def watched(place: Place, readers: int = 2) -> Iterator[Watch]:
    """Let readers ask without pause while the block lasts, each at least once before it and once after it began."""
    watch, end, ready = Watch(), threading.Event(), threading.Barrier(readers + 1)

    def read() -> None:
        with place.opened(patience=0.0) as store:
            watch.seen.add(state(store))
            ready.wait(60)
            while not end.is_set():
                try:
                    watch.seen.add(state(store))
                except Exception as error:
                    watch.errors.append(repr(error))
                watch.times += 1

    threads = [threading.Thread(target=read, daemon=True) for _ in range(readers)]
    for thread in threads:
        thread.start()
    ready.wait(60)
    try:
        yield watch
    finally:
        end.set()
        for thread in threads:
            thread.join(60)


def held_to(reach: Reach, watch: Watch, states: list[tuple[int, int, str]]) -> None:
    """Assert that what was seen is what a store declares."""
    assert not watch.errors
    assert watch.times
    if reach is Reach.ALL:
        assert watch.seen <= set(states)
    elif reach is Reach.GRAPH:
        for place in range(2):
            assert {seen[place] for seen in watch.seen} <= {each[place] for each in states}


def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def counted(store: Store, graphs: Mapping[str, int]) -> None:
    """Assert what a store holds, apart from a store's own graphs."""
    assert {iri: n for iri, n in store.counts().items() if iri.startswith(BASE)} == dict(graphs)
