"""How many triples, subjects, objects, classes, properties and links the layers of a build hold, and all together.

One pass over the blocks, in any number of processes. A block is taken apart as `serialize` laid it out; what must be
told apart is hashed and goes to files, one for each property, so memory holds one property's hashes at a time. Hashes
have 64 bits: with n distinct terms the chance that two are taken for one is below n * n / 2**65, under 1 in 100,000
for the whole database.
"""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from pfocr_rdf import blocks, codecs, serialize, subjects
from pfocr_rdf.blocks import Block
from pfocr_rdf.errors import UsageError
from pfocr_rdf.release import spaces
from pfocr_rdf.terms import Token, expand
from pfocr_rdf.workers import Engine, Serial

_HASH_BYTES = 8
_SUBJECTS, _IRIS, _LITERALS = "s", "i", "l"


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


@dataclass(frozen=True, slots=True, order=True)
class Linkset:
    """Links of a layer: so many triples with one predicate from one namespace (its name in `spaces`) to another's."""

    layer: str
    predicate: str
    subjects: str
    objects: str
    triples: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """The counts of each layer, of their union, the linksets of all layers, and some subjects of each layer."""

    layers: Mapping[str, Counts]
    whole: Counts
    linksets: Sequence[Linkset]
    examples: Mapping[str, Sequence[str]]


class _Task(NamedTuple):
    """Some blocks of one layer's file."""

    layer: str
    path: Path
    blocks: Sequence[Block]


@dataclass(slots=True)
class _Found:
    """What a task found, by predicate (a token); hashes of distinct terms lie one after the other."""

    layer: str
    subjects: int = 0
    triples: Counter[Token] = field(default_factory=Counter)
    with_predicate: Counter[Token] = field(default_factory=Counter)
    classes: Counter[Token] = field(default_factory=Counter)
    links: Counter[tuple[Token, str, str]] = field(default_factory=Counter)
    hashes: dict[tuple[str, Token], bytes] = field(default_factory=dict)


def count(build: Path, engine: Engine | None = None, done: Callable[[int], None] = lambda _: None) -> Statistics:
    """Return the statistics of a build; `done` is told the number of triples that were looked at since.

    Raises `UsageError` when a file is missing or is not what `blocks.tsv` says of it, or numpy is missing.
    """
    layers = subjects.indexed(build).values()
    tasks = [_Task(str(layer.layer), layer.path, group) for layer in layers for group in subjects.groups(layer.blocks)]
    with tempfile.TemporaryDirectory(prefix="pfocr-rdf-statistics-") as folder:
        totals = _Totals(Path(folder))
        for found in (engine or Serial()).map(_scan, tasks):
            totals.add(found)
            done(found.triples.total())
        return totals.statistics({str(layer.layer): _examples(layer.firsts) for layer in layers})


def _examples(subjects: Sequence[str]) -> list[str]:
    """Return the first of some subjects in each known namespace; where none is known, the first of all."""
    first: dict[str, str] = {}
    for subject in subjects:
        first.setdefault(spaces.of(subject), subject)
    known = sorted(subject for space, subject in first.items() if space)
    return known or list(first.values())


def _scan(task: _Task) -> _Found:
    """Count what is in some blocks."""
    found = _Found(task.layer)
    subjects: defaultdict[Token, list[bytes]] = defaultdict(list)
    objects: defaultdict[tuple[str, Token], list[Token]] = defaultdict(list)
    source = blocks.Source(str(task.path), codecs.of_file(task.path))
    try:
        for block in task.blocks:
            found.subjects += _take_apart(source.text(block).decode(), subjects, objects)
    finally:
        source.close()
    for predicate, hashed in subjects.items():
        found.with_predicate[predicate] = len(hashed)
        found.hashes[_SUBJECTS, predicate] = b"".join(hashed)
    for (space, predicate), values in objects.items():
        _take_objects(found, space, predicate, values)
    return found


def _take_apart(text: str, subjects: dict[Token, list[bytes]], objects: dict[tuple[str, Token], list[Token]]) -> int:
    """Return the number of subjects of a block.

    The hash of each is added to those of its predicates; its objects, to those of predicate and subject's namespace.
    """
    stanzas = text[:-2].split("\n\n")
    for stanza in stanzas:
        subject, _, rest = stanza.partition("\n")
        iri = expand(subject)
        hashed = blake2b(f"<{iri}>".encode(), digest_size=_HASH_BYTES).digest()
        space = spaces.of(iri)
        for part in rest[4:-2].split(serialize.END_OF_OBJECTS):
            predicate, _, values = part.partition(" ")
            subjects[predicate].append(hashed)
            if serialize.BETWEEN_OBJECTS in values:
                objects[space, predicate] += values.split(serialize.BETWEEN_OBJECTS)
            else:
                objects[space, predicate].append(values)
    return len(stanzas)


