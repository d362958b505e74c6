"""A token is the term that was meant: pyoxigraph and rdflib read back what went in."""

from __future__ import annotations

from decimal import Decimal

import pyoxigraph as ox
import pytest
import rdflib
from hypothesis import given
from hypothesis import strategies as st

from pfocr_rdf import identifiers as ids
from pfocr_rdf import serialize, terms

XSD = ids.PREFIXES["xsd"]
XML_TEXT = st.text(
    st.characters(exclude_categories=["Cs"]).filter(
        lambda c: c in "\t\n\r" or (ord(c) >= 32 and c not in "\ufffe\uffff")
    )
)
SEGMENT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def read(token: str) -> ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple:
    """The term that pyoxigraph reads from a token."""
    text = f"{serialize.HEADER}<http://e/s> <http://e/p> {token} ."
    (triple,) = ox.parse(text, format=ox.RdfFormat.TURTLE)
    value: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple = triple.object
    return value


def read_rdflib(token: str) -> rdflib.term.Node:
    text = f"{serialize.HEADER}<http://e/s> <http://e/p> {token} ."
    (value,) = rdflib.Graph().parse(data=text.encode(), format="turtle").objects()
    return value


@given(XML_TEXT)
def test_any_text_survives_as_a_string(text: str) -> None:
    assert read(terms.string(text)) == ox.Literal(text)
    assert "\n" not in terms.string(text)


@given(XML_TEXT)
def test_rdflib_reads_the_same_string(text: str) -> None:
    assert str(read_rdflib(terms.string(text))) == text


@given(SEGMENT)
def test_any_text_makes_a_legal_iri_and_comes_back(text: str) -> None:
    iri = ids.publisher(text)
    assert read(terms.iri(iri)) == ox.NamedNode(iri)
    assert ids.decode(iri.removeprefix(ids.publisher(""))) == text


@given(SEGMENT, SEGMENT)
def test_encoding_is_injective(one: str, other: str) -> None:
    assert (ids.slug(one) == ids.slug(other)) == (one == other)


@pytest.mark.parametrize(
    ("iri", "token"),
    [
        ("http://purl.obolibrary.org/obo/NCBITaxon_9606", "obo:NCBITaxon_9606"),
        ("http://schema.org/Dataset", "schema:Dataset"),
        ("https://w3id.org/pfocr/vocab#word", "pfocr:word"),
        ("https://w3id.org/pfocr/mention/PMC1__f/gene-1", "<https://w3id.org/pfocr/mention/PMC1__f/gene-1>"),
        ("https://w3id.org/pfocr/organism/a%20b", "<https://w3id.org/pfocr/organism/a%20b>"),
        ("http://schema.org/.hidden", "<http://schema.org/.hidden>"),
        ("http://schema.org/", "<http://schema.org/>"),
    ],
)
def test_iris_are_shortened_only_where_nothing_needs_an_escape(iri: str, token: str) -> None:
    assert terms.iri(iri) == token
    assert terms.expand(token) == iri
    assert read(token) == ox.NamedNode(iri)


@pytest.mark.parametrize(
    "bad", ["http://e/a b", 'http://e/"', "http://e/<x>", "http://e/{x}", "http://e/\n", "http://e/a\\b"]
)
def test_an_illegal_iri_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="not an IRI"):
        terms.iri(bad)


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("1", "1.0"),
        ("0", "0.0"),
        ("0.50", "0.5"),
        ("8.5e-1", "0.85"),
        ("-0", "0.0"),
        ("+.5", "0.5"),
        ("1E1", "10.0"),
        ("100", "100.0"),
    ],
)
def test_decimals_are_canonical(text: str, token: str) -> None:
    value = terms.parse_decimal(text)
    assert value is not None
    assert terms.decimal(value) == token
    assert read(token) == ox.Literal(token, datatype=ox.NamedNode(f"{XSD}decimal"))


@given(st.decimals(min_value=-10, max_value=10, places=12))
def test_decimals_keep_their_value(value: Decimal) -> None:
    token = terms.decimal(value)
    assert Decimal(token) == value
    assert not token.endswith("00")


@pytest.mark.parametrize("text", ["", "nan", "inf", "1e999", "1e-999999999", "0x1", "1_0", "1.2.3", "٣", "1" * 41])
def test_what_is_no_number_is_none(text: str) -> None:
    assert terms.parse_decimal(text) is None


def test_other_literals() -> None:
    assert read(terms.gyear("2021")) == ox.Literal("2021", datatype=ox.NamedNode(f"{XSD}gYear"))
    assert read(terms.integer(42)) == ox.Literal("42", datatype=ox.NamedNode(f"{XSD}integer"))
    assert read(terms.tagged("a", "EN-gb")) == ox.Literal("a", language="en-gb")
    assert read(terms.typed("a", "http://e/t")) == ox.Literal("a", datatype=ox.NamedNode("http://e/t"))


PAIRS = st.lists(
    st.tuples(
        st.sampled_from(["a", "dcterms:title", "schema:name", "pfocr:word"]),
        XML_TEXT.map(terms.string) | st.integers().map(terms.integer) | SEGMENT.map(ids.publisher).map(terms.iri),
    ),
    min_size=1,
)


@given(SEGMENT.map(ids.publisher), PAIRS)
def test_a_block_comes_back_as_it_was(subject: str, pairs: list[tuple[str, str]]) -> None:
    text = serialize.block(subject, pairs)
    assert serialize.read_block(text) == (subject, sorted(set(pairs)))
    assert text.count("\n    ") == len(set(pairs))
    assert serialize.block(subject, reversed(pairs)) == text
