"""What a correct converter must find in the corpus: accounts, counts and the triples of every layer.

A second implementation of the counting rules of `docs/model.md`, made from what was drawn; nothing of the converter
is called. Tallies of parts of a corpus add up in any order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.corpus_figure import NA, Figure
from benchmarks.corpus_rows import FAMILY, SYMBOL, ConceptRow
from benchmarks.corpus_words import Organism, organisms
from benchmarks.corpus_write import page_name

KINDS = ("records", "gene-rows", "chemical-rows", "disease-rows", "map-lines", "organism-pages")
LEVELS = ("links-genes-symbol", "links-genes-synonym", "links-genes-family")
LAYERS = (
    "core",
    *LEVELS,
    "links-chemicals",
    "links-diseases",
    "evidence-genes",
    "evidence-chemicals",
    "evidence-diseases",
    "entities",
    "xrefs",
    "compat",
)
SHIPPED = {"Canis lupus familiaris": "9615"}
"""Names that no page has and the converter's own short table knows."""
PAPER_FIELDS = ("title", "reftext", "year", "doi", "journal_title", "journal", "publisher", "keywords")


@dataclass(slots=True)
class Tally:
    """Running totals, and the votes on what many records say of one thing."""

    triples: Counter[str] = field(default_factory=Counter)
    accounts: Counter[tuple[str, str]] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    genes: Counter[tuple[str, str]] = field(default_factory=Counter)
    taxa: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    concepts: set[tuple[str, str]] = field(default_factory=set)
    labels: Counter[tuple[str, str]] = field(default_factory=Counter)
    close: set[tuple[str, str]] = field(default_factory=set)
    journals: Counter[tuple[str, str]] = field(default_factory=Counter)
    shorts: set[str] = field(default_factory=set)
    publishers: set[str] = field(default_factory=set)

    def add(self, other: Tally) -> None:
        """Add the totals and votes of another part."""
        for name in self.__slots__:
            getattr(self, name).update(getattr(other, name))


def winner(votes: dict[str, int]) -> str:
    """Return the commonest value that is not missing, of several the first by code point."""
    return min((value for value in votes if value), key=lambda value: (-votes[value], value), default="")


def label(name: str) -> str:
    """Return a name as a label."""
    return " ".join(name.split())


def stated(value: str) -> str:
    """Return a text of the front matter, empty when it is missing."""
    return "" if value == NA or not value.strip() else value


