"""Checks that walk through the layers: links against mentions, levels, numbers, organisms, words, spellings."""

from __future__ import annotations

from pathlib import Path

import pytest

from pfocr_rdf import codecs
from pfocr_rdf.identifiers import MENTIONS
from pfocr_rdf.model import Layer
from pfocr_rdf.validation import figurewise, papers
from pfocr_rdf.validation.findings import Finding, NotRun
from pfocr_rdf.validation.options import Options
from pfocr_rdf.validation.release import Release
from tests.releases import CHEMICALS, EXAMPLE, GENES, built, changed, figure, findings, function, gene, source

FIGURE = "https://pfocr.wikipathways.org/figures/PMC9100001__aqs-12-0045-g003.html"
OTHER = "https://pfocr.wikipathways.org/figures/PMC9100002__jed-04-0017-g002.html"
ATP = "<http://id.nlm.nih.gov/mesh/D000255>"
NEW = "<http://id.nlm.nih.gov/mesh/D1>"
CC0 = "creativecommons.org/publicdomain/zero/1.0/"
WALKING = ("Q12", "Q13", "Q17", "Q18", "Q27", "Q28", "Q65")
VIOLATIONS = ("Q5", "Q12", "Q13", "Q65")


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return built(EXAMPLE, tmp_path_factory.mktemp("example") / "build")


def about(found: set[Finding], words: str) -> set[str]:
    return {finding.focus for finding in found if words in finding.message}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_the_example_breaks_no_rule(name: str, example: Release) -> None:
    assert not findings(name, example)


LAYERS = [
    (
        "links-chemicals",
        ATP,
        NEW,
        FIGURE,
        "no mention",
    ),
    (
        "links-chemicals",
        ATP,
        NEW,
        FIGURE,
        "not linked",
    ),
    ("links-diseases", "<http://id.nlm.nih.gov/mesh/D003139>", NEW, FIGURE, "not linked"),
    (
        "evidence-genes",
        "<https://identifiers.org/ncbigene/7157> ;",
        "<https://identifiers.org/ncbigene/1> ;",
        FIGURE,
        "is linked, but no mention",
    ),
    ("evidence-genes", f"oa:hasTarget <{FIGURE}>", f"oa:hasTarget <{OTHER}>", "", "its target is not the figure"),
    ("core", f"<{FIGURE}>\n", "<http://example.org/gone>\n", FIGURE, "is not described"),
]


@pytest.mark.parametrize(("layer", "old", "new", "focus", "words"), LAYERS, ids=lambda value: str(value)[:24])
def test_links_are_what_mentions_say(
    layer: str, old: str, new: str, focus: str, words: str, example: Release, tmp_path: Path
) -> None:
    found = findings("Q12", changed(example, tmp_path / "copy", layer, old, new))
    named = about(found, words)
    assert named == {focus} if focus else all(each.startswith(MENTIONS) for each in named)
    assert named


def test_a_link_that_both_kinds_share_stands_with_the_chemicals(tmp_path: Path) -> None:
    tables = {
        "PMC1__f-chemicals": [CHEMICALS, "insulin\tmesh:D007328\tInsulin\tinsulin\tNA"],
        "PMC1__f-diseases": ["word\tmesh\tmatch\tname\tdoid", "insulin\tmesh:D007328\tInsulin\tinsulin\tNA"],
    }
    release = built(source(tmp_path / "source", {"PMC1__f": figure("PMC1__f")}, tables), tmp_path / "build")
    assert not findings("Q12", release)
    chemicals, diseases = (release.layers[layer] for layer in ("links-chemicals", "links-diseases"))
    chemicals.rename(chemicals.with_suffix(".aside"))
    diseases.rename(chemicals)
    chemicals.with_suffix(".aside").rename(diseases)
    assert {finding.message for finding in findings("Q12", release)} == {
        "is the body of a mention, but not linked",
        "belongs in links-chemicals, as both kinds",
    }


def test_a_link_of_a_symbol_without_id_needs_no_mention(tmp_path: Path) -> None:
    release = built(EXAMPLE.parent.parent / "seeds", tmp_path / "build")
    assert "https://w3id.org/pfocr/symbol/" in release.layers["links-genes-symbol"].read_text(encoding="utf-8")
    assert not findings("Q12", release)


def test_a_gene_stands_at_its_best_level_alone(example: Release, tmp_path: Path) -> None:
    """MDM2 is found by symbol: its link is wrong among the synonyms, and not allowed in both."""
    gene = "<https://identifiers.org/ncbigene/4193>"
    stanza = f"<{FIGURE}>\n    schema:mentions "
    both = changed(example, tmp_path / "both", "links-genes-synonym", stanza, f"{stanza}{gene} ,\n        ")
    assert about(findings("Q13", both), "is linked in links-genes-symbol and links-genes-synonym") == {FIGURE}
    wrong = changed(both, tmp_path / "wrong", "links-genes-symbol", gene, "<https://identifiers.org/ncbigene/1>")
    assert about(findings("Q13", wrong), "belongs in links-genes-symbol") == {FIGURE}


