"""Blazegraph 2.1.5: served, or its folder with journal and settings while no server runs.

One update request is one commit, over all graphs, and queries go on with the state that they began with. A server on
this machine reads the files itself (`LOAD <file:...>`), so that a whole release is one request too. What to mind:

* `LOAD` takes the part of a file before its first error and says nothing, so files are held against their hash before.
* A body is read as Latin-1 unless its type says `; charset=UTF-8`; N-Quads are read as ASCII and never sent.
* A prefixed name with percent signs is decoded, so IRIs are written in full.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from pfocr_rdf.stores import http, programs, starting, statements
from pfocr_rdf.stores.contract import (
    Abilities,
    Delta,
    Graph,
    Kind,
    Reach,
    Rows,
    Said,
    Store,
    StoreError,
    StoreUnavailable,
    lines_of,
)
from pfocr_rdf.stores.http import ANSWER, PATIENCE, Http

FOLDER = "blazegraph:"
"""Begins the address of a folder."""

LOADER = "com.bigdata.rdf.store.DataLoader"

_UPDATE = {"Content-Type": "application/sparql-update; charset=UTF-8"}
_JSON = {"Accept": "application/sparql-results+json"}
_FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
_COUNTS = "SELECT ?g (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g"


@contextmanager
def opened(
    address: str,
    *,
    patience: float = PATIENCE,
    files: bool | None = None,
    jar: Path | None = None,
    memory: int = starting.MEMORY,
) -> Iterator[Store]:
    """Yield the store behind the address of a SPARQL service, or of a folder (`blazegraph:DIR`).

    `files` is whether the server can read files of this machine; if not said, when its address is of this machine.
    `jar` and `memory` (megabytes) are for a folder. Raises `UsageError` for an address that is none.
    """
    if address.startswith(FOLDER):
        with _Folder(Path(address.removeprefix(FOLDER)), jar, memory) as folder:
            yield folder
        return
    with http.opened(address, patience=patience) as link:
        yield Served(link, urlsplit(address).hostname in starting.LOCAL if files is None else files)


class Served:
    """A server. With `files` it reads the files of a release itself; otherwise they are sent, graph by graph."""

    def __init__(self, link: Http, files: bool) -> None:
        self._link = link
        self._files = files

    @property
    def abilities(self) -> Abilities:
        """One request is one act; sent graph by graph, a graph is empty for a moment."""
        replaces, bulk = (Reach.ALL, "LOAD") if self._files else (Reach.NONE, "")
        return Abilities(Kind.BLAZEGRAPH, "Blazegraph", replaces, Reach.ALL, bulk, patches=False, compacts=False)

    @property
    def address(self) -> str:
        """The address of the SPARQL service."""
        return self._link.address

    def select(self, query: str, seconds: float | None = None) -> Rows:
        """Run a SELECT query; see `Store.select`. Only a query without a limit of time is sent again."""
        limit = {} if seconds is None else {"X-BIGDATA-MAX-QUERY-MILLIS": str(max(1, int(seconds * 1000)))}
        got = self._link.send(
            "POST",
            self.address,
            urlencode({"query": query}).encode(),
            {**_JSON, **_FORM, **limit},
            again=seconds is None,
            seconds=ANSWER if seconds is None else seconds + 10,
        )
        return statements.rows(got.content)

    def counts(self) -> dict[str, int]:
        """Count the triples of each graph."""
        return {graph.value: int(number.value) for graph, number in self.select(_COUNTS).rows if graph is not None}

    def replace(self, graphs: Sequence[Graph], notes: Mapping[str, str], say: Said) -> None:
        """Replace graphs; see `Store.replace`."""
        full = [graph for graph in graphs if graph.triples]
        for graph in full:
            statements.sound(graph)
        emptied = [f"DROP SILENT GRAPH {statements.iri(graph.iri)} ;\n" for graph in graphs]
        if not self._files:
            self._send_each(full, emptied, notes, say)
            return
        with tempfile.TemporaryDirectory(prefix="pfocr-rdf-") as temporary:
            folder = Path(temporary)
            folder.chmod(0o755)  # the server may be another user's
            loads = []
            for number, graph in enumerate(full):
                place = statements.in_place(graph, folder, str(number))
                loads.append(f"LOAD <{place.as_uri()}> INTO GRAPH {statements.iri(graph.iri)} ;\n")
            say(f"{self.address}: {len(full)} graphs in one request")
            text = "".join((*emptied, *loads, *_noted(notes)))
            try:
                self._update(lambda: iter([text.encode()]))
            except StoreUnavailable:
                raise
            except StoreError as error:
                if "FileNotFound" in str(error):
                    raise StoreError(f"{self.address}: the server cannot read {full[0].path.parent}") from error
                raise

    def change(self, deltas: Sequence[Delta], notes: Mapping[str, str], say: Said) -> None:
        """Remove and add triples in one request; see `Store.change`."""
        say(f"{self.address}: {sum(delta.removals + delta.additions for delta in deltas):,} triples in one request")

        def body() -> Iterator[bytes]:
            yield from _data("DELETE", [(delta.iri, delta.removed) for delta in deltas if delta.removals])
            yield from _data("INSERT", [(delta.iri, delta.added) for delta in deltas if delta.additions])
            yield "".join(_noted(notes)).encode()

        self._update(body)

    def remove(self, graphs: Sequence[str]) -> None:
        """Remove graphs, if they are there."""
        text = "".join(f"DROP SILENT GRAPH {statements.iri(graph)} ;\n" for graph in graphs)
        if text:
            self._update(lambda: iter([text.encode()]))

    def compact(self, say: Said) -> int:  # noqa: ARG002 - as the contract has it
        """Return 0: the journal uses its space again, and does not shrink while it is served."""
        return 0

    def close(self) -> None:
        """Do nothing: the connection ends with the block that opened it."""

    def _update(self, body: Callable[[], Iterator[bytes]]) -> None:
        """Send an update; all of ours may be sent again, since they say what is to be there and what not."""
        self._link.send("POST", self.address, body, _UPDATE)

    def _send_each(self, graphs: Sequence[Graph], emptied: Sequence[str], notes: Mapping[str, str], say: Said) -> None:
        self._update(lambda: iter(["".join(emptied).encode()]))
        for graph in graphs:
            say(f"{self.address}: {graph.iri}")
            self._link.send(
                "POST",
                self.address,
                lambda path=graph.path: statements.pieces(path),  # type: ignore[misc]
                {"Content-Type": "text/turtle; charset=UTF-8"},
                params={"context-uri": graph.iri},
            )
        if notes:
            self._update(lambda: iter(["".join(_noted(notes)).encode()]))


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
        self._server: Store | None = None
        starting.holds(Kind.BLAZEGRAPH, self._folder)

    def __enter__(self) -> _Folder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def address(self) -> str:
        """The folder."""
        return f"{FOLDER}{self._folder}"

    def select(self, query: str, seconds: float | None = None) -> Rows:
        """Run a SELECT query; see `Store.select`."""
        return self._serve().select(query, seconds)

    def counts(self) -> dict[str, int]:
        """Count the triples of each graph."""
        return self._serve().counts() if self._journal.exists() else {}

    def replace(self, graphs: Sequence[Graph], notes: Mapping[str, str], say: Said) -> None:
        """Replace graphs; see `Store.replace`."""
        given = {graph.iri for graph in graphs} | set(notes)
        if set(self.counts()) <= given:
            self.close()
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
        """Stop the server, if one runs."""
        self._server = None
        self._running.close()

    @property
    def _journal(self) -> Path:
        return starting.blazegraph_journal(self._folder)

    def _load(self, graphs: Sequence[Graph], notes: Mapping[str, str], say: Said) -> None:
        for graph in graphs:
            statements.sound(graph)
        self._folder.mkdir(parents=True, exist_ok=True)
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
            files = [(graph.iri, statements.in_place(graph, new, str(n))) for n, graph in enumerate(full)]
            for number, (note, text) in enumerate(notes.items()):
                place = new / f"note{number}.ttl"  # N-Triples are Turtle
                place.write_text("".join(statements.triples(text.splitlines(keepends=True))), encoding="utf-8")
                files.append((note, place))
            for graph_iri, place in files:
                say(f"{self.address}: {graph_iri}")
                options = ["-namespace", starting.NAMESPACE, "-defaultGraph", graph_iri, str(new / starting.SETTINGS)]
                done = subprocess.run(
                    [*command, *options, str(place)], cwd=new, capture_output=True, text=True, check=False
                )
                if done.returncode != 0 or "goodSet=1" not in done.stdout + done.stderr:
                    told = (done.stdout + done.stderr).strip().splitlines() or ["nothing"]
                    raise StoreError(f"{self.address}: the bulk loader did not take {graph_iri}: {told[-1][:300]}")
            (new / starting.JOURNAL).replace(self._journal)

    def _serve(self) -> Store:
        from pfocr_rdf.stores import local

        if self._server is None:
            serving = local.for_a_while(Kind.BLAZEGRAPH, self._folder, self._jar, self._memory)
            server = self._running.enter_context(serving)
            self._server = self._running.enter_context(opened(server.services["query"]))
        return self._server


def _data(verb: str, files: Sequence[tuple[str, Path]]) -> Iterator[bytes]:
    """Yield `DELETE DATA` or `INSERT DATA` of several graphs, in pieces."""
    if files:
        yield f"{verb} DATA {{\n".encode()
        for graph, path in files:
            yield f"GRAPH {statements.iri(graph)} {{\n".encode()
            for batch in statements.batches(statements.triples(lines_of(path)), 2_000):
                yield batch.encode()
            yield b"}\n"
        yield b"} ;\n"


def _noted(notes: Mapping[str, str]) -> Iterator[str]:
    """Yield the operations that replace small graphs."""
    for graph, text in notes.items():
        yield f"DROP SILENT GRAPH {statements.iri(graph)} ;\n"
        if text.strip():
            said = "".join(statements.triples(text.splitlines(keepends=True)))
            yield f"INSERT DATA {{ GRAPH {statements.iri(graph)} {{\n{said}}} }} ;\n"
