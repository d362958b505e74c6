"""Evaluates shapes on one subject at a time: what SHACL says of a focus node, given all of its triples.

Which shapes apply, which values are missing and which predicates are too much depends on a subject's classes and
predicates alone; subjects with the same ones share a `_Plan`, so that only values are looked at one by one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from pfocr_rdf.validation.shapes import TYPE, Constraint, Property, Shape, Term

MAX_PLANS = 20_000
"""Plans that are remembered: there are some hundred kinds of subjects, unless something is very wrong."""

MAX_PASSED = 100_000
"""IRIs that are remembered for a predicate because they passed its tests."""

Values = Mapping[str, Sequence[Term]]
"""The triples of one subject: values by predicate, each once."""


class Result(NamedTuple):
    """A validation result of SHACL: shape, focus node, component, predicate and value (where there are any)."""

    shape: Shape
    focus: Term
    component: str
    path: str
    value: Term | None
    message: str


@dataclass(frozen=True, slots=True)
class _Rule:
    """A property of a shape, with its tests."""

    shape: Shape
    property: Property


class _Tested(NamedTuple):
    """A predicate, the tests of its values, and the IRIs that were found to pass them all."""

    predicate: str
    tests: tuple[tuple[Constraint, _Rule], ...]
    passed: set[str]


class _Plan(NamedTuple):
    """What is to be done for subjects of certain classes and predicates.

    `absent` are rules that lack values of a predicate that is not there, `limits` those that limit the number of values
    of one that is, `needed` those that want a certain value of it.
    """

    shapes: tuple[tuple[Shape, tuple[tuple[Shape, ...], ...]], ...]
    absent: tuple[_Rule, ...]
    limits: tuple[tuple[str, int, int, _Rule], ...]
    needed: tuple[_Rule, ...]
    tested: tuple[_Tested, ...]
    closed: tuple[tuple[Shape, str], ...]


class Evaluator:
    """Evaluates a set of shapes."""

    def __init__(self, shapes: Iterable[Shape]) -> None:
        """Take the shapes; none of them looks beyond one subject."""
        self._by_class: dict[Term, list[Shape]] = {}
        self._by_predicate: dict[str, list[Shape]] = {}
        for shape in shapes:
            for cls in shape.classes:
                self._by_class.setdefault(cls, []).append(shape)
            for predicate in shape.subjects_of:
                self._by_predicate.setdefault(predicate, []).append(shape)
        self._plans: dict[object, _Plan] = {}
        self._tested: dict[object, _Tested] = {}

    def results(self, focus: Term, values: Values) -> Iterator[Result]:
        """Yield what is wrong with one subject. `values` has all of its triples that the shapes are to see."""
        key = (tuple(values), tuple(values.get(TYPE, ())))
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= MAX_PLANS:
                self._plans.clear()
                self._tested.clear()
            plan = self._plans[key] = self._make_plan(values)
        for shape, either in plan.shapes:
            yield from _of_focus(shape, either, focus, values)
        for shape, predicate in plan.closed:
            for value in values[predicate]:
                yield Result(shape, focus, "ClosedConstraintComponent", predicate, value, shape.message)
        for rule in plan.absent:
            yield from _absent(rule, focus)
        for path, least, most, rule in plan.limits:
            number = len(values[path])
            if number > most:
                yield Result(rule.shape, focus, "MaxCountConstraintComponent", path, None, rule.property.message)
            elif number < least:
                yield Result(rule.shape, focus, "MinCountConstraintComponent", path, None, rule.property.message)
        for rule in plan.needed:
            for needed in rule.property.needed:
                if needed not in values[rule.property.path]:
                    yield _lacking(rule, focus, "HasValueConstraintComponent")
        for predicate, tests, passed in plan.tested:
            for value in values[predicate]:
                if value in passed:
                    continue
                right = True
                for constraint, rule in tests:
                    if not constraint.test(value):
                        right = False
                        yield Result(rule.shape, focus, constraint.component, predicate, value, rule.property.message)
                if right and type(value) is str:
                    if len(passed) >= MAX_PASSED:
                        passed.clear()
                    passed.add(value)

    def _make_plan(self, values: Values) -> _Plan:
        found = [shape for cls in values.get(TYPE, ()) for shape in self._by_class.get(cls, ())]
        found += [shape for predicate in values for shape in self._by_predicate.get(predicate, ())]
        shapes = tuple({shape.name: shape for shape in found}.values())
        rules = [_Rule(shape, said) for shape in shapes for said in shape.properties]
        here = [rule for rule in rules if rule.property.path in values]
        limits = [(rule.property.path, rule.property.least, rule.property.most, rule) for rule in here]
        return _Plan(
            tuple((s, _possible(s.either, values)) for s in shapes if s.constraints or s.either or s.none),
            tuple(r for r in rules if r.property.path not in values and (r.property.least or r.property.needed)),
            tuple(
                (p, least, sys.maxsize if most < 0 else most, r)
                for p, least, most, r in limits
                if least > 1 or most >= 0
            ),
            tuple(rule for rule in here if rule.property.needed),
            tuple(tested for predicate in values if (tested := self._tests(predicate, here)).tests),
            tuple((s, predicate) for s in shapes if s.allowed is not None for predicate in values.keys() - s.allowed),
        )

    def _tests(self, predicate: str, rules: Iterable[_Rule]) -> _Tested:
        """Return the tests of a predicate's values, which many plans share."""
        found = [rule for rule in rules if rule.property.path == predicate]
        key = (predicate, tuple(map(id, (rule.property for rule in found))))
        tests = tuple((constraint, rule) for rule in found for constraint in rule.property.constraints)
        return self._tested.setdefault(key, _Tested(predicate, tests, set()))


