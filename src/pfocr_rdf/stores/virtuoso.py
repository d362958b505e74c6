"""Virtuoso 7: a server, whose graphs are replaced by its bulk loader where its SQL port can be reached.

One update request is one transaction over all graphs; while it is committed, queries wait, and then see all of it. But
a request holds at most 10 MB, and its compiler some thousand triples in one operation. So what is large is loaded into
graphs that are hidden from readers first (private ones, in Virtuoso's terms), and copied from there in one request.
What to mind:

* The bulk loader never fails: its errors stand in a table, and a bad file stays half loaded. It is looked at.
* The loader reads only from folders that the server allows; the files are linked or copied into one of them.
* Rows beyond `ResultSetMaxRows` are cut with status 200; a header tells, and here that is an error.
* Queries are sent without credentials, since the administrator also sees what is hidden.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from pfocr_rdf.stores import http, local, starting, statements
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
from pfocr_rdf.stores.virtuososql import SQL, Sql, login, text

SQL_PORT = 1111
"""The SQL port of Virtuoso's own settings."""

REQUEST = 8_000_000
"""Bytes of an update; Virtuoso refuses more than 10 MB."""

OPERATION = 1_000
"""Triples of one operation; its compiler has no memory for many more."""

STAGE = "urn:pfocr-rdf:stage:"
"""Begins the graphs that are hidden from readers."""

_PRIVATE = "http://www.openlinksw.com/schemas/virtrdf#PrivateGraphs"
_OWN = re.compile(
    r"http://www\.openlinksw\.com/schemas/virtrdf#|http://(localhost|localuriqaserver|127\.0\.0\.1)(:\d+)?/(sparql|DAV/?)"
    r"|http://www\.w3\.org/ns/ldp#|http://www\.w3\.org/2002/07/owl#|urn:(activitystreams|core|virtuoso|rules).*"
    rf"|{re.escape(STAGE)}.*"
)
"""Graphs that are Virtuoso's own, and ours that are hidden."""

_COUNTS = "SELECT ?g (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g"
_JSON = {"Accept": "application/sparql-results+json"}
_FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
_UPDATE = {"Content-Type": "application/sparql-update; charset=UTF-8"}
_TRIES = 5


@contextmanager
def opened(address: str, *, patience: float = PATIENCE, sql: str | None = None) -> Iterator[Store]:
    """Yield the store behind the address of a SPARQL service (`http://HOST:PORT/sparql`).

    `sql` is HOST:PORT of its SQL server. If it is not said, that of the environment (`PFOCR_RDF_VIRTUOSO_SQL`), of a
    server that was started here, or port 1111 of this machine if something listens there and the address is of this
    machine. Empty means none. Raises `UsageError` for an address that is none.
    """
    user, password = login(address)
    place = _sql_place(address) if sql is None else sql
    with (
        http.opened(address, http.anonymous(), patience) as asking,
        http.opened(f"{address.removesuffix('-auth')}-auth", http.digest(user, password), patience) as telling,
    ):
        yield Virtuoso(asking, telling, Sql(place, user, password) if place else None)


def _sql_place(address: str) -> str:
    if given := os.environ.get(SQL):
        return given
    if urlsplit(address).hostname not in starting.LOCAL:
        return ""
    server = local.at(address)
    place = (starting.HOST, server.sql if server else SQL_PORT)
    try:
        socket.create_connection(place, timeout=2).close()
    except OSError:
        return ""
    return f"{place[0]}:{place[1]}"


