"""Whether a store holds what a release says: triples of each graph, things of each class, and a sample of figures.

A sample is the same each time: it depends on the figids alone. Literals are compared by value, for stores spell
numbers and languages their own way.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from decimal import Decimal, InvalidOperation
from itertools import groupby, islice
from typing import Any

from pfocr_rdf import buildfolder, codecs, serialize, subjects, vocab
from pfocr_rdf import identifiers as ids
from pfocr_rdf.blocks import Source, count
from pfocr_rdf.identifiers import figure
from pfocr_rdf.model import EVIDENCE, Layer
from pfocr_rdf.release.info import VOID_ENDPOINT
from pfocr_rdf.stores.content import LAYERS, Content
from pfocr_rdf.stores.contract import Delta, Store, lines_of
from pfocr_rdf.subjects import Indexed
from pfocr_rdf.terms import expand, iri

SAMPLE = 25
"""So many figures that changed are compared, and so many others."""

_CLASSES = (
    f"SELECT ?graph ?class (COUNT(?x) AS ?n) WHERE {{ GRAPH ?graph {{ ?x <{expand('a')}> ?class }} }} "
    "GROUP BY ?graph ?class"
)
_TRIPLES = "SELECT (COUNT(*) AS ?n) WHERE {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}"
_BY_SUBJECT = (
    "SELECT ?graph ?s (COUNT(*) AS ?n) WHERE {{ VALUES ?s {{ {subjects} }} GRAPH ?graph {{ ?s ?p ?o }} "
    "FILTER (?graph = <{graph}>) }} GROUP BY ?graph ?s"
)
"""With the graph itself in place of the variable, Blazegraph answers nothing where there is more than one subject."""
_COUNTED_TOGETHER = 500
"""Subjects of one query that counts triples of each."""

LARGE = 1_000_000
"""A graph of more triples is not counted as a whole after a change of at most `MANY`."""

MANY = 100_000

_OF_SUBJECTS = "SELECT ?graph ?s ?p ?o WHERE {{ VALUES ?s {{ {subjects} }} GRAPH ?graph {{ ?s ?p ?o }} }}"
_TOGETHER = 100
"""Subjects of one query of a sample."""

_COUNTED = {
    "figures": (vocab.FIGURE, Layer.CORE),
    "papers": (vocab.ACADEMIC_ARTICLE, Layer.CORE),
    "genes": (vocab.GENE, Layer.ENTITIES),
    "chemicals": (vocab.CHEMICAL, Layer.ENTITIES),
    "diseases": (vocab.MEDICAL_CONDITION, Layer.ENTITIES),
    "taxa": (vocab.TAXON, Layer.ENTITIES),
}
"""What the manifest counts, by class and layer; mentions stand in several layers."""

Unsound = dict[str, str]
"""Graphs that are not what the release says, and in a few words why."""

Stated = tuple[str, str, tuple[str, str, str, str]]
"""Graph, predicate and object of a triple of the sample, the object by value."""


def counts(store: Store, content: Content) -> Unsound:
    """Return those graphs of some content that have another number of triples in a store, or of things of a class.

    Raises `StoreError` when the store does not answer.
    """
    there = store.counts()
    unsound = {
        graph.iri: f"{there.get(graph.iri, 0):,} triples instead of {graph.triples:,}"
        for graph in content.graphs
        if there.get(graph.iri, 0) != graph.triples
    }
    found = {(graph.value, cls.value): int(n.value) for graph, cls, n in store.select(_CLASSES).rows}
    for (graph, cls), number in _expected_classes(content).items():
        if graph not in unsound and found.get((graph, cls), 0) != number:
            unsound[graph] = f"{found.get((graph, cls), 0):,} of class {cls} instead of {number:,}"
    if "mentions" in (stated := _manifest_counts(content)):
        evidence = {ids.graph(layer) for layer in EVIDENCE.values()}
        mentions = sum(n for (graph, cls), n in found.items() if graph in evidence and cls == expand(vocab.ANNOTATION))
        loaded = {graph.iri for graph in content.graphs}
        if evidence <= loaded and not evidence & unsound.keys() and mentions != stated["mentions"]:
            for graph in sorted(evidence):
                unsound[graph] = f"{mentions:,} mentions in all instead of {stated['mentions']:,}"
    return unsound


def changed(store: Store, content: Content, deltas: Iterable[Delta]) -> Unsound:
    """Return those graphs that have another number of triples in a store that was changed than some content says.

    Of large graphs of which little has changed, the subjects that have changed are counted and no others, if the store
    answers many questions as fast as one: to count a whole graph some read all of it.
    Raises `StoreError` when the store does not answer.
    """
    by_graph = {delta.iri: delta for delta in deltas}
    stated = {**dict.fromkeys(by_graph, 0), **{graph.iri: graph.triples for graph in content.graphs}}
    large = {
        graph
        for graph in (LAYERS.keys() & stated.keys() if not store.abilities.starts else ())
        if stated[graph] > LARGE and (graph not in by_graph or by_graph[graph].triples <= MANY)
    }
    there = store.counts() if not large else {graph: _triples_in(store, graph) for graph in stated.keys() - large}
    unsound = {
        graph: f"{there.get(graph, 0):,} triples instead of {triples:,}"
        for graph, triples in stated.items()
        if graph not in large and there.get(graph, 0) != triples
    }
    layers = subjects.indexed(content.place)
    for graph in sorted(large & by_graph.keys()):
        if wrong := next(_unequal(store, layers[LAYERS[graph]], by_graph[graph]), None):
            unsound[graph] = "{} has {:,} triples instead of {:,}".format(*wrong)
    return unsound


def _triples_in(store: Store, graph: str) -> int:
    [[number]] = store.select(_TRIPLES.format(graph=graph)).rows
    return int(number.value)


def _unequal(store: Store, layer: Indexed, delta: Delta) -> Iterator[tuple[str, int, int]]:
    """Yield the subjects of a change that have other numbers of triples in a store than in a layer; both numbers."""
    lines = heapq.merge(lines_of(delta.removed), lines_of(delta.added))
    names = (subject for subject, _ in groupby(lines, key=lambda line: line[1 : line.index("> ")]))
    while some := list(islice(names, _COUNTED_TOGETHER)):
        stated = {subject: count(text.encode()) for subject, text in layer.of(some)}
        asked = _BY_SUBJECT.format(graph=delta.iri, subjects=" ".join(map(iri_of, some)))
        there = {subject.value: int(number.value) for _, subject, number in store.select(asked).rows}
        for subject in some:
            if there.get(subject, 0) != stated.get(subject, 0):
                yield subject, there.get(subject, 0), stated.get(subject, 0)


def _manifest_counts(content: Content) -> Mapping[str, int]:
    found: Mapping[str, int] = buildfolder.read_manifest(content.place)["counts"]
    return found


def _expected_classes(content: Content) -> dict[tuple[str, str], int]:
    """Return how many things of each class the manifest and the description say that each graph has."""
    loaded = {graph.iri for graph in content.graphs}
    stated = _manifest_counts(content)
    expected = {(ids.graph(layer), expand(cls)): int(stated[name]) for name, (cls, layer) in _COUNTED.items()}
    return {key: n for key, n in (expected | _described(content)).items() if key[0] in loaded}


def _described(content: Content) -> dict[tuple[str, str], int]:
    """Return the class partitions of named graphs in the description of a release; none for a build."""
    path = content.place / VOID_ENDPOINT
    if not path.is_file():
        return {}
    partitions: dict[str, str] = {}
    known: dict[str, dict[str, str]] = {}
    for subject, text in subjects.of_file(path):
        said = subjects.said(text)
        if subject in LAYERS:
            partitions |= {expand(part): subject for part in said.get("void:classPartition", [])}
        elif "void:class" in said and "void:entities" in said:
            known[subject] = {name: said[name][0] for name in ("void:class", "void:entities")}
    return {
        (partitions[part], expand(said["void:class"])): int(said["void:entities"])
        for part, said in known.items()
        if part in partitions
    }


def sample(store: Store, content: Content, changed: Iterable[str], size: int = SAMPLE) -> tuple[Unsound, int]:
    """Compare all triples of some figures and their mentions; return what differs, and how many figures were compared.

    `changed` are the figids that a change was about; some of them are taken, and some others of the release. Of a
    figure that went there must be nothing but its tombstone. Raises `StoreError` when the store does not answer.
    """
    layers = subjects.indexed(content.place)
    about = set(changed)
    figids = sorted(about, key=_mixed)[:size]
    figids += [figid for figid in _others(layers[Layer.CORE], 2 * size) if figid not in about][:size]
    loaded = {graph.iri for graph in content.graphs}
    expected, asked = _expected(layers, figids, loaded)
    found: Counter[tuple[str, Stated]] = Counter()
    for start in range(0, len(asked), _TOGETHER):
        names = " ".join(map(iri_of, asked[start : start + _TOGETHER]))
        for graph, subject, predicate, value in store.select(_OF_SUBJECTS.format(subjects=names)).rows:
            if graph.value in loaded and graph.value in LAYERS:
                found[subject.value, (graph.value, predicate.value, by_value(value))] += 1
    unsound: Unsound = {}
    for subject, (graph, *_) in sorted((expected - found) + (found - expected)):
        unsound.setdefault(graph, f"{subject} is not what the release says")
    return unsound, len(figids)


def iri_of(name: str) -> str:
    """Return an IRI in angle brackets, whatever prefix it could have."""
    return serialize.full(iri(name))


def _mixed(figid: str) -> str:
    return hashlib.sha256(figid.encode()).hexdigest()


def _others(core: Indexed, size: int) -> list[str]:
    """Return figids of a release, evenly out of all of it."""
    blocks = [block for block in core.blocks if block.first.startswith(ids.FIGURES)]
    chosen = blocks[:: max(1, len(blocks) // size)][:size]
    each = -(-size // max(1, len(chosen)))
    found: list[str] = []
    with closing(Source(str(core.path), codecs.of_file(core.path))) as source:
        for block in chosen:
            names = (name for name, _ in source.items(block) if name.endswith(".html"))
            found += [ids.figid_of(name) for name in islice(names, each)]
    return sorted(found, key=_mixed)[:size]


def _expected(
    layers: Mapping[Layer, Indexed], figids: list[str], loaded: set[str]
) -> tuple[Counter[tuple[str, Stated]], list[str]]:
    """Return all that the release says of some figures and their mentions, and their IRIs."""
    figures = {figure(figid) for figid in figids}
    asked = set(figures)
    expected: Counter[tuple[str, Stated]] = Counter()
    for layer, index in layers.items():
        graph = ids.graph(layer)
        if graph not in loaded:
            continue
        for subject, text in _items(layer, index, figids, figures):
            asked.add(subject)
            for triple in _triples(text):
                expected[subject, (graph, triple.predicate.value, by_value(triple.object))] += 1
    return expected, sorted(asked)


def _items(layer: Layer, index: Indexed, figids: list[str], figures: set[str]) -> Iterator[tuple[str, str]]:
    if layer in EVIDENCE.values():
        for figid in figids:
            yield from index.beginning(f"{ids.MENTIONS}{ids.slug(figid)}/")
    elif index.blocks:
        yield from index.of(figures)


def _triples(text: str) -> Iterator[Any]:
    import pyoxigraph as ox

    lines = "".join(serialize.ntriples(text))
    return iter(ox.parse(lines, format=ox.RdfFormat.N_TRIPLES))


def by_value(term: Any) -> tuple[str, str, str, str]:
    """Return a term so that terms of equal value are equal: kind, text, datatype, language."""
    if not hasattr(term, "datatype"):
        return type(term).__name__, term.value, "", ""
    text, datatype = term.value, term.datatype.value
    if datatype == f"{ids.PREFIXES['xsd']}boolean":
        return "Literal", {"1": "true", "0": "false"}.get(text, text), datatype, ""
    if datatype.removeprefix(ids.PREFIXES["xsd"]) in ("integer", "decimal", "double", "float"):
        try:
            return "number", str(Decimal(text).normalize()), "", ""
        except InvalidOperation:
            return "Literal", text, datatype, ""
    return "Literal", text, datatype, (term.language or "").lower()
