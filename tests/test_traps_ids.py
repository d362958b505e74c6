"""Traps of the ids in tables: their spellings, their absence, two of them, and the layers that links go to."""

from __future__ import annotations

import pytest
from pyoxigraph import Literal, NamedNode

from tests.blackbox import (
    BODY,
    INTEGER,
    LABEL,
    case,
    chebi,
    dcterms,
    doid,
    figure,
    gene,
    mention_iri,
    mesh,
    pfd,
    pfocr,
    schema,
    skos,
    taxon,
)


@pytest.mark.parametrize("form", ["small", "capital", "bare"])
def test_a_prefix_does_not_matter(form: str) -> None:
    built = case("id-prefixes")
    figid = f"PMC9002001__{form}"
    assert built.linked("links-chemicals", figid) == {mesh("D005947").value, chebi("17234").value}
    assert built.linked("links-diseases", figid) == {doid("8893").value}
    assert built.objects("evidence", built.mention(figid, "sugar"), BODY) == {mesh("D005947")}
    assert built.objects("evidence", built.mention(figid, "sugar"), dcterms("relation")) == {chebi("17234")}


@pytest.mark.parametrize("form", ["small", "capital", "bare"])
def test_a_mention_does_not_depend_on_the_prefix(form: str) -> None:
    built = case("id-prefixes")
    figid = f"PMC9002001__{form}"
    assert built.mentions(figid) == {
        mention_iri(figid, "chemical", "sugar", "Glucose", "glucose", "MESH:D005947", "CHEBI:17234"),
        mention_iri(figid, "chemical", "sweet", "Glucose", "glucose", "NA", "CHEBI:17234"),
        mention_iri(figid, "disease", "rash", "psoriasis", "psoriasis", "NA", "DOID:8893"),
    }


def test_two_spellings_of_one_id_are_one_mention() -> None:
    built = case("id-prefixes")
    assert len(built.mentions("PMC9002001__two")) == 1
    assert built.account("disease-rows") == {"read": 5, "emitted": 4, "merged": 1}
    assert built.rejected == ()


def test_identifiers_are_bare() -> None:
    built = case("id-prefixes")
    assert built.objects("entities", mesh("D005947"), dcterms("identifier")) == {Literal("D005947")}
    assert built.objects("entities", chebi("17234"), dcterms("identifier")) == {Literal("17234")}
    assert built.objects("entities", doid("8893"), dcterms("identifier")) == {Literal("DOID:8893")}


def test_leading_zeros_of_a_disease_id_stay() -> None:
    built = case("doid-zeros")
    assert built.linked("links-diseases", "PMC9002101__f") == {doid("0060239").value}
    assert built.objects("entities", doid("0060239"), dcterms("identifier")) == {Literal("DOID:0060239")}
    expected = mention_iri("PMC9002101__f", "disease", "spots", "spots", "imaginary spots", "NA", "DOID:0060239")
    assert built.mentions("PMC9002101__f") == {expected}


ORPHANS = [("NA", "9606", None), ("MEMB1", "9606", "MEMB1"), ("NA", "10090", None)]


@pytest.mark.parametrize(("cell", "taxid", "symbol"), ORPHANS)
def test_a_gene_row_without_id_is_a_mention_of_its_own(cell: str, taxid: str, symbol: str | None) -> None:
    built = case("rows-without-ids")
    mention = mention_iri("PMC9002201__f", "gene", "Fam", "FAM", "famplex_relations", "NA", cell, taxid)
    assert mention in built.mentions("PMC9002201__f")
    assert not built.objects("evidence", mention, BODY)
    assert built.texts("evidence", mention, pfocr("symbol")) == ({symbol} if symbol else set())
    assert built.objects("evidence", mention, schema("taxonomicRange")) == {taxon(taxid)}
    assert built.texts("evidence", mention, pfocr("word")) == {"Fam"}
    assert built.texts("evidence", mention, pfocr("match")) == {"FAM"}
    assert built.objects("evidence", mention, dcterms("source")) == {pfd("lexicon", "famplex_relations")}


def test_a_gene_row_with_id_is_not_grouped_with_those_without() -> None:
    built = case("rows-without-ids")
    mention = mention_iri("PMC9002201__f", "gene", "Fam", "FAM", "famplex_relations")
    assert built.objects("evidence", mention, BODY) == {gene("990010")}
    assert not built.objects("evidence", mention, pfocr("symbol"))
    assert built.linked("links-genes-family", "PMC9002201__f") == {gene("990010").value}


def test_rows_without_ids_are_unresolved_which_is_part_of_emitted() -> None:
    built = case("rows-without-ids")
    assert built.account("gene-rows") == {"read": 4, "emitted": 4, "unresolved": 3}
    assert built.account("chemical-rows") == {"read": 2, "emitted": 2, "unresolved": 2}
    assert built.account("disease-rows") == {"read": 1, "emitted": 1, "unresolved": 1}


@pytest.mark.parametrize(
    ("kind", "cells", "said"),
    [
        ("chemical", ("NO", "NA", "NA", "NA", "NA"), {"word": "NO"}),
        ("chemical", ("salt", "Salts", "salt", "NA", "NA"), {"word": "salt", "match": "Salts", "name": "salt"}),
        ("disease", ("Stroma", "NA", "NA", "NA", "NA"), {"word": "Stroma"}),
    ],
)
def test_a_row_without_id_is_a_mention_without_body(kind: str, cells: tuple[str, ...], said: dict[str, str]) -> None:
    built = case("rows-without-ids")
    mention = mention_iri("PMC9002201__f", kind, *cells)
    assert mention in built.mentions("PMC9002201__f")
    for name in ("word", "match", "name"):
        assert built.texts("evidence", mention, pfocr(name)) == ({said[name]} if name in said else set())
    assert not built.objects("evidence", mention, BODY)
    assert not built.objects("evidence", mention, dcterms("relation"))
    assert built.objects("evidence", mention, dcterms("source")) == {pfd("lexicon", kind)}
    assert not built.linked(f"links-{kind}s", "PMC9002201__f")


