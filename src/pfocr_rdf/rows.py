"""Rows of tables and items of inline lists to mentions: ids checked, repeats merged, mentions grouped.

The data model, section a.6: a gene mention is the group of rows of one word, match and lexicon; every other
row is a mention of its own. Pure; each row is emitted, merged or rejected in the ledger.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pfocr_rdf import identifiers as ids
from pfocr_rdf import vocab
from pfocr_rdf.accounts import Ledger
from pfocr_rdf.errors import Kind, problem
from pfocr_rdf.extract.front_matter import Value
from pfocr_rdf.extract.tables import INLINE_KEYS, Row, Table, old_cells
from pfocr_rdf.model import (
    HUMAN,
    INLINE_LEXICONS,
    LEXICONS,
    TABLE_LEXICONS,
    Concept,
    Figure,
    GeneRow,
    Level,
    Mention,
)

_INLINE_COLUMNS = {
    Kind.GENE_ROW: ("word", "symbol", "source", "hgnc_symbol", "entrez"),
    Kind.CHEMICAL_ROW: ("word", "source", "identifier"),
    Kind.DISEASE_ROW: ("word", "source", "identifier"),
}
_MISSING = ("NA", "")
_SEPARATOR = "\x1f"
_PREFIX = re.compile(r"(?i)(?:mesh|chebi|doid):")
_KEY_PREFIX = {Kind.GENE_ROW: "gene", Kind.CHEMICAL_ROW: "chemical", Kind.DISEASE_ROW: "disease"}
_CLASS = {Kind.CHEMICAL_ROW: vocab.CHEMICAL, Kind.DISEASE_ROW: vocab.MEDICAL_CONDITION}


class RowRefused(ValueError):
    """A row cannot be emitted: code, field and value."""

    def __init__(self, code: str, column: str, value: str) -> None:
        """Keep the parts as data."""
        super().__init__(code, column, value)
        self.code, self.column, self.value = code, column, value


@dataclass(frozen=True, slots=True)
class _Gene:
    """A gene row, checked; `gene_id` is empty when there is none."""

    cells: tuple[str, ...]
    word: str
    match: str
    lexicon: str
    gene_id: str
    symbol: str
    taxid: str
    organism_name: str | None
    organism_group: str | None
    variants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Concept:
    """A chemical or disease row, checked; empty texts are missing."""

    cells: tuple[str, ...]
    word: str
    match: str
    name: str
    mesh: str
    other: str
    lexicon: str
    variants: tuple[str, ...] = ()


@dataclass(slots=True)
class _Groups:
    """Rows by mention (the cells that name it) and, within one, by gene id."""

    kind: Kind
    rows: dict[tuple[str, ...], dict[str, Any]] = field(default_factory=dict)


class RowReader:
    """Takes the rows of one figure, in any order of tables, and in `finish` puts mentions on the figure."""

    def __init__(self, figure: Figure, path: str, ledger: Ledger, *, inline: bool) -> None:
        """Read for `figure`, whose record is at `path`; `inline` when the record has lists of its own."""
        self.figure, self.path, self.ledger = figure, path, ledger
        self.table_lexicons = TABLE_LEXICONS if inline else LEXICONS
        self.groups = {kind: _Groups(kind) for kind in INLINE_KEYS.values()}

    def read_table(self, table: Table) -> None:
        """Take the rows of a table."""
        kind, path = table.kind, table.path
        if table.fault:
            code, value = table.fault
            self.ledger.report(problem(code, path, line=1, value=value, kind=kind, count=table.size))
            return
        for line, code, value in table.bad:
            self.ledger.report(problem(code, path, line=line, value=value, kind=kind))
        for name in table.unknown:
            self.ledger.report(problem("unknown-column", path, line=1, field=name))
        if table.cleaned:
            self.ledger.report(problem("control-removed", path))
        for row in table.rows:
            try:
                parsed = self._gene(row) if kind is Kind.GENE_ROW else _concept(row, kind, inline=False)
            except RowRefused as error:
                self._refuse(error, path, row.line, error.column, kind)
                continue
            self._take(kind, parsed, path, row.line, "")

    def read_inline(self, key: str, value: Value, line: int, item_lines: list[int]) -> None:
        """Take the items of an inline list of 2021."""
        kind = INLINE_KEYS[key]
        if not isinstance(value, list):
            if value not in ("", "NA", ".na.character"):
                self.ledger.report(problem("wrong-type", self.path, line=line, field=key, value=value))
            return
        for index, (item, line) in enumerate(zip(value, item_lines, strict=True)):
            place = f"{key}[{index}]"
            try:
                row, unknown = _inline_row(item, kind)
                parsed = self._inline_gene(row) if kind is Kind.GENE_ROW else _concept(row, kind, inline=True)
            except RowRefused as error:
                self._refuse(error, self.path, line, f"{place}.{error.column}" if error.column else place, kind)
                continue
            for name in unknown:
                self.ledger.report(problem("unknown-column", self.path, line=line, field=f"{place}.{name}"))
            self._take(kind, parsed, self.path, line, place)

    def finish(self) -> None:
        """Put mentions, gene rows, concepts and links on the figure, in a fixed order."""
        for kind, groups in self.groups.items():
            for key, members in zip(_keys(kind, groups.rows), groups.rows.values(), strict=True):
                if kind is Kind.GENE_ROW:
                    self._finish_genes(key, list(members.values()))
                else:
                    self._finish_concept(kind, key, members[""])

    def _refuse(self, error: RowRefused, path: str, line: int, column: str, kind: Kind) -> None:
        self.ledger.report(problem(error.code, path, line=line, field=column, value=error.value, kind=kind))

    def _take(self, kind: Kind, parsed: _Gene | _Concept, path: str, line: int, place: str) -> None:
        """Group a row: new, repeated (merged) or in contradiction to an earlier one (refused)."""
        account = self.ledger.accounts[kind]
        members = self.groups[kind].rows.setdefault(parsed.cells, {})
        gene_id = parsed.gene_id if isinstance(parsed, _Gene) else ""
        earlier = members.get(gene_id)
        if earlier is None:
            members[gene_id] = parsed
            account.emitted += 1
            unresolved = not gene_id if isinstance(parsed, _Gene) else not (parsed.mesh or parsed.other)
            account.unresolved += unresolved
        elif replace(parsed, lexicon=earlier.lexicon) == earlier:
            account.merged += 1
        else:
            value = _SEPARATOR.join(parsed.cells).replace(_SEPARATOR, " | ")
            self.ledger.report(problem("contradictory-row", path, line=line, field=place, value=value, kind=kind))

    def _gene(self, row: Row) -> _Gene:
        taxid, name, group, word, match, symbol, gene_id, source = row.cells
        _need_word(word)
        if not match:
            raise RowRefused("empty-match", "match", match)
        if source not in self.table_lexicons:
            raise RowRefused("unknown-lexicon", "source", source)
        if not ids.TAXON_ID.fullmatch(taxid):
            raise RowRefused("bad-taxon-id", "organism_id", taxid)
        return _gene(word, match, source, gene_id, "ncbigene_id", symbol, taxid, _known(name), _known(group), row.extra)

    def _inline_gene(self, row: Row) -> _Gene:
        word, match, source, symbol, gene_id = row.cells
        _need_word(word)
        if not match:
            raise RowRefused("empty-match", "symbol", match)
        if source not in INLINE_LEXICONS:
            raise RowRefused("unknown-lexicon", "source", source)
        return _gene(word, match, source, gene_id, "entrez", symbol, HUMAN, None, None, row.extra)

    def _finish_genes(self, key: str, rows: list[_Gene]) -> None:
        first = rows[0]
        figid = ids.slug(self.figure.figid)
        variants = [
            f"{name}@{row.gene_id or 'NA'}={value}"
            for row in rows
            for name, value in (v.split("=", 1) for v in row.variants)
        ]
        unresolved = not first.gene_id
        self.figure.mentions.append(
            Mention(
                Kind.GENE_ROW,
                key,
                first.word,
                first.match,
                None,
                first.lexicon,
                tuple(ids.gene(row.gene_id) for row in rows if row.gene_id),
                symbol=first.symbol if unresolved and first.symbol not in _MISSING else None,
                taxon=ids.taxon(first.taxid) if unresolved else None,
                variants=tuple(variants),
            )
        )
        level = LEXICONS[first.lexicon]
        for row in rows:
            self.figure.gene_rows.append(
                GeneRow(
                    f"{figid}/{key}/{row.gene_id or 'NA'}",
                    row.gene_id,
                    row.symbol,
                    row.taxid,
                    row.organism_name,
                    row.organism_group,
                )
            )
            if row.gene_id:
                gene = ids.gene(row.gene_id)
                self.figure.genes[gene] = Level(min(level, self.figure.genes.get(gene, level)))

    def _finish_concept(self, kind: Kind, key: str, row: _Concept) -> None:
        chemical = kind is Kind.CHEMICAL_ROW
        other = (ids.chebi(row.other) if chemical else ids.doid(row.other)) if row.other else None
        main = ids.mesh(row.mesh) if row.mesh else other
        if main:
            (self.figure.chemicals if chemical else self.figure.diseases).add(main)
        if row.mesh:
            self.figure.concepts.append(Concept(ids.mesh(row.mesh), _CLASS[kind], row.mesh, row.match, other))
        if other:
            accession = row.other if chemical else f"DOID:{row.other}"
            self.figure.concepts.append(Concept(other, _CLASS[kind], accession, row.name))
        self.figure.mentions.append(
            Mention(
                kind,
                key,
                row.word,
                row.match or None,
                row.name or None,
                row.lexicon,
                (main,) if main else (),
                related=other if row.mesh else None,
                variants=row.variants,
            )
        )


def _gene(
    word: str,
    match: str,
    source: str,
    gene_id: str,
    id_column: str,
    symbol: str,
    taxid: str,
    name: str | None,
    group: str | None,
    extra: Iterable[tuple[str, str]],
) -> _Gene:
    if gene_id in _MISSING:
        cells = (word, match, source, "NA", symbol or "NA", taxid)
        return _Gene(cells, word, match, source, "", symbol or "NA", taxid, name, group, _variants(extra))
    if not ids.GENE_ID.fullmatch(gene_id):
        raise RowRefused("bad-gene-id", id_column, gene_id)
    return _Gene((word, match, source), word, match, source, gene_id, symbol, taxid, name, group, _variants(extra))


def _concept(row: Row, kind: Kind, *, inline: bool) -> _Concept:
    word, mesh, match, name, other = row.cells
    _need_word(word)
    prefix, column, pattern = (
        ("CHEBI", "chebi", ids.CHEBI_ID) if kind is Kind.CHEMICAL_ROW else ("DOID", "doid", ids.DOID_ID)
    )
    mesh = _accession(mesh, "MESH", ids.MESH_ID, "mesh", "bad-mesh-id")
    other = _accession(other, prefix, pattern, column, f"bad-{column}-id")
    match, name = _known(match), _known(name)
    cells = (
        word,
        match or "NA",
        name or "NA",
        f"MESH:{mesh}" if mesh else "NA",
        f"{prefix}:{other}" if other else "NA",
    )
    stem = _KEY_PREFIX[kind]
    lexicon = f"pubtator-{stem}" if inline else f"{stem}-mesh" if mesh else f"{stem}-{column}" if other else stem
    return _Concept(cells, word, match, name, mesh, other, lexicon, _variants(row.extra))


def _accession(text: str, prefix: str, pattern: re.Pattern[str], column: str, code: str) -> str:
    """Return the bare id of a cell, or an empty text when it is missing."""
    if text in _MISSING:
        return ""
    found = _PREFIX.match(text)
    bare = text[found.end() :] if found else text
    if (found and found[0][:-1].upper() != prefix) or not pattern.fullmatch(bare):
        raise RowRefused(code, column, text)
    return bare


def _inline_row(item: object, kind: Kind) -> tuple[Row, list[str]]:
    """Return an inline item as a row, and the names of its unknown keys."""
    if not isinstance(item, Mapping) or not all(isinstance(value, str) for value in item.values()):
        raise RowRefused("bad-row", "", repr(item))
    columns = _INLINE_COLUMNS[kind]
    cells = tuple(item.get(column, "") for column in columns)
    extra = tuple((key, value) for key, value in item.items() if key not in columns)
    if kind is not Kind.GENE_ROW:
        picked = old_cells(kind, *cells)
        if picked is None:
            raise RowRefused("unknown-lexicon", "source", cells[1])
        cells = picked
    return Row(0, cells, extra), [name for name, _ in extra]


def _known(text: str) -> str:
    return "" if text in _MISSING else text


def _need_word(word: str) -> None:
    if not word.strip():
        raise RowRefused("empty-word", "word", word)


def _variants(extra: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(f"{ids.slug(name)}={value}" for name, value in extra)


def _keys(kind: Kind, groups: Iterable[tuple[str, ...]]) -> list[str]:
    """Return the key of each mention: 12 hex digits of the hash of its cells, 24 where 12 are not enough."""
    digests = [hashlib.sha256(_SEPARATOR.join(cells).encode()).hexdigest() for cells in groups]
    short: dict[str, int] = {}
    for digest in digests:
        short[digest[:12]] = short.get(digest[:12], 0) + 1
    prefix = _KEY_PREFIX[kind]
    return [f"{prefix}-{digest[: 12 if short[digest[:12]] == 1 else 24]}" for digest in digests]
