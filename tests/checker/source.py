"""The whole source as figures, papers' facts and pages, with its own accounts of what was read, merged and rejected."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .records import Front, Unreadable, read_front, read_lines, read_table, read_text
from .rows import GeneRow, Row, ThingRow, gene_row, inline_gene, inline_thing, keys, thing_row

KINDS = ("records", "gene-rows", "chemical-rows", "disease-rows", "map-lines", "organism-pages")
TABLES = {"genes": "gene-rows", "chemicals": "chemical-rows", "diseases": "disease-rows"}
OLD_KEYS = {"genes", "chemicals", "diseases", "pathway_score", "pmc_ranked_result_index", "annotations"}
NDEX = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
WPID = re.compile(r"WP[0-9]+")
ILLEGAL = re.compile(r"[\s\"'/\\<>{}|^`]")
Refused = frozenset[tuple[str, str, int | None]]
"""What a build says it refused: kind of input, file, line."""


@dataclass
class Figure:
    """One emitted record with its distinct rows."""

    file: str
    figid: str
    pmcid: str
    front: Front
    generation: str
    genes: list[GeneRow] = field(default_factory=list)
    things: list[ThingRow] = field(default_factory=list)
    key: dict[Row, str] = field(default_factory=dict)
    ndex: str | None = None
    wpid: str | None = None

    def rows(self) -> list[Row]:
        """All rows."""
        return [*self.genes, *self.things]


@dataclass
class Page:
    """One organism page."""

    slug: str
    taxon: str
    front: Front


@dataclass
class Corpus:
    """All of a source."""

    figures: list[Figure] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    has_tables: bool = False
    accounts: dict[str, Counter[str]] = field(default_factory=lambda: {kind: Counter() for kind in KINDS})
    faults: list[str] = field(default_factory=list)
    """Inputs that were refused though they are sound."""


def generation(front: Front) -> str:
    """The generation of a record, by its fields (design, decisions)."""
    if OLD_KEYS & set(front.values):
        return "2021"
    order = list(front.values)
    if "organisms" in order and order[order.index("organisms") + 1 :][:1] == ["organisms_ner"]:
        return "2024"
    return "2023"


def check_record(front: Front) -> tuple[str, str]:
    """The figid and PMCID of a record; Unreadable if it is not sound (design, decisions)."""
    figid, pmcid = front.scalar("figid"), front.scalar("pmcid")
    if not figid or not pmcid or not re.fullmatch(r"PMC[0-9]+", pmcid) or not figid.startswith(pmcid + "__"):
        raise Unreadable("figid and pmcid are missing or disagree")
    if ILLEGAL.search(figid) or len(figid.encode()) > 200:
        raise Unreadable("figid holds what no figid may hold")
    return figid, pmcid


class Reader:
    """Reads a source; `refused` is what the build says it refused."""

    def __init__(self, source: Path, refused: Refused = frozenset()) -> None:
        self.source = source
        self.refused = refused
        self.corpus = Corpus()
        self.checkout = any((source / name).is_dir() for name in ("_figures", "_data", "_organisms"))

    def files(self, folder: str, *suffixes: str) -> list[Path]:
        """Files of a folder of the checkout layout, or of the flat folder, in code-point order."""
        root = self.source / folder if self.checkout else self.source
        return sorted(p for p in root.glob("*") if p.is_file() and p.name.endswith(suffixes)) if root.is_dir() else []

    def name(self, path: Path) -> str:
        """The path inside the source."""
        return path.relative_to(self.source).as_posix()

    def is_refused(self, kind: str, file: str, first: int | None = None, last: int | None = None) -> bool:
        """Whether the build says that it refused this input."""
        if first is None:
            return any(k == kind and f == file for k, f, _ in self.refused)
        lines = {None, *range(first, (last or first) + 1)}
        return any((kind, file, line) in self.refused for line in lines)

    def count(self, kind: str, outcome: str, number: int = 1) -> None:
        """Enter inputs that were read into the accounts."""
        self.corpus.accounts[kind]["read"] += number
        self.corpus.accounts[kind][outcome] += number

    def fault(self, kind: str, place: str) -> None:
        """Note an input that was refused without a reason that the checker knows."""
        self.corpus.faults.append(f"{kind}: rejected though it is sound: {place}")

    def read(self) -> Corpus:
        """Read everything."""
        self.corpus.has_tables = (self.source / "_data").is_dir() or bool(self.files("_data", ".tsv"))
        self.corpus.figures = self.records()
        known = {figure.figid: figure for figure in self.corpus.figures}
        self.tables(known)
        for figure in self.corpus.figures:
            self.inline(figure)
            figure.key = keys(figure.rows())
        for name, pattern in (("ndex", NDEX), ("wpid", WPID)):
            for figure in self.corpus.figures:
                value = figure.front.scalar(name)
                setattr(figure, name, value if value and pattern.fullmatch(value) else None)
            self.map_lines(name, pattern, known)
        self.organism_pages()
        return self.corpus

    def records(self) -> list[Figure]:
        """The records that are emitted; one of each figid (the model, a.2b)."""
        found: dict[str, list[tuple[str, str, Front, str]]] = defaultdict(list)
        for path in self.files("_figures", ".md", ".txt"):
            file = self.name(path)
            try:
                content = read_text(path)
                front = read_front(content)
            except Unreadable:
                self.count("records", "rejected")
                continue
            try:
                figid, pmcid = check_record(front)
            except Unreadable:
                self.count("records", "rejected")
                self.count_inline(front, "rejected")
                continue
            found[figid].append((file, content, front, pmcid))
        figures = []
        for figid, candidates in found.items():
            candidates.sort(key=lambda c: (c[0] != f"_figures/{figid}.md", c[0]))
            file, content, front, pmcid = candidates[0]
            for other in candidates[1:]:
                outcome = "merged" if other[1] == content else "rejected"
                self.count("records", outcome)
                self.count_inline(other[2], outcome)
            if self.is_refused("records", file):
                self.fault("records", file)
                self.count("records", "rejected")
                self.count_inline(front, "rejected")
                continue
            self.count("records", "emitted")
            figures.append(Figure(file, figid, pmcid, front, generation(front)))
        return sorted(figures, key=lambda figure: figure.figid)

    def count_inline(self, front: Front, outcome: str) -> None:
        """Account for the inline rows of a record that is not emitted."""
        for name, kind in TABLES.items():
            if items := front.items.get(name):
                self.count(kind, outcome, len(items))

    def tables(self, known: Mapping[str, Figure]) -> None:
        """The tables under `_data`, each joined to its record by the figid in its name."""
        for path in self.files("_data", ".tsv"):
            figid, _, table = path.name.removesuffix(".tsv").rpartition("-")
            if table not in TABLES:
                continue
            figure = known.get(figid)
            seen = Seen()
            for line in read_table(path.read_bytes()):
                place = (TABLES[table], self.name(path), line.number, line.number)
                if figure is None or line.cells is None:
                    self.count(TABLES[table], "rejected")
                elif table == "genes":
                    self.enter(figure, seen, place, gene_row, line.cells)
                else:
                    self.enter(figure, seen, place, MAKERS[table], line.cells)

    def inline(self, figure: Figure) -> None:
        """The inline lists of 2021 (source format, 4.1)."""
        for table, items in figure.front.items.items():
            seen = Seen()
            for item in items:
                place = (TABLES[table], figure.file, item.first, max(item.first, item.last - 1))
                self.enter(figure, seen, place, INLINE_MAKERS[table], item.cells)

    def enter(
        self,
        figure: Figure,
        seen: Seen,
        place: tuple[str, str, int, int],
        make: Callable[[Mapping[str, str]], Row],
        cells: Mapping[str, str],
    ) -> None:
        """Judge a row: rejected, a repeat of another one, or emitted (the model, a.6; design, decisions)."""
        kind = place[0]
        try:
            row = make(cells)
        except (ValueError, KeyError):
            self.count(kind, "rejected")
            return
        if row in seen.rows:
            self.count(kind, "merged")
            return
        if isinstance(row, GeneRow):
            earlier = seen.claims.get((*row.cells(), row.gene))
            contradictory = earlier is not None and earlier != row.claim
        else:
            # A mention has one lexicon (the model, d, Q11): of a word in a table and inline the table's row stays.
            others = (other for other in figure.things if other.kind == row.kind and other.cells() == row.cells())
            contradictory = any(other.lexicon != row.lexicon for other in others)
        if contradictory:
            self.count(kind, "rejected")
            return
        if self.is_refused(*place):
            self.fault(kind, f"{place[1]} line {place[2]}")
            self.count(kind, "rejected")
            return
        seen.rows.add(row)
        self.count(kind, "emitted")
        if not row.resolved:
            self.corpus.accounts[kind]["unresolved"] += 1
        if isinstance(row, ThingRow):
            figure.things.append(row)
            return
        seen.claims[(*row.cells(), row.gene)] = row.claim
        figure.genes.append(row)

    def map_lines(self, name: str, pattern: re.Pattern[str], known: Mapping[str, Figure]) -> None:
        """A map file: the record's field wins, an equal line is merged, another one refused (the model, a.2b)."""
        path = self.source / ("_data" if self.checkout else ".") / f"{name}_map.tsv"
        if not path.is_file():
            return
        for number, line in read_lines(path.read_bytes()):
            cells = [""] if line is None else line.split("\t")
            if line is not None and not line.strip():
                continue
            figure = known.get(cells[0])
            if figure is None or len(cells) != 2 or not pattern.fullmatch(cells[1]):
                self.count("map-lines", "rejected")
                continue
            stated = getattr(figure, name)
            if stated is not None:
                self.count("map-lines", "merged" if stated == cells[1] else "rejected")
            elif self.is_refused("map-lines", self.name(path), number):
                self.fault("map-lines", f"{self.name(path)} line {number}")
                self.count("map-lines", "rejected")
            else:
                setattr(figure, name, cells[1])
                self.count("map-lines", "emitted")

    def organism_pages(self) -> None:
        """The pages under `_organisms` (source format, 1)."""
        if not self.checkout:
            return
        for path in self.files("_organisms", ".md"):
            file = self.name(path)
            try:
                front = read_front(read_text(path))
                taxon = front.scalar("ncbi")
                if taxon is None or not re.fullmatch(r"[1-9][0-9]*", taxon):
                    raise Unreadable("no taxonomy id")
            except Unreadable:
                self.count("organism-pages", "rejected")
                continue
            if self.is_refused("organism-pages", file):
                self.fault("organism-pages", file)
                self.count("organism-pages", "rejected")
                continue
            self.count("organism-pages", "emitted")
            self.corpus.pages.append(Page(path.name.removesuffix(".md"), taxon, front))


@dataclass
class Seen:
    """The sound rows of one table so far."""

    rows: set[Row] = field(default_factory=set)
    claims: dict[tuple[str | None, ...], tuple[str | None, ...]] = field(default_factory=dict)


MAKERS: dict[str, Callable[[Mapping[str, str]], Row]] = {
    "chemicals": lambda cells: thing_row("chemical", cells),
    "diseases": lambda cells: thing_row("disease", cells),
}
INLINE_MAKERS: dict[str, Callable[[Mapping[str, str]], Row]] = {
    "genes": inline_gene,
    "chemicals": lambda cells: inline_thing("chemical", cells),
    "diseases": lambda cells: inline_thing("disease", cells),
}
