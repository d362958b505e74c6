"""What is sent to stores: triples as SPARQL takes them, and bodies of requests that load and change; streamed.

A line of N-Triples is a triple of SPARQL too, unless it has an escape by number: SPARQL resolves those before it looks
for the end of a literal. So each line is held against the form that is safe, and any other is parsed and written anew.

Servers exist that take a body that was cut for a whole one and commit what they had read (Fuseki 5.6 does, whatever the
format). So bodies are built such that what comes before a cut is no legal text: one `INSERT DATA` with one pair of
brackets around all, and no line end where a piece of the body ends. TriG is legal after each of its graphs: there none
of the pieces, as they are sent, ends where a graph does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

import pyoxigraph as ox

from pfocr_rdf.stores import files
from pfocr_rdf.stores.contract import Delta, Graph, StoreError, lines_of

UPDATE = {"Content-Type": "application/sparql-update; charset=UTF-8"}
TRIG = {"Content-Type": "application/trig; charset=UTF-8"}
TURTLE = {"Content-Type": "text/turtle; charset=UTF-8"}

Parts = Callable[[], Iterator[bytes]]
"""What makes a body anew for each attempt."""

_IRI = r"<[^\x00-\x20<>\"{}|\\^`]+>"
_TEXT = r'"(?:[^"\\\n\r]|\\[tbnrf"\'\\])*"'
_SAFE = re.compile(rf"{_IRI} {_IRI} (?:{_IRI}|{_TEXT}(?:@[A-Za-z]+(?:-[A-Za-z0-9]+)*|\^\^{_IRI})?) \.\n?")

_LINES = 2_000
_PIECE = 1 << 17
_HELD_BACK = 1 << 12
"""Bytes that wait for what follows, so that no piece ends where a triple, a graph or an operation ends: more than the
name of a graph has."""


def name(iri: str) -> str:
    """Return an IRI as SPARQL and Turtle write it.

    Raises `StoreError` for what is no IRI.
    """
    try:
        return str(ox.NamedNode(iri))
    except ValueError as error:
        raise StoreError(f"{iri!r}: is no IRI of a graph") from error


def triples(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines of N-Triples as triples of SPARQL, each with its dot and line end.

    Raises `StoreError` for a line that is none.
    """
    for line in lines:
        if _SAFE.fullmatch(line):
            yield line if line.endswith("\n") else f"{line}\n"
        elif line.strip():
            yield from _anew(line)


def _anew(line: str) -> Iterator[str]:
    try:
        for quad in ox.parse(input=line, format=ox.RdfFormat.N_TRIPLES):
            yield f"{quad.triple} .\n"
    except SyntaxError as error:
        raise StoreError(f"a line of the difference is no N-Triples: {line[:80]!r}") from error


def lines_of_note(text: str) -> Iterator[str]:
    """Yield the lines of a note; nothing but a line feed ends one."""
    return (f"{line}\n" for line in text.split("\n") if line)


def operations(verb: str, iri: str, lines: Iterable[str], size: int) -> Iterator[str]:
    """Yield operations (`INSERT DATA`, `DELETE DATA`) over one graph, each of so many lines of N-Triples at most."""
    for batch in _batches(lines, size):
        yield f"{verb} DATA {{ GRAPH {name(iri)} {{\n{batch}}} }}"


def in_short(deltas: Iterable[Delta]) -> str:
    """Return for people how much some differences change."""
    numbers = [(delta.removals, delta.additions) for delta in deltas]
    return f"{sum(gone for gone, _ in numbers):,} triples go, {sum(come for _, come in numbers):,} come"


def size(deltas: Iterable[Delta]) -> int:
    """Return the bytes of some differences."""
    return sum(delta.removed.stat().st_size + delta.added.stat().st_size for delta in deltas)


def turtle(graph: Graph) -> Parts:
    """Return a graph as N-Triples, which is Turtle."""
    return lambda: pieces(files.ntriples(graph.path))


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
                yield from _block(delta.iri, _encoded(lines_of(delta.removed)))
            yield b"} ;\n"
        yield b"INSERT DATA {\n"
        for delta in deltas:
            yield from _block(delta.iri, _encoded(lines_of(delta.added)))
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


def _batches(lines: Iterable[str], size: int) -> Iterator[str]:
    rest = triples(lines)
    while batch := "".join(islice(rest, size)):
        yield batch


def _encoded(lines: Iterable[str]) -> Iterator[bytes]:
    return (batch.encode() for batch in _batches(lines, _LINES))


def _contents(graphs: Sequence[Graph], notes: Mapping[str, str], word: str) -> Iterator[bytes]:
    for graph in graphs:
        if graph.triples:
            yield from _block(graph.iri, files.ntriples(graph.path), word)
    for iri, text in notes.items():
        yield from _block(iri, _encoded(lines_of_note(text)), word)


def _block(iri: str, triples: Iterator[bytes], word: str = "GRAPH ") -> Iterator[bytes]:
    yield f"{word}{name(iri)} {{\n".encode()
    yield from triples
    yield b"}\n"