class Counting:
    """Counts the papers of one part of a corpus, in which so many of the organisms have a page."""

    def __init__(self, pages: int) -> None:
        self.tally = Tally()
        known = organisms()
        self.pages = {one.latin: one.taxid for one in known[:pages]} | SHIPPED
        self.taxids = [one.taxid for one in known]
        self.names = [one.name for one in known]
        self.groups = [one.group for one in known]

    def add_paper(self, figures: list[Figure]) -> None:
        """Count a paper with its figures."""
        tally = self.tally
        for figure in figures:
            self._figure(figure)
        votes = {name: Counter[str]() for name in PAPER_FIELDS}
        for figure in figures:
            for name in PAPER_FIELDS:
                value = figure.year if name == "year" else stated(getattr(figure.paper, name))
                if name == "keywords" and figure.paper.batch in ("2024", "2025"):
                    value = ""
                votes[name][value.lower() if name == "doi" else value] += 1
        won = {name: winner(votes[name]) for name in PAPER_FIELDS}
        triples = 2 + bool(won["title"]) + bool(won["reftext"]) + bool(won["year"]) + 2 * bool(won["doi"])
        triples += len({part.strip() for part in won["keywords"].split(" | ")} - {""})
        triples += sum(_dissent(votes[name], won[name]) for name in PAPER_FIELDS)
        if journal := won["journal"] or won["journal_title"]:
            triples += 1
            if won["journal"]:
                tally.shorts.add(journal)
            for title, times in votes["journal_title"].items():
                tally.journals[journal, title] += times
        if won["publisher"]:
            triples += 1
            tally.publishers.add(won["publisher"])
        tally.triples["core"] += triples
        tally.triples["xrefs"] += 1
        tally.counts["papers"] += 1

    def _figure(self, figure: Figure) -> None:
        tally = self.tally
        tally.accounts["records", "emitted"] += 1
        tally.counts["figures"] += 1
        levels, own = self._genes(figure)
        chemicals = self._concepts(figure, figure.chemicals, "chemical")
        diseases = self._concepts(figure, figure.diseases, "disease")
        per_level = Counter(levels.values())
        for level, name in enumerate(LEVELS):
            tally.triples[name] += per_level[level]
        tally.triples["links-chemicals"] += len(chemicals)
        tally.triples["links-diseases"] += len(diseases - chemicals)
        about, named = self._taxa(figure, own)
        ndex, wpid = self._map_lines(figure, "ndex"), self._map_lines(figure, "wpid")
        early, old = figure.paper.early, figure.paper.style == "2021"
        core = (
            7 + 2 + 1 + 1 + 1 + 1
        )  # types, ids, paper, generation, two counts; title twice; number, caption, link, image
        core += 2  # the image itself
        core += 0 if early else 3  # older id, older address, kind
        core += bool(figure.score) + (1 if old else 0) + bool(figure.year) + ndex + wpid
        core += 2  # licence, creator
        core += len(about) + len(named) + (1 if old else 0)
        tally.triples["core"] += core
        tally.triples["compat"] += len(about | named) + len(set(figure.keywords) - {"", NA})

    def _genes(self, figure: Figure) -> tuple[dict[str, int], dict[int, int]]:
        """Count the gene rows; return the best level of each gene, and the rows of each organism."""
        tally = self.tally
        levels: dict[str, int] = {}
        own: dict[int, int] = {}
        mentions: set[Hashable] = set()
        rows: set[Hashable] = set()
        emitted = unresolved = triples = 0
        for organism, word, match, symbol, identifier, source in figure.genes:
            if identifier == "NA":
                mention: Hashable = (word, match, source, symbol, organism)
                if mention in rows:
                    continue
                rows.add(mention)
                mentions.add(mention)
                unresolved += 1
                triples += 6 + (symbol != "NA")  # the usual five and a taxon, no body
            else:
                row = (word, match, source, identifier)
                if row in rows:
                    continue
                rows.add(row)
                mention = row[:3]
                if mention not in mentions:
                    mentions.add(mention)
                    triples += 5
                triples += 1
                tally.genes[identifier, symbol] += 1
                level = 0 if source == SYMBOL else 2 if source == FAMILY else 1
                if levels.get(identifier, 3) > level:
                    levels[identifier] = level
            emitted += 1
            own[organism] = own.get(organism, 0) + 1
        tally.triples["evidence-genes"] += triples
        tally.counts["mentions"] += len(mentions)
        self._account("gene-rows", emitted, len(figure.genes) - emitted, unresolved)
        tally.accounts["gene-rows", "rejected"] += figure.broken_row
        for organism, times in own.items():
            taxid = self.taxids[organism]
            tally.taxa[taxid, "type", ""] += 1
            if figure.paper.style != "2021":
                tally.taxa[taxid, "organism_name", self.names[organism]] += times
                group = figure.groups.get(organism, self.groups[organism])
                tally.taxa[taxid, "organism_group", group] += times
        return levels, own

    def _account(self, kind: str, emitted: int, merged: int, unresolved: int) -> None:
        accounts = self.tally.accounts
        accounts[kind, "emitted"] += emitted
        accounts[kind, "merged"] += merged
        accounts[kind, "unresolved"] += unresolved

    def _concepts(self, figure: Figure, rows: list[ConceptRow], kind: str) -> set[str]:
        """Count the rows of chemicals or diseases; return what they link to."""
        tally = self.tally
        distinct = dict.fromkeys(rows)
        linked: set[str] = set()
        unresolved = triples = 0
        for _, mesh, match, name, number in distinct:
            other = f"{kind}:{number}" if number and figure.paper.batch != "2021" else ""
            main = mesh or other
            triples += 4 + bool(main) + bool(match) + bool(name) + bool(mesh and other)
            unresolved += not main
            if main:
                linked.add(main)
            if mesh:
                tally.concepts.add((mesh, kind))
                tally.labels[mesh, label(match)] += 1
                if other:
                    tally.close.add((mesh, other))
            if other:
                tally.concepts.add((other, kind))
                tally.labels[other, label(name)] += 1
        tally.triples[f"evidence-{kind}s"] += triples
        tally.counts["mentions"] += len(distinct)
        self._account(f"{kind}-rows", len(distinct), len(rows) - len(distinct), unresolved)
        return linked

    def _taxa(self, figure: Figure, own: dict[int, int]) -> tuple[set[str], set[str]]:
        """Return the taxa that a record names as found in the paper, and in the figure."""
        if figure.paper.style == "2021":
            return set(), set()
        taxa = self.tally.taxa
        own_names = {self.names[organism]: self.taxids[organism] for organism in own}
        about: set[str] = set()
        for _, name in figure.organisms:
            taxon = own_names.get(name) or self.pages.get(name) or f"name:{name}"
            about.add(taxon)
            taxa[taxon, "organisms", name] += 1
        for name, taxid in own_names.items():
            taxa[taxid, "organisms_ner", name] += 1
        return about, set(own_names.values())

    def _map_lines(self, figure: Figure, key: str) -> bool:
        """Account for the map lines of a figure; return whether it has a link of this kind."""
        value = getattr(figure, key)
        for name, given in figure.map_lines:
            if name == key:
                what = "emitted" if not value else "merged" if value == given else "rejected"
                self.tally.accounts["map-lines", what] += 1
                value = value or given
        return bool(value)


