"""A folder of Oxigraph databases: `db-HASH`, and a link `current` to the one that is asked.

No database that is asked is ever written to. What changes is made beside it, in a copy that costs nothing (immutable
files are linked), or anew; then the link is switched in one act of the system. The former database stays for a while,
for who has it open reads on, and opens many of its files only when they are asked for.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from pfocr_rdf import codecs, locks
from pfocr_rdf.errors import UsageError
from pfocr_rdf.locks import lock
from pfocr_rdf.query import names_graphs
from pfocr_rdf.stores import bodies, files
from pfocr_rdf.stores.contract import Abilities, Delta, Graph, Kind, Reach, Rows, Said, StoreError, StoreUnavailable
from pfocr_rdf.stores.sparql import COUNTS

CURRENT = "current"
_SWITCH = ".current.new"
LATELY = 600.0
"""Seconds for which a database is kept that is not asked any more: queries that run may go on with it."""
_BATCH = 100_000
_PAYS = 0.9
"""A compacted copy is taken when it needs at most so much of the space."""

Work = Callable[[ox.Store, Path], None]
"""Writes to the database that is being made; the path is that of a list of what is in it already."""


class OxigraphFolder:
    """The folder; made when it is not there."""

    def __init__(self, place: Path) -> None:
        """Raises `UsageError` when the folder holds anything else."""
        if place.exists() and (not place.is_dir() or not all(_ours(path.name) for path in place.iterdir())):
            raise UsageError(
                f"{place}: holds something else than Oxigraph databases of this program; give another folder"
            )
        self._place = place
        self._open: tuple[str, ox.Store] | None = None

    @property
    def abilities(self) -> Abilities:
        """All with the switch of the link."""
        return Abilities(Kind.OXIGRAPH, "Oxigraph folder", Reach.ALL, Reach.ALL, "bulk loader", False, True)

    @property
    def address(self) -> str:
        """The folder."""
        return str(self._place)

    @property
    def database(self) -> Path | None:
        """The database that is asked now, or None when there is none."""
        link = self._place / CURRENT
        return self._place / link.readlink() if link.is_symlink() else None

    def select(self, query: str, seconds: float | None = None) -> Rows:
        """Run a SELECT query. Time is looked at between rows: the library cannot be stopped while it looks for one."""
        end = None if seconds is None else time.monotonic() + seconds
        try:
            found = self._reading().query(query, use_default_graph_as_union=not names_graphs(query))
            if not isinstance(found, ox.QuerySolutions):
                raise StoreError(f"{self._place}: the query is no SELECT")
            names = tuple(variable.value for variable in found.variables)
            rows = []
            for row in found:
                rows.append(tuple(row[name] for name in names))
                if end is not None and time.monotonic() > end:
                    raise StoreUnavailable(f"{self._place}: did not answer in {seconds:g} seconds")
        except (SyntaxError, ValueError, OSError, RuntimeError) as error:
            raise StoreError(f"{self._place}: the query failed: {_first(error)}") from error
        return Rows(names, rows)

    def counts(self) -> dict[str, int]:
        """Return the number of triples of each named graph."""
        return {graph.value: int(n.value) for graph, n in self.select(COUNTS).rows if graph is not None}

    def replace(self, graphs: Sequence[Graph], notes: Mapping[str, str], say: Said) -> None:
        """Load beside what is asked, count, and switch. A run that was killed is taken up by the next one."""
        ours = {*(graph.iri for graph in graphs), *notes}
        unnamed = self._reading().quads_for_pattern(None, None, None, ox.DefaultGraph())
        others = bool(self._graphs() - ours) or next(unnamed, None) is not None

        def work(store: ox.Store, done: Path) -> None:
            there = done.read_text("utf-8").splitlines() if done.exists() else []
            for graph in graphs:
                if graph.iri not in there:
                    say(f"{graph.iri}: {graph.triples:,} triples")
                    _load(store, graph)
                    with done.open("a", encoding="utf-8") as stream:
                        stream.write(f"{graph.iri}\n")
            _note(store, notes)
            say("optimizing")
            store.optimize()

        said = [f"{graph.iri} {graph.sha256} {graph.triples}" for graph in graphs]
        self._make([*said, *map(repr, notes.items())], work, copy=others)

    def change(self, deltas: Sequence[Delta], notes: Mapping[str, str], say: Said) -> None:
        """Remove and add in a copy, and switch."""

        def work(store: ox.Store, _: Path) -> None:
            for delta in deltas:
                say(f"{delta.iri}: {bodies.in_short([delta])}")
                for quad in _quads(delta.removed, delta.iri):
                    store.remove(quad)
                added = _quads(delta.added, delta.iri)
                while some := list(islice(added, _BATCH)):
                    store.bulk_extend(some)
            _note(store, notes)

        sums = [f"{delta.iri} {_sha256(delta.removed)} {_sha256(delta.added)}" for delta in deltas]
        self._make([*sums, *map(repr, notes.items())], work, copy=True, resume=False)

    def remove(self, graphs: Sequence[str]) -> None:
        """Remove graphs in a copy, and switch."""
        known = sorted(self._graphs() & set(graphs))
        if known:
            self._make(["remove", *known], lambda store, _: _clear(store, known), copy=True, resume=False)

    def compact(self, say: Said) -> int:
        """Rewrite a copy without what is gone; it is taken when it is a tenth smaller at least."""
        former = self.database
        if former is None:
            return 0
        say(f"{self._place}: is compacted")
        before = size_of(former)
        with self._making(["compact"], copy=True, resume=False) as new:
            store = ox.Store(str(new))
            store.optimize()
            store.flush()
            del store
            saved = before - size_of(new)
            if size_of(new) > _PAYS * before:
                return 0
            self._switch(new)
        return saved

    def close(self) -> None:
        """Close the database."""
        self._open = None

    def _graphs(self) -> set[str]:
        return {str(graph.value) for graph in self._reading().named_graphs()}

    def _reading(self) -> ox.Store:
        """Return the database that is asked now; an empty one when there is none."""
        for _ in range(3):
            database = self.database
            if database is None:
                return ox.Store()
            if self._open is None or self._open[0] != database.name:
                try:
                    self._open = (database.name, ox.Store.read_only(str(database)))
                except (OSError, ValueError) as error:
                    if self.database != database:  # another run has switched meanwhile
                        continue
                    raise StoreError(f"{database}: cannot be opened ({_first(error)})") from error
            return self._open[1]
        raise StoreUnavailable(f"{self._place}: is being changed again and again; try later")

    def _make(self, said: Sequence[str], work: Work, *, copy: bool, resume: bool = True) -> None:
        """Make a database by some work, which `said` tells, and switch to it."""
        with self._making(said, copy=copy, resume=resume) as new:
            store = ox.Store(str(new))
            work(store, _done(new))
            store.flush()
            del store
            self._switch(new)

    @contextmanager
    def _making(self, said: Sequence[str], *, copy: bool, resume: bool) -> Iterator[Path]:
        """Yield the place of a new database: a copy of the present one, an empty one, or what a killed run left of it.

        Where the block does not take it away, it is removed.
        """
        try:
            with lock(self._place / locks.FILE):
                former = self.database
                text = "\n".join([former.name if former else "", *said])
                new = self._place / f".db-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
                self._sweep(former, new if resume and not copy else None)
                if copy and former is not None:
                    self._reading().backup(str(new))
                try:
                    yield new
                except Exception:
                    self._sweep(former, None)
                    raise
                self._sweep(self.database, None)
        except (OSError, RuntimeError) as error:
            raise StoreError(f"{self._place}: cannot be written ({_first(error)})") from error

    def _switch(self, new: Path) -> None:
        """Give a new database its name, and make it the one that is asked."""
        former = self.database
        place = new.with_name(new.name.removeprefix("."))
        _done(new).unlink(missing_ok=True)
        if place.exists():  # of a run that was killed just here
            shutil.rmtree(place)
        new.rename(place)
        if former is not None:
            os.utime(former)
        link = self._place / _SWITCH
        link.symlink_to(place.name)
        link.rename(self._place / CURRENT)
        _sync(self._place)

    def _sweep(self, current: Path | None, keep: Path | None) -> None:
        """Remove databases that are not asked for a while, and what killed runs left, but for what is to be kept."""
        kept = {locks.FILE, CURRENT, *(path.name for path in (current, keep, keep and _done(keep)) if path)}
        for path in self._place.iterdir():
            lately = path.name.startswith("db-") and time.time() - path.lstat().st_mtime < LATELY
            if path.name not in kept and not lately:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


@contextmanager
def opened(place: Path) -> Iterator[OxigraphFolder]:
    """Yield the databases of a folder."""
    store = OxigraphFolder(place)
    try:
        yield store
    finally:
        store.close()


def size_of(folder: Path) -> int:
    """Return the bytes of all files of a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _ours(name: str) -> bool:
    return name in (CURRENT, locks.FILE, _SWITCH) or name.startswith(("db-", ".db-"))


