"""Faults of a release that are no single triple's: of its graph, and of its files; and the check that must find each."""
# ruff: noqa: E501 - one fault a line, so that the list can be read

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pfocr_rdf import blocks, buildfolder
from tests.mutants import Said

FIGURE = "https://pfocr.wikipathways.org/figures/PMC9900001__f1.html"
OTHER = "https://pfocr.wikipathways.org/figures/PMC9900001__f2.html"
PAPER = "https://identifiers.org/pmc/PMC9900001"
GENE = "https://identifiers.org/ncbigene/7157"
Change = Callable[[Said], dict[str, Any]]


def mention_of(said: Said, word: str, layer: str = "evidence-genes") -> str:
    return next(s for s, pairs in said[layer].items() if ("pfocr:word", f'"{word}"') in pairs)


def without(said: Said, subject: str, *layers: str) -> dict[str, Any]:
    """The layers, or all that have it, without a subject."""
    chosen = layers or tuple(layer for layer in said if subject in said[layer])
    return {layer: {s: pairs for s, pairs in said[layer].items() if s != subject} for layer in chosen}


def put(said: Said, layer: str, subject: str, predicate: str, *values: str) -> dict[str, Any]:
    """A layer in which a subject has these values of a predicate, in place of what it had."""
    kept = [pair for pair in said[layer].get(subject, []) if pair[0] != predicate]
    return {layer: {**said[layer], subject: [*kept, *((predicate, value) for value in values)]}}


def add(said: Said, layer: str, subject: str, predicate: str, value: str) -> dict[str, Any]:
    return {layer: {**said[layer], subject: [*said[layer].get(subject, []), (predicate, value)]}}


def renamed(said: Said, layer: str, subject: str, name: str) -> dict[str, Any]:
    return {layer: {(name if s == subject else s): pairs for s, pairs in said[layer].items()}}


def moved(said: Said, subject: str, source: str, target: str) -> dict[str, Any]:
    pairs = [*said[target].get(subject, []), *said[source][subject]]
    return without(said, subject, source) | {target: {**said[target], subject: pairs}}


def with_the_diseases(said: Said) -> dict[str, Any]:
    """A chemical is the body of a mention of a disease too, and its link has left the chemicals for the diseases."""
    chemical, *others = [value for name, value in said["links-chemicals"][FIGURE] if name == "schema:mentions"]
    cold = mention_of(said, "cold", "evidence-diseases")
    body = next(value for name, value in said["evidence-diseases"][cold] if name == "oa:hasBody")
    links = [value for name, value in said["links-diseases"][FIGURE] if name == "schema:mentions" and value != body]
    return (
        put(said, "evidence-diseases", cold, "oa:hasBody", chemical)
        | put(said, "links-chemicals", FIGURE, "schema:mentions", *others)
        | put(said, "links-diseases", FIGURE, "schema:mentions", *sorted([*links, chemical]))
    )


