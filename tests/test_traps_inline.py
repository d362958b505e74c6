"""Traps of 2021, when the mentions stood inside the record: four lexicons, bare ids, words without id."""

from __future__ import annotations

import pytest

from tests.blackbox import (
    BODY,
    LABEL,
    case,
    dcterms,
    figure,
    gene,
    mention_iri,
    mesh,
    pfd,
    pfocr,
    schema,
    taxon,
)

FIGID = "PMC9005501__f"


@pytest.mark.parametrize(
    ("word", "match", "lexicon", "genes"),
    [
        ("AAA1,", "AAA1", "hgnc_symbol", {"991001"}),
        ("bee", "BEE", "hgnc_alias_symbol", {"991002"}),
        ("cee", "CEE", "hgnc_prev_symbol", {"991003"}),
        ("Dee", "DEE", "bioentities_symbol", {"991001", "991004", "991005"}),
    ],
)
def test_an_inline_gene_is_a_mention(word: str, match: str, lexicon: str, genes: set[str]) -> None:
    built = case("inline-2021")
    mention = built.mention(FIGID, word, "gene")
    assert mention == mention_iri(FIGID, "gene", word, match, lexicon)
    assert built.texts("evidence", mention, pfocr("match")) == {match}
    assert built.objects("evidence", mention, dcterms("source")) == {pfd("lexicon", lexicon)}
    assert built.objects("evidence", mention, BODY) == {gene(number) for number in genes}


def test_inline_genes_are_linked_at_their_best_level() -> None:
    built = case("inline-2021")
    assert built.linked("links-genes-symbol", FIGID) == {gene("991001").value}
    assert built.linked("links-genes-synonym", FIGID) == {gene("991002").value, gene("991003").value}
    assert built.linked("links-genes-family", FIGID) == {gene("991004").value, gene("991005").value}


def test_inline_genes_are_human_and_labelled() -> None:
    built = case("inline-2021")
    assert built.texts("entities", gene("991005"), LABEL) == {"DDD2"}
    assert built.objects("entities", gene("991005"), schema("taxonomicRange")) == {taxon("9606")}


def test_inline_rows_are_counted_as_rows() -> None:
    built = case("inline-2021")
    assert built.account("gene-rows") == {"read": 8, "emitted": 6, "merged": 1, "rejected": 1}
    assert built.account("chemical-rows") == {"read": 2, "emitted": 2}
    assert built.account("disease-rows") == {"read": 2, "emitted": 2, "unresolved": 1}
    assert built.refused("unknown-lexicon", file=f"_figures/{FIGID}.md", kind="gene-rows")


@pytest.mark.parametrize("word", ["Sugar", "sugar"])
def test_an_inline_chemical_has_a_bare_mesh_id(word: str) -> None:
    built = case("inline-2021")
    mention = built.mention(FIGID, word, "chemical")
    assert built.objects("evidence", mention, BODY) == {mesh("D005947")}
    assert built.objects("evidence", mention, dcterms("source")) == {pfd("lexicon", "pubtator-chemical")}
    assert built.linked("links-chemicals", FIGID) == {mesh("D005947").value}


def test_an_inline_disease_may_lack_source_and_id() -> None:
    built = case("inline-2021")
    mention = built.mention(FIGID, "Ache", "disease")
    assert not built.objects("evidence", mention, BODY)
    assert built.objects("evidence", mention, dcterms("source")) == {pfd("lexicon", "pubtator-disease")}
    assert built.linked("links-diseases", FIGID) == {mesh("D990050").value}


def test_fields_of_2021_are_kept_under_todays_terms() -> None:
    built = case("inline-2021")
    assert built.texts("core", figure(FIGID), pfocr("resultRank")) == {"123"}
    assert {float(score) for score in built.texts("core", figure(FIGID), pfocr("pathwayScore"))} == {0.75}
    assert built.texts("core", figure(FIGID), pfocr("generation")) == {"2021"}
    assert built.texts("core", figure(FIGID), pfocr("organismAsGiven")) == {"Homo sapiens"}
    assert not built.warned("unknown-key")


def test_the_earliest_form_lacks_alias_type_and_old_address() -> None:
    built = case("early-2021")
    subject = figure("PMC9005601__early.g001")
    assert built.texts("core", subject, schema("position")) == {"Figure 1"}
    for name in ("alternateName", "genre"):
        assert not built.objects(None, subject, schema(name))
    assert not built.objects(None, subject, dcterms("replaces"))
    assert built.rejected == ()
    assert not built.warned("unknown-key")


def test_empty_inline_lists_are_no_rows() -> None:
    built = case("early-2021")
    assert built.account("gene-rows") == {}
    assert not built.mentions("PMC9005601__early.g001")