def _done(database: Path) -> Path:
    return database.with_name(f"{database.name}.loaded")


def _load(store: ox.Store, graph: Graph) -> None:
    """Make a graph hold its file, and count it."""
    iri = ox.NamedNode(graph.iri)
    _clear(store, [graph.iri])
    if not graph.triples:
        return
    try:
        with codecs.of_file(graph.path).open(graph.path) as stream:
            store.bulk_load(input=stream, format=ox.RdfFormat.TURTLE, to_graph=iri)
    except files.UNREADABLE as error:
        raise files.unreadable(graph.path, error) from error
    found: Any = store.query(f"SELECT (COUNT(*) AS ?n) WHERE {{ GRAPH {iri} {{ ?s ?p ?o }} }}")
    counted = int(next(found)["n"].value)
    if counted != graph.triples:
        raise StoreError(f"{graph.path}: has {counted:,} triples, not {graph.triples:,}; build or download it again")


def _clear(store: ox.Store, graphs: Sequence[str]) -> None:
    for iri in graphs:
        if store.contains_named_graph(ox.NamedNode(iri)):
            store.remove_graph(ox.NamedNode(iri))


def _note(store: ox.Store, notes: Mapping[str, str]) -> None:
    _clear(store, list(notes))
    for iri, text in notes.items():
        store.load(text, format=ox.RdfFormat.N_TRIPLES, to_graph=ox.NamedNode(iri))


def _quads(path: Path, iri: str) -> Iterator[ox.Quad]:
    graph = ox.NamedNode(iri)
    for quad in ox.parse(path=str(path), format=ox.RdfFormat.N_TRIPLES):
        yield ox.Quad(quad.subject, quad.predicate, quad.object, graph)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _first(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
