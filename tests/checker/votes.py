"""What several places say of one thing: the commonest value wins, the others are kept (the model, a.2b)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pyoxigraph import NamedNode, Triple

from .records import MISSING
from .vocabulary import clean, term, text


@dataclass(frozen=True)
class Said:
    """One place, the field in which it says something, and the value; None where it says nothing."""

    place: str
    field: str
    value: str | None


def winner(values: Iterable[str | None]) -> str | None:
    """The commonest value, ties by code point; missing ones do not vote."""
    votes = Counter(value for value in values if value is not None)
    return min(votes, key=lambda value: (-votes[value], value)) if votes else None


def dissents(thing: NamedNode, said: Iterable[Said], chosen: str | None) -> Iterator[Triple]:
    """Each place that says otherwise than the chosen value, as `PLACE FIELD=VALUE` (design, decisions).

    A place that says several things says otherwise with each of them.
    """
    said = set(said)
    several = Counter((one.place, one.field) for one in said)
    for one in said:
        if one.value != chosen or (chosen is not None and several[one.place, one.field] > 1):
            yield Triple(thing, term("pfocr:dissent"), text(f"{one.place} {one.field}={one.value or ''}"))


def is_name(value: str | None) -> bool:
    """Whether a text names something: what others write for a missing value does not (the model, d, Q4)."""
    return value is not None and clean(value) not in MISSING


def fact(thing: NamedNode, said: list[Said], voters: list[Said] | None = None) -> tuple[str | None, set[Triple]]:
    """A fact that is no label: the winner, and the variants `field=value` and dissents of the others."""
    chosen = winner(one.value for one in (said if voters is None else voters))
    triples = set(dissents(thing, said, chosen))
    for one in said:
        if one.value is not None and one.value != chosen:
            triples.add(Triple(thing, term("pfocr:variant"), text(f"{one.field}={one.value}")))
    return chosen, triples


def label(
    thing: NamedNode, electorates: list[list[Said]], default: str | None = None, symbols: bool = False
) -> tuple[str | None, set[Triple]]:
    """A label: the first electorate that says anything decides; other labels are alternative ones.

    Labels are compared trimmed and with single blanks, dissents as they stand in the source. A symbol may be `NA`.
    """
    chosen: str | None = None
    for electorate in electorates:
        voters = [one.value for one in electorate if one.value and (symbols or is_name(one.value))]
        chosen = winner(map(clean, voters))
        if chosen is not None:
            break
    chosen = default if chosen is None else chosen
    said = [one for electorate in electorates for one in electorate]
    triples = set(dissents(thing, said, chosen))
    if chosen is None:
        return None, triples
    triples.add(Triple(thing, term("rdfs:label"), text(chosen)))
    for one in said:
        if one.value and clean(one.value) != chosen and (symbols or is_name(one.value)):
            triples.add(Triple(thing, term("skos:altLabel"), text(clean(one.value))))
    return chosen, triples
