"""Traps of the organisms: names that YAML would misread, where ids come from, the pages of `_organisms`."""

from __future__ import annotations

import pytest
from pyoxigraph import NamedNode

from tests.blackbox import (
    LABEL,
    TYPE,
    Build,
    case,
    dcterms,
    figure,
    gene,
    pfd,
    pfocr,
    schema,
    skos,
    taxon,
    wp,
)

RAW = (
    *("[Candida] glabrata", "- x", "Foo: bar", "name #2", "*x", "&x", "!x", "{x}"),
    *("#x", "@x", "%x", "|x", ">x", "Foo:", "012", "Off"),
)


@pytest.mark.parametrize("name", RAW)
def test_a_raw_name_is_a_taxon_with_the_exact_label(name: str) -> None:
    built = case("raw-organisms")
    node = pfd("organism", name)
    assert built.has("core", figure("PMC9005001__list"), schema("about"), node)
    assert built.has("core", figure("PMC9005001__ner"), schema("mentions"), node)
    assert built.texts("entities", node, LABEL) == {name}
    assert built.objects("entities", node, TYPE) == {schema("Taxon")}


@pytest.mark.parametrize(
    ("figid", "predicate"), [("PMC9005001__list", schema("about")), ("PMC9005001__ner", schema("mentions"))]
)
def test_no_raw_name_is_lost_or_split(figid: str, predicate: NamedNode) -> None:
    built = case("raw-organisms")
    assert built.objects("core", figure(figid), predicate) == {pfd("organism", name) for name in RAW}


@pytest.mark.parametrize("form", ["indented", "quoted"])
def test_indented_and_quoted_names_are_the_same_names(form: str) -> None:
    built = case("raw-organisms")
    assert built.objects("core", figure(f"PMC9005001__{form}"), schema("about")) == {
        pfd("organism", "[Candida] glabrata"),
        pfd("organism", "Foo: bar"),
    }


def test_names_that_were_quoted_in_reading_are_warned() -> None:
    built = case("raw-organisms")
    files = {problem["file"].partition("__")[2] for problem in built.warned("organism-requoted")}
    assert files == {"list.md", "ner.md", "indented.md"}
    assert built.account("records") == {"read": 4, "emitted": 4}
    assert built.rejected == ()


def test_raw_names_stand_in_the_compat_layer_too() -> None:
    built = case("raw-organisms")
    expected = {pfd("organism", name) for name in RAW}
    assert built.objects("compat", figure("PMC9005001__list"), wp("organism")) == expected
    assert built.objects("compat", figure("PMC9005001__ner"), wp("organism")) == expected


@pytest.mark.parametrize(
    ("form", "predicate", "expected"),
    [
        ("row", "mentions", taxon("990801")),
        ("page", "about", taxon("990803")),
        ("shipped", "about", taxon("9606")),
        ("nowhere", "about", pfd("organism", "Ignota nulla (sp. 1)")),
        ("blanks", "about", taxon("990804")),
    ],
)
def test_the_id_of_an_organism_comes_from_rows_pages_or_the_shipped_table(
    form: str, predicate: str, expected: NamedNode
) -> None:
    built = case("organism-ids")
    assert built.objects("core", figure(f"PMC9005101__{form}"), schema(predicate)) == {expected}


def test_a_name_without_id_is_warned_not_refused() -> None:
    built = case("organism-ids")
    (warned,) = built.warned("unresolved-organism")
    assert "Ignota nulla (sp. 1)" in warned["value"]
    assert built.texts("entities", pfd("organism", "Ignota nulla (sp. 1)"), LABEL) == {"Ignota nulla (sp. 1)"}
    assert built.rejected == ()


@pytest.mark.parametrize(
    ("taxid", "label"),
    [("990801", "Inventia exemplaris"), ("9606", "Homo sapiens"), ("990804", "Strainia foo ATCC 1 CIP 2")],
)
def test_a_taxon_has_its_latin_name_and_number(taxid: str, label: str) -> None:
    built = case("organism-ids")
    assert built.texts("entities", taxon(taxid), LABEL) == {label}
    assert built.texts("entities", taxon(taxid), dcterms("identifier")) == {taxid}
    assert built.texts("xrefs", taxon(taxid), skos("exactMatch")) == {f"http://purl.uniprot.org/taxonomy/{taxid}"}


