"""Blazegraph 2.1.5: served, or its folder with journal and settings while no server runs.

One update request is one commit, over all graphs, and queries go on with the state that they began with. A server on
this machine reads the files itself (`LOAD <file:...>`), so that a whole release is one request too. What to mind:

* Its parser takes some of what is no Turtle, and stumbles over some of what is (`true, 5`). So files are parsed here
  before, and sent once more as plain triples where they are right.
* A body is read as Latin-1 unless its type says `; charset=UTF-8`; N-Quads are read as ASCII and never sent.
* A prefixed name with percent signs is decoded, so IRIs are written in full.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pyoxigraph as ox

from pfocr_rdf import locks
from pfocr_rdf.errors import UsageError
from pfocr_rdf.locks import lock
from pfocr_rdf.stores import bodies, files, http, local, programs, starting
from pfocr_rdf.stores.contract import Abilities, Delta, Graph, Kind, NotInOneAct, Reach, Rows, Said, Store, StoreError
from pfocr_rdf.stores.http import PATIENCE, Http
from pfocr_rdf.stores.sparql import Sparql, rows_of

LOADER = "com.bigdata.rdf.store.DataLoader"
_NAMESPACE = "http://www.bigdata.com/rdf#/features/KB/Namespace"


@contextmanager
def opened(
    address: str, *, update: str = "", graph_store: str = "", patience: float = PATIENCE, reads: bool | None = None
) -> Iterator[Served]:
    """Yield the store behind the address of a SPARQL service, which is that of updates too unless that is said.

    `reads` is whether the server can read files of this machine; if not said, when its address is of this machine.
    Raises `UsageError` for an address that is none.
    """
    if graph_store:
        raise UsageError(f"{http.shown(address)}: Blazegraph has no Graph Store Protocol")
    with http.opened(address, patience=patience) as link:
        here = urlsplit(address).hostname in starting.LOCAL
        yield Served(link, update or address, here if reads is None else reads)


@contextmanager
def opened_folder(folder: Path, *, jar: Path | None = None, memory: int = starting.MEMORY) -> Iterator[Store]:
    """Yield the database in a folder that no server runs over; it is made if it is not there.

    `memory` is in megabytes. Raises `UsageError` for a folder that holds something else.
    """
    store = _Folder(folder, jar, memory)
    try:
        yield store
    finally:
        store.close()


class _Unparsed(StoreError):
    """A file that is Turtle, and that Blazegraph's parser does not understand."""


class _Unreadable(StoreError):
    """A file of this machine that the server does not find, or may not read."""


