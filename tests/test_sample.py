"""The sample shows each trait that a figure of the release has, holds all that is said of its figures, and no more."""

from __future__ import annotations

import json
from pathlib import Path

import pyoxigraph as ox
import pytest

from pfocr_rdf import identifiers as ids
from pfocr_rdf.model import LEXICONS
from pfocr_rdf.release import sample
from pfocr_rdf.workers import Processes, Serial
from tests import changing
from tests.changing import build, options

TYPE = ox.NamedNode(f"{ids.PREFIXES['rdf']}type")
DATASET = ox.NamedNode("http://schema.org/Dataset")
GENERATION = ox.NamedNode(f"{ids.PFOCR}generation")
TARGET = ox.NamedNode(f"{ids.PREFIXES['oa']}hasTarget")
SIZE = 60


class Sampled:
    """A build of made-up figures and of all fixtures that are checkouts, and its sample."""

    def __init__(self, root: Path) -> None:
        self.build = root / "build"
        build(changing.small(root / "source", 200), self.build, full=True)
        self.count = sample.write(self.build, root / "sample.ttl", Serial(), SIZE)
        self.text = (root / "sample.ttl").read_text(encoding="utf-8")
        self.triples = {q.triple for q in ox.parse(self.text, format=ox.RdfFormat.TURTLE)}
        self.layers = {}
        for layer, entry in json.loads((self.build / "manifest.json").read_text())["layers"].items():
            quads = ox.parse(path=self.build / entry["file"], format=ox.RdfFormat.TURTLE)
            self.layers[layer] = {quad.triple for quad in quads}
        self.whole = set().union(*self.layers.values())
        self.figures = {t.subject for t in self.triples if t.predicate == TYPE and t.object == DATASET}

    def values(self, predicate: str, triples: set[ox.Triple]) -> set[str]:
        return {str(getattr(t.object, "value", "")) for t in triples if t.predicate.value == predicate}


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Sampled:
    return Sampled(tmp_path_factory.mktemp("sample"))


def test_it_is_a_part_of_the_release_of_the_size_that_was_asked_for(sampled: Sampled) -> None:
    assert sampled.triples < sampled.whole
    assert len(sampled.triples) == sampled.count
    assert len(sampled.figures) == SIZE


def test_all_that_is_said_of_its_figures_and_their_mentions_is_there(sampled: Sampled) -> None:
    mentions = {t.subject for t in sampled.whole if t.predicate == TARGET and t.object in sampled.figures}
    assert mentions
    said = {t for t in sampled.whole if t.subject in sampled.figures | mentions}
    assert said <= sampled.triples


def test_whatever_they_speak_of_is_described_as_in_the_release(sampled: Sampled) -> None:
    named = {t.object for t in sampled.triples if isinstance(t.object, ox.NamedNode)} - sampled.figures
    assert {t for t in sampled.whole if t.subject in named} <= sampled.triples


def test_each_generation_lexicon_level_and_kind_is_there(sampled: Sampled) -> None:
    whole = sampled.whole - sampled.layers["ontology"]
    for predicate in (GENERATION.value, TYPE.value, "http://purl.org/dc/terms/source"):
        wanted = {value for value in sampled.values(predicate, whole) if "/figure/" not in value}
        assert wanted - sampled.values(predicate, sampled.triples) <= {"http://www.w3.org/2004/02/skos/core#Collection"}
    lexicons = {ids.lexicon(value) for value in LEXICONS}
    used = sampled.values("http://purl.org/dc/terms/source", sampled.whole) & lexicons
    assert len(used) >= 7
    assert used <= sampled.values("http://purl.org/dc/terms/source", sampled.triples)
    for layer, triples in sampled.layers.items():
        assert not triples or triples & sampled.triples, layer


def test_each_odd_case_of_the_model_is_there(sampled: Sampled) -> None:
    cases = {
        "a gene known by symbol only": lambda t: str(t.subject).startswith(f"<{ids.PFD}symbol/"),
        "an organism without id": lambda t: str(t.object).startswith(f"<{ids.PFD}organism/"),
        "an alias page": lambda t: t.predicate.value.endswith("/replaces"),
        "an NDEx network": lambda t: "ndexbio.org" in str(t.object),
        "a WikiPathways pathway": lambda t: "identifiers.org/wikipathways" in str(t.object),
        "a dissent": lambda t: t.predicate.value == f"{ids.PFOCR}dissent",
        "a field that nobody knows": lambda t: t.predicate.value == f"{ids.PFOCR}variant",
        "an organism as given": lambda t: t.predicate.value == f"{ids.PFOCR}organismAsGiven",
        "a row without gene": lambda t: t.predicate.value == f"{ids.PFOCR}symbol",
        "a text beyond ASCII": lambda t: isinstance(t.object, ox.Literal) and not t.object.value.isascii(),
    }
    for name, case in cases.items():
        if any(map(case, sampled.whole)):
            assert any(map(case, sampled.triples)), name
    assert sum(any(map(case, sampled.whole)) for case in cases.values()) >= 9


def test_the_choice_does_not_depend_on_who_reads(sampled: Sampled, tmp_path: Path) -> None:
    with Processes(2) as engine:
        sample.write(sampled.build, tmp_path / "again.ttl", engine, SIZE)
    assert (tmp_path / "again.ttl").read_text(encoding="utf-8") == sampled.text


def test_a_small_release_is_its_own_sample(tmp_path: Path) -> None:
    build(
        changing.small(tmp_path / "source", 5, fixtures=False), tmp_path / "build", options(compress="gzip"), full=True
    )
    sample.write(tmp_path / "build", tmp_path / "sample.ttl", Serial())
    figures = [line for line in (tmp_path / "sample.ttl").read_text().split("\n") if line == "    a schema:Dataset ,"]
    assert len(figures) == 5


def test_a_figure_that_shows_most_comes_first_and_each_trait_is_shown() -> None:
    found = {"a": 0b0001, "b": 0b0111, "c": 0b1000, "d": 0b0010}
    assert sample.choose(found, 2) == ["b", "c"]
    assert sample.choose(found, 4) == ["a", "b", "c", "d"]
    assert sample.choose(found, 9) == ["a", "b", "c", "d"]
    assert sample.choose({}, 3) == []


def test_the_rest_is_filled_up_by_hash_and_stays_when_others_come() -> None:
    some = {f"PMC{number}__f": 1 for number in range(200)}
    chosen = set(sample.choose(some, 20))
    fewer = {figid: traits for figid, traits in some.items() if figid not in list(chosen)[:1]}
    assert len(chosen & set(sample.choose(fewer, 20))) == 19
