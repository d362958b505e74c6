"""The questions of `ontologies/queries`: their files, their answers, check Q34, and the examples of a release."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pyoxigraph as ox
import pytest

from pfocr_rdf import build, identifiers, query
from pfocr_rdf.pipeline import Options
from pfocr_rdf.questions import Question, all_questions, read
from pfocr_rdf.release import examples
from pfocr_rdf.release.info import VOID
from pfocr_rdf.serialize import HEADER
from pfocr_rdf.validation import questions as checking
from pfocr_rdf.validation.findings import Finding
from pfocr_rdf.validation.options import Options as Given
from pfocr_rdf.validation.release import Release
from tests.standins import PUBTATOR, REMOTES
from tests.support import ROOT

QUESTIONS = all_questions()
LOCAL = [question for question in QUESTIONS if not question.services]
REMOTE = [question for question in QUESTIONS if question.services]
DESCRIBED = {23, 24}
"""Questions that only the description of a release answers."""

DESCRIPTION = """
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix pav: <http://purl.org/pav/> .
@prefix pfd: <https://w3id.org/pfocr/> .
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix schema: <http://schema.org/> .
@prefix void: <http://rdfs.org/ns/void#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .

<https://w3id.org/pfocr/dataset/pfocr/20250101> dcterms:isVersionOf <https://w3id.org/pfocr/dataset/pfocr> ;
  pav:version "20250101" ; dcterms:issued "2025-01-01"^^xsd:date ;
  dcterms:license <http://creativecommons.org/publicdomain/zero/1.0/> ;
  prov:wasDerivedFrom <https://example.org/source> ; prov:wasGeneratedBy <https://example.org/run> ;
  dcat:distribution <https://example.org/core.ttl> , <https://example.org/links.ttl> .
<https://example.org/run> prov:wasAssociatedWith <https://example.org/tool> .
<https://example.org/core.ttl> void:triples 3 .
<https://example.org/links.ttl> void:triples 5 ; void:propertyPartition <https://example.org/links.ttl#mentions> .
<https://example.org/links.ttl#mentions> void:property schema:mentions ; void:triples 4 .
"""

ANSWERS: dict[int, set[tuple[str, ...]]] = {
    25: {("urn:pathway", "Plaque", "5")},
    26: {("https://identifiers.org/ncbigene/9021", "SOCS3", "1")},
    27: {("urn:pathway", "Plaque", "https://identifiers.org/pmc/PMC9100002")},
    28: {("https://identifiers.org/ncbigene/3569", "http://purl.uniprot.org/uniprot/P05231")},
    29: {
        (f"{identifiers.FIGURES}PMC9100002__jed-04-0017-g001.html", "http://id.nlm.nih.gov/mesh/D011565", "Psoriasis")
    },
    30: {("urn:paper", "urn:psoriasis", "psoriasis"), ("urn:il6", "urn:arthritis", "arthritis")},
    31: {("https://identifiers.org/ncbigene/7124", "TNF")},
}
"""Some of the cells that answers must have, side by side, by the question's number."""


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(str(ROOT / "docs" / "example"), tmp_path_factory.mktemp("questions") / "build", Options()).folder


@pytest.fixture
def copy(release: Path, tmp_path: Path) -> Path:
    shutil.copytree(release, tmp_path / "copy")
    return tmp_path / "copy"


def findings(folder: Path) -> list[Finding]:
    opened = Release.open(folder)
    try:
        return list(checking.CHECKS["Q34"](opened, Given()))  # type: ignore[arg-type]
    finally:
        opened.close()


def ids(question: Question) -> str:
    return question.name


def rows(store: ox.Store, text: str) -> list[list[str]]:
    return [[getattr(cell, "value", "") for cell in row] for row in query.table(query.ask(store, text)).rows]


# the files


def test_all_thirty_questions_are_there() -> None:
    assert {question.number for question in QUESTIONS} >= set(range(1, 31))
    assert len({question.number for question in QUESTIONS}) == len(QUESTIONS)
    assert len({question.title for question in QUESTIONS}) == len(QUESTIONS)


def test_questions_from_25_to_31_ask_other_peoples_endpoints_and_no_others_do() -> None:
    assert [question.number for question in REMOTE] == list(range(25, 32))
    assert {service for question in REMOTE for service in question.services} >= set(REMOTES)


@pytest.mark.parametrize("question", QUESTIONS, ids=ids)
def test_each_query_declares_the_prefixes_it_uses_and_no_others(question: Question) -> None:
    code = re.sub(r'<[^>\s]*>|"[^"\n]*"', "", question.body)
    assert set(question.prefixes) == set(re.findall(r"(?<![\w?])([a-z]+):(?=\w)", code))
    ours = identifiers.PREFIXES
    assert {prefix: ours.get(prefix, space) for prefix, space in question.prefixes.items()} == question.prefixes


