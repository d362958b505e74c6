"""Whatever goes wrong with one triple, or with one file of a release, some check finds it.

Faults of triples are made for each row of the model's tables; those of another kind are listed by hand. A fault that
no check finds stands in a list with the reason; one that another module's check finds is looked for as soon as that
check is there.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pfocr_rdf import buildfolder
from pfocr_rdf.errors import UsageError
from pfocr_rdf.terms import expand
from pfocr_rdf.validation import placing, run, stream
from pfocr_rdf.validation.findings import Report
from pfocr_rdf.validation.options import Options
from pfocr_rdf.validation.release import Release
from tests import mutants
from tests.faults import FILE_FAULTS, GRAPH_FAULTS
from tests.mutants import WHOLE, Row, Said

KEPT = "any number of these is right: what is kept of the source, so that records can be written back"
OPTIONAL = "a record may lack it, and nothing else in the graph tells whether this one did"
ELSEWHERE = "any address is right: it is not ours"

MISSED: dict[str, dict[str, str]] = {
    "dropped": {
        "core pmc dcterms:isPartOf": OPTIONAL,
        "core pmc dcterms:publisher": OPTIONAL,
        "core pmc pfocr:dissent": KEPT,
        "core pmc pfocr:variant": KEPT,
        "core pmc schema:keywords": KEPT,
        "core figures dcterms:replaces": OPTIONAL,
        "core figures dcterms:source": OPTIONAL,
        "core figures schema:mentions": "the taxon stands under schema:about too, and wp:organism does not tell which",
        "core figures pfocr:organismAsGiven": KEPT,
        "core figures pfocr:resultRank": OPTIONAL,
        "core journal dcterms:title": OPTIONAL,
        "core journal pfocr:dissent": KEPT,
        "core journal pfocr:variant": KEPT,
        "entities mesh skos:altLabel": KEPT,
        "entities NCBITaxon_ pfocr:dissent": KEPT,
        "entities NCBITaxon_ pfocr:variant": KEPT,
        "entities NCBITaxon_ rdfs:label": OPTIONAL,
        "entities NCBITaxon_ schema:image": OPTIONAL,
        "entities NCBITaxon_ skos:altLabel": KEPT,
        "entities ncbigene pfocr:dissent": KEPT,
        "entities ncbigene pfocr:variant": KEPT,
        "entities ncbigene skos:altLabel": KEPT,
        "compat figures pfocr:variant": KEPT,
        "compat figures schema:keywords": KEPT,
        "compat mention pfocr:variant": KEPT,
        "ontology owl:DatatypeProperty rdfs:domain": "terms that stand on many kinds of things have none",
        "xrefs-pubmed pmc owl:sameAs": "NCBI's list alone tells which papers have a PubMed id",
    },
    "second": {
        "core pmc pfocr:dissent": KEPT,
        "core pmc pfocr:variant": KEPT,
        "core pmc schema:keywords": KEPT,
        "core figures dcterms:replaces": "a page may have replaced any number of older ones",
        "core figures pfocr:organismAsGiven": KEPT,
        "core journal pfocr:dissent": KEPT,
        "core journal pfocr:variant": KEPT,
        "entities mesh skos:altLabel": KEPT,
        "entities NCBITaxon_ pfocr:dissent": KEPT,
        "entities NCBITaxon_ pfocr:variant": KEPT,
        "entities NCBITaxon_ skos:altLabel": KEPT,
        "entities ncbigene pfocr:dissent": KEPT,
        "entities ncbigene pfocr:variant": KEPT,
        "entities ncbigene skos:altLabel": KEPT,
        "compat figures pfocr:variant": KEPT,
        "compat figures schema:keywords": KEPT,
        "compat mention pfocr:variant": KEPT,
    },
    "swapped": {"compat figures schema:keywords": "a schema.org block may give a keyword as an address"},
    "retyped": {
        "compat figures schema:keywords": "a schema.org block may give a keyword with a datatype",
        "entities NCBITaxon_ schema:image": ELSEWHERE,
    },
    "scheme": {"entities NCBITaxon_ schema:image": ELSEWHERE},
}
"""Faults of single triples that no check finds, and why."""

LATER: dict[str, dict[str, str]] = {
    "dropped": {
        "core pmc dcterms:bibliographicCitation": "Q63",
        "core pmc dcterms:issued": "Q63",
        "core pmc dcterms:title": "Q63",
        "core figures schema:description": "Q15",
        "core figures schema:image": "Q61",
        "links-chemicals figures schema:mentions": "Q12",
        "links-diseases figures schema:mentions": "Q12",
        "entities mesh rdfs:label": "Q41",
        "entities CHEBI_ rdfs:label": "Q41",
        "entities DOID_ rdfs:label": "Q41",
        "entities ncbigene rdfs:label": "Q41",
        "xrefs mesh skos:closeMatch": "Q62",
    },
    "second": {
        "core figures schema:license": "Q5",
        "evidence-genes mention oa:hasBody": "Q12",
        "entities group skos:member": "Q61",
        "xrefs mesh skos:closeMatch": "Q62",
    },
    "retyped": {"core figures schema:image": "Q61"},
    "scheme": {"core figures schema:image": "Q61"},
}
"""Faults that a query finds, and which: not needed to find the others, which are found in the streaming pass."""

BY_SOURCE: dict[str, dict[str, str]] = {
    "dropped": {
        f"core figures {predicate}": "Q40"
        for predicate in (
            "dcterms:relation", "pfocr:pathwayScore", "rdfs:seeAlso", "schema:alternateName", "schema:datePublished",
            "schema:genre", "schema:position",
        )
    } | {"entities NCBITaxon_ pfocr:organismPage": "Q40"},
    "second": {"entities NCBITaxon_ pfocr:organismPage": "Q40"},
}  # fmt: skip
"""Faults that show only beside the source, and the check that finds them there."""


def short(row: Row) -> str:
    """Layer, kind of subject and predicate."""
    return f"{row.layer} {row.place.rstrip('/').rpartition('/')[2]} {row.predicate}"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mutants.build_whole(tmp_path_factory.mktemp("mutants") / "whole")


@pytest.fixture(scope="module")
def symbols(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mutants.build_symbols(tmp_path_factory.mktemp("mutants") / "symbols")


@pytest.fixture(scope="module")
def said(whole: Path) -> Said:
    return mutants.said_in(whole)


def counts(report: Report) -> dict[str, int]:
    return {outcome.check.id: outcome.count for outcome in report.outcomes}


def check(build: Path, source: str | None = None) -> dict[str, int]:
    """How many findings each check has."""
    return counts(run.validate(build, Options(source=source), workers=1))


@pytest.fixture(scope="module")
def before(whole: Path) -> dict[str, int]:
    return check(whole)


@pytest.fixture(scope="module")
def before_with_source(whole: Path) -> dict[str, int]:
    return check(whole, str(WHOLE))


def streamed(build: Path) -> set[str]:
    """The checks that the streaming pass alone finds something for, but for what it warns of."""
    release = Release.open(build)
    layers, faults = stream.index(release)
    tally = stream.Tally()
    for part in [] if faults else stream.cut(release, layers):
        tally.merge(stream.look(part))
    odd = {stream.READ} if faults or list(stream.counts(release, tally.triples)) else set()
    return {*tally.counts, *odd}


def more(found: dict[str, int], before: dict[str, int]) -> set[str]:
    return {name for name, number in found.items() if number > before[name]}


def test_the_small_builds_are_clean(whole: Path, symbols: Path) -> None:
    for build in (whole, symbols):
        report = run.validate(build, Options(), workers=1)
        assert [(o.check.id, o.examples) for o in report.outcomes if o.count and o.check.severity == "violation"] == []
        assert report.conforms


def test_a_copy_without_fault_is_as_clean(whole: Path, said: Said, before: dict[str, int], tmp_path: Path) -> None:
    copy = mutants.copy(whole, tmp_path / "copy", said, said)
    assert check(copy) == before
    for path in Release.open(whole).layers.values():
        assert (copy / path.name).read_bytes() == path.read_bytes()


def test_the_small_builds_have_each_row_of_the_model(said: Said, symbols: Path) -> None:
    """But for what genes and organisms without id share with those that have one."""
    found = {
        (row.layer, start, expand(row.predicate))
        for row in [*mutants.rows(said), *mutants.rows(mutants.said_in(symbols))]
        for start in [row.place]
    }
    wanted = {
        (str(layer), start, predicate)
        for layer, places in placing.PLACES.items()
        for start, predicates in places
        for predicate in predicates
        if predicate != placing.ANY
    }
    lacking = {(layer, start.rstrip("/").rpartition("/")[2]) for layer, start, _ in wanted - found}
    assert lacking <= {("entities", "symbol"), ("entities", "organism"), ("entities", "CHEBI_"), ("entities", "DOID_")}


@pytest.mark.parametrize("kind", list(mutants.MUTATIONS))
def test_a_fault_in_any_row_of_the_model_is_found(
    kind: str, whole: Path, symbols: Path, said: Said, before: dict[str, int], tmp_path: Path
) -> None:
    missed: dict[str, str] = {}
    tried = 0
    bases = [(whole, said, mutants.rows(said)), (symbols, *_symbol_rows(symbols))]
    for build, everything, rows in bases:
        for row in rows:
            if not mutants.applies(kind, row):
                continue
            tried += 1
            copy = mutants.copy(build, tmp_path / "copy", [row.layer], mutants.mutate(everything, row, kind))
            name = short(row)
            later = LATER.get(kind, {}).get(name)
            if later and build is whole:
                assert later in more(check(copy), before), (kind, name)
            elif not streamed(copy) - {"Q29"}:
                missed[name] = row.value
            shutil.rmtree(copy)
    assert tried > 70
    assert missed.keys() == MISSED.get(kind, {}).keys() | BY_SOURCE.get(kind, {}).keys()


def _symbol_rows(symbols: Path) -> tuple[Said, list[Row]]:
    """What the second build says, and its rows of genes that are known by symbol only."""
    said = mutants.said_in(symbols)
    return said, [row for row in mutants.rows(said) if "/symbol/" in row.place]


def _by_source() -> Iterator[tuple[str, str, str]]:
    for kind, found in BY_SOURCE.items():
        for name, by in found.items():
            yield kind, name, by


@pytest.mark.parametrize(("kind", "name", "by"), list(_by_source()))
def test_a_fault_that_shows_only_beside_the_source_is_found_there(
    kind: str, name: str, by: str, whole: Path, said: Said, before_with_source: dict[str, int], tmp_path: Path
) -> None:
    row = next(row for row in mutants.rows(said) if short(row) == name)
    copy = mutants.copy(whole, tmp_path / "copy", [row.layer], mutants.mutate(said, row, kind))
    assert by in more(check(copy, str(WHOLE)), before_with_source)


@pytest.mark.parametrize("name", list(GRAPH_FAULTS))
def test_a_fault_of_the_graph_is_found(
    name: str, whole: Path, said: Said, before: dict[str, int], tmp_path: Path
) -> None:
    by, change = GRAPH_FAULTS[name]
    changed = change(said)
    layers = {layer: changed[layer] for layer in changed if changed[layer] is not said.get(layer)}
    assert layers
    copy = mutants.copy(whole, tmp_path / "copy", layers, {**said, **layers})
    assert by in more(check(copy), before)


@pytest.mark.parametrize("name", list(FILE_FAULTS))
def test_a_fault_of_a_file_is_found(name: str, whole: Path, before: dict[str, int], tmp_path: Path) -> None:
    by, change = FILE_FAULTS[name]
    copy = tmp_path / "copy"
    shutil.copytree(whole, copy)
    change(copy)
    assert by in more(check(copy), before)


@pytest.mark.parametrize("name", ["no JSON", "no object", "no layers", "a path"])
def test_a_manifest_that_cannot_be_read_is_said_in_one_line(name: str, whole: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(whole, copy)
    text = {"no JSON": "{", "no object": "[]", "no layers": '{"layers": 3}', "a path": "null"}[name]
    (copy / buildfolder.MANIFEST).write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"manifest\.json: cannot be read"):
        run.validate(copy, Options(), workers=1)
