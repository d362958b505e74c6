"""Files of layers: merged from sorted runs, or an earlier build's file with some subjects replaced.

Both ways give the same bytes for the same subjects. Blocks that nothing touches are copied as they are.
"""

from __future__ import annotations

import hashlib
import heapq
import os
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, groupby
from operator import attrgetter, itemgetter
from pathlib import Path

from pfocr_rdf import identifiers as ids
from pfocr_rdf import serialize, storage
from pfocr_rdf.blocks import Block, Cuts, Item, Listed, Source, Writer, stanzas, subject_of, united
from pfocr_rdf.codecs import CODECS, Codec
from pfocr_rdf.model import Layer
from pfocr_rdf.shards import Output, Run
from pfocr_rdf.terms import expand, iri

QUADS_PART = "quads-{layer}.nq.gz"
"""Name of a layer's part of `pfocr-all.nq.gz`, in the work folder."""

MAX_OPEN = 128
"""So many files are merged at a time."""

MIN_AHEAD = 128 << 10
"""Bytes that are at least read ahead of each of them, where they lie in a store."""

_HEADER = 1
"""So many blocks at the beginning of a layer hold no subject."""

Place = tuple[str, str]
"""Family of a subject and the id by which it is cut (`blocks.place`)."""


@dataclass(frozen=True)
class Old:
    """A layer of an earlier build: its file, the file of its N-Quads (or None), and the index of that build."""

    layer: Layer
    path: str
    quads: str | None
    index: str

    @cached_property
    def blocks(self) -> Listed:
        """The layer's blocks, read where they are needed: they are many, and take long to travel."""
        return Listed(Path(self.index), self.layer)


@dataclass(frozen=True, slots=True)
class Job:
    """All that it takes to write one layer, in any process.

    Without `old`, or if they are `whole`, the runs are the whole layer. Else all subjects at the places in `removed`
    go from the old one, and those of the runs come.
    """

    layer: Layer
    path: str
    quads: str | None
    output: Output
    image_pattern: str
    work: str
    runs: list[Run]
    old: Old | None = None
    removed: frozenset[Place] = frozenset()
    whole: bool = False


@dataclass(slots=True)
class Written:
    """A layer's file: triples, bytes, SHA-256 and blocks."""

    layer: Layer
    triples: int
    size: int
    sha256: str
    blocks: list[Block] = field(default_factory=list)


def filename(layer: Layer, output: Output) -> str:
    """Return the name of a layer's file in a build."""
    return f"{layer.filename}{CODECS[output.compress].suffix}"


def write(job: Job) -> Written:
    """Write one layer.

    Raises `OSError` when the disk refuses.
    """
    cuts = Cuts(job.layer, job.image_pattern)
    codec = CODECS[job.output.compress]
    with ExitStack() as files:
        out = files.enter_context(Path(job.path).open("wb", buffering=256 << 10))
        quads_out = files.enter_context(Path(job.quads).open("wb", buffering=256 << 10)) if job.quads else None
        writer = Writer(out, cuts, codec, quads_out)
        writer.header(serialize.HEADER)
        if job.old is None or job.whole:
            for piece in merged(job.runs, codec, job.work):
                if isinstance(piece[1], str):
                    writer.add(*piece)
                else:
                    writer.copy_all(*piece)
        else:
            source = files.enter_context(closing(Source(job.old.path, codec, job.old.quads)))
            old = job.old.blocks
            new = _Ahead(items_of(job.runs, codec, job.work))
            done = _HEADER
            for touched in _touched(old.firsts, job.removed, cuts, new):
                writer.copy_all(source, old[done : touched.number])
                done = touched.number + 1
                text = source.text(old[touched.number]) if touched.number < len(old) else b""
                for subject, renewed in _renewed(text, touched, new):
                    writer.add(subject, renewed)
            writer.copy_all(source, old[done:])
        writer.flush()
        out.flush()
        os.fsync(out.fileno())  # here, where others go on meanwhile
    return Written(job.layer, writer.triples, writer.size, writer.hash.hexdigest(), writer.blocks)