def _take_objects(found: _Found, space: str, predicate: Token, values: list[Token]) -> None:
    """Count the objects that a predicate has with subjects of one namespace, tell them apart, and find links."""
    objects = Counter(values)
    found.triples[predicate] += len(values)
    if predicate == "a":
        found.classes.update(objects)
    literals, iris = [], []
    for token, times in objects.items():
        term = token if token[0] == "<" else serialize.full(token)
        hashed = blake2b(term.encode(), digest_size=_HASH_BYTES).digest()
        if term[0] != "<":
            literals.append(hashed)
            continue
        iris.append(hashed)
        if space and (target := spaces.of(term[1:-1])):
            found.links[predicate, space, target] += times
    for role, hashes in ((_IRIS, iris), (_LITERALS, literals)):
        if hashes:
            found.hashes[role, predicate] = found.hashes.get((role, predicate), b"") + b"".join(hashes)


class _Totals:
    """What all tasks found; hashes lie in files of a folder."""

    def __init__(self, folder: Path) -> None:
        """Begin with nothing."""
        try:
            import numpy
        except ImportError as error:
            raise UsageError("statistics need the extra `release`: pip install 'pfocr-rdf[release]'") from error
        self._numpy = numpy
        self._folder = folder
        self._files: dict[tuple[str, str, Token], Path] = {}
        self._clean: set[tuple[str, str, Token]] = set()
        self._found: dict[str, _Found] = {}

    def add(self, found: _Found) -> None:
        """Take what a task found."""
        total = self._found.setdefault(found.layer, _Found(found.layer))
        total.subjects += found.subjects
        for name in ("triples", "with_predicate", "classes", "links"):
            getattr(total, name).update(getattr(found, name))
        for (role, predicate), data in found.hashes.items():
            key = (found.layer, role, predicate)
            path = self._files.setdefault(key, self._folder / str(len(self._files)))
            with path.open("ab") as out:
                out.write(data)

    def statistics(self, examples: Mapping[str, Sequence[str]]) -> Statistics:
        """Return the statistics of some layers, in this order, with their examples."""
        layers = list(examples)
        counted = {layer: self._of_layer(self._found.get(layer) or _Found(layer)) for layer in layers}
        links = (
            Linkset(layer, expand(predicate), start, target, triples)
            for layer in layers
            if layer in self._found
            for (predicate, start, target), triples in self._found[layer].links.items()
        )
        return Statistics(
            counted,
            self._of_all(layers),
            sorted(link for link in links if spaces.BY_NAME[link.objects].foreign and link.subjects != link.objects),
            examples,
        )

    def _of_layer(self, found: _Found) -> Counts:
        layer = [found.layer]
        properties = {
            expand(predicate): PropertyCounts(
                triples, found.with_predicate[predicate], sum(self._objects(layer, [predicate]))
            )
            for predicate, triples in found.triples.items()
        }
        iris, literals = self._objects(layer, found.triples)
        return Counts(
            found.triples.total(),
            found.subjects,
            iris + literals,
            literals,
            found.with_predicate["a"],
            _by_iri(found.classes),
            dict(sorted(properties.items())),
        )

    def _of_all(self, layers: Sequence[str]) -> Counts:
        """Return the counts of the union; no triple stands in two layers, so those of triples and instances add up."""
        triples: Counter[Token] = Counter()
        classes: Counter[Token] = Counter()
        for found in self._found.values():
            triples.update(found.triples)
            classes.update(found.classes)
        properties = {
            expand(predicate): PropertyCounts(
                number, self._distinct(layers, _SUBJECTS, [predicate]), sum(self._objects(layers, [predicate]))
            )
            for predicate, number in triples.items()
        }
        iris, literals = self._objects(layers, triples)
        return Counts(
            triples.total(),
            self._distinct(layers, _SUBJECTS, triples),
            iris + literals,
            literals,
            self._distinct(layers, _SUBJECTS, ["a"]),
            _by_iri(classes),
            dict(sorted(properties.items())),
        )

    def _objects(self, layers: Sequence[str], predicates: Iterable[Token]) -> tuple[int, int]:
        """Return how many IRIs and how many literals are objects of some predicates in some layers."""
        predicates = list(predicates)
        return self._distinct(layers, _IRIS, predicates), self._distinct(layers, _LITERALS, predicates)

    def _distinct(self, layers: Sequence[str], role: str, predicates: Iterable[Token]) -> int:
        """Return how many distinct hashes there are."""
        keys = [(layer, role, predicate) for predicate in predicates for layer in layers]
        found = [self._hashes(key) for key in keys if key in self._files]
        if len(found) < 2:
            return sum(map(len, found))
        together = self._numpy.concatenate(found)
        del found
        return len(self._unique(together))

    def _hashes(self, key: tuple[str, str, Token]) -> Any:
        """Return the distinct hashes of a file, which is left with each of them once."""
        hashes = self._numpy.fromfile(self._files[key], dtype=self._numpy.uint64)
        if key not in self._clean:
            hashes = self._unique(hashes)
            hashes.tofile(self._files[key])
            self._clean.add(key)
        return hashes

    def _unique(self, hashes: Any) -> Any:
        """Return each hash once, in order; sorting in place takes less memory than `numpy.unique`."""
        hashes.sort()
        first = self._numpy.ones(len(hashes), dtype=bool)
        self._numpy.not_equal(hashes[1:], hashes[:-1], out=first[1:])
        return hashes[first]


def _by_iri(counts: Counter[Token]) -> dict[str, int]:
    return dict(sorted((expand(token), number) for token, number in counts.items()))
