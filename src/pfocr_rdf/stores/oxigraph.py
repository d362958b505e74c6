"""A running Oxigraph server over HTTP: each update one transaction, held in memory until then, and of a bounded length.

So it suits what changes. A whole release is faster loaded into a folder (`stores.oxigraphdir`), which is then served;
a large graph alone goes without a transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from pfocr_rdf.stores import bodies
from pfocr_rdf.stores import http as requests
from pfocr_rdf.stores.contract import Abilities, Delta, Graph, Kind, NotInOneAct, Reach, Said
from pfocr_rdf.stores.http import PATIENCE
from pfocr_rdf.stores.sparql import Sparql, below

SERVICES = ("query", "update", "store")
LARGEST = 1 << 27
"""Bytes that an update may have: the server refuses longer ones."""
IN_TRANSACTION = 200_000
"""A graph alone of more triples goes without a transaction, eight times faster: for each triple of one the server needs
some 2 KB of memory."""


class Oxigraph(Sparql):
    """An Oxigraph server."""

    @property
    def abilities(self) -> Abilities:
        """All in one transaction, up to a length; what is longer raises `NotInOneAct`."""
        return Abilities(Kind.OXIGRAPH, "Oxigraph server", Reach.ALL, Reach.ALL, bulk="", patches=False, compacts=False)

    def replace(self, graphs: Sequence[Graph], notes: Mapping[str, str], say: Said) -> None:
        """Replace all in one request. A large graph alone, without notes, comes piece by piece."""
        if len(graphs) == 1 and not notes:
            self._replace(graphs[0])
            return
        say(f"{sum(graph.triples for graph in graphs):,} triples go to {self.address} in one transaction")
        self._in_one(bodies.replacement(graphs, notes))

    def change(self, deltas: Sequence[Delta], notes: Mapping[str, str], say: Said) -> None:
        """Change all in one request."""
        say(f"{bodies.in_short(deltas)}, in one transaction")
        self._in_one(bodies.changes(deltas, notes))

    def _replace(self, graph: Graph) -> None:
        if not graph.triples:
            self.remove([graph.iri])
        elif graph.triples <= IN_TRANSACTION:
            self._put(graph.iri, bodies.turtle(graph))
        else:
            self.remove([graph.iri])
            params = {"no_transaction": "", "graph": graph.iri}
            self._http.send("POST", self._graphs, bodies.turtle(graph), bodies.TURTLE, params=params)

    def _in_one(self, body: bodies.Parts) -> None:
        size = sum(map(len, body()))
        if size > LARGEST:
            raise NotInOneAct(f"{self.address}: {size:,} bytes are too many for one transaction of an Oxigraph server")
        self.run(body)


@contextmanager
def opened(address: str, *, update: str = "", graph_store: str = "", patience: float = PATIENCE) -> Iterator[Oxigraph]:
    """Yield the server at an address, or at that of one of its services."""
    base = below(address, SERVICES)
    with requests.opened(address, patience=patience) as http:
        graphs = graph_store or f"{base}/store"
        yield Oxigraph(http, f"{base}/query", update or f"{base}/update", graphs, union="union-default-graph")