def changes(job: Job) -> Iterator[tuple[str, str, str]]:
    """Yield each subject that an update would change, with its old and its new Turtle (one may be empty)."""
    if job.old is None:
        raise ValueError("no earlier layer to compare with")
    cuts = Cuts(job.layer, job.image_pattern)
    with ExitStack() as files:
        source = files.enter_context(closing(Source(job.old.path, CODECS[job.output.compress], None)))
        if job.whole:
            former = chain.from_iterable(source.items(block) for block in job.old.blocks if block.first)
            yield from compare(former, items_of(job.runs, CODECS[job.output.compress], job.work))
            return
        blocks = job.old.blocks
        new = _Ahead(items_of(job.runs, CODECS[job.output.compress], job.work))
        for touched in _touched(blocks.firsts, job.removed, cuts, new):
            old = _items_at(source.text(blocks[touched.number]), touched.starts) if touched.starts else ()
            yield from compare(old, new.until(touched.end))


def subjects_at(job: Job, iris: set[str]) -> Iterator[Item]:
    """Yield those of some single subjects that the former layer describes, with their Turtle."""
    if job.old is None:
        return
    blocks = job.old.blocks
    starts: dict[int, list[str]] = {}
    for subject in sorted(iris):
        starts.setdefault(_find(blocks.firsts, subject, alone=True), []).append(f"{iri(subject)}\n")
    with closing(Source(job.old.path, CODECS[job.output.compress])) as source:
        for number, tokens in starts.items():
            if number >= _HEADER:
                yield from _items_at(source.text(blocks[number]), tuple(tokens))


def _renewed(data: bytes, touched: _Touch, new: _Ahead) -> Iterator[Item]:
    """Yield what is left of a block and what comes to it, in order.

    What is left between two that come is yielded as one: it is cut nowhere but, perhaps, where it begins, for
    neither the rest of a paper or entity that goes stays nor does anything come to one that stays.
    """
    kept = [text for text in data.decode().split("\n\n") if text and not text.startswith(touched.starts)]
    at = 0
    for subject, text in new.until(touched.end):
        before = bisect_left(kept, subject, at, key=_subject)
        if before > at:
            yield _subject(kept[at]), _joined(kept[at:before])
            at = before
        yield subject, text
    if at < len(kept):
        yield _subject(kept[at]), _joined(kept[at:])


def _subject(text: str) -> str:
    return expand(text[: text.index("\n")])


def _joined(texts: Iterable[str]) -> str:
    return "".join([f"{text}\n\n" for text in texts])


def _items_at(data: bytes, starts: tuple[str, ...]) -> Iterator[Item]:
    """Yield the subjects of a block whose Turtle begins in one of some ways, in order; such stand side by side."""
    found: set[int] = set()
    end = 0
    for start in map(str.encode, starts):
        at = _begin(data, start, max(0, end - 2))
        while at >= 0 and data.startswith(start, at):
            found.add(at)
            at = end = data.index(b"\n\n", at) + 2
    for at in sorted(found):
        text = data[at : data.index(b"\n\n", at) + 2].decode()
        yield _subject(text), text


def _begin(data: bytes, start: bytes, likely: int) -> int:
    """Return where the first subject stands whose Turtle begins so, -1 where none does; it is looked for from `likely`
    on, and only then before.
    """
    if data.startswith(start):
        return 0
    mark = b"\n\n" + start
    at = data.find(mark, likely)
    if at < 0:
        at = data.find(mark, 0, likely + len(mark))
    return at + 2 if at >= 0 else -1


