"""Servers on this machine, for development: started in the background, known by a file, stopped cleanly.

What runs is written to `NAME/server.json` below the user's folder of state. A process is known by its number and by the
moment of its start, so one that got the number of a server that is gone is never taken for it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import platformdirs

from pfocr_rdf import locks
from pfocr_rdf.errors import UsageError
from pfocr_rdf.locks import lock
from pfocr_rdf.stores import http, starting, virtuososql
from pfocr_rdf.stores.contract import Kind, StoreError, StoreUnavailable
from pfocr_rdf.stores.starting import HOST, PORTS, Start, Wanted

PATIENCE = 120.0
"""Seconds that a server may take until it answers, and until it has stopped."""

LEAVING = 60.0
"""Seconds that the server of a run that was killed may take to end."""

SHOWN = 5
"""Lines of a server's log that are quoted when it does not answer."""

_STATE = "server.json"


@dataclass(frozen=True, slots=True)
class Server:
    """A server that was started: `started` is the moment as the system tells it; `sql` is the SQL port of Virtuoso."""

    name: str
    kind: Kind
    pid: int
    started: str
    port: int
    sql: int
    data: str
    log: str
    services: dict[str, str]

    @property
    def running(self) -> bool:
        """Whether the process is there still, and is the one that was started."""
        return _started(self.pid) == self.started

    def to_json(self) -> dict[str, Any]:
        """Return what is known of it, and whether it runs."""
        return {**asdict(self), "running": self.running}


def status() -> list[Server]:
    """Return the servers that were started and not stopped, whether they run or not, by name.

    Raises `UsageError` for one of which the file is damaged.
    """
    return [_read(path) for path in sorted(_home().glob(f"*/{_STATE}"))]


def at(address: str) -> Server | None:
    """Return the running server of which an address is a service, under whichever name of this machine, or None."""
    wanted = _plain(address)
    return next((s for s in status() if wanted in map(_plain, s.services.values()) and s.running), None)


def _plain(address: str) -> str:
    place = urlsplit(address)
    host = HOST if place.hostname in starting.LOCAL else place.hostname
    return f"{place.scheme}://{host}:{place.port}{place.path.rstrip('/')}"


def up(
    kind: Kind,
    data: Path | None = None,
    port: int | None = None,
    *,
    jar: Path | None = None,
    memory: int | None = None,
    writable: bool = True,
) -> tuple[Server, bool]:
    """Start a server over the database in a folder (made if it is not there), and wait until it answers.

    Returns it, and whether it is new: over the same data only one runs. Without a folder it is one of the user's data;
    port 0 is any free port. Raises `UsageError` when the port is taken or the folder is something else, `StoreError`
    with the end of its log when it does not answer.
    """
    _refuse(kind, memory, writable)
    data = (data or platformdirs.user_data_path("pfocr-rdf") / "stores" / kind).expanduser().absolute()
    with lock(_home() / locks.FILE, wait=True):
        running = [server for server in status() if server.running]
        for server in running:
            if server.data == str(data):
                return server, False
        fresh = not starting.holds(kind, data)
        port = _port(kind, port)
        name = str(kind) if str(kind) not in {server.name for server in running} else f"{kind}-{port}"
        folder = _home() / name
        data.mkdir(parents=True, exist_ok=True)
        folder.mkdir(exist_ok=True)
        sql = _free() if kind is Kind.VIRTUOSO else 0
        wanted = Wanted(kind, data, folder, port, sql, memory or starting.MEMORY, writable, jar)
        started = starting.start(wanted)
        log = folder / "log"
        pid = _spawn(started.command, _cwd(wanted), log)
        server = _server(name, pid, wanted, started, log)
        try:
            _write(folder / _STATE, server)
        except OSError:  # then nobody would know it
            _stop(server)
            raise
        _wait(server)
        if kind is Kind.VIRTUOSO and fresh:
            virtuososql.first_password(f"{HOST}:{sql}")
        return server, True


def down(name: str | None = None) -> list[Server]:
    """Stop a server, or all, and wait for their end; return those that ran. What did not run any more is forgotten.

    Raises `UsageError` for a name that no server has, `StoreError` when one does not end.
    """
    with lock(_home() / locks.FILE, wait=True):
        known = status()
        chosen = [server for server in known if name in (None, server.name)]
        if name is not None and not chosen:
            names = ", ".join(server.name for server in known) or "none"
            raise UsageError(f"{name}: is no server that was started here; there are: {names}")
        stopped = []
        for server in chosen:
            if server.running:
                stopped.append(server)
                _stop(server)
            shutil.rmtree(_home() / server.name)
        return stopped


def refuse_served(data: Path) -> None:
    """Raise `UsageError` when a server that was started here runs over a folder."""
    for server in status():
        if server.running and server.data == str(data):
            raise UsageError(f"{data}: is served; use {server.services['query']}, or stop it: pfocr-rdf store down")


@contextmanager
def for_a_while(kind: Kind, data: Path, jar: Path | None, memory: int, held: int | None = None) -> Iterator[Server]:
    """Run a server over a folder (made if it is not there) on a free port while a block lasts.

    It ends with this program, however that ends; until then it holds the lock of the folder, of which `held` is the
    descriptor if the caller holds it already. Raises `UsageError` when one that was started here runs over it already,
    `StoreError` when it does not answer.
    """
    refuse_served(data)
    with ExitStack() as stack:
        if held is None:
            held = stack.enter_context(lock(data / locks.FILE, seconds=LEAVING))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pfocr-rdf-")))
        data.mkdir(parents=True, exist_ok=True)
        wanted = Wanted(kind, data, folder, _free(), _free(), memory, True, jar)
        started = starting.start(wanted)
        log = folder / "log"
        pid = stack.enter_context(_kept(started.command, _cwd(wanted), log, held))
        server = _server(str(kind), pid, wanted, started, log)
        try:
            _wait(server)
            yield server
        finally:
            if server.running:
                _stop(server)


