"""What many records say of one thing: spilled in sorted runs, merged, and resolved by vote.

A fact is (IRI, field, value, place). Runs are files of JSON lines in the order of the facts, so any number of
them merges in little memory. The data model, section a.2b: the commonest value wins, ties by code point.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path

Fact = tuple[str, str, str, str]
"""IRI of a thing, a field, the value that a place gives it, the place."""


@dataclass(slots=True)
class Statements:
    """All facts of one field of one thing: each value with the places that give it."""

    values: dict[str, list[str]]

    @property
    def winner(self) -> str:
        """The commonest value that is not missing, ties by code point; an empty text when there is none."""
        known = [value for value in self.values if value]
        return min(known, key=lambda value: (-len(self.values[value]), value), default="")

    def others(self) -> list[str]:
        """The other values, in code-point order, without the missing one."""
        winner = self.winner
        return sorted(value for value in self.values if value and value != winner)

    def dissents(self, winner: str | None = None) -> Iterator[tuple[str, str]]:
        """Yield (place, value) of each place that does not give the winner (or the given value) alone."""
        expected = self.winner if winner is None else winner
        others = {place for value, places in self.values.items() if value != expected for place in places}
        for value, places in sorted(self.values.items()):
            for place in places:
                if value != expected or place in others:
                    yield place, value


Thing = dict[str, Statements]
"""All that is said of one thing, by field."""

Line = tuple[str, str, str, list[str]]
"""One line of a run: IRI, field, value and all places that give it."""


def write_run(facts: Iterable[Fact], path: Path) -> None:
    """Write one sorted run."""
    with path.open("w", encoding="utf-8", newline="\n") as out:
        for (iri, field, value), group in groupby(sorted(facts), key=itemgetter(0, 1, 2)):
            places = [place for _, _, _, place in group]
            if field == "type":
                places = places[:1]  # a class is said or not; nobody votes
            out.write(json.dumps((iri, field, value, places), ensure_ascii=False, separators=(",", ":")) + "\n")


def read_run(path: Path) -> Iterator[Line]:
    """Yield the lines of one run, and remove it at the end."""
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            iri, field, value, places = json.loads(line)
            yield iri, field, value, places
    path.unlink()


def lines(facts: Iterable[Fact]) -> Iterator[Line]:
    """Yield facts that were never written as the lines of a run."""
    for iri, field, value, place in sorted(facts):
        yield iri, field, value, [place]


def merge(runs: Iterable[Iterable[Line]]) -> Iterator[tuple[str, Thing]]:
    """Merge sorted runs; yield each thing once, in the order of its IRI, with all that is said of it."""
    for iri, group in groupby(heapq.merge(*runs), key=itemgetter(0)):
        yield iri, gather(group)


def gather(said: Iterable[Line]) -> Thing:
    """Bring the facts of one thing together."""
    thing: Thing = {}
    for _, field, value, places in said:
        statements = thing.get(field)
        if statements is None:
            statements = thing[field] = Statements({})
        statements.values.setdefault(value, []).extend(places)
    return thing
