"""What people may write for the parameters of questions, and what `query --name` does with it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyoxigraph as ox
import pytest
from typer.testing import CliRunner

from pfocr_rdf import build, buildfolder, identifiers, parameters, query, questions
from pfocr_rdf.cli import app
from pfocr_rdf.errors import UsageError
from pfocr_rdf.pipeline import Options
from pfocr_rdf.questions import Question, all_questions, is_term
from tests import releasing
from tests.support import ROOT

BY_NUMBER = {question.number: question for question in all_questions()}
GENE = "<https://identifiers.org/ncbigene/7157>"
FIGURE = "<https://pfocr.wikipathways.org/figures/PMC1__a%2Bb.html>"
Call = Callable[..., tuple[int, str, str]]


def nothing(_class: str, _label: str) -> list[tuple[str, str]]:
    return []


def terms(number: int, *given: str) -> dict[str, list[str]]:
    return parameters.terms(BY_NUMBER[number], given, nothing)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(str(ROOT / "docs" / "example"), tmp_path_factory.mktemp("parameters") / "build", Options()).folder


@pytest.fixture
def call() -> Call:
    def run(*words: str | Path) -> tuple[int, str, str]:
        done = CliRunner().invoke(app, ["query", *map(str, words)])
        return done.exit_code, done.stdout, done.stderr

    return run


# values


@pytest.mark.parametrize(
    ("number", "given", "term"),
    [
        (5, "gene=7157", GENE),
        (5, "gene= ncbigene:7157 ", GENE),
        (5, "gene=NCBIGene:7157", GENE),
        (5, "gene=https://identifiers.org/ncbigene/7157", GENE),
        (5, f"gene={GENE}", GENE),
        (5, "gene=pfd:symbol/7955/il6", "<https://w3id.org/pfocr/symbol/7955/il6>"),
        (8, "taxon=9606", "<http://purl.obolibrary.org/obo/NCBITaxon_9606>"),
        (8, "taxon=NCBITaxon:9606", "<http://purl.obolibrary.org/obo/NCBITaxon_9606>"),
        (8, "taxon=obo:NCBITaxon_9606", "<http://purl.obolibrary.org/obo/NCBITaxon_9606>"),
        (3, "paper=PMC7757046", "<https://identifiers.org/pmc/PMC7757046>"),
        (4, "figure=PMC1__a+b", FIGURE),
        (4, f"figure={FIGURE[1:-1]}", FIGURE),
        (11, "disease=D011565", "<http://id.nlm.nih.gov/mesh/D011565>"),
        (11, "disease=mesh:D011565", "<http://id.nlm.nih.gov/mesh/D011565>"),
        (11, "disease=doid:8893", "<http://purl.obolibrary.org/obo/DOID_8893>"),
        (29, "heading=D012871", "<http://id.nlm.nih.gov/mesh/D012871>"),
        (14, "most=12", "12"),
        (16, "score=0.75", "0.75"),
        (16, "score=1", "1.0"),
        (6, "symbol=TNF", '"TNF"'),
        (2, "figid=PMC1__a=b", '"PMC1__a=b"'),
        (21, 'keyword=a" } UNION { ?s ?p "', '"a\\" } UNION { ?s ?p \\""'),
        (21, "keyword=a\\\n\t\r", '"a\\\\\\n\\t\\r"'),
        (21, "keyword=", '""'),
    ],
)
def test_a_value_is_a_term_of_the_kind_of_the_parameter(number: int, given: str, term: str) -> None:
    name = given.partition("=")[0]
    assert terms(number, given) == {name: [term]}
    assert is_term(term)


@pytest.mark.parametrize(
    ("number", "given", "said"),
    [
        (5, "gene=mesh:D011565", "NCBI Gene id"),
        (5, "gene=http://identifiers.org/ncbigene/7157", "NCBI Gene id"),
        (5, "gene=https://identifiers.org/ncbigene/TP53", "NCBI Gene id"),
        (5, "gene=<https://identifiers.org/ncbigene/1> . ?a ?b <urn:c>", "NCBI Gene id"),
        (5, "gene=https://identifiers.org/ncbigene/1> . ?a ?b <urn:c", "NCBI Gene id"),
        (5, "gene=0", "NCBI Gene id"),
        (5, "gene=", "NCBI Gene id"),
        (5, "gene=TP53", "nothing in the graph has this label"),
        (8, "taxon=-1", "NCBI Taxonomy id"),
        (3, "paper=7757046", "PubMed Central"),
        (4, "figure=PMC1", "figid"),
        (4, "figure=PMC1__a b", "figid"),
        (11, "disease=8893", "Disease Ontology"),
        (29, "heading=DOID:8893", "heading of MeSH"),
        (14, "most=3.5", "whole number is expected"),
        (14, "most=-1", "whole number is expected"),
        (14, "most=3 } #", "whole number is expected"),
        (16, "score=high", "a number is expected"),
        (21, "keyword=\udcff", "UTF-8"),
        (5, "gene", "NAME=VALUE; question 5 has gene (gene)"),
        (5, "colour=red", "question 5 has gene (gene)"),
        (1, "gene=7157", "question 1 has no parameters"),
        (7, "genes=,", "list is empty"),
    ],
)
def test_a_value_of_another_kind_is_refused_with_what_is_expected(number: int, given: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        terms(number, given)
    assert said in str(caught.value)


def test_a_list_is_given_with_commas_or_by_its_name_again() -> None:
    one, two, three = (f"<https://identifiers.org/ncbigene/{number}>" for number in (1, 2, 3))
    assert terms(7, "genes=1, ncbigene:2,3") == terms(7, "genes=1,2", "genes=3,1") == {"genes": [one, two, three]}
    with pytest.raises(UsageError, match="given twice"):
        terms(5, "gene=1", "gene=2")


def test_a_label_means_the_only_thing_that_has_it() -> None:
    asked = []

    def look_up(class_: str, label: str) -> list[tuple[str, str]]:
        asked.append((class_, label))
        return found

    found = [("https://identifiers.org/ncbigene/7157", "Homo sapiens")]
    assert parameters.terms(BY_NUMBER[5], ['gene=T"P'], look_up) == {"gene": [GENE]}
    assert asked == [("<http://schema.org/Gene>", '"T\\"P"')]
    found.append(("https://identifiers.org/ncbigene/22059", "Mus musculus"))
    with pytest.raises(UsageError, match=r"2 things .*: 22059 \(Mus musculus\), 7157 \(Homo sapiens\); give one of"):
        parameters.terms(BY_NUMBER[5], ["gene=Tp53"], look_up)
    found += [(f"https://identifiers.org/ncbigene/{number}", "") for number in range(1, 9)]
    with pytest.raises(UsageError, match=r"10 things .* and 2 more"):
        parameters.terms(BY_NUMBER[5], ["gene=Tp53"], look_up)


@pytest.mark.parametrize("question", all_questions(), ids=lambda question: question.name)
def test_what_is_listed_as_default_gives_the_query_as_it_stands(question: Question) -> None:
    given = [f"{name}={value}" for name, value in parameters.defaults(question).items()]
    again = question.asking(parameters.terms(question, given, nothing))
    assert " ".join(again.split()) == " ".join(question.text.split())


# names


@pytest.mark.parametrize("name", ["5", "05", "05-figures-of-gene", "05-figures-of-gene.rq", "figures-of-gene", " 5 "])
def test_a_question_goes_by_number_file_and_name(name: str) -> None:
    assert questions.named(name) is BY_NUMBER[5]


def test_an_unknown_name_is_refused_with_those_that_are_near() -> None:
    with pytest.raises(UsageError, match="near are figures-of-gene"):
        questions.named("figure-of-gene")
    with pytest.raises(UsageError, match="--list"):
        questions.named("99")


# the command


def test_a_question_is_asked_by_name(call: Call, release: Path) -> None:
    code, out, err = call("--name", "figures-of-gene", "--param", "gene=7157", "--on", release, "--format", "csv")
    assert (code, err) == (0, "")
    assert [line.partition(",")[0].rpartition("/")[2] for line in out.splitlines()[1:]] == [
        "PMC9100001__aqs-12-0045-g003.html",
        "PMC9100004__excell.0010023.g002.html",
    ]
    code, by_symbol, _ = call("--name", "5", "--param", "gene=TP53", "--on", release, "--format", "csv")
    assert (code, by_symbol) == (0, out)
    code, out, _ = call("--name", "8", "--param", "taxon=Danio rerio", "--on", release, "--format", "json")
    assert code == 0
    assert [row["symbol"]["value"] for row in json.loads(out)["results"]["bindings"]] == ["tp53"]


def test_the_query_is_shown_with_its_parameters_and_not_asked(call: Call, tmp_path: Path) -> None:
    code, out, err = call("--name", "5", "--param", "gene=7157", "--show", "--on", tmp_path / "nowhere")
    assert (code, err) == (0, "")
    assert out == BY_NUMBER[5].text.replace("/3569>", "/7157>") != BY_NUMBER[5].text


def test_all_questions_are_listed_with_their_parameters(call: Call) -> None:
    code, out, _ = call("--list")
    assert code == 0
    for question in all_questions():
        assert f"{question.number:>2} {question.tail}: {question.title}\n" in out
    assert " 7 figures-of-all-genes: Which figures show all genes of a list?\n     genes=3569,7124\n" in out
    code, out, _ = call("--list", "--format", "json")
    assert [entry["number"] for entry in json.loads(out)] == list(BY_NUMBER)
    assert json.loads(out)[5]["parameters"] == {"symbol": "TNF", "taxon": "9606"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ASK {}", "--name", "5"), "one of them"),
        (("--param", "gene=1"), "one of them"),
        (("ASK {}", "--param", "gene=1"), "--param and --show are for questions"),
        (("ASK {}", "--show"), "--param and --show are for questions"),
        (("--name", "nothing"), "is no question"),
        (("--name", "28", "--on", "RELEASE"), "asks https://sparql.uniprot.org/sparql too, which the embedded store"),
        (("--name", "5", "--param", "gene=Gone", "--on", "RELEASE"), "nothing in the graph has this label"),
        (("ASK {}", "--on", "ftp://example.org/"), "is no address of a store"),
        (("ASK {}", "--on", "http://me:secret@127.0.0.1/"), "put no user and password"),
        (("ASK {}", "--timeout", "0"), "--timeout"),
    ],
)
def test_a_wrong_call_is_one_line(words: tuple[str, ...], said: str, call: Call, release: Path) -> None:
    code, out, err = call(*(str(release) if word == "RELEASE" else word for word in words))
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    assert "secret" not in err


# what is asked


def test_a_database_of_oxigraph_is_asked_as_it_is(call: Call, release: Path, tmp_path: Path) -> None:
    store = ox.Store(str(tmp_path / "db"))
    query.load(store, query.by_graph(buildfolder.layer_files(release)))
    store.flush()
    del store
    found = call("--name", "5", "--on", tmp_path / "db", "--format", "csv")
    assert found == call("--name", "5", "--on", release, "--format", "csv")
    assert found[0] == 0


def test_a_loaded_folder_answers_what_the_release_answers(call: Call, release: Path, tmp_path: Path) -> None:
    releasing.release(release, tmp_path / "site", "20250101")
    assert CliRunner().invoke(app, ["load", str(tmp_path / "site"), "--to", str(tmp_path / "db")]).exit_code == 0
    for number in ("5", "23", "24"):
        found = call("--name", number, "--on", tmp_path / "db", "--format", "csv")
        assert found == call("--name", number, "--on", tmp_path / "site", "--format", "csv")
        assert found[0] == 0
    _, told, _ = call("--name", "24", "--on", tmp_path / "db", "--format", "csv")
    files = [line.partition(",")[0] for line in told.splitlines()[1:]]
    assert files == sorted(identifiers.graph(layer) for layer in buildfolder.layer_files(release))


def test_a_folder_of_releases_stands_for_its_current_one(call: Call, release: Path, tmp_path: Path) -> None:
    shutil.copytree(release, tmp_path / "releases" / "1")
    (tmp_path / "current").symlink_to("releases/1")
    assert call("--name", "1", "--on", tmp_path, "--format", "csv")[0] == 0


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_a_limit_of_time_changes_no_answer_that_keeps_it(form: str, call: Call, release: Path) -> None:
    for text in ("SELECT * { ?s a schema:Gene } ORDER BY ?s LIMIT 3", "ASK { ?s a schema:Gene }"):
        words = (text, "--on", release, "--format", form)
        assert call(*words, "--timeout", "60") == call(*words)
    graph = ("CONSTRUCT WHERE { ?s a schema:Gene }", "--on", release)
    assert call(*graph, "--timeout", "60") == call(*graph)


def test_a_query_that_takes_too_long_is_given_up(call: Call, release: Path) -> None:
    slow = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f FILTER (STR(?c) = STR(?f)) }"  # it takes a second or two
    code, out, err = call(slow, "--on", release, "--timeout", "0.1")
    assert (code, out) == (2, "")
    assert "takes longer than 0.1 s" in err


def test_a_bad_query_with_a_limit_is_one_line_too(call: Call, release: Path) -> None:
    code, _, err = call("SELECT WHERE", "--on", release, "--timeout", "60")
    assert code == 2
    assert "cannot be read" in err


def test_an_endpoint_that_is_not_there_is_one_line(call: Call) -> None:
    code, _, err = call("ASK {}", "--on", "http://127.0.0.1:9/sparql")
    assert code == 5
    assert "is the store running?" in err
    assert err.count("\n") == 1


def test_only_prefixes_that_are_used_and_not_declared_are_added_for_endpoints() -> None:
    text = "prefix schema: <urn:s> SELECT * { ?s rdfs:label ?l ; schema:x ?y }"
    rdfs = "PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>\n"
    assert query.declared(text) == rdfs + text
    assert query.declared(BY_NUMBER[5].text) == BY_NUMBER[5].text