def _possible(either: tuple[tuple[Shape, ...], ...], predicates: Iterable[str]) -> tuple[tuple[Shape, ...], ...]:
    """Return alternatives without those that cannot hold for subjects of certain predicates, and what is sure to."""
    here = frozenset(predicates)
    return tuple(tuple(found for shape in shapes if (found := _narrowed(shape, here)) is not None) for shapes in either)


def _narrowed(shape: Shape, here: frozenset[str]) -> Shape | None:
    """Return what is left to be looked at of a shape for subjects of certain predicates, or None if it cannot hold."""
    left: list[Property] = []
    for said in shape.properties:
        if said.path not in here:
            if said.least or said.needed:
                return None
        elif said.most == 0:
            return None
        elif said.constraints or said.needed or said.least > 1 or said.most > 0:
            left.append(said)
    return replace(shape, properties=tuple(left))


def _of_focus(shape: Shape, either: tuple[tuple[Shape, ...], ...], focus: Term, values: Values) -> Iterator[Result]:
    """Yield what a shape finds wrong with the focus node itself; `either` is what can hold of its alternatives."""
    for constraint in shape.constraints:
        if not constraint.test(focus):
            yield Result(shape, focus, constraint.component, "", focus, shape.message)
    for alternatives in either:
        for alternative in alternatives:
            if _conforms(alternative, focus, values):
                break
        else:
            yield Result(shape, focus, "OrConstraintComponent", "", focus, shape.message)
    for other in shape.none:
        if _conforms(other, focus, values):
            yield Result(shape, focus, "NotConstraintComponent", "", focus, shape.message)


def _absent(rule: _Rule, focus: Term) -> Iterator[Result]:
    """Yield what is wrong when a predicate is not there at all."""
    if rule.property.least:
        yield _lacking(rule, focus, "MinCountConstraintComponent")
    for _ in rule.property.needed:
        yield _lacking(rule, focus, "HasValueConstraintComponent")


def _lacking(rule: _Rule, focus: Term, component: str) -> Result:
    return Result(rule.shape, focus, component, rule.property.path, None, rule.property.message)


def _conforms(shape: Shape, focus: Term, values: Values) -> bool:
    """Whether the focus node conforms to a shape within another one."""
    for constraint in shape.constraints:
        if not constraint.test(focus):
            return False
    for said in shape.properties:
        found = values.get(said.path, ())
        if len(found) < said.least or 0 <= said.most < len(found):
            return False
        for constraint in said.constraints:
            for value in found:
                if not constraint.test(value):
                    return False
        for needed in said.needed:
            if needed not in found:
                return False
    if shape.allowed is not None and values.keys() - shape.allowed:
        return False
    for others in shape.either:
        if not any(_conforms(other, focus, values) for other in others):
            return False
    return not (shape.none and any(_conforms(other, focus, values) for other in shape.none))
