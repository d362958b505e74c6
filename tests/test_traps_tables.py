"""Traps of the tables: columns, line ends, words that look like something else, rows to refuse."""

from __future__ import annotations

import pytest
from pyoxigraph import Literal

from tests.blackbox import (
    BODY,
    LABEL,
    Build,
    Problem,
    case,
    chebi,
    dcterms,
    figure,
    gene,
    mention_iri,
    mesh,
    pfd,
    pfocr,
    schema,
)

SYMBOLS = ("na", "NA", "Off", "On", "1E5", "null", "ref(2)P", "tRNA:Arg-TCT-3-1", "NM", "how", "012")
WORDS = (
    *("NA", "null", "nan", "None", "N/A", "#N/A", "TRUE", '"quoted', "it's", "a\\tb", "back\\", "<b>&amp;"),
    *("p62/ZIP–APKC«src", " lead", "trail ", "x  y", "A\u2028B", "A\u0085B"),
)


@pytest.mark.parametrize(("number", "symbol"), list(enumerate(SYMBOLS, 1)))
def test_a_symbol_beside_an_id_is_a_symbol(number: int, symbol: str) -> None:
    built = case("symbols")
    assert built.objects("entities", gene(str(990100 + number)), LABEL) == {Literal(symbol)}
    assert built.objects("evidence", built.mention("PMC9002301__f", f"w{number}"), BODY) == {gene(str(990100 + number))}


def test_symbols_that_differ_in_case_do_not_meet() -> None:
    built = case("symbols")
    assert built.account("gene-rows") == {"read": len(SYMBOLS), "emitted": len(SYMBOLS)}
    assert len(built.linked("links-genes-symbol", "PMC9002301__f")) == len(SYMBOLS)


@pytest.mark.parametrize(("number", "word"), list(enumerate(WORDS, 1)))
def test_a_word_is_verbatim(number: int, word: str) -> None:
    built = case("words")
    mention = built.mention("PMC9002401__f", word, "gene")
    assert mention == mention_iri("PMC9002401__f", "gene", word, f"M{number}", "ncbigene_symbol")
    assert built.objects("evidence", mention, pfocr("word")) == {Literal(word)}
    assert built.objects("evidence", mention, BODY) == {gene(str(990200 + number))}


def test_no_word_is_dropped_or_cut() -> None:
    built = case("words")
    assert built.account("gene-rows") == {"read": len(WORDS) + 1, "emitted": len(WORDS) + 1}
    assert built.account("chemical-rows") == {"read": 3, "emitted": 3, "unresolved": 1}
    assert built.rejected == ()


def test_the_match_na_of_a_gene_row_is_text() -> None:
    built = case("words")
    mention = built.mention("PMC9002401__f", "matchless")
    assert built.objects("evidence", mention, pfocr("match")) == {Literal("NA")}


def test_the_match_and_name_na_of_a_chemical_row_are_missing() -> None:
    built = case("words")
    mention = built.mention("PMC9002401__f", "NA", "chemical")
    assert mention == mention_iri("PMC9002401__f", "chemical", "NA", "NA", "NA", "MESH:D990001", "NA")
    assert not built.objects("evidence", mention, pfocr("match"))
    assert not built.objects("evidence", mention, pfocr("name"))


def test_match_and_name_of_a_chemical_are_verbatim() -> None:
    built = case("words")
    mention = built.mention("PMC9002401__f", "Me  Me ", "chemical")
    assert built.objects("evidence", mention, pfocr("match")) == {Literal("\"Me'")}
    assert built.objects("evidence", mention, pfocr("name")) == {Literal("(1->4)-{me}[x]'")}


BAD_ROWS = [
    ("genes", 3, "wrong-column-count"),
    ("genes", 4, "wrong-column-count"),
    ("genes", 5, "empty-word"),
    ("genes", 6, "empty-match"),
    ("genes", 7, "unknown-lexicon"),
    ("genes", 8, "unknown-lexicon"),
    ("genes", 9, "bad-gene-id"),
    ("genes", 10, "bad-gene-id"),
    ("genes", 11, "bad-taxon-id"),
    ("genes", 12, "bad-taxon-id"),
    ("chemicals", 3, "bad-mesh-id"),
    ("chemicals", 4, "bad-chebi-id"),
    ("chemicals", 5, "empty-word"),
    ("diseases", 3, "bad-doid-id"),
]


@pytest.mark.parametrize(("table", "line", "code"), BAD_ROWS)
def test_a_bad_row_is_refused_with_its_reason_and_line(table: str, line: int, code: str) -> None:
    built = case("bad-rows")
    (problem,) = built.refused(code, file=f"_data/PMC9002501__f-{table}.tsv", line=line)
    assert problem["kind"] == f"{table.removesuffix('s')}-rows"
    assert problem["advice"]


def test_the_good_rows_beside_bad_ones_stay() -> None:
    built = case("bad-rows")
    assert {text for m in built.mentions("PMC9002501__f") for text in built.texts("evidence", m, pfocr("word"))} == {
        *("good", "last", "goodchem", "gooddis")
    }
    assert built.linked("links-genes-symbol", "PMC9002501__f") == {gene("990301").value, gene("990310").value}
    assert built.linked("links-chemicals", "PMC9002501__f") == {mesh("D990010").value}


