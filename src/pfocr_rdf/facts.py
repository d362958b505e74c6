"""What many records say of one thing: counted, merged and resolved by vote, in bounded memory.

A *saying* is what one row or record says, as one string: a letter for its kind and its parts, joined by U+001F
(`mapping.entities` makes and reads them). Equal sayings are counted, not kept, for only the votes matter: the
commonest value wins, ties by code point (the data model, section a.2b). The places of what loses are looked up
afterwards, in the lines that each figure left behind.
"""

from __future__ import annotations

import heapq
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path

Fact = tuple[str, str, str, str]
"""IRI of a thing, a field, the value that a place gives it, the place."""

Said = tuple[str, list[tuple[str, str]]]
"""A base (a figure's slug, or an organism page) and what is said there: place below the base, saying."""

MAX_COUNTED = 500_000
"""So many different sayings are counted in memory; with more, a sorted run is put on disk."""

_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_TO_ESCAPE = re.compile(r"[\\\n\r\t]")
_UNESCAPES = {"\\\\": "\\", "\\n": "\n", "\\r": "\r", "\\t": "\t"}


@dataclass(slots=True)
class Statements:
    """All that is said of one field of one thing: the votes of each value, and the places where they are known.

    `expected` remembers for which value places were asked while none were known: see `contested`.
    """

    votes: Counter[str] = field(default_factory=Counter)
    places: dict[str, list[str]] | None = None
    expected: str | None = None

    @property
    def values(self) -> Iterable[str]:
        """Each value that is given, the missing one (an empty text) among them."""
        return self.votes.keys()

    @property
    def winner(self) -> str:
        """The commonest value that is not missing, ties by code point; an empty text when there is none."""
        known = [value for value in self.votes if value]
        return min(known, key=lambda value: (-self.votes[value], value), default="")

    def others(self) -> list[str]:
        """The other values, in code-point order, without the missing one."""
        winner = self.winner
        return sorted(value for value in self.votes if value and value != winner)

    def dissents(self, expected: str | None = None) -> Iterator[tuple[str, str]]:
        """Yield (place, value) of each place that does not give the expected value (or the winner) alone."""
        expected = self.winner if expected is None else expected
        if all(value == expected for value in self.votes):
            return
        if self.places is None:
            self.expected = expected
            return
        others = {place for value, places in self.places.items() if value != expected for place in places}
        for value, places in sorted(self.places.items()):
            for place in sorted(places):
                if value != expected or place in others:
                    yield place, value


Thing = dict[str, Statements]
"""All that is said of one thing, by field."""


def contested(thing: Thing) -> dict[str, str]:
    """Return the fields whose dissenting places were asked for and are not known, with the value expected."""
    return {name: said.expected for name, said in thing.items() if said.expected is not None}


def gather(said: Iterable[Fact]) -> dict[str, Thing]:
    """Bring facts with their places together, by thing."""
    things: dict[str, Thing] = {}
    for iri, name, value, place in said:
        statements = things.setdefault(iri, {}).setdefault(name, Statements(places={}))
        statements.votes[value] += 1
        if statements.places is not None:
            statements.places.setdefault(value, []).append(place)
    return things


def vote(said: Iterable[tuple[str, str, int]]) -> Thing:
    """Bring (field, value, votes) of one thing together."""
    thing: Thing = {}
    for name, value, votes in said:
        thing.setdefault(name, Statements()).votes[value] += votes
    return thing


