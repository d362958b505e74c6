"""What every build must keep, over all fixtures; and what becomes of repeats, broken records, tables, map lines."""

from __future__ import annotations

import re

import pytest
from pyoxigraph import BlankNode, Literal, NamedNode

from tests.blackbox import (
    BODY,
    FIXTURES,
    LABEL,
    SEE_ALSO,
    TARGET,
    case,
    dcterms,
    figure,
    paper,
    pfocr,
    schema,
    unions,
)

NO_SOURCE = {"gene-info"}
SOURCES = sorted({path.name for path in FIXTURES.iterdir() if path.is_dir()} - NO_SOURCE)
LINKS = ("links-genes-symbol", "links-genes-synonym", "links-genes-family", "links-chemicals", "links-diseases")
SENTINELS = {"NA", ".na.character", "null", "nan", "", "-", "noIdentifier", "unknown"}
MAY_SAY_NA = {pfocr("word"), pfocr("match"), pfocr("name"), pfocr("symbol"), LABEL, schema("name"), schema("keywords")}
"""Where the text of a missing value can be a value; a title such as `nan` is none of our business."""


@pytest.mark.parametrize("name", SOURCES)
def test_the_accounts_of_a_build_add_up(name: str) -> None:
    built = case(name)
    built.check_accounts()
    assert set(built.manifest["problems"]["rejected"]) == {problem["code"] for problem in built.rejected}
    assert set(built.manifest["problems"]["warnings"]) == {problem["code"] for problem in built.warnings}
    for kind in ("records", "map-lines", "organism-pages"):
        listed = sum(problem["kind"] == kind for problem in built.rejected)
        assert listed == built.manifest["accounts"][kind]["rejected"], kind


@pytest.mark.parametrize("name", SOURCES)
def test_no_triple_stands_in_two_layers(name: str) -> None:
    built = case(name)
    everything = set(built.triples())
    assert len(everything) == sum(len(triples) for triples in built.layers.values())
    for layer, described in built.manifest["layers"].items():
        assert described["triples"] == len(built.layers[layer])


@pytest.mark.parametrize("name", SOURCES)
def test_no_node_is_blank_and_no_address_relative(name: str) -> None:
    for triple in case(name).triples():
        for term in (triple.subject, triple.object):
            assert not isinstance(term, BlankNode), triple
            if isinstance(term, NamedNode):
                assert re.match(r"[a-z]+:[^ ]+", term.value), triple
                assert not term.value.startswith("https://schema.org/"), triple


@pytest.mark.parametrize("name", SOURCES)
def test_no_marker_of_a_missing_value_is_a_value(name: str) -> None:
    for triple in case(name).triples():
        if isinstance(triple.object, Literal) and triple.predicate not in MAY_SAY_NA:
            assert triple.object.value not in SENTINELS, triple
        if isinstance(triple.object, NamedNode) and not triple.object.value.startswith("https://doi.org/10."):
            assert re.split("[/#_]", triple.object.value)[-1] not in SENTINELS - {""}, triple


@pytest.mark.parametrize("name", SOURCES)
def test_each_link_has_its_mention_and_each_body_its_link(name: str) -> None:
    built = case(name)
    linked = unions(built, LINKS, schema("mentions"))
    targets = dict(unions(built, ("evidence",), TARGET))
    shown = {(targets[mention], body) for mention, body in unions(built, ("evidence",), BODY)}
    assert {(f, e) for f, e in linked if "/pfocr/symbol/" not in str(e)} == shown


def test_each_fixture_is_described_once() -> None:
    readme = (FIXTURES / "README.md").read_text(encoding="utf-8")
    described = re.findall(r"^\| `([a-z0-9-]+)` \|", readme, re.MULTILINE)
    assert sorted(described) == sorted([*SOURCES, *NO_SOURCE])


def test_repeated_rows_are_one_mention() -> None:
    built = case("repeated-rows")
    assert built.account("gene-rows") == {"read": 2, "emitted": 1, "merged": 1}
    assert built.account("chemical-rows") == {"read": 4, "emitted": 2, "merged": 2}
    assert built.account("disease-rows")["read"] == 2
    assert built.account("disease-rows")["merged"] == 1
    assert len(built.mentions("PMC9004001__f")) == 4
    assert built.rejected == ()


def test_words_that_differ_in_case_are_no_repeats() -> None:
    built = case("repeated-rows")
    assert built.mention("PMC9004001__f", "sugar") != built.mention("PMC9004001__f", "Sugar")


def test_one_record_in_two_files_is_merged() -> None:
    built = case("duplicate-identical")
    assert built.account("records") == {"read": 2, "emitted": 1, "merged": 1}
    assert built.texts("core", figure("PMC9004101__f"), schema("name")) == {"Twin"}
    assert built.rejected == ()


def test_the_file_of_the_figids_name_wins() -> None:
    built = case("duplicate-differing")
    assert built.texts("core", figure("PMC9004201__f"), schema("name")) == {"Right"}
    (problem,) = built.refused("duplicate-figid")
    assert (problem["file"], problem["kind"]) == ("_figures/A_first.md", "records")
    assert built.account("records") == {"read": 2, "emitted": 1, "rejected": 1}


