"""docs/load.md: its lines load each store as they stand, and every local question has the expected answer there."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyoxigraph as ox
import pytest
from typer.testing import CliRunner

from pfocr_rdf import buildfolder, identifiers, query
from pfocr_rdf.cli import app
from pfocr_rdf.questions import all_questions
from pfocr_rdf.release.info import VOID_ENDPOINT, ReleaseInfo
from tests import answers, clients, servers, standins
from tests.describing import described
from tests.support import BLAZEGRAPH, JENA, ROOT, require_jar, require_tool

PAGE = (ROOT / "docs" / "load.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```bash ([a-z]+)-([a-z]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ADDRESSES = {
    "oxigraph": "http://127.0.0.1:7878/query",
    "fuseki": "http://localhost:3030/pfocr/query",
    "blazegraph": "http://127.0.0.1:9999/blazegraph/sparql",
    "virtuoso": "http://127.0.0.1:8890/sparql",
}
PORTS = {"oxigraph": ["7878"], "fuseki": ["3030"], "blazegraph": ["9999"], "virtuoso": ["8890", "1111"]}
EXAMPLE = ROOT / "docs" / "example"
VERSION = "20250101"
QUESTIONS = [question for question in all_questions() if not question.services]


def add_description(made: Path) -> None:
    """Add to the file of all quads the description that a release has for stores, and a link to PubMed."""
    void = (made / VOID_ENDPOINT).read_text(encoding="utf-8")
    name = ox.NamedNode(identifiers.graph("void"))
    quads = [
        ox.Quad(quad.subject, quad.predicate, quad.object, name) for quad in ox.parse(void, format=ox.RdfFormat.TURTLE)
    ]
    paper, pubmed = (ox.NamedNode(iri) for iri in (identifiers.paper("PMC9100002"), identifiers.pubmed("1")))
    same = ox.NamedNode(f"{identifiers.PREFIXES['owl']}sameAs")
    quads.append(ox.Quad(paper, same, pubmed, ox.NamedNode(identifiers.graph("xrefs-pubmed"))))
    with (made / "pfocr-all.nq.gz").open("ab") as file:
        file.write(gzip.compress(ox.serialize(quads, format=ox.RdfFormat.N_QUADS) or b"", mtime=0))


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a build in `output/pfocr`, as the page makes it."""
    folder = tmp_path_factory.mktemp("load")
    add_description(described(folder / "output" / "pfocr", EXAMPLE, release=ReleaseInfo(VERSION)))
    (folder / "ontologies").symlink_to(ROOT / "ontologies")
    return folder


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The programs of the environment are found, and Java starts fast."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-XX:+UseSerialGC -XX:TieredStopAtLevel=1")


@contextmanager
def loaded(store: str, folder: Path) -> Iterator[servers.Endpoint]:
    """Run the blocks of a store in the order of the page, on free ports; the server runs while the block lasts."""
    ports = {port: str(servers.free_port()) for port in PORTS[store]}

    def local(text: str) -> str:
        for port, free in ports.items():
            text = re.sub(rf"\b{port}\b", free, text)
        return text

    endpoint = servers.Endpoint(local(ADDRESSES[store]))
    with ExitStack() as stack:
        for name, step, text in BLOCK.findall(PAGE):
            if name != store:
                continue
            if step == "serve":  # `exec`, so that what is stopped is the server
                command = re.sub(r"^(?=oxigraph|java|virtuoso-t)", "exec ", local(text), flags=re.MULTILINE)
                ready = servers.answers(f"{endpoint.query}?query=ASK%20%7B%7D")
                stack.enter_context(servers.running(["bash", "-c", command], folder, ready))
            else:
                done = subprocess.run(
                    ["bash", "-euc", local(text)],
                    cwd=folder,
                    capture_output=True,
                    text=True,
                    check=False,
                    timeout=servers.PATIENCE,
                )
                assert done.returncode == 0, done.stdout + done.stderr
                assert "Error" not in done.stdout + done.stderr, done.stdout + done.stderr
                if step == "ask":
                    assert done.stdout.count("\n") == 4, done.stdout
        yield endpoint


def answered_alike(endpoint: servers.Endpoint, graph: Path) -> None:
    """Compare what each client gets for all questions with what is expected, and counts with the manifest's."""
    layers = buildfolder.read_manifest(graph / "output" / "pfocr")["layers"]
    expected = expected_on(graph)
    for question in QUESTIONS:
        columns = [column.name for column in question.columns]
        for name, ask in clients.CLIENTS.items():
            rows = ask(endpoint.query, question.text, columns)
            found = sorted(answers.plain(question.number, row) for row in rows)
            assert found == expected[question.number], (name, question.name)
    other_forms(endpoint.query)
    ours = {name: n for name, n in endpoint.counts().items() if name.startswith(f"{identifiers.PFD}graph/")}
    for added in ("void", "xrefs-pubmed"):
        del ours[identifiers.graph(added)]
    assert ours == {identifiers.graph(layer): entry["triples"] for layer, entry in layers.items()}


