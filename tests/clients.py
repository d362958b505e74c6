"""Clients that ask SPARQL endpoints: those of others, and ours; each gives rows as texts, "" where a cell is empty."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence

import pyoxigraph as ox
from rdflib import Variable
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from SPARQLWrapper import JSON, POST, SPARQLWrapper

from pfocr_rdf.stores import asking, http
from tests.support import ROOT, require_comunica

Rows = list[list[str]]
COMUNICA = ROOT / "tests" / "comunica.cjs"


def wrapper(address: str, query: str, columns: Sequence[str]) -> Rows:
    """What SPARQLWrapper gets."""
    client = SPARQLWrapper(address)
    client.setQuery(query)
    client.setMethod(POST)
    client.setReturnFormat(JSON)
    found = client.queryAndConvert()
    assert isinstance(found, dict)
    return [[row[name]["value"] if name in row else "" for name in columns] for row in found["results"]["bindings"]]


def rdflib(address: str, query: str, columns: Sequence[str]) -> Rows:
    """What rdflib gets through its store over an endpoint."""
    store = SPARQLStore(query_endpoint=address, method="POST_FORM", returnFormat="json")
    found = store.query(query)
    return [
        ["" if (cell := row.get(Variable(name))) is None else str(cell) for name in columns] for row in found.bindings
    ]


def ours(address: str, query: str, columns: Sequence[str]) -> Rows:
    """What `pfocr-rdf query --on URL` gets."""
    with http.opened(address) as link:
        answer = asking.ask(link, query)
        assert isinstance(answer, ox.QuerySolutions)
        return [[cell.value if (cell := row[name]) else "" for name in columns] for row in answer]


CLIENTS: dict[str, Callable[[str, str, Sequence[str]], Rows]] = {
    "SPARQLWrapper": wrapper,
    "rdflib": rdflib,
    "ours": ours,
}


def comunica(address: str, queries: Sequence[str]) -> list[list[dict[str, str]]]:
    """What comunica gets, for each query the rows as maps."""
    folder = require_comunica()
    done = subprocess.run(
        ["node", COMUNICA, address],
        input=json.dumps(list(queries)),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: list[list[dict[str, str]]] = json.loads(done.stdout)
    return found
