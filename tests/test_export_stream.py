"""What exports read is what the build says: in order, whole, plain or compressed; and what they write never varies."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pfocr_rdf import buildfolder, codecs, query, subjects
from pfocr_rdf import identifiers as ids
from pfocr_rdf.blocks import subject_of
from pfocr_rdf.errors import UsageError
from pfocr_rdf.export import stream
from pfocr_rdf.export.curies import PREFIXES, curie
from pfocr_rdf.model import LEXICONS, Layer
from pfocr_rdf.terms import decimal, expand, gyear, integer, iri, parse_decimal, string, tagged, typed, value_of
from tests.exporting import call, made

ALL = {
    "gmt": ("gmt", "--out", "out.gmt"),
    "words": ("words", "--out", "words.tsv"),
    "pairs": ("pairs", "--out", "pairs", "--min-figures", "1"),
    "kgx": ("kgx", "--out", "kgx"),
    "jsonld": ("jsonld", "--out", "pages"),
    "lines": ("jsonld", "--lines", "--out", "pages.ndjson", "--level", "family"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stream")


@pytest.fixture(scope="module")
def corpus(folder: Path) -> Path:
    return made(folder, "corpus")


def contents(place: Path) -> dict[str, bytes]:
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def exported(build: Path, place: Path, seed: str) -> dict[str, bytes]:
    """Run all exports in a process of its own, with the given seed of hashes."""
    place.mkdir()
    calls = [["export", name, str(build), *options] for name, *options in ALL.values()]
    code = (
        "import json, sys\nfrom pfocr_rdf.cli import app\n"
        "for call in json.loads(sys.argv[1]):\n    assert not app(['-q', *call], standalone_mode=False)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    subprocess.run([sys.executable, "-c", code, json.dumps(calls)], cwd=place, env=environment, check=True)
    return contents(place)


@pytest.mark.parametrize("compress", ["gzip", "zstd"])
def test_exports_are_the_same_bytes_on_every_run_and_from_compressed_builds(
    compress: str, corpus: Path, folder: Path, tmp_path: Path
) -> None:
    call("-q", "build", folder / "corpus-source", "--out", tmp_path / "packed", "--compress", compress, "--no-cache")
    first = exported(corpus, tmp_path / "first", "1")
    assert exported(tmp_path / "packed", tmp_path / "again", "2") == first
    assert len(first) == 3 + 30 + 4 + 3
    assert all(data.endswith(b"\n") and data.count(b"\n") >= 1 for data in first.values())


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_file_is_compressed_by_its_name_with_the_same_bytes(ending: str, corpus: Path, tmp_path: Path) -> None:
    places = [tmp_path / f"{name}.gmt{ending}" for name in ("a", "b")]
    call("export", "gmt", corpus, "--out", tmp_path / "plain.gmt")
    for place in places:
        call("export", "gmt", corpus, "--out", place)
    with codecs.of_file(places[0]).open(places[0]) as found:
        assert found.read() == (tmp_path / "plain.gmt").read_bytes()
    assert places[0].read_bytes() == places[1].read_bytes()


def test_subjects_come_in_order_with_all_that_each_layer_says(corpus: Path) -> None:
    layers = stream.open_layers(corpus)
    wanted = (Layer.CORE, Layer.LINKS_GENES_SYMBOL, Layer.COMPAT)
    found = list(layers.joined(wanted))
    assert [subject for subject, _ in found] == sorted({subject for subject, _ in found})
    with query.open_store(corpus) as store:
        for layer in wanted:
            graph = f"GRAPH <{ids.graph(layer)}> {{ ?s ?p ?o FILTER(STRSTARTS(STR(?s), '{ids.FIGURES}')) }}"
            triples = query.table(query.ask(store, f"SELECT ?s ?p ?o {{ {graph} }}")).rows
            said = {
                (subject, predicate, value_of(token))
                for subject, texts in found
                if layer in texts
                for predicate, tokens in subjects.said(texts[layer]).items()
                for token in tokens
            }
            assert said == {(s.value, "a" if p.value == expand("a") else iri(p.value), o.value) for s, p, o in triples}


def test_mentions_are_those_of_the_graph(corpus: Path) -> None:
    found = list(stream.mentions(stream.open_layers(corpus), Layer.EVIDENCE_GENES))
    with query.open_store(corpus) as store:
        text = f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{ids.graph(Layer.EVIDENCE_GENES)}> {{ ?m oa:hasBody ?g }} }}"
        bodies = int(query.table(query.ask(store, text)).rows[0][0].value)
    assert sum(len(mention.bodies) for mention in found) == bodies > 100
    assert {mention.lexicon for mention in found} <= set(LEXICONS)


def damaged(corpus: Path, place: Path, layer: str, old: str, new: str) -> Path:
    shutil.copytree(corpus, place)
    path = place / f"pfocr-{layer}.ttl"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return place


def test_a_layer_that_lacks_triples_is_refused(corpus: Path, tmp_path: Path) -> None:
    build = damaged(corpus, tmp_path / "build", "core", '\n    pfocr:generation "2024" ;', "")
    said = call("export", "gmt", build, "--out", tmp_path / "out.gmt", code=2)
    assert "triples where manifest.json says" in said
    assert not (tmp_path / "out.gmt").exists()


def test_a_layer_that_ends_within_a_subject_is_refused(corpus: Path, tmp_path: Path) -> None:
    shutil.copytree(corpus, tmp_path / "build")
    path = tmp_path / "build" / "pfocr-evidence-genes.ttl"
    path.write_bytes(path.read_bytes()[:-20])
    assert "ends within a subject" in call("export", "words", tmp_path / "build", "--out", tmp_path / "w.tsv", code=2)


def test_a_layer_out_of_order_is_refused(corpus: Path, tmp_path: Path) -> None:
    shutil.copytree(corpus, tmp_path / "build")
    path = tmp_path / "build" / "pfocr-links-genes-symbol.ttl"
    head, first, second, rest = path.read_text(encoding="utf-8").split("\n\n", 3)
    path.write_text("\n\n".join([head, second, first, rest]), encoding="utf-8")
    assert "is not in order at" in call("export", "pairs", tmp_path / "build", "--out", tmp_path / "p", code=2)
    assert not (tmp_path / "p").exists()


def test_a_link_to_what_is_not_described_is_refused(corpus: Path, tmp_path: Path) -> None:
    gene = next(name for name in stream.names(stream.open_layers(corpus)) if name.startswith(ids.GENES))
    build = damaged(corpus, tmp_path / "build", "entities", f"<{gene}>", f"<{gene}000>")
    path = build / "pfocr-entities.ttl"
    head, *texts = path.read_text(encoding="utf-8").rstrip("\n").split("\n\n")
    texts.sort(key=subject_of)
    path.write_text("\n\n".join([head, *texts]) + "\n\n", encoding="utf-8")
    said = call("export", "gmt", build, "--level", "family", "--out", tmp_path / "out.gmt", code=2)
    assert f"{gene}: is linked, but the layer entities does not know it" in said


def test_a_build_that_lacks_a_layer_is_refused(corpus: Path) -> None:
    layers = stream.open_layers(corpus)
    less = stream.Layers({name: path for name, path in layers.files.items() if name != "core"}, layers.triples, 0)
    with pytest.raises(UsageError, match="lacks the layer core"):
        list(less.items(Layer.CORE))
    assert list(layers.items(Layer.XREFS_PUBMED)) == []


def test_a_manifest_without_counts_is_refused(corpus: Path, tmp_path: Path) -> None:
    shutil.copytree(corpus, tmp_path / "build")
    manifest = buildfolder.read_manifest(corpus)
    del manifest["counts"]
    (tmp_path / "build" / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be read"):
        stream.open_layers(tmp_path / "build")


@pytest.mark.parametrize("text", ["", "plain", 'a "b" \\ c', "\\n is no line", "a\nb\tc\rd", '\\\\"', "Δ\u2028"])
def test_the_text_of_a_token_is_what_it_was_made_from(text: str) -> None:
    assert value_of(string(text)) == text
    assert value_of(tagged(text, "en")) == text
    assert value_of(typed(text, "http://example.org/t")) == text


def test_the_text_of_other_tokens() -> None:
    number = parse_decimal("0.50")
    assert number is not None
    found = [value_of(token) for token in (gyear("2024"), integer(-3), decimal(number), iri(ids.taxon("9606")), "a")]
    assert found == ["2024", "-3", "0.5", ids.taxon("9606"), f"{ids.PREFIXES['rdf']}type"]


@pytest.mark.parametrize(
    ("address", "short"),
    [
        (ids.gene("7157"), "NCBIGene:7157"),
        (ids.taxon("9606"), "NCBITaxon:9606"),
        (ids.mesh("D000255"), "MESH:D000255"),
        (ids.chebi("15422"), "CHEBI:15422"),
        (ids.doid("8893"), "DOID:8893"),
        (ids.paper("PMC7757046"), "PMC:7757046"),
        (ids.figure("PMC1__a b.c"), "PFOCR:PMC1__a%20b.c"),
        (ids.symbol_gene("7955", "il6"), "PFOCR.SYMBOL:7955%2Fil6"),
        (ids.unresolved_taxon("gut metagenome"), "PFOCR.ORGANISM:gut%20metagenome"),
        ("https://example.org/x", "https://example.org/x"),
    ],
)
def test_curies(address: str, short: str) -> None:
    assert curie(address) == short
    prefix, _, local = short.partition(":")
    if prefix in PREFIXES:
        assert (PREFIXES[prefix] + local.replace("%2F", "/")).removesuffix(".html") == address.removesuffix(".html")
