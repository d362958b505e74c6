"""The recipes of a release load it, whole, into the stores that they are for, and tell when something is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pfocr_rdf import identifiers as ids
from pfocr_rdf.release import recipes
from pfocr_rdf.release.recipes import Graph
from tests import changing, servers
from tests.changing import build, drop, options
from tests.releasing import release
from tests.servers import JAVA, Endpoint
from tests.support import BLAZEGRAPH, require_jar, require_jena, require_tool

ENDPOINT = "https://example.org/sparql"
UNION = "SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }"


@pytest.fixture(scope="module", params=["none", pytest.param("zstd", marks=pytest.mark.slow)])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second release, with a figure that is gone; its folder has a blank in its name."""
    root = tmp_path_factory.mktemp("a site")
    files = changing.small(root / "source", 8, fixtures=False)
    build(files, root / "one", options(compress=request.param), full=True)
    release(root / "one", root / "site", "a")
    drop(files, files.records()[0])
    build(files, root / "two", options(compress=request.param), full=True)
    release(root / "two", root / "site", "b", endpoint=ENDPOINT)
    return root / "site" / "releases" / "b"


def expected(place: Path) -> dict[str, int]:
    lines = (place / "load" / "counts.tsv").read_text().splitlines()
    return {graph[1:-1]: int(count) for graph, count in (line.split("\t") for line in lines)}


def run(place: Path, name: str, *arguments: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    command = ["sh", str(place / "load" / name), *map(str, arguments)]
    environment = {**os.environ, "PATH": programs, "JAVA_TOOL_OPTIONS": ""}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def loaded(place: Path, name: str, *arguments: str | Path, folder: Path) -> None:
    done = run(place, name, *arguments, folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "loaded." in done.stdout


def check(endpoint: Endpoint, place: Path) -> None:
    """Each graph has its triples, and plain patterns find those of all graphs."""
    counts = expected(place)
    assert {graph: n for graph, n in endpoint.counts().items() if graph in counts} == counts
    assert f"{ENDPOINT}/.well-known/void" in counts
    assert f"{ids.PFD}graph/withdrawn" in counts
    figures = "SELECT DISTINCT ?f WHERE { ?f a <http://schema.org/Dataset> ; <http://purl.org/dc/terms/isPartOf> ?p }"
    assert len(endpoint.select(figures)) == 7


def test_oxigraph(place: Path, tmp_path: Path) -> None:
    program = servers.require_oxigraph()
    loaded(place, "oxigraph.sh", "db", folder=tmp_path)
    again = run(place, "oxigraph.sh", "db", folder=tmp_path)
    assert again.returncode == 2
    assert "is there already" in again.stderr
    base = f"http://127.0.0.1:{servers.free_port()}"
    command = (program, "serve-read-only", "--location", "db", "--union-default-graph", "--bind", base[7:])
    with servers.running(command, tmp_path, servers.answers(base)):
        endpoint = Endpoint(f"{base}/query")
        check(endpoint, place)
        assert int(endpoint.select(UNION)[0]["n"]) == sum(expected(place).values())


def test_a_load_that_loses_a_triple_ends_with_an_error(place: Path, tmp_path: Path) -> None:
    servers.require_oxigraph()
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", str(place), str(copy)], check=True)
    counts = copy / "load" / "counts.tsv"
    counts.write_text(counts.read_text().replace("graph/core>\t", "graph/core>\t1"))
    done = run(copy, "oxigraph.sh", "db", folder=tmp_path)
    assert done.returncode == 1
    assert "graph/core" in done.stdout


def test_fuseki(place: Path, tmp_path: Path) -> None:
    jar = require_jena()
    loaded(place, "fuseki.sh", jar, folder=tmp_path)
    port = servers.free_port()
    base = f"http://localhost:{port}"
    switches: list[str] = ["--localhost", f"--port={port}", "--ping", f"--config={place / 'load' / 'fuseki.ttl'}"]
    command: list[str | Path] = [*JAVA, "-cp", jar, "org.apache.jena.fuseki.main.cmds.FusekiMainCmd", *switches]
    with servers.running(command, tmp_path, servers.answers(f"{base}/$/ping")):
        for address in (f"{base}/pfocr", f"{base}/pfocr/sparql"):
            assert int(Endpoint(address).select(UNION)[0]["n"]) == sum(expected(place).values())
            check(Endpoint(address), place)


def test_virtuoso(place: Path, tmp_path: Path) -> None:
    program = require_tool("virtuoso-t", "virtuoso-opensource-7-bin")
    with servers.virtuoso(program, tmp_path, place) as store:
        loaded(place, "virtuoso.sh", f"127.0.0.1:{store.port}", "dba", "dba", folder=tmp_path)
        check(store.endpoint, place)


@pytest.mark.slow
def test_blazegraph(place: Path, tmp_path: Path) -> None:
    jar = require_jar(BLAZEGRAPH)
    loaded(place, "blazegraph.sh", jar, "db", folder=tmp_path)
    port = servers.free_port()
    pages = f"jar:{jar.resolve().as_uri()}!/war"
    switches = ["-Djetty.host=127.0.0.1", f"-Djetty.home={pages}", f"-Djetty.resourceBase={pages}"]
    server: list[str | Path] = [
        "com.bigdata.rdf.sail.webapp.NanoSparqlServer",
        str(port),
        "kb",
        tmp_path / "db" / "RWStore.properties",
    ]
    base = f"http://127.0.0.1:{port}/blazegraph"
    command = [*JAVA, *switches, "-cp", jar, *server]
    with servers.running(command, tmp_path, servers.answers(f"{base}/status")):
        check(Endpoint(f"{base}/sparql"), place)


def test_qlever_is_given_each_file_with_its_graph() -> None:
    graphs = [
        Graph("urn:g", "pfocr-core.ttl.zst", 5, layer=True),
        Graph("urn:h", "pfocr-withdrawn.ttl", 0, layer=False),
    ]
    text = recipes.recipes("20250101", graphs)["Qleverfile"]
    assert '{ "cmd": "zstd -dc pfocr-core.ttl.zst", "graph": "urn:g" }' in text
    assert '{ "cmd": "cat pfocr-withdrawn.ttl", "graph": "urn:h" }' in text
    assert "INPUT_FILES      = pfocr-core.ttl.zst pfocr-withdrawn.ttl\n" in text
    assert "20250101" in text


def test_no_name_is_left_open_in_a_recipe() -> None:
    for name, text in recipes.recipes("v", [Graph("urn:g", "pfocr-core.ttl", 5, layer=True)]).items():
        assert "@" not in text, name
