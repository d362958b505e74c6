"""Keywords as genes: only for records that came without tables, only as far as organisms and a lexicon allow."""

from __future__ import annotations

import gzip
import shutil
import tempfile
from functools import cache
from pathlib import Path

import pytest

from tests.blackbox import (
    FIXTURES,
    LABEL,
    TYPE,
    Build,
    case,
    figure,
    gene,
    pfd,
    run,
    schema,
    taxon,
)

LEXICON = FIXTURES / "gene-info" / "gene_info.tsv"
GENE_LINKS = ("links-genes-symbol", "links-genes-synonym", "links-genes-family")


@cache
def with_lexicon(name: str, *, packed: bool = False) -> Build:
    """Build a fixture with `--gene-info`, the list plain or packed."""
    with tempfile.TemporaryDirectory() as folder:
        lexicon = Path(folder, "gene_info.gz" if packed else "gene_info")
        if packed:
            lexicon.write_bytes(gzip.compress(LEXICON.read_bytes()))
        else:
            shutil.copyfile(LEXICON, lexicon)
        built = run(FIXTURES / name, Path(folder, "out"), "--gene-info", str(lexicon))
    assert built.exit_code == 0, built.output
    built.check_accounts()
    return built


def gene_links(built: Build, figid: str) -> set[str]:
    return set().union(*(built.linked(layer, figid) for layer in GENE_LINKS))


@pytest.mark.parametrize("symbol", ["abc1a", "f11x.1"])
def test_with_one_organism_keywords_are_genes_known_by_symbol(symbol: str) -> None:
    built = case("keywords-one-organism")
    node = pfd("symbol", "7955", symbol)
    assert node.value in built.linked("links-genes-symbol", "PMC9007001__f")
    assert built.objects("entities", node, TYPE) == {schema("Gene")}
    assert built.texts("entities", node, LABEL) == {symbol}
    assert built.objects("entities", node, schema("taxonomicRange")) == {taxon("7955")}


def test_genes_known_by_symbol_have_no_mention_and_no_guessed_id() -> None:
    built = case("keywords-one-organism")
    assert not built.mentions("PMC9007001__f")
    assert len(gene_links(built, "PMC9007001__f")) == 2
    assert [t for t in built.triples() if "ncbigene/" in str(t.object) and t.subject == figure("PMC9007001__f")] == []


def test_such_keywords_still_stand_in_compat() -> None:
    built = case("keywords-one-organism")
    assert built.texts("compat", figure("PMC9007001__f"), schema("keywords")) == {"abc1a", "f11x.1"}


def test_a_keyword_is_trimmed_and_one_that_says_nothing_is_no_gene(tmp_path: Path) -> None:
    text = (FIXTURES / "keywords-one-organism" / "PMC9007001__f.md").read_text(encoding="utf-8")
    record = tmp_path / "PMC9007001__f.md"
    keywords = "  keywords:\n  - 'abc1a '\n  - '  '\n  - NA\n  - unknown\n"
    record.write_text(text.replace("  - abc1a\n", "").replace("  keywords:\n", keywords), encoding="utf-8")
    for options in ([], ["--gene-info", str(LEXICON)]):
        built = run(record, tmp_path / "out", *options)
        linked = {iri.rpartition("/")[2] for iri in built.linked("links-genes-symbol", "PMC9007001__f")}
        assert linked == ({"992005"} if options else {"abc1a", "f11x.1"}), options


def test_a_lone_record_is_a_source_too(tmp_path: Path) -> None:
    record = FIXTURES / "keywords-one-organism" / "PMC9007001__f.md"
    built = run(record, tmp_path / "out")
    assert built.exit_code == 0, built.output
    assert built.linked("links-genes-symbol", "PMC9007001__f") == {
        pfd("symbol", "7955", symbol).value for symbol in ("abc1a", "f11x.1")
    }


def test_with_two_organisms_keywords_stay_keywords() -> None:
    built = case("keywords-two-organisms")
    assert gene_links(built, "PMC9007101__f") == set()
    keywords = {"ABC1", "Abc1", "TWIN1", "glucose"}
    assert built.texts("compat", figure("PMC9007101__f"), schema("keywords")) == keywords
    assert {problem["value"] for problem in built.warned("unclassified-keyword")} == keywords
    assert not [t for t in built.triples() if t.object == schema("Gene")]


def test_without_organism_keywords_stay_keywords() -> None:
    built = case("keywords-no-organism")
    assert gene_links(built, "PMC9007201__f") == set()
    assert built.texts("compat", figure("PMC9007201__f"), schema("keywords")) == {"glucose", "lactate"}
    assert not [t for t in built.triples() if t.object == schema("Gene")]


@pytest.mark.parametrize("packed", [False, True])
def test_a_lexicon_gives_real_ids(packed: bool) -> None:
    built = with_lexicon("keywords-two-organisms", packed=packed)
    found = gene_links(built, "PMC9007101__f")
    assert {iri for iri in found if "ncbigene" in iri} == {gene("992001").value, gene("992002").value}
    assert built.texts("entities", gene("992001"), LABEL) == {"ABC1"}
    assert built.objects("entities", gene("992001"), schema("taxonomicRange")) == {taxon("9606")}
    assert built.objects("entities", gene("992002"), schema("taxonomicRange")) == {taxon("10090")}


def test_a_symbol_of_two_genes_is_not_guessed() -> None:
    built = with_lexicon("keywords-two-organisms")
    (warned,) = built.warned("ambiguous-keyword")
    assert warned["value"] == "TWIN1"
    assert not gene_links(built, "PMC9007101__f") & {gene("992003").value, gene("992004").value}


def test_a_gene_of_another_organism_is_none() -> None:
    built = with_lexicon("keywords-two-organisms")
    assert "glucose" in {problem["value"] for problem in built.warned("unclassified-keyword")}
    assert gene("992006").value not in gene_links(built, "PMC9007101__f")


def test_with_a_lexicon_what_it_does_not_know_is_no_gene() -> None:
    built = with_lexicon("keywords-one-organism")
    assert gene_links(built, "PMC9007001__f") == {gene("992005").value}
    assert {problem["value"] for problem in built.warned("unclassified-keyword")} == {"f11x.1"}


@pytest.mark.parametrize("name", ["keywords-checkout", "keywords-inline"])
@pytest.mark.parametrize("given", [False, True])
def test_where_tables_or_lists_exist_keywords_are_never_genes(name: str, given: bool) -> None:
    built = with_lexicon(name) if given else case(name)
    symbols = [t for t in built.triples() if "/pfocr/symbol/" in str(t) or "ncbigene/9920" in str(t)]
    assert symbols == []
    assert not built.warned("unclassified-keyword")


def test_a_missing_table_in_a_checkout_means_no_rows() -> None:
    built = case("keywords-checkout")
    assert gene_links(built, "PMC9007301__f") == set()
    assert built.texts("compat", figure("PMC9007301__f"), schema("keywords")) == {"ABC1"}
