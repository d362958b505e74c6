"""Bodies of requests that load and change: N-Triples of files, one SPARQL Update, one TriG; streamed, never held.

Servers exist that take a body that was cut for a whole one and commit what they had read (Fuseki 5.6 does, whatever the
format). So bodies are built such that what comes before a cut is no legal text: one `INSERT DATA` with one pair of
brackets around all, and no line end where a piece of the body ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import pyoxigraph as ox

from pfocr_rdf import codecs
from pfocr_rdf.stores.contract import Delta, Graph, StoreError

UPDATE = {"Content-Type": "application/sparql-update; charset=utf-8"}
TRIG = {"Content-Type": "application/trig; charset=utf-8"}
TURTLE = {"Content-Type": "text/turtle; charset=utf-8"}

Parts = Callable[[], Iterator[bytes]]
"""What makes a body anew for each attempt."""

UNREADABLE: tuple[type[Exception], ...] = (SyntaxError, ValueError, *codecs.DAMAGED)
"""What reading a file of Turtle may raise."""

_TRIPLES = 10_000
_PIECE = 1 << 17
_HELD_BACK = 40
"""Bytes that wait for what follows, so that no piece ends where a triple or an operation ends."""


def name(iri: str) -> str:
    """Return an IRI as SPARQL and Turtle write it.

    Raises `StoreError` for what is no IRI.
    """
    try:
        return str(ox.NamedNode(iri))
    except ValueError as error:
        raise StoreError(f"{iri!r}: is no IRI of a graph") from error


def ntriples(path: Path) -> Iterator[bytes]:
    """Yield a Turtle file as N-Triples, some thousand at a time.

    Raises `StoreError` where the file is damaged or no Turtle.
    """
    try:
        with codecs.of_file(path).open(path) as stream:
            quads = iter(ox.parse(input=stream, format=ox.RdfFormat.TURTLE))
            while some := list(islice(quads, _TRIPLES)):
                yield ox.serialize((quad.triple for quad in some), format=ox.RdfFormat.N_TRIPLES) or b""
    except UNREADABLE as error:
        raise unreadable(path, error) from error


def lines_of_turtle(path: Path) -> Iterator[str]:
    """Yield a Turtle file as lines of N-Triples."""
    for part in ntriples(path):
        yield from (f"{line}\n" for line in part.decode().split("\n") if line)


def turtle(graph: Graph) -> Parts:
    """Return a graph as N-Triples, which is Turtle."""
    return lambda: pieces(ntriples(graph.path))


def unreadable(path: Path, error: BaseException) -> StoreError:
    """Return the error of a file that cannot be loaded."""
    said = str(error).partition("\n")[0][:200]
    return StoreError(f"{path}: cannot be loaded ({said}); build or download it again")


def lines(path: Path) -> Iterator[bytes]:
    """Yield a file of N-Triples in pieces."""
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            yield piece


def replacement(graphs: Sequence[Graph], notes: Mapping[str, str]) -> Parts:
    """Return one SPARQL Update that replaces graphs and notes."""

    def parts() -> Iterator[bytes]:
        for iri in (*(graph.iri for graph in graphs), *notes):
            yield f"DROP SILENT GRAPH {name(iri)} ;\n".encode()
        yield b"INSERT DATA {\n"
        yield from _contents(graphs, notes, "GRAPH ")
        yield b"}\n"

    return lambda: pieces(parts())


def dataset(graphs: Sequence[Graph], notes: Mapping[str, str]) -> Parts:
    """Return all of it as TriG."""
    return lambda: pieces(_contents(graphs, notes, ""))


def changes(deltas: Sequence[Delta], notes: Mapping[str, str]) -> Parts:
    """Return one SPARQL Update that removes, adds, and replaces the notes."""

    def parts() -> Iterator[bytes]:
        for iri in notes:
            yield f"DROP SILENT GRAPH {name(iri)} ;\n".encode()
        if any(delta.removals for delta in deltas):
            yield b"DELETE DATA {\n"
            for delta in deltas:
                yield from _block(delta.iri, lines(delta.removed))
            yield b"} ;\n"
        yield b"INSERT DATA {\n"
        for delta in deltas:
            yield from _block(delta.iri, lines(delta.added))
        yield from _contents((), notes, "GRAPH ")
        yield b"}\n"

    return lambda: pieces(parts())


def removal(graphs: Iterable[str]) -> bytes:
    """Return a SPARQL Update that removes graphs."""
    return " ;\n".join(f"DROP SILENT GRAPH {name(iri)}" for iri in graphs).encode()


def pieces(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the bytes of parts in pieces of which none but the last ends where a part ends."""
    held = b""
    for part in parts:
        held += part
        if len(held) > _PIECE:
            yield held[:-_HELD_BACK]
            held = held[-_HELD_BACK:]
    yield held


def _contents(graphs: Sequence[Graph], notes: Mapping[str, str], word: str) -> Iterator[bytes]:
    for graph in graphs:
        if graph.triples:
            yield from _block(graph.iri, ntriples(graph.path), word)
    for iri, text in notes.items():
        yield from _block(iri, iter([text.encode()]), word)


def _block(iri: str, triples: Iterator[bytes], word: str = "GRAPH ") -> Iterator[bytes]:
    yield f"{word}{name(iri)} {{\n".encode()
    yield from triples
    yield b"}\n"
