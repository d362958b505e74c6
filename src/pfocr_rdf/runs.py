"""Runs: subjects of one layer and family in order, cut into blocks; what shards write and layers are merged from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import IO, Any

from pfocr_rdf.blocks import Block, Cuts, Item, Seam, as_quads, united
from pfocr_rdf.codecs import CODECS
from pfocr_rdf.model import Layer


@dataclass(frozen=True, slots=True)
class Output:
    """How the files of a build are written: the name of a codec, and whether N-Quads are asked for."""

    compress: str = "none"
    nquads: bool = False


@dataclass(slots=True)
class Run:
    """Subjects of one layer and family in code-point order, in a part of a data file.

    Blocks without a digest lie there as plain Turtle, the others packed as the build wants them.
    """

    data: str
    layer: Layer
    first: str
    last: str
    blocks: list[Block]


class Chunks:
    """Bytes that are kept in the parts in which they were written, so that none is copied before the file is made."""

    def __init__(self) -> None:
        """Begin without any."""
        self.parts: list[bytes] = []
        self._size = 0

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self._size

    def write(self, data: bytes) -> int:
        """Take some bytes; return how many."""
        self.parts.append(data)
        self._size += len(data)
        return len(data)

    def extend(self, other: Chunks) -> None:
        """Take all bytes of another one."""
        self.parts += other.parts
        self._size += other.tell()


class RunWriter:
    """Gathers the subjects of one layer and family, cut into blocks as `blocks.Writer` cuts them.

    The first and the last block stay plain, for their neighbours in other shards belong to them.
    `loose` are subjects that come in any order; they are sorted at the end, and all stay plain.
    """

    def __init__(self, cuts: Cuts, out: IO[bytes] | Chunks, output: Output | None) -> None:
        """Write to `out`, whose place is known; packed as `output` says, or all blocks plain."""
        self.loose: list[Item] = []
        self._cuts, self._out, self._output = cuts, out, output
        self._parts: list[bytes] = []
        self._start = self._first = self._last = ""
        self._blocks: list[Block] = []

    def add(self, first: str, last: str, data: bytes, key: str) -> None:
        """Take subjects that are cut by one id, from `first` to `last`."""
        if self._parts and self._cuts.begins(key):
            self._close(self._output if self._blocks else None)
        if not self._parts:
            self._first = first
        if not self._start:
            self._start = first
        self._last = last
        self._parts.append(data)

    def put(self, subject: str, text: str, key: str) -> None:
        """Take one subject; those that do not come in order are kept to the end."""
        if subject > self._last:
            self.add(subject, subject, text.encode(), key)
        else:
            self.loose.append((subject, text))

    def _close(self, output: Output | None) -> None:
        data = b"".join(self._parts)
        self._parts = []
        start = self._out.tell()
        if output is None:
            self._out.write(data)
            self._blocks.append(Block(self._first, start, len(data), 0, ""))
            return
        packed = CODECS[output.compress].encode(data)
        quads = as_quads(self._cuts.layer, data) if output.nquads else b""
        self._out.write(packed)
        if quads:
            self._out.write(quads)
        self._blocks.append(
            Block.of(self._first, data)._replace(
                offset=start, size=len(packed), quads_offset=start + len(packed), quads_size=len(quads)
            )
        )

    def finish(self, layer: Layer) -> Iterator[dict[str, Any]]:
        """Close the last block and yield the run, or one for each family of the loose subjects."""
        if self._parts:
            self._close(None)
            yield {"layer": str(layer), "first": self._start, "last": self._last, "blocks": self._blocks}
        for _, group in groupby(united(sorted(self.loose)), key=lambda item: self._cuts.place(item[0])[0]):
            blocks: list[Block] = []
            texts: list[str] = []
            begin, last, seam = "", "", Seam(self._cuts)
            for subject, text in group:
                if seam.cut(subject) and texts:
                    blocks.append(self._plain(begin, texts))
                    texts = []
                if not texts:
                    begin = subject
                texts.append(text)
                last = subject
            blocks.append(self._plain(begin, texts))
            yield {"layer": str(layer), "first": blocks[0].first, "last": last, "blocks": blocks}

    def _plain(self, first: str, texts: list[str]) -> Block:
        data = "".join(texts).encode()
        start = self._out.tell()
        self._out.write(data)
        return Block(first, start, len(data), 0, "")


def run_from(data: str, found: Mapping[str, Any]) -> Run:
    """Return the run that `RunWriter.finish` told of."""
    found_blocks = [Block(*parts) for parts in found["blocks"]]
    return Run(data, Layer(found["layer"]), found["first"], found["last"], found_blocks)


def moved(found: Iterable[Block], by: int) -> list[Block]:
    """Return blocks, and their N-Quads, so many bytes further on."""
    return [
        block._replace(offset=block.offset + by, quads_offset=block.quads_offset + by if block.quads_size else 0)
        for block in found
    ]