def test_else_the_first_file_by_code_point_wins() -> None:
    built = case("duplicate-elsewhere")
    assert built.texts("core", figure("PMC9004301__f"), schema("name")) == {"First"}
    (problem,) = built.refused("duplicate-figid")
    assert problem["file"] == "_figures/b.md"


BROKEN = [
    ("PMC9004402__unreadable.md", "unreadable-yaml"),
    ("PMC9004403__plain.md", "no-front-matter"),
    ("PMC9004404__latin.md", "not-utf8"),
    ("nofigid.md", "missing-figid"),
    ("badfigid.md", "bad-figid"),
    ("PMC9004407__nopmcid.md", "missing-pmcid"),
    ("PMC9004408__badpmcid.md", "bad-pmcid"),
    ("PMC9004409__mismatch.md", "pmcid-mismatch"),
    ("PMC9004410__twice.md", "duplicate-key"),
    ("PMC9004411__alias.md", "yaml-alias"),
]


@pytest.mark.parametrize(("name", "code"), BROKEN)
def test_a_broken_record_is_refused_with_its_reason(name: str, code: str) -> None:
    built = case("broken-records")
    (problem,) = [p for p in built.rejected if p["file"] == f"_figures/{name}"]
    assert (problem["code"], problem["kind"]) == (code, "records")
    assert problem["advice"]


def test_broken_records_leave_nothing_but_their_count() -> None:
    built = case("broken-records")
    assert built.account("records") == {"read": len(BROKEN) + 1, "emitted": 1, "rejected": len(BROKEN)}
    assert built.manifest["counts"]["figures"] == 1
    assert built.texts("core", figure("PMC9004401__good"), schema("name")) == {"Good neighbour"}
    assert [t for t in built.triples() if re.search("PMC90044(0[2-9]|1)", str(t))] == []


def test_rows_of_a_refused_record_are_refused_with_it() -> None:
    built = case("broken-records")
    refused = built.refused("record-rejected")
    assert {problem["file"] for problem in refused} == {"_data/PMC9004409__mismatch-genes.tsv"}
    assert {problem["kind"] for problem in refused} == {"gene-rows"}
    assert built.account("gene-rows") == {"read": 2, "rejected": 2}


def test_rows_of_a_table_without_record_are_refused() -> None:
    built = case("orphan-table")
    refused = built.refused("table-without-record")
    assert {(problem["file"], problem["kind"]) for problem in refused} == {
        ("_data/PMC9004502__orphan-genes.tsv", "gene-rows"),
        ("_data/PMC9004502__orphan-diseases.tsv", "disease-rows"),
    }
    assert built.account("gene-rows") == {"read": 2, "rejected": 2}
    assert built.account("disease-rows") == {"read": 1, "rejected": 1}
    assert [t for t in built.triples() if "PMC9004502" in str(t)] == []


def test_an_alias_of_two_figures_is_kept_by_both_and_warned() -> None:
    built = case("aliases")
    for figid in ("PMC9004601__a", "PMC9004601__b"):
        assert built.texts("core", figure(figid), schema("alternateName")) == {"PMC9004601__F1"}
    assert built.warned("duplicate-alias")
    assert built.account("records") == {"read": 2, "emitted": 2}


UUID = "00000000-0000-4000-8000-00000000000"


@pytest.mark.parametrize(
    ("form", "number"), [("both", "1"), ("maponly", "2"), ("differs", "3"), ("recordonly", "4"), ("bad", None)]
)
def test_the_record_wins_over_the_maps(form: str, number: str | None) -> None:
    built = case("maps")
    subject = figure(f"PMC9004701__{form}")
    assert built.texts("core", subject, SEE_ALSO) == (
        {f"https://www.ndexbio.org/viewer/networks/{UUID}{number}"} if number else set()
    )
    assert built.texts("core", subject, dcterms("relation")) == (
        {f"https://identifiers.org/wikipathways/WP99000{number}"} if number else set()
    )


def test_map_lines_have_an_account_of_their_own() -> None:
    built = case("maps")
    assert built.account("map-lines") == {"read": 10, "emitted": 2, "merged": 2, "rejected": 6}
    assert not built.refused("table-without-record")


@pytest.mark.parametrize(
    ("file", "line", "code"),
    [
        ("_data/ndex_map.tsv", 3, "map-line-differs"),
        ("_data/ndex_map.tsv", 4, "map-line-without-record"),
        ("_data/ndex_map.tsv", 5, "bad-map-line"),
        ("_data/wpid_map.tsv", 3, "map-line-differs"),
        ("_data/wpid_map.tsv", 4, "map-line-without-record"),
        ("_data/wpid_map.tsv", 5, "bad-map-line"),
    ],
)
def test_a_map_line_is_refused_with_its_reason(file: str, line: int, code: str) -> None:
    (problem,) = case("maps").refused(code, file=file, line=line)
    assert problem["kind"] == "map-lines"


def test_bad_ids_in_a_record_are_refused_values() -> None:
    built = case("maps")
    assert built.refused("bad-ndex", field="ndex", value="network-five", kind="values")
    assert built.refused("bad-wpid", field="wpid", value="XX12", kind="values")
    assert paper("PMC9004701").value in built.texts("core", figure("PMC9004701__bad"), dcterms("isPartOf"))