def test_a_family_is_one_mention_with_several_bodies() -> None:
    built = case("family-rows")
    (mention,) = built.mentions("PMC9003001__f")
    genes = {gene("207"), gene("208"), gene("10000")}
    assert mention == mention_iri("PMC9003001__f", "gene", "Akt", "AKT", "famplex_relations")
    assert built.objects("evidence", mention, BODY) == genes
    assert built.linked("links-genes-family", "PMC9003001__f") == {node.value for node in genes}
    assert built.account("gene-rows") == {"read": 3, "emitted": 3}


def test_a_gene_is_linked_at_its_best_level_only() -> None:
    built = case("gene-levels")
    assert built.linked("links-genes-symbol", "PMC9003101__f") == {gene("990601").value}
    assert built.linked("links-genes-synonym", "PMC9003101__f") == {gene("990602").value}
    assert built.linked("links-genes-family", "PMC9003101__f") == {gene("990603").value}


def test_every_level_keeps_its_mention() -> None:
    built = case("gene-levels")
    family = built.mention("PMC9003101__f", "Aaa")
    assert built.objects("evidence", family, BODY) == {gene("990601"), gene("990602"), gene("990603")}
    assert len(built.mentions("PMC9003101__f")) == 3


def test_genes_are_counted_at_any_level_and_at_symbol_level() -> None:
    built = case("gene-levels")
    subject = figure("PMC9003101__f")
    assert built.objects("core", subject, pfocr("geneCount")) == {Literal("3", datatype=INTEGER)}
    assert built.objects("core", subject, pfocr("strictGeneCount")) == {Literal("1", datatype=INTEGER)}


def test_an_id_in_both_tables_is_linked_as_chemical_only() -> None:
    built = case("chemical-and-disease")
    assert built.linked("links-chemicals", "PMC9003201__f") == {mesh("D990030").value}
    assert built.linked("links-diseases", "PMC9003201__f") == {mesh("D990031").value}
    for kind in ("chemical", "disease"):
        (mention,) = built.mentions("PMC9003201__f", "thing", kind)
        assert built.objects("evidence", mention, BODY) == {mesh("D990030")}
        assert built.objects("evidence", mention, dcterms("source")) == {pfd("lexicon", f"{kind}-mesh")}


@pytest.mark.parametrize(
    ("word", "kind", "body", "second"),
    [
        ("both", "chemical", mesh("D990040"), chebi("990041")),
        ("sick", "disease", mesh("D990045"), doid("990046")),
    ],
)
def test_mesh_is_the_body_and_the_second_id_a_relation(
    word: str, kind: str, body: NamedNode, second: NamedNode
) -> None:
    built = case("second-ids")
    mention = built.mention("PMC9003301__f", word)
    assert built.objects("evidence", mention, BODY) == {body}
    assert built.objects("evidence", mention, dcterms("relation")) == {second}
    assert built.objects("evidence", mention, dcterms("source")) == {pfd("lexicon", f"{kind}-mesh")}
    assert built.objects("xrefs", body, skos("closeMatch")) == {second}
    assert body.value in built.linked(f"links-{kind}s", "PMC9003301__f")
    assert second.value not in built.linked(f"links-{kind}s", "PMC9003301__f")


@pytest.mark.parametrize(
    ("word", "kind", "body", "lexicon"),
    [
        ("alone", "chemical", chebi("990042"), "chemical-chebi"),
        ("ill", "disease", doid("990047"), "disease-doid"),
        ("meshonly", "chemical", mesh("C990044001"), "chemical-mesh"),
    ],
)
def test_a_lone_id_is_the_body(word: str, kind: str, body: NamedNode, lexicon: str) -> None:
    built = case("second-ids")
    mention = built.mention("PMC9003301__f", word)
    assert built.objects("evidence", mention, BODY) == {body}
    assert not built.objects("evidence", mention, dcterms("relation"))
    assert built.objects("evidence", mention, dcterms("source")) == {pfd("lexicon", lexicon)}
    assert not built.objects("xrefs", body, skos("closeMatch"))
    assert body.value in built.linked(f"links-{kind}s", "PMC9003301__f")


@pytest.mark.parametrize(
    ("entity", "label"),
    [
        (mesh("D990040"), "Both Things"),
        (chebi("990041"), "both thing"),
        (chebi("990042"), "lone thing"),
        (mesh("D990045"), "Sickness"),
        (doid("990046"), "sickness"),
        (doid("990047"), "illness"),
        (chebi("990043"), None),
        (mesh("C990044001"), None),
    ],
)
def test_mesh_is_labelled_by_the_match_and_the_others_by_the_name(entity: NamedNode, label: str | None) -> None:
    built = case("second-ids")
    assert built.texts("entities", entity, LABEL) == ({label} if label else set())
    assert len(built.texts("entities", entity, dcterms("identifier"))) == 1


def test_equivalents_of_chebi_stand_in_xrefs() -> None:
    built = case("second-ids")
    assert built.texts("xrefs", chebi("990042"), skos("exactMatch")) == {"https://identifiers.org/chebi/CHEBI:990042"}
