"""Stores of others count what `void-endpoint.ttl` says that they hold."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pfocr_rdf.identifiers import PREFIXES, graph
from pfocr_rdf.release.info import VOID_ENDPOINT
from tests import servers
from tests.describing import described
from tests.servers import Endpoint
from tests.support import require_jena

WELL_KNOWN = "https://example.org/sparql/.well-known/void"
HEAD = "".join(f"PREFIX {prefix}: <{namespace}>\n" for prefix, namespace in PREFIXES.items())
LAYERS = f'FILTER(STRSTARTS(STR(?g), "{graph("")}"))'
IN_LAYERS = f"GRAPH ?g {{ ?s ?p ?o }} {LAYERS}"

SAID_AND_COUNTED = {
    "the numbers of each graph": (
        "?g void:triples ?a ; void:distinctSubjects ?b ; void:distinctObjects ?c ; void:properties ?d",
        f"SELECT ?g (COUNT(*) AS ?a) (COUNT(DISTINCT ?s) AS ?b) (COUNT(DISTINCT ?o) AS ?c) (COUNT(DISTINCT ?p) AS ?d) "
        f"WHERE {{ {IN_LAYERS} }} GROUP BY ?g",
        "?g ?a ?b ?c ?d",
    ),
    "typed subjects and classes": (
        "?g void:entities ?a ; void:classes ?b FILTER(?a > 0)",
        f"SELECT ?g (COUNT(DISTINCT ?s) AS ?a) (COUNT(DISTINCT ?o) AS ?b) WHERE {{ GRAPH ?g {{ ?s a ?o }} {LAYERS} }} "
        "GROUP BY ?g",
        "?g ?a ?b",
    ),
    "literals": (
        "?g void:classPartition ?part . ?part void:class rdfs:Literal ; void:distinctSubjects ?a",
        f"SELECT ?g (COUNT(DISTINCT ?o) AS ?a) WHERE {{ {IN_LAYERS} FILTER(isLiteral(?o)) }} GROUP BY ?g",
        "?g ?a",
    ),
    "classes": (
        "?g void:classPartition ?part . ?part void:class ?class ; void:entities ?a",
        f"SELECT ?g ?class (COUNT(DISTINCT ?s) AS ?a) WHERE {{ GRAPH ?g {{ ?s a ?class }} {LAYERS} }} "
        "GROUP BY ?g ?class",
        "?g ?class ?a",
    ),
    "properties": (
        "?g void:propertyPartition ?part . ?part void:property ?p ; void:triples ?a ; void:distinctSubjects ?b ; "
        "void:distinctObjects ?c",
        f"SELECT ?g ?p (COUNT(*) AS ?a) (COUNT(DISTINCT ?s) AS ?b) (COUNT(DISTINCT ?o) AS ?c) WHERE {{ {IN_LAYERS} }} "
        "GROUP BY ?g ?p",
        "?g ?p ?a ?b ?c",
    ),
    "linksets": (
        "?g void:subset ?set . ?set void:linkPredicate ?p ; void:triples ?a ; "
        "void:subjectsTarget / void:uriSpace ?from ; void:objectsTarget / void:uriSpace ?to",
        f"SELECT ?g ?p ?from ?to (COUNT(*) AS ?a) WHERE {{ GRAPH <{WELL_KNOWN}> {{ ?g void:subset ?set . "
        "?set void:linkPredicate ?p ; void:subjectsTarget / void:uriSpace ?from ; "
        "void:objectsTarget / void:uriSpace ?to } "
        f"{IN_LAYERS} FILTER(STRSTARTS(STR(?s), ?from) && STRSTARTS(STR(?o), ?to)) }} GROUP BY ?g ?p ?from ?to",
        "?g ?p ?from ?to ?a",
    ),
}
"""What the description says, what is counted, and the columns that must be the same."""

UNION = {
    "triples": "(COUNT(*) AS ?n) WHERE { %s }",
    "entities": f"(COUNT(DISTINCT ?s) AS ?n) WHERE {{ GRAPH ?g {{ ?s a ?o }} {LAYERS} }}",
    "distinctSubjects": "(COUNT(DISTINCT ?s) AS ?n) WHERE { %s }",
    "distinctObjects": "(COUNT(DISTINCT ?o) AS ?n) WHERE { %s }",
    "properties": "(COUNT(DISTINCT ?p) AS ?n) WHERE { %s }",
    "classes": f"(COUNT(DISTINCT ?o) AS ?n) WHERE {{ GRAPH ?g {{ ?s a ?o }} {LAYERS} }}",
}


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return described(tmp_path_factory.mktemp("described") / "release")


@pytest.fixture(scope="module", params=["oxigraph", "fuseki"])
def endpoint(
    request: pytest.FixtureRequest, release: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Endpoint]:
    """A running store that holds each layer in its graph, and the description in the one that belongs to it."""
    folder = tmp_path_factory.mktemp(str(request.param))
    if request.param == "oxigraph":
        program = servers.require_oxigraph()
        running = servers.oxigraph(program, folder)
    else:
        running = servers.fuseki(require_jena(), folder)
    with running as store:
        graphs = {graph(path.stem.removeprefix("pfocr-")): path for path in layers(release)}
        for name, path in (graphs | {WELL_KNOWN: release / VOID_ENDPOINT}).items():
            assert store.put(name, path.read_bytes()).status in (200, 201, 204)
        yield store


def layers(release: Path) -> list[Path]:
    others = ("pfocr-void.ttl", "pfocr-sample.ttl")
    return [path for path in sorted(release.glob("pfocr-*.ttl")) if path.name not in others]


@pytest.mark.parametrize("what", SAID_AND_COUNTED)
def test_a_store_counts_what_is_said_of_its_graphs(endpoint: Endpoint, what: str) -> None:
    pattern, query, columns = SAID_AND_COUNTED[what]
    select = f"SELECT {columns} WHERE {{ GRAPH <{WELL_KNOWN}> {{ {pattern} }} {LAYERS} }}"
    said, counted = ({tuple(sorted(row.items())) for row in endpoint.select(HEAD + text)} for text in (select, query))
    assert said == counted
    assert len(said) >= 4


@pytest.mark.parametrize("what", UNION)
def test_a_store_counts_what_is_said_of_the_union(endpoint: Endpoint, what: str) -> None:
    counted = UNION[what].replace("%s", IN_LAYERS)
    [real] = endpoint.select(f"{HEAD}SELECT {counted}")
    sd = "http://www.w3.org/ns/sparql-service-description#"
    said = f"?set <{sd}defaultGraph> ?union . ?union void:{what} ?n"
    assert endpoint.select(f"{HEAD}SELECT ?n WHERE {{ GRAPH <{WELL_KNOWN}> {{ {said} }} }}") == [real]


def test_jena_finds_no_fault_in_the_descriptions(release: Path) -> None:
    jar = require_jena()
    for name in ("pfocr-void.ttl", VOID_ENDPOINT):
        command: list[str | Path] = [
            *servers.JAVA,
            "-cp",
            jar,
            "riotcmd.riot",
            "--check",
            "--strict",
            "--count",
            release / name,
        ]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "WARN" not in done.stdout + done.stderr
        assert "ERROR" not in done.stdout + done.stderr
