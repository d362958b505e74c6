"""The sample of a release: some hundred figures that show all that figures can be, with everything about them.

What a figure shows is read from the graph, as *traits*: which predicates it, its mentions and its paper have, with
what kind of value (a lexicon itself, the namespace of an IRI, the type of a literal), and which it lacks. The figures
are chosen so that each trait is shown by one (greedy set cover), and filled up in the order of a hash of their figids;
so the choice is the same on every run, and much of it stays from release to release.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from pfocr_rdf import blocks, codecs, serialize, subjects, vocab
from pfocr_rdf import identifiers as ids
from pfocr_rdf.blocks import Block, Item, Source
from pfocr_rdf.diff import figid_of
from pfocr_rdf.model import EVIDENCE, Layer
from pfocr_rdf.release.contents import windows
from pfocr_rdf.subjects import Indexed
from pfocr_rdf.terms import Pair, expand
from pfocr_rdf.workers import Engine

NAME = "pfocr-sample.ttl"
SIZE = 100
"""Figures of a sample; all of them where a release has not so many."""

_HAS = "has"
"""Begins the name of a trait whose lack is a trait too."""
_WHOLE = (vocab.A, vocab.PFOCR_GENERATION)
"""Predicates of figures whose values are told apart; of mentions it is the lexicon."""


@dataclass(slots=True)
class Traits:
    """Sets of traits, as numbers whose bits stand for `names`: of figures by figid, of papers by IRI.

    `members` has the figids of each paper's figures.
    """

    names: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)
    papers: dict[str, int] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)

    def add(self, other: Traits) -> None:
        """Take traits that were read elsewhere."""
        numbers = {name: number for number, name in enumerate(self.names)}
        bits = []
        for name in other.names:
            if name not in numbers:
                numbers[name] = len(self.names)
                self.names.append(name)
            bits.append(1 << numbers[name])
        known: dict[int, int] = {}
        for mine, theirs in ((self.figures, other.figures), (self.papers, other.papers)):
            for key, said in theirs.items():
                if said not in known:
                    known[said] = sum(bit for number, bit in enumerate(bits) if said >> number & 1)
                mine[key] = mine.get(key, 0) | known[said]
        for paper, figids in other.members.items():
            self.members.setdefault(paper, []).extend(figids)

    def united(self) -> dict[str, int]:
        """Return the traits of each figure: its own, its paper's, and what it lacks that others have."""
        own = {
            figid: self.figures.get(figid, 0) | self.papers.get(paper, 0)
            for paper, figids in self.members.items()
            for figid in figids
        }
        usual = sum(1 << number for number, name in enumerate(self.names) if name.startswith(_HAS))
        return {figid: said | (usual & ~said) << len(self.names) for figid, said in own.items()}


def write(release: Path, target: Path, engine: Engine, size: int = SIZE) -> int:
    """Write the sample of a release; return the number of its triples.

    Raises `UsageError` when a layer is damaged.
    """
    figids = choose(traits(release, engine).united(), size)
    text = "".join(text for _, text in blocks.united(sorted(described(release, figids))))
    target.write_text(serialize.HEADER + text, encoding="utf-8", newline="\n")
    return blocks.count(text.encode())


def choose(found: Mapping[str, int], size: int) -> list[str]:
    """Return so many figids, in order, that show as many traits as may be."""
    order = sorted(found, key=lambda figid: hashlib.sha256(figid.encode()).digest())
    left = 0
    for said in found.values():
        left |= said
    chosen: dict[str, None] = {}
    while left and len(chosen) < size:
        best = max(order, key=lambda figid: (found[figid] & left).bit_count())  # the first of those that show most
        left &= ~found[best]
        chosen[best] = None
    rest = [figid for figid in order if figid not in chosen]
    return sorted([*chosen, *rest[: size - len(chosen)]])


@dataclass(frozen=True, slots=True)
class _Part:
    """Blocks of a layer that one task reads."""

    layer: Layer
    path: str
    blocks: tuple[Block, ...]


def traits(release: Path, engine: Engine) -> Traits:
    """Return the traits of all figures of a release."""
    found = Traits()
    parts = (
        _Part(layer.layer, str(layer.path), tuple(group))
        for layer in subjects.indexed(release).values()
        for group in subjects.groups(layer.blocks)
    )
    for window in windows(parts, engine):
        for read in engine.map(_read, window):
            found.add(read)
    return found


