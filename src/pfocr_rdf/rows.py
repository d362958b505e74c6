"""Rows of tables and items of inline lists to mentions: ids checked, repeats merged, mentions grouped.

The data model, section a.6: a gene mention is the group of rows of one word, match and lexicon; every other
row is a mention of its own. Pure; each row is emitted, merged or rejected in the ledger.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pfocr_rdf import identifiers as ids
from pfocr_rdf import vocab
from pfocr_rdf.accounts import Ledger
from pfocr_rdf.errors import Kind, problem
from pfocr_rdf.extract.front_matter import Value
from pfocr_rdf.extract.tables import INLINE_KEYS, Table, old_cells
from pfocr_rdf.gene_rows import MISSING, digest, gene_levels, group_rows, mention_keys
from pfocr_rdf.model import (
    HUMAN,
    INLINE_LEXICONS,
    LEXICONS,
    TABLE_LEXICONS,
    Cells,
    Concept,
    Figure,
    Level,
    Mention,
    Saying,
)

_INLINE_COLUMNS = {
    Kind.GENE_ROW: ("word", "symbol", "source", "hgnc_symbol", "entrez"),
    Kind.CHEMICAL_ROW: ("word", "source", "identifier"),
    Kind.DISEASE_ROW: ("word", "source", "identifier"),
}
Extra = tuple[tuple[str, str], ...]
"""Names and cells of unknown columns."""

_GENE = Kind.GENE_ROW
_PREFIX = re.compile(r"(?i)(?:mesh|chebi|doid):")
_KEY_PREFIX = {Kind.GENE_ROW: "gene", Kind.CHEMICAL_ROW: "chemical", Kind.DISEASE_ROW: "disease"}
_CLASS = {Kind.CHEMICAL_ROW: vocab.CHEMICAL, Kind.DISEASE_ROW: vocab.MEDICAL_CONDITION}


class RowRefused(ValueError):
    """A row cannot be emitted: code, field and value."""

    def __init__(self, code: str, column: str, value: str) -> None:
        """Keep the parts as data."""
        super().__init__(code, column, value)
        self.code, self.column, self.value = code, column, value


class _Concept(NamedTuple):
    """A chemical or disease row, checked; empty texts are missing."""

    cells: Cells
    word: str
    match: str
    name: str
    mesh: str
    other: str
    lexicon: str


class RowReader:
    """Takes the rows of one figure, in any order of tables, and in `finish` puts mentions on the figure.

    `organisms` counts, for each name of an organism in gene rows that were emitted, the taxonomy ids beside it.
    """

    def __init__(self, figure: Figure, path: str, ledger: Ledger, *, inline: bool) -> None:
        """Read for `figure`, whose record is at `path`; `inline` when the record has lists of its own."""
        self.figure, self.path, self.ledger = figure, path, ledger
        self.table_lexicons = TABLE_LEXICONS if inline else LEXICONS
        self.organisms: dict[str, dict[str, int]] = {}
        self._genes: dict[Cells, dict[str, Saying]] = {}  # by the cells that name a mention, then by gene id
        self._concepts: dict[Kind, dict[Cells, _Concept]] = {Kind.CHEMICAL_ROW: {}, Kind.DISEASE_ROW: {}}
        self._variants: dict[tuple[Kind, Cells, str], tuple[str, ...]] = {}

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
        if kind is _GENE and table.columns:
            *organism, words, matches, symbols, gene_ids, sources = table.columns
            if self._take_columns([words, matches, sources], gene_ids, symbols, organism, self.table_lexicons):
                return
        for line, cells, extra in table.rows:
            try:
                if kind is not _GENE:
                    self._take_concept(kind, _concept(cells, kind, inline=False), extra, path, line, "")
                    continue
                taxid, name, group, word, match, symbol, gene_id, source = cells
                _check_gene(word, match, source, self.table_lexicons, gene_id, ("match", "ncbigene_id"), taxid)
            except RowRefused as error:
                self._refuse(error, path, line, error.column, kind)
                continue
            if name in MISSING:
                name = ""
            if group in MISSING:
                group = ""
            if gene_id in MISSING:
                gene_id, symbol = "", symbol or "NA"
            saying = f"R\x1f{gene_id}\x1f{symbol}\x1f{taxid}\x1f{name}\x1f{group}"
            key = (word, match, source) if gene_id else (word, match, source, "NA", symbol, taxid)
            if self._take_gene(key, gene_id, saying, extra, path, line, "") and name:
                counts = self.organisms.setdefault(name, {})
                counts[taxid] = counts.get(taxid, 0) + 1

    def read_inline(self, key: str, value: Value, line: int, item_lines: list[int]) -> None:
        """Take the items of an inline list of 2021."""
        kind = INLINE_KEYS[key]
        if not isinstance(value, list):
            if value not in ("", "NA", ".na.character"):
                self.ledger.report(problem("wrong-type", self.path, line=line, field=key, value=value))
            return
        if kind is _GENE and (columns := _inline_columns(value)):
            words, matches, sources, symbols, gene_ids = columns
            organism = [[HUMAN] * len(words)]
            if self._take_columns([words, matches, sources], gene_ids, symbols, organism, INLINE_LEXICONS):
                return
        for index, (item, line) in enumerate(zip(value, item_lines, strict=True)):
            place = f"{key}[{index}]"
            try:
                cells, extra = _inline_row(item, kind)
                concept = None if kind is _GENE else _concept(cells, kind, inline=True)
                if concept is None:
                    word, match, source, _, gene_id = cells
                    _check_gene(word, match, source, INLINE_LEXICONS, gene_id, ("symbol", "entrez"), HUMAN)
            except RowRefused as error:
                self._refuse(error, self.path, line, f"{place}.{error.column}" if error.column else place, kind)
                continue
            for name, _ in extra:
                self.ledger.report(problem("unknown-column", self.path, line=line, field=f"{place}.{name}"))
            if concept is not None:
                self._take_concept(kind, concept, extra, self.path, line, place)
                continue
            word, match, source, symbol, gene_id = cells
            if gene_id in MISSING:
                gene_id, symbol = "", symbol or "NA"
            saying = f"R\x1f{gene_id}\x1f{symbol}\x1f{HUMAN}"
            named = (word, match, source) if gene_id else (word, match, source, "NA", symbol, HUMAN)
            self._take_gene(named, gene_id, saying, extra, self.path, line, place)

    def finish(self) -> None:
        """Put mentions, concepts and links on the figure, in a fixed order."""
        figure, found = self.figure, self._genes
        keys = _keys(_GENE, found)
        figure.gene_mentions = list(zip(keys, found, found.values(), strict=True))
        if self._variants:
            said = zip(keys, found.items(), strict=True)
            variants = {key: self._gene_variants(cells, members) for key, (cells, members) in said}
            figure.gene_variants = {key: texts for key, texts in variants.items() if texts}
        figure.genes.update(gene_levels(ids.GENES, found, LEXICONS))
        for kind, concepts in self._concepts.items():
            for key, concept in zip(_keys(kind, concepts), concepts.values(), strict=True):
                self._finish_concept(kind, key, concept)

    def _refuse(self, error: RowRefused, path: str, line: int, column: str, kind: Kind) -> None:
        self.ledger.report(problem(error.code, path, line=line, field=column, value=error.value, kind=kind))

    def _take_columns(
        self,
        named: Sequence[list[str]],
        gene_ids: list[str],
        symbols: list[str],
        organism: Sequence[list[str]],
        lexicons: dict[str, Level],
    ) -> bool:
        """Take all gene rows of a table or list at once, or none of them and return False.

        `named` are the columns word, match and lexicon; `organism` those of the taxonomy id and, in a table, of name
        and group.
        """
        words, matches, sources = named
        taxids = organism[0]
        names, groups = organism[1:] if len(organism) > 1 else (None, None)
        if self._genes:
            return False
        found = group_rows(words, matches, sources, gene_ids, symbols, taxids, names, groups, lexicons)
        if found is None:
            return False
        self._genes, self.organisms, emitted, merged, unresolved = found
        account = self.ledger.accounts[_GENE]
        account.emitted += emitted
        account.merged += merged
        account.unresolved += unresolved
        return True

    def _take_gene(
        self, cells: Cells, gene_id: str, saying: Saying, extra: Extra, path: str, line: int, place: str
    ) -> bool:
        """Group a row by its mention and gene; return whether it is new."""
        account = self.ledger.accounts[_GENE]
        members = self._genes.get(cells)
        if members is None:
            self._genes[cells] = {gene_id: saying}
        elif gene_id not in members:
            members[gene_id] = saying
        else:
            same = members[gene_id] == saying
            self._repeated(_GENE, cells, gene_id, extra, path, line, place, same=same)
            return False
        account.emitted += 1
        if not gene_id:
            account.unresolved += 1
        if extra:
            self._variants[_GENE, cells, gene_id] = _variants(extra)
        return True

    def _take_concept(self, kind: Kind, concept: _Concept, extra: Extra, path: str, line: int, place: str) -> None:
        """Keep a row under its cells, which tell all of it but unknown columns."""
        cells = concept.cells
        if cells in self._concepts[kind]:
            self._repeated(kind, cells, "", extra, path, line, place, same=True)
            return
        self._concepts[kind][cells] = concept
        account = self.ledger.accounts[kind]
        account.emitted += 1
        account.unresolved += not (concept.mesh or concept.other)
        if extra:
            self._variants[kind, cells, ""] = _variants(extra)

    def _repeated(
        self, kind: Kind, cells: Cells, gene_id: str, extra: Extra, path: str, line: int, place: str, *, same: bool
    ) -> None:
        """Account for another row of the same mention and gene: merged, or in contradiction to the first (refused)."""
        if same and self._variants.get((kind, cells, gene_id), ()) == _variants(extra):
            self.ledger.accounts[kind].merged += 1
        else:
            value = " | ".join(cells)
            self.ledger.report(problem("contradictory-row", path, line=line, field=place, value=value, kind=kind))

    def _gene_variants(self, cells: Cells, gene_ids: Iterable[str]) -> tuple[str, ...]:
        """Return what stands in unknown columns of a mention's rows, each with the row's gene."""
        found = ((i, said) for i in gene_ids for said in self._variants.get((_GENE, cells, i), ()))
        parts = ((gene_id, *said.split("=", 1)) for gene_id, said in found)
        return tuple([f"{name}@{gene_id or 'NA'}={value}" for gene_id, name, value in parts])

    def _finish_concept(self, kind: Kind, key: str, row: _Concept) -> None:
        chemical = kind is Kind.CHEMICAL_ROW
        other = (ids.chebi(row.other) if chemical else ids.doid(row.other)) if row.other else None
        main = ids.mesh(row.mesh) if row.mesh else other
        if main:
            (self.figure.chemicals if chemical else self.figure.diseases).add(main)
        if row.mesh:
            self.figure.concepts.append(Concept(ids.mesh(row.mesh), _CLASS[kind], row.mesh, _label(row.match), other))
        if other:
            accession = row.other if chemical else f"DOID:{row.other}"
            self.figure.concepts.append(Concept(other, _CLASS[kind], accession, _label(row.name)))
        self.figure.mentions.append(
            Mention(
                kind,
                key,
                row.word,
                row.match or None,
                row.name or None,
                row.lexicon,
                main or None,
                other if row.mesh else None,
                self._variants.get((kind, row.cells, ""), ()),
            )
        )


def _check_gene(
    word: str,
    match: str,
    source: str,
    lexicons: Mapping[str, Level],
    gene_id: str,
    columns: tuple[str, str],
    taxid: str,
) -> None:
    """Raise `RowRefused` for what is wrong with a gene row; `columns` names those of `match` and `gene_id`."""
    _need_word(word)
    if not match:
        raise RowRefused("empty-match", columns[0], match)
    if source not in lexicons:
        raise RowRefused("unknown-lexicon", "source", source)
    if not ids.TAXON_ID.fullmatch(taxid):
        raise RowRefused("bad-taxon-id", "organism_id", taxid)
    if gene_id not in MISSING and not ids.GENE_ID.fullmatch(gene_id):
        raise RowRefused("bad-gene-id", columns[1], gene_id)


def _concept(row: Sequence[str], kind: Kind, *, inline: bool) -> _Concept:
    word, mesh, match, name, other = row
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
    return _Concept(cells, word, match, name, mesh, other, lexicon)


def _accession(text: str, prefix: str, pattern: re.Pattern[str], column: str, code: str) -> str:
    """Return the bare id of a cell, or an empty text when it is missing."""
    if text in MISSING:
        return ""
    found = _PREFIX.match(text)
    bare = text[found.end() :] if found else text
    if (found and found[0][:-1].upper() != prefix) or not pattern.fullmatch(bare):
        raise RowRefused(code, column, text)
    return bare


def _inline_row(item: object, kind: Kind) -> tuple[Cells, Extra]:
    """Return the cells of an inline item, and what stands under its unknown keys."""
    if not isinstance(item, Mapping) or not all(isinstance(value, str) for value in item.values()):
        raise RowRefused("bad-row", "", repr(item))
    columns = _INLINE_COLUMNS[kind]
    cells = tuple([item.get(column, "") for column in columns])
    extra = tuple([(key, value) for key, value in item.items() if key not in columns])
    if kind is not _GENE:
        picked = old_cells(kind, *cells)
        if picked is None:
            raise RowRefused("unknown-lexicon", "source", cells[1])
        cells = picked
    return cells, extra


def _inline_columns(items: list[Any]) -> list[list[str]] | None:
    """Return the columns of inline genes, or None when an item has other keys or values than texts."""
    columns = _INLINE_COLUMNS[_GENE]
    if set(map(type, items)) != {dict} or set(map(len, items)) != {len(columns)}:
        return None
    try:
        found = [[item[column] for item in items] for column in columns]
    except KeyError:
        return None
    return found if all(set(map(type, column)) == {str} for column in found) else None


def _known(text: str) -> str:
    return "" if text in MISSING else text


def _label(name: str) -> str:
    """Return a name where it may be a label, else an empty text; the mention keeps it as it was read."""
    return "" if name.strip() in ids.NO_VALUES else name


def _need_word(word: str) -> None:
    if not word.strip():
        raise RowRefused("empty-word", "word", word)


def _variants(extra: Extra) -> tuple[str, ...]:
    return tuple([f"{ids.slug(name)}={value}" for name, value in extra])


def _keys(kind: Kind, groups: Iterable[Cells]) -> list[str]:
    """Return the key of each mention: 12 hex digits of the hash of its cells, 24 where 12 are not enough."""
    prefix = _KEY_PREFIX[kind]
    keys = mention_keys(prefix, groups)
    if len(set(keys)) < len(keys):
        times = Counter(keys)
        keys = [
            f"{prefix}-{digest(cells)[:24]}" if times[key] > 1 else key for key, cells in zip(keys, groups, strict=True)
        ]
    return keys
