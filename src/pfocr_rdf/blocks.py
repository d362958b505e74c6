"""Layers as sequences of blocks: where they are cut, their index, writing, copying and reading them.

A block is a run of subjects in code-point order. It is cut by content alone: before a subject of another family
(figures, mentions, papers, images, each other namespace), and before the first subject of a paper or entity whose
id has a checksum that says so. So blocks depend neither on workers nor on shards, an inserted figure changes one
block of each layer, and equal blocks of two builds are equal bytes. With compression each block is one member.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import IO, NamedTuple, overload

from pfocr_rdf import identifiers as ids
from pfocr_rdf import serialize, storage
from pfocr_rdf.codecs import DAMAGED, GZIP, Codec
from pfocr_rdf.errors import UsageError
from pfocr_rdf.model import Layer
from pfocr_rdf.terms import expand

INDEX = "blocks.tsv"
COLUMNS = ("layer", "first", "offset", "bytes", "triples", "sha256", "quads_offset", "quads_bytes")
_DIGITS = 24
"""Hex digits of a block's SHA-256 that the index keeps."""

_PIECE = 1 << 20
"""Bytes of blocks that are copied at once, about."""

Item = tuple[str, str]
"""A subject (bare IRI) and its Turtle."""

_CUTS = {
    Layer.EVIDENCE_GENES: 4,
    Layer.CORE: 16,
    Layer.COMPAT: 16,
    Layer.EVIDENCE_CHEMICALS: 16,
    Layer.EVIDENCE_DISEASES: 32,
    Layer.LINKS_GENES_SYMBOL: 32,
    Layer.LINKS_GENES_SYNONYM: 32,
    Layer.LINKS_GENES_FAMILY: 32,
    Layer.LINKS_CHEMICALS: 128,
    Layer.LINKS_DISEASES: 256,
}
_OF_PAPERS = (ids.MENTIONS, ids.FIGURES, ids.PAPERS)
_USUAL_CUT = 128
"""One id in so many begins a block (powers of two), so that blocks of all layers are of about 20 to 40 KB."""


class Block(NamedTuple):
    """A block in a layer's file: its first subject, place, size, triples and hash of the text.

    `quads_offset` and `quads_size` place its N-Quads in `pfocr-all.nq.gz`; both are 0 where there is none.
    """

    first: str
    offset: int
    size: int
    triples: int
    digest: str
    quads_offset: int = 0
    quads_size: int = 0

    @classmethod
    def of(cls, first: str, data: bytes) -> Block:
        """Return the block of a text that has no place yet."""
        return cls(first, 0, 0, count(data), digest(data))


@dataclass(frozen=True, slots=True)
class Cuts:
    """The rule that cuts one layer: family and id of a subject, and whether an id begins a block."""

    layer: Layer
    image_pattern: str

    def place(self, subject: str) -> tuple[str, str]:
        """Return the family of a subject and the id by which it is cut: a PMCID, or the IRI itself."""
        return place(subject, self.image_pattern if self.layer is Layer.CORE else "")

    def begins(self, key: str) -> bool:
        """Whether an id begins a block."""
        return not zlib.crc32(key.encode()) & (_CUTS.get(self.layer, _USUAL_CUT) - 1)


class Seam:
    """Tells, subject by subject in order, where a layer is cut."""

    def __init__(self, cuts: Cuts) -> None:
        """Begin before the first subject."""
        self._cuts = cuts
        self.family: str | None = None
        self.key: str | None = None

    def cut(self, subject: str) -> bool:
        """Whether a block begins with this subject, which comes next."""
        family, key = self._cuts.place(subject)
        begins = family != self.family or (key != self.key and self._cuts.begins(key))
        self.family, self.key = family, key
        return begins


def place(subject: str, image_pattern: str) -> tuple[str, str]:
    """Return the family of a subject and the id by which it is cut.

    Images are described in `core` alone; elsewhere, an address like theirs is one of a thing (an empty pattern).
    """
    if subject.startswith(_OF_PAPERS):
        for family in (ids.MENTIONS, ids.FIGURES):
            if subject.startswith(family):
                return family, subject[len(family) : subject.find("__", len(family))]
        return ids.PAPERS, subject[len(ids.PAPERS) :]
    if image_pattern:
        start, image = _image(image_pattern)
        if subject.startswith(start) and (match := image.fullmatch(subject)):
            return start, match[1]
    return subject[: subject.find("/", 8) + 1], subject


