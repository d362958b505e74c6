"""Gene sets of figures: the site's rule, from the graph alone, as loaders of GMT read them."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import gseapy.parser
import pytest
import yaml

from benchmarks import common
from tests.exporting import CORPUS, EXAMPLE, GRAPHS, answers, call, export, last, lines, linked, made
from tests.support import SEEDS

STRICT = {"ncbigene_symbol", "hgnc_symbol"}
"""Lexicons of current symbols."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gmt")


@pytest.fixture(scope="module")
def example(folder: Path) -> Path:
    return made(folder, "example")


@pytest.fixture(scope="module")
def corpus(folder: Path) -> Path:
    return made(folder, "corpus")


def sets(path: Path) -> dict[str, set[str]]:
    found = {cells[0]: set(cells[2:]) for cells in lines(path)}
    assert len(found) == len(lines(path)), "a name stands there twice"
    return found


def test_the_example_gives_these_sets(example: Path, tmp_path: Path) -> None:
    assert export("gmt", example, tmp_path / "out.gmt") == {"figures": 4, "sets": 5, "genes": 19}
    assert lines(tmp_path / "out.gmt") == [
        ["PMC9100002__F1_9606", "A T cell and a keratinocyte keep the plaque going", "CCL20", "IL17A", "STAT3", "TNF"],
        ["PMC9100002__F1_10090", "A T cell and a keratinocyte keep the plaque going", "Il17a", "Il6", "Stat3", "Tnf"],
        ["PMC9100002__F2_9606", "Where a JAK inhibitor cuts the signal of interleukin 6", "MYC", "SOCS3", "STAT3"],
        ["PMC9100003__F2_9606", "Two ways for glucose into a muscle cell", "GSK3B", "INSR", "IRS1"],
        [
            "PMC9100004__F2_9606",
            "Mitochondria decide over the death of a cell",
            "APAF1",
            "BAX",
            "CASP3",
            "CASP9",
            "REST",
        ],
    ]


def test_sets_of_one_organism_bear_the_alias_alone_and_ids_stand_by_number(example: Path, tmp_path: Path) -> None:
    export("gmt", example, tmp_path / "out.gmt", "--organism", 10090, "--ids", "ncbigene")
    assert [cells[:1] + cells[2:] for cells in lines(tmp_path / "out.gmt")] == [
        ["PMC9100002__F1", "16171", "16193", "20848", "21926"]
    ]


def test_an_organism_is_a_taxonomy_id(example: Path, tmp_path: Path) -> None:
    said = call("export", "gmt", example, "--out", tmp_path / "out.gmt", "--organism", "human", code=2)
    assert "--organism 'human': a taxonomy id is a positive whole number" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("level", GRAPHS)
