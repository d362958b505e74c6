"""A figure to descriptions: `core`, `links-*` and `compat`. The data model, sections a.4 and a.5."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pfocr_rdf import identifiers as ids
from pfocr_rdf import native
from pfocr_rdf import vocab as v
from pfocr_rdf.jsonld import Block
from pfocr_rdf.model import GENE_LINKS, Figure, Layer, Level, Piece
from pfocr_rdf.terms import Description, Pair, Token, decimal, gyear, integer, iri, string

_NEXT = " ,\n        "
_MENTIONS = f"\n    {v.MENTIONS} "


def links(figure: Figure) -> Iterator[Piece]:
    """Yield the links to genes, chemicals and diseases, in their layers: the blocks that `serialize.block` makes."""
    subject = ids.figure(figure.figid)
    start = f"{iri(subject)}{_MENTIONS}"
    for level, data in enumerate(link_blocks(start, figure.genes, len(Level))):
        if data:
            yield Piece(GENE_LINKS[Level(level)], subject, subject, data)
    for layer, others in (
        (Layer.LINKS_CHEMICALS, figure.chemicals),
        (Layer.LINKS_DISEASES, figure.diseases - figure.chemicals),
    ):
        if others:
            yield Piece(layer, subject, subject, _linked(start, map(iri, others)).encode())


def _linked(start: str, tokens: Iterable[Token]) -> str:
    return f"{start}{_NEXT.join(sorted(tokens))} .\n\n"


def blocks_by_level(start: str, genes: dict[str, Level], levels: int) -> list[bytes]:
    """Return for each level from 0 on the block that links its genes, or nothing. `start` stands before the first."""
    tokens: list[list[Token]] = [[] for _ in range(levels)]
    for gene, level in genes.items():
        tokens[level].append(f"<{gene}>")  # no prefix shortens the IRI of a gene
    return [_linked(start, found).encode() if found else b"" for found in tokens]


link_blocks = native.fastest("link_blocks", blocks_by_level)
"""See `blocks_by_level`."""


def describe(figure: Figure, block: Block) -> Iterator[tuple[Layer, Description]]:
    """Yield what one record says of its figure and image, but for the links."""
    subject = ids.figure(figure.figid)
    core = list(_core(figure, block))
    yield Layer.CORE, (subject, core)
    if figure.image:
        yield Layer.CORE, (figure.image, [(v.A, v.IMAGE_OBJECT), (v.IDENTIFIER, string(figure.filename))])
    if compat := _unsaid(_compat(figure, block), figure, core):
        yield Layer.COMPAT, (subject, compat)
    for node in block.nodes:
        yield Layer.COMPAT, node


def _unsaid(pairs: Iterable[Pair], figure: Figure, core: list[Pair]) -> list[Pair]:
    """Return the pairs that stand in no other layer of the figure."""
    said = set(core)
    unsaid = [pair for pair in pairs if pair not in said]
    if any(predicate == v.MENTIONS for predicate, _ in unsaid):
        entities = {iri(entity) for entity in (*figure.genes, *figure.chemicals, *figure.diseases)}
        unsaid = [pair for pair in unsaid if pair[0] != v.MENTIONS or pair[1] not in entities]
    return unsaid


def _core(figure: Figure, block: Block) -> Iterator[Pair]:
    yield v.A, v.DATASET
    yield v.A, v.FIGURE
    yield v.IDENTIFIER, string(figure.figid)
    yield v.IS_PART_OF, iri(ids.paper(figure.article.pmcid))
    yield v.PFOCR_GENERATION, string(figure.generation)
    yield v.PFOCR_GENE_COUNT, integer(len(figure.genes))
    yield v.PFOCR_STRICT_GENE_COUNT, integer([*figure.genes.values()].count(Level.SYMBOL))
    for predicate, text in (
        (v.ALTERNATE_NAME, figure.alias),
        (v.NAME, figure.title),
        (v.LABEL, figure.title.strip()),
        (v.POSITION, figure.number),
        (v.GENRE, figure.figtype),
        (v.DESCRIPTION, figure.caption),
    ):
        if text:
            yield predicate, string(text)
    for predicate, address in (
        (v.SOURCE, figure.source),
        (v.IMAGE, figure.image),
        (v.SEE_ALSO, figure.ndex),
        (v.RELATION, figure.wikipathways),
    ):
        if address:
            yield predicate, iri(address)
    for address in figure.replaces:
        yield v.REPLACES, iri(address)
    if figure.score is not None:
        yield v.PFOCR_PATHWAY_SCORE, decimal(figure.score)
    if figure.rank is not None:
        yield v.PFOCR_RESULT_RANK, integer(figure.rank)
    if figure.year:
        yield v.DATE_PUBLISHED, gyear(figure.year)
    for name in figure.organisms_as_given:
        yield v.PFOCR_ORGANISM_AS_GIVEN, string(name)
    for taxon in figure.taxa:
        yield v.ABOUT if taxon.field == "organisms" else v.MENTIONS, iri(taxon.iri)
    for licence in block.licences:
        yield v.LICENSE, iri(licence)
    if block.usual_creator:
        yield v.CREATOR, iri(ids.WIKIPATHWAYS)


def _compat(figure: Figure, block: Block) -> list[Pair]:
    pairs = [(v.WP_ORGANISM, iri(taxon.iri)) for taxon in figure.taxa]
    pairs += [(v.PFOCR_VARIANT, string(variant)) for variant in figure.variants]
    return pairs + block.pairs
