"""The statistics of a build are what a parser of others finds in its files, however it was cut, packed and counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import pyoxigraph as ox
import pytest

from pfocr_rdf import buildfolder, codecs, subjects
from pfocr_rdf import identifiers as ids
from pfocr_rdf.errors import UsageError
from pfocr_rdf.pipeline import Options, build
from pfocr_rdf.release import spaces, statistics
from pfocr_rdf.release.statistics import Counts, Linkset, PropertyCounts, Statistics
from pfocr_rdf.settings import Settings
from pfocr_rdf.shards import Output
from pfocr_rdf.workers import Processes
from tests.describing import EXAMPLE
from tests.support import ROOT

TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
ODD = ("jsonld-extra", "jsonld-odd", "wrong-types", "controls", "unknown-keys", "creators", "organism-pages", "symbols")
"""Fixtures whose triples have odd predicates, values and datatypes."""


def built(source: Path, out: Path, compress: str = "none") -> Path:
    build(str(source), out, Options(settings=Settings(max_rejected=1, max_rejected_rows=1), output=Output(compress)))
    return out


def value(term: object) -> str:
    assert isinstance(term, ox.NamedNode)
    return term.value


def plainly(triples: set[ox.Triple]) -> Counts:
    """Counts by sets of terms."""
    properties: defaultdict[str, set[ox.Triple]] = defaultdict(set)
    for triple in triples:
        properties[triple.predicate.value].add(triple)
    objects = {triple.object for triple in triples}
    return Counts(
        len(triples),
        len({triple.subject for triple in triples}),
        len(objects),
        sum(isinstance(term, ox.Literal) for term in objects),
        len({triple.subject for triple in properties[TYPE]}) if TYPE in properties else 0,
        dict(Counter(value(triple.object) for triple in properties.get(TYPE, ()))),
        {
            name: PropertyCounts(len(found), len({t.subject for t in found}), len({t.object for t in found}))
            for name, found in properties.items()
        },
    )


def links(layer: str, triples: set[ox.Triple]) -> Counter[tuple[str, str, str, str]]:
    found: Counter[tuple[str, str, str, str]] = Counter()
    for triple in triples:
        if triple.predicate.value == TYPE or not isinstance(triple.object, ox.NamedNode):
            continue
        ends = [
            [space for space in spaces.SPACES if value(term).startswith(space.start)]
            for term in (triple.subject, triple.object)
        ]
        assert all(len(known) < 2 for known in ends), triple
        if all(ends) and ends[0] != ends[1] and ends[1][0].foreign:
            found[layer, triple.predicate.value, ends[0][0].name, ends[1][0].name] += 1
    return found


def expected(folder: Path) -> Statistics:
    """The same, with all triples in memory and without any code of the package but the files' names."""
    layers: dict[str, set[ox.Triple]] = {}
    for layer, path in buildfolder.layer_files(folder).items():
        with codecs.of_file(path).open(path) as stream:
            layers[layer] = {quad.triple for quad in ox.parse(stream, format=ox.RdfFormat.TURTLE)}
    found: Counter[tuple[str, str, str, str]] = Counter()
    for layer, triples in layers.items():
        found.update(links(layer, triples))
    return Statistics(
        {layer: plainly(triples) for layer, triples in layers.items()},
        plainly(set().union(*layers.values())),
        sorted(Linkset(*key, number) for key, number in found.items()),
        {},
    )


def without_examples(found: Statistics) -> Statistics:
    return Statistics(found.layers, found.whole, found.linksets, {})


@pytest.mark.parametrize("compress", ["none", "gzip", "zstd"])
def test_the_statistics_are_what_a_parser_finds(tmp_path: Path, compress: str) -> None:
    folder = built(EXAMPLE, tmp_path / "build", compress)
    assert without_examples(statistics.count(folder)) == expected(folder)


@pytest.mark.parametrize("name", ODD)
def test_odd_values_are_counted_as_terms(tmp_path: Path, name: str) -> None:
    folder = built(ROOT / "tests" / "fixtures" / name, tmp_path / "build")
    assert without_examples(statistics.count(folder)) == expected(folder)


