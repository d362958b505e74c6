"""Traps of single values: addresses, file names, years, scores, DOIs, journals, keywords, old addresses."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pyoxigraph import Literal, NamedNode

from tests.blackbox import (
    DECIMAL,
    GYEAR,
    LABEL,
    SAME_AS,
    TYPE,
    bibo,
    case,
    dcterms,
    figure,
    paper,
    pfd,
    pfocr,
    schema,
)

BIN = "https://www.ncbi.nlm.nih.gov/pmc/articles/PMC9000401/bin/"


def test_slashes_around_a_figlink_do_not_matter() -> None:
    built = case("figlinks")
    found = [
        built.texts("core", figure(f"PMC9000301__{form}"), dcterms("source"))
        for form in ("both", "lead", "trail", "none")
    ]
    assert found[0] == found[1] == found[2] == found[3]
    (address,) = found[0]
    assert address.removesuffix("/") == "https://www.ncbi.nlm.nih.gov/pmc/articles/PMC9000301/figure/F1"


def test_the_last_part_of_a_figlink_is_kept() -> None:
    (address,) = case("figlinks").texts("core", figure("PMC9000301__long"), dcterms("source"))
    assert address.rstrip("/").endswith("/PMC9000301/figure/j_med-2022-0615_ga_001")


def test_a_figlink_to_another_host_is_refused() -> None:
    built = case("figlinks")
    assert built.refused("bad-figlink", field="figlink", value="https://example.org/figure/F1/", kind="values")
    assert not built.objects(None, figure("PMC9000301__host"), dcterms("source"))
    assert built.account("records") == {"read": 6, "emitted": 6}


@pytest.mark.parametrize(
    ("form", "name", "encoded"),
    [
        ("plain", "fig1.jpg", "fig1.jpg"),
        ("prefixed", "fig1.jpg", "fig1.jpg"),
        ("blank", "my fig 1.jpg", "my%20fig%201.jpg"),
    ],
)
def test_an_image_is_addressed_by_its_file_name(form: str, name: str, encoded: str) -> None:
    built = case("filenames")
    image = NamedNode(BIN + encoded)
    assert built.objects("core", figure(f"PMC9000401__{form}"), schema("image")) == {image}
    assert built.objects("core", image, TYPE) == {schema("ImageObject")}
    assert built.texts("core", image, dcterms("identifier")) == {name}


def test_a_file_name_with_a_path_is_refused() -> None:
    built = case("filenames")
    assert built.refused("bad-filename", field="filename", value="../up.jpg", kind="values")
    assert not built.objects(None, figure("PMC9000401__path"), schema("image"))


@pytest.mark.parametrize(("number", "year"), [(1, "2001"), (2, "2002")])
def test_a_year_stands_on_figure_and_paper(number: int, year: str) -> None:
    built = case("years")
    value = Literal(year, datatype=GYEAR)
    assert built.objects("core", figure(f"PMC90005{number:02}__f"), schema("datePublished")) == {value}
    assert built.objects("core", paper(f"PMC90005{number:02}"), dcterms("issued")) == {value}


@pytest.mark.parametrize("number", range(3, 9))
def test_what_is_no_year_is_not_emitted(number: int) -> None:
    built = case("years")
    assert not built.objects(None, figure(f"PMC90005{number:02}__f"), schema("datePublished"))
    assert not built.objects(None, paper(f"PMC90005{number:02}"), dcterms("issued"))


def test_a_bad_year_is_reported_and_an_empty_one_is_not() -> None:
    refused = case("years").refused("bad-year", field="year", kind="values")
    assert {problem["value"] for problem in refused} == {"1899", "2100", "21", "2021-05", "n.d."}


@pytest.mark.parametrize(("number", "value"), [(1, "1"), (2, "0"), (3, "0.5"), (4, "0.85"), (5, "0.8985157")])
def test_a_score_is_a_decimal_whatever_its_spelling(number: int, value: str) -> None:
    (score,) = case("scores").objects("core", figure(f"PMC90006{number:02}__f"), pfocr("pathwayScore"))
    assert isinstance(score, Literal)
    assert score.datatype == DECIMAL
    assert "e" not in score.value.lower()
    assert Decimal(score.value) == Decimal(value)


def test_what_is_no_score_is_refused() -> None:
    built = case("scores")
    refused = built.refused("bad-score", field="automl_pathway", kind="values")
    assert {problem["value"] for problem in refused} == {"1.2", "-0.1", "high", "1e999"}
    (missing,) = built.refused("missing-value", field="automl_pathway", kind="values")
    assert missing["value"] == "nan"
    for number in range(6, 11):
        assert not built.objects(None, figure(f"PMC90006{number:02}__f"), pfocr("pathwayScore"))


@pytest.mark.parametrize(
    ("number", "text", "iri"),
    [
        (1, "10.5555/abc.def-1", "https://doi.org/10.5555/ABC.Def-1"),
        (2, "10.5555/abc.def-1", "https://doi.org/10.5555/abc.def-1"),
        (
            3,
            "10.5555/(sici)1097-0000(199901)1:1<1::aid-abc1>3.0.co;2-x",
            "https://doi.org/10.5555/(SICI)1097-0000(199901)1:1%3C1::AID-ABC1%3E3.0.CO;2-X",
        ),
    ],
)
def test_a_doi_is_small_as_text_and_as_given_in_its_iri(number: int, text: str, iri: str) -> None:
    built = case("dois")
    article = paper(f"PMC90007{number:02}")
    assert built.objects("core", article, bibo("doi")) == {Literal(text)}
    assert built.objects("core", article, SAME_AS) == {NamedNode(iri)}


def test_what_is_no_doi_is_refused() -> None:
    built = case("dois")
    refused = built.refused("bad-doi", field="doi", kind="values")
    assert {problem["value"] for problem in refused} == {"not-a-doi", "10.12/x", "10.5555/a b"}
    for number in (4, 5, 6):
        assert not built.objects(None, paper(f"PMC90007{number:02}"), bibo("doi"))
        assert not built.objects(None, paper(f"PMC90007{number:02}"), SAME_AS)


def test_a_journal_is_known_by_its_abbreviation() -> None:
    built = case("journals")
    journal = pfd("journal", "Ann Invent Pathw")
    for number in ("PMC9000801", "PMC9000804", "PMC9000805"):
        assert built.objects("core", paper(number), dcterms("isPartOf")) == {journal}
    assert built.texts(None, journal, bibo("shortTitle")) == {"Ann Invent Pathw"}
    assert built.objects(None, journal, TYPE) == {bibo("Journal")}


def test_the_commonest_title_of_a_journal_wins_and_the_other_is_kept() -> None:
    built = case("journals")
    journal = pfd("journal", "Ann Invent Pathw")
    assert built.texts(None, journal, dcterms("title")) == {"Annals of Invented Pathways"}
    assert any(text.endswith("=Ann. Inv. Pathways") for text in built.texts(None, journal, pfocr("variant")))
    assert built.warned("facts-disagree")


def test_a_journal_without_abbreviation_is_known_by_its_title() -> None:
    built = case("journals")
    journal = pfd("journal", "title", "Letters: Imaginary & Co")
    assert built.objects("core", paper("PMC9000802"), dcterms("isPartOf")) == {journal}
    assert built.texts(None, journal, dcterms("title")) == {"Letters: Imaginary & Co"}
    assert not built.objects(None, journal, bibo("shortTitle"))


def test_an_empty_publisher_is_none() -> None:
    assert not case("journals").objects(None, paper("PMC9000802"), dcterms("publisher"))


def test_names_are_encoded_in_iris_and_verbatim_as_text() -> None:
    built = case("journals")
    name = 'Published by "Nobody" / Sons'
    publisher = pfd("publisher", name)
    assert built.objects("core", paper("PMC9000803"), dcterms("publisher")) == {publisher}
    assert built.texts(None, publisher, NamedNode("http://xmlns.com/foaf/0.1/name")) == {name}
    journal = pfd("journal", "Res. & Dev. (Wash D C)")
    assert built.objects("core", paper("PMC9000803"), dcterms("isPartOf")) == {journal}


@pytest.mark.parametrize(
    ("number", "keywords"),
    [
        (1, {"alpha", "beta gamma", "delta"}),
        (2, {"single"}),
        (3, {"x", "y"}),
        (4, {"TGF|beta", "other"}),
    ],
)
def test_author_keywords_are_cut_and_trimmed(number: int, keywords: set[str]) -> None:
    built = case("author-keywords")
    assert built.texts("core", paper(f"PMC90009{number:02}"), schema("keywords")) == keywords
    assert not built.objects(None, figure(f"PMC90009{number:02}__f"), schema("keywords"))


@pytest.mark.parametrize(
    ("form", "old"),
    [
        ("scalar", {"PMC9001001__F1"}),
        ("list", {"PMC9001001__F2", "PMC9001001__F2_old"}),
    ],
)
def test_old_addresses_are_absolute(form: str, old: set[str]) -> None:
    built = case("redirects")
    expected = {f"https://pfocr.wikipathways.org/figures/{alias}" for alias in old}
    assert built.texts("core", figure(f"PMC9001001__{form}"), dcterms("replaces")) == expected


def test_what_is_no_site_path_is_no_old_address() -> None:
    built = case("redirects")
    assert built.refused("bad-redirect", field="redirect_from", value="javascript:alert(1)", kind="values")
    assert not built.objects(None, figure("PMC9001001__bad"), dcterms("replaces"))


def test_the_alias_is_another_name() -> None:
    built = case("redirects")
    assert built.texts("core", figure("PMC9001001__scalar"), schema("alternateName")) == {"PMC9001001__F1"}
    assert built.texts("core", figure("PMC9001001__scalar"), LABEL) == {"Example figure"}
