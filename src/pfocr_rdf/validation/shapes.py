"""Our SHACL shapes as data: read from the bodies of the checks, refused where they need more than is evaluated here.

The subset of SHACL Core that `evaluate` knows, and that every SHACL engine knows too: node shapes with a name, targets
by class and by a subject's property, closed shapes, properties with one predicate as path, `sh:or` and `sh:not` of
shapes of the focus node. Nothing looks beyond the triples of one subject, so a subject at a time is enough.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

import pyoxigraph as ox

from pfocr_rdf.identifiers import PFD, PREFIXES
from pfocr_rdf.validation.checks import Check, Way, all_checks

SH = PREFIXES["sh"]
RDF = PREFIXES["rdf"]
XSD = PREFIXES["xsd"]
TYPE = f"{RDF}type"
NAMES = f"{PFD}shape/"
"""What the names of our shapes begin with."""
COMPAT = "compat"
"""The tag of a check whose shapes see the layer `compat` alone; all others see all layers but that one."""

Term = Any
"""An object as it is evaluated: the text of an IRI as `str`, else a pyoxigraph `Literal` or `BlankNode`."""
Test = Callable[[Term], bool]

_ABOUT = frozenset(f"{SH}{name}" for name in ("message", "name", "description"))
_NODE = frozenset(
    f"{SH}{name}" for name in ("targetClass", "targetSubjectsOf", "closed", "ignoredProperties", "property")
)
_LOGIC = frozenset(f"{SH}{name}" for name in ("or", "not"))
_LEXICAL = {
    "string": re.compile(r".*", re.DOTALL),
    "integer": re.compile(r"[+-]?[0-9]+"),
    "decimal": re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)"),
    "gYear": re.compile(r"-?([1-9][0-9]{3,}|0[0-9]{3})(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?"),
}
_NUMERIC = frozenset({"integer", "decimal", "double", "float", "int", "long", "nonNegativeInteger"})


class NotSupported(ValueError):
    """A shape needs something that is not evaluated here."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """A test that each value must pass, and the name of its kind in SHACL, such as `PatternConstraintComponent`."""

    component: str
    test: Test


@dataclass(frozen=True, slots=True)
class Property:
    """What holds for the values of one predicate; a `most` of -1 means no limit."""

    path: str
    least: int
    most: int
    constraints: tuple[Constraint, ...]
    needed: tuple[Term, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Shape:
    """A node shape: its name (empty within another shape), targets, and what holds for a focus node.

    `allowed` has the predicates of a closed shape, `either` groups of shapes of which one must hold, `none` shapes
    that must not.
    """

    name: str
    message: str
    classes: tuple[str, ...]
    subjects_of: tuple[str, ...]
    allowed: frozenset[str] | None
    constraints: tuple[Constraint, ...]
    properties: tuple[Property, ...]
    either: tuple[tuple[Shape, ...], ...]
    none: tuple[Shape, ...]


def read(text: str) -> tuple[Shape, ...]:
    """Return the named shapes of a Turtle document, by name.

    Raises `NotSupported` when they need what is not evaluated here, `SyntaxError` for no Turtle.
    """
    graph = _Graph(text)
    names = [node for node in graph.said if isinstance(node, ox.NamedNode)]
    shapes = tuple(sorted((graph.shape(node, named=True) for node in names), key=lambda shape: shape.name))
    if unread := graph.said.keys() - graph.read:
        raise NotSupported(f"belongs to no shape: {', '.join(sorted(map(str, unread)))}")
    return shapes


@cache
def of_check(check: Check) -> tuple[Shape, ...]:
    """Return the shapes of a check."""
    return read(check.body)


def shacl_checks() -> tuple[Check, ...]:
    """Return the checks whose bodies are shapes, by number."""
    return tuple(check for check in all_checks() if check.way is Way.SHACL)


def union() -> str:
    """Return all shapes as one Turtle document: prefixes once, then those of each check under its id and title.

    Shapes of checks tagged `compat` are told apart by the comment, for they are meant for that layer alone.
    """
    prefixes: set[str] = set()
    parts: list[str] = []
    for check in shacl_checks():
        lines = check.body.split("\n")
        prefixes |= {line for line in lines if line.startswith("@prefix ")}
        shapes = "\n".join(line for line in lines if not line.startswith("@prefix ")).strip()
        where = "the layer compat alone" if COMPAT in check.tags else "all layers but compat, taken together"
        parts.append(f"# {check.id}: {check.title} ({check.severity})\n# Holds for {where}.\n\n{shapes}\n")
    return "\n".join(["\n".join(sorted(prefixes)) + "\n", *parts])


class _Graph:
    """A shapes graph while it is read."""

    def __init__(self, text: str) -> None:
        self.said: dict[Any, dict[str, list[Any]]] = {}
        self.read: set[Any] = set()
        for triple in ox.parse(text, format=ox.RdfFormat.TURTLE):
            self.said.setdefault(triple.subject, {}).setdefault(triple.predicate.value, []).append(triple.object)

    def shape(self, node: Any, *, named: bool = False) -> Shape:
        said = self._take(node)
        if named and said.pop(TYPE, None) != [ox.NamedNode(f"{SH}NodeShape")]:
            raise NotSupported(f"{node}: is no sh:NodeShape")
        if named != isinstance(node, ox.NamedNode) or (named and not node.value.startswith(NAMES)):
            raise NotSupported(f"{node}: shapes are named {NAMES}..., shapes within them have no name")
        classes, subjects_of = (
            tuple(sorted(target.value for target in said.get(f"{SH}{name}", ())))
            for name in ("targetClass", "targetSubjectsOf")
        )
        if named != bool(classes or subjects_of):
            raise NotSupported(f"{node}: named shapes have targets, shapes within them have none")
        return Shape(
            node.value if named else "",
            self._text(said, "message"),
            classes,
            subjects_of,
            self._allowed(said),
            self._constraints(node, said, _NODE | _LOGIC),
            tuple(self._property(found) for found in said.get(f"{SH}property", [])),
            tuple(tuple(map(self.shape, self._list(found))) for found in said.get(f"{SH}or", [])),
            tuple(self.shape(found) for found in said.get(f"{SH}not", [])),
        )

    def _property(self, node: Any) -> Property:
        said = self._take(node)
        path = said.get(f"{SH}path", [])
        if len(path) != 1 or not isinstance(path[0], ox.NamedNode):
            raise NotSupported(f"{node}: the path of a property is one predicate")
        counts = [self._text(said, name) for name in ("minCount", "maxCount")]
        known = frozenset(f"{SH}{name}" for name in ("path", "minCount", "maxCount", "hasValue"))
        return Property(
            path[0].value,
            int(counts[0] or 0),
            int(counts[1] or -1),
            self._constraints(node, said, known),
            tuple(_plain(value) for value in said.get(f"{SH}hasValue", [])),
            self._text(said, "message"),
        )

    def _constraints(self, node: Any, said: dict[str, list[Any]], others: frozenset[str]) -> tuple[Constraint, ...]:
        """Return the tests of single values; refuse what is neither one of them nor among `others`."""
        found = []
        for predicate, objects in sorted(said.items()):
            name = predicate.removeprefix(SH)
            if predicate in others or predicate in _ABOUT:
                continue
            if name not in _TESTS:
                raise NotSupported(f"{node}: {predicate} is not evaluated here")
            for value in objects:
                given = self._list(value) if name in ("in", "languageIn") else value
                found.append(Constraint(f"{name[0].upper()}{name[1:]}ConstraintComponent", _TESTS[name](given)))
        return tuple(found)

    def _allowed(self, said: dict[str, list[Any]]) -> frozenset[str] | None:
        if self._text(said, "closed") != "true":
            return None
        ignored = [term.value for head in said.get(f"{SH}ignoredProperties", []) for term in self._list(head)]
        paths = [path.value for node in said.get(f"{SH}property", []) for path in self.said[node][f"{SH}path"]]
        return frozenset((*ignored, *paths))

    def _text(self, said: dict[str, list[Any]], name: str) -> str:
        values = said.get(f"{SH}{name}", [])
        if len(values) > 1:
            raise NotSupported(f"sh:{name}: more than one value")
        return values[0].value if values else ""

    def _list(self, head: Any) -> list[Any]:
        items: list[Any] = []
        while head != ox.NamedNode(f"{RDF}nil"):
            said = self._take(head)
            items += said[f"{RDF}first"]
            (head,) = said[f"{RDF}rest"]
        return items

    def _take(self, node: Any) -> dict[str, list[Any]]:
        self.read.add(node)
        return dict(self.said[node])


def _plain(term: Any) -> Term:
    return term.value if isinstance(term, ox.NamedNode) else term


def _datatype(datatype: Any) -> Test:
    name = datatype.value.removeprefix(XSD)
    if name not in _LEXICAL:
        raise NotSupported(f"sh:datatype {datatype.value}: is not evaluated here")
    legal = _LEXICAL[name].fullmatch

    def test(term: Term) -> bool:
        return type(term) is ox.Literal and term.datatype == datatype and legal(term.value) is not None

    return test


def _pattern(pattern: Any) -> Test:
    """Return the test of a pattern: it may hit anywhere, and `$` is the very end, as in XPath."""
    search = re.compile(re.sub(r"(?<!\\)\$", r"\\Z", pattern.value), re.ASCII).search

    def test(term: Term) -> bool:
        if type(term) is str:
            return search(term) is not None
        return type(term) is ox.Literal and search(term.value) is not None

    return test


def _node_kind(kind: Any) -> Test:
    if kind.value != f"{SH}IRI":
        raise NotSupported(f"sh:nodeKind {kind.value}: is not evaluated here")
    return lambda term: type(term) is str


def _in(values: Iterable[Any]) -> Test:
    allowed = frozenset(map(_plain, values))
    return lambda term: term in allowed


def _language(values: Iterable[Any]) -> Test:
    allowed = tuple(value.value.lower() for value in values)

    def test(term: Term) -> bool:
        said = ((type(term) is ox.Literal and term.language) or "").lower()
        return any(said == language or said.startswith(f"{language}-") for language in allowed)

    return test


def _number(term: Term) -> Decimal | None:
    """Return the value of a well-formed number, of any of the types that compare with each other."""
    if type(term) is not ox.Literal or term.datatype.value.removeprefix(XSD) not in _NUMERIC:
        return None
    try:
        number = Decimal(term.value)
    except InvalidOperation:
        return None
    return None if number.is_nan() else number


def _bound(limit: Any, *, low: bool) -> Test:
    bound = Decimal(limit.value)

    def test(term: Term) -> bool:
        number = _number(term)
        return number is not None and (number >= bound if low else number <= bound)

    return test


def _min_length(limit: Any) -> Test:
    least = int(limit.value)
    return lambda term: not isinstance(term, ox.BlankNode) and len(term if type(term) is str else term.value) >= least


_TESTS: dict[str, Callable[[Any], Test]] = {
    "datatype": _datatype,
    "in": _in,
    "languageIn": _language,
    "maxInclusive": lambda limit: _bound(limit, low=False),
    "minInclusive": lambda limit: _bound(limit, low=True),
    "minLength": _min_length,
    "nodeKind": _node_kind,
    "pattern": _pattern,
}
