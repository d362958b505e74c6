"""What a release or a build gives to a store: its named graphs, their files and numbers, and the hash that names it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pfocr_rdf import buildfolder
from pfocr_rdf import identifiers as ids
from pfocr_rdf.errors import UsageError
from pfocr_rdf.model import Layer
from pfocr_rdf.release import folder, withdrawn
from pfocr_rdf.release.info import VOID_ENDPOINT, void_graph
from pfocr_rdf.stores import files
from pfocr_rdf.stores.contract import Graph

HELD = ids.graph("held")
"""The graph that says what a store holds; see `stores.held`."""

LAYERS = {ids.graph(layer): layer for layer in Layer}
"""The layer of each graph that has one."""


@dataclass(frozen=True, slots=True)
class Content:
    """A release or a build as a store takes it; `version` is empty for a build, `manifest` the hash of its manifest."""

    place: Path
    version: str
    manifest: str
    graphs: tuple[Graph, ...]
    figures: int

    def only(self, names: list[str]) -> Content:
        """Return what remains of it when only some layers (`core`, `xrefs`, ...) are wanted.

        Raises `UsageError` for a name that the release has no graph of.
        """
        known = {graph.iri.rpartition("/")[2]: graph for graph in self.graphs}
        if unknown := [name for name in names if name not in known]:
            raise UsageError(f"{unknown[0]}: is no layer of {self.place}; there are {', '.join(sorted(known))}")
        return Content(
            self.place, self.version, self.manifest, tuple(known[name] for name in dict.fromkeys(names)), self.figures
        )


def read(place: Path) -> Content:
    """Return what a release folder, a folder of releases (its `current`) or a build folder gives to a store.

    Raises `UsageError` when it is none of them.
    """
    place = place / folder.CURRENT if (place / folder.CURRENT).exists() else place
    build = buildfolder.find_build(place.resolve())
    manifest = buildfolder.read_manifest(build)
    graphs = [
        Graph(ids.graph(layer), build / entry["file"], entry["triples"], entry["sha256"])
        for layer in Layer
        if (entry := manifest["layers"].get(str(layer)))
    ]
    version = ""
    if (build / folder.RELEASE).exists():
        release = folder.read_release(build)
        version, described = str(release["version"]), void_graph(release.get("endpoint"))
        for iri, name in ((withdrawn.GRAPH, withdrawn.NAME), (described, VOID_ENDPOINT)):
            graphs.append(_small(iri, build / name))
    named = buildfolder.describe_file(build / buildfolder.MANIFEST)["sha256"]
    return Content(build, version, named, tuple(graphs), int(manifest["counts"]["figures"]))


def _small(iri: str, path: Path) -> Graph:
    """Count the triples of a file that no manifest counts; they are few."""
    return Graph(iri, path, len(set(files.lines(path))), buildfolder.describe_file(path)["sha256"])
