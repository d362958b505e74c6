"""Gene mentions of the usual form, which are most of all triples: seen to be right as a whole, not term by term.

A mention that is laid out as `serialize` does, whose texts are plain ASCII, and whose IRI has the hash of its cells,
is one in which no check of the streaming pass finds anything. All others are parsed and looked at one by one.
`tests/test_usual.py` holds that what is taken here gives no finding there.
"""

from __future__ import annotations

import hashlib
import re

from pfocr_rdf import identifiers as ids
from pfocr_rdf.model import LEXICONS, SEPARATOR

_TEXT = r'"([ !#-\[\]-~]*[!#-\[\]-~][ !#-\[\]-~]*)"'
"""A text of printable ASCII with nothing to be escaped, and not blank."""
_BODY = rf"<{re.escape(ids.GENES)}{ids.GENE_ID.pattern}>"
_MENTION = re.compile(
    rf"<{re.escape(ids.MENTIONS)}(PMC[1-9][0-9]*__[A-Za-z0-9._-]+)/gene-([0-9a-f]{{12}})>\n"
    r"    a oa:Annotation ;\n"
    rf"    dcterms:source <{re.escape(ids.LEXICONS)}({'|'.join(map(re.escape, LEXICONS))})> ;\n"
    rf"    oa:hasBody ({_BODY}(?: ,\n        {_BODY})*) ;\n"
    rf"    oa:hasTarget <{re.escape(ids.FIGURES)}\1\.html> ;\n"
    rf"    pfocr:match {_TEXT} ;\n"
    rf"    pfocr:word {_TEXT} \.\n*"
)
_BETWEEN = " ,\n        "
_BESIDE_BODIES = 5
"""Triples of a mention that are no bodies."""

_DECLARES = re.compile(r"(?i)@?\b(?:prefix|base)\b[^<]*<")
"""What may declare a prefix or a base."""

_LONG_TEXTS = ('"""', "'''")
"""In these, anything may look like a mention."""


class Usual(str):
    """The Turtle of a mention that is right, with the number of its triples."""

    __slots__ = ("triples",)
    triples: int


def mention(text: str) -> tuple[str, Usual] | None:
    """Return the IRI of a mention and its Turtle if it is of the usual form and right, else None."""
    found = _MENTION.fullmatch(text)
    if found is None:
        return None
    figure, digits, lexicon, bodies, match, word = found.groups()
    if not hashlib.sha256(SEPARATOR.join((word, match, lexicon)).encode()).hexdigest().startswith(digits):
        return None
    number = 1
    if "\n" in bodies:
        each = bodies.split(_BETWEEN)
        number = len(each)
        if len(set(each)) < number:
            return None
    usual = Usual(text)
    usual.triples = _BESIDE_BODIES + number
    return f"{ids.MENTIONS}{figure}/gene-{digits}", usual


def split(data: bytes) -> list[tuple[str, Usual] | bytes] | None:
    """Return the mentions of usual form of a block, and as they are the parts between them, in their order.

    None for a block in which names may mean something else from some line on, or a text may look like a mention.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    if any(mark in text for mark in _LONG_TEXTS):
        return None
    found: list[tuple[str, Usual] | bytes] = []
    odd: list[str] = []
    for piece in text.split("\n\n"):
        usual = mention(piece)
        if usual is None:
            if _DECLARES.search(piece):
                return None
            odd.append(piece)
            continue
        if odd:
            found.append("\n\n".join([*odd, ""]).encode())
            odd = []
        found.append(usual)
    if odd:
        found.append("\n\n".join(odd).encode())
    return found
