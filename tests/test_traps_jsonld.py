"""Traps of the JSON-LD block: licence, creator, what it adds to the record, its keywords."""

from __future__ import annotations

import re

import pytest
from pyoxigraph import Literal, NamedNode

from tests.blackbox import CC0, LABEL, TYPE, WIKIPATHWAYS, case, figure, schema


@pytest.mark.parametrize(
    ("form", "licence"),
    [
        ("cc0", CC0),
        ("cc0https", CC0),
        ("ccby", NamedNode("https://creativecommons.org/licenses/by/4.0/")),
        ("unknown", None),
        ("noblock", None),
        ("nolicence", None),
    ],
)
def test_a_licence_is_what_the_block_says_and_only_that(form: str, licence: NamedNode | None) -> None:
    built = case("licences")
    assert built.objects("core", figure(f"PMC9006001__{form}"), schema("license")) == ({licence} if licence else set())
    assert built.account("records") == {"read": 6, "emitted": 6}


def test_an_unknown_licence_is_refused_and_stands_nowhere() -> None:
    built = case("licences")
    (problem,) = built.refused("unknown-licence")
    assert (problem["file"], problem["value"], problem["kind"]) == (
        "_figures/PMC9006001__unknown.md",
        "All rights reserved",
        "values",
    )
    assert [t for t in built.triples() if "reserved" in str(t.object)] == []


def test_a_missing_licence_is_warned() -> None:
    files = {problem["file"] for problem in case("licences").warned("missing-licence")}
    assert {"_figures/PMC9006001__noblock.md", "_figures/PMC9006001__nolicence.md"} <= files
    assert not files & {f"_figures/PMC9006001__{form}.md" for form in ("cc0", "cc0https", "ccby")}


def test_the_licence_is_no_relative_address() -> None:
    assert [t for t in case("licences").triples() if "/figures/CC0" in str(t.object)] == []


def test_the_usual_creator_is_one_node() -> None:
    built = case("creators")
    assert built.objects("core", figure("PMC9006101__usual"), schema("creator")) == {WIKIPATHWAYS}
    assert built.texts("core", WIKIPATHWAYS, schema("name")) == {"WikiPathways"}
    assert built.objects("core", WIKIPATHWAYS, TYPE) == {schema("Organization")}


def test_another_creator_is_a_named_node_of_the_figure() -> None:
    built = case("creators")
    subject = figure("PMC9006101__person")
    (creator,) = built.objects(None, subject, schema("creator"))
    assert isinstance(creator, NamedNode)
    assert re.fullmatch(re.escape(subject.value) + "#[0-9a-f]{12}", creator.value)
    assert built.objects(None, creator, schema("name")) == {Literal("Jo Exemplary")}
    assert built.objects(None, creator, TYPE) == {schema("Person")}


def test_a_creator_with_an_address_keeps_it() -> None:
    built = case("creators")
    creator = NamedNode("https://people.example.org/jo")
    assert built.objects(None, figure("PMC9006101__iri"), schema("creator")) == {creator}
    assert built.objects(None, creator, schema("name")) == {Literal("Jo Exemplary")}


def test_no_creator_no_triple() -> None:
    assert not case("creators").objects(None, figure("PMC9006101__nobody"), schema("creator"))


def test_what_only_the_block_says_is_emitted() -> None:
    built = case("jsonld-extra")
    subject = figure("PMC9006201__f")
    assert built.objects(None, subject, schema("alternativeHeadline")) == {Literal("Another headline")}
    assert built.objects(None, subject, schema("sameAs")) == {NamedNode("https://things.example.org/1")}
    assert [problem for problem in built.rejected if problem["file"] == "_figures/PMC9006201__f.md"] == []


def test_a_relative_address_in_the_block_is_refused() -> None:
    built = case("jsonld-extra")
    subject = figure("PMC9006201__relative")
    assert built.refused("jsonld-relative-iri", file="_figures/PMC9006201__relative.md", kind="values")
    assert not built.objects(None, subject, schema("sameAs"))
    assert [t for t in built.triples() if "some/relative" in str(t.object)] == []


def test_the_name_of_the_block_is_no_title() -> None:
    built = case("jsonld-extra")
    assert built.texts(None, figure("PMC9006201__f"), schema("name")) == {"Example figure"}
    assert built.texts(None, figure("PMC9006201__f"), LABEL) == {"Example figure"}


def test_another_id_in_the_block_is_reported_and_not_used() -> None:
    built = case("jsonld-odd")
    assert built.refused("jsonld-id-differs", file="_figures/PMC9006301__id.md", kind="values")
    assert [t for t in built.triples() if "PMC9006399" in str(t)] == []
    assert built.objects("core", figure("PMC9006301__id"), schema("license")) == {CC0}


def test_another_context_is_reported_and_not_fetched() -> None:
    built = case("jsonld-odd")
    assert built.refused("jsonld-context", file="_figures/PMC9006301__context.md", kind="values")
    assert [t for t in built.triples() if "contexts.example.org" in str(t)] == []
    assert built.texts("core", figure("PMC9006301__context"), schema("name")) == {"Example figure"}


def test_keywords_of_the_site_stand_in_compat_only() -> None:
    built = case("site-keywords")
    subject = figure("PMC9006401__list")
    assert built.texts("compat", subject, schema("keywords")) == {"PDC", "Off", "[O]", "Me  Me ", "glucose"}
    assert not built.objects("core", subject, schema("keywords"))


def test_one_keyword_may_stand_as_text() -> None:
    built = case("site-keywords")
    assert built.texts("compat", figure("PMC9006401__text"), schema("keywords")) == {"alone"}
    assert not built.objects(None, figure("PMC9006401__empty"), schema("keywords"))


def test_keywords_of_the_site_are_no_mentions() -> None:
    built = case("site-keywords")
    assert len(built.mentions("PMC9006401__list")) == 1
    assert built.account("gene-rows") == {"read": 1, "emitted": 1}
    assert built.rejected == ()