class Served(Sparql):
    """A server. With `reads` it reads the files of a release itself; otherwise they are sent, graph by graph.

    So they are when it turns out that it cannot read them: behind an address of this machine may be a container.
    """

    def __init__(self, link: Http, update: str, reads: bool) -> None:
        super().__init__(link, link.url, update)
        self._reads = reads

    @property
    def abilities(self) -> Abilities:
        """One request is one act; sent graph by graph, a graph is empty for a moment."""
        replaces, bulk = (Reach.ALL, "LOAD") if self._reads else (Reach.NONE, "")
        return Abilities(Kind.BLAZEGRAPH, "Blazegraph", replaces, Reach.ALL, bulk, patches=False, compacts=False)

    def select(self, query: str, seconds: float | None = None) -> Rows:
        """Run a SELECT query; see `Store.select`. Only a query without a limit of time is sent again."""
        limit = {} if seconds is None else {"X-BIGDATA-MAX-QUERY-MILLIS": str(max(1, int(seconds * 1000)))}
        return rows_of(self._http.ask(self._query, query, seconds, headers=limit, grace=10.0).content, self.address)

    def namespaces(self) -> set[str]:
        """Return the names of the databases that the server's journal holds."""
        place, params = f"{self._query.removesuffix('/sparql')}/namespace", {"describe-each-named-graph": "false"}
        got = self._http.send("GET", place, headers={"Accept": "text/plain"}, params=params)
        told = ox.parse(got.content, format=ox.RdfFormat.N_TRIPLES)
        return {quad.object.value for quad in told if quad.predicate.value == _NAMESPACE}

    def replace(self, graphs: Sequence[Graph], notes: Mapping[str, str], say: Said) -> None:
        """Replace graphs; see `Store.replace`."""
        full = [graph for graph in graphs if graph.triples]
        for graph in full:
            files.sound(graph)
        if not self._reads:
            self._send_each(graphs, notes, say)
            return
        with tempfile.TemporaryDirectory(prefix="pfocr-rdf-") as temporary:
            folder = Path(temporary)
            folder.chmod(0o755)  # the server may be another user's
            say(f"{self.address}: {len(full)} graphs in one request")
            try:
                self._load(graphs, notes, lambda graph, name: files.in_place(graph, folder, name))
            except _Unparsed:
                say(f"{self.address}: its parser stumbles over Turtle that is right; once more as plain triples")
                self._load(graphs, notes, lambda graph, name: files.plain(graph, folder, name))
            except _Unreadable as error:
                self._reads = False
                if notes or len(graphs) > 1:
                    raise NotInOneAct(f"{error}; they are sent") from error
                self._send_each(graphs, notes, say)

    def _load(self, graphs: Sequence[Graph], notes: Mapping[str, str], placed: Callable[[Graph, str], Path]) -> None:
        loads = [
            f"LOAD <{placed(graph, str(number)).as_uri()}> INTO GRAPH {bodies.name(graph.iri)}".encode()
            for number, graph in enumerate(graphs)
            if graph.triples
        ]
        emptied = bodies.removal(graph.iri for graph in graphs)
        self.run(b" ;\n".join([*filter(None, [emptied]), *loads, b"".join(bodies.replacement((), notes)())]))

    def change(self, deltas: Sequence[Delta], notes: Mapping[str, str], say: Said) -> None:
        """Remove and add triples in one request; see `Store.change`."""
        say(f"{self.address}: {bodies.in_short(deltas)}, in one request")
        self.run(bodies.changes(deltas, notes))

    def run(self, update: bytes | bodies.Parts) -> None:
        """Send an update; all of ours may be sent again, since they say what is to be there and what not."""
        got = self._http.send("POST", self._update, update, bodies.UPDATE, allow=frozenset({400, 500}))
        if not got.is_success:
            causes = [line for line in got.text.splitlines() if line.startswith("Caused by:")] or got.text.splitlines()
            told = f"{self.address}: HTTP {got.status_code}: {' '.join(causes[-1:])[:300]}"
            if "FileNotFoundException" in told:
                raise _Unreadable(f"{self.address}: cannot read the files of the release")
            raise _Unparsed(told) if "RDFParseException" in told else StoreError(told)

    def _send_each(self, graphs: Sequence[Graph], notes: Mapping[str, str], say: Said) -> None:
        self.remove([graph.iri for graph in graphs])
        for graph in graphs:
            if graph.triples:
                say(f"{self.address}: {graph.iri}")
                text, into = partial(files.unpacked, graph.path), {"context-uri": graph.iri}
                self._http.send("POST", self._update, text, bodies.TURTLE, params=into)
        self._note(notes)