def can_update(image_pattern: str) -> bool:
    """Whether the images of one paper can be found by their addresses: all begin with something that ends its PMCID."""
    return bool(re.fullmatch(r"[^{]*\{pmcid\}[^0-9{][^{]*\{filename\}[^{]*", image_pattern))


@lru_cache(maxsize=8)
def _image(pattern: str) -> tuple[str, re.Pattern[str]]:
    """Return the constant start of an image pattern, and what reads the PMCID back from an image's address."""
    escaped = re.escape(pattern)
    for name, group in (("pmcid", "(PMC[0-9]+)"), ("filename", "(?:[^/]*)")):
        escaped = escaped.replace(re.escape(f"{{{name}}}"), group)
    return re.split(r"[{]", pattern, maxsplit=1)[0], re.compile(escaped)


def digest(data: bytes) -> str:
    """Return the hash by which blocks are compared."""
    return hashlib.sha256(data).hexdigest()[:_DIGITS]


def count(data: bytes) -> int:
    """Return the number of triples in Turtle as `serialize` lays it out."""
    return data.count(b"\n    ")


def items(data: bytes) -> Iterator[Item]:
    """Yield the subjects of a block with their Turtle."""
    return ((subject_of(text), text) for text in stanzas(data.decode()))


def stanzas(text: str) -> list[str]:
    """Return the Turtle of each subject of a block."""
    return [f"{stanza}\n\n" for stanza in text.split("\n\n") if stanza]


def as_quads(layer: Layer, data: bytes) -> bytes:
    """Return a block of a layer as it stands in `pfocr-all.nq.gz`: its N-Quads, one gzip member."""
    return GZIP.encode(serialize.quads(data.decode(), ids.graph(layer)).encode())


def subject_of(text: str) -> str:
    """Return the (first) subject of some Turtle that `serialize` wrote."""
    return expand(text[: text.index("\n")])


def united(found: Iterable[Item]) -> Iterator[Item]:
    """Yield sorted subjects with the Turtle of those that stand there more than once made one."""
    for subject, group in groupby(found, key=itemgetter(0)):
        texts = list(dict.fromkeys(text for _, text in group))
        if len(texts) > 1:
            texts = [serialize.block(subject, [pair for text in texts for pair in serialize.read_block(text)[1]])]
        yield subject, texts[0]


class Source:
    """The blocks of one file, read by place; keeps the file open."""

    def __init__(
        self,
        place: str,
        codec: Codec,
        quads: str | None = None,
        *,
        end: int | None = None,
        ahead: int = storage.AHEAD,
    ) -> None:
        """Read blocks of the file at `place`, and their N-Quads from the file `quads`; of a store as `Reader` does."""
        self.place, self.codec = place, codec
        self.reader = storage.Reader(place, end=end, ahead=ahead)
        self.quads = self.reader if quads == place else storage.Reader(quads) if quads else None

    def packed(self, block: Block) -> bytes:
        """Return a block's bytes as they stand in the file."""
        return self.reader.read(block.offset, block.size)

    def packed_quads(self, block: Block) -> bytes:
        """Return the bytes of a block's N-Quads as they stand in their file."""
        if self.quads is None:
            return b""
        return self.quads.read(block.quads_offset, block.quads_size)

    def text(self, block: Block) -> bytes:
        """Return a block's Turtle.

        Raises `UsageError` when the file does not hold what its index says.
        """
        if not block.digest:
            return self.packed(block)
        try:
            data = self.codec.decode(self.packed(block))
        except DAMAGED as error:
            raise UsageError(f"{self.place}: cannot be read ({error}); build again") from error
        if digest(data) != block.digest:
            raise UsageError(f"{self.place}: is not what {INDEX} says of it; build again with --no-cache")
        return data

    def items(self, block: Block) -> Iterator[Item]:
        """Yield the subjects of a block with their Turtle."""
        return items(self.text(block))

    def close(self) -> None:
        """Close the files."""
        self.reader.close()
        if self.quads:
            self.quads.close()


