"""The values that travel: a checked `Figure` with its `Article` and `Mention`s, and the names of layers.

Nothing here was read from a file or is written to one. Every IRI is absolute and legal, every id checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple

from pfocr_rdf.errors import Kind


class Layer(StrEnum):
    """A file of a build and a named graph of a store (the data model, section e)."""

    __hash__ = str.__hash__  # layers are keys on the hot path, and the enumeration's own hash is slow

    CORE = "core"
    LINKS_GENES_SYMBOL = "links-genes-symbol"
    LINKS_GENES_SYNONYM = "links-genes-synonym"
    LINKS_GENES_FAMILY = "links-genes-family"
    LINKS_CHEMICALS = "links-chemicals"
    LINKS_DISEASES = "links-diseases"
    EVIDENCE_GENES = "evidence-genes"
    EVIDENCE_CHEMICALS = "evidence-chemicals"
    EVIDENCE_DISEASES = "evidence-diseases"
    ENTITIES = "entities"
    XREFS = "xrefs"
    COMPAT = "compat"
    ONTOLOGY = "ontology"
    XREFS_PUBMED = "xrefs-pubmed"

    @property
    def filename(self) -> str:
        """Name of the layer's file in a build folder."""
        return f"pfocr-{self}.ttl"


class Piece(NamedTuple):
    """Turtle (UTF-8) of some subjects of one layer, in the order of their IRIs, and the first and the last of these."""

    layer: Layer
    first: str
    last: str
    data: bytes


ALWAYS = tuple(layer for layer in Layer if layer is not Layer.XREFS_PUBMED)
"""Layers that every build has."""

EVIDENCE = {
    Kind.GENE_ROW: Layer.EVIDENCE_GENES,
    Kind.CHEMICAL_ROW: Layer.EVIDENCE_CHEMICALS,
    Kind.DISEASE_ROW: Layer.EVIDENCE_DISEASES,
}


class Level(IntEnum):
    """How strong a gene link is: the best lexicon level of the pair of figure and gene."""

    __hash__ = int.__hash__  # levels are keys on the hot path, and the enumeration's own hash is slow

    SYMBOL = 0
    SYNONYM = 1
    FAMILY = 2


GENE_LINKS = {
    Level.SYMBOL: Layer.LINKS_GENES_SYMBOL,
    Level.SYNONYM: Layer.LINKS_GENES_SYNONYM,
    Level.FAMILY: Layer.LINKS_GENES_FAMILY,
}

TABLE_LEXICONS = {
    "ncbigene_symbol": Level.SYMBOL,
    "ncbigene_synonym": Level.SYNONYM,
    "famplex_relations": Level.FAMILY,
}
"""Values of `source` in gene tables."""

INLINE_LEXICONS = {
    "hgnc_symbol": Level.SYMBOL,
    "hgnc_alias_symbol": Level.SYNONYM,
    "hgnc_prev_symbol": Level.SYNONYM,
    "bioentities_symbol": Level.FAMILY,
}
"""Values of `source` in the inline lists of 2021 and in older tables."""

LEXICONS = TABLE_LEXICONS | INLINE_LEXICONS

HUMAN = "9606"
"""Taxon of all genes of 2021."""


SEPARATOR = "\x1f"
"""Stands between the parts of a saying and of what a mention's key is made from: no cell can hold it."""


class Mention(NamedTuple):
    """A word of one figure that was taken for a chemical or a disease, or for none: a Web Annotation.

    `key` is the last part of its IRI; `body` the main id, `related` the second one. `variants` holds cells of columns
    that nobody knows yet.
    """

    kind: Kind
    key: str
    word: str
    match: str | None
    name: str | None
    lexicon: str
    body: str | None
    related: str | None = None
    variants: tuple[str, ...] = ()


Cells = tuple[str, ...]
"""The cells that name a mention. Of a gene row: word, match, lexicon; and without an id also `NA`, symbol, taxonomy id.
"""

Saying = str
"""What one place says of a thing that many records speak of: a letter and parts, joined by `SEPARATOR`.

`R` gene id (empty for none), symbol, taxonomy id, organism's name, its group: a row of a gene table; without the last
two an item of the inline lists, which name no organism;
`K` taxonomy id, symbol, gene: a keyword that is a gene; `T` taxon, field, name: an organism that a record names;
`C` concept, class, accession, label, close concept: a chemical or disease;
`J` journal, abbreviation, title; `P` publisher, name; `W` alone: the usual creator;
`N` node outside the graph, predicate, object (tokens): what a block says of it;
`O` taxon, slug, Latin name, common name, group, image: an organism page. Things are given by their IRI.
"""


GeneMention = tuple[str, Cells, dict[str, Saying]]
"""A word of one figure that was taken for genes: its key, its cells, and what each row says, by gene id.

A plain tuple, for nearly all of a source is made of these. The id of a gene that has none is an empty text.
"""


class Concept(NamedTuple):
    """A chemical or disease: IRI, class, accession, and the label that a row gives it (empty for none)."""

    iri: str
    cls: str
    identifier: str
    label: str
    close: str | None = None


class NamedTaxon(NamedTuple):
    """An organism that a record names in `field`: the name as given and the IRI found for it."""

    field: str
    name: str
    iri: str


class Article(NamedTuple):
    """What one record says about its paper; an empty text is a missing value."""

    pmcid: str
    papertitle: str = ""
    reftext: str = ""
    year: str = ""
    doi: str = ""
    journal_title: str = ""
    journal_nlm_ta: str = ""
    publisher_name: str = ""
    keywords: str = ""


@dataclass(slots=True)
class Figure:
    """One figure: all that its record and tables say, checked. Texts are verbatim; empty means missing.

    `gene_variants` has, by key of a gene mention, the cells of columns that nobody knows yet.
    """

    figid: str
    generation: str
    path: str
    article: Article
    title: str = ""
    number: str = ""
    figtype: str = ""
    alias: str = ""
    caption: str = ""
    year: str = ""
    source: str = ""
    image: str = ""
    filename: str = ""
    ndex: str = ""
    wikipathways: str = ""
    score: Decimal | None = None
    rank: int | None = None
    replaces: tuple[str, ...] = ()
    organisms_as_given: tuple[str, ...] = ()
    taxa: tuple[NamedTaxon, ...] = ()
    variants: tuple[str, ...] = ()
    block: Mapping[str, Any] | None = None
    block_line: int = 0
    gene_mentions: list[GeneMention] = field(default_factory=list)
    gene_variants: dict[str, tuple[str, ...]] = field(default_factory=dict)
    mentions: list[Mention] = field(default_factory=list)
    concepts: list[Concept] = field(default_factory=list)
    genes: dict[str, Level] = field(default_factory=dict)
    symbol_genes: list[tuple[str, str, str]] = field(default_factory=list)
    chemicals: set[str] = field(default_factory=set)
    diseases: set[str] = field(default_factory=set)
