"""Rows of the tables and of the inline lists as mentions-to-be, and whether a row is sound (the model, a.2b, a.6)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .vocabulary import LEVELS

GENE_COLUMNS = {
    "organism_id",
    "organism_name",
    "organism_group",
    "word",
    "match",
    "ncbigene_symbol",
    "ncbigene_id",
    "source",
    "count_direct",
    "count_synonym",
    "count_match",
}
THING_COLUMNS = {"word", "mesh", "match", "name", "chebi", "doid", "identifier", "source"}
INLINE_GENE = {"word", "symbol", "source", "hgnc_symbol", "entrez"}
INLINE_THING = {"word", "source", "identifier"}
HUMAN = "9606"


@dataclass(frozen=True)
class GeneRow:
    """One row about one gene (or about none, if it has no id)."""

    word: str
    match: str
    lexicon: str
    gene: str | None
    symbol: str | None
    organism_id: str
    organism_name: str | None
    organism_group: str | None
    inline: bool
    unknown: tuple[tuple[str, str], ...] = ()

    def cells(self) -> tuple[str, ...]:
        """What the hash of the mention covers (a.6)."""
        if self.gene:
            return (self.word, self.match, self.lexicon)
        return (self.word, self.match, self.lexicon, "NA", self.symbol or "NA", self.organism_id)

    @property
    def resolved(self) -> bool:
        """Whether the row names an entity by id."""
        return self.gene is not None

    @property
    def claim(self) -> tuple[str | None, ...]:
        """What two rows of one mention and gene must agree on."""
        return (self.symbol, self.organism_id, self.organism_name, self.organism_group)


@dataclass(frozen=True)
class ThingRow:
    """One row about a chemical or a disease."""

    kind: str
    word: str
    match: str | None
    name: str | None
    mesh: str | None
    other: str | None
    lexicon: str
    unknown: tuple[tuple[str, str], ...] = ()

    def cells(self) -> tuple[str, ...]:
        """What the hash of the mention covers (a.6)."""
        return (self.word, *(cell or "NA" for cell in (self.match, self.name, self.mesh, self.other)))

    @property
    def body(self) -> str | None:
        """The CURIE of the entity: MeSH, else ChEBI or DO (a.2)."""
        return self.mesh or self.other

    @property
    def resolved(self) -> bool:
        """Whether the row names an entity by id."""
        return self.body is not None


Row = GeneRow | ThingRow


def cell(cells: Mapping[str, str], column: str) -> str | None:
    """A cell, or None where it is missing (source format, 5)."""
    value = cells.get(column)
    return None if value is None or value in ("NA", "") else value


def others(cells: Mapping[str, str], known: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Cells of columns that nobody knows yet, whatever they hold."""
    return tuple(sorted((k, v) for k, v in cells.items() if k not in set(known)))


def curie(space: str, value: str | None) -> str | None:
    """An id with or without prefix as CURIE with upper-case prefix (source format, 7.5); ValueError if malformed."""
    if value is None:
        return None
    number = re.sub(rf"^{space}:", "", value.strip(), flags=re.IGNORECASE)
    if not re.fullmatch(r"[DC][0-9]+" if space == "MESH" else r"[0-9]+", number):
        raise ValueError(f"malformed {space} id {value}")
    return f"{space}:{number}"


def gene_row(cells: Mapping[str, str]) -> GeneRow:
    """A row of a `-genes.tsv`; ValueError if it is not sound."""
    gene = cell(cells, "ncbigene_id")
    word, match, lexicon = cells["word"], cells["match"], cells["source"]
    if not word or not match or lexicon not in LEVELS:
        raise ValueError("word, match or lexicon")
    if not re.fullmatch(r"[1-9][0-9]*", cells["organism_id"]) or not re.fullmatch(r"[1-9][0-9]*", gene or "1"):
        raise ValueError("ids")
    symbol = cells["ncbigene_symbol"] if gene else cell(cells, "ncbigene_symbol")
    return GeneRow(
        word=word,
        match=match,
        lexicon=lexicon,
        gene=gene,
        symbol=symbol or None,
        organism_id=cells["organism_id"],
        organism_name=cell(cells, "organism_name"),
        organism_group=cell(cells, "organism_group"),
        inline=False,
        unknown=others(cells, GENE_COLUMNS),
    )


def inline_gene(cells: Mapping[str, str]) -> GeneRow:
    """An entry of `genes:` of 2021: human, `symbol` is the term of the lexicon (source format, 4.1)."""
    gene = cell(cells, "entrez")
    word, match, lexicon = cells["word"], cells["symbol"], cells["source"]
    if not word or not match or lexicon not in LEVELS or not re.fullmatch(r"[1-9][0-9]*", gene or "1"):
        raise ValueError("word, match, lexicon or id")
    symbol = cells.get("hgnc_symbol") if gene else cell(cells, "hgnc_symbol")
    unknown = others(cells, INLINE_GENE)
    return GeneRow(word, match, lexicon, gene, symbol or None, HUMAN, None, None, True, unknown)


def thing_row(kind: str, cells: Mapping[str, str]) -> ThingRow:
    """A row of a `-chemicals.tsv` or `-diseases.tsv`, of any generation; ValueError if it is not sound."""
    space, column = ("CHEBI", "chebi") if kind == "chemical" else ("DOID", "doid")
    mesh, other = cell(cells, "mesh"), cell(cells, column)
    if "mesh" not in cells and (given := cell(cells, "identifier")):
        if given.upper().startswith(f"{space}:"):
            other = given
        else:
            mesh = given
    if not cells["word"]:
        raise ValueError("word")
    mesh, other = curie("MESH", mesh), curie(space, other)
    lexicon = f"{kind}-mesh" if mesh else f"{kind}-{column}" if other else kind
    unknown = others(cells, THING_COLUMNS)
    return ThingRow(kind, cells["word"], cell(cells, "match"), cell(cells, "name"), mesh, other, lexicon, unknown)


def inline_thing(kind: str, cells: Mapping[str, str]) -> ThingRow:
    """An entry of `chemicals:` or `diseases:` of 2021: a word and perhaps a MeSH id without prefix."""
    if not cells["word"]:
        raise ValueError("word")
    mesh = curie("MESH", cell(cells, "identifier"))
    return ThingRow(kind, cells["word"], None, None, mesh, None, f"pubtator-{kind}", others(cells, INLINE_THING))


def keys(rows: Iterable[Row]) -> dict[Row, str]:
    """The last part of the mention's IRI for each row of one figure; 24 hex for both on a collision (a.6)."""
    digests: dict[Row, tuple[str, str]] = {}
    for row in rows:
        kind = "gene" if isinstance(row, GeneRow) else row.kind
        digests[row] = (kind, hashlib.sha256("\x1f".join(row.cells()).encode()).hexdigest())
    full = set(digests.values())
    short = [(kind, digest[:12]) for kind, digest in full]
    return {
        row: f"{kind}-{digest[: 24 if short.count((kind, digest[:12])) > 1 else 12]}"
        for row, (kind, digest) in digests.items()
    }
