"""Descriptions to Turtle: blocks (one subject each), chunks (files of sorted blocks), and merging of chunks.

Layout (the data model, section e): prefixes once; subjects in code-point order of their IRIs; `a` first, then
predicates by prefixed name, objects sorted; each object on a line of its own, so a triple is a line with four
leading blanks; a blank line after each block. No text of a literal can hold a raw line break.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import IO

from pfocr_rdf.identifiers import PREFIXES
from pfocr_rdf.terms import Description, Pair, expand, iri

HEADER = "".join(f"@prefix {prefix}: <{namespace}> .\n" for prefix, namespace in sorted(PREFIXES.items())) + "\n"
_END = " ;\n"
_NEXT = " ,\n        "
_COPY = 1 << 20


def block(subject: str, pairs: Iterable[Pair]) -> str:
    """Return the Turtle of one subject, each pair once."""
    said: dict[str, list[str]] = {}
    for predicate, value in pairs:
        values = said.get(predicate)
        if values is None:
            said[predicate] = [value]
        else:
            values.append(value)
    types = said.pop("a", None)
    parts = [f"    {predicate} {_objects(said[predicate])}" for predicate in sorted(said)]
    if types:
        parts.insert(0, f"    a {_objects(types)}")
    return f"{iri(subject)}\n{_END.join(parts)} .\n\n"


def _objects(values: list[str]) -> str:
    return values[0] if len(values) == 1 else _NEXT.join(sorted(set(values)))


def read_block(text: str) -> Description:
    """Return the subject and pairs of a block that `block` wrote."""
    subject, _, rest = text.rstrip("\n").partition("\n")
    pairs: list[Pair] = []
    for part in rest[:-2].split(_END):
        predicate, _, values = part[4:].partition(" ")
        pairs += [(predicate, value) for value in values.split(_NEXT)]
    return expand(subject), pairs


@dataclass(frozen=True, slots=True)
class Chunk:
    """A file of blocks in the order of their subjects; `first` and `last` are the bare IRIs at its ends."""

    path: str
    first: str
    last: str


def write_chunk(descriptions: Iterable[Description], path: Path) -> Chunk | None:
    """Write descriptions as one chunk; those of one subject become one block. None when there are none."""
    gathered: dict[str, list[Pair]] = {}
    for subject, pairs in descriptions:
        gathered.setdefault(subject, []).extend(pairs)
    subjects = sorted(subject for subject, pairs in gathered.items() if pairs)
    if not subjects:
        return None
    with path.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(block(subject, gathered[subject]) for subject in subjects)
    return Chunk(str(path), subjects[0], subjects[-1])


class ChunkWriter:
    """Writes a chunk whose descriptions come in the order of their subjects, one for each."""

    def __init__(self, path: Path) -> None:
        """Begin the file at `path`."""
        self._path = path
        self._out = path.open("w", encoding="utf-8", newline="\n")
        self._first = self._last = ""

    def write(self, subject: str, pairs: Iterable[Pair]) -> None:
        """Write the next block."""
        if subject <= self._last:
            raise ValueError(f"{subject} comes after {self._last}")
        self._first = self._first or subject
        self._last = subject
        self._out.write(block(subject, pairs))

    def close(self) -> Chunk:
        """Finish the file and return the chunk."""
        self._out.close()
        return Chunk(str(self._path), self._first, self._last)


def read_blocks(path: Path) -> Iterator[tuple[str, str]]:
    """Yield subject (bare IRI) and text of each block of a chunk."""
    lines: list[str] = []
    with path.open(encoding="utf-8", newline="\n") as stream:
        for line in stream:
            lines.append(line)
            if line == "\n":
                yield expand(lines[0].rstrip("\n")), "".join(lines)
                lines = []


def merge_chunks(chunks: Iterable[Chunk], out: IO[bytes]) -> int:
    """Write the blocks of all chunks in the order of their subjects; return the number of triples.

    Chunks whose ranges do not overlap are copied; the others are merged block by block, blocks of one subject
    into one. Each chunk is removed when it has been written, to spare disk.
    """
    triples = 0
    for group in _overlapping(sorted(chunks, key=lambda chunk: (chunk.first, chunk.last, chunk.path))):
        if len(group) == 1:
            triples += _copy(Path(group[0].path), out)
        else:
            streams = (read_blocks(Path(chunk.path)) for chunk in group)
            for subject, blocks in groupby(heapq.merge(*streams, key=itemgetter(0)), key=itemgetter(0)):
                texts = [text for _, text in blocks]
                if len(texts) > 1:
                    pairs = [pair for text in texts for pair in read_block(text)[1]]
                    texts = [block(subject, pairs)]
                data = texts[0].encode()
                triples += data.count(b"\n    ")
                out.write(data)
        for chunk in group:
            Path(chunk.path).unlink()
    return triples


def _overlapping(chunks: list[Chunk]) -> Iterator[list[Chunk]]:
    group: list[Chunk] = []
    last = ""
    for chunk in chunks:
        if group and chunk.first > last:
            yield group
            group = []
        group.append(chunk)
        last = max(last, chunk.last)
    if group:
        yield group


def _copy(path: Path, out: IO[bytes]) -> int:
    triples = 0
    tail = b""
    with path.open("rb") as stream:
        while piece := stream.read(_COPY):
            triples += (tail + piece).count(b"\n    ")
            tail = piece[-4:] if len(piece) >= 4 else (tail + piece)[-4:]
            out.write(piece)
    return triples