@contextmanager
def _kept(command: tuple[str, ...], folder: Path, log: Path, held: int) -> Iterator[int]:
    """Run a program that is told to end when the block does, or this program; yield its number.

    A shell waits at the end of a pipe, which the system closes whatever ends this program.
    """
    script = 'log=$1; shift; "$@" </dev/null >"$log" 2>&1 & echo $!; read -r _; kill $! 2>/dev/null; wait $!'
    shell = ["/bin/sh", "-c", script, "sh", str(log), *command]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    keeper = subprocess.Popen(shell, cwd=folder, start_new_session=True, pass_fds=(held,), **pipes)
    if keeper.stdin is None or keeper.stdout is None:
        raise AssertionError("asked for above")
    try:
        yield int(keeper.stdout.readline())
    finally:
        keeper.stdin.close()
        keeper.stdout.close()
        try:
            keeper.wait(5)
        except subprocess.TimeoutExpired:  # what does not end has been told of
            keeper.kill()
            keeper.wait()


def _server(name: str, pid: int, wanted: Wanted, started: Start, log: Path) -> Server:
    services = dict(started.services)
    return Server(name, wanted.kind, pid, _started(pid), wanted.port, wanted.sql, str(wanted.data), str(log), services)


def _cwd(wanted: Wanted) -> Path:
    """Return the folder in which a server runs: its settings may name a journal relative to theirs."""
    return wanted.data if wanted.kind is Kind.BLAZEGRAPH else wanted.folder


def _refuse(kind: Kind, memory: int | None, writable: bool) -> None:
    if kind not in PORTS:
        raise UsageError(f"{kind}: is no program; use one of {', '.join(PORTS)}")
    if memory is not None and kind is Kind.OXIGRAPH:
        raise UsageError("oxigraph takes the memory that it needs; leave --memory away")
    if not writable and kind not in (Kind.OXIGRAPH, Kind.FUSEKI):
        raise UsageError(f"{kind} has no mode for reading only; leave --read-only away")
    if kind is Kind.VIRTUOSO:
        virtuososql.check_password()


def _home() -> Path:
    home = platformdirs.user_state_path("pfocr-rdf") / "stores"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return home


def _read(path: Path) -> Server:
    """Return what is known of a server; raises `UsageError` for a file that does not tell it."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return Server(**{**said, "kind": Kind(said["kind"])})
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{path}: does not tell of a server; see that none runs there, and remove the file") from error


def _write(path: Path, server: Server) -> None:
    """Write what is known of a server, whole or not at all."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(asdict(server), indent=2) + "\n", encoding="utf-8")
    new.replace(path)


def _port(kind: Kind, port: int | None) -> int:
    if port == 0:
        return _free()
    port = PORTS[kind] if port is None else port
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((HOST, port))
        except OSError as error:
            raise UsageError(f"port {port} cannot be used ({error.strerror}); give another one with --port") from error
    return port


def _free() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        port: int = found.getsockname()[1]
        return port


def _spawn(command: tuple[str, ...], folder: Path, log: Path) -> int:
    """Start a program that outlives this one and is in a session of its own, so that no Ctrl-C reaches it."""
    script = 'log=$1; shift; "$@" </dev/null >"$log" 2>&1 & echo $!'
    shell = ["/bin/sh", "-c", script, "sh", str(log), *command]
    done = subprocess.run(shell, cwd=folder, start_new_session=True, stdout=subprocess.PIPE, text=True, check=True)
    return int(done.stdout)


def _started(pid: int) -> str:
    """Return the moment at which a process started, in words that only it has; empty when it is not there."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            # of a killed program other threads may still hold its files when the first one is gone
            gone = fields[0] == "Z" and len(list(stat.with_name("task").iterdir())) < 2
        except OSError:
            return ""
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return "" if gone else f"{boot} {fields[19]}"
    ps = ["/bin/ps", "-o", "lstart=", "-p", str(pid)]
    return subprocess.run(ps, capture_output=True, text=True, check=False).stdout.strip()


def _wait(server: Server) -> None:
    """Wait until a server answers a query; when it does not, stop and forget it."""
    end = time.monotonic() + PATIENCE
    while not _answers(server):
        gone = not server.running
        if gone or time.monotonic() > end:
            said = Path(server.log).read_text(encoding="utf-8", errors="replace").strip().splitlines()[-SHOWN:]
            if not gone:
                _stop(server)
            (Path(server.log).parent / _STATE).unlink(missing_ok=True)
            what = "stopped at once" if gone else f"did not answer for {PATIENCE:.0f} seconds"
            raise StoreError(f"{server.name} {what}; {server.log} ends: {' | '.join(said) or 'with nothing'}")
        time.sleep(0.1)


def _answers(server: Server) -> bool:
    accept = {"Accept": "application/sparql-results+json"}
    query = {"query": "SELECT (1 AS ?one) {}"}
    with http.opened(server.services["query"]) as link:
        try:
            link.send("GET", server.services["query"], headers=accept, params=query, again=False, seconds=5)
        except (StoreUnavailable, StoreError):
            return False
    return server.running


def _stop(server: Server) -> None:
    """Ask a server to end; each kind then brings its data to the disk (Virtuoso by a checkpoint)."""
    os.kill(server.pid, signal.SIGTERM)
    end = time.monotonic() + PATIENCE
    while server.running:
        if time.monotonic() > end:
            raise StoreError(f"{server.name}: process {server.pid} does not end; see {server.log}")
        time.sleep(0.05)
