"""Triples as they stand in SPARQL Update, files as a store can read them, and the rows of answers.

A line of N-Triples is a triple of SPARQL too, unless it has an escape by number: SPARQL resolves those before it looks
for the end of a literal. So each line is held against the form that is safe, and any other is parsed and written anew.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import pyoxigraph as ox

from pfocr_rdf import buildfolder, codecs
from pfocr_rdf.identifiers import ABSOLUTE_IRI
from pfocr_rdf.stores.contract import Graph, Rows, StoreError

_IRI = r"<[^\x00-\x20<>\"{}|\\^`]+>"
_TEXT = r'"(?:[^"\\\n\r]|\\[tbnrf"\'\\])*"'
_SAFE = re.compile(rf"{_IRI} {_IRI} (?:{_IRI}|{_TEXT}(?:@[A-Za-z]+(?:-[A-Za-z0-9]+)*|\^\^{_IRI})?) \.\n?")


def iri(graph: str) -> str:
    """Return a graph's IRI in angle brackets. Raises `StoreError` for what is none."""
    if ABSOLUTE_IRI.fullmatch(graph) is None:
        raise StoreError(f"{graph!r}: is no IRI of a graph")
    return f"<{graph}>"


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


def batches(lines: Iterable[str], size: int) -> Iterator[str]:
    """Yield so many lines at a time, as one text."""
    rest = iter(lines)
    while batch := list(islice(rest, size)):
        yield "".join(batch)


def lines_of_turtle(path: Path) -> Iterator[str]:
    """Yield the triples of a Turtle file, perhaps compressed, as triples of SPARQL."""
    with codecs.of_file(path).open(path) as stream:
        for quad in ox.parse(input=stream, format=ox.RdfFormat.TURTLE):
            yield f"{quad.triple} .\n"


def pieces(path: Path) -> Iterator[bytes]:
    """Yield the text of a file, perhaps compressed, piece by piece."""
    with codecs.of_file(path).open(path) as stream:
        while piece := stream.read(1 << 20):
            yield piece


def sound(graph: Graph) -> None:
    """Raise `StoreError` when a graph's file is not the one that the release states: a store may take half of it."""
    try:
        found = buildfolder.describe_file(graph.path)["sha256"]
    except OSError as error:
        raise StoreError(f"{graph.path}: cannot be read ({error.strerror})") from error
    if found != graph.sha256:
        raise StoreError(f"{graph.path}: is not the file that its manifest states; make or fetch it anew")


def readable(graph: Graph, folder: Path, name: str) -> Path:
    """Put a graph's file into a folder, as plain Turtle or gzip, without a copy where that is possible.

    `name` is that of the file there, without suffixes.
    """
    codec = codecs.of_file(graph.path)
    packed = codec is codecs.GZIP
    place = folder / f"{name}.ttl{codec.suffix if packed else ''}"
    if codec is codecs.ZSTD:
        with place.open("wb") as out:
            out.writelines(pieces(graph.path))
    else:
        linked(graph.path, place)
    return place


def linked(file: Path, place: Path) -> None:
    """Put a file at another place too, without a copy where that is possible."""
    try:
        os.link(file.resolve(), place)
    except OSError:
        shutil.copyfile(file, place)


def in_place(graph: Graph, folder: Path, name: str) -> Path:
    """Return a graph's file where it is, for a program that reads gzip; unpacked into a folder where it is zstd."""
    if codecs.of_file(graph.path) is codecs.ZSTD:
        return readable(graph, folder, name)
    return graph.path.resolve()


def rows(answer: bytes) -> Rows:
    """Return the rows of a SELECT's answer in SPARQL's JSON. Raises `StoreError` for anything else, or half of one."""
    try:
        found = ox.parse_query_results(answer, format=ox.QueryResultsFormat.JSON)
        if not isinstance(found, ox.QuerySolutions):
            raise StoreError("the answer is that of an ASK, not of a SELECT")
        names = tuple(variable.value for variable in found.variables)
        return Rows(names, [tuple(row) for row in found])
    except (SyntaxError, ValueError) as error:
        raise StoreError(f"the answer is no whole JSON of SPARQL ({error})") from error