class Virtuoso:
    """A server. Without SQL all goes over HTTP, in requests of a size that it takes."""

    def __init__(self, asking: Http, telling: Http, sql: Sql | None) -> None:
        self._asking = asking
        self._telling = telling
        self._sql = sql

    @property
    def abilities(self) -> Abilities:
        """With SQL every change is one act; without it only what fits into one request, which cannot be promised."""
        reach, bulk = (Reach.ALL, "rdf_loader_run") if self._sql else (Reach.NONE, "")
        return Abilities(Kind.VIRTUOSO, "Virtuoso", reach, reach, bulk, patches=False, compacts=False)

    @property
    def address(self) -> str:
        """The address of the SPARQL service."""
        return self._asking.address

    def select(self, query: str, seconds: float | None = None) -> Rows:
        """Run a SELECT query; see `Store.select`. Raises `StoreError` where the server cuts the rows."""
        limit = {} if seconds is None else {"timeout": str(max(1000, int(seconds * 1000)))}
        got = self._asking.send(
            "POST",
            self.address,
            urlencode({"query": query, **limit}).encode(),
            {**_JSON, **_FORM},
            again=seconds is None,
            seconds=ANSWER if seconds is None else seconds + 10,
        )
        if "X-SPARQL-MaxRows" in got.headers:
            most = got.headers["X-SPARQL-MaxRows"]
            raise StoreError(f"{self.address}: gives no more than {most} rows; set ResultSetMaxRows, or ask with LIMIT")
        if got.headers.get("X-SQL-State", "").startswith("S1TAT"):
            raise StoreError(f"{self.address}: gave up after {seconds} seconds")
        return statements.rows(got.content.replace(b'"value": "nodeID://', b'"value": "'))

    def counts(self) -> dict[str, int]:
        """Count the triples of each graph but Virtuoso's own."""
        return {
            graph.value: int(number.value)
            for graph, number in self.select(_COUNTS).rows
            if graph is not None and not _OWN.fullmatch(graph.value)
        }

    def replace(self, graphs: Sequence[Graph], notes: Mapping[str, str], say: Said) -> None:
        """Replace graphs; see `Store.replace`.

        Where none of them holds anything, they are loaded where they belong, hidden, and then shown one after the
        other, which takes milliseconds; the notes come last.
        """
        full = [graph for graph in graphs if graph.triples]
        empty = [graph.iri for graph in graphs if not graph.triples]
        for graph in full:
            statements.sound(graph)
        if self._sql is None:
            self._send_each(graphs, notes, say)
        elif set(self.counts()).isdisjoint(graph.iri for graph in graphs):
            self._load(self._sql, [(graph.iri, graph) for graph in full], say)
            self._show(self._sql, [graph.iri for graph in full])
            self._update([*_cleared(empty), *_noted(notes)])
        else:
            stages = [f"{STAGE}{number}" for number in range(len(full))]
            self._load(self._sql, list(zip(stages, full, strict=True)), say)
            self._show(self._sql, [graph.iri for graph in full])
            moved = [
                f"ADD {statements.iri(stage)} TO {statements.iri(graph.iri)}"
                for stage, graph in zip(stages, full, strict=True)
            ]
            say(f"{self.address}: {len(full)} graphs in one request; queries wait meanwhile")
            self._update([*_cleared(graph.iri for graph in graphs), *moved, *_noted(notes)])
            self._empty(self._sql, stages)

    def change(self, deltas: Sequence[Delta], notes: Mapping[str, str], say: Said) -> None:
        """Remove and add triples; see `Store.change`."""
        size = sum(delta.removed.stat().st_size + delta.added.stat().st_size for delta in deltas)
        say(f"{self.address}: {sum(delta.removals + delta.additions for delta in deltas):,} triples")
        if self._sql is None or size < REQUEST // 2:
            operations = (*_data("DELETE", deltas), *_data("INSERT", deltas), *_noted(notes))
            self._update(operations, whole=self._sql is not None)
        else:
            self._change_staged(self._sql, deltas, notes, say)

    def remove(self, graphs: Sequence[str]) -> None:
        """Remove graphs, if they are there."""
        self._update(list(_cleared(graphs)))

    def compact(self, say: Said) -> int:  # noqa: ARG002 - as the contract has it
        """Return 0: the database uses its space again, and does not shrink."""
        return 0

    def close(self) -> None:
        """Do nothing: the connections end with the block that opened them."""

    def _change_staged(self, sql: Sql, deltas: Sequence[Delta], notes: Mapping[str, str], say: Said) -> None:
        """Load what goes and what comes into hidden graphs, then change all graphs in one request."""
        staged: list[tuple[str, Path]] = []
        operations: list[str] = []
        for delta in deltas:
            graph = statements.iri(delta.iri)
            if delta.removals:
                stage = f"{STAGE}{len(staged)}"
                staged.append((stage, delta.removed))
                where = f"GRAPH {statements.iri(stage)} {{ ?s ?p ?o }}"
                operations.append(f"DELETE {{ GRAPH {graph} {{ ?s ?p ?o }} }} WHERE {{ {where} }}")
        for delta in deltas:
            if delta.additions:
                stage = f"{STAGE}{len(staged)}"
                staged.append((stage, delta.added))
                operations.append(f"ADD {statements.iri(stage)} TO {statements.iri(delta.iri)}")
        self._load(sql, staged, say)
        self._update([*operations, *_noted(notes)])
        self._empty(sql, [stage for stage, _ in staged])

    def _load(self, sql: Sql, files: Sequence[tuple[str, Graph | Path]], say: Said) -> None:
        """Load files into graphs that are hidden from readers, and emptied before."""
        hide = [
            f"DB.DBA.RDF_GRAPH_GROUP_CREATE ({text(_PRIVATE)}, 1)",
            "DB.DBA.RDF_DEFAULT_USER_PERMS_SET ('nobody', 0, 1)",
        ]
        hide += [f"DB.DBA.RDF_GRAPH_GROUP_INS ({text(_PRIVATE)}, {text(graph)})" for graph, _ in files]
        sql.run(*hide)
        self._empty(sql, [graph for graph, _ in files])
        with self._inbox(sql) as folder:
            names = {}
            for number, (graph, file) in enumerate(files):
                place = folder / f"{number}.nt"
                if isinstance(file, Graph):
                    place = statements.readable(file, folder, str(number))
                else:
                    statements.linked(file, place)
                names[place.name] = graph
            mine = f"FROM DB.DBA.load_list WHERE ll_file LIKE {text(f'{folder}/%')}"
            adds = [f"ld_dir ({text(str(folder))}, {text(name)}, {text(graph)})" for name, graph in names.items()]
            say(f"{self.address}: {len(names)} files by the bulk loader")
            try:
                sql.run(*adds, "rdf_loader_run ()", "CHECKPOINT")
                failed = sql.run(f"SELECT ll_graph, ll_error {mine} AND ll_error IS NOT NULL")
                done = sql.run(f"SELECT ll_graph {mine} AND ll_state = 2")
            finally:
                sql.run(f"DELETE {mine}")
            if failed or len(done) != len(names):
                told = failed[0] if failed else f"{len(names) - len(done)} files were not loaded"
                raise StoreError(f"{self.address}: the bulk loader: {' '.join(told.split())[:300]}")

    def _empty(self, sql: Sql, stages: Sequence[str]) -> None:
        """Empty hidden graphs, without a transaction: nobody sees half of it, and the next run empties them again."""
        sql.run("log_enable (3, 1)", *(f"SPARQL CLEAR GRAPH {statements.iri(stage)}" for stage in stages))

    def _show(self, sql: Sql, graphs: Sequence[str]) -> None:
        sql.run(*(f"DB.DBA.RDF_GRAPH_GROUP_DEL ({text(_PRIVATE)}, {text(graph)})" for graph in graphs))

    @contextmanager
    def _inbox(self, sql: Sql) -> Iterator[Path]:
        """Yield a folder of this machine that the server may load from, and remove it afterwards."""
        allowed = sql.run("SELECT cfg_item_value (virtuoso_ini_path (), 'Parameters', 'DirsAllowed')")
        folders = [Path(name.strip()) for name in ",".join(allowed).split(",")]
        for folder in folders:
            if folder.is_absolute() and folder.is_dir() and os.access(folder, os.W_OK):
                place = Path(tempfile.mkdtemp(prefix="pfocr-rdf-", dir=folder))
                place.chmod(0o755)
                try:
                    yield place
                finally:
                    shutil.rmtree(place)
                return
        raise StoreError(f"{self.address}: none of DirsAllowed of its settings can be written to: {', '.join(allowed)}")

    def _send_each(self, graphs: Sequence[Graph], notes: Mapping[str, str], say: Said) -> None:
        for graph in graphs:
            say(f"{self.address}: {graph.iri}")
            lines = statements.lines_of_turtle(graph.path) if graph.triples else ()
            self._update([*_cleared([graph.iri])])
            self._update(_inserted("INSERT", graph.iri, lines), whole=False)
        self._update(list(_noted(notes)))

    def _update(self, operations: Iterable[str], *, whole: bool = True) -> None:
        """Send operations in one request; if not `whole`, in as many as their size needs.

        What we send says what is to be there and what not, so it may be sent again; a deadlock with another writer is
        resolved so.
        """
        for request in _requests(operations):
            if whole and len(request) > REQUEST:
                raise StoreError(f"{self.address}: the request is too large ({len(request):,} bytes)")
            for left in reversed(range(_TRIES)):
                try:
                    self._telling.send("POST", self._telling.address, request, _UPDATE)
                    break
                except StoreUnavailable:
                    raise
                except StoreError as error:
                    if left == 0 or "40001" not in str(error):
                        raise


