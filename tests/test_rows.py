"""What is read or written in a short way is what the plain way gives: tables, rows, blocks of mentions, sayings."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pfocr_rdf import blocks, facts, serialize, terms, vocab
from pfocr_rdf import identifiers as ids
from pfocr_rdf.accounts import Ledger
from pfocr_rdf.errors import Kind
from pfocr_rdf.extract import tables
from pfocr_rdf.extract.records import read_figure
from pfocr_rdf.extract.source import open_source
from pfocr_rdf.extract.tables import COLUMNS, Table
from pfocr_rdf.facts import Fact
from pfocr_rdf.mapping import article, entities, mention
from pfocr_rdf.mapping import figure as figure_mapping
from pfocr_rdf.model import (
    GENE_LINKS,
    LEXICONS,
    SEPARATOR,
    Article,
    Concept,
    Figure,
    GeneMention,
    Layer,
    Level,
    Mention,
    NamedTaxon,
)
from pfocr_rdf.normalize import Context, normalize
from pfocr_rdf.rows import RowReader
from pfocr_rdf.settings import Limits
from tests.blackbox import FIXTURES
from tests.support import SEEDS

LIMITS = Limits()
CASES = sorted(path.name for path in FIXTURES.iterdir() if path.is_dir() and path.name != "gene-info")
TEXT = st.text(
    st.characters(exclude_categories=["Cs"]).filter(
        lambda c: c in "\t\n\r" or (ord(c) >= 32 and c not in "\ufffe\uffff")
    )
    | st.sampled_from('\\"\n\r\t;,. <>^@')
)
GENE_IDS = st.integers(1, 10**12 - 1).map(str)


def figures(source: Path) -> Iterator[Figure]:
    """All figures of a source that are not refused."""
    with open_source(str(source), limits=LIMITS) as snapshot:
        for files in snapshot.records:
            figure = normalize(read_figure(str(snapshot.root), files, LIMITS), Context(), Ledger())
            if figure is not None:
                yield figure


def plain_blocks(figure: Figure) -> list[tuple[Layer, str, str]]:
    return [(layer, subject, serialize.block(subject, pairs)) for layer, (subject, pairs) in mention.describe(figure)]


def check_blocks(figure: Figure) -> None:
    found: list[tuple[Layer, str, str]] = []
    for piece in mention.pieces(figure):
        items = list(blocks.items(piece.data))
        subjects = [subject for subject, _ in items]
        assert subjects == sorted(subjects)
        assert (subjects[0], subjects[-1]) == (piece.first, piece.last)
        found += [(piece.layer, subject, text) for subject, text in items]
    assert sorted(found) == sorted(plain_blocks(figure))


@pytest.mark.parametrize("case", [*CASES, "seeds"])
def test_blocks_of_mentions_are_those_of_their_descriptions(case: str) -> None:
    for figure in figures(SEEDS if case == "seeds" else FIXTURES / case):
        check_blocks(figure)


@pytest.mark.parametrize("generation", ["2021", "2023", "latest"])
def test_blocks_of_real_mentions_are_those_of_their_descriptions(shared: Path, generation: str) -> None:
    seen = 0
    for figure in figures(shared / "records" / generation):
        seen += len(figure.gene_mentions) + len(figure.mentions)
        check_blocks(figure)
    assert seen > 50


NUMBERS = st.integers(0, 999_999).map(str)
CONCEPT_IRIS = NUMBERS.map(ids.chebi) | NUMBERS.map(ids.doid) | NUMBERS.map(lambda n: ids.mesh(f"D{n:>06}"))
SEVERAL = st.lists(TEXT.map(lambda text: f"key={text}"), max_size=3).map(tuple)
HASHES = st.integers(0, 2**48 - 1).map(lambda number: f"{number:012x}")


@st.composite
def made_mentions(draw: st.DrawFn) -> Mention:
    kind = draw(st.sampled_from([Kind.CHEMICAL_ROW, Kind.DISEASE_ROW]))
    return Mention(
        kind,
        f"{kind.value.partition('-')[0]}-{draw(HASHES)}",
        draw(TEXT),
        draw(st.none() | TEXT),
        draw(st.none() | TEXT),
        draw(st.sampled_from(["chemical-mesh", "pubtator-disease"])),
        draw(st.none() | CONCEPT_IRIS),
        draw(st.none() | CONCEPT_IRIS),
        draw(SEVERAL),
    )


@st.composite
def made_gene_mentions(draw: st.DrawFn) -> GeneMention:
    cells = (draw(TEXT), draw(TEXT), draw(st.sampled_from([*LEXICONS])))
    genes = draw(st.lists(GENE_IDS, max_size=4, unique=True))
    unknown = ("NA", draw(st.just("NA") | TEXT), draw(st.integers(1, 10**10 - 1).map(str)))
    return f"gene-{draw(HASHES)}", cells if genes else (*cells, *unknown), dict.fromkeys(genes or [""], "R")


@given(
    st.lists(made_gene_mentions(), max_size=5, unique_by=lambda made: made[0]),
    st.lists(made_mentions(), max_size=5, unique_by=lambda made: made.key),
    SEVERAL,
    st.sampled_from(["f", "f.1", "é&b"]),
)
def test_any_text_in_a_mention_is_written_as_in_any_block(
    genes: list[GeneMention], made: list[Mention], variants: tuple[str, ...], name: str
) -> None:
    figure = Figure(f"PMC1__{name}", "2024", "", Article("PMC1"), gene_mentions=genes, mentions=made)
    if genes and variants:
        figure.gene_variants = {genes[0][0]: variants}
    check_blocks(figure)


@pytest.mark.parametrize("case", [*CASES, "seeds"])
def test_links_are_those_of_their_descriptions(case: str) -> None:
    for figure in figures(SEEDS if case == "seeds" else FIXTURES / case):
        subject = ids.figure(figure.figid)
        linked = {GENE_LINKS[level]: {gene for gene, own in figure.genes.items() if own is level} for level in Level}
        linked |= {Layer.LINKS_CHEMICALS: figure.chemicals, Layer.LINKS_DISEASES: figure.diseases - figure.chemicals}
        expected = {
            layer: serialize.block(subject, [(vocab.MENTIONS, terms.iri(thing)) for thing in things])
            for layer, things in linked.items()
            if things
        }
        found = list(figure_mapping.links(figure))
        assert {piece.layer: piece.data.decode() for piece in found} == expected
        assert all(piece.first == piece.last == subject for piece in found)


@given(GENE_IDS)
def test_no_prefix_shortens_a_gene(gene_id: str) -> None:
    assert terms.iri(ids.gene(gene_id)) == f"<{ids.gene(gene_id)}>"
    assert terms.iri(ids.symbol_gene("9606", gene_id)) == f"<{ids.symbol_gene('9606', gene_id)}>"


def test_each_namespace_ends_where_a_local_name_cannot() -> None:
    assert all(namespace.endswith(("/", "#")) for namespace in ids.PREFIXES.values())


HEADER = "\t".join(COLUMNS[Kind.GENE_ROW]).encode()
CELLS = st.sampled_from(
    [b"9606", b"NA", b"", b"7157", b"ncbigene_symbol", b"\xc3\xa9", b"\xef\xbf\xbf", b"\xff", b"\x1f", b"\r", b" "]
)
ENDS = st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\n\n"])
ODD_LINES = st.lists(CELLS, min_size=1, max_size=10).map(b"\t".join)
LINES = st.lists(CELLS, min_size=8, max_size=8).map(b"\t".join)
HEADERS = st.sampled_from(
    [HEADER, HEADER, HEADER + b"\tcount_match", HEADER + b"\tnew", HEADER[:-1], b"", b"\xef\xbb\xbf" + HEADER]
)


@given(HEADERS, st.lists(st.tuples(ENDS, LINES | ODD_LINES), max_size=6), st.sampled_from([b"", b"\n", b"\r\n"]))
def test_a_table_read_at_once_is_that_read_line_by_line(
    header: bytes, lines: list[tuple[bytes, bytes]], end: bytes
) -> None:
    data = header + b"".join(part for pair in lines for part in pair) + end
    found = tables.parse(data, Kind.GENE_ROW, "p", LIMITS)
    plain = tables._parse_lines(data, Kind.GENE_ROW, "p", LIMITS)
    for name in ("kind", "path", "rows", "bad", "unknown", "fault", "cleaned", "size"):
        assert getattr(found, name) == getattr(plain, name), name


@pytest.mark.parametrize("widths", [widths for n in range(4) for widths in product(range(1, 8), repeat=n)], ids=str)
def test_rows_that_are_too_short_and_too_long_do_not_make_up_for_each_other(widths: tuple[int, ...]) -> None:
    header = b"word\tmesh\tmatch\tname\tchebi"
    data = b"\n".join([header, *(b"\t".join([b"NA"] * width) for width in widths)])
    found = tables.parse(data, Kind.CHEMICAL_ROW, "p", LIMITS)
    assert [len(found.rows), len(found.bad)] == [widths.count(5), len(widths) - widths.count(5)]
    assert found.size == len(widths)


def test_a_sound_table_is_read_at_once() -> None:
    row = b"9606\tHomo sapiens\tPrimates\tp53\tP53\tTP53\t7157\tncbigene_symbol\t4"
    data = HEADER + b"\tcount_match\n" + row + b"\n" + row.replace(b"7157", b"7158") + b"\n"
    table = tables.parse(data, Kind.GENE_ROW, "p", LIMITS)
    assert [column[0] for column in table.columns] == row.decode().split("\t")[:8]
    assert table.size == 2


@st.composite
def gene_columns(draw: st.DrawFn) -> tuple[list[str], ...]:
    """Columns of a gene table: nearly all good, or nearly none."""
    bad = draw(st.booleans())

    def some(*choices: str, spoilt: tuple[str, ...] = ()) -> str:
        return draw(st.sampled_from([*choices, *(spoilt if bad else ())]))

    rows = [
        (
            some("9606", "10090", spoilt=("x", "")),
            some("Homo sapiens", "Mus musculus", spoilt=("NA", "")),
            some("Primates", "Rodents", spoilt=("NA", "")),
            some("p53", "IL-6", "a", "b", spoilt=("", " ")),
            some("P53", "NA", spoilt=("",)),
            some("TP53", "IL6", "", spoilt=("NA",)),
            some("7157", "3569", "1", "2", "10", "100", spoilt=("NA", "", "0", "٣")),
            some("ncbigene_symbol", "famplex_relations", "hgnc_symbol", spoilt=("new",)),
        )
        for _ in range(draw(st.integers(1, 8)))
    ]
    return tuple(list(column) for column in zip(*rows, strict=True))


@given(gene_columns(), st.booleans())
def test_rows_taken_at_once_are_those_taken_one_by_one(columns: tuple[list[str], ...], inline: bool) -> None:
    whole = Table(Kind.GENE_ROW, "p", columns)
    results = []
    for table in (whole, Table(Kind.GENE_ROW, "p", listed=whole.rows)):
        figure, ledger = Figure("PMC1__f", "2024", "", Article("PMC1")), Ledger()
        reader = RowReader(figure, "p", ledger, inline=inline)
        reader.read_table(table)
        reader.finish()
        results.append((figure, list(figure.genes), reader.organisms, ledger))
    assert results[0] == results[1]


def test_each_saying_says_its_facts() -> None:
    mouse, gene, own = ids.taxon("10090"), ids.gene("22059"), "PMC1__f.1"
    figure = Figure(
        own,
        "2024",
        "",
        Article("PMC1", journal_title="A Journal", journal_nlm_ta="J", publisher_name="P"),
        taxa=(NamedTaxon("organisms", "Mus", mouse),),
        gene_mentions=[
            ("gene-1", (), {"22059": SEPARATOR.join(["R", "22059", "Trp53", "10090", "Mus musculus", ""])}),
            ("gene-2", (), {"": SEPARATOR.join(["R", "", "NA", "10090", "Mus musculus", "Rodents"])}),
            ("gene-3", (), {"22059": SEPARATOR.join(["R", "22059", "Trp53", "9606"])}),
        ],
        symbol_genes=[("10090", "Il6", "http://e/Il6")],
        concepts=[
            Concept("http://e/c", "schema:X", "D1", "", "http://e/d"),
            Concept("http://e/d", "schema:X", "1", "l"),
        ],
    )
    taxon = (mouse, "type", "schema:Taxon", "")
    expected: list[Fact] = [
        (gene, "type", "schema:Gene", ""),
        (gene, "organism_id", "10090", f"{own}/gene-1/22059"),
        (gene, "ncbigene_symbol", "Trp53", f"{own}/gene-1/22059"),
        taxon,
        (mouse, "organism_name", "Mus musculus", f"{own}/gene-1/22059"),
        (mouse, "organism_group", "", f"{own}/gene-1/22059"),
        taxon,
        (mouse, "organism_name", "Mus musculus", f"{own}/gene-2/NA"),
        (mouse, "organism_group", "Rodents", f"{own}/gene-2/NA"),
        (gene, "type", "schema:Gene", ""),
        (gene, "organism_id", "9606", f"{own}/gene-3/22059"),
        (gene, "ncbigene_symbol", "Trp53", f"{own}/gene-3/22059"),
        (ids.taxon("9606"), "type", "schema:Taxon", ""),
        ("http://e/Il6", "type", "schema:Gene", ""),
        ("http://e/Il6", "organism_id", "10090", f"{own}/keyword"),
        ("http://e/Il6", "ncbigene_symbol", "Il6", f"{own}/keyword"),
        taxon,
        taxon,
        (mouse, "organisms", "Mus", own),
        ("http://e/c", "type", "schema:X", ""),
        ("http://e/c", "identifier", "D1", ""),
        ("http://e/c", "label", "", ""),
        ("http://e/c", "close", "http://e/d", ""),
        ("http://e/d", "type", "schema:X", ""),
        ("http://e/d", "identifier", "1", ""),
        ("http://e/d", "label", "l", ""),
    ]
    section = facts.Section()
    section.add(own, entities.sayings(figure))
    every = frozenset(facts.counted(section.to_bytes()))
    [(_, said)] = facts.lines_with(section.to_bytes(), every, every)
    places = [(facts.full_place(own, place), saying) for place, saying in said]
    assert [fact for place, saying in places for fact in entities.expand(saying, place)] == expected
    ((figid, place, journal), (_, _, publisher)) = article.sayings([figure])
    assert (figid, place) == (own, "")
    assert list(entities.expand(journal, own)) == [
        (ids.journal("J", ""), "type", "bibo:Journal", ""),
        (ids.journal("J", ""), "journal_nlm_ta", "J", ""),
        (ids.journal("J", ""), "journal_title", "A Journal", own),
    ]
    assert list(entities.expand(publisher, own)) == [
        (ids.publisher("P"), "type", "foaf:Organization", ""),
        (ids.publisher("P"), "publisher_name", "P", ""),
    ]
    node = SEPARATOR.join(["N", "http://e/n", "schema:name", '"a name"'])
    assert list(entities.expand(node, own)) == [("http://e/n", entities.FOREIGN, 'schema:name "a name"', "")]
    assert list(entities.expand("W", own)) == [(ids.WIKIPATHWAYS, "type", "schema:Organization", "")]


def test_a_line_end_within_an_inline_id_is_refused() -> None:
    figure, ledger = Figure("PMC1__f", "2021", "p", Article("PMC1")), Ledger()
    item = {"word": "w", "symbol": "W", "source": "hgnc_symbol", "hgnc_symbol": "W"}
    reader = RowReader(figure, "p", ledger, inline=True)
    reader.read_inline("genes", [{**item, "entrez": "7157"}, {**item, "entrez": "7157\n5"}], 2, [3, 8])
    reader.finish()
    assert [(problem.code, problem.line) for problem in ledger.problems] == [("bad-gene-id", 8)]
    assert set(figure.genes) == {ids.gene("7157")}
