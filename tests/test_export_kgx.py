"""Nodes and edges in the terms of the Biolink model: all of the graph, once, and well formed for kgx."""

from __future__ import annotations

import json
import re
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from benchmarks import common
from benchmarks.peers import environments
from pfocr_rdf.export.curies import curie
from tests.exporting import GRAPHS, answers, call, export, last, linked, made, rows
from tests.support import ROOT, SEEDS, unavailable

CURIE = re.compile(r"[A-Za-z.]+:[A-Za-z0-9._~%-]+")
CLASSES = {
    "bibo:AcademicArticle": "biolink:Article",
    "sio:SIO_000080": "biolink:InformationContentEntity",
    "schema:Gene": "biolink:Gene",
    "schema:ChemicalSubstance": "biolink:ChemicalEntity",
    "schema:MedicalCondition": "biolink:DiseaseOrPhenotypicFeature",
    "schema:Taxon": "biolink:OrganismTaxon",
}


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("example"), "example")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("corpus"), "corpus")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("hostile"), "hostile")


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("seeds") / "build"
    call("-q", "build", SEEDS, "--out", out)
    return out


def test_some_nodes_and_edges_of_the_example(example: Path, tmp_path: Path) -> None:
    assert export("kgx", example, tmp_path / "kgx") == {"nodes": 80, "edges": 143}
    nodes = {row["id"]: row for row in rows(tmp_path / "kgx" / "nodes.tsv")}
    edges = {row["id"]: row for row in rows(tmp_path / "kgx" / "edges.tsv")}
    assert nodes["NCBIGene:22059"] == {
        "id": "NCBIGene:22059",
        "category": "biolink:Gene",
        "name": "Trp53",
        "description": "",
        "xref": "",
        "taxon": "NCBITaxon:10090",
        "iri": "https://identifiers.org/ncbigene/22059",
        "provided_by": "infores:pfocr",
    }
    assert nodes["PMC:9100001"]["xref"] == "doi:10.5555/jeas.2023.0045"
    assert nodes["MESH:D003139"]["xref"] == "DOID:10459"
    figure = "PFOCR:PMC9100001__aqs-12-0045-g003"
    assert nodes[figure]["name"] == "Cold shock halts the cell cycle through p53"
    assert edges[f"{figure}-mentions-NCBIGene:22059"] == {
        "id": f"{figure}-mentions-NCBIGene:22059",
        "subject": figure,
        "predicate": "biolink:mentions",
        "object": "NCBIGene:22059",
        "category": "biolink:Association",
        "knowledge_level": "not_provided",
        "agent_type": "text_mining_agent",
        "primary_knowledge_source": "infores:pfocr",
        "publications": "PMC:9100001",
        "level": "synonym",
        "lexicons": "ncbigene_synonym",
    }
    assert edges[f"{figure}-part_of-PMC:9100001"]["agent_type"] == "automated_agent"
    assert edges["NCBIGene:22059-in_taxon-NCBITaxon:10090"]["predicate"] == "biolink:in_taxon"


