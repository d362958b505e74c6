"""Small graphs, differences, clients that ask without pause, and rules that several adapters are held to with them."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest
import zstandard

from pfocr_rdf.stores.contract import Delta, Graph, Store, StoreError

A, B, NOTE = "https://example.org/graph/a", "https://example.org/graph/b", "https://example.org/graph/note"
P = "<https://example.org/p%20q>"
READ = 'α 漢 \U0001f600 "quoted" \\ back\nline \x01 {}'
TEXT = 'α 漢 \U0001f600 \\"quoted\\" \\\\ back\\nline \\u0001'
STATE = f"SELECT ?g (COUNT(*) AS ?n) WHERE {{ GRAPH ?g {{ ?s {P} ?o }} }} GROUP BY ?g"
"""Asks for the numbers of triples of all graphs at one moment."""

Opened = Callable[[], AbstractContextManager[Store]]


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


def quiet(_: object) -> None:
    """Says nothing."""


def state(store: Store) -> dict[str, int]:
    return {row[0].value: int(row[1].value) for row in store.select(STATE).rows if row[0] is not None}


@contextmanager
def asked(opened: Opened, clients: int = 3) -> Iterator[Counter[tuple[tuple[str, int], ...]]]:
    """Let clients ask without pause while the block lasts; yields how often each state was seen. None may fail."""
    seen: Counter[tuple[tuple[str, int], ...]] = Counter()
    failed: list[str] = []
    stopped = threading.Event()

    def ask(store: Store) -> None:
        while not stopped.is_set():
            try:
                seen[tuple(sorted(state(store).items()))] += 1
            except StoreError as error:
                failed.append(str(error))

    with ExitStack() as stack:
        threads = [threading.Thread(target=ask, args=(stack.enter_context(opened()),)) for _ in range(clients)]
        for thread in threads:
            thread.start()
        try:
            yield seen
        finally:
            stopped.set()
            for thread in threads:
                thread.join()
    assert failed == []


def is_loaded(store: Store, folder: Path, suffix: str) -> None:
    """Files are loaded, compressed or not, and then replaced."""
    graphs = [graph(folder, A, lines("a", 0, 30), suffix), graph(folder, B, lines("b", 0, 40))]
    store.replace(graphs, note("1"), quiet)
    assert store.counts() == {A: 30, B: 40, NOTE: 1}
    found = store.select(f"SELECT ?o WHERE {{ <https://example.org/a/7> {P} ?o }}").rows
    assert [row[0].value for row in found] == [READ.format(7)]
    store.replace([graph(folder, A, lines("c", 0, 5), suffix), graph(folder, B, "")], note("2"), quiet)
    assert store.counts() == {A: 5, NOTE: 1}


def is_replaced_at_once(store: Store, opened: Opened, folder: Path) -> None:
    """Clients see a whole replacement or none."""

    def replace(number: int) -> None:
        texts = {iri: lines(f"{iri[-1]}{number}", 0, 1000 * number) for iri in (A, B)}
        store.replace([graph(folder, iri, text) for iri, text in texts.items()], note(str(number)), quiet)

    replace(1)
    with asked(opened) as seen:
        replace(2)
        replace(3)
    assert set(seen) <= {((A, 1000 * n), (B, 1000 * n), (NOTE, 1)) for n in (1, 2, 3)}
    assert len(seen) > 1


def is_changed_at_once(store: Store, opened: Opened, folder: Path) -> None:
    """Clients see a whole change or none, and the same change does no harm again."""
    store.replace([graph(folder, iri, lines("x", 0, 2000)) for iri in (A, B)], note("1"), quiet)
    deltas = [delta(folder, iri, lines("x", 0, 1000), lines("y", 0, 2000)) for iri in (A, B)]
    before, after = (((A, n), (B, n), (NOTE, 1)) for n in (2000, 3000))
    with asked(opened) as seen:
        store.change(deltas, note("2"), quiet)
        assert state(store) == dict(after)
    assert set(seen) <= {before, after}
    said = store.select(f"SELECT ?o WHERE {{ GRAPH <{NOTE}> {{ ?s ?p ?o }} }}").rows
    assert [row[0].value for row in said] == ["2"]
    store.change(deltas, note("2"), quiet)
    assert state(store) == dict(after)


def another_file_changes_nothing(store: Store, folder: Path) -> None:
    """A file that is not that of its manifest is refused."""
    store.replace([graph(folder, A, lines("a", 0, 3))], {}, quiet)
    cut = graph(folder, A, lines("b", 0, 9))
    cut.path.write_bytes(cut.path.read_bytes()[:-20])
    with pytest.raises(StoreError, match="is not the file that its manifest states"):
        store.replace([cut], {}, quiet)
    assert store.counts() == {A: 3}