GRAPH_FAULTS: dict[str, tuple[str, Change]] = {
    "a figure is lost from core": ("Q51", lambda s: without(s, FIGURE, "core")),
    "a figure is lost with all that is said of it": ("Q61", lambda s: without(s, FIGURE)),
    "a paper is lost": ("Q61", lambda s: without(s, PAPER)),
    "an image is lost": ("Q61", lambda s: without(s, "https://www.ncbi.nlm.nih.gov/pmc/articles/PMC9900001/bin/f1.jpg")),
    "a journal is lost": ("Q61", lambda s: without(s, "https://w3id.org/pfocr/journal/J%20Whole%20Ex")),
    "a publisher is lost": ("Q61", lambda s: without(s, "https://w3id.org/pfocr/publisher/Example%20%26%20Sons")),
    "the creator is lost": ("Q61", lambda s: without(s, "https://www.wikipathways.org/")),
    "a gene is lost from entities": ("Q51", lambda s: without(s, GENE, "entities")),
    "a gene is lost from xrefs": ("Q54", lambda s: without(s, GENE, "xrefs")),
    "a gene is lost with all that is said of it": ("Q9", lambda s: without(s, GENE)),
    "a taxon is lost": ("Q61", lambda s: without(s, "http://purl.obolibrary.org/obo/NCBITaxon_9606")),
    "a lexicon is lost": ("Q56", lambda s: put(s, "ontology", "https://w3id.org/pfocr/lexicon", "skos:hasTopConcept", "pfd:x")),
    "a mention is lost": ("Q12", lambda s: without(s, mention_of(s, "MDM2"))),
    "the links of a level are lost": ("Q60", lambda _: {"links-genes-symbol": {}}),
    "the mentions of a kind are lost": ("Q12", lambda _: {"evidence-chemicals": {}}),
    "a link goes to a weaker level": ("Q60", lambda s: moved(s, FIGURE, "links-genes-symbol", "links-genes-family")),
    "a link of both kinds stands with the diseases": ("Q12", with_the_diseases),
    "a link stands at two levels": ("Q36", lambda s: add(s, "links-genes-family", FIGURE, "schema:mentions", f"<{GENE}>")),
    "a link goes to the layer of another kind": ("Q59", lambda s: moved(s, FIGURE, "links-diseases", "links-chemicals")),
    "a mention goes to the layer of another kind": ("Q59", lambda s: moved(s, mention_of(s, "cold", "evidence-diseases"), "evidence-diseases", "evidence-chemicals")),
    "core says what entities says": ("Q36", lambda s: add(s, "core", GENE, "a", "schema:Gene")),
    "compat speaks of a gene": ("Q59", lambda s: add(s, "compat", GENE, "schema:name", '"p53"')),
    "compat speaks in a vocabulary of ours": ("Q59", lambda s: add(s, "compat", FIGURE, "skos:notation", '"x"')),
    "compat gives a class of ours": ("Q59", lambda s: add(s, "compat", FIGURE, "a", "pfocr:Variant")),
    "two labels": ("Q54", lambda s: add(s, "entities", GENE, "rdfs:label", '"P53"')),
    "a label with a language": ("Q54", lambda s: put(s, "entities", GENE, "rdfs:label", '"TP53"@en')),
    "a licence that is not CC0": ("Q1", lambda s: put(s, "core", FIGURE, "schema:license", "<http://creativecommons.org/licenses/by/4.0/>")),
    "CC0 in another spelling": ("Q1", lambda s: put(s, "core", FIGURE, "schema:license", "<https://creativecommons.org/publicdomain/zero/1.0/>")),
    "https://schema.org": ("Q50", lambda s: add(s, "core", FIGURE, "<https://schema.org/url>", "<https://example.org/>")),
    "identifiers.org in http outside xrefs": ("Q8", lambda s: add(s, "links-genes-family", FIGURE, "schema:mentions", "<http://identifiers.org/ncbigene/7157>")),
    "a class of another authority": ("Q51", lambda s: add(s, "entities", GENE, "a", "<http://purl.uniprot.org/core/Gene>")),
    "a foreign predicate": ("Q50", lambda s: add(s, "core", PAPER, "<http://example.org/p>", '"x"')),
    "a pfocr term that nobody defined": ("Q50", lambda s: add(s, "core", FIGURE, "pfocr:colour", '"red"')),
    "a blank node": ("Q4", lambda s: add(s, "core", FIGURE, "schema:about", "[]")),
    "a relative IRI": ("Q4", lambda s: put(s, "core", FIGURE, "schema:image", "<f1.jpg>")),
    "an IRI with a blank": ("Q4", lambda s: put(s, "core", FIGURE, "schema:image", "<https://example.org/f 1.jpg>")),
    "an IRI with a backslash": ("Q4", lambda s: put(s, "core", FIGURE, "schema:image", "<https://example.org/f\\u005C1.jpg>")),
    "an IRI that ends in NA": ("Q4", lambda s: put(s, "core", PAPER, "dcterms:publisher", "<https://w3id.org/pfocr/publisher/NA>")),
    "a taxon NA": ("Q4", lambda s: add(s, "core", FIGURE, "schema:about", "obo:NCBITaxon_NA")),
    "a subject null": ("Q4", lambda s: renamed(s, "core", "https://w3id.org/pfocr/journal/J%20Whole%20Ex", "https://w3id.org/pfocr/journal/null")),
    "a title NA": ("Q4", lambda s: put(s, "core", PAPER, "dcterms:title", '"NA"')),
    "a publisher .na.character": ("Q4", lambda s: add(s, "core", "https://w3id.org/pfocr/publisher/Example%20%26%20Sons", "foaf:name", '".na.character"')),
    "a year of three digits": ("Q3", lambda s: put(s, "core", PAPER, "dcterms:issued", '"202"^^xsd:gYear')),
    "a year as a number": ("Q52", lambda s: put(s, "core", FIGURE, "schema:datePublished", "2022")),
    "a DOI that is not that of the address": ("Q60", lambda s: put(s, "core", PAPER, "bibo:doi", '"10.5555/other"')),
    "a score above 1": ("Q14", lambda s: put(s, "core", FIGURE, "pfocr:pathwayScore", "1.5")),
    "a score as a double": ("Q14", lambda s: put(s, "core", FIGURE, "pfocr:pathwayScore", "5e-1")),
    "gene 0": ("Q8", lambda s: renamed(s, "entities", GENE, "https://identifiers.org/ncbigene/0")),
    "a gene with another's identifier": ("Q60", lambda s: put(s, "entities", GENE, "dcterms:identifier", '"7158"')),
    "a gene with another's link": ("Q60", lambda s: put(s, "xrefs", GENE, "skos:exactMatch", "<http://identifiers.org/ncbigene/1>", "<http://purl.uniprot.org/geneid/7157>", "<http://rdf.ncbi.nlm.nih.gov/pubchem/gene/GID7157>")),
    "a gene of two species": ("Q10", lambda s: add(s, "entities", GENE, "schema:taxonomicRange", "obo:NCBITaxon_10090")),
    "a count that is one too much": ("Q60", lambda s: put(s, "core", FIGURE, "pfocr:geneCount", "5")),
    "a word that was tidied": ("Q60", lambda s: put(s, "evidence-genes", mention_of(s, "p53"), "pfocr:word", '"P53"')),
    "a mention of another figure": ("Q60", lambda s: put(s, "evidence-genes", mention_of(s, "p53"), "oa:hasTarget", f"<{OTHER}>")),
    "a lexicon that nobody knows": ("Q11", lambda s: put(s, "evidence-genes", mention_of(s, "p53"), "dcterms:source", "<https://w3id.org/pfocr/lexicon/mygene>")),
    "two words": ("Q11", lambda s: add(s, "evidence-genes", mention_of(s, "p53"), "pfocr:word", '"p 53"')),
    "a body for a word without id": ("Q11", lambda s: add(s, "evidence-diseases", mention_of(s, "plaque", "evidence-diseases"), "oa:hasBody", "obo:DOID_1")),
    "an old page that is a figure of today": ("Q25", lambda s: add(s, "core", FIGURE, "dcterms:replaces", f"<{OTHER}>")),
    "an old page of two figures": ("Q25", lambda s: add(s, "core", OTHER, "dcterms:replaces", "<https://pfocr.wikipathways.org/figures/PMC9900001__F1>")),
    "a figure in the paper of another": ("Q2", lambda s: put(s, "core", FIGURE, "dcterms:isPartOf", "<https://identifiers.org/pmc/PMC9900002>")),
    "one DOI for two papers": ("Q24", lambda s: put(put(s, "core", "https://identifiers.org/pmc/PMC9900002", "bibo:doi", '"10.5555/whole.9900001"'), "core", "https://identifiers.org/pmc/PMC9900002", "owl:sameAs", "<https://doi.org/10.5555/Whole.9900001>")),
    "one alias for two figures": ("Q24", lambda s: put(s, "core", OTHER, "schema:alternateName", '"PMC9900001__F1"')),
    "a title in a wrong encoding": ("Q29", lambda s: put(s, "core", PAPER, "dcterms:title", '"TNF-Î± in the cold"')),
    "a control character": ("Q29", lambda s: put(s, "core", PAPER, "dcterms:title", '"Fins\\u0007"')),
    "a micro sign for a mu": ("Q29", lambda s: put(s, "core", PAPER, "dcterms:title", '"\\u00B5-opioid receptors"')),
    "a title that says nothing": ("Q16", lambda s: put(put(s, "core", FIGURE, "schema:name", '"Figure 1"'), "core", FIGURE, "rdfs:label", '"Figure 1"')),
    "a short title": ("Q15", lambda s: put(put(s, "core", FIGURE, "schema:name", '"Cold"'), "core", FIGURE, "rdfs:label", '"Cold"')),
    "markup in a caption": ("Q16", lambda s: put(s, "core", FIGURE, "schema:description", '"Cold shock <italic>in vivo</italic>."')),
    "an organism that no gene has": ("Q18", lambda s: {**put(s, "core", FIGURE, "schema:mentions", "obo:NCBITaxon_10090"), **put(s, "compat", FIGURE, "wp:organism", "obo:NCBITaxon_10090", "obo:NCBITaxon_9606", "obo:NCBITaxon_7955", "<https://w3id.org/pfocr/organism/gut%20metagenome>")}),
    "compat has another organism than core": ("Q60", lambda s: put(s, "compat", FIGURE, "wp:organism", "obo:NCBITaxon_9606")),
    "a definition in another language": ("Q56", lambda s: put(s, "ontology", "https://w3id.org/pfocr/vocab#word", "skos:definition", '"Wort"@de')),
}  # fmt: skip
"""Faults of a graph, with the check that must find each."""


