"""Mentions to descriptions: the `evidence-*` layers. The data model, section a.6."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from pfocr_rdf import identifiers as ids
from pfocr_rdf import native
from pfocr_rdf import vocab as v
from pfocr_rdf.model import EVIDENCE, LEXICONS, Cells, Figure, GeneMention, Layer, Mention, Piece
from pfocr_rdf.terms import Description, Pair, Token, iri, string, strings

_MISSING = ("NA", "")
_END = " ;\n"
_NEXT = " ,\n        "
_TYPE = f"\n    {v.A} {v.ANNOTATION}{_END}"
_RELATION = f"    {v.RELATION} "
_SOURCE = f"    {v.SOURCE} "
_BODY = f"    {v.HAS_BODY} "
_GENE_BODY = f"{_END}{_BODY}<{ids.GENES}"
_NEXT_GENE = f"{_NEXT}<{ids.GENES}"
_TARGET = f"    {v.HAS_TARGET} "
_MATCH = f"    {v.PFOCR_MATCH} "
_NAME = f"    {v.PFOCR_NAME} "
_SYMBOL = f"    {v.PFOCR_SYMBOL} "
_VARIANT = f"    {v.PFOCR_VARIANT} "
_WORD = f"    {v.PFOCR_WORD} "
_RANGE = f"{_END}    {v.TAXONOMIC_RANGE} {iri(ids.TAXA)}"
TEXTS = (_TYPE, _GENE_BODY, _NEXT_GENE, _MATCH, _SYMBOL, _WORD, _RANGE)
"""What stands between the cells of a gene mention's block."""
GENE_SOURCES = {lexicon: f"{_SOURCE}{iri(ids.lexicon(lexicon))}" for lexicon in LEXICONS}
"""The line of each lexicon of gene mentions."""


def describe(figure: Figure) -> Iterator[tuple[Layer, Description]]:
    """Yield each mention of a figure as a Web Annotation with several or no bodies."""
    target = iri(ids.figure(figure.figid))
    for key, cells, members in figure.gene_mentions:
        pairs = _common(target, cells[0], cells[2])
        pairs.append((v.PFOCR_MATCH, string(cells[1])))
        if symbol := _symbol(cells):
            pairs.append((v.PFOCR_SYMBOL, string(symbol)))
        if len(cells) > 3:
            pairs.append((v.TAXONOMIC_RANGE, iri(ids.taxon(cells[5]))))
        pairs += [(v.HAS_BODY, iri(ids.gene(gene_id))) for gene_id in members if gene_id]
        yield Layer.EVIDENCE_GENES, (ids.mention(figure.figid, key), pairs)
    for mention in figure.mentions:
        pairs = _common(target, mention.word, mention.lexicon)
        if mention.body is not None:
            pairs.append((v.HAS_BODY, iri(mention.body)))
        if mention.match is not None:
            pairs.append((v.PFOCR_MATCH, string(mention.match)))
        if mention.name is not None:
            pairs.append((v.PFOCR_NAME, string(mention.name)))
        if mention.related is not None:
            pairs.append((v.RELATION, iri(mention.related)))
        yield EVIDENCE[mention.kind], (ids.mention(figure.figid, mention.key), pairs)
    for key, variants in _variants(figure).items():
        yield Layer.COMPAT, (ids.mention(figure.figid, key), [(v.PFOCR_VARIANT, string(text)) for text in variants])


def _common(target: Token, word: str, lexicon: str) -> list[Pair]:
    """Return what is said of any mention."""
    return [
        (v.A, v.ANNOTATION),
        (v.HAS_TARGET, target),
        (v.PFOCR_WORD, string(word)),
        (v.SOURCE, iri(ids.lexicon(lexicon))),
    ]


def _symbol(cells: Cells) -> str:
    """Return the symbol of a gene mention without id, or an empty text when it has none."""
    return cells[4] if len(cells) > 3 and cells[4] not in _MISSING else ""


