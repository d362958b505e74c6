"""How many triples, subjects, objects, classes, properties and links the layers of a build hold, and all together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PropertyCounts:
    """What one property has: triples, distinct subjects and distinct objects."""

    triples: int
    subjects: int
    objects: int


@dataclass(frozen=True, slots=True)
class Counts:
    """What a graph holds.

    `subjects` and `objects` are distinct terms, `literals` those of the objects that are literals, `entities` the
    subjects that have a type; `classes` are instances by the class's IRI, `properties` go by the property's IRI.
    """

    triples: int
    subjects: int
    objects: int
    literals: int
    entities: int
    classes: Mapping[str, int]
    properties: Mapping[str, PropertyCounts]


@dataclass(frozen=True, slots=True)
class Linkset:
    """Links of a layer: so many triples with one predicate from one namespace of IRIs to another."""

    layer: str
    predicate: str
    subjects: str
    objects: str
    triples: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """The counts of each layer, of their union, and the linksets of all layers."""

    layers: Mapping[str, Counts]
    whole: Counts
    linksets: Sequence[Linkset]