def test_unlikely_numbers_of_genes_are_found(tmp_path: Path) -> None:
    flood = [gene("Collagen", f"COL{n}", str(n), source="famplex_relations") for n in range(1, 22)]
    many = [gene(f"W{n}", f"G{n}", str(n)) for n in range(1, 302)]
    tables = {
        "PMC1__one-genes": [GENES, gene("TP53", "TP53", "7157")],
        "PMC2__flood-genes": [GENES, *flood],
        "PMC3__usual-genes": [GENES, *flood[:20]],
        "PMC4__many-genes": [GENES, *many],
        "PMC5__chemical-chemicals": [CHEMICALS, "ATP\tmesh:D000255\tAdenosine\tATP\tNA"],
    }
    figids = ["PMC9__none", *(name.rpartition("-")[0] for name in tables)]
    release = built(source(tmp_path / "source", {f: figure(f) for f in figids}, tables), tmp_path / "build")
    found = {(finding.focus.rpartition("__")[2], finding.value) for finding in findings("Q17", release)}
    assert found == {("none.html", "0"), ("one.html", "1"), ("flood.html", "Collagen"), ("many.html", "301")}


def test_organisms_that_no_gene_is_of_are_found(tmp_path: Path) -> None:
    mouse = gene("Tp53", "Trp53", "22059", taxid="10090").replace("Homo sapiens", "Mus musculus")
    tables = {
        "PMC1__mouse-genes": [GENES, mouse],
        "PMC2__human-genes": [GENES, gene("TP53", "TP53", "7157")],
        "PMC3__both-genes": [GENES, mouse, gene("TP53", "TP53", "7157")],
        "PMC4__unmapped-genes": [GENES, gene("AKT", "NA", "NA", source="famplex_relations")],
    }
    figids = ["PMC5__no-genes", *(name.rpartition("-")[0] for name in tables)]
    release = built(source(tmp_path / "source", {f: figure(f) for f in figids}, tables), tmp_path / "build")
    found = findings("Q18", release)
    assert {finding.focus.rpartition("__")[2] for finding in found} == {"mouse.html"}
    assert {finding.message for finding in found} == {
        "none of the figure's genes is of this organism",
        "no gene is of any organism that was found in the paper",
    }


def test_words_that_are_gene_and_chemical_are_found(tmp_path: Path) -> None:
    tables = {
        "PMC1__f-genes": [GENES, gene("PDC", "PDC", "5132"), gene("pdh", "PDHA1", "5160", source="ncbigene_synonym")],
        "PMC1__f-chemicals": [
            CHEMICALS,
            "PDC\tmesh:C000001\tPDC\tNA\tNA",
            "PDHA1\tmesh:C000002\tPDHA1\tNA\tNA",
            "ATP\tmesh:D000255\tATP\tNA\tNA",
            "pdh\tNA\tNA\tNA\tNA",
        ],
        "PMC2__f-genes": [GENES, gene("ATP", "ATP5", "1")],
    }
    records = {f: figure(f) for f in ("PMC1__f", "PMC2__f")}
    release = built(source(tmp_path / "source", records, tables), tmp_path / "build")
    found = {(finding.value, finding.layer) for finding in findings("Q28", release)}
    assert found == {("PDC", "evidence-chemicals"), ("PDHA1", "evidence-chemicals"), ("PDC", "evidence-genes")}


def test_short_words_and_units_are_found(tmp_path: Path) -> None:
    tables = {
        "PMC1__f-genes": [GENES, gene("P", "SELP", "6403"), gene("TP53", "TP53", "7157")],
        "PMC1__f-chemicals": [CHEMICALS, "kDa\tmesh:D000255\tATP\tNA\tNA", "\\\\\tmesh:D000255\tATP\tNA\tNA"],
        "PMC2__f-genes": [GENES, gene("P", "SELP", "6403")],
    }
    records = {f: figure(f) for f in ("PMC1__f", "PMC2__f")}
    release = built(source(tmp_path / "source", records, tables), tmp_path / "build")
    found = {(finding.value, finding.message, finding.layer) for finding in findings("Q27", release)}
    assert found == {
        ("P", "2 mentions", "evidence-genes"),
        ("kDa", "1 mentions", "evidence-chemicals"),
        ("\\\\", "1 mentions", "evidence-chemicals"),
    }
    assert {finding.focus.split("/")[5] for finding in findings("Q27", release)} == {"PMC1__f"}