def test_bad_rows_are_counted_one_by_one() -> None:
    built = case("bad-rows")
    assert built.account("gene-rows") == {"read": 12, "emitted": 2, "rejected": 10}
    assert built.account("chemical-rows") == {"read": 4, "emitted": 1, "rejected": 3}
    assert built.account("disease-rows") == {"read": 2, "emitted": 1, "rejected": 1}
    assert len(built.rejected) == len(BAD_ROWS)


def test_nothing_of_a_refused_row_is_emitted() -> None:
    built = case("bad-rows")
    for number in range(990302, 990310):
        assert not built.about("entities", gene(str(number)))
    assert not built.about("entities", mesh("D990011"))


def test_the_later_of_two_contradictory_rows_is_refused() -> None:
    built = case("contradictory-rows")
    refused = built.refused("contradictory-row", file="_data/PMC9002601__f-genes.tsv", kind="gene-rows")
    assert {problem["line"] for problem in refused} == {3, 4}
    assert built.texts("entities", gene("990401"), LABEL) == {"FIRST"}
    assert built.texts("entities", gene("990401"), schema("taxonomicRange")) == {
        "http://purl.obolibrary.org/obo/NCBITaxon_9606"
    }
    assert built.account("gene-rows") == {"read": 3, "emitted": 1, "rejected": 2}


def of_file(built: Build, name: str) -> list[Problem]:
    return [problem for problem in built.rejected if problem["file"] == f"_data/PMC9002701__{name}.tsv"]


def test_a_table_without_a_needed_column_is_refused_whole() -> None:
    built = case("bad-tables")
    problems = of_file(built, "header-genes")
    assert {problem["code"] for problem in problems} == {"bad-header"}
    assert {problem["kind"] for problem in problems} == {"gene-rows"}
    assert not built.mentions("PMC9002701__header")


@pytest.mark.parametrize("name", ["header", "headeronly", "empty", "latin"])
def test_a_figure_stays_whatever_its_table(name: str) -> None:
    built = case("bad-tables")
    assert built.texts("core", figure(f"PMC9002701__{name}"), schema("name")) == {"Example figure"}


def test_a_header_without_rows_is_no_fault() -> None:
    assert of_file(case("bad-tables"), "headeronly-genes") == []


def test_a_row_that_is_not_utf8_is_refused() -> None:
    built = case("bad-tables")
    assert "not-utf8" in {problem["code"] for problem in of_file(built, "latin-chemicals")}
    assert built.account("chemical-rows")["rejected"] >= 1
    assert [t for t in built.triples() if "caf" in str(t.object)] == []


def test_the_rows_of_a_bad_header_are_counted() -> None:
    assert case("bad-tables").account("gene-rows") == {"read": 2, "rejected": 2}


@pytest.mark.parametrize("form", ["permuted", "ten", "extra"])
def test_columns_go_by_name(form: str) -> None:
    built = case("columns")
    figid = f"PMC9002801__{form}"
    (found,) = built.mentions(figid, "p53", "gene")
    assert found == mention_iri(figid, "gene", "p53", "P53", "ncbigene_synonym")
    assert built.objects("evidence", found, BODY) == {gene("7157")}
    assert built.objects("evidence", found, dcterms("source")) == {pfd("lexicon", "ncbigene_synonym")}
    assert built.texts("entities", gene("7157"), LABEL) == {"TP53"}


def test_an_unknown_column_is_kept_in_compat() -> None:
    built = case("columns")
    figid = "PMC9002801__extra"
    assert built.texts("compat", built.mention(figid, "p53"), pfocr("variant")) == {"ocr_score@7157=high"}
    assert built.texts("compat", built.mention(figid, "sugar"), pfocr("variant")) == {"ocr_score=low"}


def test_an_unknown_column_is_warned() -> None:
    warned = case("columns").warned("unknown-column")
    assert {problem["file"] for problem in warned} == {
        "_data/PMC9002801__extra-genes.tsv",
        "_data/PMC9002801__extra-chemicals.tsv",
    }


@pytest.mark.parametrize("form", ["lf", "crlf", "bom", "both", "unended"])
def test_line_ends_and_byte_order_mark_change_nothing(form: str) -> None:
    built = case("table-line-ends")
    figid = f"PMC9002901__{form}"
    assert built.mentions(figid) == {
        mention_iri(figid, "gene", "p53", "P53", "ncbigene_synonym"),
        mention_iri(figid, "gene", "Akt", "AKT", "famplex_relations"),
        mention_iri(figid, "chemical", "sugar", "Glucose", "glucose", "MESH:D005947", "CHEBI:17234"),
    }
    assert built.linked("links-genes-synonym", figid) == {gene("7157").value}
    assert built.linked("links-genes-family", figid) == {gene("207").value}
    assert built.objects("evidence", built.mention(figid, "sugar"), dcterms("relation")) == {chebi("17234")}


def test_line_ends_leave_no_problem() -> None:
    built = case("table-line-ends")
    assert built.rejected == ()
    assert built.account("gene-rows") == {"read": 10, "emitted": 10}