def _variants(figure: Figure) -> Mapping[str, tuple[str, ...]]:
    """Return what stands in unknown columns, by the key of the mention."""
    return figure.gene_variants | {mention.key: mention.variants for mention in figure.mentions if mention.variants}


def pieces(figure: Figure) -> Iterator[Piece]:
    """Yield the Turtle of all that `describe` yields, one piece for each layer, its subjects in order.

    The text is what `serialize.block` makes of the descriptions; here it is put together directly, the predicates
    in their order, for mentions are nearly all of what a build writes.
    """
    start = ids.mention(figure.figid, "")
    target = f"{_END}{_TARGET}{iri(ids.figure(figure.figid))}{_END}"
    if genes := sorted(figure.gene_mentions):
        data = gene_blocks(f"<{start}", target, genes, TEXTS, GENE_SOURCES)
        yield Piece(Layer.EVIDENCE_GENES, start + genes[0][0], start + genes[-1][0], data)
    for kind in dict.fromkeys(mention.kind for mention in figure.mentions):
        others = sorted(mention for mention in figure.mentions if mention.kind is kind)
        data = b"".join(_blocks(f"<{start}", target, others))
        yield Piece(EVIDENCE[kind], start + others[0].key, start + others[-1].key, data)
    for key, variants in sorted(_variants(figure).items()):
        said = _NEXT.join(sorted({string(variant) for variant in variants}))
        yield Piece(Layer.COMPAT, start + key, start + key, f"<{start}{key}>\n{_VARIANT}{said} .\n\n".encode())


def gene_blocks_by_parts(
    start: str, target: str, mentions: list[GeneMention], texts: tuple[str, ...], sources: dict[str, str]
) -> bytes:
    """Return the blocks of gene mentions. No prefix shortens a gene's IRI, and one does each taxon's.

    `start` is what each subject begins with, `target` the lines of the figure, `texts` `TEXTS` and `sources`
    `GENE_SOURCES`, which the compiled version must be given.
    """
    kind, first_gene, next_gene, *_ = texts
    words = strings([cells[0] for _, cells, _ in mentions])
    matches = strings([cells[1] for _, cells, _ in mentions])
    blocks: list[bytes] = []  # encoded one by one, for most are ASCII
    for (key, cells, members), word, match in zip(mentions, words, matches, strict=True):
        more = body = range_ = ""
        if len(cells) > 3:
            if symbol := _symbol(cells):
                more = f"{_SYMBOL}{string(symbol)}{_END}"
            range_ = f"{_RANGE}{cells[5]}"
        elif len(members) == 1:
            (gene_id,) = members
            body = f"{first_gene}{gene_id}>"
        else:  # sorted as tokens are, with what closes them
            body = f"{first_gene}{next_gene.join(sorted([f'{gene_id}>' for gene_id in members]))}"
        said = f"{_MATCH}{match}{_END}{more}{_WORD}{word}{range_}"
        blocks.append(f"{start}{key}>{kind}{sources[cells[2]]}{body}{target}{said} .\n\n".encode())
    return b"".join(blocks)


gene_blocks = native.fastest("gene_blocks", gene_blocks_by_parts)
"""See `gene_blocks_by_parts`."""


def _blocks(start: str, target: str, mentions: Iterable[Mention]) -> Iterator[bytes]:
    """Yield the blocks of mentions of chemicals or diseases."""
    for _, key, word, match, name, lexicon, body, related, _ in mentions:
        token = string(word)
        bodies = f"{_END}{_BODY}{iri(body)}" if body else ""
        more = f"{_MATCH}{token if match == word else string(match)}{_END}" if match is not None else ""
        if name is not None:
            more += f"{_NAME}{string(name)}{_END}"
        relation = f"{_RELATION}{iri(related)}{_END}" if related is not None else ""
        yield f"{start}{key}>{_TYPE}{relation}{_lexicon(lexicon)}{bodies}{target}{more}{_WORD}{token} .\n\n".encode()


@lru_cache(maxsize=64)
def _lexicon(lexicon: str) -> str:
    return f"{_SOURCE}{iri(ids.lexicon(lexicon))}"