def _dissent(votes: dict[str, int], won: str) -> int:
    """Return the triples of what loses a vote: each other value, and each place that does not give the winner."""
    if not won:
        return 0
    return sum(1 + times if value else times for value, times in votes.items() if value != won)


def _gathered(said: Iterable[tuple[tuple[str, str], int]]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (thing, value), times in said:
        found.setdefault(thing, {})[value] = times
    return found


def total(tally: Tally, pages: list[Organism], figure_files: int) -> dict[str, Any]:
    """Return all that a correct converter must find in the whole corpus."""
    triples = Counter(tally.triples)
    counts = Counter(tally.counts)
    for votes in _gathered(tally.genes.items()).values():
        others = len(votes) - 1
        triples["entities"] += 4 + others + (sum(votes.values()) - max(votes.values()) if others else 0)
        triples["xrefs"] += 3
        counts["genes"] += 1
    _concepts(tally, triples, counts)
    for journal, votes in _gathered(tally.journals.items()).items():
        won = winner(votes)
        triples["core"] += 1 + (journal in tally.shorts) + bool(won) + _dissent(votes, won)
    triples["core"] += 2 * len(tally.publishers) + 2  # and the usual creator
    _taxa(tally, pages, triples, counts)
    accounts = Counter(tally.accounts)
    accounts["organism-pages", "emitted"] += len(pages)
    parts = ("emitted", "merged", "rejected", "unresolved")
    return {
        "files": figure_files + 2 + len(pages),
        "accounts": {
            kind: {
                "read": sum(accounts[kind, part] for part in parts[:3]),
                **{part: accounts[kind, part] for part in parts},
            }
            for kind in KINDS
        },
        "counts": {
            name: counts[name] for name in ("figures", "papers", "genes", "chemicals", "diseases", "taxa", "mentions")
        },
        "layers": {layer: triples[layer] for layer in LAYERS},
    }


def _concepts(tally: Tally, triples: Counter[str], counts: Counter[str]) -> None:
    """Count chemicals and diseases: types, id, labels; links to other ids."""
    for thing, kind in tally.concepts:
        triples["entities"] += 1
        counts[f"{kind}s"] += 1
        triples["xrefs"] += thing.startswith("chemical:")
    triples["entities"] += len({thing for thing, _ in tally.concepts})
    triples["entities"] += sum(1 for _, text in tally.labels if text)
    triples["xrefs"] += len(tally.close)


def _taxa(tally: Tally, pages: list[Organism], triples: Counter[str], counts: Counter[str]) -> None:
    """Count taxa and groups: rows decide on names and groups, else pages, else the lists of records."""
    taxa: dict[str, dict[str, dict[str, int]]] = {}
    for (taxon, name, value), times in tally.taxa.items():
        taxa.setdefault(taxon, {}).setdefault(name, {})[value] = times
    for page in pages:
        fields = taxa.setdefault(page.taxid, {})
        for name, value in (
            ("latin", page.latin),
            ("common", page.common),
            ("group", page.group),
            ("image", page.image),
            ("page", page_name(page)),
        ):
            fields[name] = {value: 1}
    groups: Counter[str] = Counter()
    for taxon, fields in taxa.items():
        known = not taxon.startswith("name:")
        said = _labels(fields)
        title = said or next((name for name, taxid in SHIPPED.items() if taxid == taxon), "")
        others = {label(value) for name in _NAMES for value in fields.get(name, {})} - {title}
        triples["entities"] += 1 + known + bool(title) + len(others)
        for name in _NAMES:
            expected = (min(others) if len(others) == 1 else title) if name == "common" else title
            triples["entities"] += sum(times for value, times in fields.get(name, {}).items() if value != expected)
        group = winner(fields.get("organism_group", {})) or winner(fields.get("group", {}))
        groups[group] += 1
        for name in ("organism_group", "group"):
            votes = {value: times for value, times in fields.get(name, {}).items() if value != group}
            triples["entities"] += sum(votes.values()) + len(votes.keys() - {""})
        triples["entities"] += len(fields.get("page", ())) + bool(winner(fields.get("image", {})))
        triples["xrefs"] += known
        counts["taxa"] += 1
    del groups[""]
    triples["entities"] += sum(2 + members for members in groups.values())


_NAMES = ("organism_name", "latin", "organisms", "organisms_ner", "common")


def _labels(fields: dict[str, dict[str, int]]) -> str:
    """Return the label of a taxon."""
    lists = Counter(fields.get("organisms", {})) + Counter(fields.get("organisms_ner", {}))
    for votes in (fields.get("organism_name", {}), fields.get("latin", {}), lists):
        spelled: Counter[str] = Counter()
        for name, times in votes.items():
            spelled[label(name)] += times
        if spelled:
            return winner(spelled)
    return ""
