"""Words and pairs: counted right, as SPARQL counts them; cells that cannot break a line; sorting on disk."""

from __future__ import annotations

import errno
import json
import os
import random
import re
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path

import pytest

from pfocr_rdf.errors import PfocrError, UsageError
from pfocr_rdf.export import tsv
from pfocr_rdf.export.pairs import Table
from tests.exporting import GRAPHS, answers, call, export, last, lines, linked, made, rows

KINDS = {"gene-chemical": "links-chemicals", "gene-disease": "links-diseases"}


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("example"), "example")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("corpus"), "corpus")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("hostile"), "hostile")


# words


def test_the_most_ambiguous_words_of_the_example_come_first(example: Path, tmp_path: Path) -> None:
    assert export("words", example, tmp_path / "words.tsv", "--max-genes", 3) == {"mentions": 42, "words": 35}
    assert lines(tmp_path / "words.tsv")[:5] == [
        ["word", "genes", "organisms", "genes_of_one_organism", "figures", "lexicons", "gene_ids", "gene_labels"],
        [
            "AMPK",
            "7",
            "1",
            "7",
            "1",
            "famplex_relations=6|ncbigene_synonym=1",
            "NCBIGene:51422|NCBIGene:53632|NCBIGene:5562",
            "PRKAG2|PRKAG3|PRKAA1",
        ],
        [
            "NF-kB",
            "5",
            "1",
            "5",
            "1",
            "famplex_relations=4|ncbigene_synonym=1",
            "NCBIGene:4790|NCBIGene:4791|NCBIGene:5966",
            "NFKB1|NFKB2|REL",
        ],
        [
            "JAK",
            "4",
            "1",
            "4",
            "1",
            "famplex_relations=4",
            "NCBIGene:3716|NCBIGene:3717|NCBIGene:3718",
            "JAK1|JAK2|JAK3",
        ],
        [
            "p53",
            "3",
            "3",
            "1",
            "2",
            "hgnc_alias_symbol=1|ncbigene_synonym=3",
            "NCBIGene:22059|NCBIGene:30590|NCBIGene:7157",
            "Trp53|tp53|TP53",
        ],
    ]


WORDS = """
SELECT ?word (COUNT(DISTINCT ?gene) AS ?genes) (COUNT(DISTINCT ?taxon) AS ?taxa) (COUNT(DISTINCT ?figure) AS ?figures) {
  GRAPH <https://w3id.org/pfocr/graph/evidence-genes> { ?mention pfocr:word ?word ; oa:hasTarget ?figure }
  OPTIONAL { ?mention oa:hasBody ?gene . ?gene schema:taxonomicRange ?taxon }
} GROUP BY ?word
"""
USES = """
SELECT DISTINCT ?word ?lexicon ?gene ?taxon {
  GRAPH <https://w3id.org/pfocr/graph/evidence-genes> {
    ?mention pfocr:word ?word ; oa:hasBody ?gene ; dcterms:source ?lexicon }
  ?gene schema:taxonomicRange ?taxon
}
"""


