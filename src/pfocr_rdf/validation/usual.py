"""Mentions of the usual form, which are most of all triples: seen to be right as a whole, not term by term.

A mention that is laid out as `serialize` does, whose texts are plain ASCII, and whose IRI has the hash of its cells,
is one in which no check of the streaming pass finds anything. All others are parsed and looked at one by one.
`tests/test_usual.py` holds that what is taken here gives no finding there.
"""

from __future__ import annotations

import hashlib
import re

from pfocr_rdf import identifiers as ids
from pfocr_rdf.model import LEXICONS, SEPARATOR, Layer

_TEXT = r'"( *[!#-\[\]-~][ !#-\[\]-~]*)"'
"""A text of printable ASCII with nothing to be escaped, and not blank."""
_BODY = rf"<{re.escape(ids.GENES)}{ids.GENE_ID.pattern}>"
_OF_GENE = re.compile(
    rf"<{re.escape(ids.MENTIONS)}(PMC[1-9][0-9]*__[A-Za-z0-9._-]+)/gene-([0-9a-f]{{12}})>\n"
    r"    a oa:Annotation ;\n"
    rf"    dcterms:source <{re.escape(ids.LEXICONS)}({'|'.join(map(re.escape, LEXICONS))})> ;\n"
    rf"    oa:hasBody ({_BODY}(?: ,\n        {_BODY})*) ;\n"
    rf"    oa:hasTarget <{re.escape(ids.FIGURES)}\1\.html> ;\n"
    rf"    pfocr:match {_TEXT} ;\n"
    rf"    pfocr:word {_TEXT} \.\n*"
)


def _of_term(kind: str, space: str) -> re.Pattern[str]:
    """Return the pattern of a chemical or disease that MeSH knows; its second id is of the other namespace."""
    return re.compile(
        rf"<{re.escape(ids.MENTIONS)}(PMC[1-9][0-9]*__[A-Za-z0-9._-]+)/{kind}-([0-9a-f]{{12}})>\n"
        r"    a oa:Annotation ;\n"
        rf"(?:    dcterms:relation obo:{space}_([1-9][0-9]{{0,8}}) ;\n)?"
        rf"    dcterms:source <{re.escape(ids.LEXICONS)}{kind}-mesh> ;\n"
        rf"    oa:hasBody <{re.escape(ids.MESH)}({ids.MESH_ID.pattern})> ;\n"
        rf"    oa:hasTarget <{re.escape(ids.FIGURES)}\1\.html> ;\n"
        rf"(?:    pfocr:match {_TEXT} ;\n)?"
        rf"(?:    pfocr:name {_TEXT} ;\n)?"
        rf"    pfocr:word {_TEXT} \.\n*"
    )


_OF_TERM = {
    str(Layer.EVIDENCE_CHEMICALS): ("chemical", "CHEBI", _of_term("chemical", "CHEBI")),
    str(Layer.EVIDENCE_DISEASES): ("disease", "DOID", _of_term("disease", "DOID")),
}
LAYERS = frozenset({str(Layer.EVIDENCE_GENES), *_OF_TERM})
"""Layers that have mentions of usual form."""

_BETWEEN = " ,\n        "
_BESIDE_BODIES = 5
"""Triples of a gene mention that are no bodies."""

_BESIDE_OPTIONAL = 5
"""Triples of another mention that it always has."""

_NONE = "NA"
"""Stands in the hash for what a row has not."""

_DECLARES = re.compile(r"(?i)@?\b(?:prefix|base)\b[^<]*<")
"""What may declare a prefix or a base."""

_LONG_TEXTS = ('"""', "'''")
"""In these, anything may look like a mention."""


class Usual(str):
    """The Turtle of a mention that is right, with the number of its triples."""

    __slots__ = ("triples",)
    triples: int


def mention(text: str, layer: str) -> tuple[str, Usual] | None:
    """Return the IRI of a mention and its Turtle if it is of the layer's usual form and right, else None."""
    return _term(text, *_OF_TERM[layer]) if layer in _OF_TERM else _gene(text)


def _gene(text: str) -> tuple[str, Usual] | None:
    found = _OF_GENE.fullmatch(text)
    if found is None:
        return None
    figure, digits, lexicon, bodies, match, word = found.groups()
    if not _has_hash(digits, word, match, lexicon):
        return None
    number = 1
    if "\n" in bodies:
        each = bodies.split(_BETWEEN)
        number = len(each)
        if len(set(each)) < number:
            return None
    return _taken(text, f"{figure}/gene-{digits}", _BESIDE_BODIES + number)


def _term(text: str, kind: str, space: str, pattern: re.Pattern[str]) -> tuple[str, Usual] | None:
    found = pattern.fullmatch(text)
    if found is None:
        return None
    figure, digits, other, mesh, match, name, word = found.groups()
    cells = (word, match or _NONE, name or _NONE, f"MESH:{mesh}", f"{space}:{other}" if other else _NONE)
    if not _has_hash(digits, *cells):
        return None
    optional = (other, match, name)
    return _taken(text, f"{figure}/{kind}-{digits}", _BESIDE_OPTIONAL + len(optional) - optional.count(None))


def _has_hash(digits: str, *cells: str) -> bool:
    return hashlib.sha256(SEPARATOR.join(cells).encode()).hexdigest().startswith(digits)


def _taken(text: str, name: str, triples: int) -> tuple[str, Usual]:
    usual = Usual(text)
    usual.triples = triples
    return f"{ids.MENTIONS}{name}", usual


def split(data: bytes, layer: str) -> list[tuple[str, Usual] | str] | None:
    """Return the mentions of usual form of a block, and as they are the pieces between them, in their order.

    None for a block in which names may mean something else from some line on, or a text may look like a mention.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    if any(mark in text for mark in _LONG_TEXTS):
        return None
    found: list[tuple[str, Usual] | str] = []
    for piece in text.split("\n\n"):
        usual = mention(piece, layer)
        if usual is not None:
            found.append(usual)
        elif _may_declare(piece):
            return None
        elif piece:
            found.append(piece)
    return found


def _may_declare(piece: str) -> bool:
    lower = piece.lower()
    return ("prefix" in lower or "base" in lower) and _DECLARES.search(piece) is not None
