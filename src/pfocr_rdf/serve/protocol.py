"""The SPARQL 1.1 Protocol: from a request to the query that it asks, which form the answer has, and what is refused.

No socket and no store is touched here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl

from pfocr_rdf.terms import is_iri

REQUEST_BYTES = 1024 * 1024
"""The largest query, with its form around it."""

FIELDS = 200
"""So many fields a form may have."""

FORM = "application/x-www-form-urlencoded"
QUERY = "application/sparql-query"
UPDATE = "application/sparql-update"

_GAP = r"(?>\s++|#[^\r\n]*+(?:[\r\n]|\Z))*+"
_TARGET = r"(?P<target><[^>]*+>|[?$]\w++|[^\s{<#:]*+:(?>\\.|[^\s{#\\])*+)"
_SERVICE = re.compile(rf"SERVICE(?={_GAP}(?:SILENT{_GAP})?{_TARGET}{_GAP}\{{)", re.IGNORECASE)
"""Looks ahead, so that each word is a match of its own: one in a text cannot swallow the next."""
_SERVICES = 100
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")
_WEIGHT = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


class Refused(Exception):
    """A request that gets no answer: the HTTP status, and one line that says why and what to do."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Kind(StrEnum):
    """What a query yields: rows, yes or no, a graph."""

    ROWS = "rows"
    TRUTH = "truth"
    GRAPH = "graph"


ROW_FORMATS: Mapping[str, str] = {
    "application/sparql-results+json": "JSON",
    "application/json": "JSON",
    "application/sparql-results+xml": "XML",
    "application/xml": "XML",
    "text/csv": "CSV",
    "text/tab-separated-values": "TSV",
}
"""Media types of rows and truths, the usual one first: each with its name in `pyoxigraph.QueryResultsFormat`."""

GRAPH_FORMATS: Mapping[str, str] = {
    "text/turtle": "TURTLE",
    "application/n-triples": "N_TRIPLES",
    "application/rdf+xml": "RDF_XML",
    "application/ld+json": "JSON_LD",
    "text/plain": "N_TRIPLES",
}
"""Media types of graphs, the usual one first: each with its name in `pyoxigraph.RdfFormat`."""

FORMATS: Mapping[Kind, Mapping[str, str]] = {
    Kind.ROWS: ROW_FORMATS,
    Kind.TRUTH: ROW_FORMATS,
    Kind.GRAPH: GRAPH_FORMATS,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A query, the graphs that the request names for it (none: those of the query, else all), the `Accept` header."""

    query: str
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()
    accept: str = ""


def read(method: str, content_type: str, fields: bytes, body: bytes, accept: str) -> Asked | None:
    """Return what a request asks; None for a GET without query, which asks for the service description.

    `fields` is the part of the address behind `?`. Raises `Refused`.
    """
    media, charset = media_type(content_type)
    if method == "POST" and media not in (FORM, QUERY, UPDATE):
        raise Refused(415, f"the body is {media or 'of no type'}; send {FORM} or {QUERY}")
    if method == "POST" and charset not in ("", "utf-8"):
        raise Refused(415, f"the body is in {charset}; send UTF-8")
    given = _fields(body if media == FORM and method == "POST" else fields)
    if (method == "POST" and media == UPDATE) or any(name == "update" for name, _ in given):
        raise Refused(403, "this endpoint is read only; updates are refused")
    queries = [value for name, value in given if name == "query"]
    if method == "POST" and media == QUERY:
        queries.append(_text(body))
    if not queries and method != "POST":
        return None
    if len(queries) != 1:
        raise Refused(400, f"{len(queries)} queries were given; give one, as the field `query`")
    return Asked(queries[0], _graphs(given, "default-graph-uri"), _graphs(given, "named-graph-uri"), accept)


def media_type(header: str) -> tuple[str, str]:
    """Return media type and charset of a `Content-Type`, in lower case."""
    media, *parameters = (part.strip() for part in header.lower().split(";"))
    said = dict(parameter.partition("=")[::2] for parameter in parameters)
    return media, said.get("charset", "").strip('"')


def _fields(text: bytes) -> list[tuple[str, str]]:
    try:
        decoded = text.decode("ascii")
        return parse_qsl(decoded, keep_blank_values=True, errors="strict", max_num_fields=FIELDS)
    except UnicodeDecodeError:
        raise Refused(400, "the fields of the request are no percent-encoded UTF-8") from None
    except ValueError:
        raise Refused(400, f"the request has more than {FIELDS} fields") from None


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(400, f"the query is no UTF-8 (byte {error.start})") from None


def _graphs(given: Iterable[tuple[str, str]], field: str) -> tuple[str, ...]:
    graphs = tuple(value for name, value in given if name == field)
    for graph in graphs:
        if not is_iri(graph):
            raise Refused(400, f"{field} {graph[:200]!r} is no absolute IRI")
    return graphs


def accepted(accept: str, offered: Sequence[str]) -> str:
    """Return which of the offered media types a client likes best, the first of equals.

    Raises `Refused` when it takes none of them.
    """
    liked: list[tuple[str, float]] = []
    for entry in accept.lower().split(",")[:FIELDS]:
        media, *parameters = (part.strip() for part in entry.split(";"))
        weights = [found[1] for part in parameters if (found := _WEIGHT.fullmatch(part))]
        if media:
            liked.append((media, float(weights[0]) if weights else 1.0))
    weights_of = {media: _weight(media, liked) if liked else 1.0 for media in offered}
    best = max(offered, key=lambda media: weights_of[media])
    if not weights_of[best]:
        raise Refused(406, f"none of the types of the answer is accepted; it can be {', '.join(offered)}")
    return best


def _weight(media: str, liked: Iterable[tuple[str, float]]) -> float:
    """Return the weight of the entry that says most exactly what is thought of a media type."""
    found = dict(liked)
    for name in (media, f"{media.partition('/')[0]}/*", "*/*"):
        if name in found:
            return found[name]
    return 0.0


def services(query: str) -> list[str]:
    """Return all that a query may call by SERVICE, as it spells it: `<IRI>`, a variable, or a prefixed name.

    Whatever could be such a clause is taken for one, even in a comment or a text. So nothing of the text around it has
    to be understood, and no trick with `<`, `#` or quotes can hide one. Raises `Refused` when the word stands there too
    often to be looked at.
    """
    found = []
    for text in {query, unescaped(query)}:
        if text.lower().count("service") > _SERVICES:
            raise Refused(400, f"the query has the word SERVICE more than {_SERVICES} times")
        found += [match["target"] for match in _SERVICE.finditer(text)]
    return found


def refuse_services(query: str, allowed: Iterable[str]) -> None:
    """Raise `Refused` when a query may call any address by SERVICE but these, each spelled out in full."""
    known = {f"<{address}>" for address in allowed}
    for target in services(query):
        if target not in known:
            raise Refused(403, f"SERVICE {target[:200]}: this endpoint does not ask other endpoints")


def unescaped(query: str) -> str:
    r"""Return a query with its `\u` escapes as characters, which they may be anywhere in SPARQL."""

    def character(found: re.Match[str]) -> str:
        number = int(found[1] or found[2], 16)
        return chr(number) if number < 0x110000 else found[0]

    return _ESCAPE.sub(character, query)
