"""A TDB2 database in a folder that no server has open, by the commands of Jena's jar; it is Fuseki's to serve.

A replacement is built by the bulk loader beside the folder and takes its place; a change is one transaction.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from pfocr_rdf.errors import UsageError
from pfocr_rdf.locks import lock
from pfocr_rdf.query import names_graphs
from pfocr_rdf.stores import bodies, programs
from pfocr_rdf.stores.contract import Abilities, Delta, Graph, Kind, Reach, Rows, Said, StoreError, StoreUnavailable
from pfocr_rdf.stores.oxigraphdir import size_of
from pfocr_rdf.stores.sparql import COUNTS, rows_of

MEMORY = "-Xmx2g"
LOADER = "tdb2.tdbloader"
_GRAPHS = "SELECT DISTINCT ?g WHERE { { GRAPH ?g { ?s ?p ?o } } UNION { GRAPH <urn:x-arq:DefaultGraph> { ?s ?p ?o } } }"
"""All graphs; the row of the default one, which is not in the union, has no name."""

_LOCKED = re.compile(r"already locked|Failed to get a lock(?:.*held by process (\d+))?")


def holds(place: Path) -> bool:
    """Tell whether a folder is a TDB2 database."""
    return (place / "Data-0001").exists() or any(place.glob("Data-[0-9][0-9][0-9][0-9]"))


class Tdb2Folder:
    """The database; made when it is not there."""

    def __init__(self, place: Path, jar: Path | None = None) -> None:
        """Raises `UsageError` when the folder holds anything else or is being replaced, or without Java or the jar."""
        self._place = place.absolute()
        self._writing: tuple[int, ...] = ()  # the lock, which programs that write hold even when this one is killed
        self._new = self._place.with_name(f".{place.name}.new")
        self._old = self._place.with_name(f".{place.name}.old")
        if self._place.exists() and not holds(self._place) and any(self._place.iterdir()):
            raise UsageError(f"{place}: holds something else than a TDB2 database; give another folder")
        if self._old.exists() and not holds(self._place):
            with self._locked():
                pass
        self._java = [str(programs.java()), MEMORY, "-cp", str(programs.jar(programs.JENA, jar))]

    @property
    def abilities(self) -> Abilities:
        """All at once, since nobody can read meanwhile."""
        name = "TDB2 folder"
        return Abilities(Kind.FUSEKI, name, Reach.ALL, Reach.ALL, LOADER, False, True, starts=True, anew=True)

    @property
    def address(self) -> str:
        """The folder."""
        return str(self._place)

    def select(self, query: str, seconds: float | None = None) -> Rows:
        """Run a SELECT query with the union as default graph unless FROM says another."""
        if not holds(self._place):
            return Rows((), [])
        with tempfile.TemporaryDirectory() as folder:
            text = Path(folder) / "query.rq"
            text.write_text(query, encoding="utf-8")
            union = [] if names_graphs(query) else ["--set", "tdb2:unionDefaultGraph=true"]
            options = [*union, "--results=json", f"--query={text}"]
            return rows_of(self._run("tdb2.tdbquery", self._place, *options, seconds=seconds), self.address)

    def counts(self) -> dict[str, int]:
        """Return the number of triples of each named graph."""
        return {graph.value: int(n.value) for graph, n in self.select(COUNTS).rows if graph is not None}

    def replace(self, graphs: Sequence[Graph], notes: Mapping[str, str], say: Said) -> None:
        """Load into a new database, which takes the place of the present one.

        Raises `StoreError` when the present one holds other graphs, or triples outside of graphs: these can be kept by
        a server only.
        """
        ours = {*(graph.iri for graph in graphs), *notes}
        others = {row[0].value if row[0] else "the default graph" for row in self.select(_GRAPHS).rows} - ours
        if others:
            raise StoreError(
                f"{self._place}: holds {len(others)} other graphs, such as {min(others)}; "
                "start the server on it and load to the server's address, which leaves them alone"
            )
        with self._locked():
            shutil.rmtree(self._new, ignore_errors=True)
            say(f"{sum(graph.triples for graph in graphs):,} triples, by {LOADER}")
            try:
                self._feed(graphs, notes)
                if self._place.exists():
                    self._place.rename(self._old)
                self._new.rename(self._place)
            finally:
                shutil.rmtree(self._new, ignore_errors=True)
            shutil.rmtree(self._old, ignore_errors=True)  # what stays is removed by the next run

    def change(self, deltas: Sequence[Delta], notes: Mapping[str, str], say: Said) -> None:
        """Change all in one transaction."""
        say(f"{bodies.in_short(deltas)}, in one transaction")
        self._update(bodies.changes(deltas, notes)())

    def remove(self, graphs: Sequence[str]) -> None:
        """Remove graphs."""
        if graphs and holds(self._place):
            self._update(iter([bodies.removal(graphs)]))

    def compact(self, say: Said) -> int:
        """Copy what is live and delete the rest."""
        if not holds(self._place):
            return 0
        say(f"{self._place}: is compacted")
        before = size_of(self._place)
        with self._locked():
            self._run("tdb2.tdbcompact", self._place, "--deleteOld")
        return max(before - size_of(self._place), 0)

    def close(self) -> None:
        """Do nothing: no command outlives its method."""

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Be the only run that writes; what a killed one left of the former database goes, or comes back."""
        with lock(self._place.with_name(f".{self._place.name}.lock"), seconds=_LEAVING) as held:
            if self._old.exists() and holds(self._place):
                shutil.rmtree(self._old)
            elif self._old.exists():
                self._old.rename(self._place)
            self._writing = (held,)
            try:
                yield
            finally:
                self._writing = ()

    def _update(self, parts: Iterator[bytes]) -> None:
        with self._locked(), tempfile.TemporaryDirectory() as folder:
            text = Path(folder) / "update.ru"
            with text.open("wb") as stream:
                stream.writelines(parts)
            self._run("tdb2.tdbupdate", self._place, f"--update={text}")

    def _feed(self, graphs: Sequence[Graph], notes: Mapping[str, str]) -> None:
        """Let the bulk loader read what is written into its standard input."""
        command = [*self._java, LOADER, f"--loc={self._new}", "--syntax=trig", "-"]
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=said, stderr=subprocess.STDOUT, pass_fds=self._writing
            )
            guard = threading.Timer(_DAY, process.kill)
            guard.start()
            try:
                with suppress(BrokenPipeError), _pipe(process) as stream:
                    stream.writelines(bodies.dataset(graphs, notes)())
                process.wait()
            finally:
                guard.cancel()
                process.kill()
                process.wait()
            said.seek(0)
            self._check(process.returncode, said.read().decode(errors="replace"))

    def _run(self, program: str, place: Path, *options: str, seconds: float | None = None) -> bytes:
        command = [*self._java, program, f"--loc={place}", *options]
        end = time.monotonic() + _BUSY
        while True:
            try:
                done = subprocess.run(
                    command,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=seconds or _DAY,
                    check=False,
                    pass_fds=self._writing,
                )
            except subprocess.TimeoutExpired as error:
                raise StoreUnavailable(f"{self._place}: did not answer in {seconds:g} seconds") from error
            said = done.stderr.decode(errors="replace")
            if _LOCKED.search(said) is None or time.monotonic() > end:
                self._check(done.returncode, said)
                return done.stdout

    def _check(self, code: int, said: str) -> None:
        if code == 0 and "ERROR" not in said:
            return
        lines = [line for line in said.splitlines() if line.strip() and not line.startswith(("\tat ", "WARNING"))]
        if locked := _LOCKED.search(said):
            process = f" (process {locked[1]})" if locked[1] else ""
            raise StoreError(
                f"{self._place}: is open in another program{process}; stop it, or give its address with --to"
            )
        told = next((line for line in lines if "ERROR" in line or "Exception" in line), lines[0] if lines else "")
        raise StoreError(f"{self._place}: Jena failed (exit code {code}): {told.strip()[:300]}")


def _pipe(process: subprocess.Popen[bytes]) -> IO[bytes]:
    if process.stdin is None:
        raise AssertionError("asked for above")
    return process.stdin


_DAY = 86_400.0
_LEAVING = 60.0
"""Seconds that a program of a run that was killed may take to end while it writes."""
_BUSY = 20.0
"""Seconds for which a database that is open in another program is tried again: in one of a run that was killed?"""


@contextmanager
def opened(place: Path, *, jar: Path | None = None) -> Iterator[Tdb2Folder]:
    """Yield the database of a folder."""
    yield Tdb2Folder(place, jar)
