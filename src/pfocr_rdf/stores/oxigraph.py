"""A running Oxigraph server over HTTP: each request one transaction, held in memory until it is committed.

So it suits what changes, not a whole release: that goes into a folder (`stores.oxigraphdir`), and then it is served.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from pfocr_rdf.stores import bodies
from pfocr_rdf.stores import http as requests
from pfocr_rdf.stores.contract import Abilities, Delta, Graph, Kind, Reach, Said, StoreError
from pfocr_rdf.stores.http import PATIENCE
from pfocr_rdf.stores.sparql import Sparql, below

SERVICES = ("query", "update", "store")
LARGEST = 3_000_000
"""Triples that one request may bring; its server needs some 2 KB of memory for each."""


class Oxigraph(Sparql):
    """An Oxigraph server."""

    @property
    def abilities(self) -> Abilities:
        """All in one transaction."""
        return Abilities(Kind.OXIGRAPH, "Oxigraph server", Reach.ALL, Reach.ALL, bulk="", patches=False, compacts=False)

    def replace(self, graphs: Sequence[Graph], notes: Mapping[str, str], say: Said) -> None:
        """Replace all in one request."""
        triples = sum(graph.triples for graph in graphs)
        self._fits(triples)
        say(f"{triples:,} triples go to {self.address} in one transaction")
        self.run(bodies.replacement(graphs, notes))

    def change(self, deltas: Sequence[Delta], notes: Mapping[str, str], say: Said) -> None:
        """Change all in one request."""
        self._fits(sum(delta.removals + delta.additions for delta in deltas))
        say(f"{bodies.in_short(deltas)}, in one transaction")
        self.run(bodies.changes(deltas, notes))

    def _fits(self, triples: int) -> None:
        if triples > LARGEST:
            raise StoreError(
                f"{self.address}: {triples:,} triples are too many for one transaction of an Oxigraph server; "
                "load into a folder (--to DIR) and start the server with --location DIR/current"
            )


@contextmanager
def opened(address: str, *, update: str = "", graph_store: str = "", patience: float = PATIENCE) -> Iterator[Oxigraph]:
    """Yield the server at an address, or at that of one of its services."""
    base = below(address, SERVICES)
    with requests.opened(address, patience=patience) as http:
        graphs = graph_store or f"{base}/store"
        yield Oxigraph(http, f"{base}/query", update or f"{base}/update", graphs, union="union-default-graph")