def expected_on(graph: Path) -> dict[int, list[answers.Row]]:
    ontology = buildfolder.read_manifest(graph / "output" / "pfocr")["layers"]["ontology"]["triples"]
    found = answers.answers(EXAMPLE, VERSION, ontology)
    assert set(found) == {question.number for question in QUESTIONS}
    return found


def other_forms(address: str) -> None:
    """ASK and CONSTRUCT, a query that is none, and symbols, at an endpoint."""
    runner = CliRunner()

    def call(*words: str) -> str:
        done = runner.invoke(app, ["query", *words, "--on", address])
        assert done.exit_code == 0, done.output
        return done.output

    assert call("ASK { ?gene a schema:Gene }") == "true\n"
    assert call("ASK { ?gene a <urn:nothing> }") == "false\n"
    made = call("CONSTRUCT { ?gene rdfs:label ?l } WHERE { ?gene rdfs:label ?l ; dcterms:identifier '3569' }")
    assert made.endswith('\n<https://identifiers.org/ncbigene/3569>\n    rdfs:label "IL6" .\n\n')
    by_symbol = call("--name", "figures-of-gene", "--param", "gene=IL6", "--format", "csv")
    assert by_symbol == call("--name", "5", "--format", "csv")
    assert by_symbol.count("\n") == 4
    wrong = runner.invoke(app, ["query", "SELECT WHERE", "--on", address])
    assert wrong.exit_code == 5
    assert wrong.output.startswith(f"pfocr-rdf: {address}: HTTP ")


@pytest.mark.slow
def test_comunica_gets_the_same_rows(graph: Path) -> None:
    servers.require_oxigraph()
    with loaded("oxigraph", graph) as endpoint:
        found = clients.comunica(endpoint.query, [question.text for question in QUESTIONS])
    expected = expected_on(graph)
    for question, rows in zip(QUESTIONS, found, strict=True):
        cells = [[row.get(column.name, "") for column in question.columns] for row in rows]
        assert sorted(answers.plain(question.number, row) for row in cells) == expected[question.number], question.name


def test_the_embedded_store_answers_all_questions(graph: Path) -> None:
    expected = expected_on(graph)
    with query.open_store(graph / "output" / "pfocr") as store:
        for question in QUESTIONS:
            rows = query.table(query.ask(store, question.text)).rows
            found = [answers.plain(question.number, [cell.value if cell else "" for cell in row]) for row in rows]
            assert sorted(found) == expected[question.number], question.name


def test_the_expected_answers_are_such_that_a_wrong_one_shows() -> None:
    for number, rows in answers.answers(EXAMPLE, VERSION, 1).items():
        assert rows, number
        assert len(rows) > 1 or number in {1, 22, 23}


def answered_with_others(endpoint: servers.Endpoint, local: Mapping[str, str]) -> None:
    """Compare the answers to the federated questions, stand-ins in the place of others, with the expected ones."""
    expected = standins.answers(EXAMPLE)
    remote = [question for question in all_questions() if question.services]
    assert [question.number for question in remote] == list(expected)
    for question in remote:
        text = question.asking({"least": "1"} if "least" in question.parameters else {})
        text = standins.LOCAL.sub(lambda found: f"<{local[found[1]]}>", text)
        names = [column.name for column in question.columns]
        rows = [[row.get(name, "") for name in names] for row in endpoint.select(text)]
        assert sorted(answers.plain(question.number, row) for row in rows) == expected[question.number], question.name


def test_the_page_says_where_each_store_answers() -> None:
    assert {name for name, _, _ in BLOCK.findall(PAGE)} == set(ADDRESSES)
    assert all(f"`{address}`" in PAGE for address in ADDRESSES.values())


def test_oxigraph_answers_all_questions(graph: Path) -> None:
    servers.require_oxigraph()
    with loaded("oxigraph", graph) as endpoint:
        answered_alike(endpoint, graph)


def test_fuseki_answers_all_questions(graph: Path, tmp_path: Path) -> None:
    jar = require_jar(JENA)
    beside(jar, graph)
    with loaded("fuseki", graph) as endpoint:
        answered_alike(endpoint, graph)
        with standins.standing_in(jar, tmp_path) as local:
            answered_with_others(endpoint, local)


def test_blazegraph_answers_all_questions(graph: Path) -> None:
    beside(require_jar(BLAZEGRAPH), graph)
    with loaded("blazegraph", graph) as endpoint:
        answered_alike(endpoint, graph)


def test_virtuoso_answers_all_questions(graph: Path) -> None:
    require_tool("virtuoso-t", "virtuoso-opensource-7-bin")
    with loaded("virtuoso", graph) as endpoint:
        answered_alike(endpoint, graph)


def beside(jar: Path, folder: Path) -> None:
    """Put a jar where the page has it."""
    (folder / jar.name).symlink_to(jar)