def _pieces(found: Sequence[Block]) -> Iterator[Sequence[Block]]:
    """Yield blocks in pieces of their file that are worth reading at once."""
    at = 0
    for number, block in enumerate(found):
        if block.offset + block.size - found[at].offset > _PIECE:
            yield found[at : number + 1]
            at = number + 1
    if at < len(found):
        yield found[at:]


class Writer:
    """Writes one layer: subjects and finished blocks in order, cut by the rule; knows size, hash and index."""

    def __init__(self, out: IO[bytes], cuts: Cuts, codec: Codec, quads_out: IO[bytes] | None = None) -> None:
        """Write to `out`, and the N-Quads of each block to `quads_out` if given."""
        self.blocks: list[Block] = []
        self.hash = hashlib.sha256()
        self.size = self.triples = 0
        self._out, self._cuts, self._codec, self._quads_out = out, cuts, codec, quads_out
        self._quads_size = 0
        self._texts: list[str] = []
        self._first = ""
        self._seam = Seam(cuts)
        self._held: tuple[Source, Block] | None = None

    def header(self, text: str) -> None:
        """Write a block that holds no subject."""
        self._write("", text.encode())

    def add(self, subject: str, text: str) -> None:
        """Write the Turtle of a subject, or of several that are cut as this one, which comes first."""
        if self._seam.cut(subject):
            self.flush()
        elif self._held:
            self._open_held()
        if not self._texts:
            self._first = subject
        self._texts.append(text)
        last = text.rfind("\n\n", 0, -2)
        if last >= 0:  # of several subjects the last one tells where the next is cut
            self._seam.cut(subject_of(text[last + 2 :]))

    def copy(self, source: Source, block: Block) -> None:
        """Write a finished block as it is, unless a neighbour that is now before it belongs to it."""
        if block.digest and self._seam.cut(block.first):
            self.flush()
            self._held = source, block
            self._seam.key = None
            return
        self.add(block.first, source.text(block).decode())

    def copy_all(self, source: Source, found: Sequence[Block]) -> None:
        """Write finished blocks that follow one another there too.

        Only the first can belong to what is before it by now, and only to the last can anything be added.
        """
        for block in found[:1]:
            self.copy(source, block)
        if between := found[1:-1]:
            self.flush()
            self._put_all(source, between)
        for block in found[1:][-1:]:
            self.flush()
            self._seam.family = None
            self.copy(source, block)

    def _open_held(self) -> None:
        """Take a finished block up again, for a subject follows that belongs to it."""
        if self._held:
            source, block = self._held
            self._held = None
            self._first = block.first
            self._texts = [source.text(block).decode()]

    def flush(self) -> None:
        """Finish the block that is open."""
        if self._held:
            source, block = self._held
            self._held = None
            packed, packed_quads = source.packed(block), source.packed_quads(block)
            self._put(packed, packed_quads, block)
        elif self._texts:
            data = "".join(self._texts).encode()
            self._texts = []
            self._write(self._first, data)

    def _write(self, first: str, data: bytes) -> None:
        block = Block(first, 0, 0, count(data), digest(data))
        quads = as_quads(self._cuts.layer, data) if self._quads_out is not None and first else b""
        self._put(self._codec.encode(data), quads, block)

    def _put(self, packed: bytes, packed_quads: bytes, block: Block) -> None:
        self.blocks.append(
            Block(
                block.first,
                self.size,
                len(packed),
                block.triples,
                block.digest,
                self._quads_size if self._quads_out is not None else 0,
                len(packed_quads),
            )
        )
        self._out.write(packed)
        self.hash.update(packed)
        self.size += len(packed)
        self.triples += block.triples
        if self._quads_out is not None:
            self._quads_out.write(packed_quads)
            self._quads_size += len(packed_quads)

    def _put_all(self, source: Source, found: Sequence[Block]) -> None:
        """Put finished blocks; those that lie side by side are read and written in large pieces."""
        for same in _pieces(found):
            start, quads_start = same[0].offset, same[0].quads_offset
            size, quads_size = sum(block.size for block in same), sum(block.quads_size for block in same)
            quads = self._quads_out is not None and quads_size > 0
            last = same[-1]
            if last.offset + last.size != start + size or (
                quads and last.quads_offset + last.quads_size != quads_start + quads_size
            ):
                for block in same:
                    self._put(source.packed(block), source.packed_quads(block), block)
                continue
            by, quads_by = self.size - start, self._quads_size - quads_start
            packed = source.reader.read(start, size)
            self._out.write(packed)
            self.hash.update(packed)
            self.size += size
            self.triples += sum(block.triples for block in same)
            if quads and self._quads_out is not None and source.quads is not None:
                self._quads_out.write(source.quads.read(quads_start, quads_size))
                self._quads_size += quads_size
                self.blocks += [b._replace(offset=b.offset + by, quads_offset=b.quads_offset + quads_by) for b in same]
            else:
                self.blocks += [Block(b.first, b.offset + by, b.size, b.triples, b.digest) for b in same]


