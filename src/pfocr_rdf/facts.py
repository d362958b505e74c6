"""What many records say of one thing: counted, merged and resolved by vote, in bounded memory.

A *saying* is what one row or record says, as one string: a letter for its kind and its parts, joined by U+001F
(`mapping.entities` makes and reads them). Equal sayings are counted, not kept, for only the votes matter: the
commonest value wins, ties by code point (the data model, section a.2b). The places of what loses are looked up
afterwards, in the lines that each figure left behind.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from pfocr_rdf import native
from pfocr_rdf.escapes import escape_all

Fact = tuple[str, str, str, str]
"""IRI of a thing, a field, the value that a place gives it, the place."""

Placed = tuple[str, Sequence[str]]
"""A place below a base, and what is said there; what a gene row says stands below it once more, at its gene id."""

Said = tuple[str, list[tuple[str, str]]]
"""A base (a figure's slug, or an organism page) and what is said there: place below the base, saying."""

_SEPARATOR = "\x1f"
_DIGITS = 10
"""So many digits say where the lines of a section begin."""

MAX_COUNTED = 500_000
"""So many different sayings are counted in memory; with more, a sorted run is put on disk."""


@dataclass(slots=True)
class Statements:
    """All that is said of one field of one thing: the votes of each value, and the places where they are known.

    `expected` remembers for which value places were asked while none were known: see `contested`.
    """

    votes: dict[str, int] = field(default_factory=dict)
    places: dict[str, list[str]] | None = None
    expected: str | None = None

    @property
    def values(self) -> Iterable[str]:
        """Each value that is given, the missing one (an empty text) among them."""
        return self.votes.keys()

    @property
    def winner(self) -> str:
        """The commonest value that is not missing, ties by code point; an empty text when there is none."""
        if len(self.votes) == 1:
            return next(iter(self.votes))
        known = [value for value in self.votes if value]
        return min(known, key=lambda value: (-self.votes[value], value), default="")

    def others(self) -> list[str]:
        """The other values, in code-point order, without the missing one."""
        if len(self.votes) < 2:
            return []
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
        thing = things.setdefault(iri, {})
        statements = thing.get(name)
        if statements is None:
            statements = thing[name] = Statements(places={})
        statements.votes[value] = statements.votes.get(value, 0) + 1
        if statements.places is not None:
            statements.places.setdefault(value, []).append(place)
    return things


def vote(said: Iterable[tuple[str, str, int]]) -> Thing:
    """Bring (field, value, votes) of one thing together."""
    thing: Thing = {}
    for name, value, number in said:
        statements = thing.get(name)
        if statements is None:
            statements = thing[name] = Statements()
        statements.votes[value] = statements.votes.get(value, 0) + number
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
        for saying, number in zip(*_table(data), strict=True):
            counts[saying] = get(saying, 0) + number
        self._sorted = None
        if len(counts) >= self._limit:
            self._spill()

    def load(self, counts: dict[str, int]) -> None:
        """Take many counted sayings, which come in order, while there are none; they are not to be used any more."""
        self._counts, self._sorted = counts, None
        if len(counts) >= self._limit:
            self._spill()

    def counts(self, wanted: Collection[str]) -> dict[str, int]:
        """Return the counts of some sayings (escaped) that count anything."""
        if not self._runs:
            return {saying: number for saying in wanted if (number := self._counts.get(saying, 0))}
        return {saying: number for saying, number in self if saying in wanted}

    def starting(self, starts: Iterable[str]) -> Iterator[tuple[str, int]]:
        """Yield the sayings that begin in some ways, which come in order; none of these begins another."""
        if self._runs:
            yield from starting(self, starts)
            return
        counted = self._in_order()
        for start in starts:
            at = bisect_left(counted, start, key=itemgetter(0))
            while at < len(counted) and counted[at][0].startswith(start):
                yield counted[at]
                at += 1

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
            yield from self._in_order()
            return
        runs = [_read_tally(path) for path in self._runs]
        for saying, group in groupby(heapq.merge(*runs, sorted(self._counts.items())), key=itemgetter(0)):
            if number := sum(count for _, count in group):
                yield saying, number

    def _in_order(self) -> list[tuple[str, int]]:
        if self._sorted is None:
            self._sorted = sorted(filter(itemgetter(1), self._counts.items()))
        return self._sorted


def starting(counted: Iterable[tuple[str, int]], starts: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Yield those of many sayings, in order, that begin in some ways, which come in order too."""
    rest = iter(starts)
    start = next(rest, None)
    for item in counted:
        while start is not None and start < item[0] and not item[0].startswith(start):
            start = next(rest, None)
        if start is None:
            return
        if item[0].startswith(start):
            yield item


def _read_tally(path: Path) -> Iterator[tuple[str, int]]:
    with path.open(encoding="utf-8", newline="\n") as stream:
        for line in stream:
            saying, _, number = line.rstrip("\n").rpartition("\t")
            yield saying, int(number)


def line_of(base: str, placed: Sequence[Placed], numbers: dict[str, int], said: list[int]) -> str:
    """Return the line of what is said at a base; new sayings are numbered, and all numbers added to `said`."""
    found = [numbers.setdefault(saying, len(numbers)) for _, sayings in placed for saying in sayings]
    said += found
    places = " ".join([f"{place}:{len(sayings)}" for place, sayings in placed])
    return f"{base}\t{places}\t{' '.join(map(str, found))}"


section_line = native.fastest("section_line", line_of)
"""See `line_of`."""


class Section:
    """The facts of one shard: each saying once with its count, then one line for each figure."""

    def __init__(self) -> None:
        """Begin an empty section."""
        self._numbers: dict[str, int] = {}
        self._said: list[int] = []
        self._lines: list[str] = []

    def add(self, base: str, said: Sequence[Placed]) -> None:
        """Take down what is said at a base."""
        if not said:
            return
        self._lines.append(section_line(base, said, self._numbers, self._said))

    def to_bytes(self) -> bytes:
        """Return the section: where its lines begin, counts, sayings; lines `base, place:times ..., number ...`."""
        if not self._said:
            return b""
        counts = Counter(self._said)
        numbers = " ".join([str(counts[number]) for number in range(len(self._numbers))])
        head = "\n".join(["", numbers, *escape_all([*self._numbers]), ""]).encode()
        return b"%0*d%b%b" % (_DIGITS, _DIGITS + len(head), head, "\n".join([*self._lines, ""]).encode())


def begin(data: bytes) -> int:
    """Return where the lines of a section begin that is not empty."""
    return int(data[:_DIGITS])


def counted(data: bytes) -> dict[str, int]:
    """Return the sayings (escaped) of a section with their counts."""
    sayings, counts = _table(data)
    return dict(zip(sayings, counts, strict=True))


def _table(data: bytes) -> tuple[list[str], list[int]]:
    """Return the sayings (escaped) of a section, by number, and how often each is said."""
    if not data:
        return [], []
    counts, *sayings = data[_DIGITS + 1 : begin(data) - 1].decode().split("\n")
    return sayings, [*map(int, counts.split(" "))]


def sayings(data: bytes) -> list[str]:
    """Return the sayings (escaped) of a section, by number."""
    return data[: begin(data) - 1].decode().split("\n")[2:] if data else []


def lines_from(data: bytes, starts: Iterable[str]) -> Iterator[Said]:
    """Yield base and sayings (escaped) of the lines of a section that begin in some ways.

    Lines that begin alike stand together; those that come in the order of `starts` are found in one go.
    """
    if not data:
        return
    end = begin(data) - 1
    rows: list[str] = []
    at = end
    for start in starts:
        mark = f"\n{start}".encode()
        found = data.find(mark, at)
        if found < 0:
            found = data.find(mark, end, at + len(mark))
        while 0 <= found < len(data) - 1 and data.startswith(mark, found):
            at = data.index(b"\n", found + 1)
            rows.append(data[found + 1 : at].decode())
            found = at
    numbers = sorted({int(number) for row in rows for number in row[row.rindex("\t") + 1 :].split(" ")})
    first = data.index(b"\n", _DIGITS + 1) + 1
    sayings = dict(zip(numbers, few_lines(data[first:end], numbers), strict=True))
    yield from (said_in(row, sayings) for row in rows)


def lines_at(data: bytes, numbers: list[int]) -> list[str]:
    """Return some lines of a text, by their numbers from 0, which rise.

    Raises `IndexError` when there is no such line.
    """
    lines = data.split(b"\n")
    return [lines[number].decode() for number in numbers]


few_lines = native.fastest("lines_at", lines_at)
"""See `lines_at`."""


def said_in(line: str, sayings: Sequence[str] | Mapping[int, str]) -> Said:
    """Return base and sayings (escaped) of one line of a section."""
    base, places, numbers = line.split("\t")
    said = [sayings[number] for number in map(int, numbers.split(" "))]
    found: list[tuple[str, str]] = []
    for part in places.split(" "):
        place, _, times = part.rpartition(":")
        end = len(found) + int(times)
        found += [(_below(place, saying), saying) for saying in said[len(found) : end]]
    return base, found


def _below(place: str, saying: str) -> str:
    """Return where a saying stands: that of a gene row at its gene id (or NA) below the mention."""
    return f"{place}/{saying[2 : saying.index(_SEPARATOR, 2)] or 'NA'}" if saying[0] == "R" else place


def full_place(base: str, place: str) -> str:
    """Return a place as `pfocr:dissent` names it."""
    return f"{base}/{place}" if place else base


def lines_with(data: bytes, wanted: Container[str], telling: frozenset[str]) -> Iterator[Said]:
    """Yield base and wanted sayings (escaped) of those lines of a section that hold one of the telling ones."""
    if not data:
        return
    here = sayings(data)
    if telling.isdisjoint(here):
        return
    body = data[begin(data) :]
    sought = {b"%d" % number for number, saying in enumerate(here) if saying in telling}
    for row in body.split(b"\n"):
        if not sought.isdisjoint(row[row.rfind(b"\t") + 1 :].split(b" ")):
            base, said = said_in(row.decode(), here)
            yield base, [(place, saying) for place, saying in said if saying in wanted]
