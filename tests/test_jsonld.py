"""The schema.org block: repaired before JSON-LD sees it, expanded by pyld, offline; nothing dropped in silence."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
import yaml
from pyld import jsonld

from pfocr_rdf import identifiers as ids
from pfocr_rdf import terms
from pfocr_rdf import vocab as v
from pfocr_rdf.expansion import Expander
from pfocr_rdf.jsonld import Block, licence_iri, read, repair
from pfocr_rdf.model import Article, Figure
from pfocr_rdf.resources import CONTEXT_URLS, schemaorg_context
from tests.blackbox import run
from tests.support import SEEDS

BASE: dict[str, Any] = {
    "@context": "https://schema.org/",
    "@id": ids.figure("PMC1__f"),
    "@type": "Dataset",
    "description": "A caption",
    "license": "CC0",
    "name": "CreativeWork",
    "creator": {"@type": "Organization", "name": "WikiPathways"},
    "keywords": ["TP53"],
}


def figure(**block: Any) -> Figure:
    given = {key: value for key, value in {**BASE, **block}.items() if value is not None}
    return Figure("PMC1__f", "2024", "f.md", Article("PMC1"), title="A title", caption="A caption", block=given)


CORE = {
    (v.A, v.DATASET),
    (v.NAME, '"A title"'),
    (v.DESCRIPTION, '"A caption"'),
    (v.LICENSE, f"<{ids.CC0}>"),
    (v.CREATOR, f"<{ids.WIKIPATHWAYS}>"),
}
"""What the layer `core` says of the figure already."""


def rest(block: Block) -> list[tuple[str, str]]:
    """What a block says beyond the layer `core`."""
    return [pair for pair in block.pairs if pair not in CORE]


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


def test_the_usual_block_leaves_only_keywords() -> None:
    block = read(figure())
    assert block.licences == (ids.CC0,)
    assert block.usual_creator
    assert rest(block) == [(v.KEYWORDS, '"TP53"')]
    assert (block.nodes, block.problems) == ([], [])


def test_pyld_would_lose_the_licence_without_the_repair() -> None:
    expander = Expander(schemaorg_context())
    assert "CC0" in expander.expand(BASE)["http://schema.org/license"][0]["@id"]
    assert expander.expand(repair(BASE, figure()))["http://schema.org/license"] == [{"@id": ids.CC0}]


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("name", CONTEXT_URLS)
def test_each_spelling_of_the_context_is_the_shipped_one(name: str) -> None:
    assert rest(read(figure(**{"@context": name}))) == [(v.KEYWORDS, '"TP53"')]


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(
    "context",
    [
        "https://example.org/c",
        ["https://schema.org/", "https://example.org/c"],
        {"@vocab": "http://x/"},
        [],
        "",
        ["https://schema.org/", {"x": "http://x/"}],
    ],
)
def test_no_other_context_is_read(context: object) -> None:
    block = read(figure(**{"@context": context}))
    assert [problem.code for problem in block.problems] == ["jsonld-context"]
    assert (block.pairs, block.licences, block.usual_creator) == ([], (), False)


@pytest.mark.usefixtures("offline")
def test_a_context_within_a_value_is_not_fetched() -> None:
    block = read(figure(about={"@context": "https://example.org/c", "name": "x"}))
    assert [(problem.code, problem.field) for problem in block.problems] == [
        ("jsonld-unsupported", "schema-jsonld.about")
    ]
    assert rest(block) == [(v.KEYWORDS, '"TP53"')]


@pytest.mark.parametrize(
    ("key", "value", "pair"),
    [
        ("headline", "text", ("schema:headline", '"text"')),
        ("url", "https://e.org/x", ("schema:url", "<https://e.org/x>")),
        ("dateCreated", "2020", ("schema:dateCreated", '"2020"^^schema:Date')),
        ("headline", {"@value": "x", "@language": "EN"}, ("schema:headline", '"x"@en')),
        ("size", {"@value": "05", "@type": "http://www.w3.org/2001/XMLSchema#integer"}, ("schema:size", "5")),
        ("http://e.org/p", "x", ("<http://e.org/p>", '"x"')),
        ("@type", ["Dataset", "CreativeWork"], ("a", "schema:CreativeWork")),
    ],
)
def test_unknown_keys_are_kept(key: str, value: object, pair: tuple[str, str]) -> None:
    block = read(figure(**{key: value}))
    assert pair in block.pairs
    assert block.problems == []


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("url", "some/where", "jsonld-relative-iri"),
        ("url", "//e.org/x", "jsonld-relative-iri"),
        ("url", "https://e.org/a b", "jsonld-relative-iri"),
        ("a key", "x", "jsonld-dropped"),
        ("@other", "x", "jsonld-dropped"),
        ("headline", {"@list": ["a", "b"]}, "jsonld-unsupported"),
        ("about", {"@id": "_:b0"}, "jsonld-unsupported"),
        ("size", {"@value": "x", "@type": "http://www.w3.org/2001/XMLSchema#integer"}, "jsonld-unsupported"),
        ("license", "All rights reserved", "unknown-licence"),
        ("@id", "https://e.org/", "jsonld-id-differs"),
        ("http://schema.org/license", {"@id": "https://e.org/"}, "unknown-licence"),
        ("http://purl.org/dc/terms/isPartOf", {"@id": "https://e.org/"}, "jsonld-reserved"),
        ("https://w3id.org/pfocr/vocab#geneCount", "7", "jsonld-reserved"),
        ("https://schema.org/about", {"@id": "https://e.org/"}, "jsonld-reserved"),
        ("@type", "https://w3id.org/pfocr/vocab#GeneMention", "jsonld-reserved"),
        ("@type", "https://schema.org/ImageObject", "jsonld-reserved"),
        ("url", "https://e.org/[x]", "jsonld-relative-iri"),
        ("url", "https://e.org/NA", "jsonld-address"),
        ("url", "https://schema.org/Thing", "jsonld-address"),
        ("sameAs", "http://identifiers.org/pmc/PMC1", "jsonld-address"),
        ("url", "https://creativecommons.org/publicdomain/zero/1.0/", "jsonld-address"),
        ("url", "http://e.org:abc/", "jsonld-relative-iri"),
        ("about", {}, "jsonld-dropped"),
        (
            "headline",
            {"@value": "x", "@type": "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"},
            "jsonld-unsupported",
        ),
    ],
)
def test_what_json_ld_would_lose_or_twist_is_refused(key: str, value: object, code: str) -> None:
    block = read(figure(**{key: value}))
    found = [problem for problem in block.problems if problem.code != "missing-licence"]
    assert [(problem.code, problem.field) for problem in found] == [
        (code, f"schema-jsonld.{key.removeprefix(ids.SCHEMA)}")
    ]
    assert [pair for pair in rest(block) if pair[0] != v.KEYWORDS] == []


@pytest.mark.parametrize("address", [ids.figure("PMC2__g"), ids.gene("1"), ids.figure("PMC1__f"), ids.taxon("9606")])
@pytest.mark.parametrize("name", ["@id", "id"])
def test_a_block_says_nothing_of_what_the_graph_describes(address: str, name: str) -> None:
    value = {name: address, "headline": "FALSE", "keywords": ["EVIL"]}
    block = read(figure(about=value))
    kept = json.dumps(value, sort_keys=True, separators=(",", ":")).replace('"', '\\"')
    assert (block.nodes, block.problems) == ([], [])
    assert set(rest(block)) == {
        (v.KEYWORDS, '"TP53"'),
        ("schema:about", terms.iri(address)),
        (v.PFOCR_VARIANT, f'"schema-jsonld:about:={kept}"'),
    }


def test_a_block_may_speak_of_a_stranger() -> None:
    block = read(figure(creator={"@id": "https://orcid.org/0000-0001-5109-3700", "name": "Ann"}))
    assert block.nodes == [("https://orcid.org/0000-0001-5109-3700", [("schema:name", '"Ann"')])]
    assert (v.CREATOR, "<https://orcid.org/0000-0001-5109-3700>") in rest(block)


def test_compat_repeats_nothing_that_another_layer_says(tmp_path: Path) -> None:
    """Data model, check Q36: a block that says once more what the record and its tables say adds no triple."""
    text = next(SEEDS.glob("*.txt")).read_text(encoding="utf-8")
    figid = "PMC7757046__ijbsv17p0204g001"
    more = {
        "alternateName": "PMC7757046__F1",
        "position": "F1",
        "mentions": "{'@id': 'http://purl.obolibrary.org/obo/NCBITaxon_7955'}",
        "image": f"https://www.ncbi.nlm.nih.gov/pmc/articles/PMC7757046/bin/{figid.partition('__')[2]}.jpg",
        "http://www.w3.org/1999/02/22-rdf-syntax-ns#type": "{'@id': 'http://schema.org/Dataset'}",
    }
    lines = "".join(f"  {key}: {value}\n" for key, value in more.items())
    source = tmp_path / "source"
    source.mkdir()
    (source / "record.txt").write_text(text.replace("  license: CC0\n", f"  license: CC0\n{lines}"), encoding="utf-8")
    built, plain = run(source, tmp_path / "build"), run(SEEDS, tmp_path / "plain")
    assert built.rejected == ()
    assert built.layers == plain.layers


def test_a_blank_node_gets_a_name_of_its_own() -> None:
    one = read(figure(creator={"@type": "Person", "name": "Ann"}))
    two = read(figure(creator={"name": "Ann", "@type": "Person"}))
    ((name, pairs),) = one.nodes
    assert name.startswith(f"{ids.figure('PMC1__f')}#")
    assert len(name.partition("#")[2]) == 12
    assert sorted(pairs) == [("a", "schema:Person"), ("schema:name", '"Ann"')]
    assert one.nodes[0][0] == two.nodes[0][0]
    assert not one.usual_creator


@pytest.mark.parametrize(
    ("text", "iri"),
    [
        ("CC0", ids.CC0),
        ("https://creativecommons.org/publicdomain/zero/1.0", ids.CC0),
        ("https://creativecommons.org/publicdomain/zero/1.0/legalcode", ids.CC0),
        ("https://creativecommons.org/licenses/by/4.0/", "https://creativecommons.org/licenses/by/4.0/"),
        ("CC BY-SA 4.0", "http://creativecommons.org/licenses/by-sa/4.0/"),
        ("CC1", ""),
        ("https://creativecommons.org.evil.example/licenses/by/4.0/", ""),
    ],
)
def test_known_licences(text: str, iri: str) -> None:
    assert licence_iri(text) == iri


def test_the_repaired_block_is_part_of_core_and_compat(shared: Path, tmp_path: Path) -> None:
    """Data model, section a.4: RDF of the repaired JSON-LD, its creator named, is in core and compat."""
    expander = Expander(schemaorg_context())
    for source in [SEEDS, *(shared / "records" / name for name in ("2021", "2023", "latest"))]:
        built = run(source, tmp_path / source.name)
        graph = {*built.triples("core"), *built.triples("compat")}
        paths = sorted([*source.glob("_figures/*.md"), *source.glob("*.txt")])
        for path in paths:
            front = yaml.load(path.read_text(encoding="utf-8").split("---\n")[1], Loader=yaml.BaseLoader)  # noqa: S506
            block = front["schema-jsonld"]
            block["keywords"] = [word for word in block["keywords"] if word != ".na.character"]
            blank = Figure(front["figid"], "", "", Article(""), title=front["figtitle"])
            node = expander.expand(repair(block, blank))
            text = jsonld.to_rdf([node], {"format": "application/n-quads"})
            said = {quad.triple for quad in ox.parse(text, format=ox.RdfFormat.N_QUADS)}
            assert len(said) >= 6
            assert said <= graph, path


def test_another_context_file_may_stand_in(shared: Path, tmp_path: Path) -> None:
    source = shared / "records" / "latest"
    official = shared / "schemaorg-context-30.0.jsonld"
    ours, theirs = run(source, tmp_path / "a"), run(source, tmp_path / "b", "--context", str(official))
    assert ours.layers == theirs.layers
    other = tmp_path / "other.jsonld"
    other.write_text(json.dumps({"@context": {"@vocab": "http://other.example/"}}), encoding="utf-8")
    changed = run(source, tmp_path / "c", "--context", str(other))
    assert any("http://other.example/keywords" in str(triple) for triple in changed.triples("compat"))
    assert theirs.manifest["inputs"]["context"]["name"] == official.name
