"""Things that many records speak of (genes, taxa, chemicals, journals, ...): resolved from the tally of sayings.

Genes stream by in the order of their ids. Most are described alike by all records and go the short way; where
places dissent, the figures' own lines tell which. `Places` is how those are looked up, wherever the lines lie.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby
from typing import Protocol

from pfocr_rdf import facts, serialize, vocab
from pfocr_rdf import identifiers as ids
from pfocr_rdf.errors import Problem
from pfocr_rdf.escapes import unescape
from pfocr_rdf.facts import Fact, Thing
from pfocr_rdf.mapping import entities
from pfocr_rdf.model import Layer

Item = tuple[Layer, str, str]
"""Layer, subject (bare IRI) and its Turtle."""

Batch = tuple[Layer, list[tuple[str, str]]]
"""Layer, and subjects with their Turtle; more than one only of genes, in the order of their IRIs."""

Expected = Mapping[tuple[str, str], str]
"""The value expected of (thing, field)."""

Places = Callable[[frozenset[str], Expected], Iterable[Fact]]
"""Looks the dissenting facts up: wanted sayings (escaped) and what is expected to facts with full places."""

Kept = Callable[[Expected], Iterable[Fact]]
"""The same of what an earlier build expected too, where it is known who says so."""

_COUNTED = {vocab.CHEMICAL: "chemicals", vocab.MEDICAL_CONDITION: "diseases"}
_BEFORE_ROWS, _, _AFTER_ROWS = entities.KINDS.partition("R")
"""Letters of the kinds of sayings that come before those of gene rows, and after them."""
_SEPARATOR = "\x1f"
_SOMEWHERE = "?"
"""Stands for the place of a saying that was only counted."""
_BATCH = 1000
"""So many genes are handed on together."""


@dataclass(slots=True)
class Summary:
    """What the sayings of gene rows and of concepts come to: genes, concepts by class, votes for organisms."""

    counts: Counter[str] = field(default_factory=Counter)
    organisms: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, tally: Iterable[tuple[str, int]]) -> Summary:
        """Sum up sayings that come in order."""
        found = cls()
        last: object = None
        for saying, number in tally:
            if saying[0] == "R":
                _, gene, _, organism = saying.split(_SEPARATOR, 3)
                found.organisms[organism] += number
                found.counts["genes"] += bool(gene) and gene != last
                last = gene
            elif saying[0] == "C":
                concept = saying.split(_SEPARATOR, 3)[1:3]
                found.counts[_COUNTED.get(concept[1], "")] += concept != last
                last = concept
        return found

    def copy(self) -> Summary:
        """Return a copy."""
        return Summary(self.counts.copy(), self.organisms.copy())

    def add(self, other: Summary, times: int = 1) -> None:
        """Add what other sayings, of other things, come to; or take it away, `times` -1."""
        for mine, its in ((self.counts, other.counts), (self.organisms, other.organisms)):
            for key, number in its.items():
                mine[key] += times * number


class Sayings(Protocol):
    """Sayings with their counts, in code-point order; may be read again and again."""

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """Yield all of them."""
        ...

    def starting(self, starts: Sequence[str]) -> Iterator[tuple[str, int]]:
        """Yield those that begin in some ways, which come in order; none of these begins another."""
        ...


def asked_of(sayings: Sayings, asked: Iterable[str]) -> list[tuple[str, int]]:
    """Return the sayings without those of gene rows and concepts, journals and the like not asked for, in order.

    Sayings of taxa stay, for one name may move a taxon from group to group, and so do genes known by keyword.
    """
    things = {"", *asked}
    before, after = (list(_asked_of(sayings.starting(kinds), things)) for kinds in (_BEFORE_ROWS, _AFTER_ROWS))
    genes = {"", *(iri.removeprefix(ids.GENES) for iri in things if iri.startswith(ids.GENES))}
    genes.update(saying.rpartition(_SEPARATOR)[2].removeprefix(ids.GENES) for saying, _ in before if saying[0] == "K")
    rows = sayings.starting(sorted(f"R{_SEPARATOR}{gene}{_SEPARATOR}" for gene in genes))
    return [*before, *rows, *after]


def _asked_of(few: Iterable[tuple[str, int]], things: Container[str]) -> Iterator[tuple[str, int]]:
    """Yield of sayings that are no gene rows those that are asked for."""
    start, wanted = _SEPARATOR, True
    for item in few:
        saying = item[0]
        if saying[0] not in "KTOW" and not saying.startswith(start):
            start = saying[: saying.index(_SEPARATOR, 2) + 1]
            wanted = unescape(start[2:-1]) in things
        if wanted or saying[0] in "KTOW":
            yield item


@dataclass(slots=True)
class Things:
    """Resolves the things of one tally.

    For an update, `skipped` is what those sayings come to that `tally` lacks of the `whole`, `only` are the IRIs that
    must be described, and `maybe` those that must be when their votes or places matter, for records disagree; `kept`
    looks dissenting places up of what is expected as it was before, and `grown` says by how many votes each (field,
    value) of a thing has grown. After `describe` has been read to its end, `counts` holds the number of genes,
    chemicals, diseases and taxa, `described` the IRIs, `groups` those of all groups of organisms, `problems` the
    conflicts.
    """

    tally: Iterable[tuple[str, int]]
    places: Places
    whole: Iterable[tuple[str, int]] = ()
    skipped: Summary | None = None
    kept: Kept | None = None
    grown: dict[str, dict[tuple[str, str], int]] = field(default_factory=dict)
    only: set[str] | None = None
    maybe: Container[str] = ()
    described: set[str] = field(default_factory=set)
    groups: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    _said: dict[str, list[tuple[str, str, int]]] = field(default_factory=dict)
    _sayings: dict[str, set[str]] = field(default_factory=dict)
    _organisms: dict[str, int] = field(default_factory=dict)
    _open: dict[str, Thing] = field(default_factory=dict)

    def describe(self) -> Iterator[Batch]:
        """Yield all descriptions; genes in the order of their IRIs, then the others in theirs, then what dissents."""
        keywords: dict[str, list[str]] = {}
        if self.skipped:
            self.counts += self.skipped.counts
            self._organisms.update(+self.skipped.organisms)
        for kind, said in groupby(self.tally, key=_kind):
            if kind == "R":
                yield from self._genes(said, keywords)
                continue
            for saying, number in said:
                if kind == "K":
                    keywords.setdefault(saying.rpartition(_SEPARATOR)[2], []).append(saying)
                self._take(saying, number)
        for layer, subject, text in chain(self._others(keywords), self._contested()):
            yield layer, [(subject, text)]

    def _take(self, saying: str, number: int) -> None:
        """Take down a saying of another kind than a gene row's, by thing."""
        for iri, name, value, place in entities.expand(unescape(saying), _SOMEWHERE):
            self._said.setdefault(iri, []).append((name, value, number))
            if place:  # else nobody is asked who says so
                self._sayings.setdefault(iri, set()).add(saying)

    def _genes(self, rows: Iterable[tuple[str, int]], keywords: Container[str]) -> Iterator[Batch]:
        """Yield the descriptions of genes from all rows that name them; take down what these say of organisms."""
        batches: dict[Layer, list[tuple[str, str]]] = {Layer.ENTITIES: [], Layer.XREFS: []}
        organisms, get = self._organisms, self._organisms.get
        for gene, group in groupby(rows, key=_gene_of):
            of_gene = list(group)
            said: set[tuple[str, str]] = set()
            for saying, number in of_gene:
                _, _, symbol, organism = saying.split(_SEPARATOR, 3)
                organisms[organism] = get(organism, 0) + number
                said.add((symbol, organism.partition(_SEPARATOR)[0]))
            if gene:
                for layer, subject, text in self._gene(gene, of_gene, said, keywords):
                    batches[layer].append((subject, text))
            if len(batches[Layer.ENTITIES]) >= _BATCH:
                yield from batches.items()
                batches = {layer: [] for layer in batches}
        yield from ((layer, items) for layer, items in batches.items() if items)

    def _gene(
        self, gene: str, rows: list[tuple[str, int]], said: set[tuple[str, str]], keywords: Container[str]
    ) -> Iterable[Item]:
        """Return one gene's descriptions, from all rows that name it; they say these symbols and organisms of it."""
        iri = ids.gene(gene)
        if iri in keywords:  # known by keyword too: one of the others
            for saying, number in rows:
                for subject, name, value, _ in entities.expand(unescape(saying), ""):
                    if subject == iri:
                        self._said.setdefault(iri, []).append((name, value, number))
                        self._sayings.setdefault(iri, set()).add(saying)
            return ()
        self.counts["genes"] += 1
        if not self._asked(iri):
            return ()
        if len(said) == 1:
            [(symbol, taxid)] = said
            if symbol and "\\" not in symbol and entities.label_of(symbol) == symbol:
                if self.only is not None and iri not in self.only:
                    return ()
                self.described.add(iri)
                return entities.usual_gene(gene, symbol, taxid)
        thing = facts.vote(
            (name, value, number)
            for saying, number in rows
            for subject, name, value, _ in entities.expand(unescape(saying), "")
            if subject == iri
        )
        self._sayings[iri] = {saying for saying, _ in rows}
        return self._thing(iri, thing)

    def _others(self, keywords: Mapping[str, list[str]]) -> Iterator[Item]:
        """Yield the descriptions of all other things, and of the groups of organisms."""
        for organism, number in self._organisms.items():
            taxid, *rest = organism.split(_SEPARATOR)
            taxon = ids.taxon(taxid)
            said = self._said.setdefault(taxon, [])
            said.append(("type", vocab.TAXON, number))
            said += [
                (name, unescape(value), number)
                for name, value in zip(("organism_name", "organism_group"), rest, strict=False)
            ]
        groups: dict[str, list[str]] = {}
        for iri in sorted(self._said):
            thing = facts.vote(self._said[iri])
            types = thing["type"].votes if "type" in thing else {}
            self.counts.update(name for cls, name in _COUNTED.items() if cls in types)
            self.counts["genes"] += iri in keywords
            if vocab.TAXON in types:
                self.counts["taxa"] += 1
                if name := entities.group_of(thing):
                    groups.setdefault(name, []).append(iri)
            if self._asked(iri):
                yield from self._thing(iri, thing)
        for name in sorted(groups, key=ids.group):
            subject, pairs = entities.describe_group(name, groups[name])
            self.groups.append(subject)
            yield Layer.ENTITIES, subject, serialize.block(subject, pairs)

    def _asked(self, iri: str) -> bool:
        return self.only is None or iri in self.only or iri in self.maybe

    def _thing(self, iri: str, thing: Thing, *, sure: bool = False) -> Iterator[Item]:
        """Yield a thing's descriptions, or put it aside when places dissent that must be looked up first.

        Of a thing that may not have changed, nothing is yielded where all say the same, unless `sure`.
        """
        found = list(entities.describe(iri, thing))
        blocks = [
            (layer, subject, serialize.block(subject, pairs))
            for layer, (subject, pairs) in (item for item in found if not isinstance(item, Problem))
            if pairs
        ]
        if facts.contested(thing):
            self._open[iri] = thing
            return
        asked = sure or self.only is None or iri in self.only
        if not asked and all(len(said.votes) == 1 for said in thing.values()):
            return
        self.described.add(iri)
        self.problems += [item for item in found if isinstance(item, Problem)]
        yield from blocks

    def _contested(self) -> Iterator[Item]:
        """Look up who dissents, and yield the descriptions that were put aside, in the order of their IRIs."""
        if not self._open:
            return
        expected = {
            (iri, name): value for iri, thing in self._open.items() for name, value in facts.contested(thing).items()
        }
        same = self._expected_before(expected) if self.kept else {}
        other = {key: value for key, value in expected.items() if key not in same}
        found = facts.gather(
            chain(
                self.kept(same) if self.kept and same else (),
                self.places(self._telling(other), other) if other else (),
            )
        )
        for iri, thing in sorted(self._open.items()):
            for name, said in found.get(iri, {}).items():
                thing[name].places = said.places
            for name in facts.contested(thing):
                if thing[name].places is None:
                    raise ValueError(f"{iri} {name}: nobody says what was counted")
                thing[name].expected = None
            yield from self._thing(iri, thing, sure=True)

    def _telling(self, expected: Expected) -> frozenset[str]:
        """Return the sayings that may say of some things what is not expected."""
        said = {saying for iri, _ in expected for saying in self._sayings.get(iri, ())}
        return frozenset(said | self._losing_rows(expected))

    def _expected_before(self, expected: Expected) -> dict[tuple[str, str], str]:
        """Return of what is expected that which was so before the votes grew, or of which nobody had dissented."""
        same: dict[tuple[str, str], str] = {}
        for iri, thing in self._open.items():
            votes = Counter({(name, value): n for name, said in thing.items() for value, n in said.votes.items()})
            votes.subtract(self.grown.get(iri, {}))
            before = facts.vote((name, value, number) for (name, value), number in votes.items() if number > 0)
            list(entities.describe(iri, before))
            was = facts.contested(before)
            for name in facts.contested(thing):
                value = expected[iri, name]
                alone = set(before[name].votes) if name in before else set()
                if was.get(name) == value or (name not in was and alone <= {value}):
                    same[iri, name] = value
        return same

    def _losing_rows(self, expected: Expected) -> set[str]:
        """Return the gene rows' sayings that name an organism otherwise than expected; may read the tally again."""
        losing: set[str] = set()
        for organism in self._organisms:
            taxid, *rest = organism.split(_SEPARATOR)
            taxon = ids.taxon(taxid)
            for name, value in zip(("organism_name", "organism_group"), map(unescape, rest), strict=False):
                if expected.get((taxon, name), value) != value:
                    losing.add(organism)
        if not losing:
            return losing
        whole = self.whole or self.tally
        return {saying for saying, _ in whole if saying[0] == "R" and saying.split(_SEPARATOR, 3)[3] in losing}


