"""Each check that is a query finds the one triple that is wrong, and nothing in the same release without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pfocr_rdf.validation import sparql
from pfocr_rdf.validation.checks import Way, all_checks
from pfocr_rdf.validation.findings import Finding, Status
from pfocr_rdf.validation.release import Release
from tests.releases import EXAMPLE, TITLE, built, check, figure, source, store_with

SITE = "https://pfocr.wikipathways.org/figures"
PAPER = "<https://identifiers.org/pmc/PMC9100001>"
FIGURE = f"<{SITE}/PMC9100001__aqs-12-0045-g003.html>"
GENE = "<https://identifiers.org/ncbigene/7157>"
MENTION = "<https://w3id.org/pfocr/mention/PMC9100001__aqs-12-0045-g003/gene-275b64be580a>"
ATP = "<http://id.nlm.nih.gov/mesh/D000255>"
OTHER = f"<{SITE}/PMC9100005__exres.0042.fig.001.html>"

CASES = [
    ("Q2", "core", f'{FIGURE} dcterms:identifier "PMC9100001__other" .', "", FIGURE, "not that of this figid"),
    ("Q2", "core", f"{FIGURE} dcterms:isPartOf <https://identifiers.org/pmc/PMC9> .", "", FIGURE, "does not begin"),
    ("Q2", "core", f'{PAPER} dcterms:identifier "PMC9" .', "", PAPER, "not that of this PMCID"),
    ("Q6", "core", f'{FIGURE} <http://example.org/colour> "red" .', "", "<http://example.org/colour>", "no declared"),
    ("Q6", "core", f"{FIGURE} a <https://schema.org/Thing> .", "", "<https://schema.org/Thing>", "no declared"),
    ("Q6", "evidence-genes", f'{MENTION} pfocr:werd "p53" .', "", "<https://w3id.org/pfocr/vocab#werd>", "not defined"),
    ("Q6", "compat", f'{FIGURE} pfocr:werd "p53" .', "", "<https://w3id.org/pfocr/vocab#werd>", "not defined"),
    ("Q7", "entities", f"{GENE} a owl:Class .", "", GENE, "not of schema.org"),
    ("Q7", "xrefs", f"{ATP} a bibo:AcademicArticle .", "", ATP, "not of schema.org"),
    ("Q9", "entities", "", f"{GENE} a schema:Gene .", GENE, "no type"),
    ("Q9", "entities", f'{GENE} rdfs:label "TP-53" .', "", GENE, "several labels"),
    ("Q9", "entities", '<http://example.org/new> rdfs:label "TP53"@en .', "", "<http://example.org/new>", "language"),
    ("Q22", "entities", '<https://identifiers.org/ncbigene/1> a schema:Gene ; rdfs:label "TP53" ; '
     "schema:taxonomicRange obo:NCBITaxon_9606 .", "", GENE, "another gene"),
    ("Q22", "entities", f'{GENE} skos:altLabel "P53" .', "", GENE, "this symbol too"),
    ("Q23", "xrefs", f"{ATP} skos:closeMatch obo:CHEBI_1 .", "", ATP, "one of several terms"),
    ("Q23", "xrefs", "<http://id.nlm.nih.gov/mesh/D1> skos:closeMatch obo:CHEBI_15422 .", "",
     "<http://purl.obolibrary.org/obo/CHEBI_15422>", "one of several MeSH"),
    ("Q24", "core", f'{OTHER} schema:alternateName "PMC9100001__F3" .', "", FIGURE, "alias"),
    ("Q24", "core", '<https://identifiers.org/pmc/PMC1> bibo:doi "10.5555/jeas.2023.0045" .', "", PAPER, "DOI"),
    ("Q24", "core", f"{OTHER} schema:image <https://www.ncbi.nlm.nih.gov/pmc/articles/PMC9100001/bin/"
     "aqs-12-0045-g003.jpg> .", "", FIGURE, "image"),
    ("Q25", "core", f"{OTHER} dcterms:replaces <{SITE}/PMC9100001__F3> .", "", FIGURE, "another figure claims"),
    ("Q25", "core", f"{OTHER} dcterms:replaces <{SITE}/PMC9100001__aqs-12-0045-g003> .", "", OTHER, "is the page"),
    ("Q25", "core", f"{OTHER} dcterms:replaces {FIGURE} .", "", OTHER, "is the page"),
    ("Q41", "entities", "", f'{GENE} rdfs:label "TP53" .', GENE, "no label"),
]  # fmt: skip
"""Check, layer, triples more and less, what the finding is about, words of its message."""


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return built(EXAMPLE, tmp_path_factory.mktemp("example") / "build")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[5].replace(' ', '-')}")
def test_a_query_finds_the_one_wrong_triple(case: tuple[str, ...], example: Release) -> None:
    name, layer, add, remove, focus, words = case
    before = set(sparql.findings(example.store(), check(name).body))
    after = set(sparql.findings(store_with(example, layer, add, remove), check(name).body))
    new = after - before
    assert before <= after
    assert any(finding.focus == focus[1:-1] and words in finding.message for finding in new), new
    assert len(new) <= 2  # where two things share what only one may have, both are named


@pytest.mark.parametrize("name", [check.id for check in all_checks() if check.way is Way.SPARQL])
def test_the_example_has_no_findings_but_missing_labels(name: str, example: Release) -> None:
    outcome = sparql.run(check(name), example.store())
    assert outcome.status is (Status.FAILED if name == "Q41" else Status.PASSED), outcome.examples


TEXTS = [
    ("Q15", "Too short", "What it shows.", "less than 25"),
    ("Q15", "A very long title " * 12, "What it shows.", "more than 200"),
    ("Q15", TITLE, "", "no caption"),
    ("Q15", "", "What it shows.", "no title"),
    ("Q16", "Figure 1", "What it shows.", "stock phrase"),
    ("Q16", "CreativeWork", "What it shows.", "stock phrase"),
    ("Q16", "Graphical Abstract", "What it shows.", "stock phrase"),
    ("Q16", "(A) The cell cycle of the zebrafish", "What it shows.", "panel"),
    ("Q16", "B: The cell cycle of the zebrafish", "What it shows.", "panel"),
    ("Q16", TITLE, "Figure", "placeholder"),
    ("Q16", TITLE, "Ca<sup>2+</sup> comes in.", "markup"),
    ("Q16", "Salt &amp; water in the cells of the skin", "What it shows.", "markup"),
]


@pytest.mark.parametrize(("name", "title", "caption", "words"), TEXTS, ids=lambda value: str(value)[:20])
def test_poor_titles_and_captions_are_found(name: str, title: str, caption: str, words: str, tmp_path: Path) -> None:
    records = {
        "PMC1__bad": figure("PMC1__bad", title=title, caption=caption),
        "PMC2__good": figure("PMC2__good", title="p<0.05: A. thaliana under stress (A) and at rest"),
    }
    release = built(source(tmp_path / "source", records), tmp_path / "build")
    found = set(sparql.findings(release.store(), check(name).body))
    assert {finding.focus for finding in found} == {f"{SITE}/PMC1__bad.html"}
    assert any(words in finding.message for finding in found)


def test_what_is_linked_needs_no_type_where_entities_are_not_loaded(example: Release) -> None:
    layers = {name: path for name, path in example.layers.items() if name != "entities"}
    alone = Release(example.folder, example.manifest, layers)
    assert not set(sparql.findings(alone.store(), check("Q9").body))
    assert not set(sparql.findings(alone.store(), check("Q41").body))


def test_all_rows_are_counted_and_twenty_kept(example: Release) -> None:
    titles = "".join(f'<http://example.org/{n:04}> a sio:SIO_000080 ; schema:name "x" .' for n in range(123))
    outcome = sparql.run(check("Q15"), store_with(example, "core", titles))
    assert outcome.count == 246  # no caption either
    assert len(outcome.examples) == 20
    assert outcome.examples[0] == Finding("http://example.org/0000", "", "has no caption", "core")
