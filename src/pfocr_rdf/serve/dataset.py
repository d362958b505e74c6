"""What is served: where it lies, which database holds it, and what it says of itself.

A place is a folder of releases, a release, a build, or an Oxigraph folder: databases `db-...` and a link `current` to
one of them. Run as a program, this puts a release or a build into the cache, at no cost to the server.
"""

from __future__ import annotations

import hashlib
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox

from pfocr_rdf import query
from pfocr_rdf.buildfolder import MANIFEST
from pfocr_rdf.errors import UsageError
from pfocr_rdf.release.folder import CURRENT
from pfocr_rdf.release.info import VOID, VOID_ENDPOINT, is_void_graph
from pfocr_rdf.stores import content

_ROCKSDB = "CURRENT"
"""The file by which a database of Oxigraph is known."""

_HELD = (
    f"SELECT ?status ?version ?manifest WHERE {{ GRAPH <{content.HELD}> {{ <{content.HELD}> "
    "schema:creativeWorkStatus ?status ; dcterms:identifier ?manifest . "
    f"OPTIONAL {{ <{content.HELD}> pav:version ?version }} }} }}"
)
_COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class Sight:
    """What lies in a place at a moment: the folder, whether it is a database, and what changes when it is another."""

    folder: Path
    database: bool
    stamp: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A database that can be served, until `holding` is closed.

    `version` is empty for what is no release. `graphs` are those that must be in it. `files` and `store` are the
    release's descriptions in Turtle, by file and by graph, empty where there are none.
    """

    sight: Sight
    database: Path
    version: str
    manifest: str
    graphs: tuple[str, ...]
    files: str
    store: str
    holding: ExitStack

    @property
    def name(self) -> str:
        """The version, or the beginning of the manifest's hash."""
        return self.version or f"build {self.manifest[:12]}"


def look(place: Path) -> Sight:
    """Return what lies in a place; this is cheap.

    Raises `UsageError` when it is nothing that can be served.
    """
    link = place / CURRENT
    try:
        folder = (link if link.exists() else place).resolve(strict=True)
        database = (folder / _ROCKSDB).is_file()
        seen = (folder if database else folder / MANIFEST).stat()
    except OSError:
        raise UsageError(f"{place}: is no release, no build and no Oxigraph folder") from None
    return Sight(folder, database, (seen.st_ino, seen.st_mtime_ns if not database else 0))


def is_large(sight: Sight) -> bool:
    """Return whether to prepare what lies there takes a while, if it is not in the cache."""
    if sight.database:
        return False
    return sum(path.stat().st_size for path in sight.folder.glob("*.ttl*")) > query.IN_MEMORY_BYTES


def prepare(sight: Sight) -> Dataset:
    """Return what is served from then on; a release or a build is loaded into the cache if it is not there.

    Raises `UsageError` when it cannot be read, or is not complete.
    """
    return _of_database(sight) if sight.database else _of_build(sight)


def _of_build(sight: Sight) -> Dataset:
    found = content.read(sight.folder)
    digest = found.manifest[:16]
    if found.version:  # it has graphs that are in no manifest
        sums = "".join(f"<{graph.iri}> {graph.sha256}\n" for graph in found.graphs)
        digest = hashlib.sha256(sums.encode()).hexdigest()[:16]
    holding = ExitStack()
    database = holding.enter_context(query.kept(digest, {graph.iri: graph.path for graph in found.graphs}))
    described = {name: _text(sight.folder / name) for name in (VOID, VOID_ENDPOINT)}
    graphs = tuple(graph.iri for graph in found.graphs if graph.triples)
    return Dataset(
        sight, database, found.version, found.manifest, graphs, described[VOID], described[VOID_ENDPOINT], holding
    )


def _of_database(sight: Sight) -> Dataset:
    try:
        store = ox.Store.read_only(str(sight.folder))
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(f"{sight.folder}: cannot be opened ({error})") from error
    said = query.table(query.ask(store, _HELD)).rows
    if len(said) != 1 or said[0][0].value != _COMPLETE:
        raise UsageError(f"{sight.folder}: holds no whole release; load one with `pfocr-rdf load`")
    graphs = tuple(sorted(str(graph.value) for graph in store.named_graphs()))
    of_void = [ox.NamedNode(iri) for iri in graphs if is_void_graph(iri)]
    quads = (quad for graph in of_void for quad in store.quads_for_pattern(None, None, None, graph))
    described = sorted(f"{quad.triple} .\n" for quad in quads)
    version, manifest = said[0][1].value if said[0][1] else "", said[0][2].value
    return Dataset(sight, sight.folder, version, manifest, graphs, "", "".join(described), ExitStack())


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    try:
        prepare(look(Path(sys.argv[1]))).holding.close()
    except UsageError as problem:
        sys.exit(str(problem))