@pytest.mark.parametrize(("figures", "number"), [(1000, 1), (1001, 0)])
def test_a_word_must_be_common_to_be_worth_a_look(figures: int, number: int) -> None:
    words = figurewise._Words()
    said = {"a": ["sio:SIO_000080"]}
    mention = papers.Mention(f"{MENTIONS}PMC1__f/gene-1", Layer.EVIDENCE_GENES, {"pfocr:word": ['"P"']})
    words.add(papers.Figure("first", said, mentions=[mention]))
    for _ in range(figures - 1):
        words.add(papers.Figure("other", said))
    assert len(list(words.findings())) == number


def test_an_organism_that_only_a_mention_names_is_described(tmp_path: Path) -> None:
    tables = {"PMC1__f-genes": [GENES, gene("AKT", "NA", "NA", source="famplex_relations")]}
    release = built(source(tmp_path / "source", {"PMC1__f": figure("PMC1__f")}, tables), tmp_path / "build")
    assert not findings("Q65", release)
    other = changed(release, tmp_path / "copy", "evidence-genes", "obo:NCBITaxon_9606", "obo:NCBITaxon_1")
    (found,) = findings("Q65", other)
    assert found.value == "http://purl.obolibrary.org/obo/NCBITaxon_1"
    assert found.focus.startswith(f"{MENTIONS}PMC1__f/gene-")


SPELLINGS = [
    (
        "core",
        "<http://creativecommons.org/publicdomain/zero/1.0/>",
        "<https://creativecommons.org/publicdomain/zero/1.0/>",
    ),
    ("core", "<https://identifiers.org/pmc/PMC9100001> ;", "<http://identifiers.org/pmc/PMC9100001> ;"),
    ("links-genes-synonym", "<https://identifiers.org/ncbigene/7157>", "<http://identifiers.org/ncbigene/7157>"),
    ("compat", "wp:organism <", "<https://schema.org/keywords> <"),
    ("entities", "@prefix schema: <http://schema.org/>", "@prefix schema: <https://schema.org/>"),
]


@pytest.mark.parametrize(("layer", "old", "new"), SPELLINGS, ids=lambda value: str(value)[:24])
def test_foreign_namespaces_are_spelled_one_way(
    layer: str, old: str, new: str, example: Release, tmp_path: Path
) -> None:
    [finding] = findings("Q5", changed(example, tmp_path / "copy", layer, old, new))
    assert finding.layer == layer
    assert f"<{finding.value}>" in new


def test_an_address_in_a_text_is_no_address(tmp_path: Path) -> None:
    caption = "See <https://schema.org/Thing> and <http://identifiers.org/ncbigene/1>."
    records = {"PMC1__f": figure("PMC1__f", caption=caption)}
    release = built(source(tmp_path / "source", records), tmp_path / "build")
    assert caption in release.layers["core"].read_text(encoding="utf-8")
    assert not findings("Q5", release)


@pytest.mark.parametrize("name", WALKING)
def test_a_walk_needs_its_layers(name: str, example: Release) -> None:
    layers = {layer: path for layer, path in example.layers.items() if layer != "evidence-genes"}
    found = function(name)(Release(example.folder, example.manifest, layers), Options())
    assert isinstance(found, NotRun)
    assert "evidence-genes" in found.reason


def test_papers_are_walked_in_order_whatever_their_figures_are_called(tmp_path: Path) -> None:
    """Behind a figid `.html` or a slash follows, so figures and mentions of one paper are sorted otherwise."""
    figids = ["PMC1__a", "PMC1__a.z", "PMC1__a-b", "PMC10__a", "PMC2__a"]
    tables = {f"{figid}-genes": [GENES, gene("TP53", "TP53", "7157")] for figid in figids}
    release = built(source(tmp_path / "source", {f: figure(f) for f in figids}, tables), tmp_path / "build")
    walked = list(papers.walk(release.layers))
    assert [len(paper) for paper in walked] == [1, 3, 1]
    for each in (each for paper in walked for each in paper):
        assert each.said
        assert [mention.words for mention in each.mentions] == [['"TP53"']]
        assert list(each.links.values()) == [["<https://identifiers.org/ncbigene/7157>"]]


def test_compressed_layers_are_walked_too(example: Release, tmp_path: Path) -> None:
    layers = {}
    for layer, path in example.layers.items():
        layers[layer] = tmp_path / f"{path.name}.zst"
        layers[layer].write_bytes(codecs.ZSTD.encode(path.read_bytes()))
    packed = Release(example.folder, example.manifest, layers)
    assert findings("Q28", packed) == findings("Q28", example)
    assert findings("Q12", packed) == findings("Q5", packed) == set()


@pytest.mark.parametrize("name", [*WALKING, "Q5"])
def test_a_check_is_not_run_on_a_damaged_layer(name: str, example: Release, tmp_path: Path) -> None:
    path = tmp_path / "layer.ttl.zst"
    path.write_bytes(b"nothing that was compressed")
    layers = example.layers | {"evidence-genes": path}
    found = function(name)(Release(example.folder, example.manifest, layers), Options())
    assert isinstance(found, NotRun)
    assert "cannot be read" in found.reason
