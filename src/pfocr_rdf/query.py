"""SPARQL over a build, a release or a database's folder in the embedded store: each layer in its named graph,
their union as default graph.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs
import pyoxigraph as ox

from pfocr_rdf import buildfolder, codecs, identifiers
from pfocr_rdf.errors import UsageError
from pfocr_rdf.locks import lock
from pfocr_rdf.release.info import VOID_ENDPOINT

IN_MEMORY_BYTES = 64 * 1024 * 1024
"""Builds up to this size are loaded into memory for each query; larger ones into a store that is kept."""

KEPT_STORES = 2
"""Stores that stay in the cache; older ones are removed."""

CURRENT = "current"
"""In a folder of releases, or of databases as `load` makes it, what leads to the newest."""

_UNREADABLE: tuple[type[Exception], ...] = (SyntaxError, *codecs.DAMAGED)
_JSON = ox.QueryResultsFormat.JSON

_NO_KEYWORDS = re.compile(
    r"""<[^<>"{}|^`\\\x00-\x20]*+> | \#[^\r\n]*+ | \"{3}.*?(?:\"{3}|\Z) | '{3}.*?(?:'{3}|\Z)
    | "(?>[^"\\\r\n]|\\.)*+"? | '(?>[^'\\\r\n]|\\.)*+'?""",
    re.VERBOSE | re.DOTALL,
)
_FROM = re.compile(r"(?<![\w?$:@.-])FROM(?![\w:.-])", re.IGNORECASE)

PREFIXES = "".join(f"PREFIX {prefix}: <{namespace}>\n" for prefix, namespace in identifiers.PREFIXES.items())


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of a SELECT: each cell an RDF term or None."""

    variables: list[str]
    rows: list[list[Any]]


@contextmanager
def open_store(release: Path, cache: Path | None = None) -> Iterator[ox.Store]:
    """Load a build or release and yield its store: in memory when small, else from a cache that outlives the call.

    A folder of releases, or of databases, stands for its current one; an Oxigraph database is opened as it is.
    Raises `UsageError` when the folder is none of these or a file of it is damaged.
    """
    place = release if is_database(release) or not (release / CURRENT).is_dir() else (release / CURRENT).resolve()
    if is_database(place):
        with one_line_errors():
            found = ox.Store.read_only(str(place))
        yield found
        return
    build = buildfolder.find_build(place)
    files = buildfolder.layer_files(build)
    if (build / VOID_ENDPOINT).is_file():
        files["void"] = build / VOID_ENDPOINT
    graphs = by_graph(files)
    if sum(path.stat().st_size for path in files.values()) <= IN_MEMORY_BYTES:
        store = ox.Store()
        load(store, graphs)
        yield store
        return
    known = [buildfolder.MANIFEST, *([VOID_ENDPOINT] if "void" in files else [])]
    digest = "-".join(buildfolder.describe_file(build / name)["sha256"][:16] for name in known)
    with kept(digest, graphs, cache) as database:
        yield ox.Store.read_only(str(database))


@contextmanager
def kept(digest: str, graphs: Mapping[str, Path], cache: Path | None = None) -> Iterator[Path]:
    """Yield the database of the cache that has this name, made of the graphs' files if it is not there yet.

    It stays there, whoever else uses the cache, until the `with` block ends. Raises `UsageError` for a file that is
    no Turtle.
    """
    base = cache or platformdirs.user_cache_path("pfocr-rdf") / "stores"
    base.mkdir(parents=True, exist_ok=True)
    with lock(base / "lock", wait=True):
        if not (base / digest).exists():
            unfinished = base / f".{digest}.new"
            shutil.rmtree(unfinished, ignore_errors=True)
            store = ox.Store(str(unfinished))
            load(store, graphs)
            store.optimize()
            store.flush()
            del store
            unfinished.rename(base / digest)
            _forget_old(base, digest)
        used = os.open(base / digest, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(used, fcntl.LOCK_SH)
    try:
        yield base / digest
    finally:
        os.close(used)


def is_database(folder: Path) -> bool:
    """Whether a folder is a database of Oxigraph, by files that RocksDB always has."""
    return all((folder / name).is_file() for name in ("CURRENT", "IDENTITY"))


def by_graph(files: Mapping[str, Path]) -> dict[str, Path]:
    """Return the files of layers by the IRIs of their graphs."""
    return {identifiers.graph(layer): path for layer, path in files.items()}


def load(store: ox.Store, graphs: Mapping[str, Path]) -> None:
    """Load each graph, of which the IRI is given, from its file.

    Raises `UsageError` for a file that is no Turtle.
    """
    for iri, path in graphs.items():
        graph = ox.NamedNode(iri)
        try:
            with codecs.of_file(path).open(path) as stream:
                store.bulk_load(input=stream, format=ox.RdfFormat.TURTLE, to_graph=graph)
        except _UNREADABLE as error:
            raise UsageError(f"{path}: cannot be loaded ({error}); build again") from error


def ask(store: ox.Store, text: str, seconds: float | None = None, **graphs: Any) -> Any:
    """Run a query, for at most some seconds; the prefixes of the project need not be declared.

    Its default graph is what `graphs`, as pyoxigraph names them, say, else what FROM says, else the union of all.
    Returns pyoxigraph's result. Raises `UsageError` for what is no SPARQL query, and when it takes too long.
    """

    def result() -> Any:
        return store.query(PREFIXES + text, **({"use_default_graph_as_union": not names_graphs(text)} | graphs))

    def whole() -> list[ox.Triple] | bytes:
        answer = result()
        return list(answer) if isinstance(answer, ox.QueryTriples) else answer.serialize(format=_JSON) or b""

    with one_line_errors():
        if seconds is None:
            return result()
        found = _within(seconds, whole)
        return ox.parse_query_results(found, format=_JSON) if isinstance(found, bytes) else found


def _within(seconds: float, work: Callable[[], Any]) -> Any:
    """Return what work returns; the thread of work that takes too long ends with the program."""
    done: list[Any] = []
    failed: list[Exception] = []

    def run() -> None:
        try:
            done.append(work())
        except Exception as error:  # raised again below, where somebody waits
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not done:
        raise UsageError(f"the query takes longer than {seconds:g} s; ask for less, or give it more with --timeout")
    return done[0]


def keywords(text: str) -> str:
    """Return a query without its IRIs, texts and comments."""
    return _NO_KEYWORDS.sub(" ", text)


def names_graphs(text: str) -> bool:
    """Return whether a query has a FROM clause, which then says what its default graph is."""
    return _FROM.search(keywords(text)) is not None


def declared(text: str) -> str:
    """Return a query with those of the project's prefixes declared that it uses and does not declare.

    For endpoints: some refuse a prefix that is declared twice.
    """
    own = set(re.findall(r"\bPREFIX\s+([\w.-]+):", text, re.IGNORECASE))
    lines = (
        f"PREFIX {prefix}: <{namespace}>\n"
        for prefix, namespace in identifiers.PREFIXES.items()
        if prefix not in own and re.search(rf"\b{prefix}:", text)
    )
    return "".join((*lines, text))


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn what the store raises, for a query or while its answer is read, into a `UsageError`."""
    try:
        yield
    except SyntaxError as error:
        raise UsageError(f"the query cannot be read{_place(str(error))}: {_first(str(error))}") from error
    except (ValueError, OSError, RuntimeError) as error:
        raise UsageError(f"the query failed: {_first(str(error))}") from error


