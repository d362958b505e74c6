"""Our evaluation of the shapes is SHACL's: shown by examples of each shape, against two engines of others.

`tests/shapes/` has a file for each shape: what conforms, what fails, and in comment lines which constraint fails on
which predicate of which subject.
"""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pfocr_rdf.validation import shapes, stream
from pfocr_rdf.validation.evaluate import Evaluator, Result
from pfocr_rdf.validation.shapes import NotSupported, Shape, Term
from tests.support import ROOT

EXAMPLES = ROOT / "tests" / "shapes"
FILES = sorted(path.stem for path in EXAMPLES.glob("*.ttl"))
SH = "http://www.w3.org/ns/shacl#"
RESULTS = """SELECT ?focus ?path ?component ?value {
    ?result a sh:ValidationResult ; sh:focusNode ?focus ; sh:sourceConstraintComponent ?component .
    OPTIONAL { ?result sh:resultPath ?path } OPTIONAL { ?result sh:value ?value } }"""
WITHOUT_VALUE = ("MinCount", "MaxCount", "HasValue")

Found = Counter[tuple[str, str, str, str]]
"""Focus node, predicate, kind of constraint and value of each result."""


@cache
def shapes_by_name() -> dict[str, Shape]:
    found = (shape for check in shapes.shacl_checks() for shape in shapes.of_check(check))
    return {shape.name.removeprefix(shapes.NAMES): shape for shape in found}


def text_of(name: str) -> str:
    return (EXAMPLES / f"{name}.ttl").read_text(encoding="utf-8")


def ours(chosen: Iterable[Shape], turtle: str) -> list[Result]:
    """All results of our evaluation; the subjects of the document may stand in any order."""
    merged: dict[str, dict[str, list[Term]]] = {}
    for subject, said in stream.subjects(turtle.encode()):
        values = merged.setdefault(subject, {})
        for predicate, objects in said.items():
            values.setdefault(predicate, []).extend(objects)
    evaluator = Evaluator(chosen)
    return [
        result
        for subject, said in merged.items()
        for result in evaluator.results(stream.focus_of(subject), stream.distinct(said))
    ]


def counted(results: Iterable[Result]) -> Found:
    return Counter(
        _result(_plain(r.focus), r.path, r.component, "" if r.value is None else _plain(r.value)) for r in results
    )


def _plain(term: Any) -> str:
    if isinstance(term, ox.BlankNode):
        return "_:"
    return term if isinstance(term, str) else str(term)


def _result(focus: str, path: str, component: str, value: str) -> tuple[str, str, str, str]:
    kind = component.removeprefix(SH).removesuffix("ConstraintComponent")
    return focus, path, kind, "" if kind in WITHOUT_VALUE else value


def from_report(report: str) -> Found:
    """The results of a SHACL report in Turtle or N-Triples."""
    store = ox.Store()
    store.load(report.encode(), format=ox.RdfFormat.TURTLE)
    rows = store.query(f"PREFIX sh: <{SH}> {RESULTS}")

    def cell(term: Any) -> str:
        if isinstance(term, ox.NamedNode):
            return term.value
        return "" if term is None else _plain(term)

    assert isinstance(rows, ox.QuerySolutions)
    return Counter(_result(cell(r["focus"]), cell(r["path"]), r["component"].value, cell(r["value"])) for r in rows)


LENIENT = "http://www.w3.org/2001/XMLSchema#gYear"
"""A datatype of which rdflib takes any text for well-formed, so pySHACL misses an ill-formed one."""


def by_pyshacl(shapes_graph: Any, turtle: str) -> Found:
    import rdflib
    from pyshacl import validate

    data = rdflib.Graph().parse(data=turtle, format="turtle")
    _, report, _ = validate(data, shacl_graph=shapes_graph, inplace=True)
    assert isinstance(report, rdflib.Graph)
    return from_report(report.serialize(format="nt"))


@cache
def rdflib_shapes(*, compat: bool) -> Any:
    import rdflib

    return rdflib.Graph().parse(data=shapes_text(compat=compat), format="turtle")


def shapes_text(*, compat: bool) -> str:
    return "\n".join(check.body for check in shapes.shacl_checks() if (shapes.COMPAT in check.tags) is compat)


def all_shapes(*, compat: bool) -> list[Shape]:
    found = (check for check in shapes.shacl_checks() if (shapes.COMPAT in check.tags) is compat)
    return [shape for check in found for shape in shapes.of_check(check)]