@pytest.mark.parametrize("name", ["example", "corpus", "hostile", "seeds"])
def test_nodes_are_all_things_of_the_graph(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    build = request.getfixturevalue(name)
    export("kgx", build, tmp_path / "kgx")
    wanted: dict[str, set[str]] = defaultdict(set)
    for cls, category in CLASSES.items():
        for (thing,) in answers(build, f"SELECT DISTINCT ?thing {{ ?thing a {cls} }}"):
            wanted[thing].add(category)
    nodes = rows(tmp_path / "kgx" / "nodes.tsv")
    assert {row["iri"]: set(row["category"].split("|")) for row in nodes} == wanted
    assert [row["iri"] for row in nodes] == sorted(wanted)
    assert all(row["id"] == curie(row["iri"]) and CURIE.fullmatch(row["id"]) for row in nodes)
    assert len({row["id"] for row in nodes}) == len(nodes)


@pytest.mark.parametrize("level", GRAPHS)
@pytest.mark.parametrize("name", ["example", "corpus", "hostile", "seeds"])
def test_edges_are_all_links_of_the_graph(
    name: str, level: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    build = request.getfixturevalue(name)
    export("kgx", build, tmp_path / "kgx", "--level", level)
    genes = "BIND(?figure AS ?s) BIND(?gene AS ?o) BIND(STRAFTER(STR(?level), 'genes-') AS ?l)"
    patterns = {
        "mentions": f"{linked(level)} {genes}",
        "part_of": "?s a sio:SIO_000080 ; dcterms:isPartOf ?o",
        "in_taxon": "?s a schema:Gene ; schema:taxonomicRange ?o",
    }
    wanted = {
        (curie(subject), f"biolink:{predicate}", curie(value), how)
        for predicate, pattern in patterns.items()
        for subject, value, how in answers(build, f"SELECT ?s ?o ?l {{ {pattern} }}")
    }
    others = " UNION ".join(
        f"{{ GRAPH <https://w3id.org/pfocr/graph/{graph}> {{ ?s {predicate} ?o }} }}"
        for graph, predicate in (
            ("links-chemicals", "schema:mentions"),
            ("links-diseases", "schema:mentions"),
            ("core", "schema:mentions|schema:about"),
        )
    )
    for subject, value in answers(build, f"SELECT ?s ?o {{ {others} }}"):
        wanted.add((curie(subject), "biolink:mentions", curie(value), ""))
    edges = rows(tmp_path / "kgx" / "edges.tsv")
    assert {(row["subject"], row["predicate"], row["object"], row["level"]) for row in edges} == wanted
    assert len({row["id"] for row in edges}) == len(edges) == len(wanted)
    nodes = {row["id"] for row in rows(tmp_path / "kgx" / "nodes.tsv")}
    assert {row[end] for row in edges for end in ("subject", "object")} <= nodes


@pytest.mark.parametrize("name", ["example", "corpus", "hostile"])
def test_lexicons_of_edges_are_those_of_the_mentions(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    build = request.getfixturevalue(name)
    export("kgx", build, tmp_path / "kgx")
    wanted: dict[tuple[str, str], set[str]] = defaultdict(set)
    found = answers(build, "SELECT ?f ?b ?l { ?m oa:hasTarget ?f ; oa:hasBody ?b ; dcterms:source ?l }")
    for figure, body, lexicon in found:
        wanted[curie(figure), curie(body)].add(last(lexicon))
    edges = {(row["subject"], row["object"]): row["lexicons"] for row in rows(tmp_path / "kgx" / "edges.tsv")}
    assert {pair: set(lexicons.split("|")) for pair, lexicons in edges.items() if lexicons} == wanted


def test_texts_cannot_break_a_line(hostile: Path, tmp_path: Path) -> None:
    export("kgx", hostile, tmp_path / "kgx")
    nodes = {row["id"]: row for row in rows(tmp_path / "kgx" / "nodes.tsv")}
    title = "A title \"in quotes\" of 'two' lines and more \N{BROKEN BAR} </script>"
    assert nodes["PFOCR:PMC9100001__f%251"]["name"] == title
    assert nodes["NCBIGene:7157"]["name"] == 'T"P\N{BROKEN BAR}53'


@pytest.fixture(scope="module")
def kgx() -> Path:
    try:
        return environments.ensure("kgx", pins=ROOT / "tests", home=ROOT / "build")
    except (OSError, subprocess.CalledProcessError) as error:
        unavailable(f"an environment with kgx cannot be made ({error})")


def validated(python: Path, folder: Path) -> dict[str, Any]:
    report = folder.with_suffix(".json")
    program = ROOT / "tests" / "kgx_validate.py"
    done = subprocess.run(
        [str(python), str(program), str(folder), str(report)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", ["example", "corpus", "hostile", "seeds", "2000"])
def test_kgx_finds_nothing_to_say(name: str, kgx: Path, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    if name == "2000":
        build = tmp_path / "build"
        call("-q", "build", common.corpus(2000), "--out", build)
    else:
        build = request.getfixturevalue(name)
    counts = export("kgx", build, tmp_path / "kgx")
    report = validated(kgx, tmp_path / "kgx")
    assert report["errors"] == {}
    assert (len(report["nodes"]), len(report["edges"])) == (counts["nodes"], counts["edges"])
    names = {row["id"]: row["name"] for row in rows(tmp_path / "kgx" / "nodes.tsv")}
    assert {node: data.get("name", "") for node, data in report["nodes"].items()} == names


@pytest.mark.slow
def test_kgx_would_find_a_wrong_row(kgx: Path, example: Path, tmp_path: Path) -> None:
    export("kgx", example, tmp_path / "kgx")
    path = tmp_path / "kgx" / "edges.tsv"
    text = path.read_text(encoding="utf-8").replace("biolink:part_of", "biolink:drawn_in")
    path.write_text(text.replace("PMC:9100001", "NOWHERE:9100001"), encoding="utf-8")
    errors = validated(kgx, tmp_path / "kgx")["errors"]["ERROR"]
    assert {"INVALID_EDGE_PREDICATE", "INVALID_EDGE_PROPERTY_VALUE"} <= set(errors)