@pytest.mark.parametrize("name", ["example", "corpus"])
def test_words_are_what_sparql_finds(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    build = request.getfixturevalue(name)
    export("words", build, tmp_path / "words.tsv", "--min-genes", 0, "--max-genes", 100)
    found = rows(tmp_path / "words.tsv")
    counted = {(row["word"], row["genes"], row["organisms"], row["figures"]) for row in found}
    assert counted == set(answers(build, WORDS))
    by_lexicon: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    by_taxon: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for word, lexicon, gene, taxon in answers(build, USES):
        by_lexicon[word][last(lexicon)].add(gene)
        by_taxon[word][taxon].add(gene)
    for row in found:
        if row["genes"] == "0":
            continue
        lexicons = {name: str(len(genes)) for name, genes in by_lexicon[row["word"]].items()}
        assert dict(item.split("=") for item in row["lexicons"].split("|")) == lexicons
        assert row["genes_of_one_organism"] == str(max(map(len, by_taxon[row["word"]].values())))
        assert len(row["gene_ids"].split("|")) == int(row["genes"])
    keys = [(-int(row["genes"]), -int(row["figures"]), row["word"]) for row in found]
    assert keys == sorted(keys)


def test_words_with_fewer_genes_are_left_out(example: Path, tmp_path: Path) -> None:
    assert export("words", example, tmp_path / "words.tsv", "--min-genes", 4)["words"] == 3
    assert export("words", example, tmp_path / "none.tsv", "--min-genes", 99) == {"mentions": 42, "words": 0}
    assert len(lines(tmp_path / "none.tsv")) == 1


def test_words_and_labels_cannot_break_a_line_or_a_list(hostile: Path, tmp_path: Path) -> None:
    export("words", hostile, tmp_path / "words.tsv")
    (row,) = rows(tmp_path / "words.tsv")
    assert row["word"] == 'p 53 |"x"'
    assert (row["genes"], row["figures"]) == ("3", "2")
    assert row["gene_labels"].split("|") == ["A\\B", 'T"P\N{BROKEN BAR}53', "\u0394'Np63"]


# pairs


def counted(build: Path, kind: str, level: str) -> dict[tuple[str, str], set[str]]:
    """Figures by pair, as SPARQL finds them."""
    figures: dict[str, set[str]] = defaultdict(set)
    for gene, figure in answers(build, f"SELECT DISTINCT ?gene ?figure {{ {linked(level)} }}"):
        figures[figure].add(gene)
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    if kind == "gene-gene":
        for figure, genes in figures.items():
            for pair in combinations(sorted(genes), 2):
                found[pair].add(figure)
        return found
    graph = f"https://w3id.org/pfocr/graph/{KINDS[kind]}"
    for figure, other in answers(
        build, f"SELECT ?figure ?other {{ GRAPH <{graph}> {{ ?figure schema:mentions ?other }} }}"
    ):
        for gene in figures.get(figure, ()):
            found[gene, other].add(figure)
    return found


def curie(iri: str) -> str:
    return last(iri).replace("CHEBI_", "CHEBI:").replace("DOID_", "DOID:")


@pytest.mark.parametrize("level", GRAPHS)
@pytest.mark.parametrize("name", ["example", "corpus"])
def test_pairs_are_what_sparql_finds(name: str, level: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    build = request.getfixturevalue(name)
    counts = export("pairs", build, tmp_path / "out", "--level", level, "--min-figures", 1, "--max-genes", 9999)
    labels = {
        iri: (label, last(taxon).removeprefix("NCBITaxon_"))
        for iri, label, taxon in answers(
            build,
            "SELECT ?thing ?label ?taxon { ?thing dcterms:identifier ?id "
            "OPTIONAL { ?thing rdfs:label ?label } OPTIONAL { ?thing schema:taxonomicRange ?taxon } }",
        )
    }
    assert counts["figures_left_out"] == 0
    for kind in ("gene-gene", *KINDS):
        wanted = []
        for (first, second), figures in sorted(counted(build, kind, level).items()):
            figids = sorted(last(figure).removesuffix(".html") for figure in figures)
            papers = {figid.partition("__")[0] for figid in figids}
            cells = [(f"NCBIGene:{last(first)}", *labels[first])]
            prefix = "NCBIGene:" if "ncbigene" in second else "MESH:" if "mesh" in second else ""
            cells.append((prefix + curie(second), *labels[second]))
            wanted.append([*cells[0], *cells[1], str(len(figids)), str(len(papers)), set(figids)])
        found = [[*cells[:8], set(cells[8].split("|"))] for cells in lines(tmp_path / "out" / f"{kind}.tsv")[1:]]
        assert found == wanted
        assert counts[f"{kind.replace('-', '_')}_pairs"] == len(wanted)


def test_pairs_list_so_many_figures_and_count_all(corpus: Path, tmp_path: Path) -> None:
    options = ("--level", "family", "--min-figures", 2)
    export("pairs", corpus, tmp_path / "all", *options)
    export("pairs", corpus, tmp_path / "one", *options, "--max-figures", 1)
    every, capped = (rows(tmp_path / name / "gene-gene.tsv") for name in ("all", "one"))
    assert len(every) == len(capped) > 10
    for whole, cut in zip(every, capped, strict=True):
        assert int(whole["figures"]) == len(whole["figids"].split("|")) >= 2
        assert cut == whole | {"figids": whole["figids"].split("|")[0]}


def test_figures_with_too_many_genes_are_left_out_and_counted(corpus: Path, tmp_path: Path) -> None:
    sizes = Counter(figure for _, figure in answers(corpus, f"SELECT ?gene ?figure {{ {linked('family')} }}"))
    middle = sorted(sizes.values())[len(sizes) // 2]
    large = sum(size > middle for size in sizes.values())
    options = ("--level", "family", "--min-figures", 1, "--max-genes", middle)
    counts = export("pairs", corpus, tmp_path / "out", *options)
    assert counts["figures_left_out"] == large > 0
    assert counts["figures"] == len(sizes) - large
    said = json.loads((tmp_path / "out" / "counts.json").read_text(encoding="utf-8"))
    assert said["counts"] == counts
    assert said["settings"]["max_genes"] == middle


def test_pairs_of_one_organism_and_one_kind(corpus: Path, tmp_path: Path) -> None:
    options = ("--organism", 9606, "--kind", "gene-gene", "--min-figures", 1)
    counts = export("pairs", corpus, tmp_path / "out", *options)
    found = rows(tmp_path / "out" / "gene-gene.tsv")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"gene-gene.tsv", "counts.json"}
    assert {row["taxon1"] for row in found} | {row["taxon2"] for row in found} == {"9606"}
    assert counts["gene_gene_pairs"] == len(found)


def test_labels_of_pairs_cannot_break_a_line(hostile: Path, tmp_path: Path) -> None:
    export("pairs", hostile, tmp_path / "out")
    found = rows(tmp_path / "out" / "gene-gene.tsv")
    assert [(row["label1"], row["label2"], row["figures"], row["papers"]) for row in found] == [
        ("A\\B", 'T"P|53', "2", "2"),
        ("A\\B", "\u0394'Np63", "2", "2"),
        ('T"P|53', "\u0394'Np63", "2", "2"),
    ]


def test_a_table_turned_lists_where_each_value_stands() -> None:
    table = Table()
    for values in ([0, 3], [], [3], [1, 3]):
        table.add(values)
    assert [list(found) for found in (table[0], table[1], table[3])] == [[0, 3], [], [1, 3]]
    assert [list(table.turned(4)[value]) for value in range(4)] == [[0], [3], [], [0, 2, 3]]


# files and sorting


@pytest.mark.parametrize("held", [1, 40, 10**6])
def test_sorting_on_disk_is_sorting(held: int, tmp_path: Path) -> None:
    values = [random.Random(1).choice("ab\u00e9\U0001f9ec") * (n % 7) + str(n % 50) for n in range(300)]  # noqa: S311
    with tsv.Sorter(tmp_path, held) as sorter:
        for value in values:
            sorter.add(value)
        assert list(sorter) == sorted(values)
    assert list(tmp_path.iterdir()) == []


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    out = tmp_path / "out.tsv"

    def fail() -> None:
        with tsv.new_file(out) as found:
            found.write("half\n")
            raise ValueError("stopped")

    with pytest.raises(ValueError, match="stopped"):
        fail()
    assert list(tmp_path.iterdir()) == []
    with tsv.new_file(out) as found:
        found.write("whole\n")
    assert out.read_text(encoding="utf-8") == "whole\n"
    with pytest.raises(UsageError, match="is there already"), tsv.new_file(out):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["out.tsv"]


@pytest.mark.parametrize("command", ["gmt", "words", "jsonld --lines", "jsonld", "kgx", "pairs", "records", "ntriples"])
@pytest.mark.parametrize("place", ["/proc/none/out", "x" * 252, "x" * 300, "file/out"])
def test_a_place_that_cannot_be_made_is_a_wrong_call(command: str, place: str, example: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = call("export", *command.split(), example, "--out", tmp_path / place, code=2)
    assert re.search(r": cannot be (made|written) \(", said)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_full_disk_is_no_wrong_call(tmp_path: Path) -> None:
    with pytest.raises(PfocrError, match="out: cannot be written") as caught, tsv.new_file(tmp_path / "out"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_replaced(example: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    for command in ("gmt", "words", "kgx", "pairs", "jsonld"):
        assert "is there already" in call("export", command, example, "--out", tmp_path / "out", code=2)
    assert (tmp_path / "out").read_text(encoding="utf-8") == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
