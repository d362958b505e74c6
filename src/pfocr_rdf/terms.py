"""RDF terms as Turtle tokens: text that is made once and written as it is.

A `Token` is the exact Turtle spelling of one term. Tokens are what measures best on the hot path (they hash,
pickle and sort, and cost no object); `tests/test_terms.py` proves that pyoxigraph and rdflib read back the
term that was meant. IRIs take the prefixed form only where the local name needs no escape, for Virtuoso and
Blazegraph change escaped ones.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache

import pyoxigraph as ox

from pfocr_rdf import native
from pfocr_rdf.identifiers import ABSOLUTE_IRI, PREFIXES

Token = str
"""Turtle spelling of one term."""

Pair = tuple[Token, Token]
"""Predicate and object."""

Description = tuple[str, list[Pair]]
"""A subject's IRI (bare) and what is said of it."""

_LOCAL = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_ESCAPES = {'"': '"', "\\": "\\", "n": "\n", "r": "\r", "t": "\t"}
_ILLEGAL_IN_IRI = re.compile(r"[\x00-\x20<>\"{}|\\^`]")
_BY_NAMESPACE = {namespace: prefix for prefix, namespace in PREFIXES.items()}
"""Each namespace ends with a slash or a number sign, which no local name that needs no escape can hold."""


def is_iri(text: str) -> bool:
    """Whether a text is an absolute IRI that strict parsers read; pyoxigraph is the judge."""
    if not ABSOLUTE_IRI.fullmatch(text):
        return False
    try:
        ox.NamedNode(text)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=16384)
def iri(value: str) -> Token:
    """Return the token of an absolute IRI; those of taxa, journals, licences are asked for again and again.

    Raises `ValueError` for a character that no IRI may hold: such a value must be refused before.
    """
    cut = max(value.rfind("/"), value.rfind("#")) + 1
    prefix = _BY_NAMESPACE.get(value[:cut])
    if prefix is not None and _LOCAL.fullmatch(value, cut):
        return f"{prefix}:{value[cut:]}"
    if _ILLEGAL_IN_IRI.search(value):
        raise ValueError(f"not an IRI: {value!r}")
    return f"<{value}>"


def expand(token: Token) -> str:
    """Return the bare IRI of an IRI token (undoes `iri`; `a` is rdf:type)."""
    if token == "a":  # noqa: S105 - the keyword of Turtle
        return f"{PREFIXES['rdf']}type"
    if token.startswith("<"):
        return token[1:-1]
    prefix, _, local = token.partition(":")
    return PREFIXES[prefix] + local


def quoted(value: str) -> Token:
    """Return the token of a plain string."""
    if "\\" in value:  # first, for the others bring backslashes in
        value = value.replace("\\", "\\\\")
    if '"' in value:
        value = value.replace('"', '\\"')
    if "\n" in value:
        value = value.replace("\n", "\\n")
    if "\r" in value:
        value = value.replace("\r", "\\r")
    if "\t" in value:
        value = value.replace("\t", "\\t")
    return f'"{value}"'


string = native.fastest("turtle_string", quoted)
"""See `quoted`."""


def strings(values: Sequence[str]) -> list[Token]:
    """Return the tokens of plain strings; escapes are looked for in all of them at once."""
    whole = "".join(values)
    if any(special in whole for special in '\\"\n\r\t'):
        return [string(value) for value in values]
    return [f'"{value}"' for value in values]


def typed(value: str, datatype: str) -> Token:
    """Return the token of a literal with the IRI of its datatype."""
    return f"{string(value)}^^{iri(datatype)}"


def tagged(value: str, language: str) -> Token:
    """Return the token of a text with a language tag, in lower case."""
    return f"{string(value)}@{language.lower()}"


def value_of(token: Token) -> str:
    """Return what a token stands for as bare text: the IRI, or the literal without its type (undoes the makers)."""
    if token[0] != '"':
        return token if token[0] in "+-0123456789" else expand(token)
    text = token[1 : token.rindex('"')]
    if "\\" not in text:
        return text
    return re.sub(r"\\(.)", lambda match: _ESCAPES[match[1]], text)


def integer(value: int) -> Token:
    """Return the token of an xsd:integer."""
    return str(value)


def gyear(value: str) -> Token:
    """Return the token of an xsd:gYear, from four digits."""
    return f'"{value}"^^xsd:gYear'


def decimal(value: Decimal) -> Token:
    """Return the token of an xsd:decimal: a point and at least one digit on each side, no further zeros."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0")
        return text + "0" if text.endswith(".") else text
    return text + ".0"


def parse_decimal(text: str) -> Decimal | None:
    """Return the number that a text spells, or None; refuses spellings that would grow when written out."""
    if len(text) > 40 or not re.fullmatch(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?", text):
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value or Decimal(0)
