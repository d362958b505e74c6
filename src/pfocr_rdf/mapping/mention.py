"""Mentions to descriptions: the `evidence-*` layers. The data model, section a.6."""

from __future__ import annotations

from collections.abc import Iterator

from pfocr_rdf import identifiers as ids
from pfocr_rdf import vocab as v
from pfocr_rdf.model import EVIDENCE, Figure, Layer
from pfocr_rdf.terms import Description, Pair, iri, string


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
