"""Files of graphs: held against what a release states, read as triples, and put where a store's program reads them."""

from __future__ import annotations

import os
import shutil
from collections import deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pyoxigraph as ox

from pfocr_rdf import buildfolder, codecs
from pfocr_rdf.stores.contract import Graph, StoreError

UNREADABLE: tuple[type[Exception], ...] = (SyntaxError, ValueError, *codecs.DAMAGED)
"""What reading a file of Turtle may raise."""

_TRIPLES = 10_000


def unreadable(path: Path, error: BaseException) -> StoreError:
    """Return the error of a file that cannot be loaded."""
    said = str(error).partition("\n")[0][:200]
    return StoreError(f"{path}: cannot be loaded ({said}); build or download it again")


def sound(graph: Graph) -> None:
    """Raise `StoreError` when a graph's file is not the one that the release states, or is no Turtle.

    A store may take the part before an error and say nothing; reading the file costs little beside loading it.
    """
    try:
        found = buildfolder.describe_file(graph.path)["sha256"]
        if found != graph.sha256:
            raise StoreError(f"{graph.path}: is not the file that its manifest states; make or fetch it anew")
        with codecs.of_file(graph.path).open(graph.path) as stream:
            deque(ox.parse(input=stream, format=ox.RdfFormat.TURTLE), maxlen=0)
    except UNREADABLE as error:
        raise unreadable(graph.path, error) from error


def ntriples(path: Path) -> Iterator[bytes]:
    """Yield a Turtle file, perhaps compressed, as N-Triples, some thousand at a time.

    Raises `StoreError` where the file is damaged or no Turtle.
    """
    try:
        with codecs.of_file(path).open(path) as stream:
            quads = iter(ox.parse(input=stream, format=ox.RdfFormat.TURTLE))
            while some := list(islice(quads, _TRIPLES)):
                yield ox.serialize((quad.triple for quad in some), format=ox.RdfFormat.N_TRIPLES) or b""
    except UNREADABLE as error:
        raise unreadable(path, error) from error


def lines(path: Path) -> Iterator[str]:
    """Yield a Turtle file, perhaps compressed, as lines of N-Triples."""
    for part in ntriples(path):
        yield from (f"{line}\n" for line in part.decode().split("\n") if line)


def unpacked(path: Path) -> Iterator[bytes]:
    """Yield the text of a file, perhaps compressed, piece by piece."""
    with codecs.of_file(path).open(path) as stream:
        while piece := stream.read(1 << 20):
            yield piece


def readable(graph: Graph, folder: Path, name: str) -> Path:
    """Put a graph's file into a folder, as plain Turtle or gzip, without a copy where that is possible.

    `name` is that of the file there, without suffixes.
    """
    codec = codecs.of_file(graph.path)
    packed = codec is codecs.GZIP
    place = folder / f"{name}.ttl{codec.suffix if packed else ''}"
    if codec is codecs.ZSTD:
        with place.open("wb") as out:
            out.writelines(unpacked(graph.path))
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


def plain(graph: Graph, folder: Path, name: str) -> Path:
    """Write a graph into a folder as Turtle that any parser understands: N-Triples."""
    place = folder / f"{name}.ttl"
    with place.open("wb") as out:
        out.writelines(ntriples(graph.path))
    return place