def write_index(path: Path, layers: Iterable[tuple[Layer, Sequence[Block]]]) -> None:
    """Write `blocks.tsv`: one line for each block, with a header line."""
    with path.open("w", encoding="utf-8", newline="\n") as out:
        out.write("\t".join(COLUMNS) + "\n")
        for layer, found in layers:
            out.writelines(
                f"{layer}\t{b.first}\t{b.offset}\t{b.size}\t{b.triples}\t{b.digest}\t{b.quads_offset}\t{b.quads_size}\n"
                for b in found
            )


def read_index(path: Path) -> dict[str, list[Block]]:
    """Return the blocks of each layer, in order.

    Raises `UsageError` when the file is not there or no index.
    """
    layers: dict[str, list[Block]] = {}
    try:
        for line in _body(path).decode().split("\n")[:-1]:
            layer, block = _read_line(line)
            found = layers.get(layer)
            if found is None:
                found = layers[layer] = []
            found.append(block)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    return layers


class Listed(Sequence[Block]):
    """The blocks of one layer that an index lists; each is read from its line when it is asked for."""

    def __init__(self, path: Path, layer: Layer) -> None:
        """Find the layer's lines.

        Raises `UsageError` when the file is not there or no index; when it is damaged, perhaps only later.
        """
        self._path = path
        try:
            self._lines = _lines_of(_body(path), layer).decode().split("\n")[:-1]
            self.firsts = [line.split("\t", 2)[1] for line in self._lines]
        except (OSError, ValueError, IndexError) as error:
            raise _unreadable(path, error) from error

    def __len__(self) -> int:
        """How many there are."""
        return len(self._lines)

    @overload
    def __getitem__(self, number: int) -> Block: ...

    @overload
    def __getitem__(self, number: slice) -> list[Block]: ...

    def __getitem__(self, number: int | slice) -> Block | list[Block]:
        """Return one, or several."""
        try:
            if isinstance(number, int):
                return _read_line(self._lines[number])[1]
            return [_read_line(line)[1] for line in self._lines[number]]
        except ValueError as error:
            raise _unreadable(self._path, error) from error


def _body(path: Path) -> bytes:
    """Return the lines of an index below its first one.

    Raises `OSError` or `ValueError` when it is none.
    """
    head, _, body = path.read_bytes().partition(b"\n")
    if head.decode().split("\t") != list(COLUMNS):
        raise ValueError("its first line does not name the columns")
    return body


def _read_line(line: str) -> tuple[str, Block]:
    layer, first, offset, size, triples, sha, at, length = line.split("\t")
    return layer, Block(first, int(offset), int(size), int(triples), sha, int(at), int(length))


def _unreadable(path: Path, error: Exception) -> UsageError:
    return UsageError(f"{path}: cannot be read ({error}); build again")


def indexed(path: Path) -> list[Layer]:
    """Return the layers of which an index has blocks."""
    data = path.read_bytes()
    return [layer for layer in Layer if f"\n{layer}\t".encode() in data]


def _lines_of(body: bytes, layer: Layer) -> bytes:
    """Return the lines of one layer, which stand together."""
    mark = f"{layer}\t".encode()
    start = 0 if body.startswith(mark) else body.find(b"\n" + mark) + 1
    last = body.rfind(b"\n" + mark) + 1
    if not body.startswith(mark, start):
        return b""
    return body[start : body.find(b"\n", last) + 1]