class _Folder:
    """A folder with journal and settings while no server runs.

    Where nothing else is in it, a release goes into a new journal by the bulk loader, which then takes the place of the
    old one; everything else is done by a server that runs for as long as it is needed.
    """

    abilities = Abilities(
        Kind.BLAZEGRAPH, "Blazegraph's folder", Reach.ALL, Reach.ALL, LOADER, patches=False, compacts=False
    )

    def __init__(self, folder: Path, jar: Path | None, memory: int) -> None:
        self._folder = folder.absolute()
        self._jar = jar
        self._memory = memory
        self._running = ExitStack()
        self._lock = ExitStack()
        self._held: int | None = None
        self._server: Served | None = None
        starting.holds(Kind.BLAZEGRAPH, self._folder)

    @property
    def address(self) -> str:
        """The folder."""
        return f"{Kind.BLAZEGRAPH}:{self._folder}"

    def select(self, query: str, seconds: float | None = None) -> Rows:
        """Run a SELECT query; see `Store.select`."""
        return self._serve().select(query, seconds) if self._journal.exists() else Rows((), [])

    def counts(self) -> dict[str, int]:
        """Count the triples of each graph."""
        return self._serve().counts() if self._journal.exists() else {}

    def replace(self, graphs: Sequence[Graph], notes: Mapping[str, str], say: Said) -> None:
        """Replace graphs; see `Store.replace`."""
        given = {graph.iri for graph in graphs} | set(notes)
        if set(self.counts()) <= given and self._alone():
            self._stop()
            self._load(graphs, notes, say)
        else:
            self._serve().replace(graphs, notes, say)

    def change(self, deltas: Sequence[Delta], notes: Mapping[str, str], say: Said) -> None:
        """Remove and add triples; see `Store.change`."""
        self._serve().change(deltas, notes, say)

    def remove(self, graphs: Sequence[str]) -> None:
        """Remove graphs, if they are there."""
        self._serve().remove(graphs)

    def compact(self, say: Said) -> int:  # noqa: ARG002 - as the contract has it
        """Return 0: each whole load makes a new journal."""
        return 0

    def close(self) -> None:
        """Stop the server, if one runs, and let other runs come."""
        self._stop()
        self._held = None
        self._lock.close()

    def _stop(self) -> None:
        self._server = None
        self._running.close()

    def _hold(self) -> int:
        """Hold the folder from the first act to the last one; return the descriptor of its lock."""
        if self._held is None:
            local.refuse_served(self._folder)
            self._held = self._lock.enter_context(lock(self._folder / locks.FILE, seconds=local.LEAVING))
        return self._held

    def _alone(self) -> bool:
        """Whether the journal holds no other database."""
        return not self._journal.exists() or self._serve().namespaces() <= {starting.NAMESPACE}

    @property
    def _journal(self) -> Path:
        return starting.blazegraph_journal(self._folder)

    def _load(self, graphs: Sequence[Graph], notes: Mapping[str, str], say: Said) -> None:
        held = self._hold()
        for graph in graphs:
            files.sound(graph)
        settings = self._folder / starting.SETTINGS
        if not settings.exists():
            starting.write_properties(settings, starting.blazegraph_settings(self._folder))
        for left in self._folder.glob(".load-*"):  # of a run that was killed
            shutil.rmtree(left)
        jar = programs.jar(programs.BLAZEGRAPH, self._jar)
        command = [str(programs.java()), f"-Xmx{self._memory}m", "-cp", str(jar), LOADER]
        with tempfile.TemporaryDirectory(prefix=".load-", dir=self._folder) as temporary:
            new = Path(temporary)
            starting.write_properties(new / starting.SETTINGS, starting.blazegraph_settings(new))
            full = [graph for graph in graphs if graph.triples]
            given = [(graph.iri, files.in_place(graph, new, str(n))) for n, graph in enumerate(full)]
            for number, (note, text) in enumerate(notes.items()):
                place = new / f"note{number}.ttl"  # N-Triples are Turtle
                place.write_text(text, encoding="utf-8", newline="\n")
                given.append((note, place))
            for graph_iri, place in given:
                say(f"{self.address}: {graph_iri}")
                options = ["-namespace", starting.NAMESPACE, "-defaultGraph", graph_iri, str(new / starting.SETTINGS)]
                done = subprocess.run(
                    [*command, *options, str(place)],
                    cwd=new,
                    capture_output=True,
                    text=True,
                    check=False,
                    pass_fds=(held,),
                )
                if done.returncode != 0 or "goodSet=1" not in done.stdout + done.stderr:
                    told = (done.stdout + done.stderr).strip().splitlines() or ["nothing"]
                    raise StoreError(f"{self.address}: the bulk loader did not take {graph_iri}: {told[-1][:300]}")
            (new / starting.JOURNAL).replace(self._journal)

    def _serve(self) -> Served:
        if self._server is None:
            serving = local.for_a_while(Kind.BLAZEGRAPH, self._folder, self._jar, self._memory, self._hold())
            server = self._running.enter_context(serving)
            self._server = self._running.enter_context(opened(server.services["query"]))
        return self._server
