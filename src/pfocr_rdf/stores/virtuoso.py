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
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from pfocr_rdf.errors import UsageError
from pfocr_rdf.stores import bodies, files, http, local, starting
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
from pfocr_rdf.stores.http import PATIENCE, Http
from pfocr_rdf.stores.sparql import Sparql, rows_of
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
_MEMBERS = """SELECT id_to_iri (RGGM_MEMBER_IID) FROM DB.DBA.RDF_GRAPH_GROUP_MEMBER
WHERE RGGM_GROUP_IID = iri_to_id ('http://www.openlinksw.com/schemas/virtrdf#PrivateGraphs')"""
_OWN = re.compile(
    r"http://www\.openlinksw\.com/schemas/virtrdf#|http://(localhost|localuriqaserver|127\.0\.0\.1)(:\d+)?/(sparql|DAV/?)"
    r"|http://www\.w3\.org/ns/ldp#|http://www\.w3\.org/2002/07/owl#|urn:(activitystreams|core|virtuoso|rules).*"
    rf"|{re.escape(STAGE)}.*"
)
"""Graphs that are Virtuoso's own, and ours that are hidden."""

_TRIES = 5


@contextmanager
def opened(
    address: str, *, update: str = "", graph_store: str = "", patience: float = PATIENCE, sql: str | None = None
) -> Iterator[Store]:
    """Yield the store behind the address of a SPARQL service (`http://HOST:PORT/sparql`).

    `update` is that of updates, if it is not the same with `-auth`.

    `sql` is HOST:PORT of its SQL server. If it is not said, that of the environment (`PFOCR_RDF_VIRTUOSO_SQL`), of a
    server that was started here, or port 1111 of this machine if something listens there and the address is of this
    machine. Empty means none. Raises `UsageError` for an address that is none.
    """
    if graph_store:
        told = http.shown(address)
        raise UsageError(f"{told}: Virtuoso's Graph Store Protocol loses a graph when a body is bad; leave it away")
    user, password = login(address)
    changes = update or f"{address.removesuffix('-auth')}-auth"
    place = _sql_place(address) if sql is None else sql
    with (
        http.opened(address, http.anonymous(), patience) as asking,
        http.opened(changes, http.digest(user, password), patience) as telling,
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


class Virtuoso(Sparql):
    """A server. Without SQL all goes over HTTP, in requests of a size that it takes."""

    def __init__(self, asking: Http, telling: Http, sql: Sql | None) -> None:
        super().__init__(asking, asking.url, telling.url)
        self._telling = telling
        self._sql = sql

    @property
    def abilities(self) -> Abilities:
        """With SQL every change is one act; without it only what fits into one request, which cannot be promised."""
        reach, bulk = (Reach.ALL, "rdf_loader_run") if self._sql else (Reach.NONE, "")
        return Abilities(Kind.VIRTUOSO, "Virtuoso", reach, reach, bulk, patches=False, compacts=False, forgets=True)

    def select(self, query: str, seconds: float | None = None) -> Rows:
        """Run a SELECT query; see `Store.select`. Raises `StoreError` where the server cuts the rows."""
        limit = {} if seconds is None else {"timeout": str(max(1000, int(seconds * 1000)))}
        got = self._http.ask(self._query, query, seconds, fields=limit, grace=10.0)
        if "X-SPARQL-MaxRows" in got.headers:
            most = got.headers["X-SPARQL-MaxRows"]
            raise StoreError(f"{self.address}: gives no more than {most} rows; set ResultSetMaxRows, or ask with LIMIT")
        if got.headers.get("X-SQL-State", "").startswith("S1TAT"):
            raise StoreError(f"{self.address}: gave up after {seconds} seconds")
        found = rows_of(got.content.replace(b'"value": "nodeID://', b'"value": "'), self.address)
        if found.variables == ("__ASK_RETVAL",):
            raise StoreError(f"{self.address}: the query is an ASK, not a SELECT")
        return found

    def counts(self) -> dict[str, int]:
        """Count the triples of each graph but Virtuoso's own."""
        return {graph: number for graph, number in super().counts().items() if not _OWN.fullmatch(graph)}

    def replace(self, graphs: Sequence[Graph], notes: Mapping[str, str], say: Said) -> None:
        """Replace graphs; see `Store.replace`.

        Where none of them holds anything, they are loaded where they belong, hidden, and then shown one after the
        other, which takes milliseconds; the notes come last.
        """
        full = [graph for graph in graphs if graph.triples]
        empty = [graph.iri for graph in graphs if not graph.triples]
        for graph in full:
            files.sound(graph)
        if self._sql is None:
            self._send_each(graphs, notes, say)
        elif set(self.counts()).isdisjoint(graph.iri for graph in graphs):
            self._load(self._sql, [(graph.iri, graph) for graph in full], say)
            self._show(self._sql, [graph.iri for graph in full])
            self._tell([*_cleared(empty), *_noted(notes)])
            self._keep(self._sql)
        else:
            stages = _stages(len(full))
            self._load(self._sql, list(zip(stages, full, strict=True)), say)
            self._show(self._sql, [graph.iri for graph in full])
            moved = [
                f"ADD {bodies.name(stage)} TO {bodies.name(graph.iri)}"
                for stage, graph in zip(stages, full, strict=True)
            ]
            say(f"{self.address}: {len(full)} graphs in one request; queries wait meanwhile")
            self._tell([*_cleared(graph.iri for graph in graphs), *moved, *_noted(notes)])
            self._keep(self._sql)
            self._empty(self._sql, stages)

    def change(self, deltas: Sequence[Delta], notes: Mapping[str, str], say: Said) -> None:
        """Remove and add triples; see `Store.change`."""
        say(f"{self.address}: {bodies.in_short(deltas)}")
        if self._sql is None or bodies.size(deltas) < REQUEST // 2:
            operations = (*_data("DELETE", deltas), *_data("INSERT", deltas), *_noted(notes))
            self._tell(operations, whole=self._sql is not None)
            if self._sql is not None:
                self._keep(self._sql)
        else:
            self._change_staged(self._sql, deltas, notes, say)

    def remove(self, graphs: Sequence[str]) -> None:
        """Remove graphs, if they are there."""
        self._tell(list(_cleared(graphs)))

    def _change_staged(self, sql: Sql, deltas: Sequence[Delta], notes: Mapping[str, str], say: Said) -> None:
        """Load what goes and what comes into hidden graphs, then change all graphs in one request."""
        names = iter(_stages(2 * len(deltas)))
        staged: list[tuple[str, Path]] = []
        operations: list[str] = []
        for delta in deltas:
            graph = bodies.name(delta.iri)
            if delta.removals:
                stage = next(names)
                staged.append((stage, delta.removed))
                where = f"GRAPH {bodies.name(stage)} {{ ?s ?p ?o }}"
                operations.append(f"DELETE {{ GRAPH {graph} {{ ?s ?p ?o }} }} WHERE {{ {where} }}")
        for delta in deltas:
            if delta.additions:
                stage = next(names)
                staged.append((stage, delta.added))
                operations.append(f"ADD {bodies.name(stage)} TO {bodies.name(delta.iri)}")
        self._load(sql, staged, say)
        self._tell([*operations, *_noted(notes)])
        self._keep(sql)
        self._empty(sql, [stage for stage, _ in staged])

    def _load(self, sql: Sql, given: Sequence[tuple[str, Graph | Path]], say: Said) -> None:
        """Load files into graphs that are hidden from readers, and emptied before."""
        wanted = [graph for graph, _ in given]
        left = [graph for graph in sql.run(_MEMBERS) if graph.startswith(STAGE) or graph in wanted]
        if left:
            self._empty(sql, left)  # of a run that was killed
        sql.run(
            f"DB.DBA.RDF_GRAPH_GROUP_CREATE ({text(_PRIVATE)}, 1)",
            "DB.DBA.RDF_DEFAULT_USER_PERMS_SET ('nobody', 0, 1)",
            *(f"DB.DBA.RDF_GRAPH_GROUP_INS ({text(_PRIVATE)}, {text(graph)})" for graph in wanted),
        )
        with self._inbox(sql) as folder:
            names = {}
            for number, (graph, file) in enumerate(given):
                place = folder / f"{number}.nt"
                if isinstance(file, Graph):
                    place = files.readable(file, folder, str(number))
                else:
                    files.linked(file, place)
                names[place.name] = graph
            mine = f"FROM DB.DBA.load_list WHERE ll_file LIKE {text(f'{folder}/%')}"
            adds = [f"ld_dir ({text(str(folder))}, {text(name)}, {text(graph)})" for name, graph in names.items()]
            say(f"{self.address}: {len(names)} files by the bulk loader")
            try:
                # not logged: a server killed right after the checkpoint would add the rows again, and not survive that
                sql.run("log_enable (2, 1)", *adds, "rdf_loader_run ()", "CHECKPOINT")
                failed = sql.run(f"SELECT ll_graph, ll_error {mine} AND ll_error IS NOT NULL")
                done = sql.run(f"SELECT ll_graph {mine} AND ll_state = 2")
            finally:
                sql.run(f"DELETE {mine}")
            if failed or len(done) != len(names):
                told = failed[0] if failed else f"{len(names) - len(done)} files were not loaded"
                raise StoreError(f"{self.address}: the bulk loader: {' '.join(told.split())[:300]}")

    def _empty(self, sql: Sql, graphs: Sequence[str]) -> None:
        """Empty hidden graphs, without a transaction, since nobody sees half of it; then they are hidden no more."""
        sql.run("log_enable (3, 1)", *(f"SPARQL CLEAR GRAPH {bodies.name(graph)}" for graph in graphs))
        self._show(sql, graphs)

    @staticmethod
    def _keep(sql: Sql) -> None:
        """Write to disk what was changed: killed before its next checkpoint, a server forgets a part of it."""
        sql.run("CHECKPOINT")

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
        say(f"{self.address}: its SQL port is not known ({SQL}); graphs go in pieces, and readers see parts of them")
        for graph in graphs:
            say(f"{self.address}: {graph.iri}")
            lines = files.lines(graph.path) if graph.triples else ()
            self._tell([*_cleared([graph.iri])])
            self._tell(bodies.operations("INSERT", graph.iri, lines, OPERATION), whole=False)
        self._tell(list(_noted(notes)))

    def _tell(self, operations: Iterable[str], *, whole: bool = True) -> None:
        """Send operations in one request; if not `whole`, in as many as their size needs."""
        for request in _requests(operations):
            if whole and len(request) > REQUEST:
                raise StoreError(f"{self.address}: the request is too large ({len(request):,} bytes)")
            self.run(request)

    def run(self, update: bytes | bodies.Parts) -> None:
        """Send an update; it may be sent again, since it says what is to be there and what not.

        So a deadlock with another writer is resolved.
        """
        for left in reversed(range(_TRIES)):
            try:
                self._telling.send("POST", self._update, update, bodies.UPDATE)
                return
            except StoreUnavailable:
                raise
            except StoreError as error:
                if "SR325" in str(error):  # its log of the transaction is too large
                    raise StoreError(f"{error}; raise TransactionAfterImageLimit in its settings") from error
                if left == 0 or "40001" not in str(error):
                    raise


def _stages(number: int) -> list[str]:
    """Return names of new hidden graphs: of one that was empty lately, Virtuoso still believes it, and plans badly."""
    run = secrets.token_hex(8)
    return [f"{STAGE}{run}:{each}" for each in range(number)]


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
        lines = lines_of(delta.removed if verb == "DELETE" else delta.added)
        yield from bodies.operations(verb, delta.iri, lines, OPERATION)


def _cleared(graphs: Iterable[str]) -> Iterator[str]:
    return (f"CLEAR GRAPH {bodies.name(graph)}" for graph in graphs)


def _noted(notes: Mapping[str, str]) -> Iterator[str]:
    for graph, said in notes.items():
        yield from _cleared([graph])
        yield from bodies.operations("INSERT", graph, bodies.lines_of_note(said), OPERATION)