class Tally:
    """Counts of sayings; spills sorted runs into a folder when there are too many different ones."""

    def __init__(self, folder: Path, limit: int = MAX_COUNTED) -> None:
        """Spill into `folder`, which is made when it is needed."""
        self._counts: dict[str, int] = {}
        self._folder, self._limit = folder, limit
        self._runs: list[Path] = []
        self._sorted: list[tuple[str, int]] | None = None

    def add(self, saying: str, number: int = 1) -> None:
        """Count a saying; a negative number takes back."""
        counts = self._counts
        counts[saying] = counts.get(saying, 0) + number
        self._sorted = None
        if len(counts) >= self._limit:
            self._spill()

    def read(self, data: bytes) -> None:
        """Count all sayings of a section that `write_section` wrote."""
        counts, get = self._counts, self._counts.get
        for line in _table(data):
            at = line.index("\t")
            saying = line[at + 1 :]
            counts[saying] = get(saying, 0) + int(line[:at])
        self._sorted = None
        if len(counts) >= self._limit:
            self._spill()

    def load(self, sayings: Iterable[str], numbers: Iterable[int]) -> None:
        """Take many sayings at once, each of which comes for the first time."""
        found = zip(sayings, numbers, strict=True)
        while part := dict(islice(found, self._limit - len(self._counts))):
            self._counts.update(part)
            if len(self._counts) >= self._limit:
                self._spill()
        self._sorted = None

    def counts(self, wanted: Collection[str]) -> dict[str, int]:
        """Return the counts of some sayings (escaped) that count anything."""
        if not self._runs:
            return {saying: number for saying in wanted if (number := self._counts.get(saying, 0))}
        return {saying: number for saying, number in self if saying in wanted}

    def _spill(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"tally-{len(self._runs):04d}.tsv"
        with path.open("w", encoding="utf-8", newline="\n") as out:
            out.writelines(f"{saying}\t{number}\n" for saying, number in sorted(self._counts.items()))
        self._runs.append(path)
        self._counts = {}

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """Yield each saying (escaped) and its count, in code-point order, without those that count nothing."""
        if not self._runs:
            if self._sorted is None:
                self._sorted = sorted(item for item in self._counts.items() if item[1])
            yield from self._sorted
            return
        runs = [_read_tally(path) for path in self._runs]
        for saying, group in groupby(heapq.merge(*runs, sorted(self._counts.items())), key=itemgetter(0)):
            if number := sum(count for _, count in group):
                yield saying, number


def _read_tally(path: Path) -> Iterator[tuple[str, int]]:
    with path.open(encoding="utf-8", newline="\n") as stream:
        for line in stream:
            saying, _, number = line.rstrip("\n").rpartition("\t")
            yield saying, int(number)


def escape(saying: str) -> str:
    """Return a saying as it stands in a line."""
    return saying.translate(_ESCAPES) if _TO_ESCAPE.search(saying) else saying


def unescape(text: str) -> str:
    """Undo `escape`."""
    if "\\" not in text:
        return text
    parts: list[str] = []
    rest = iter(text)
    for character in rest:
        parts.append(_UNESCAPES[character + next(rest)] if character == "\\" else character)
    return "".join(parts)


class Section:
    """The facts of one shard: each saying once with its count, then one line for each figure."""

    def __init__(self) -> None:
        """Begin an empty section."""
        self._numbers: dict[str, int] = {}
        self._counts: list[int] = []
        self._lines: list[str] = []

    def add(self, base: str, said: Iterable[tuple[str, str]]) -> None:
        """Take down what is said at a base: pairs of place below it and saying."""
        numbers, counts = self._numbers, self._counts
        parts = [base]
        for place, saying in said:
            number = numbers.get(saying)
            if number is None:
                number = numbers[saying] = len(counts)
                counts.append(0)
            counts[number] += 1
            parts.append(f"{number}:{place}")
        if len(parts) > 1:
            self._lines.append("\t".join(parts))

    def to_bytes(self) -> bytes:
        """Return the section: lines `count, saying`, an empty line, lines `base, number:place, ...`."""
        table = [f"{count}\t{escape(saying)}" for saying, count in zip(self._numbers, self._counts, strict=True)]
        return "\n".join([*table, "", *self._lines, ""]).encode() if table else b""


def counted(data: bytes) -> dict[str, int]:
    """Return the sayings (escaped) of a section with their counts."""
    return {saying: int(number) for number, _, saying in (line.partition("\t") for line in _table(data))}


def _table(data: bytes) -> list[str]:
    """Return the lines `count, saying` of a section."""
    return data[: data.index(b"\n\n")].decode().split("\n") if data else []


def said_by(data: bytes, starts: Iterable[str]) -> Iterator[str]:
    """Yield each saying (escaped) of the lines of a section that begin in some ways, as often as it is said.

    Lines that begin alike stand together; those that come in the order of `starts` are found in one go.
    """
    if not data:
        return
    end = data.index(b"\n\n")
    table = data[:end].split(b"\n")
    at = end + 1
    for start in starts:
        mark = f"\n{start}".encode()
        found = data.find(mark, at)
        if found < 0:
            found = data.find(mark, end + 1, at + len(mark))
        while found >= 0 and data.startswith(mark, found):
            at = data.index(b"\n", found + 1)
            for part in data[found + 1 : at].split(b"\t")[1:]:
                yield table[int(part[: part.index(b":")])].partition(b"\t")[2].decode()
            found = at


def full_place(base: str, place: str) -> str:
    """Return a place as `pfocr:dissent` names it."""
    return f"{base}/{place}" if place else base


def lines_with(data: bytes, wanted: frozenset[str]) -> Iterator[Said]:
    """Yield base and wanted sayings of the lines of a section that hold any of the wanted sayings (escaped)."""
    sayings = [line[line.index("\t") + 1 :] for line in _table(data)]
    if wanted.isdisjoint(sayings):
        return
    marks = {str(number): saying for number, saying in enumerate(sayings) if saying in wanted}
    for line in data[data.index(b"\n\n") + 2 :].decode().split("\n"):
        base, *parts = line.split("\t")
        found = []
        for part in parts:
            number, _, place = part.partition(":")
            if number in marks:
                found.append((place, marks[number]))
        if found:
            yield base, found
