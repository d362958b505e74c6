"""What a SPARQL endpoint answers to a query of any form, as pyoxigraph has answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pfocr_rdf.query import keywords
from pfocr_rdf.stores.contract import StoreError
from pfocr_rdf.stores.http import RESULTS, Http

if TYPE_CHECKING:
    import pyoxigraph as ox

SECONDS = 600.0
"""So long an answer is waited for when nobody says otherwise."""

_GRAPH = "application/n-triples, text/turtle;q=0.8, text/plain;q=0.1"
_GRAPHS = ("application/n-triples", "text/turtle", "text/plain")

_FORM = re.compile(r"\b(SELECT|ASK|CONSTRUCT|DESCRIBE)\b(?!:)", re.IGNORECASE)


def ask(http: Http, query: str, seconds: float | None = None) -> ox.QuerySolutions | ox.QueryBoolean | list[ox.Triple]:
    """Ask the endpoint at the address of `http`, once; prefixes have to be declared in the query.

    Raises `StoreUnavailable` when it cannot be reached or takes longer than `seconds`, `StoreError` when it refuses
    the query or answers in a form that was not asked for. Rows are read when they are taken: see `readable`.
    """
    import pyoxigraph as ox

    form = _FORM.search(keywords(query))  # stores differ in what they prefer: only what fits is accepted
    makes_graph = form is not None and form[1].upper() in ("CONSTRUCT", "DESCRIBE")
    got = http.ask(http.url, query, seconds or SECONDS, accept=_GRAPH if makes_graph else RESULTS)
    kind = got.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    with readable(http):
        if kind == RESULTS:
            return ox.parse_query_results(_usual(got.content), format=ox.QueryResultsFormat.JSON)
        if kind in _GRAPHS:
            syntax = ox.RdfFormat.TURTLE if kind == "text/turtle" else ox.RdfFormat.N_TRIPLES
            return [quad.triple for quad in ox.parse(got.content, format=syntax)]
    raise StoreError(f"{http.address}: answers as {kind or 'nothing'}; is it the address of a SPARQL endpoint?")


@contextmanager
def readable(http: Http) -> Iterator[None]:
    """Turn what is raised while an answer is read, row by row, into a `StoreError`."""
    try:
        yield
    except (SyntaxError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise StoreError(f"{http.address}: the answer cannot be read ({str(error)[:200]})") from error


def _usual(content: bytes) -> bytes:
    """Return JSON results as the standard has them: Virtuoso answers an ASK as a table with a row when it is true."""
    if b"__ask_retval" not in content[:200].lower():
        return content
    found: dict[str, Any] = json.loads(content)
    rows = found.get("results", {}).get("bindings", [])
    true = any(cell.get("value") == "1" for row in rows for cell in row.values())
    return json.dumps({"head": {}, "boolean": true}).encode()