@pytest.mark.parametrize("question", LOCAL, ids=ids)
def test_each_local_question_says_when_it_has_an_answer(question: Question) -> None:
    assert question.when or question.rows is not None


HEAD = "# title: T\n# category: C\n# description: D\n# keywords: k\n# columns: a iri\n"
QUERY = "\nSELECT ?a WHERE { ?a ?b <urn:x> }\n"


def test_a_head_goes_on_in_lines_that_are_indented() -> None:
    found = read("01-a.rq", HEAD.replace("D\n", "D\n#   and more\n") + QUERY)
    assert found.description == "D and more"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.rq", HEAD + QUERY, "is named such as"),
        ("01-a.rq", HEAD.replace("# title: T\n", "") + QUERY, "title"),
        ("01-a.rq", HEAD + "# colour: red\n" + QUERY, "colour"),
        ("01-a.rq", HEAD + "# parameter: x = <urn:y>\n" + QUERY, "does not stand in the query"),
        ("01-a.rq", HEAD + "# parameter: x = <urn:x> <urn:x>\n" + QUERY, "does not stand in the query"),
        ("01-a.rq", HEAD + "# parameter: x = <urn:x>\n# length: x = 1\n" + QUERY + "LIMIT 1", "no list"),
        ("01-a.rq", HEAD.replace("a iri", "a word") + QUERY, "column"),
        ("01-a.rq", HEAD + "SELECT\n" + QUERY, "no line of a head"),
    ],
)
def test_a_file_that_is_no_question_is_refused_by_what_is_wrong(name: str, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read(name, text)


# parameters


@pytest.mark.parametrize("question", [question for question in QUESTIONS if question.parameters], ids=ids)
def test_another_term_takes_the_place_of_a_parameter_wherever_it_stands(question: Question) -> None:
    for name, (term, *more) in question.parameters.items():
        whole = re.compile(rf"(?<![\w.]){re.escape(term)}(?![\w.])")
        if not more:
            assert question.asking({name: "<urn:other>"}) == whole.sub("<urn:other>", question.text) != question.text


def test_a_list_may_have_any_length_which_stands_in_the_query_too() -> None:
    by_number = {question.number: question for question in QUESTIONS}
    assert [number for number, question in by_number.items() if question.lengths] == [7, 19]
    seven = by_number[7].asking({"genes": ["<urn:a>", "<urn:b>", "<urn:c>"]})
    assert "{ <urn:a> <urn:b> <urn:c> }" in seven
    assert "HAVING (COUNT(DISTINCT ?gene) = 3)" in seven
    assert "ncbigene" not in seven
    assert "(?overlap / (1.0 + ?size - ?overlap) AS ?score)" in by_number[19].asking({"genes": ["<urn:a>"]})
    with pytest.raises(ValueError, match="at least one"):
        by_number[7].asking({"genes": []})
    with pytest.raises(ValueError, match="one term"):
        by_number[5].asking({"gene": ["<urn:a>", "<urn:b>"]})


@pytest.mark.parametrize(
    "term",
    [
        "<urn:a> } ; DROP ALL ; SELECT { <urn:b>",
        "<urn:a b>",
        '"a" . ?s ?p "b"',
        '"a"b"',
        '"a\nb"',
        "?figure",
        "a",
        "",
        "1 2",
        '"a"^^<urn:x y>',
        "<urn:a>@en",
    ],
)
def test_what_is_not_one_term_is_no_parameter(term: str) -> None:
    question = next(question for question in QUESTIONS if question.number == 5)
    with pytest.raises(ValueError, match="is not one"):
        question.asking({"gene": term})


@pytest.mark.parametrize("value", ['a"b', "a\\", "a\nb", 'x" } UNION { ?s ?p "y', "naïve \u2028", "it's"])
def test_any_text_of_the_graph_can_be_a_parameter(value: str) -> None:
    question = next(question for question in QUESTIONS if question.number == 21)
    store = ox.Store()
    paper, figure = ox.NamedNode("urn:paper"), ox.NamedNode("urn:figure")
    core = ox.NamedNode(identifiers.graph("core"))
    for subject, predicate, term in (
        (figure, "http://purl.org/dc/terms/isPartOf", paper),
        (figure, "http://www.w3.org/2000/01/rdf-schema#label", ox.Literal("T")),
        (paper, "http://schema.org/keywords", ox.Literal(value)),
    ):
        store.add(ox.Quad(subject, ox.NamedNode(predicate), term, core))
    assert rows(store, question.asking({"keyword": str(ox.Literal(value))})) == [["urn:figure", "T"]]


def test_an_unknown_parameter_is_refused() -> None:
    with pytest.raises(ValueError, match="no parameter 'colour'"):
        QUESTIONS[0].asking({"colour": "<urn:red>"})


# answers


@pytest.mark.parametrize("question", [each for each in LOCAL if each.number not in DESCRIBED], ids=ids)
def test_each_local_question_as_it_stands_is_answered_by_the_example(question: Question, release: Path) -> None:
    with query.open_store(release) as store:
        answer = store.query(question.text, use_default_graph_as_union=True)  # with no prefixes but its own
        assert isinstance(answer, ox.QuerySolutions)
        assert query.table(answer).rows
        assert not list(checking.judge(question, store))


def test_the_description_of_a_release_says_which_it_is_and_how_large(copy: Path) -> None:
    (copy / VOID).write_text(DESCRIPTION, encoding="utf-8")
    opened = Release.open(copy)
    store = checking.sample(opened)
    by_number = {question.number: question for question in QUESTIONS}
    assert [row[1:] for row in rows(store, by_number[23].text)] == [
        ["20250101", "2025-01-01", identifiers.CC0, "https://example.org/source", "https://example.org/tool"]
    ]
    assert rows(store, by_number[24].text) == [
        ["https://example.org/core.ttl", "3", "", "2025-01-01"],
        ["https://example.org/links.ttl", "5", "4", "2025-01-01"],
    ]
    assert findings(copy) == []


@pytest.mark.parametrize("question", REMOTE, ids=ids)
def test_questions_join_with_what_others_hold(question: Question, release: Path) -> None:
    with query.open_store(release) as store:
        for address, text in REMOTES.items():
            store.load(text.encode(), format=ox.RdfFormat.TURTLE, to_graph=ox.NamedNode(address))
        pubtator = ox.NamedNode("http://rdfportal.org/dataset/pubtator_central")
        store.load(PUBTATOR.encode(), format=ox.RdfFormat.TURTLE, to_graph=pubtator)
        same = ox.NamedNode("http://www.w3.org/2002/07/owl#sameAs")
        paper, pubmed = (ox.NamedNode(iri) for iri in (identifiers.paper("PMC9100002"), identifiers.pubmed("1")))
        store.add(ox.Quad(paper, same, pubmed, ox.NamedNode(identifiers.graph("xrefs-pubmed"))))
        asked = question.without_services()
        nested = re.sub(r"GRAPH <https://rdfportal[^>]+> \{(\s+GRAPH)", r"{\1", asked.text)  # it has graphs of its own
        asked = replace(asked, text=nested)
        found = rows(store, asked.asking({"least": "1"} if "least" in question.parameters else {}))
    cells = {tuple(row[start : start + width]) for row in found for width in (2, 3) for start in range(len(row))}
    assert cells >= ANSWERS[question.number]


def test_genes_that_stand_in_a_pathway_or_in_the_text_are_left_out(release: Path) -> None:
    by_number = {question.number: question.without_services() for question in REMOTE}
    with query.open_store(release) as store:
        for address, text in REMOTES.items():
            store.load(text.encode(), format=ox.RdfFormat.TURTLE, to_graph=ox.NamedNode(address))
        found = {row[1] for row in rows(store, by_number[26].asking({"least": "1"}))}
    assert "SOCS3" in found
    assert found.isdisjoint({"IL6", "TNF", "IL17A", "STAT3", "CCL20"})


# Q34


def test_the_example_answers_all_questions(release: Path) -> None:
    assert findings(release) == []


def test_the_seed_which_has_no_gene_ids_answers_what_it_can(tmp_path: Path) -> None:
    assert findings(build(str(ROOT / "seeds"), tmp_path / "build", Options()).folder) == []


def test_a_sample_of_a_large_release_answers_all_questions(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "WHOLE", 0)
    monkeypatch.setattr(checking, "FIGURES", 2)
    monkeypatch.setattr(checking, "_FIRST", checking._FIRST.replace("LIMIT 20", "LIMIT 1"))
    opened = Release.open(release)
    taken = checking.sample(opened)
    assert 0 < len(taken) < len(opened.store(whole=True))
    assert set(checking.sample(opened)) == set(taken)  # of all that is in the store now
    assert findings(release) == []


def edited(folder: Path, layer: str, pattern: str, new: str) -> None:
    path = folder / f"pfocr-{layer}.ttl"
    text, times = re.subn(pattern, new, path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert times
    path.write_text(text, encoding="utf-8")


def broken(folder: Path) -> set[tuple[str, str]]:
    return {(finding.focus[:2], finding.message) for finding in findings(folder)}


NOTHING = "no row, though the release has such data"


def test_a_release_without_labels_is_found(copy: Path) -> None:
    edited(copy, "entities", r"^    rdfs:label .*;\n", "")
    assert {("04", NOTHING), ("08", NOTHING), ("13", NOTHING), ("17", NOTHING)} <= broken(copy)


def test_a_release_without_a_layer_is_found(copy: Path) -> None:
    (copy / "pfocr-entities.ttl").write_text(HEADER, encoding="utf-8")
    assert {("04", NOTHING), ("10", NOTHING), ("20", NOTHING)} <= broken(copy)


def test_a_release_without_lexicons_is_found(copy: Path) -> None:
    (copy / "pfocr-ontology.ttl").write_text(HEADER, encoding="utf-8")
    assert broken(copy) == {("12", NOTHING)}


def test_a_value_of_another_kind_is_found(copy: Path) -> None:
    edited(copy, "core", r'"(\d{4})"\^\^xsd:gYear', r'"\1"')
    edited(copy, "entities", r'rdfs:label "ATM"', r'rdfs:label "ATM"@en')
    assert {("05", "year: no year"), ("13", "symbol: no string")} <= broken(copy)


def test_columns_and_numbers_of_rows_are_held_against_the_head(release: Path) -> None:
    wrong = read("01-a.rq", HEAD + "# rows: 3\n\nSELECT ?b WHERE { ?b a <http://schema.org/Gene> }\n")
    right = read("01-a.rq", HEAD + "# rows: 3\n\nSELECT ?a WHERE { ?a a <http://schema.org/Gene> }\n")
    with query.open_store(release) as store:
        assert [finding.message for finding in checking.judge(wrong, store)] == ["the columns are not a"]
        assert [finding.message for finding in checking.judge(right, store)] == ["the number of rows is not 3"]


def test_a_question_that_cannot_be_read_is_a_finding(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = read("25-a.rq", HEAD + "\nSELECT ?a WHERE { SERVICE <http://127.0.0.1:9/> { ?a ?b } }\n")
    monkeypatch.setattr(checking, "all_questions", lambda: (damaged,))
    (found,) = findings(release)
    assert found.focus == "25-a.rq"
    assert "cannot be read" in found.message


# the examples of a release


@pytest.fixture(scope="module")
def parsed() -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = {}
    for quad in ox.parse(examples.examples("https://example.org/sparql"), format=ox.RdfFormat.TURTLE):
        assert isinstance(quad.subject, ox.NamedNode)
        found.setdefault(quad.subject.value, {}).setdefault(quad.predicate.value, []).append(
            getattr(quad.object, "value", "")
        )
    return found


@pytest.mark.parametrize("question", QUESTIONS, ids=ids)
def test_each_question_is_an_example(question: Question, parsed: dict[str, dict[str, list[str]]]) -> None:
    sh, rdfs = identifiers.PREFIXES["sh"], identifiers.PREFIXES["rdfs"]
    example = parsed[f"https://w3id.org/pfocr/query/{question.name}"]
    assert example[f"{identifiers.PREFIXES['rdf']}type"] == [f"{sh}SPARQLExecutable", f"{sh}SPARQLSelectExecutable"]
    assert example[f"{sh}select"] == [question.text]
    assert example[f"{rdfs}comment"] == [f"{question.title} {question.description}"]
    assert sorted(example["https://schema.org/keywords"]) == sorted(question.keywords)
    assert example["https://schema.org/target"] == ["https://example.org/sparql"]
    federated = example.get("https://purl.expasy.org/sparql-examples/ontology#federatesWith", [])
    assert sorted(federated) == sorted(question.services)
    (prefixes,) = example[f"{sh}prefixes"]
    declared = {
        parsed[node][f"{sh}prefix"][0]: parsed[node][f"{sh}namespace"][0] for node in parsed[prefixes][f"{sh}declare"]
    }
    assert question.prefixes.items() <= declared.items()
    ox.Store().query(question.without_services().body, prefixes=declared)


def test_examples_are_the_same_bytes_each_time_and_have_no_blank_nodes(parsed: dict[str, dict[str, list[str]]]) -> None:
    assert examples.examples() == examples.examples()
    assert "_:" not in examples.examples()
    assert "[" not in "".join(line for line in examples.examples().splitlines() if line.startswith("    sh:declare"))
    assert list(parsed) == sorted(parsed, key=lambda iri: ("/query/" in iri, iri))


def test_without_an_endpoint_no_example_names_one() -> None:
    assert "schema:target" not in examples.examples()
    with pytest.raises(ValueError, match="not an IRI"):
        examples.examples("a b")


def test_the_folder_of_questions_is_described() -> None:
    assert "\n| `queries/` | " in (ROOT / "ontologies" / "README.md").read_text(encoding="utf-8")
