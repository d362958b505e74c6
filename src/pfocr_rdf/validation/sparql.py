"""Checks whose body is a query: each row of its answer is a finding."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from pfocr_rdf import query
from pfocr_rdf.validation.checks import Check
from pfocr_rdf.validation.findings import Finding, Outcome

if TYPE_CHECKING:
    import pyoxigraph as ox

_ROWS = 10_000
"""Rows that are held at once."""


def run(check: Check, store: ox.Store) -> Outcome:
    """Ask the store a check's query and return what it found: all rows counted, the first kept as examples.

    The query names the thing `focus`, and may name `value`, `message` and `layer`. Raises `UsageError` when the query
    cannot be read or answered.
    """
    outcome = Outcome(check)
    rows = findings(store, check.body)
    while some := list(islice(rows, _ROWS)):
        outcome.add(some)
    return outcome


def findings(store: ox.Store, text: str) -> Iterator[Finding]:
    """Yield the answer of a query as findings.

    Raises `UsageError` when the query cannot be read or answered.
    """
    for focus, value, message, layer in rows(store, text, "focus", "value", "message", "layer"):
        yield Finding(focus, value, message, layer)


def rows(store: ox.Store, text: str, *names: str) -> Iterator[tuple[str, ...]]:
    """Yield the values of some variables of each row as texts, empty where there is none: IRIs and literals alike.

    Raises `UsageError` when the query cannot be read or answered.
    """
    answer = query.ask(store, text)
    known = {variable.value for variable in answer.variables}
    asked = [name if name in known else None for name in names]
    with query.one_line_errors():
        for row in answer:
            terms = [row[name] if name else None for name in asked]
            yield tuple([str(getattr(term, "value", "")) for term in terms])
