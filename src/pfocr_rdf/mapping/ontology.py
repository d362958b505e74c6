"""The layer `ontology`: the own terms and the lexicon scheme, as shipped."""

from __future__ import annotations

from collections.abc import Iterator

import pyoxigraph as ox

from pfocr_rdf import terms
from pfocr_rdf import vocab as v
from pfocr_rdf.resources import read_text
from pfocr_rdf.terms import Description, Token

FILES = ("lexicon.ttl", "pfocr.ttl")
_STRING = "http://www.w3.org/2001/XMLSchema#string"


def describe() -> Iterator[Description]:
    """Yield the description of each term and concept."""
    for name in FILES:
        for triple in ox.parse(read_text(name), format=ox.RdfFormat.TURTLE):
            subject, predicate, value = triple.subject, triple.predicate, triple.object
            if not isinstance(subject, ox.NamedNode):
                raise ValueError(f"{name}: a subject without name")
            verb = v.A if predicate.value == terms.expand(v.A) else terms.iri(predicate.value)
            yield subject.value, [(verb, token(value))]


def token(term: object) -> Token:
    """Return the token of a pyoxigraph term.

    Raises `ValueError` for a blank node.
    """
    if isinstance(term, ox.NamedNode):
        return terms.iri(term.value)
    if isinstance(term, ox.Literal):
        if term.language:
            return terms.tagged(term.value, term.language)
        if term.datatype.value == _STRING:
            return terms.string(term.value)
        return terms.typed(term.value, term.datatype.value)
    raise ValueError(f"no name: {term}")