def test_tasks_and_processes_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = built(EXAMPLE, tmp_path / "build")
    usual = statistics.count(folder)
    monkeypatch.setattr(subjects, "TASK_TRIPLES", 1)
    told: list[int] = []
    assert statistics.count(folder, done=told.append) == usual
    assert sum(told) == usual.whole.triples
    assert len(told) > 12
    with Processes(2) as engine:
        assert statistics.count(folder, engine) == usual


def test_a_term_that_stands_in_two_layers_counts_once_in_the_union(tmp_path: Path) -> None:
    found = statistics.count(built(EXAMPLE, tmp_path / "build"))
    by_layer = list(found.layers.values())
    assert found.whole.triples == sum(counts.triples for counts in by_layer)
    assert found.whole.subjects < sum(counts.subjects for counts in by_layer)
    mentions = "http://schema.org/mentions"
    assert found.whole.properties[mentions].subjects == 6
    assert sum(each.properties[mentions].subjects for each in by_layer if mentions in each.properties) > 6


def test_examples_are_subjects_of_their_layer(tmp_path: Path) -> None:
    folder = built(EXAMPLE, tmp_path / "build")
    found = statistics.count(folder)
    for layer, path in buildfolder.layer_files(folder).items():
        subjects = {value(quad.subject) for quad in ox.parse(path=str(path))}
        assert set(found.examples[layer]) <= subjects
        assert bool(found.examples[layer]) == bool(subjects)
    assert any(name.startswith("https://pfocr.wikipathways.org/figures/") for name in found.examples["core"])


def test_no_namespace_begins_with_another() -> None:
    starts = [space.start for space in spaces.SPACES]
    assert [(a, b) for a in starts for b in starts if a != b and a.startswith(b)] == []
    assert [spaces.of(f"{space.start}1") for space in spaces.SPACES] == [space.name for space in spaces.SPACES]
    assert spaces.of("https://example.org/1") == ""


def test_every_iri_that_is_made_from_an_id_is_in_its_namespace() -> None:
    made = {
        "figures": ids.figure("PMC1__f"),
        "papers": ids.paper("PMC1"),
        "papers_http": ids.paper_equivalent("PMC1"),
        "pmc_pages": ids.figure_at_pmc("/pmc/articles/PMC1/figure/F1/"),
        "dois": ids.doi("10.1234/x"),
        "ndex": ids.ndex("0"),
        "wikipathways": ids.wikipathways("WP1"),
        "pubmed": ids.pubmed("1"),
        "genes": ids.gene("1"),
        "symbols": ids.symbol_gene("9606", "TP53"),
        "taxa": ids.taxon("9606"),
        "taxa_uniprot": ids.taxon_equivalent("9606"),
        "organisms": ids.unresolved_taxon("gut metagenome"),
        "mesh": ids.mesh("D000001"),
        "chebi": ids.chebi("1"),
        "chebi_identifiers": ids.chebi_equivalent("1"),
        "doid": ids.doid("1"),
        "mentions": ids.mention("PMC1__f", "gene-0"),
        "lexicons": ids.lexicon("chemical"),
        "journals": ids.journal("", "Journal"),
        "groups": ids.group("Rodents"),
    }
    made |= dict(zip(("genes_http", "genes_uniprot", "genes_pubchem"), ids.gene_equivalents("1"), strict=True))
    assert made.keys() == spaces.BY_NAME.keys()
    assert {name: spaces.of(iri) for name, iri in made.items()} == {name: name for name in made}


def test_a_damaged_layer_is_said_in_one_line(tmp_path: Path) -> None:
    folder = built(EXAMPLE, tmp_path / "build")
    path = folder / "pfocr-core.ttl"
    path.write_bytes(path.read_bytes().replace(b"figures", b"fingers", 1))
    with pytest.raises(UsageError, match=r"pfocr-core\.ttl: is not what blocks\.tsv says of it"):
        statistics.count(folder)
