"""The subjects of a build's layers: as streams in their order, joined where several layers speak of one, or by index.

What `serialize` laid out is taken apart by its lines. Files are read in pieces, so a graph is never held.
"""

from __future__ import annotations

import heapq
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from pfocr_rdf import blocks, buildfolder, codecs, vocab
from pfocr_rdf.blocks import Block, Item, Source
from pfocr_rdf.errors import UsageError
from pfocr_rdf.model import Layer
from pfocr_rdf.terms import Token, value_of

TASK_TRIPLES = 100_000
"""Blocks of so many triples are worth a task, about."""

_PIECE = 1 << 20
_END = b"\n\n"

Said = dict[Token, list[Token]]
"""What a subject says: predicate to objects, as tokens."""

Texts = dict[Layer, str]
"""What some layers say of one subject, as Turtle."""

Done = Callable[[int], None]
"""Told how many triples were read since."""

_GENE_MENTION = re.compile(
    r"(<[^>]*>)\n    a oa:Annotation ;\n    dcterms:source (<[^>]*>) ;\n    oa:hasBody ([^;]*) ;\n"
    r"    oa:hasTarget (<[^>]*>) ;\n    pfocr:match (\"[^\"\\\n]*\") ;\n    pfocr:word (\"[^\"\\\n]*\") \.\n*"
)
"""Most of all subjects."""


def pieces(path: Path, done: Done = lambda _: None) -> Iterator[bytes]:
    """Yield a layer's Turtle in pieces of whole subjects; the prefixes come first.

    Raises `UsageError` when the file cannot be read, or ends within a subject.
    """
    rest = b""
    try:
        with codecs.of_file(path).open(path) as stream:
            while data := stream.read(_PIECE):
                whole, end, rest = (rest + data).rpartition(_END)
                if end:
                    done(blocks.count(whole))
                    yield whole + end
    except codecs.DAMAGED as error:
        raise UsageError(f"{path}: cannot be read ({error}); build again") from error
    if rest.strip():
        raise UsageError(f"{path}: ends within a subject; build again")


def stanzas(path: Path, done: Done = lambda _: None) -> Iterator[str]:
    """Yield the Turtle of each subject of a layer's file.

    Raises `UsageError` when the file cannot be read, or ends within a subject.
    """
    for piece in pieces(path, done):
        try:
            found = blocks.stanzas(piece.decode())
        except UnicodeDecodeError as error:
            raise UsageError(f"{path}: cannot be read ({error}); build again") from error
        yield from (stanza for stanza in found if not stanza.startswith("@prefix"))


def of_file(path: Path, done: Done = lambda _: None) -> Iterator[Item]:
    """Yield the subjects of a layer's file with their Turtle, in the order of the file.

    Raises `UsageError` when the file cannot be read, or ends within a subject.
    """
    return ((blocks.subject_of(stanza), stanza) for stanza in stanzas(path, done))


def joined(streams: Mapping[Layer, Iterator[Item]]) -> Iterator[tuple[str, Texts]]:
    """Yield each subject with what each of some layers says of it, from streams in code-point order."""
    layers = list(streams)
    placed = [_placed(streams[layer], place) for place, layer in enumerate(layers)]
    for subject, group in groupby(heapq.merge(*placed, key=itemgetter(0, 1)), key=itemgetter(0)):
        yield subject, {layers[place]: text for _, place, text in group}


def _placed(stream: Iterator[Item], place: int) -> Iterator[tuple[str, int, str]]:
    return ((subject, place, text) for subject, text in stream)


def read(stanza: str) -> tuple[Token, Said]:
    """Return a subject and what is said of it."""
    if found := _GENE_MENTION.fullmatch(stanza):
        subject, source, bodies, target, match, word = found.groups()
        return subject, {
            vocab.A: [vocab.ANNOTATION],
            vocab.SOURCE: [source],
            vocab.HAS_BODY: bodies.split(" ,\n        "),
            vocab.HAS_TARGET: [target],
            vocab.PFOCR_MATCH: [match],
            vocab.PFOCR_WORD: [word],
        }
    subject, _, rest = stanza.rstrip("\n").partition("\n")
    parts = (part[4:].partition(" ") for part in rest[:-2].split(" ;\n"))
    return subject, {predicate: values.split(" ,\n        ") for predicate, _, values in parts}


def said(stanza: str) -> Said:
    """Return what a subject's Turtle says."""
    return read(stanza)[1]


def first(found: Said, predicate: Token) -> Token:
    """Return the first value of a predicate, empty for none."""
    values = found.get(predicate)
    return values[0] if values else ""


def text(found: Said, predicate: Token) -> str:
    """Return the first value of a predicate as bare text, empty for none."""
    token = first(found, predicate)
    return value_of(token) if token else ""


@dataclass(slots=True)
class Indexed:
    """A layer's file and its blocks, in which subjects are found without reading all of it."""

    layer: Layer
    path: Path
    blocks: list[Block]
    firsts: list[str]

    def beginning(self, start: str) -> Iterator[Item]:
        """Yield the subjects whose IRIs begin in a way."""
        at = max(0, bisect_right(self.firsts, start) - 1)
        with closing(Source(str(self.path), codecs.of_file(self.path))) as source:
            for block in self.blocks[at:]:
                if block.first > start and not block.first.startswith(start):
                    return
                yield from (item for item in source.items(block) if item[0].startswith(start))

    def of(self, subjects: Collection[str]) -> Iterator[Item]:
        """Yield those of some subjects that stand here."""
        places: defaultdict[int, set[str]] = defaultdict(set)
        for subject in subjects:
            places[max(0, bisect_right(self.firsts, subject) - 1)].add(subject)
        with closing(Source(str(self.path), codecs.of_file(self.path))) as source:
            for at, wanted in sorted(places.items() if self.blocks else ()):
                yield from (item for item in source.items(self.blocks[at]) if item[0] in wanted)


def indexed(build: Path) -> dict[Layer, Indexed]:
    """Return the layers of a build with their blocks, without those of prefixes.

    Raises `UsageError` when a file is missing or the index cannot be read.
    """
    index = blocks.read_index(build / blocks.INDEX)
    found = {}
    for name, path in buildfolder.layer_files(build).items():
        kept = [block for block in index.get(name, []) if block.first]
        found[Layer(name)] = Indexed(Layer(name), path, kept, [block.first for block in kept])
    return found


def groups(found: Iterable[Block]) -> Iterator[list[Block]]:
    """Yield blocks in runs of about `TASK_TRIPLES`."""
    group: list[Block] = []
    held = 0
    for block in found:
        group.append(block)
        held += block.triples
        if held >= TASK_TRIPLES:
            yield group
            group, held = [], 0
    if group:
        yield group
