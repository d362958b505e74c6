"""docs/load.md: its lines load each store as they stand, and every local question has the same answer there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyoxigraph as ox
import pytest

from pfocr_rdf import build, buildfolder, identifiers, query
from pfocr_rdf.pipeline import Options
from pfocr_rdf.questions import all_questions
from pfocr_rdf.shards import Output
from tests import servers
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
QUESTIONS = [question for question in all_questions() if not question.services]


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a build in `output/pfocr`, as the page makes it."""
    folder = tmp_path_factory.mktemp("load")
    build(str(ROOT / "docs" / "example"), folder / "output" / "pfocr", Options(output=Output("none", True)))
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
    """Compare the answers to all questions, and the numbers of triples, with those of the embedded store."""
    with query.open_store(graph / "output" / "pfocr") as store:
        for question in QUESTIONS:
            answer = store.query(question.text, use_default_graph_as_union=True)
            assert isinstance(answer, ox.QuerySolutions)
            table = query.table(answer)
            expected = [{n: c.value for n, c in zip(table.variables, row, strict=True) if c} for row in table.rows]
            found = [{name: value for name, value in row.items() if value} for row in endpoint.select(question.text)]
            assert sorted(map(plain, found)) == sorted(map(plain, expected)), question.name
    layers = buildfolder.read_manifest(graph / "output" / "pfocr")["layers"]
    ours = {name: n for name, n in endpoint.counts().items() if name.startswith(f"{identifiers.PFD}graph/")}
    assert ours == {identifiers.graph(layer): entry["triples"] for layer, entry in layers.items()}


def plain(row: dict[str, str]) -> list[tuple[str, str]]:
    """Return a row with numbers as far as stores agree on them, and lists of genes in one order."""
    values = {name: " ".join(sorted(value.split(" "))) if name == "genes" else value for name, value in row.items()}
    return sorted((name, f"{float(v):.6f}" if re.fullmatch(r"[0-9.]+(E0)?", v) else v) for name, v in values.items())


def test_the_page_says_where_each_store_answers() -> None:
    assert {name for name, _, _ in BLOCK.findall(PAGE)} == set(ADDRESSES)
    assert all(f"`{address}`" in PAGE for address in ADDRESSES.values())


def test_oxigraph_answers_all_questions(graph: Path) -> None:
    servers.require_oxigraph()
    with loaded("oxigraph", graph) as endpoint:
        answered_alike(endpoint, graph)


def test_fuseki_answers_all_questions(graph: Path) -> None:
    beside(require_jar(JENA), graph)
    with loaded("fuseki", graph) as endpoint:
        answered_alike(endpoint, graph)


@pytest.mark.slow
def test_blazegraph_answers_all_questions(graph: Path) -> None:
    beside(require_jar(BLAZEGRAPH), graph)
    with loaded("blazegraph", graph) as endpoint:
        answered_alike(endpoint, graph)


@pytest.mark.slow
def test_virtuoso_answers_all_questions(graph: Path) -> None:
    require_tool("virtuoso-t", "virtuoso-opensource-7-bin")
    with loaded("virtuoso", graph) as endpoint:
        answered_alike(endpoint, graph)


def beside(jar: Path, folder: Path) -> None:
    """Put a jar where the page has it."""
    (folder / jar.name).symlink_to(jar)