def _manifest(build: Path, change: Callable[[Any], object]) -> None:
    path = build / buildfolder.MANIFEST
    manifest = json.loads(path.read_text(encoding="utf-8"))
    change(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")


def _bytes(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


def _core(build: Path, change: Callable[[bytes], bytes]) -> None:
    _bytes(build / "pfocr-core.ttl", change)


def _index(build: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    _bytes(build / blocks.INDEX, lambda data: b"".join(change(data.splitlines(keepends=True))))


def _swap(lines: list[bytes], first: int, second: int) -> list[bytes]:
    lines[first], lines[second] = lines[second], lines[first]
    return lines


FILE_FAULTS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "a layer is missing": ("Q58", lambda b: (b / "pfocr-xrefs.ttl").unlink()),
    "a layer is empty": ("Q58", lambda b: _core(b, lambda _: b"")),
    "a layer is cut short": ("Q58", lambda b: _core(b, lambda data: data[:-500])),
    "a layer has more at its end": ("Q58", lambda b: _core(b, lambda data: data + b"<http://a.org/> a schema:Gene .\n")),
    "a byte of a layer is another": ("Q58", lambda b: _core(b, lambda data: data.replace(b"Cold shock", b"Cold shook", 1))),
    "a layer is no Turtle": ("Q58", lambda b: _core(b, lambda data: data.replace(b" ;\n", b"  \n", 1))),
    "a layer is no UTF-8": ("Q58", lambda b: _core(b, lambda data: data.replace(b"Cold", b"C\xffld", 1))),
    "a layer is another one": ("Q58", lambda b: shutil.copyfile(b / "pfocr-compat.ttl", b / "pfocr-core.ttl")),
    "two subjects change places": ("Q58", lambda b: _core(b, _swapped_subjects)),
    "the index is missing": ("Q58", lambda b: (b / blocks.INDEX).unlink()),
    "the index has another header": ("Q58", lambda b: _index(b, lambda lines: [b"x\n", *lines[1:]])),
    "the index lacks a block": ("Q58", lambda b: _index(b, lambda lines: [*lines[:3], *lines[4:]])),
    "the index lacks the last block": ("Q58", lambda b: _index(b, lambda lines: lines[:-1])),
    "the index has a layer that is not there": ("Q58", lambda b: _index(b, lambda lines: [*lines, b"more\t\t0\t1\t0\tx\t0\t0\n"])),
    "blocks change places in the index": ("Q58", lambda b: _index(b, lambda lines: _swap(lines, 2, 3))),
    "a block has another hash": ("Q58", lambda b: _index(b, _other_hash)),
    "a block begins with another subject": ("Q58", lambda b: _index(b, _other_first)),
    "the manifest has another number of triples": ("Q58", lambda b: _manifest(b, lambda m: m["layers"]["core"].update(triples=1))),
    "the manifest lacks a layer": ("Q58", lambda b: _manifest(b, lambda m: m["layers"].pop("xrefs"))),
    "the manifest has another hash": ("Q64", lambda b: _manifest(b, lambda m: m["files"]["pfocr-core.ttl"].update(sha256="0" * 64))),
    "the manifest has another size": ("Q64", lambda b: _manifest(b, lambda m: m["files"]["pfocr-core.ttl"].update(bytes=1))),
    "the list of refused rows is missing": ("Q35", lambda b: (b / "rejected.jsonl").unlink()),
    "the accounts do not add up": ("Q35", lambda b: _manifest(b, lambda m: m["accounts"]["records"].update(read=9))),
}  # fmt: skip
"""Faults of files, with the check that must find each."""


def _swapped_subjects(data: bytes) -> bytes:
    stanzas = data.split(b"\n\n")
    stanzas[1], stanzas[2] = stanzas[2], stanzas[1]
    return b"\n\n".join(stanzas)


def _other_hash(lines: list[bytes]) -> list[bytes]:
    cells = lines[3].split(b"\t")
    return [*lines[:3], b"\t".join([*cells[:5], b"0" * 24, *cells[6:]]), *lines[4:]]


def _other_first(lines: list[bytes]) -> list[bytes]:
    cells = lines[3].split(b"\t")
    return [*lines[:3], b"\t".join([cells[0], cells[1] + b"0", *cells[2:]]), *lines[4:]]
