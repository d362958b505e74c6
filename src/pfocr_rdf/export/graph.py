"""Reading a build's graph figure by figure: the only place of the export that knows pyoxigraph."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import pyoxigraph as ox

from pfocr_rdf import identifiers as ids
from pfocr_rdf import vocab as v
from pfocr_rdf.model import Layer
from pfocr_rdf.terms import expand

Dissents = dict[tuple[str, str], list[str]]
"""What places say otherwise: (place, field) to values."""


class Graph:
    """Questions to a store in which each layer is a named graph."""

    def __init__(self, store: ox.Store) -> None:
        """Ask `store`."""
        self.store = store
        self.dissents = lru_cache(maxsize=4096)(self._dissents)

    def values(self, subject: str, predicate: str, layer: Layer) -> list[str]:
        """Return the objects (IRIs or texts), sorted."""
        quads = self.store.quads_for_pattern(
            ox.NamedNode(subject), ox.NamedNode(expand(predicate)), None, _graph(layer)
        )
        return sorted(_text(quad.object) for quad in quads)

    def value(self, subject: str, predicate: str, layer: Layer) -> str:
        """Return the first object, or an empty text."""
        return next(iter(self.values(subject, predicate, layer)), "")

    def subjects(self, predicate: str, value: str, layer: Layer) -> list[str]:
        """Return the subjects that have an IRI as object, sorted."""
        quads = self.store.quads_for_pattern(None, ox.NamedNode(expand(predicate)), ox.NamedNode(value), _graph(layer))
        return sorted(_text(quad.subject) for quad in quads)

    def typed(self, cls: str, layer: Layer) -> list[str]:
        """Return all subjects of a class, sorted."""
        return self.subjects(v.A, expand(cls), layer)

    def pairs(self, subject: str, layer: Layer) -> Iterator[tuple[str, ox.NamedNode | ox.Literal]]:
        """Yield predicate IRIs and objects of a subject."""
        for quad in self.store.quads_for_pattern(ox.NamedNode(subject), None, None, _graph(layer)):
            if isinstance(quad.object, (ox.NamedNode, ox.Literal)):
                yield quad.predicate.value, quad.object

    def _dissents(self, subject: str, layer: Layer) -> Dissents:
        found: Dissents = {}
        for text in self.values(subject, v.PFOCR_DISSENT, layer):
            place, _, said = text.partition(" ")
            name, _, value = said.partition("=")
            found.setdefault((place, name), []).append(value)
        return found

    def said(self, subject: str, layer: Layer, place: str, name: str, default: str) -> str:
        """Return what a place says of a field: its dissent, else the value that all share."""
        return self.dissents(subject, layer).get((place, name), [default])[0]

    @lru_cache(maxsize=65536)  # noqa: B019 - a graph lives as long as its export
    def label(self, entity: str) -> str:
        """Return the label of an entity."""
        return self.value(entity, v.LABEL, Layer.ENTITIES)

    @lru_cache(maxsize=65536)  # noqa: B019
    def taxon_of(self, gene: str) -> str:
        """Return the taxon IRI of a gene."""
        return self.value(gene, v.TAXONOMIC_RANGE, Layer.ENTITIES)

    @lru_cache(maxsize=65536)  # noqa: B019
    def group_of(self, taxon: str) -> str:
        """Return the name of the group that a taxon is a member of."""
        groups = self.subjects(v.MEMBER, taxon, Layer.ENTITIES)
        return ids.decode(groups[0].removeprefix(ids.group(""))) if groups else ""


def _graph(layer: Layer) -> ox.NamedNode:
    return ox.NamedNode(ids.graph(layer))


def _text(term: object) -> str:
    return str(getattr(term, "value", term))
