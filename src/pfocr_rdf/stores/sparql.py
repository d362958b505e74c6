"""Any endpoint with SPARQL 1.1 Query and Update, and perhaps the Graph Store Protocol; and what other adapters share.

Of an unknown server only what the specifications promise is declared: one graph at a time by the Graph Store Protocol,
nothing for updates ("should be atomic", SPARQL 1.1 Update, section 2.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import pyoxigraph as ox

from pfocr_rdf.errors import UsageError
from pfocr_rdf.query import names_graphs
from pfocr_rdf.stores import bodies, files
from pfocr_rdf.stores import http as requests
from pfocr_rdf.stores.contract import Abilities, Delta, Graph, Kind, Reach, Rows, Said, StoreError, lines_of
from pfocr_rdf.stores.http import PATIENCE, Http

COUNTS = "SELECT ?g (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g"
BATCH = 10_000
"""Triples of one request where no request may be long."""


class Sparql:
    """A store by its addresses: of queries, of updates and of graphs, which are empty where it has none."""

    def __init__(self, http: Http, query: str, update: str = "", graphs: str = "", *, union: str = "") -> None:
        """`union` is the parameter, if there is one, that makes the default graph the union of all; not for FROM."""
        self._http = http
        self._query = query
        self._update = update
        self._graphs = graphs
        self._params = {union: ""} if union else None

    @property
    def abilities(self) -> Abilities:
        """What the specifications promise."""
        reach = Reach.GRAPH if self._graphs else Reach.NONE
        return Abilities(Kind.SPARQL, "SPARQL 1.1", reach, Reach.NONE, bulk="", patches=False, compacts=False)

    @property
    def address(self) -> str:
        """The address that was given."""
        return self._http.address

    def select(self, query: str, seconds: float | None = None) -> Rows:
        """Run a SELECT query."""
        params = None if names_graphs(query) else self._params
        return rows_of(self._http.ask(self._query, query, seconds, params=params).content, self.address)

    def counts(self) -> dict[str, int]:
        """Return the number of triples of each named graph."""
        return {graph.value: int(n.value) for graph, n in self.select(COUNTS).rows if graph is not None}

    def replace(self, graphs: Sequence[Graph], notes: Mapping[str, str], say: Said) -> None:
        """Replace graph by graph, the notes last; nothing is sent where a file is damaged."""
        for graph in graphs:
            files.sound(graph)
        for graph in graphs:
            say(f"{graph.iri}: {graph.triples:,} triples")
            if not graph.triples:
                self.remove([graph.iri])
            elif self._graphs:
                self._put(graph.iri, bodies.turtle(graph))
            else:
                self.remove([graph.iri])
                self._batches("INSERT", graph.iri, files.lines(graph.path))
        self._note(notes)

    def change(self, deltas: Sequence[Delta], notes: Mapping[str, str], say: Said) -> None:
        """Remove, then add, in requests of some thousand triples each."""
        for delta in deltas:
            say(f"{delta.iri}: {bodies.in_short([delta])}")
            self._batches("DELETE", delta.iri, lines_of(delta.removed))
            self._batches("INSERT", delta.iri, lines_of(delta.added))
        self._note(notes)

    def remove(self, graphs: Sequence[str]) -> None:
        """Remove graphs."""
        if graphs:
            self.run(bodies.removal(graphs))

    def compact(self, say: Said) -> int:  # noqa: ARG002 - the contract's
        """Do nothing: no specification says how."""
        return 0

    def close(self) -> None:
        """Do nothing: the connections are `Http`'s."""

    def run(self, update: bytes | bodies.Parts) -> None:
        """Send one SPARQL Update; it must do no harm when it is done twice."""
        if not self._update:
            raise StoreError(f"{self.address}: takes no updates; give their address with --update")
        self._http.send("POST", self._update, update, bodies.UPDATE)

    def _put(self, iri: str, body: bytes | bodies.Parts) -> None:
        self._http.send("PUT", self._graphs, body, bodies.TURTLE, params={"graph": iri})

    def _note(self, notes: Mapping[str, str]) -> None:
        for iri, text in notes.items():
            if self._graphs:
                self._put(iri, text.encode())
            else:
                self.run(bodies.replacement((), {iri: text}))

    def _batches(self, verb: str, iri: str, lines: Iterable[str]) -> None:
        for operation in bodies.operations(verb, iri, lines, BATCH):
            self.run(operation.encode())


def rows_of(answer: bytes, address: str) -> Rows:
    """Return the rows of an answer in JSON.

    Raises `StoreError` when it is none.
    """
    try:
        found = ox.parse_query_results(answer, format=ox.QueryResultsFormat.JSON)
        if not isinstance(found, ox.QuerySolutions):
            raise StoreError(f"{address}: the query is no SELECT")
        names = tuple(variable.value for variable in found.variables)
        return Rows(names, [tuple(row[name] for name in names) for row in found])
    except (SyntaxError, ValueError) as error:
        raise StoreError(f"{address}: its answer is no SPARQL result in JSON ({str(error)[:100]})") from error


@contextmanager
def opened(address: str, *, update: str = "", graph_store: str = "", patience: float = PATIENCE) -> Iterator[Sparql]:
    """Yield the endpoint at an address; updates go to the same address unless another is given."""
    with requests.opened(address, patience=patience) as http:
        yield Sparql(http, address, update or address, graph_store)


def below(address: str, endings: Sequence[str]) -> str:
    """Return an address without one of these endings, query and slash.

    Raises `UsageError` for an address with a query in it.
    """
    if "?" in address or "#" in address:
        raise UsageError(f"{requests.shown(address)}: give the address without what follows '?' or '#'")
    address = address.rstrip("/")
    for ending in endings:
        if address.endswith(f"/{ending}"):
            return address.removesuffix(f"/{ending}")
    return address
