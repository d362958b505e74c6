"""One pass over all layers together: the shapes, and the checks that must look at each triple or subject.

Layers are sorted by subject, so one subject at a time can be gathered from all of them, and no more than a few blocks
are held. Shapes see what all layers but `compat` say of it, as they would in a store that holds these layers; the
few shapes of checks tagged `compat` see that layer alone, for a schema.org block may say there what the model gives
otherwise (a second name, a foreign creator), on figures and on strangers alike.

`blocks.tsv` tells where each block stands. `cut` makes ranges of subjects of about equal size; a range is read from
the blocks that reach into it, so ranges can be looked at in any order and process. Q58 holds that the files
are what the index says, without which nothing here could be trusted.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from pfocr_rdf import blocks as cutting
from pfocr_rdf import codecs, serialize
from pfocr_rdf.blocks import Block
from pfocr_rdf.errors import UsageError
from pfocr_rdf.model import Layer
from pfocr_rdf.validation import agreement, placing, shapes, usual, wording
from pfocr_rdf.validation.checks import Check
from pfocr_rdf.validation.evaluate import Evaluator, Result
from pfocr_rdf.validation.findings import EXAMPLES, Finding
from pfocr_rdf.validation.release import Release
from pfocr_rdf.validation.shapes import Term
from pfocr_rdf.validation.usual import Usual

READ = "Q58"
OWN = (wording.IRIS, wording.TEXTS, placing.DOUBLES, READ, placing.PLACED, agreement.AGREES)
"""The checks without body that are done here."""

TASK_TRIPLES = 200_000
"""A task looks at about so many triples."""

_KEPT = 4 * EXAMPLES
_HEAD = serialize.HEADER.encode()
Said = dict[str, list[Term]] | Usual
"""What a layer says of a subject: values by predicate, or a mention of usual form as it stands."""


@dataclass(slots=True)
class Tally:
    """What one task found: by check, how many and the first of them; and the triples of each layer."""

    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[Finding]] = field(default_factory=dict)
    triples: dict[str, int] = field(default_factory=dict)

    def add(self, check: str, finding: Finding) -> None:
        """Take a finding."""
        self.counts[check] = self.counts.get(check, 0) + 1
        found = self.examples.setdefault(check, [])
        found.append(finding)
        if len(found) > _KEPT:
            self.examples[check] = heapq.nsmallest(EXAMPLES, set(found))

    def merge(self, other: Tally) -> None:
        """Take what another task found."""
        for check, count in other.counts.items():
            self.counts[check] = self.counts.get(check, 0) + count
            found = {*self.examples.get(check, ()), *other.examples[check]}
            self.examples[check] = heapq.nsmallest(EXAMPLES, found)
        for layer, triples in other.triples.items():
            self.triples[layer] = self.triples.get(layer, 0) + triples


@dataclass(frozen=True, slots=True)
class Range:
    """The subjects from `start` up to but not `end` (None: to the last one), and the blocks that reach into it."""

    start: str
    end: str | None
    blocks: dict[str, tuple[Path, list[Block]]]

    @property
    def triples(self) -> int:
        """How many triples are read for it, about."""
        return sum(block.triples for _, found in self.blocks.values() for block in found)


def index(release: Release) -> tuple[dict[str, list[Block]], list[Finding]]:
    """Return the blocks of each layer that is there, and what is wrong with the index or with layers as a whole.

    The blocks are of use only when nothing is wrong.
    """
    found = [
        Finding(path.name, "", "is in the manifest, but not there", name) for name, path in release.missing.items()
    ]
    try:
        layers = cutting.read_index(release.folder / cutting.INDEX)
    except UsageError as error:
        return {}, [*found, Finding(cutting.INDEX, "", str(error).partition(": ")[2])]
    for layer, path in release.layers.items():
        if fault := _misfit(layers.get(layer, []), path):
            found.append(Finding(path.name, "", f"{cutting.INDEX} does not fit it: {fault}", layer))
    found += [
        Finding(cutting.INDEX, layer, "has a layer that the manifest has not", layer)
        for layer in layers.keys() - release.layers.keys() - release.missing.keys()
    ]
    return {layer: layers[layer] for layer in release.layers if layer in layers}, found


def _misfit(found: Sequence[Block], path: Path) -> str:
    """Return in which way blocks do not cover a file, or an empty text."""
    if not found or found[0].first:
        return "the block of prefixes is missing"
    at = 0
    for block, following in zip(found, [*found[1:], None], strict=True):
        if block.offset != at:
            return f"a block begins at {block.offset}, not at {at}"
        at += block.size
        if following is not None and block.first >= following.first:
            return f"{following.first} does not come after {block.first}"
    size = path.stat().st_size
    return "" if at == size else f"it has {size} bytes, not {at}"


def cut(release: Release, layers: dict[str, list[Block]], size: int = TASK_TRIPLES) -> list[Range]:
    """Return ranges of subjects that hold about `size` triples each, and together all subjects."""
    starts = [""]
    held = 0
    for first, triples in sorted((b.first, b.triples) for found in layers.values() for b in found[1:]):
        if held >= size and first != starts[-1]:
            starts.append(first)
            held = 0
        held += triples
    ranges = []
    firsts = {layer: [block.first for block in found[1:]] for layer, found in layers.items()}
    for number, start in enumerate(starts):
        end = starts[number + 1] if number + 1 < len(starts) else None
        reached: dict[str, tuple[Path, list[Block]]] = {}
        for layer, found in layers.items():
            low = max(0, bisect_right(firsts[layer], start) - 1)
            high = len(firsts[layer]) if end is None else bisect_left(firsts[layer], end)
            if low < high:
                reached[layer] = release.layers[layer], [found[0], *found[1 + low : 1 + high]]
        ranges.append(Range(start, end, reached))
    return ranges


def counts(release: Release, triples: dict[str, int]) -> Iterator[Finding]:
    """Yield each layer that has not as many triples as the manifest says."""
    for layer, path in release.layers.items():
        said = release.manifest["layers"][layer].get("triples")
        if said != triples.get(layer, 0):
            message = f"the manifest says {said} triples, there are {triples.get(layer, 0)}"
            yield Finding(path.name, str(triples.get(layer, 0)), message, layer)


def look(part: Range) -> Tally:
    """Look at all subjects of a range: the task that runs in any process."""
    return _usual().run(part)


@cache
def _usual() -> Pass:
    """Return the pass with all shipped shapes: each process has one, for it remembers what it found right."""
    return Pass(_shacl(compat=False), _shacl(compat=True))


def _shacl(*, compat: bool) -> list[Check]:
    return [check for check in shapes.shacl_checks() if (shapes.COMPAT in check.tags) is compat]


class Pass:
    """Looks at subjects, one after the other."""

    def __init__(self, checks: Iterable[Check], compat: Iterable[Check]) -> None:
        """Evaluate the shapes of checks that see all layers but `compat`, and of those that see that one."""
        self.tally = Tally()
        self._owner: dict[str, str] = {}
        self._main, self._compat = (
            Evaluator(self._owned(check, shape) for check in found for shape in shapes.of_check(check))
            for found in (checks, compat)
        )
        self._wording, self._placing = wording.Wording(), placing.Placing()

    def _owned(self, check: Check, shape: shapes.Shape) -> shapes.Shape:
        self._owner[shape.name] = check.id
        return shape

    def run(self, part: Range) -> Tally:
        """Look at a range and return all that was found there."""
        self.tally = Tally()
        streams = {layer: self._layer(layer, path, found, part) for layer, (path, found) in part.blocks.items()}
        for subject, parts in gathered(streams):
            self.look(subject, parts)
        return self.tally

    def look(self, subject: str, given: list[tuple[str, Said]]) -> None:
        """Look at what all layers say of one subject."""
        if len(given) == 1 and type(given[0][1]) is Usual:
            return
        parts = [(layer, _parsed(said)) for layer, said in given]
        add = self.tally.add
        main: dict[str, list[Term]] = {}
        for layer, said in parts:
            for check, finding in self._wording.look(subject, layer, said):
                add(check, finding)
            for check, finding in self._placing.look(subject, layer, said):
                add(check, finding)
            if layer == Layer.COMPAT:
                self._report(self._compat.results(focus_of(subject), distinct(said)), layer)
            elif main:
                for predicate, values in said.items():
                    main[predicate] = [*main[predicate], *values] if predicate in main else values
            else:
                main = dict(said)
        if len(parts) > 1 or any(len(values) > 1 for values in main.values()):
            for check, finding in placing.doubles(subject, parts):
                add(check, finding)
        if main:
            main = distinct(main)
            self._report(self._main.results(focus_of(subject), main), parts[0][0])
            for check, finding in agreement.look(subject, main, parts):
                add(check, finding)

    def _report(self, results: Iterable[Result], layer: str) -> None:
        for result in results:
            self.tally.add(self._owner[result.shape.name], as_finding(result, layer))

    def _layer(self, layer: str, path: Path, found: list[Block], part: Range) -> Iterator[tuple[str, Said]]:
        """Yield subjects of one layer in a range with what is said of them, in the order of the file."""
        source = cutting.Source(str(path), codecs.of_file(path))
        try:
            texts = list(self._texts(layer, path, source, found))
        finally:
            source.close()
        last = ""
        self.tally.triples[layer] = 0
        stream = _split(texts, layer) if layer in usual.LAYERS else subjects(b"".join(texts))
        while True:
            try:
                subject, said = next(stream)
            except StopIteration:
                return
            except SyntaxError as error:
                self.tally.add(READ, Finding(path.name, str(error)[:200], "is no Turtle", layer))
                return
            if subject < part.start or (part.end is not None and subject >= part.end):
                continue
            self.tally.triples[layer] += _size(said)
            if subject <= last:
                self.tally.add(READ, Finding(path.name, subject, f"does not come after {last}", layer))
            last = subject
            yield subject, said

    def _texts(self, layer: str, path: Path, source: cutting.Source, found: list[Block]) -> Iterator[bytes]:
        """Yield the Turtle of blocks; those that cannot be unpacked are left out."""
        for block in found:
            try:
                data = source.codec.decode(source.packed(block))
            except codecs.DAMAGED as error:
                self.tally.add(READ, Finding(path.name, block.first, f"a block cannot be read: {error}", layer))
                continue
            if cutting.digest(data) != block.digest:
                self.tally.add(READ, Finding(path.name, block.first, "a block is not what its hash says", layer))
            elif block.first and not data.startswith(_names(block.first)):
                self.tally.add(READ, Finding(path.name, block.first, "a block does not begin with it", layer))
            yield data


def _names(subject: str) -> tuple[bytes, ...]:
    """Return the ways in which Turtle may name a subject at the beginning of a block."""
    from pfocr_rdf.terms import iri

    return iri(subject).encode(), f"<{subject}>".encode()


def distinct(said: dict[str, list[Term]]) -> dict[str, list[Term]]:
    """Return the same values, each once, for a graph is a set."""
    for values in said.values():
        if len(values) > 1:
            return {p: values if len(values) < 2 else list(dict.fromkeys(values)) for p, values in said.items()}
    return said


def focus_of(subject: str) -> Term:
    """Return a subject as shapes see it: they can tell a blank node from an IRI."""
    return ox.BlankNode("b") if subject == wording.BLANK else subject


def subjects(data: bytes) -> Iterator[tuple[str, dict[str, list[Term]]]]:
    """Yield the subjects of a Turtle document with their values by predicate, as they follow one another.

    Raises `SyntaxError` for no Turtle. IRIs are taken as they are, for `wording` looks at them.
    """
    named, blank = ox.NamedNode, ox.BlankNode
    current: Any = None
    said: dict[str, list[Term]] = {}
    for triple in ox.parse(data, format=ox.RdfFormat.TURTLE, lenient=True):
        subject = triple.subject
        if subject != current:
            if current is not None:
                yield (wording.BLANK if type(current) is blank else current.value), said
            current, said = subject, {}
        value = triple.object
        if type(value) is named:
            value = value.value
        predicate = triple.predicate.value
        values = said.get(predicate)
        if values is None:
            said[predicate] = [value]
        else:
            values.append(value)
    if current is not None:
        yield (wording.BLANK if type(current) is blank else current.value), said


def _split(texts: list[bytes], layer: str) -> Iterator[tuple[str, Said]]:
    """Yield the subjects of blocks, of which the first has the prefixes; those of usual form unparsed.

    Raises `SyntaxError` for no Turtle.
    """
    head = texts[0] if texts else b""
    for number, block in enumerate(texts[1:], 1):
        parts = usual.split(block, layer) if head == _HEAD else None
        if parts is None:  # from here on, names may mean something else
            yield from subjects(head + b"".join(texts[number:]))
            return
        pieces = [part for part in parts if isinstance(part, str)]
        parsed = list(subjects(head + "\n\n".join(pieces).encode()))
        if len(parsed) == len(pieces):
            odd = iter(parsed)
            yield from (next(odd) if isinstance(part, str) else part for part in parts)
        else:
            yield from subjects(head + block)


def _size(said: Said) -> int:
    """Return the number of triples."""
    return said.triples if isinstance(said, Usual) else sum(map(len, said.values()))


def _parsed(said: Said) -> dict[str, list[Term]]:
    """Return the values by predicate, also of a mention of usual form."""
    if isinstance(said, Usual):
        ((_, values),) = subjects(_HEAD + f"{said}\n".encode())
        return values
    return said


def gathered(streams: dict[str, Iterator[tuple[str, Said]]]) -> Iterator[tuple[str, list[tuple[str, Said]]]]:
    """Yield each subject with what each layer says of it, from sorted streams, in the order of IRIs."""
    names = list(streams)
    heap = []
    for number, layer in enumerate(names):
        if (item := next(streams[layer], None)) is not None:
            heap.append((item[0], number, item[1]))
    heapq.heapify(heap)
    while heap:
        subject = heap[0][0]
        parts = []
        while heap and heap[0][0] == subject:
            _, number, said = heap[0]
            parts.append((names[number], said))
            if (item := next(streams[names[number]], None)) is None:
                heapq.heappop(heap)
            else:
                heapq.heapreplace(heap, (item[0], number, item[1]))
        yield subject, parts


def as_finding(result: Result, layer: str) -> Finding:
    """Return a result of SHACL as a finding."""
    focus = result.focus if type(result.focus) is str else wording.BLANK
    said = "" if result.value is None or result.value == result.focus else placing.text(result.value)
    return Finding(focus, said, result.message, layer, result.path, result.component, result.shape.name)