def _place(message: str) -> str:
    """Return line and column of a syntax error in the user's own text."""
    match = re.search(r"(\d+):(\d+)", message)
    return f" at line {int(match[1]) - PREFIXES.count(chr(10))}, column {match[2]}" if match else ""


def _first(message: str) -> str:
    """Return what a message says, without its place and the list of all that could have stood there."""
    said = re.sub(r"^error at \d+:\d+: ", "", message)
    if "Prefix not found" in said:
        return "a prefix is not declared"
    return "something is missing or too much here" if said.startswith("expected") else said.partition("\n")[0][:200]


def table(solutions: ox.QuerySolutions) -> Table:
    """Return all rows of a SELECT."""
    variables = [variable.value for variable in solutions.variables]
    return Table(variables, [[row[name] for name in variables] for row in solutions])


def short(term: Any) -> str:
    """Return a term as people read it: a prefixed name where there is one, the bare text of a literal."""
    if term is None:
        return ""
    if isinstance(term, ox.NamedNode):
        for prefix, namespace in identifiers.PREFIXES.items():
            local = term.value[len(namespace) :]
            if term.value.startswith(namespace) and local and not set("/#") & set(local):
                return f"{prefix}:{local}"
        return term.value
    return str(getattr(term, "value", term))


def _forget_old(base: Path, newest: str) -> None:
    stores = sorted((p for p in base.iterdir() if p.is_dir()), key=lambda p: (p.name != newest, -p.stat().st_mtime))
    for path in stores[KEPT_STORES:]:
        used = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(used, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
        except BlockingIOError:
            continue
        finally:
            os.close(used)
