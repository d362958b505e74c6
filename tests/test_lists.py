"""NCBI's lists: what is kept of them, and what happens when they are something else."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from pfocr_rdf.errors import UsageError
from pfocr_rdf.extract.lists import read_gene_info, read_pmc_ids
from tests.blackbox import paper, run
from tests.support import SEEDS

GENE_INFO = (
    "#tax_id\tGeneID\tSymbol\tLocusTag\tSynonyms\n"
    "7955\t11\til6\t-\tifnb2\n"
    "7955\t12\tlog\t-\t-\n"
    "7955\t9\tlog\t-\t-\n"
    "9606\t13\tIL6\t-\til6\n"
)
PMC_IDS = (
    'Journal Title,ISSN,DOI,PMCID,PMID\n"Int, J",1,10.1/x,PMC7757046,33390787\nx,1,,PMC1,0\nx,1,,PMC2,5\nx,1,,PMC2,7\n'
)


def write(path: Path, text: str) -> Path:
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("name", ["gene_info", "gene_info.gz"])
def test_gene_info_gives_official_symbols_of_the_wanted_species(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, GENE_INFO)
    wanted = {("7955", "il6"), ("7955", "log"), ("7955", "ifnb2"), ("7955", "IL6")}
    assert read_gene_info(path, wanted) == {("7955", "il6"): ("11",), ("7955", "log"): ("9", "12")}


@pytest.mark.parametrize("name", ["PMC-ids.csv", "PMC-ids.csv.gz"])
def test_pmc_ids_give_the_wanted_papers(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, PMC_IDS)
    assert read_pmc_ids(path, {"PMC7757046", "PMC1", "PMC2"}) == {"PMC7757046": ("33390787",), "PMC2": ("5", "7")}


@pytest.mark.parametrize("read", [read_gene_info, read_pmc_ids])
@pytest.mark.parametrize("content", [b"", b"nothing\n", b"\x1f\x8bbroken", b"\xff\xfe\x00"])
def test_what_is_no_list_is_said_in_one_line(tmp_path: Path, read: object, content: bytes) -> None:
    path = tmp_path / "list"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="list") as caught:
        read(path, set())  # type: ignore[operator]
    assert "\n" not in str(caught.value)


def test_pubmed_ids_are_a_layer_of_their_own(tmp_path: Path) -> None:
    listed = write(tmp_path / "PMC-ids.csv.gz", PMC_IDS)
    plain = run(SEEDS, tmp_path / "plain")
    built = run(SEEDS, tmp_path / "build", "--pmc-ids", str(listed))
    (triple,) = built.triples("xrefs-pubmed")
    assert triple.subject == paper("PMC7757046")
    assert str(triple.object) == "<https://identifiers.org/pubmed/33390787>"
    assert "xrefs-pubmed" not in plain.manifest["layers"]
    assert built.manifest["inputs"]["pmc_ids"]["name"] == "PMC-ids.csv.gz"
    assert {name: triples for name, triples in built.layers.items() if name != "xrefs-pubmed"} == plain.layers


def test_a_paper_with_two_pubmed_ids_gets_none(tmp_path: Path) -> None:
    text = PMC_IDS.replace("PMC2", "PMC7757046")
    built = run(SEEDS, tmp_path / "build", "--pmc-ids", str(write(tmp_path / "l.csv", text)))
    assert list(built.triples("xrefs-pubmed")) == []
    assert [found["code"] for found in built.rejected] == ["ambiguous-pmid"]
