"""Mentions to descriptions: the `evidence-*` layers. The data model, section a.6."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from operator import itemgetter

from pfocr_rdf import identifiers as ids
from pfocr_rdf import vocab as v
from pfocr_rdf.errors import Kind
from pfocr_rdf.model import EVIDENCE, Figure, Layer
from pfocr_rdf.terms import Description, Pair, Token, iri, string

_iri = lru_cache(maxsize=4096)(iri)
"""Tokens of the chemicals, diseases and taxa that are named again and again."""

_GENE = Kind.GENE_ROW
_END = " ;\n"
_NEXT = " ,\n        "
_TYPE = f"\n    {v.A} {v.ANNOTATION}{_END}"
_RELATION = f"    {v.RELATION} "
_SOURCE = f"    {v.SOURCE} "
_BODY = f"    {v.HAS_BODY} "
_TARGET = f"    {v.HAS_TARGET} "
_MATCH = f"    {v.PFOCR_MATCH} "
_NAME = f"    {v.PFOCR_NAME} "
_SYMBOL = f"    {v.PFOCR_SYMBOL} "
_VARIANT = f"    {v.PFOCR_VARIANT} "
_WORD = f"    {v.PFOCR_WORD} "
_RANGE = f"{_END}    {v.TAXONOMIC_RANGE} "


def describe(figure: Figure) -> Iterator[tuple[Layer, Description]]:
    """Yield each mention of a figure as a Web Annotation with several or no bodies."""
    target = iri(ids.figure(figure.figid))
    for mention in figure.mentions:
        subject = ids.mention(figure.figid, mention.key)
        pairs: list[Pair] = [
            (v.A, v.ANNOTATION),
            (v.HAS_TARGET, target),
            (v.PFOCR_WORD, string(mention.word)),
            (v.SOURCE, iri(ids.lexicon(mention.lexicon))),
        ]
        pairs += [(v.HAS_BODY, iri(body)) for body in mention.bodies]
        if mention.match is not None:
            pairs.append((v.PFOCR_MATCH, string(mention.match)))
        if mention.name is not None:
            pairs.append((v.PFOCR_NAME, string(mention.name)))
        if mention.related is not None:
            pairs.append((v.RELATION, iri(mention.related)))
        if mention.symbol is not None:
            pairs.append((v.PFOCR_SYMBOL, string(mention.symbol)))
        if mention.taxon is not None:
            pairs.append((v.TAXONOMIC_RANGE, iri(mention.taxon)))
        yield EVIDENCE[mention.kind], (subject, pairs)
        if mention.variants:
            yield Layer.COMPAT, (subject, [(v.PFOCR_VARIANT, string(text)) for text in mention.variants])


def blocks(figure: Figure) -> list[tuple[Layer, str, str]]:
    """Return layer, subject (bare IRI) and Turtle block of all that `describe` yields, in order of subject.

    Each text is what `serialize.block` makes of the description; here it is put together directly, the predicates
    in their order, for mentions are nearly all of what a build writes.
    """
    found: list[tuple[Layer, str, str]] = []
    start = ids.mention(figure.figid, "")
    target = f"{_END}{_TARGET}{iri(ids.figure(figure.figid))}{_END}"
    last, layer = None, Layer.EVIDENCE_GENES
    for kind, key, word, match, name, lexicon, bodies, related, symbol, taxon, variants in figure.mentions:
        subject = start + key
        token = string(word)
        body = f"{_END}{_BODY}{_tokens(kind, bodies)}" if bodies else ""
        relation = more = range_ = ""
        if match is not None:
            more = f"{_MATCH}{token if match == word else string(match)}{_END}"
        if name is not None:
            more += f"{_NAME}{string(name)}{_END}"
        if related is not None:
            relation = f"{_RELATION}{_iri(related)}{_END}"
        if symbol is not None:
            more += f"{_SYMBOL}{string(symbol)}{_END}"
        if taxon is not None:
            range_ = f"{_RANGE}{_iri(taxon)}"
        source = _lexicon(lexicon)
        text = f"<{subject}>{_TYPE}{relation}{source}{body}{target}{more}{_WORD}{token}{range_} .\n\n"
        if kind is not last:
            last, layer = kind, EVIDENCE[kind]
        found.append((layer, subject, text))
        if variants:
            said = _NEXT.join(sorted({string(variant) for variant in variants}))
            found.append((Layer.COMPAT, subject, f"<{subject}>\n{_VARIANT}{said} .\n\n"))
    found.sort(key=itemgetter(1))
    return found


@lru_cache(maxsize=64)
def _lexicon(lexicon: str) -> str:
    return f"{_SOURCE}{iri(ids.lexicon(lexicon))}"


def _tokens(kind: Kind, bodies: tuple[str, ...]) -> Token:
    """Return the tokens of bodies as a block has them; the one of a gene is its whole IRI, which no prefix shortens."""
    tokens = [f"<{body}>" for body in bodies] if kind is _GENE else [_iri(body) for body in bodies]
    return _NEXT.join(sorted(set(tokens))) if len(tokens) > 1 else tokens[0]
