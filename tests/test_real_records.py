"""What real records must give, worked out by hand from their files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.blackbox import BODY, LABEL, Build, dcterms, figure, gene, pfd, pfocr, run, schema, taxon
from tests.support import SEEDS

SEED = "PMC7757046__ijbsv17p0204g001"
ZEBRAFISH = ("il6", "il6r", "il6st", "stat3", "cldn10e", "mapk8b", "f11r.1")
MENTIONS = schema("mentions")


def lone(shared: Path, figid: str, tmp_path: Path) -> Build:
    """The build of one record alone, without its tables."""
    source = tmp_path / "source"
    source.mkdir()
    shutil.copy(shared / "records" / "latest" / "_figures" / f"{figid}.md", source)
    return run(source, tmp_path / "build")


def test_the_lone_seed_has_its_seven_zebrafish_genes(tmp_path: Path) -> None:
    built = run(SEEDS, tmp_path / "build")
    genes = {pfd("symbol", "7955", symbol) for symbol in ZEBRAFISH}
    assert built.objects("links-genes-symbol", figure(SEED), MENTIONS) == genes
    for node in genes:
        assert built.objects("entities", node, schema("taxonomicRange")) == {taxon("7955")}
    assert built.texts("core", figure(SEED), pfocr("geneCount")) == {"7"}
    assert built.manifest["counts"]["mentions"] == 0


@pytest.mark.parametrize("figid", ["PMC6365454__fnins-13-00025-g0002", "PMC100028__ii1110348001"])
def test_chemical_words_never_become_genes(shared: Path, tmp_path: Path, figid: str) -> None:
    built = lone(shared, figid, tmp_path)
    assert built.manifest["counts"]["figures"] == 1
    assert built.manifest["counts"]["genes"] == 0
    assert list(built.triples("links")) == []
    keywords = built.texts("compat", figure(figid), schema("keywords"))
    assert {"glucose", "Glucose"} <= keywords


def test_unclassified_keywords_are_reported(shared: Path, tmp_path: Path) -> None:
    built = lone(shared, "PMC6365454__fnins-13-00025-g0002", tmp_path)
    said = {found["value"] for found in built.warned("unclassified-keyword")}
    assert said == built.texts("compat", figure("PMC6365454__fnins-13-00025-g0002"), schema("keywords"))


@pytest.mark.parametrize(
    ("generation", "figures", "genes", "chemicals", "diseases"),
    [("2021", 8, 86, 27, 1), ("2023", 7, 228, 0, 0), ("latest", 15, 256, 43, 4)],
)
def test_all_rows_of_each_generation_are_read(
    shared: Path, tmp_path: Path, generation: str, figures: int, genes: int, chemicals: int, diseases: int
) -> None:
    built = run(shared / "records" / generation, tmp_path / "build")
    accounts = built.manifest["accounts"]
    assert built.rejected == ()
    assert accounts["records"]["emitted"] == figures
    kinds = ("gene-rows", "chemical-rows", "disease-rows")
    assert [accounts[kind]["read"] for kind in kinds] == [genes, chemicals, diseases]


def test_an_update_changes_species_and_removes_genes(shared: Path, tmp_path: Path) -> None:
    figid = "PMC100003__mb2410470011"
    old = run(shared / "records" / "2021", tmp_path / "old")
    new = run(shared / "records" / "latest", tmp_path / "new")
    before, after = (built.objects("links", figure(figid), MENTIONS) for built in (old, new))
    assert before
    assert after
    assert not before & after
    assert old.texts("core", figure(figid), pfocr("generation")) == {"2021"}
    assert new.texts("core", figure(figid), pfocr("generation")) == {"2024"}


def test_off_and_on_are_genes(shared: Path, tmp_path: Path) -> None:
    built = run(shared / "records" / "latest", tmp_path / "build")
    genes = built.objects("links", figure("PMC10036729__gr6"), MENTIONS)
    labels = {text for node in genes for text in built.texts("entities", node, LABEL)}
    assert {"Off", "On"} <= labels


def test_a_row_without_gene_is_a_mention_without_body(shared: Path, tmp_path: Path) -> None:
    built = run(shared / "records" / "2023", tmp_path / "build")
    assert built.manifest["accounts"]["gene-rows"]["unresolved"] == 1
    named = built.mentions("PMC10033690__41598_2023_31603_Fig1_HTML", "COX")
    (mention,) = (node for node in named if not built.objects("evidence", node, BODY))
    assert built.objects("evidence", mention, dcterms("source")) == {pfd("lexicon", "famplex_relations")}
    assert gene("NA") not in {triple.object for triple in built.triples()}
