"""The graph `https://w3id.org/pfocr/graph/held`: what a store holds, written in the act that changes it, and read back.

Version, hash of the manifest, state, and for each graph its IRI, the SHA-256 of its file and its triples. A graph
without a hash is one that was being written when this was said. All terms are of others: PAV, DCMI, VoID, SPDX, SIO,
schema.org, and the service description of SPARQL 1.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from pfocr_rdf import serialize
from pfocr_rdf.release.provenance import checksum
from pfocr_rdf.release.void import SD
from pfocr_rdf.release.withdrawn import DATASETS
from pfocr_rdf.stores.content import HELD, Content
from pfocr_rdf.stores.contract import Graph, Store
from pfocr_rdf.terms import Pair, expand, integer, iri, string

_SAID = f"SELECT ?subject ?predicate ?object WHERE {{ GRAPH <{HELD}> {{ ?subject ?predicate ?object }} }}"
_ALL, _PART = "all", "part"
_CHANGED = f"{HELD}#changed"
_COUNT, _VALUE = "sio:SIO_000794", "sio:SIO_000300"


class State(StrEnum):
    """Whether what a store holds is a release, or on the way to it."""

    COMPLETE = "complete"
    LOADING = "loading"
    UPDATING = "updating"


@dataclass(frozen=True, slots=True)
class Entry:
    """A graph that is there: the SHA-256 of the file that it was loaded from, and its triples."""

    sha256: str
    triples: int


@dataclass(frozen=True, slots=True)
class Held:
    """What a store holds, or, in another state than `COMPLETE`, will hold.

    `version` is empty for a build. `graphs` are by IRI, without entry while they are written. `part` is whether only
    some layers are wanted. `former` is the manifest's hash of what an update comes from, empty where
    the next run has to load. `changed` counts triples that
    came or went since the store gave space back; two that differ in it alone are equal.
    """

    version: str
    manifest: str
    state: State
    part: bool
    graphs: Mapping[str, Entry | None]
    former: str = ""
    changed: int = field(default=0, compare=False)

    def with_graphs(self, graphs: Iterable[Graph]) -> Held:
        """Return the same with the entries of some graphs, as they are when they hold their files."""
        return replace(self, graphs={**self.graphs, **{graph.iri: entry(graph) for graph in graphs}})

    def without(self, graphs: Iterable[str]) -> Held:
        """Return the same with no entries for some graphs: these are written."""
        return replace(self, graphs={**self.graphs, **dict.fromkeys(graphs)})

    @property
    def name(self) -> str:
        """The version, or the beginning of the manifest's hash where there is none."""
        return self.version or f"the build {self.manifest[:12]}"


def entry(graph: Graph) -> Entry:
    """Return the entry of a graph that holds its file."""
    return Entry(graph.sha256, graph.triples)


def of(content: Content, *, part: bool, changed: int = 0) -> Held:
    """Return what is said of a store that holds all of some content."""
    entries = {graph.iri: entry(graph) for graph in content.graphs}
    return Held(content.version, content.manifest, State.COMPLETE, part, entries, changed=changed)


def notes(held: Held) -> dict[str, str]:
    """Return the graph that says it, by its IRI, as sorted N-Triples: notes of `Store.replace` and `Store.change`."""
    names = _named(held.graphs)
    said: dict[str, list[Pair]] = {
        HELD: [
            ("a", iri(f"{SD}Dataset")),
            ("dcterms:identifier", string(held.manifest)),
            ("schema:creativeWorkStatus", string(held.state)),
            ("dcterms:extent", string(_PART if held.part else _ALL)),
            *((iri(f"{SD}namedGraph"), iri(name)) for name in names.values()),
        ]
    }
    if held.version:
        said[HELD] += [("pav:version", string(held.version)), ("dcterms:source", iri(DATASETS + held.version))]
    said[_CHANGED] = [
        ("a", _COUNT),
        ("dcterms:title", string("triples that changed since space was given back")),
        (_VALUE, integer(held.changed)),
    ]
    if held.former:
        said[HELD].append(("dcterms:replaces", string(held.former)))
    for graph, name in names.items():
        said[name] = [("a", iri(f"{SD}NamedGraph")), (iri(f"{SD}name"), iri(graph))]
        if known := held.graphs[graph]:
            said[name].append(("void:triples", integer(known.triples)))
            for subject, pairs in checksum(name, known.sha256):
                said.setdefault(subject, []).extend(pairs)
    text = "".join(serialize.block(subject, pairs) for subject, pairs in said.items())
    return {HELD: "".join(sorted(serialize.ntriples(text)))}


def _named(graphs: Iterable[str]) -> dict[str, str]:
    """Return for each graph the IRI by which it is spoken of: two may end alike, when an endpoint moves."""
    names: dict[str, str] = {}
    for graph in sorted(graphs):
        name = f"{HELD}#{graph.rpartition('/')[2]}"
        while name in names.values():
            name += "-"
        names[graph] = name
    return names


def read(store: Store) -> Held | None:
    """Return what a store says that it holds; None where it says nothing, or nothing that can be understood.

    Raises `StoreError` when it does not answer.
    """
    said: dict[str, dict[str, list[str]]] = {}
    for subject, predicate, value in store.select(_SAID).rows:
        said.setdefault(subject.value, {}).setdefault(predicate.value, []).append(value.value)
    try:
        return _understood(said)
    except (KeyError, IndexError, ValueError):
        return None


def _understood(said: dict[str, dict[str, list[str]]]) -> Held | None:
    if HELD not in said:
        return None

    def one(subject: str, name: str, default: str | None = None) -> str:
        values = said[subject].get(expand(name), [] if default is None else [default])
        if len(values) != 1:
            raise ValueError(name)
        return values[0]

    graphs: dict[str, Any] = {}
    for name in sorted(said[HELD].get(f"{SD}namedGraph", [])):
        graph = said[name][f"{SD}name"][0]
        graphs[graph] = None
        if expand("spdx:checksum") in said[name]:
            digest = one(one(name, "spdx:checksum"), "spdx:checksumValue").lower()
            graphs[graph] = Entry(digest, int(one(name, "void:triples")))
    return Held(
        one(HELD, "pav:version", ""),
        one(HELD, "dcterms:identifier"),
        State(one(HELD, "schema:creativeWorkStatus")),
        one(HELD, "dcterms:extent") == _PART,
        graphs,
        one(HELD, "dcterms:replaces", ""),
        int(one(_CHANGED, _VALUE)),
    )