def all_examples(*, compat: bool) -> str:
    """All example files as one graph: those of shapes of `compat`, or all others."""
    return "\n".join(text_of(name) for name in FILES if name.startswith("compat-") is compat)


def test_each_shape_has_an_example_and_each_example_a_shape() -> None:
    assert sorted(shapes_by_name()) == FILES


def test_each_shape_has_a_name_of_its_own() -> None:
    names = [shape.name for check in shapes.shacl_checks() for shape in shapes.of_check(check)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", FILES)
def test_what_an_example_says_fails_and_nothing_else(name: str) -> None:
    text = text_of(name)
    expected = Counter(re.findall(r"^# (\w+) (\S+) (\S+:\S*)$", text, re.MULTILINE))
    found = counted(ours([shapes_by_name()[name]], text))
    said = Counter({(kind, re.split("[/#]", path)[-1] or "-", focus): n for (focus, path, kind, _), n in found.items()})
    assert set(said) == set(expected)
    conforming, _, failing = text.partition("# failing")
    prefixes = "".join(line + "\n" for line in text.splitlines() if line.startswith("@prefix"))
    fail = {focus for _, _, focus in expected}
    assert {subject for subject, _ in stream.subjects((prefixes + failing).encode())} == fail
    good = {subject for subject, _ in stream.subjects(conforming.encode())}
    assert good
    assert not good & fail


@pytest.mark.parametrize("name", FILES)
def test_each_part_of_a_shape_fails_in_its_example(name: str) -> None:
    shape = shapes_by_name()[name]
    found = ours([shape], text_of(name))
    assert {said.path for said in shape.properties} <= {result.path for result in found}
    assert {constraint.component for constraint in shape.constraints} <= {r.component for r in found if not r.path}
    assert bool(shape.either) <= any(result.component.startswith("Or") for result in found)


@pytest.mark.parametrize("compat", [False, True])
def test_pyshacl_finds_the_same_in_all_examples(compat: bool) -> None:
    text = all_examples(compat=compat)
    found = counted(ours(all_shapes(compat=compat), text))
    lenient = [r for r in found if r[2] == "Datatype" and r[3].endswith(f"^^<{LENIENT}>")]
    expected = Counter({result: number for result, number in found.items() if result not in lenient})
    assert expected
    assert by_pyshacl(rdflib_shapes(compat=compat), text) == expected


@pytest.mark.parametrize("compat", [False, True])
def test_jena_finds_the_same_in_all_examples(compat: bool, jena: Path, tmp_path: Path) -> None:
    text = all_examples(compat=compat)
    (tmp_path / "data.ttl").write_text(text, encoding="utf-8")
    (tmp_path / "shapes.ttl").write_text(shapes_text(compat=compat), encoding="utf-8")
    command = ["java", "-cp", str(jena), "shacl.shacl", "validate", "--shapes=shapes.ttl", "--data=data.ttl"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert not done.stderr, done.stderr[:500]
    report = "".join(line for line in done.stdout.splitlines(keepends=True) if " WARN  riot " not in line)
    assert from_report(report) == counted(ours(all_shapes(compat=compat), text))


Triple = tuple[str, str, str]
"""Subject, predicate and object as tokens of N-Triples."""


@cache
def described() -> list[list[Triple]]:
    """The subjects of all examples but those of `compat`, each as its triples."""
    merged: dict[str, list[Triple]] = {}
    for triple in ox.parse(all_examples(compat=False), format=ox.RdfFormat.TURTLE):
        if isinstance(triple.subject, ox.NamedNode):
            found = (str(triple.subject), str(triple.predicate), str(triple.object))
            merged.setdefault(found[0], []).append(found)
    return list(merged.values())


XSD = "http://www.w3.org/2001/XMLSchema#"
OBJECTS = [
    "<https://identifiers.org/ncbigene/7157>",
    "<http://id.nlm.nih.gov/mesh/D000255>",
    "<http://purl.obolibrary.org/obo/NCBITaxon_9606>",
    "<http://purl.obolibrary.org/obo/CHEBI_15422>",
    "<https://w3id.org/pfocr/lexicon/chemical>",
    "<https://example.org/x>",
    "_:b",
    '""',
    '"x"',
    '"x=y"',
    '"2023"',
    '"7157"',
    '"x"@en',
    '"x"@de-CH',
    f'"2023"^^<{XSD}gYear>',
    f'"5"^^<{XSD}integer>',
    f'"-1"^^<{XSD}integer>',
    f'"five"^^<{XSD}integer>',
    f'"0.5"^^<{XSD}decimal>',
    f'"1.5"^^<{XSD}decimal>',
    f'"0.5"^^<{XSD}double>',
    f'"true"^^<{XSD}boolean>',
]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """Some subjects of the examples in N-Triples, with triples lost, added, given another object or predicate."""
    lines: list[str] = []
    predicates = sorted({predicate for found in described() for _, predicate, _ in found})
    for found in draw(st.lists(st.sampled_from(described()), min_size=1, max_size=12, unique_by=lambda f: f[0][0])):
        said = list(found)
        for _ in range(draw(st.integers(0, 4))):
            at = draw(st.integers(0, len(said) - 1))
            subject, predicate, value = said[at]
            match draw(st.sampled_from(["lose", "object", "predicate", "add"])):
                case "lose" if len(said) > 1:
                    del said[at]
                case "object":
                    said[at] = (subject, predicate, draw(st.sampled_from(OBJECTS)))
                case "predicate":
                    said[at] = (subject, draw(st.sampled_from(predicates)), value)
                case _:
                    said.append((subject, draw(st.sampled_from(predicates)), draw(st.sampled_from(OBJECTS))))
        lines += [f"{subject} {predicate} {value} .\n" for subject, predicate, value in said]
    return "".join(lines)


@given(mutated())
@settings(max_examples=60)
def test_pyshacl_finds_the_same_in_whatever_becomes_of_the_examples(text: str) -> None:
    assert by_pyshacl(rdflib_shapes(compat=False), text) == counted(ours(all_shapes(compat=False), text))


SHAPE = """@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix s: <https://w3id.org/pfocr/shape/> .
@prefix e: <https://example.org/> .
s:x a sh:NodeShape ; sh:targetClass e:C ; """


@pytest.mark.parametrize(
    "rest",
    [
        "sh:property [ sh:path [ sh:inversePath e:p ] ; sh:minCount 1 ] .",
        "sh:property [ sh:path e:p ; sh:class e:D ] .",
        "sh:property [ sh:path e:p ; sh:node s:y ] .",
        "sh:property [ sh:path e:p ; sh:or ( [ sh:nodeKind sh:IRI ] [ sh:nodeKind sh:Literal ] ) ] .",
        "sh:property [ sh:path e:p ; sh:pattern 'x' ; sh:flags 'i' ] .",
        "sh:nodeKind sh:BlankNodeOrIRI .",
        "sh:datatype <http://www.w3.org/2001/XMLSchema#date> .",
        "sh:xone ( [ sh:nodeKind sh:IRI ] ) .",
        "sh:sparql [ sh:select 'SELECT $this { $this a e:C }' ] .",
        "sh:targetObjectsOf e:p .",
        "sh:deactivated true .",
        "sh:severity sh:Warning .",
        "sh:property e:named . e:named sh:path e:p .",
        "sh:nodeKind sh:IRI . e:other sh:path e:p .",
        "sh:nodeKind sh:IRI . e:other a sh:NodeShape ; sh:targetClass e:D .",
        "sh:nodeKind sh:IRI . [] sh:path e:p .",
        "sh:or ( [ sh:targetClass e:D ] ) .",
    ],
)
def test_a_shape_that_needs_more_than_is_evaluated_is_refused(rest: str) -> None:
    with pytest.raises(NotSupported):
        shapes.read(SHAPE + rest)


def test_all_shapes_are_one_document_of_the_same_shapes() -> None:
    assert {shape.name for shape in shapes.read(shapes.union())} == {f"{shapes.NAMES}{name}" for name in FILES}
    assert shapes.union().count("@prefix sh:") == 1


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith("-closed")])
def test_closed_shapes_allow_what_the_other_shapes_of_the_class_speak_of(name: str) -> None:
    closed = shapes_by_name()[name]
    paths = {
        said.path
        for shape in all_shapes(compat=False)
        if set(shape.classes) & set(closed.classes)
        for said in shape.properties
    }
    assert closed.allowed is not None
    assert set(closed.allowed) == paths | {shapes.TYPE}