def _requests(operations: Iterable[str]) -> Iterator[bytes]:
    batch: list[bytes] = []
    size = 0
    for operation in operations:
        encoded = operation.encode()
        if batch and size + len(encoded) > REQUEST:
            yield b" ;\n".join(batch)
            batch, size = [], 0
        batch.append(encoded)
        size += len(encoded) + 3
    if batch:
        yield b" ;\n".join(batch)


def _data(verb: str, deltas: Sequence[Delta]) -> Iterator[str]:
    for delta in deltas:
        yield from _inserted(verb, delta.iri, lines_of(delta.removed if verb == "DELETE" else delta.added))


def _inserted(verb: str, graph: str, lines: Iterable[str]) -> Iterator[str]:
    for batch in statements.batches(statements.triples(lines), OPERATION):
        yield f"{verb} DATA {{ GRAPH {statements.iri(graph)} {{\n{batch}}} }}"


def _cleared(graphs: Iterable[str]) -> Iterator[str]:
    return (f"CLEAR GRAPH {statements.iri(graph)}" for graph in graphs)


def _noted(notes: Mapping[str, str]) -> Iterator[str]:
    for graph, said in notes.items():
        yield from _cleared([graph])
        yield from _inserted("INSERT", graph, said.splitlines(keepends=True))
