"""Blocks of pages: JSON-LD that says no more than the graph, and all of it that a page should say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from pyld import jsonld

from pfocr_rdf import buildfolder, codecs
from pfocr_rdf import identifiers as ids
from pfocr_rdf.resources import CONTEXT_URLS, schemaorg_context
from tests.blackbox import ACCEPT_ALL, FIXTURES
from tests.exporting import call, documents, export, lines, made
from tests.support import SEEDS

CASES = sorted(path.name for path in FIXTURES.iterdir() if any(path.rglob("*.md")))
WITH_BLOCKS = ("creators", "jsonld-extra", "jsonld-odd", "licences", "site-keywords", "title-blanks", "yaml-scalars")
LEFT = ("organism", "variant", "dissent")
"""Last parts of predicates of `compat` that pages leave out: `wp:organism`, `pfocr:variant`, `pfocr:dissent`."""


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("example"), "example")


def load(url: str, _options: object = None) -> dict[str, Any]:
    assert url in CONTEXT_URLS, f"{url} is fetched"
    return {"contextUrl": None, "documentUrl": url, "document": schemaorg_context(), "tag": "static"}


def triples(document: dict[str, Any]) -> set[ox.Triple]:
    """Return the RDF of a document, as pyld gives it."""
    text = jsonld.to_rdf(document, {"documentLoader": load, "format": "application/n-quads"})
    return {ox.Triple(q.subject, q.predicate, q.object) for q in ox.parse(text, format=ox.RdfFormat.N_QUADS)}


def graph(build: Path, *layers: str) -> set[ox.Triple]:
    found = set()
    for layer, path in buildfolder.layer_files(build).items():
        if layer in layers or not layers:
            with codecs.of_file(path).open(path) as stream:
                quads = ox.parse(input=stream, format=ox.RdfFormat.TURTLE)
                found |= {ox.Triple(q.subject, q.predicate, q.object) for q in quads}
    return found


def values(document: dict[str, Any], key: str) -> list[Any]:
    found = document.get(key, [])
    return found if isinstance(found, list) else [found]


def check(build: Path, out: Path) -> int:
    """Hold the blocks of a build against its graph; return their number."""
    export("jsonld", build, out, "--level", "family")
    whole = graph(build)
    about = {
        triple
        for triple in graph(build, "core", "compat", "links-chemicals", "links-diseases")
        | graph(build, *(f"links-genes-{level}" for level in ("symbol", "synonym", "family")))
        if str(triple.subject.value).startswith(ids.FIGURES)  # type: ignore[union-attr]
        and triple.predicate.value.startswith(ids.SCHEMA)
        and not triple.predicate.value.endswith(LEFT)
    }
    found: set[ox.Triple] = set()
    for name, document in documents(out).items():
        said = triples(document)
        assert document["@context"] == "https://schema.org/"
        assert not any(isinstance(term, ox.BlankNode) for triple in said for term in (triple.subject, triple.object))
        assert said <= whole, f"{name}: {sorted(map(str, said - whole))}"
        found |= said
    assert about <= found, sorted(map(str, about - found))
    return len(documents(out))


@pytest.mark.parametrize("name", ["example", "corpus", "hostile"])
def test_a_block_says_what_the_graph_says_of_a_figure(name: str, tmp_path: Path) -> None:
    build = made(tmp_path, name)
    assert check(build, tmp_path / "out") == {"example": 6, "corpus": 30, "hostile": 2}[name]


@pytest.mark.parametrize("name", WITH_BLOCKS)
def test_blocks_of_odd_records_say_no_more_than_the_graph(name: str, tmp_path: Path) -> None:
    call("-q", "build", FIXTURES / name, "--out", tmp_path / "build", *ACCEPT_ALL, "--no-cache", "--workers", 1)
    assert check(tmp_path / "build", tmp_path / "out") >= 1


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({"seeds", *CASES} - set(WITH_BLOCKS)))
def test_blocks_of_other_records_say_no_more_than_the_graph(name: str, tmp_path: Path) -> None:
    source = SEEDS if name == "seeds" else FIXTURES / name
    call("-q", "build", source, "--out", tmp_path / "build", *ACCEPT_ALL, "--no-cache", "--workers", 1)
    built = buildfolder.read_manifest(tmp_path / "build")
    assert check(tmp_path / "build", tmp_path / "out") == built["counts"]["figures"]


def test_the_first_block_of_the_example(example: Path, tmp_path: Path) -> None:
    export("jsonld", example, tmp_path / "out", "--only", "PMC9100002__jed-04-0017-g002")
    ((name, document),) = documents(tmp_path / "out").items()
    assert name == "PMC9100002__jed-04-0017-g002.jsonld"
    assert (tmp_path / "out" / "figures" / name).is_file()
    assert document["@id"] == "https://pfocr.wikipathways.org/figures/PMC9100002__jed-04-0017-g002.html"
    assert document["@type"] == "Dataset"
    assert document["name"] == "Where a JAK inhibitor cuts the signal of interleukin 6"
    assert document["license"] == "http://creativecommons.org/publicdomain/zero/1.0/"
    assert document["creator"] == {
        "@id": "https://www.wikipathways.org/",
        "@type": "Organization",
        "name": "WikiPathways",
    }
    genes = {node["rdfs:label"] for node in values(document, "mentions") if node["@type"] == "Gene"}
    assert genes == {"MYC", "SOCS3", "STAT3"}
    assert "keywords" in document


@pytest.mark.parametrize(("level", "number"), [("symbol", 3), ("synonym", 6), ("family", 10)])
def test_genes_of_a_level_are_mentioned(level: str, number: int, example: Path, tmp_path: Path) -> None:
    export("jsonld", example, tmp_path / "out", "--only", "PMC9100002__jed-04-0017-g002", "--level", level)
    (document,) = documents(tmp_path / "out").values()
    assert sum(node["@type"] == "Gene" for node in values(document, "mentions")) == number


def test_lines_are_the_same_documents(example: Path, tmp_path: Path) -> None:
    assert export("jsonld", example, tmp_path / "out") == {"figures": 6}
    assert export("jsonld", example, tmp_path / "all.ndjson", "--lines") == {"figures": 6}
    found = [json.loads(cells[0]) for cells in lines(tmp_path / "all.ndjson")]
    assert found == list(documents(tmp_path / "out").values())


def test_a_figure_that_is_not_there_is_said(example: Path, tmp_path: Path) -> None:
    for options in ((), ("--lines",)):
        out = tmp_path / "out"
        said = call("export", "jsonld", example, "--out", out, "--only", "PMC1__none", *options, code=2)
        assert "'PMC1__none': no such figure" in said
        assert not out.exists()


def test_no_text_can_end_the_script_that_a_page_puts_it_in(tmp_path: Path) -> None:
    build = made(tmp_path, "hostile")
    export("jsonld", build, tmp_path / "out")
    for path in (tmp_path / "out").rglob("*.jsonld"):
        text = path.read_text(encoding="utf-8")
        assert "<" not in text
        assert "\u2028" not in text
        assert "</script><script>" in json.loads(text)["keywords"]


def test_a_creator_who_is_only_linked_is_not_described(tmp_path: Path) -> None:
    block = {"@context": "https://schema.org/", "@type": "Dataset", "creator": {"@id": ids.WIKIPATHWAYS}}
    record = {"figid": "PMC9100001__a", "pmcid": "PMC9100001", "schema-jsonld": block}
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a.md").write_text(f"---\n{json.dumps(record)}\n---\n", encoding="utf-8")
    call("-q", "build", tmp_path / "source", "--out", tmp_path / "build")
    assert check(tmp_path / "build", tmp_path / "out") == 1
    (document,) = documents(tmp_path / "out").values()
    assert document["creator"] == {"@id": ids.WIKIPATHWAYS}
