"""What several records say of one thing: the commonest value wins, and nothing that was said is lost."""

from __future__ import annotations

import pytest
from pyoxigraph import Literal, NamedNode

from tests.blackbox import (
    GYEAR,
    LABEL,
    bibo,
    case,
    dcterms,
    figure,
    gene,
    paper,
    pfocr,
    schema,
    skos,
    taxon,
)


def test_the_commonest_title_and_year_of_a_paper_win() -> None:
    built = case("paper-facts")
    assert built.texts("core", paper("PMC9004801"), dcterms("title")) == {"Alpha"}
    assert built.objects("core", paper("PMC9004801"), dcterms("issued")) == {Literal("2001", datatype=GYEAR)}


def test_what_lost_is_kept_as_variant() -> None:
    said = case("paper-facts").texts(None, paper("PMC9004801"), pfocr("variant"))
    assert said == {"papertitle=Beta", "year=2002"}


def test_who_said_otherwise_is_kept_as_dissent() -> None:
    said = case("paper-facts").texts(None, paper("PMC9004801"), pfocr("dissent"))
    assert said == {"PMC9004801__f3 papertitle=Beta", "PMC9004801__f3 year=2002"}


def test_a_figure_keeps_its_own_year() -> None:
    built = case("paper-facts")
    years = [built.texts("core", figure(f"PMC9004801__{n}"), schema("datePublished")) for n in ("f1", "f2", "f3")]
    assert years == [{"2001"}, {"2001"}, {"2002"}]


def test_a_tie_goes_to_the_first_by_code_point() -> None:
    built = case("paper-facts")
    assert built.texts("core", paper("PMC9004802"), dcterms("title")) == {"Zeta"}
    assert built.texts(None, paper("PMC9004802"), pfocr("variant")) == {"papertitle=alpha"}


def test_what_is_said_once_is_not_outvoted_by_silence() -> None:
    built = case("paper-facts")
    article = paper("PMC9004803")
    assert built.texts("core", article, bibo("doi")) == {"10.5555/said.once"}
    assert built.texts(None, article, pfocr("variant")) == set()
    assert built.texts(None, article, pfocr("dissent")) == {"PMC9004803__f1 doi=", "PMC9004803__f2 doi="}


@pytest.mark.parametrize("name", ["paper-facts", "gene-facts"])
def test_disagreement_is_warned_and_refuses_nothing(name: str) -> None:
    built = case(name)
    assert built.warned("facts-disagree")
    assert built.rejected == ()


def test_silence_is_no_disagreement() -> None:
    warned = case("paper-facts").warned("facts-disagree")
    assert not [problem for problem in warned if "PMC9004803" in f"{problem['file']} {problem['value']}"]


def test_the_commonest_symbol_of_a_gene_is_its_one_label() -> None:
    built = case("gene-facts")
    assert built.texts("entities", gene("7157"), LABEL) == {"TP53"}
    assert built.texts(None, gene("7157"), skos("altLabel")) == {"P53"}


def test_the_commonest_species_of_a_gene_is_its_one_taxon() -> None:
    built = case("gene-facts")
    assert built.objects("entities", gene("990701"), schema("taxonomicRange")) == {taxon("10090")}


@pytest.mark.parametrize(
    ("subject", "start", "end"),
    [
        (gene("7157"), "PMC9004901__f3/gene-", "=P53"),
        (gene("990701"), "PMC9004902__t2/gene-", "=9606"),
    ],
)
def test_which_row_said_otherwise_of_a_gene_is_kept(subject: NamedNode, start: str, end: str) -> None:
    (said,) = case("gene-facts").texts(None, subject, pfocr("dissent"))
    assert said.startswith(start)
    assert said.endswith(end)


def test_a_neighbour_changes_nothing_of_a_record() -> None:
    built = case("gene-facts")
    first = built.about("core", figure("PMC9004901__f1")) - {(dcterms("identifier"), Literal("PMC9004901__f1"))}
    third = built.about("core", figure("PMC9004901__f3")) - {(dcterms("identifier"), Literal("PMC9004901__f3"))}
    assert first == third
