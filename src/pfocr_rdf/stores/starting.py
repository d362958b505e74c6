"""How each kind of server is started: its settings, its command line, the addresses of its services.

Every server listens at 127.0.0.1 alone. What is made here runs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pfocr_rdf import locks
from pfocr_rdf.errors import UsageError
from pfocr_rdf.stores import programs
from pfocr_rdf.stores.contract import Kind

HOST = "127.0.0.1"
LOCAL = frozenset({HOST, "localhost", "::1"})
"""The names of this machine in an address."""

PORTS = {Kind.FUSEKI: 3030, Kind.BLAZEGRAPH: 9999, Kind.VIRTUOSO: 8890, Kind.OXIGRAPH: 7878}
"""The ports that the stores' own documentation uses."""

MEMORY = 2048
"""Megabytes of a server that is not told otherwise."""

DATASET = "pfocr"
NAMESPACE = "kb"
SETTINGS = "RWStore.properties"
JOURNAL = "blazegraph.jnl"
INBOX = "inbox"
"""The folder below Virtuoso's data from which it may load files."""

_JOURNAL, _TRIPLES = "com.bigdata.journal.AbstractJournal", "com.bigdata.rdf.store.AbstractTripleStore"
_FUSEKI = """PREFIX fuseki: <http://jena.apache.org/fuseki#>
PREFIX tdb2: <http://jena.apache.org/2016/tdb#>

[] a fuseki:Service ;
  fuseki:name "@DATASET@" ;
@ENDPOINTS@
  fuseki:dataset [ a tdb2:DatasetTDB2 ; tdb2:location "@LOCATION@" ; tdb2:unionDefaultGraph true ] .
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A server that is to run: where its data is, where its settings may be written, on which ports, with what."""

    kind: Kind
    data: Path
    folder: Path
    port: int
    sql: int = 0
    memory: int = MEMORY
    writable: bool = True
    jar: Path | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """How a server is started: command, environment beside the usual, and its services by name (`query`, `update`)."""

    command: tuple[str, ...]
    services: Mapping[str, str] = field(default_factory=dict)


def start(wanted: Wanted) -> Start:
    """Write the settings of a server, and return how it is started.

    Raises `Missing` when its program is not there.
    """
    return _KINDS[wanted.kind](wanted)


def holds(kind: Kind, data: Path) -> bool:
    """Tell whether a folder is a database of this kind, or may become one since nothing is in it.

    Raises `UsageError` when it is neither.
    """
    if not data.exists() or not any(path.name != locks.FILE for path in data.iterdir()):
        return False
    marks = {
        Kind.OXIGRAPH: "CURRENT",
        Kind.FUSEKI: "Data-0001",
        Kind.BLAZEGRAPH: SETTINGS,
        Kind.VIRTUOSO: "virtuoso.ini",
    }
    if not (data / marks[kind]).exists():
        raise UsageError(f"{data}: holds files, but no database of {kind}; name another folder with --data")
    return True


def _oxigraph(wanted: Wanted) -> Start:
    base = f"http://{HOST}:{wanted.port}"
    command = [str(programs.oxigraph()), "serve" if wanted.writable else "serve-read-only", "--union-default-graph"]
    services = {"query": f"{base}/query"}
    if wanted.writable:
        services |= {"update": f"{base}/update", "graphs": f"{base}/store"}
    return Start((*command, "--location", str(wanted.data), "--bind", f"{HOST}:{wanted.port}"), services)


def _fuseki(wanted: Wanted) -> Start:
    operations = {"query": "query"}
    if wanted.writable:
        operations |= {"update": "update", "data": "gsp-rw", "patch": "patch"}
    settings = wanted.folder / "fuseki.ttl"
    endpoint = '  fuseki:endpoint [ fuseki:operation fuseki:{} ; fuseki:name "{}" ] ;'
    lines = [endpoint.format(operation, name) for name, operation in operations.items()]
    text = _FUSEKI.replace("@DATASET@", DATASET).replace("@ENDPOINTS@", "\n".join(lines))
    place = str(wanted.data).replace("\\", "\\\\").replace('"', '\\"')
    settings.write_text(text.replace("@LOCATION@", place), encoding="utf-8")
    base = f"http://localhost:{wanted.port}"  # with --localhost it listens at the name
    options = ["--localhost", f"--port={wanted.port}", "--ping", "--compact", "--stats", f"--config={settings}"]
    server = ["-cp", str(_jar(programs.JENA, wanted)), "org.apache.jena.fuseki.main.cmds.FusekiMainCmd"]
    services = {"graphs" if name == "data" else name: f"{base}/{DATASET}/{name}" for name in operations}
    return Start((*_java(wanted), *server, *options), services)