def _kind(counted: tuple[str, int]) -> str:
    return counted[0][0]


def _gene_of(counted: tuple[str, int]) -> str:
    saying = counted[0]
    return saying[2 : saying.index(_SEPARATOR, 2)]


@dataclass(frozen=True, slots=True)
class Search:
    """A search for dissenting places: what wanted sayings (escaped) say of that of which something is expected.

    `losing` are those that say otherwise.
    """

    expected: Expected
    said: dict[str, list[tuple[str, str, str]]]
    losing: frozenset[str]

    @classmethod
    def of(cls, wanted: Iterable[str], expected: Expected) -> Search:
        """Begin a search."""
        said: dict[str, list[tuple[str, str, str]]] = {}
        for saying in wanted:
            here = entities.expand(unescape(saying), "")
            if found := [(iri, name, value) for iri, name, value, _ in here if (iri, name) in expected]:
                said[saying] = found
        losing = {
            saying for saying, found in said.items() if any(value != expected[iri, name] for iri, name, value in found)
        }
        return cls(expected, said, frozenset(losing))


def dissents(data: bytes, search: Search) -> list[Fact]:
    """Return the facts of one section that do not give what is expected, with full places.

    Where one place gives several values, all of them are returned.
    """
    found: list[Fact] = []
    for base, parts in facts.lines_with(data, search.said, search.losing):
        facts_here = [
            (iri, name, value, facts.full_place(base, place))
            for place, saying in parts
            for iri, name, value in search.said[saying]
        ]
        for (iri, name, place), group in groupby(sorted(facts_here, key=_by_place), key=_by_place):
            values = [value for _, _, value, _ in group]
            if any(value != search.expected[iri, name] for value in values):
                found += [(iri, name, value, place) for value in values]
    return found


def _by_place(fact: Fact) -> tuple[str, str, str]:
    return fact[0], fact[1], fact[3]