def compare(old: Iterable[Item], new: Iterable[Item]) -> Iterator[tuple[str, str, str]]:
    """Yield (subject, old text, new text) of all subjects whose Turtle differs, from two sorted sequences."""
    before = ((subject, 0, text) for subject, text in old)
    after = ((subject, 1, text) for subject, text in new)
    subject, texts = "", ["", ""]
    for found, side, text in heapq.merge(before, after, key=itemgetter(0)):
        if found != subject:
            if texts[0] != texts[1]:
                yield subject, texts[0], texts[1]
            subject, texts = found, ["", ""]
        texts[side] = text
    if texts[0] != texts[1]:
        yield subject, texts[0], texts[1]


def merged(runs: Sequence[Run], codec: Codec, work: str) -> Iterator[Item | tuple[Source, list[Block]]]:
    """Yield the contents of runs in order: finished blocks where no other run reaches in, else subjects.

    Subjects that follow one another in a block, and in no other run, are one piece, which bears the name of the first.
    At most `MAX_OPEN` files are open at a time; with more, some are merged first into files in the folder `work`.
    """
    for group in _overlapping(sorted(runs, key=attrgetter("first", "last", "data"))):
        while len(group) > MAX_OPEN:
            group = [*group[MAX_OPEN:], _premerged(group[:MAX_OPEN], codec, work)]
        with ExitStack() as files:
            sources = _Sources(codec, files, len(group))
            if len(group) == 1:
                source = sources.of(group[0])
                for finished, found in groupby(group[0].blocks, key=lambda block: block.digest != ""):
                    if finished:
                        yield source, list(found)
                    else:
                        yield from ((block.first, source.text(block).decode()) for block in found)
            else:
                yield from _interleaved([_Cursor(sources.of(run), run) for run in group])


class _Cursor:
    """A run that is merged with others: shows its next subject, and gives what stands before one of theirs."""

    def __init__(self, source: Source, run: Run) -> None:
        self._source, self._blocks = source, iter(run.blocks)
        self.next: str | None = None
        self._open()

    def _open(self) -> None:
        block = next(self._blocks, None)
        self.next = block.first if block else None
        self._stanzas = stanzas(self._source.text(block).decode()) if block else []
        self._at = 0

    def take(self, end: str | None) -> str:
        """Return the Turtle of the next subject, and of those after it in its block that stand before `end`."""
        found, start, stop = self._stanzas, self._at, len(self._stanzas)
        if end is not None and subject_of(found[-1]) >= end:
            stop = bisect_left(found, end, start + 1, key=subject_of)
        if stop == len(found):
            self._open()
        else:
            self._at, self.next = stop, subject_of(found[stop])
        return "".join(found[start:stop])


def _interleaved(cursors: Sequence[_Cursor]) -> Iterator[Item]:
    """Yield the contents of runs that reach into each other; a subject that stands in several of them once."""
    heap = [(cursor.next, number) for number, cursor in enumerate(cursors) if cursor.next is not None]
    heapq.heapify(heap)
    while heap:
        subject, number = heapq.heappop(heap)
        same = [number]
        while heap and heap[0][0] == subject:
            same.append(heapq.heappop(heap)[1])
        if len(same) > 1:
            yield from united([(subject, cursors[number].take(subject)) for number in same])
        else:
            yield subject, cursors[number].take(heap[0][0] if heap else None)
        for number in same:
            if (following := cursors[number].next) is not None:
                heapq.heappush(heap, (following, number))


