"""Traps of the front matter: text that looks like something else, missing values, odd keys, odd bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pyoxigraph import Literal
from typer.testing import CliRunner

from pfocr_rdf.cli import app
from tests.blackbox import (
    FIXTURES,
    LABEL,
    Build,
    case,
    dcterms,
    figure,
    gene,
    mention_iri,
    paper,
    pfocr,
    run,
    schema,
    skos,
    taxon,
)

LOOK_ALIKES = (
    *("NO", "ON", "Off", "y", "yes", "true", "1E5", "1_000", "0x1F", "012"),
    *("2021-02-03", "12:30:45", "1.0", "+1"),
)


@pytest.mark.parametrize(("number", "value"), list(enumerate(LOOK_ALIKES, 1)))
def test_a_plain_scalar_stays_the_text_that_stood_there(number: int, value: str) -> None:
    built = case("yaml-scalars")
    subject = figure(f"PMC9000001__v{number:02}")
    assert built.objects("core", subject, schema("name")) == {Literal(value)}
    assert built.objects("core", subject, LABEL) == {Literal(value)}


def test_look_alikes_stay_text_in_every_field() -> None:
    built = case("yaml-scalars")
    subject, article = figure("PMC9000002__fields"), paper("PMC9000002")
    assert built.texts("core", subject, schema("position")) == {"010"}
    assert built.texts("core", subject, schema("genre")) == {"Yes"}
    assert built.texts("core", subject, schema("description")) == {"No"}
    assert built.texts("core", article, dcterms("title")) == {"1e3"}
    assert built.texts("core", article, dcterms("bibliographicCitation")) == {"2001-01-01"}
    assert built.texts("core", article, schema("keywords")) == {"No", "0x10"}
    assert built.texts("core", article, dcterms("publisher")) == {"https://w3id.org/pfocr/publisher/Off"}
    assert "https://w3id.org/pfocr/journal/On" in built.texts("core", article, dcterms("isPartOf"))
    assert built.texts("compat", subject, schema("keywords")) == {"Off", "1E5", "no", "2E10"}


def values_refused(built: Build) -> list[str]:
    return [problem["code"] for problem in built.rejected if problem["kind"] == "values"]


def test_no_spelling_of_missing_is_reported_as_a_bad_value() -> None:
    assert values_refused(case("missing-values")) == []


@pytest.mark.parametrize("sentinel", [".na.character", "NA", "", "[]"])
def test_no_spelling_of_missing_becomes_a_value(sentinel: str) -> None:
    built = case("missing-values")
    assert [t for t in built.triples() if isinstance(t.object, Literal) and t.object.value == sentinel] == []
    assert [t for t in built.triples() if ".na.character" in str(t)] == []


def test_what_others_write_for_a_missing_value_is_refused_and_told() -> None:
    built = case("no-values")
    fields = ["figtitle", "number", "caption", "papertitle", "reftext", "keywords", "organisms"]
    values = ["unknown", "-", "NA", "null", "nan", "NA", "noIdentifier"]
    for field, value in zip(fields, values, strict=True):
        assert built.refused("missing-value", field=field, value=value, kind="values")
    assert built.refused("missing-value", field="schema-jsonld.description", value="unknown", kind="values")
    assert values_refused(built) == ["missing-value"] * (len(fields) + 1)
    literals = [t for t in built.triples() if isinstance(t.object, Literal) and t.object.value in values]
    assert [t.predicate for t in literals] == [schema("keywords")]  # the site's own list, kept as it is
    assert built.objects("core", figure("PMC9000111__no"), schema("about")) == {taxon("9606")}


def test_what_stands_for_nothing_is_no_name_and_no_address(tmp_path: Path) -> None:
    built = case("no-names")
    keywords = built.texts("core", paper("PMC9000121"), schema("keywords"))
    assert keywords == {"psoriasis", "asthma"}
    fields = [("keywords", "NA"), ("keywords", "unknown"), ("keywords", "-"), ("common", "unknown"), ("group", "-")]
    for field, value in fields:
        assert built.refused("missing-value", field=field, value=value, kind="values")
    assert built.refused("bad-redirect", field="redirect_from", value="/figures/NA", kind="values")
    assert len(built.refused("jsonld-address")) == 3
    named = [t.object for t in built.triples("entities") if t.predicate in (LABEL, skos("prefLabel"))]
    labels = {name.value for name in named if isinstance(name, Literal)}
    names = {"Nomen bonum", "Nomen alterum", "Nomen tertium", "Homo sapiens"}
    assert labels == names | {"GA", "GB", "GC", "Other", "Mammals"}
    assert built.texts("entities", taxon("990934"), skos("altLabel")) == {"Tertium"}
    assert pfocr("name") in {t.predicate for t in built.triples("evidence-diseases")}  # as it was read
    source = FIXTURES / "no-names"
    made = tmp_path / "out"
    assert run(source, made).exit_code == 0
    found = CliRunner().invoke(app, ["validate", str(made), "--source", str(source)])
    assert found.exit_code == 0, found.output


@pytest.mark.parametrize("figid", ["PMC9000101__na", "PMC9000102__empty"])
def test_a_record_of_missing_values_is_still_a_figure(figid: str) -> None:
    built = case("missing-values")
    subject = figure(figid)
    assert built.texts("core", subject, dcterms("identifier")) == {figid}
    assert paper(figid.partition("__")[0]).value in built.texts("core", subject, dcterms("isPartOf"))
    assert not built.objects("core", subject, schema("name"))
    assert not built.objects("core", subject, LABEL)
    assert built.warned("missing-title", file=f"_figures/{figid}.md")


@pytest.mark.parametrize("figid", ["PMC9000103__lists", "PMC9000104__scalar"])
def test_organisms_na_is_no_organism(figid: str) -> None:
    built = case("missing-values")
    assert not built.objects(None, figure(figid), schema("about"))
    assert not built.objects(None, figure(figid), schema("mentions"))
    assert not built.objects(None, figure(figid), pfocr("organismAsGiven"))


def test_na_beside_an_organism_is_dropped() -> None:
    built = case("missing-values")
    assert built.objects("core", figure("PMC9000106__mixed"), schema("about")) == {taxon("10090")}


@pytest.mark.parametrize(
    ("figid", "number"),
    [
        ("PMC9000201__pone", "990001"),
        ("PMC9000201__pone.0020415.g001", "990002"),
        ("PMC9000202__x", "990003"),
        ("PMC9000202__x-genes", "990004"),
    ],
)
def test_a_table_belongs_to_the_whole_figid(figid: str, number: str) -> None:
    built = case("figid-dots")
    assert built.linked("links-genes-symbol", figid) == {gene(number).value}
    assert built.texts("core", figure(figid), dcterms("identifier")) == {figid}
    assert built.account("gene-rows") == {"read": 4, "emitted": 4}


def test_unknown_keys_stand_in_compat() -> None:
    built = case("unknown-keys")
    subject = figure("PMC9001101__f")
    said = built.texts("compat", subject, pfocr("variant"))
    nested = {text for text in said if ":=" in text}
    assert said - nested == {"reviewer_note=checked", "tags=red", "tags=blue", "odd%20key=value", "y=why"}
    (text,) = nested
    key, _, value = text.partition(":=")
    assert key == "quality"
    assert json.loads(value) == {"grade": "A", "steps": ["one", "two"]}
    assert not built.objects("core", subject, pfocr("variant"))


def test_unknown_keys_are_warned() -> None:
    built = case("unknown-keys")
    fields = {problem["field"] for problem in built.warned("unknown-key")}
    assert fields == {"reviewer_note", "tags", "quality", "odd key", "y"}
    assert built.rejected == ()


@pytest.mark.parametrize(
    ("figid", "field"),
    [("PMC9001201__title", "figtitle"), ("PMC9001202__caption", "caption"), ("PMC9001203__year", "year")],
)
def test_a_value_of_the_wrong_shape_is_refused_and_the_record_stays(figid: str, field: str) -> None:
    built = case("wrong-types")
    assert built.refused("wrong-type", file=f"_figures/{figid}.md", field=field, kind="values")
    assert built.texts("core", figure(figid), dcterms("identifier")) == {figid}
    assert built.account("records") == {"read": 3, "emitted": 3}


def test_what_stood_beside_a_value_of_the_wrong_shape_stays() -> None:
    built = case("wrong-types")
    subject = figure("PMC9001201__title")
    assert not built.objects("core", subject, schema("name"))
    assert built.texts("core", subject, schema("description")) == {"A caption that stays"}
    assert not built.objects("core", figure("PMC9001203__year"), schema("datePublished"))


@pytest.mark.parametrize("form", ["crlf", "bom", "both"])
def test_line_ends_and_byte_order_mark_change_nothing(form: str) -> None:
    built = case("record-line-ends")
    expected = built.about("core", figure("PMC9001301__lf")) - {(dcterms("identifier"), Literal("PMC9001301__lf"))}
    found = built.about("core", figure(f"PMC9001301__{form}"))
    assert expected == found - {(dcterms("identifier"), Literal(f"PMC9001301__{form}"))}
    assert (schema("description"), Literal("A caption that is folded over two lines")) in found
    assert built.rejected == ()


def test_a_title_is_verbatim_as_name_and_trimmed_as_label() -> None:
    built = case("title-blanks")
    subject = figure("PMC9001401__f")
    assert built.texts("core", subject, schema("name")) == {" Working hypothesis "}
    assert built.texts("core", subject, LABEL) == {"Working hypothesis"}


def test_controls_are_removed_before_any_hash() -> None:
    built = case("controls")
    subject = figure("PMC9001501__f")
    assert built.texts("core", subject, schema("description")) == {"Leftright end"}
    mention = built.mention("PMC9001501__f", "p53")
    assert mention == mention_iri("PMC9001501__f", "gene", "p53", "P53", "ncbigene_synonym")
    files = {problem["file"] for problem in built.warned("control-removed")}
    assert files == {"_figures/PMC9001501__f.md", "_data/PMC9001501__f-genes.tsv"}


def test_text_after_the_front_matter_is_refused() -> None:
    built = case("extra-text")
    (problem,) = built.refused("unexpected-body")
    assert problem["kind"] == "values"
    assert built.texts("core", figure("PMC9001601__f"), schema("name")) == {"Example figure"}
    assert built.account("records") == {"read": 1, "emitted": 1}


@pytest.mark.parametrize(("form", "generation"), [("old", "2021"), ("mid", "2023"), ("new", "2024"), ("rank", "2021")])
def test_the_generation_is_told_by_each_records_fields(form: str, generation: str) -> None:
    built = case("generations")
    assert built.texts("core", figure(f"PMC9001701__{form}"), pfocr("generation")) == {generation}


def test_the_rank_of_the_image_search_is_a_whole_number() -> None:
    built = case("generations")
    assert built.texts("core", figure("PMC9001701__old"), pfocr("resultRank")) == {"17"}
    assert built.refused("bad-rank", value="first", field="pmc_ranked_result_index")
    assert not built.objects(None, figure("PMC9001701__rank"), pfocr("resultRank"))