def blazegraph_settings(folder: Path) -> dict[str, str]:
    """Return the settings of a Blazegraph database with named graphs, without inference and without an index of texts.

    `folder` is that of the journal file.
    """
    return {
        f"{_JOURNAL}.file": str(folder.absolute() / JOURNAL),
        f"{_JOURNAL}.initialExtent": str(10 << 20),
        f"{_JOURNAL}.maximumExtent": str(10 << 20),
        f"{_TRIPLES}.quads": "true",
        f"{_TRIPLES}.textIndex": "false",
        f"{_TRIPLES}.statementIdentifiers": "false",
        f"{_TRIPLES}.axiomsClass": "com.bigdata.rdf.axioms.NoAxioms",
        "com.bigdata.rdf.sail.truthMaintenance": "false",
    }


def blazegraph_journal(folder: Path) -> Path:
    """Return the journal file that the settings in a folder name; a relative one is below the folder."""
    settings = folder / SETTINGS
    if settings.exists():
        for line in settings.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition("=")
            if name.strip() == f"{_JOURNAL}.file":
                return folder / value.strip()
    return folder / JOURNAL


def write_properties(path: Path, settings: Mapping[str, str]) -> None:
    """Write a Java properties file."""
    lines = (f"{name}={value.replace(chr(92), chr(92) * 2)}\n" for name, value in settings.items())
    path.write_text("".join(lines), encoding="utf-8")


def blazegraph_command(java: list[str], jar: Path, port: int, settings: Path) -> list[str]:
    """Return the command of a Blazegraph server.

    The main class of its jar fails on Java 9 and later; this one does not, if it is told where its pages are.
    """
    pages = f"jar:{jar.resolve().as_uri()}!/war"
    options = [f"-Djetty.host={HOST}", f"-Djetty.home={pages}", f"-Djetty.resourceBase={pages}"]
    server = ["com.bigdata.rdf.sail.webapp.NanoSparqlServer", str(port), NAMESPACE, str(settings)]
    return [*java, *options, "-cp", str(jar), *server]


def _blazegraph(wanted: Wanted) -> Start:
    settings = wanted.data / SETTINGS
    if not settings.exists():
        write_properties(settings, blazegraph_settings(wanted.data))
    command = blazegraph_command(_java(wanted), _jar(programs.BLAZEGRAPH, wanted), wanted.port, settings)
    base = f"http://{HOST}:{wanted.port}/blazegraph/sparql"
    return Start(tuple(command), {"query": base, "update": base})


def virtuoso_settings(folder: Path, port: int, sql: int, allowed: Path, memory: int) -> str:
    """Return the settings of a Virtuoso whose files are in a folder, and that may load files of the folder `allowed`.

    Four fifths of the memory are for pages of the database, as many of them changed as its manual says.
    A transaction may be as large as the disk allows: a release is swapped in one.
    """
    pages = max(10_000, memory * 1024 * 4 // 5 // 9)
    sections: dict[str, dict[str, object]] = {
        "Database": {
            "DatabaseFile": folder / "virtuoso.db",
            "ErrorLogFile": folder / "virtuoso.log",
            "LockFile": folder / "virtuoso.lck",
            "TransactionFile": folder / "virtuoso.trx",
            "xa_persistent_file": folder / "virtuoso.pxa",
        },
        "TempDatabase": {
            "DatabaseFile": folder / "virtuoso-temp.db",
            "TransactionFile": folder / "virtuoso-temp.trx",
        },
        "Parameters": {
            "ServerPort": f"{HOST}:{sql}",
            "DirsAllowed": allowed,
            "NumberOfBuffers": pages,
            "MaxDirtyBuffers": pages * 3 // 4,
            "TransactionAfterImageLimit": 1 << 40,
        },
        "HTTPServer": {"ServerPort": f"{HOST}:{port}", "ServerRoot": folder},
        "SPARQL": {"ResultSetMaxRows": 1_000_000},
    }
    lines = [
        line
        for section, values in sections.items()
        for line in (f"[{section}]", *(f"{name} = {value}" for name, value in values.items()))
    ]
    return "\n".join(lines) + "\n"


def _virtuoso(wanted: Wanted) -> Start:
    inbox = wanted.data / INBOX
    inbox.mkdir(exist_ok=True)
    settings = wanted.data / "virtuoso.ini"
    settings.write_text(virtuoso_settings(wanted.data, wanted.port, wanted.sql, inbox, wanted.memory), encoding="utf-8")
    base = f"http://{HOST}:{wanted.port}/sparql"
    command = (str(programs.virtuoso()), "+foreground", "+configfile", str(settings))
    return Start(command, {"query": base, "update": f"{base}-auth"})


def _java(wanted: Wanted) -> list[str]:
    return [str(programs.java()), f"-Xmx{wanted.memory}m"]


def _jar(name: str, wanted: Wanted) -> Path:
    return programs.jar(name, wanted.jar)


_KINDS: dict[Kind, Callable[[Wanted], Start]] = {
    Kind.OXIGRAPH: _oxigraph,
    Kind.FUSEKI: _fuseki,
    Kind.BLAZEGRAPH: _blazegraph,
    Kind.VIRTUOSO: _virtuoso,
}