class _Sources:
    """Opens the files of runs, each run's once; `together` are read at the same time and share what is read ahead."""

    def __init__(self, codec: Codec, files: ExitStack, together: int) -> None:
        self._codec, self._files = codec, files
        self._ahead = max(MIN_AHEAD, storage.AHEAD // together)

    def of(self, run: Run) -> Source:
        end = max(max(block.offset + block.size, block.quads_offset + block.quads_size) for block in run.blocks)
        # the N-Quads of a packed block lie in the same file
        source = Source(run.data, self._codec, run.data, end=end, ahead=self._ahead)
        return self._files.enter_context(closing(source))


def _premerged(runs: list[Run], codec: Codec, work: str) -> Run:
    """Merge some runs into one that lies in a file of its own."""
    path = Path(work) / f"merged-{hashlib.sha256(repr(runs).encode()).hexdigest()[:16]}"
    blocks: list[Block] = []
    at = 0
    with path.open("wb") as out, ExitStack() as files:
        sources = _Sources(codec, files, len(runs))
        for subject, text in _interleaved([_Cursor(sources.of(run), run) for run in runs]):
            data = text.encode()
            blocks.append(Block(subject, at, len(data), 0, ""))
            out.write(data)
            at += len(data)
    return Run(str(path), runs[0].layer, blocks[0].first, max(run.last for run in runs), blocks)


def items_of(runs: Sequence[Run], codec: Codec, work: str) -> Iterator[Item]:
    """Yield the subjects of runs in order."""
    for piece in merged(runs, codec, work):
        if isinstance(piece[1], str):
            yield from ((subject_of(text), text) for text in stanzas(piece[1]))
        else:
            for block in piece[1]:
                yield from piece[0].items(block)


def _overlapping(runs: list[Run]) -> Iterator[list[Run]]:
    """Yield groups of runs whose ranges of subjects touch."""
    group: list[Run] = []
    last = ""
    for run in runs:
        if group and run.first > last:
            yield group
            group = []
        group.append(run)
        last = max(last, run.last)
    if group:
        yield group


class _Ahead:
    """A stream of subjects that shows its next one."""

    def __init__(self, found: Iterator[Item]) -> None:
        self._found = found
        self.next: Item | None = next(found, None)

    def until(self, end: str | None) -> Iterator[Item]:
        """Yield the subjects before `end`, or all that are left."""
        while self.next is not None and (end is None or self.next[0] < end):
            yield self.next
            self.next = next(self._found, None)


@dataclass(frozen=True, slots=True)
class _Touch:
    """A block that is written anew: its number (of no block, where the layer has none), the first subject after it,
    and what the Turtle of those that go from it begins with.
    """

    number: int
    end: str | None
    starts: tuple[str, ...]


def _touched(firsts: Sequence[str], removed: frozenset[Place], cuts: Cuts, new: _Ahead) -> Iterator[_Touch]:
    """Yield the blocks of an earlier layer, in order, that subjects go from or come to; those are taken meanwhile."""
    starts: dict[int, list[str]] = {}
    for place in removed:
        start, alone = _start(place, cuts.image_pattern)
        number = _find(firsts, start, alone=alone)
        if number >= _HEADER and firsts[number].startswith(place[0]):  # a block is of one family
            starts.setdefault(number, []).append(f"{iri(start)}\n" if alone else f"<{start}")
    nowhere = max(_HEADER, len(firsts)) + 1
    losing = iter([*sorted(starts), nowhere])
    loses = next(losing)
    while True:
        gains = max(_HEADER, bisect_right(firsts, new.next[0]) - 1) if new.next else nowhere
        number = min(loses, gains)
        if number == nowhere:
            return
        if number == loses:
            loses = next(losing)
        end = firsts[number + 1] if number + 1 < len(firsts) else None
        yield _Touch(number, end, tuple(sorted(starts.get(number, ()))))


def _start(place: Place, image_pattern: str) -> tuple[str, bool]:
    """Return what the IRIs of all subjects of a place begin with, and whether that is a whole IRI."""
    family, key = place
    if family in (ids.FIGURES, ids.MENTIONS):
        return f"{family}{key}__", False
    if family == ids.PAPERS:
        return f"{family}{key}", True
    if key.startswith(family):
        return key, True
    return image_pattern.partition("{filename}")[0].replace("{pmcid}", key), False


def _find(firsts: Sequence[str], start: str, *, alone: bool) -> int:
    """Return the number of the block in which all subjects of a place stand, if there are any."""
    number = bisect_right(firsts, start)
    here = not alone and number < len(firsts) and firsts[number].startswith(start)
    return number if here else max(0, number - 1)
