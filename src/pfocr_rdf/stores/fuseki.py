"""Apache Jena Fuseki 5 over HTTP: each request one transaction of TDB2 (or of its memory store).

Its patch service (`fuseki:patch`) is not used. When a connection is cut, Fuseki 5.6 commits the rows that it had read:
a part of a patch is a legal patch. And it answers 200 to a patch that it gave up. A part of an update is no update.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from urllib.parse import urlsplit

from pfocr_rdf.stores import bodies
from pfocr_rdf.stores import http as requests
from pfocr_rdf.stores.contract import Abilities, Delta, Graph, Kind, Reach, Said, StoreError
from pfocr_rdf.stores.http import PATIENCE, Body, Http
from pfocr_rdf.stores.sparql import QUERY, Sparql, below

SERVICES = ("query", "sparql", "update", "data", "get", "patch", "shacl", "upload")
"""Names that Fuseki gives to the services of a dataset unless it is told otherwise."""

GRAPHS = "SELECT DISTINCT ?g WHERE { GRAPH ?g { ?s ?p ?o } }"
DEFAULT = "SELECT ?s WHERE { GRAPH <urn:x-arq:DefaultGraph> { ?s ?p ?o } } LIMIT 1"
_ANY = frozenset(range(300, 500)) - {401, 403}
_LONGEST = 6 * 3600.0
"""Seconds to wait for a compaction."""


class Fuseki(Sparql):
    """A dataset of a Fuseki server."""

    def __init__(self, http: Http, dataset: str, *, query: str, update: str = "", graphs: str = "") -> None:
        super().__init__(http, query, update, graphs)
        self._dataset = dataset

    @property
    def abilities(self) -> Abilities:
        """All in one transaction."""
        name = "Apache Jena Fuseki"
        return Abilities(Kind.FUSEKI, name, Reach.ALL, Reach.ALL, "tdb2.tdbloader", False, self._admin)

    def replace(self, graphs: Sequence[Graph], notes: Mapping[str, str], say: Said) -> None:
        """Replace all in one request: as TriG where nothing else is in the way, as an update where there is."""
        say(f"{sum(graph.triples for graph in graphs):,} triples go to {self.address} in one transaction")
        ours = {*(graph.iri for graph in graphs), *notes}
        held = {row[0].value for row in self.select(GRAPHS).rows}
        if not self._graphs or (held & ours and (held - ours or self.select(DEFAULT).rows)):
            self.run(bodies.replacement(graphs, notes))
            return
        method = "PUT" if held else "POST"
        self._http.send(method if held & ours else "POST", self._graphs, bodies.dataset(graphs, notes), bodies.TRIG)

    def change(self, deltas: Sequence[Delta], notes: Mapping[str, str], say: Said) -> None:
        """Change all in one request."""
        gone, come = sum(delta.removals for delta in deltas), sum(delta.additions for delta in deltas)
        say(f"{gone:,} triples go, {come:,} come, in one transaction")
        self.run(bodies.changes(deltas, notes))

    def compact(self, say: Said) -> int:
        """Let the server copy what is live and delete the rest; what that gave back is not told, so 0."""
        if not self._admin:
            return 0
        say(f"{self.address}: is compacted")
        task = self._http.send("POST", self._compaction, params={"deleteOld": "true"}, again=False).json()["taskId"]
        end = time.monotonic() + _LONGEST
        while time.monotonic() < end:
            done = self._http.send("GET", f"{self._root}/$/tasks/{task}").json()
            if "finished" in done:
                if not done.get("success"):
                    raise StoreError(f"{self.address}: could not be compacted; see the server's log")
                return 0
            time.sleep(0.5)
        raise StoreError(f"{self.address}: is still being compacted after {_LONGEST / 3600:.0f} hours")

    @property
    def _root(self) -> str:
        place = urlsplit(self._dataset)
        return f"{place.scheme}://{place.netloc}"

    @property
    def _compaction(self) -> str:
        return f"{self._root}/$/compact/{urlsplit(self._dataset).path.strip('/')}"

    @cached_property
    def _admin(self) -> bool:
        """Whether the server compacts when it is told to: then it refuses a GET as the wrong method."""
        return self._http.send("GET", self._compaction, allow=_ANY | {401, 403}).status_code == 405


@contextmanager
def opened(address: str, *, update: str = "", graph_store: str = "", patience: float = PATIENCE) -> Iterator[Fuseki]:
    """Yield the dataset at an address, or at that of one of its services; the names of the services are found out."""
    dataset = below(address, SERVICES)
    for other in (update, graph_store):
        requests.checked(other or address)
    with requests.opened(address, patience=patience) as http:
        select = _first(http, dataset, ("query", "sparql", ""), b"SELECT (1 AS ?n) {}", QUERY)
        if not select:
            raise StoreError(f"{address}: there is no dataset of Fuseki that answers queries; is the name right?")
        changed = update or _first(http, dataset, ("update", ""), b"# nothing\n", bodies.UPDATE)
        graphs = graph_store or (changed and _first(http, dataset, ("data", ""), b"# nothing\n", bodies.TRIG))
        yield Fuseki(http, dataset, query=select, update=changed, graphs=graphs)


def _first(http: Http, dataset: str, names: Sequence[str], body: Body, headers: Mapping[str, str]) -> str:
    """Return the address of the first of these services that takes a body which does nothing, or nothing."""
    places = [f"{dataset}/{name}".rstrip("/") for name in names]
    return next((place for place in places if http.send("POST", place, body, headers, allow=_ANY).is_success), "")
