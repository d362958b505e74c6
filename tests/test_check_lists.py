"""Checks against lists of other authorities: what they name is found, and without the list they are not run."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from pfocr_rdf.errors import UsageError
from pfocr_rdf.validation.checks import all_checks
from pfocr_rdf.validation.options import Options
from pfocr_rdf.validation.release import Release
from tests.releases import EXAMPLE, built, check, findings

HISTORY = "#tax_id\tGeneID\tDiscontinued_GeneID\tDiscontinued_Symbol\tDiscontinue_Date\n"
INFO = "#tax_id\tGeneID\tSymbol\tLocusTag\n"
GENE = "https://identifiers.org/ncbigene/7157"
PAPER = "https://identifiers.org/pmc/PMC9100001"
DOI = "10.5555/jeas.2023.0045"


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return built(EXAMPLE, tmp_path_factory.mktemp("example") / "build")


def given(needed: str, path: Path) -> Options:
    """Options with one list, or a source."""
    values: dict[str, Any] = {needed.replace("-", "_"): path}
    return Options(**values)


def asked(name: str, release: Release, folder: Path, text: str, *, zipped: bool = False) -> set[tuple[str, str, str]]:
    """What a check finds with a list of this text: focus, value, message."""
    path = folder / "list"
    path.write_bytes(gzip.compress(text.encode()) if zipped else text.encode())
    options = given(check(name).needs, path)
    return {finding[:3] for finding in findings(name, release, options)}


@pytest.mark.parametrize("name", ["Q19", "Q20", "Q21", "Q26", "Q40", "Q42", "Q43"])
def test_a_check_says_what_it_needs_from_outside(name: str) -> None:
    [needed] = [check.needs for check in all_checks() if check.id == name]
    assert Options().lacking(needed) == [f"--{needed}"]
    assert given(needed, Path("list")).lacking(needed) == []


@pytest.mark.parametrize("zipped", [False, True])
def test_withdrawn_and_replaced_genes_are_found(zipped: bool, example: Release, tmp_path: Path) -> None:
    text = f"{HISTORY}9606\t-\t4193\tMDM2\t20200101\n9606\t99\t7157\tTP53\t20200101\n9606\t-\t1\tA\t20200101\n"
    assert asked("Q19", example, tmp_path, text, zipped=zipped) == {
        ("https://identifiers.org/ncbigene/4193", "", "the id was withdrawn"),
        (GENE, "https://identifiers.org/ncbigene/99", "the id was replaced"),
    }
    assert not asked("Q19", example, tmp_path, f"{HISTORY}9606\t7157\t1\tA\t20200101\n", zipped=zipped)


def test_symbols_of_another_day_are_found(example: Release, tmp_path: Path) -> None:
    text = f"{INFO}9606\t7157\tP53\t-\n9606\t4193\tMDM2\t-\n9606\t1\tA1BG\t-\n"
    assert asked("Q43", example, tmp_path, text) == {(GENE, "TP53", "NCBI's symbol is P53")}
    assert not asked("Q43", example, tmp_path, text.replace("P53", "TP53"), zipped=True)


def test_retired_terms_are_found(example: Release, tmp_path: Path) -> None:
    text = "# of 2025\nMESH:D000255\tMESH:D1\nchebi:15422\t\nDOID:8893\tDOID:1\nMESH:D999999\n"
    assert asked("Q20", example, tmp_path, text) == {
        ("http://id.nlm.nih.gov/mesh/D000255", "http://id.nlm.nih.gov/mesh/D1", "the id was replaced"),
        ("http://purl.obolibrary.org/obo/CHEBI_15422", "", "the id was withdrawn"),
        (
            "http://purl.obolibrary.org/obo/DOID_8893",
            "http://purl.obolibrary.org/obo/DOID_1",
            "the id was replaced",
        ),
    }
    assert not asked("Q20", example, tmp_path, "MESH:D999999\n")


RETRACTIONS = {
    "lines": ("PMC1\nPMC9100001\n", "PMC1\n"),
    "doi": (f"https://doi.org/{DOI.upper()}\n", "10.1234/other\n"),
    "pmc-ids": (
        f"Journal Title,DOI,PMCID,PMID\nJ,{DOI},PMC9100001,\n",
        f"Journal Title,DOI,PMCID,PMID\nJ,{DOI}9,PMC1,\n",
    ),
    "file-list": (
        'Article File,Article Citation,Accession ID,PMID,License,Retracted\na,"J, 1",PMC9100001,,CC0,yes\n',
        'Article File,Article Citation,Accession ID,PMID,License,Retracted\na,"J, 1",PMC9100001,,CC0,no\n',
    ),
    "retraction-watch": (
        f'Record ID,Title,RetractionDOI,OriginalPaperDOI,RetractionNature\n1,"A, B",10.1/r,{DOI},Retraction\n',
        f'Record ID,Title,RetractionDOI,OriginalPaperDOI,RetractionNature\n1,"A, B",10.1/r,{DOI},Correction\n',
    ),
}


@pytest.mark.parametrize("form", RETRACTIONS)
def test_retracted_papers_are_found_in_each_form_of_list(form: str, example: Release, tmp_path: Path) -> None:
    named, others = RETRACTIONS[form]
    assert {focus for focus, _, _ in asked("Q26", example, tmp_path, named)} == {PAPER}
    assert {focus for focus, _, _ in asked("Q26", example, tmp_path, f"\ufeff{named}", zipped=True)} == {PAPER}
    assert not asked("Q26", example, tmp_path, others)


def test_plain_words_are_found(example: Release, tmp_path: Path) -> None:
    found = asked("Q42", example, tmp_path, "rest\ncold\nwater\nplaque\nat\nJak\n")
    assert {(value, message) for _, value, message in found} == {
        ("cold", "1 mentions"),
        ("rest", "1 mentions"),
        ("plaque", "1 mentions"),
    }
    assert all(focus.startswith("https://w3id.org/pfocr/mention/") for focus, _, _ in found)
    assert not asked("Q42", example, tmp_path, "water\n")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("Q19", "GeneID\n", "does not name Discontinued_GeneID"),
        ("Q43", "a list\n", "does not name GeneID, Symbol"),
        ("Q20", "MESH:D1\tMESH:D2\nUMLS:C1\n", "line 2"),
        ("Q20", "MESH:D1\tUMLS:C1\n", "line 1"),
        ("Q26", "PMC1\nnot an id\n", "line 2"),
    ],
)
def test_a_list_of_another_form_is_one_line(name: str, text: str, words: str, example: Release, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words):
        asked(name, example, tmp_path, text)


@pytest.mark.parametrize("name", ["Q19", "Q20", "Q26", "Q42", "Q43"])
def test_a_list_that_is_not_there_is_one_line(name: str, example: Release, tmp_path: Path) -> None:
    options = given(check(name).needs, tmp_path / "gone")
    with pytest.raises(UsageError, match="gone: cannot be read"):
        findings(name, example, options)
