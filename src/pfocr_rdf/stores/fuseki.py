"""Apache Jena Fuseki 5 over HTTP: each request one transaction of TDB2 (or of its memory store).

Its patch service (`fuseki:patch`) is not used. When a connection is cut, Fuseki 5.6 commits the rows that it had read:
a part of a patch is a legal patch. And it answers 200 to a patch that it gave up. A part of an update is no update.

A write that Fuseki 5.6 gives up half-way is worse than it looks: what is written afterwards, while others read, may
come back as other terms, though counts are right; a new start before the next write looked clean in one try. So
files are read before they are sent, and changes of usual size go as a form, which the server reads before it begins.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from urllib.parse import quote_plus, urlsplit

from pfocr_rdf.stores import bodies, files
from pfocr_rdf.stores import http as requests
from pfocr_rdf.stores.contract import Abilities, Delta, Graph, Kind, Reach, Said, StoreError, StoreUnavailable
from pfocr_rdf.stores.http import FORM, PATIENCE, Body, Http
from pfocr_rdf.stores.sparql import Sparql, below

SERVICES = ("query", "sparql", "update", "data", "get", "patch", "shacl", "upload")
"""Names that Fuseki gives to the services of a dataset unless it is told otherwise."""

THERE = "SELECT ?g WHERE {{ VALUES ?g {{ {graphs} }} FILTER EXISTS {{ GRAPH ?g {{ ?s ?p ?o }} }} }}"
GRAPHS = "SELECT DISTINCT ?g WHERE { GRAPH ?g { ?s ?p ?o } }"
DEFAULT = "SELECT ?s WHERE { GRAPH <urn:x-arq:DefaultGraph> { ?s ?p ?o } } LIMIT 1"
_ANY = frozenset(range(300, 500)) - {401, 403}
_FORM = 14 << 20
"""Bytes of a difference that goes as a form; Fuseki takes forms of 25 MiB, and these are longer than what they hold."""

_LOOK = 60.0
"""Seconds that a server may take to answer what asks nothing of it."""

_QUIET = 1.0
"""Seconds in which nobody asks before a compaction."""

_LONGEST = 600.0
"""Seconds to wait for a compaction, which waits itself for a moment without readers."""


class Fuseki(Sparql):
    """A dataset of a Fuseki server."""

    def __init__(self, http: Http, dataset: str, *, query: str, update: str = "", graphs: str = "") -> None:
        super().__init__(http, query, update, graphs)
        self._dataset = dataset

    @property
    def abilities(self) -> Abilities:
        """All in one transaction."""
        name = "Apache Jena Fuseki"
        return Abilities(Kind.FUSEKI, name, Reach.ALL, Reach.ALL, bulk="", patches=False, compacts=self._admin)

    def replace(self, graphs: Sequence[Graph], notes: Mapping[str, str], say: Said) -> None:
        """Replace all in one request: as TriG where none of it is there, or nothing else, as an update otherwise."""
        say(f"{sum(graph.triples for graph in graphs):,} triples go to {self.address} in one transaction")
        for graph in graphs:
            files.sound(graph)
        ours = {*(graph.iri for graph in graphs), *notes}
        there = bool(self.select(THERE.format(graphs=" ".join(map(bodies.name, ours)))).rows)
        if not self._graphs or (there and self._others(ours)):
            self.run(bodies.replacement(graphs, notes))
        else:  # what is posted is added, what is put takes the place of all that is there
            method = "PUT" if there else "POST"
            self._http.send(method, self._graphs, bodies.dataset(graphs, notes), bodies.TRIG)

    def _others(self, ours: set[str]) -> bool:
        """Whether the dataset holds anything else; all of it is looked at."""
        return bool({row[0].value for row in self.select(GRAPHS).rows} - ours or self.select(DEFAULT).rows)

    def change(self, deltas: Sequence[Delta], notes: Mapping[str, str], say: Said) -> None:
        """Change all in one request."""
        say(f"{bodies.in_short(deltas)}, in one transaction")
        self.run(bodies.changes(deltas, notes), small=bodies.size(deltas) <= _FORM)

    def run(self, update: bytes | bodies.Parts, *, small: bool = False) -> None:
        """Send one SPARQL Update; a small one as a form."""
        if not self._update:
            raise StoreError(f"{self.address}: takes no updates; start the server with --update")
        if small or isinstance(update, bytes):
            text = update if isinstance(update, bytes) else b"".join(update())
            self._http.send("POST", self._update, b"update=" + quote_plus(text).encode(), FORM)
        else:
            self._http.send("POST", self._update, update, bodies.UPDATE)

    def compact(self, say: Said) -> int:
        """Let the server copy what is live and delete the rest; what that gave back is not told, so 0.

        Fuseki 5.6 never ends a compaction that it begins while others ask without pause, so then it is not begun.
        """
        if not self._admin:
            return 0
        if not self._quiet():
            raise StoreUnavailable(
                f"{self.address}: is not compacted, since others ask (or it does not tell: start it with --stats)"
            )
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
        raise StoreError(
            f"{self.address}: is still being compacted after {_LONGEST / 60:.0f} minutes; are there always readers?"
        )

    def _quiet(self) -> bool:
        """Whether nobody asks just now, by the server's own count."""
        before = self._asked()
        time.sleep(_QUIET)
        return before is not None and before == self._asked()

    def _asked(self) -> int | None:
        path = urlsplit(self._dataset).path.rstrip("/")
        got = self._http.send("GET", f"{self._root}/$/stats{path}", allow=_ANY | {401, 403})
        return int(got.json()["datasets"][path]["Requests"]) if got.is_success else None

    @property
    def _root(self) -> str:
        place = urlsplit(self._dataset)
        return f"{place.scheme}://{place.netloc}"

    @property
    def _compaction(self) -> str:
        return f"{self._root}/$/compact/{urlsplit(self._dataset).path.strip('/')}"

    @cached_property
    def _admin(self) -> bool:
        """Whether the server compacts when it is told to: a GET is an error of its own there, and nothing elsewhere."""
        return self._http.send("GET", self._compaction, allow=_ANY | {401, 403, 500}).status_code in (405, 500)


@contextmanager
def opened(address: str, *, update: str = "", graph_store: str = "", patience: float = PATIENCE) -> Iterator[Fuseki]:
    """Yield the dataset at an address, or at that of one of its services; the names of the services are found out."""
    dataset = below(address, SERVICES)
    with requests.opened(address, patience=patience) as http:
        select = _first(http, dataset, ("query", "sparql", ""), b"query=ASK+%7B%7D", FORM)
        if not select:
            raise StoreError(f"{address}: there is no dataset of Fuseki that answers queries; is the name right?")
        changed = update or _first(http, dataset, ("update", ""), b"# nothing\n", bodies.UPDATE)
        graphs = graph_store or (changed and _first(http, dataset, ("data", ""), b"# nothing\n", bodies.TRIG))
        yield Fuseki(http, dataset, query=select, update=changed, graphs=graphs)


def _first(http: Http, dataset: str, names: Sequence[str], body: Body, headers: Mapping[str, str]) -> str:
    """Return the address of the first of these services that takes a body which does nothing, or nothing."""
    for name in names:
        place = f"{dataset}/{name}".rstrip("/")
        if http.send("POST", place, body, headers, allow=_ANY, seconds=_LOOK).is_success:
            return place
    return ""