def _read(part: _Part) -> Traits:
    figures: defaultdict[str, set[str]] = defaultdict(set)
    papers: dict[str, set[str]] = {}
    members: defaultdict[str, list[str]] = defaultdict(list)
    with closing(Source(part.path, codecs.of_file(Path(part.path)))) as source:
        for block in part.blocks:
            for subject, text in source.items(block):
                pairs = serialize.read_block(text)[1]
                if figid := figid_of(subject):
                    figures[figid] |= _of_figure(part.layer, pairs)
                    if part.layer is Layer.CORE:
                        members[next(expand(value) for name, value in pairs if name == vocab.IS_PART_OF)].append(figid)
                elif part.layer is Layer.CORE and subject.startswith(ids.PAPERS):
                    papers[subject] = {f"{_HAS} paper {name}" for name, _ in pairs}
                for name, value in pairs:
                    if name == vocab.PFOCR_DISSENT:
                        figures[ids.decode(value[1:].partition(" ")[0].partition("/")[0])].add(f"dissents {part.layer}")
    names = sorted(set().union(*figures.values(), *papers.values()))
    bit = {name: 1 << number for number, name in enumerate(names)}
    return Traits(
        names,
        {figid: sum(bit[name] for name in said) for figid, said in figures.items()},
        {paper: sum(bit[name] for name in said) for paper, said in papers.items()},
        dict(members),
    )


def _of_figure(layer: Layer, pairs: Iterable[Pair]) -> set[str]:
    """Return the traits that a figure has by its own triples in a layer, or by those of one of its mentions."""
    said: set[str] = set()
    mention = layer in EVIDENCE.values()
    has = f"{_HAS} {layer}" if not mention else str(layer)
    before = ""
    for name, value in pairs:
        said.add(f"{has} {name}")
        if name == before:
            said.add(f"{layer} several {name}")
        before = name
        if name in _WHOLE or (mention and name == vocab.SOURCE):
            said.add(f"{layer} {name} {value}")
        elif layer is not Layer.COMPAT:  # there, any stranger's address may stand
            said.add(f"{layer} {name} {_kind(value)}")
    if mention:
        said.add(f"{_HAS} {layer}")
        if f"{has} {vocab.HAS_BODY}" not in said:
            said.add(f"{layer} without body")
    return said


def _kind(value: str) -> str:
    """Return the kind of a value: type of a literal and what is odd in it, namespace of an IRI."""
    if value[0] == '"':
        odd = f"{' escaped' if chr(92) in value else ''}{'' if value.isascii() else ' beyond ASCII'}"
        return f"text {value[value.rindex(chr(34)) + 1 :]}{odd}"
    if value[0] != "<":
        return value.partition("_")[0] if ":" in value else "number"
    place = value.split("/", 5)
    return (
        "/".join(place[:5])
        if value.startswith(f"<{ids.PFD}")
        else "/".join(place[: 4 if "identifiers" in value else 3])
    )


def described(release: Path, figids: Iterable[str]) -> Iterator[Item]:
    """Yield all that a release says of some figures, their mentions, and of what these speak of, subject by subject.

    A group of organisms is told with those of its members alone that are there. A subject may come from several layers.
    """
    layers = list(subjects.indexed(release).values())
    told: set[str] = set()
    new = set[str]()
    for layer in layers:
        for figid in figids:
            for family in (ids.figure(figid), ids.mention(figid, "")):
                for subject, text in layer.beginning(family):
                    told.add(subject)
                    new |= _objects(text)
                    yield subject, text
    while new := new - told:
        told |= new
        found: set[str] = set()
        for layer in layers:
            for subject, text in layer.of(new):
                found |= _objects(text)
                yield subject, text
        new = found
    for layer in layers:
        if layer.layer is Layer.ENTITIES:
            yield from _collections(layer, told)


def _collections(layer: Indexed, told: set[str]) -> Iterator[Item]:
    for subject, text in layer.beginning(ids.group("")):
        pairs = serialize.read_block(text)[1]
        kept = [(name, value) for name, value in pairs if name != vocab.MEMBER or expand(value) in told]
        if any(name == vocab.MEMBER for name, _ in kept):
            yield subject, serialize.block(subject, kept)


def _objects(text: str) -> set[str]:
    """Return the IRIs that some Turtle of a subject points to."""
    pairs = serialize.read_block(text)[1]
    return {
        expand(value) for name, value in pairs if value[0] == "<" or (value[0] not in '"+-.0123456789' and ":" in value)
    }
