"""Small graphs, differences and clients that ask without pause, for tests of adapters."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import zstandard

from pfocr_rdf.stores.contract import Delta, Graph, Store, StoreError

A, B, NOTE = "https://example.org/graph/a", "https://example.org/graph/b", "https://example.org/graph/note"
P = "<https://example.org/p%20q>"
TEXT = 'α 漢 \U0001f600 \\"quoted\\" \\\\ back\\nline \\u0001'
STATE = f"SELECT ?g (COUNT(*) AS ?n) WHERE {{ GRAPH ?g {{ ?s {P} ?o }} }} GROUP BY ?g"
"""Asks for the numbers of triples of all graphs at one moment."""


def lines(name: str, start: int, stop: int, text: str = TEXT) -> str:
    """N-Triples with all that is hard for a store in an object."""
    return "".join(f'<https://example.org/{name}/{n}> {P} "{text} {n}" .\n' for n in range(start, stop))


def note(text: str) -> dict[str, str]:
    return {NOTE: f'<https://example.org/store> {P} "{text}" .\n'}


def graph(folder: Path, iri: str, text: str, suffix: str = "") -> Graph:
    """A graph's file, perhaps compressed."""
    packed = text.encode()
    if suffix == ".gz":
        packed = gzip.compress(packed)
    elif suffix == ".zst":
        packed = zstandard.ZstdCompressor().compress(packed)
    digest = hashlib.sha256(packed).hexdigest()
    path = folder / f"{digest[:12]}.ttl{suffix}"
    path.write_bytes(packed)
    return Graph(iri, path, text.count("\n"), digest)


def delta(folder: Path, iri: str, removed: str, added: str) -> Delta:
    gone, new = (folder / f"{hashlib.sha256(f'{iri}{text}'.encode()).hexdigest()}.nt" for text in (removed, added))
    gone.write_text(removed, encoding="utf-8")
    new.write_text(added, encoding="utf-8")
    return Delta(iri, gone, new, removed.count("\n"), added.count("\n"))


def quiet(_: str) -> None:
    """Says nothing."""


def state(store: Store) -> dict[str, int]:
    return {row[0].value: int(row[1].value) for row in store.select(STATE).rows if row[0] is not None}


@contextmanager
def asked(opened: Callable[[], Store], clients: int = 3) -> Iterator[Counter[tuple[tuple[str, int], ...]]]:
    """Let clients ask without pause while the block lasts; yields how often each state was seen. None may fail."""
    seen: Counter[tuple[tuple[str, int], ...]] = Counter()
    failed: list[str] = []
    stopped = threading.Event()

    def ask() -> None:
        store = opened()
        while not stopped.is_set():
            try:
                seen[tuple(sorted(state(store).items()))] += 1
            except StoreError as error:
                failed.append(str(error))

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        stopped.set()
        for thread in threads:
            thread.join()
    assert failed == []