@pytest.mark.parametrize("minimum", [1, 3])
@pytest.mark.parametrize("name", ["example", "corpus"])
def test_sets_are_what_sparql_finds(
    name: str, level: str, minimum: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    build = request.getfixturevalue(name)
    wanted: dict[str, set[str]] = defaultdict(set)
    pattern = f"{linked(level)} ?gene schema:taxonomicRange ?taxon . ?figure dcterms:identifier ?figid"
    found = answers(
        build, f"SELECT ?figid ?alias ?taxon ?gene {{ {pattern} OPTIONAL {{ ?figure schema:alternateName ?alias }} }}"
    )
    for figid, alias, taxon, gene in found:
        wanted[f"{alias or figid}_{last(taxon).removeprefix('NCBITaxon_')}"].add(last(gene))
    wanted = {key: genes for key, genes in wanted.items() if len(genes) >= minimum}
    export("gmt", build, tmp_path / "out.gmt", "--ids", "ncbigene", "--level", level, "--min-genes", minimum)
    assert wanted
    assert sets(tmp_path / "out.gmt") == wanted


def test_a_level_holds_those_before_it(corpus: Path, tmp_path: Path) -> None:
    found = []
    for level in GRAPHS:
        export("gmt", corpus, tmp_path / f"{level}.gmt", "--level", level, "--min-genes", 1)
        found.append(sets(tmp_path / f"{level}.gmt"))
    for less, more in pairwise(found):
        assert all(genes <= more[name] for name, genes in less.items())
        assert sum(map(len, less.values())) < sum(map(len, more.values()))


def from_tables(source: Path) -> dict[str, set[str]]:
    """The site's rule on a source's own tables and inline lists: `figid_taxon` to symbols, three at least."""
    symbols: dict[str, Counter[str]] = defaultdict(Counter)
    taxa: dict[str, Counter[str]] = defaultdict(Counter)
    hits: dict[str, set[str]] = defaultdict(set)
    figids = {}
    for path in (source / "_figures").iterdir():
        front = yaml.load(path.read_text(encoding="utf-8").split("---\n")[1], yaml.CBaseLoader)  # noqa: S506 - our own
        figids[front["figid"]] = front.get("figid_alias") or front["figid"]
        seen = set()
        for item in front.get("genes") or []:
            gene = item["entrez"]
            said = (item["word"], item["symbol"], item["source"], gene)
            if gene.isdecimal() and said not in seen:
                seen.add(said)
                symbols[gene][item["hgnc_symbol"]] += 1
                taxa[gene]["9606"] += 1
                if item["source"] in STRICT:
                    hits[front["figid"]].add(gene)
    for path in (source / "_data").glob("*-genes.tsv"):
        figid = path.name.removesuffix("-genes.tsv")
        seen = set()
        for row in csv.DictReader(path.read_text(encoding="utf-8").split("\n"), delimiter="\t", quoting=csv.QUOTE_NONE):
            gene = row["ncbigene_id"] or ""
            said = (row["word"], row["match"], row["source"], gene)
            if not row.get("source") or not gene.isdecimal() or figid not in figids or said in seen:
                continue
            seen.add(said)
            symbols[gene][row["ncbigene_symbol"]] += 1
            taxa[gene][row["organism_id"]] += 1
            if row["source"] in STRICT:
                hits[figid].add(gene)
    wanted: dict[str, set[str]] = defaultdict(set)
    for figid, genes in hits.items():
        for gene in genes:
            wanted[f"{figids[figid]}_{commonest(taxa[gene])}"].add(commonest(symbols[gene]))
    return {name: found for name, found in wanted.items() if len(found) >= 3}


def commonest(votes: Counter[str]) -> str:
    """The commonest value; of several the first by code point."""
    return min(votes, key=lambda value: (-votes[value], value))


@pytest.mark.parametrize("name", ["example", "corpus"])
def test_sets_are_those_of_the_tables(name: str, folder: Path, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    build = request.getfixturevalue(name)
    wanted = from_tables(EXAMPLE if name == "example" else folder / "corpus-source")
    export("gmt", build, tmp_path / "out.gmt")
    assert wanted
    assert sets(tmp_path / "out.gmt") == wanted


@pytest.mark.slow
def test_sets_of_a_larger_corpus_are_those_of_its_tables(tmp_path: Path) -> None:
    source = common.corpus(2000)
    call("-q", "build", source, "--out", tmp_path / "build")
    export("gmt", tmp_path / "build", tmp_path / "out.gmt")
    wanted = from_tables(source)
    assert len(wanted) > 1000
    assert sets(tmp_path / "out.gmt") == wanted


@pytest.mark.parametrize("name", ["example", "corpus", "hostile"])
def test_gseapy_reads_the_same_sets(name: str, folder: Path, tmp_path: Path) -> None:
    build = folder / name
    if not build.exists():
        made(folder, name)
    out = tmp_path / "out.gmt"
    counts = export("gmt", build, out, "--organism", 9606)
    read = {key: set(genes) for key, genes in gseapy.parser.read_gmt(str(out)).items()}
    assert read == sets(out)
    assert len(read) == counts["sets"] > 0


def test_titles_and_aliases_cannot_break_a_line(folder: Path, tmp_path: Path) -> None:
    if not (folder / "hostile").exists():
        made(folder, "hostile")
    export("gmt", folder / "hostile", tmp_path / "out.gmt")
    title = "A title \"in quotes\" of 'two' lines and more | </script>"
    genes = ["A\\B", 'T"P|53', "\u0394'Np63"]
    assert lines(tmp_path / "out.gmt") == [[f"PMC910000{n}__F 1_9606", title, *genes] for n in (1, 2)]


def test_figures_that_share_an_alias_are_called_by_figid(tmp_path: Path) -> None:
    folder = tmp_path / "source" / "_figures"
    folder.mkdir(parents=True)
    for path in (Path(__file__).parent / "fixtures" / "aliases" / "_figures").iterdir():
        gene = "{word: A, symbol: A, source: hgnc_symbol, hgnc_symbol: A, entrez: '1'}"
        text = path.read_text(encoding="utf-8").removesuffix("---\n")
        (folder / path.name).write_text(f"{text}genes:\n- {gene}\n---\n", encoding="utf-8")
    call("-q", "build", tmp_path / "source", "--out", tmp_path / "build")
    export("gmt", tmp_path / "build", tmp_path / "out.gmt", "--min-genes", 1)
    assert [cells[0] for cells in lines(tmp_path / "out.gmt")] == ["PMC9004601__a_9606", "PMC9004601__b_9606"]


def test_genes_known_by_symbol_alone_have_no_id(tmp_path: Path) -> None:
    call("-q", "build", SEEDS, "--out", tmp_path / "build")
    build = tmp_path / "build"
    assert export("gmt", build, tmp_path / "symbols.gmt", "--min-genes", 1)["genes"] > 0
    assert export("gmt", build, tmp_path / "ids.gmt", "--min-genes", 1, "--ids", "ncbigene")["genes"] == 0


def test_the_corpus_is_as_large_as_said(corpus: Path, folder: Path) -> None:
    assert corpus.is_dir()
    assert len(list((folder / "corpus-source" / "_figures").iterdir())) == CORPUS