def test_a_row_puts_its_organism_into_a_group() -> None:
    built = case("organism-ids")
    group = pfd("group", "Vertebrates")
    assert built.has("entities", group, skos("member"), taxon("990801"))
    assert built.objects("entities", gene("990802"), schema("taxonomicRange")) == {taxon("990801")}


def pages() -> Build:
    return case("organism-pages")


@pytest.mark.parametrize(
    ("taxid", "latin", "page"), [("990901", "Vetus piscis", "vetus_piscis"), ("990902", "Nova planta", "nova_planta")]
)
def test_both_styles_of_pages_are_read(taxid: str, latin: str, page: str) -> None:
    assert pages().texts("entities", taxon(taxid), LABEL) == {latin}
    assert pages().texts("entities", taxon(taxid), dcterms("identifier")) == {taxid}
    assert pages().texts("entities", taxon(taxid), pfocr("organismPage")) == {page}


def test_a_common_name_is_kept_where_it_differs() -> None:
    assert pages().texts("entities", taxon("990901"), skos("altLabel")) == {"Oldfish"}
    assert not pages().objects(None, taxon("990902"), skos("altLabel"))


def test_a_page_puts_its_organism_into_a_group() -> None:
    group = pfd("group", "Plants and Fungi")
    assert pages().objects("entities", group, skos("member")) == {taxon("990902")}
    assert pages().texts("entities", group, skos("prefLabel")) == {"Plants and Fungi"}
    assert pages().objects("entities", group, TYPE) == {skos("Collection")}


def test_an_image_is_an_absolute_address_or_refused() -> None:
    assert pages().texts("entities", taxon("990902"), schema("image")) == {"http://images.example.org/taxon/422"}
    assert pages().refused("bad-image", file="_organisms/imago_mala.md", kind="values")
    for number in ("990901", "990903", "990904"):
        assert not pages().objects(None, taxon(number), schema("image"))
    assert pages().texts("entities", taxon("990904"), LABEL) == {"Imago mala"}


def test_two_pages_with_one_id_are_one_taxon() -> None:
    node = taxon("990903")
    assert pages().texts("entities", node, LABEL) == {"Gemina altera"}
    assert pages().texts("entities", node, skos("altLabel")) == {"Gemina una"}
    assert pages().texts("entities", node, pfocr("organismPage")) == {"gemina_una", "gemina_altera"}
    assert pages().warned("facts-disagree")


@pytest.mark.parametrize("page", ["fracta_pagina", "numerus_malus"])
def test_a_bad_page_is_refused(page: str) -> None:
    (problem,) = pages().refused("bad-organism-page", file=f"_organisms/{page}.md")
    assert problem["kind"] == "organism-pages"


def test_pages_have_an_account_of_their_own() -> None:
    assert pages().account("organism-pages") == {"read": 7, "emitted": 5, "rejected": 2}
    assert pages().account("records") == {"read": 1, "emitted": 1}


@pytest.mark.parametrize("form", ["oldtext", "oldlist"])
def test_the_organism_of_2021_is_no_evidence_of_species(form: str) -> None:
    built = case("single-organism")
    subject = figure(f"PMC9005301__{form}")
    assert built.texts("core", subject, pfocr("organismAsGiven")) == {"Homo sapiens"}
    assert not built.objects(None, subject, schema("about"))
    assert not built.objects(None, subject, wp("organism"))


def test_one_organism_may_stand_as_text() -> None:
    built = case("single-organism")
    assert built.objects("core", figure("PMC9005301__newtext"), schema("about")) == {taxon("10090")}
    assert built.rejected == ()


def test_organisms_of_the_lexicon_are_emitted_as_given() -> None:
    built = case("ner-differs")
    assert built.has("core", figure("PMC9005401__f"), schema("mentions"), taxon("10090"))
    assert not built.has("core", figure("PMC9005401__f"), schema("mentions"), taxon("9606"))


def test_organisms_other_than_those_of_the_table_are_warned() -> None:
    warned = case("ner-differs").warned("organisms-ner-differs")
    assert {problem["file"] for problem in warned} == {"_figures/PMC9005401__f.md"}
