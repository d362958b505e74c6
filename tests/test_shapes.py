"""A block whose shape is known is not expanded again, and comes out as pyld's own expansion would have it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from pfocr_rdf import identifiers as ids
from pfocr_rdf import jsonld, shapes, terms
from pfocr_rdf.expansion import Expander
from pfocr_rdf.extract import front_matter, text
from pfocr_rdf.identifiers import NOTHING
from pfocr_rdf.model import Article, Figure
from pfocr_rdf.settings import Settings
from pfocr_rdf.shapes import Shapes
from tests.support import ROOT, SEEDS

USUAL: dict[str, Any] = {
    "@context": "https://schema.org/",
    "@type": "Dataset",
    "description": "A caption",
    "license": "CC0",
    "name": "CreativeWork",
    "creator": {"@type": "Organization", "name": "WikiPathways"},
    "keywords": ["TP53", "Off"],
}
ODD_CONTEXT = json.dumps(
    {
        "@context": {
            "@version": 1.1,
            "@vocab": "http://schema.org/",
            "schema": "http://schema.org/",
            "id": "@id",
            "type": "@type",
            "kind": "@type",
            "value": "@value",
            "tongue": "@language",
            "both": "@graph",
            "place": "@index",
            "within": "@nest",
            "also": "@included",
            "keywords": {"@id": "schema:keywords", "@container": "@set"},
            "license": {"@id": "http://terms.example.org/licence"},
            "award": {"@id": "schema:award", "@language": "en"},
            "description": {"@id": "schema:description", "@type": "@none"},
            "headline": {"@id": "schema:headline", "@container": "@language"},
            "about": {"@id": "schema:about", "@container": "@index"},
            "alternateName": {"@id": "schema:alternateName", "@container": "@list"},
            "text": {"@id": "schema:text", "@type": "@json"},
            "genre": {"@id": "schema:genre", "@type": "@vocab"},
            "url": {"@id": "schema:url", "@type": "@id"},
            "dateCreated": {"@id": "schema:dateCreated", "@type": "http://www.w3.org/2001/XMLSchema#gYear"},
            "position": {"@id": "schema:position", "@type": "http://www.w3.org/2001/XMLSchema#string"},
            "image": {"@reverse": "schema:image"},
            "isPartOf": {"@id": "schema:isPartOf", "@container": "@graph"},
            "publisher": {"@id": "schema:publisher", "@container": "@id"},
            "mentions": {"@id": "schema:mentions", "@container": "@type"},
            "size": {"@id": "schema:size", "@context": {"@vocab": "http://size.example.org/", "@language": "de"}},
            "creator": {"@id": "schema:creator", "@context": {"name": "http://creator.example.org/name"}},
            "comment": {"@id": "schema:comment", "@direction": "rtl"},
            "abstract": None,
            "https": "http://terms.example.org/https#",
            "Person": {
                "@id": "schema:Person",
                "@context": {"keywords": {"@id": "schema:keywords", "@type": "@id"}, "award": None},
            },
            "Place": {"@id": "schema:Place", "@context": {"url": "schema:url", "license": "schema:license"}},
        }
    }
)
"""Uses what JSON-LD 1.1 has to make a text anything but a plain literal."""
LITERAL_CONTEXT = json.dumps({"@context": {"@vocab": "http://vocab.example.org/"}})
"""Knows no address: even those of licences are texts, in a place that is not schema.org's."""
CONTEXTS = (None, ODD_CONTEXT, LITERAL_CONTEXT)


def figure(block: Any, figid: str = "PMC1__f", title: str = "A title") -> Figure:
    return Figure(figid, "2024", f"{figid}.md", Article("PMC1"), title=title, block=block, block_line=7)


def forget(context: str | None) -> Shapes:
    """Let the blocks of this context have no known shape."""
    known = Shapes()
    jsonld._expander(context).shapes = known
    return known


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """The blocks that pyld has expanded since the test began; no shape is known at its start."""
    said: list[object] = []
    expand = Expander.expand

    def counted(self: Expander, block: Any) -> dict[str, Any]:
        said.append(block)
        return expand(self, block)

    monkeypatch.setattr(Expander, "expand", counted)
    for context in CONTEXTS:
        forget(context)
    yield said
    for context in CONTEXTS:
        forget(context)


def agree(records: list[Figure], context: str | None) -> None:
    """Read the records one after the other: each must come out as it does alone."""
    for record in records:
        assert jsonld.read(record, context) == jsonld.read(record, context, shapes=False)


def plain(record: Figure, context: str | None) -> Counter[tuple[str, str]]:
    """The plain literals of a record's block, as pyld gives them."""
    assert record.block is not None
    block = {key: jsonld._without_missing(value) for key, value in record.block.items() if key != "license"}
    node = jsonld._expander(context).expand(jsonld.repair(block, record))
    return Counter(
        (terms.iri(name), terms.string(value["@value"]))
        for name, values in node.items()
        if not name.startswith("@")
        for value in values
        if value.keys() == {"@value"} and (value["@value"] not in NOTHING or name == "http://schema.org/keywords")
    )


# The usual block


def test_the_usual_block_is_expanded_for_its_first_three_records_only(calls: list[object]) -> None:
    for number in range(50):
        words = [f"GENE{number}", "a: b", 'q"\\\n', "https://e.org/x", "@id"][: 1 + number % 5]
        block = {**USUAL, "description": f"Caption {number}", "keywords": words}
        record = figure(block, f"PMC1__f{number}", f"Title {number}")
        before = len(calls)
        found = jsonld.read(record)
        taken = len(calls) == before
        assert taken == (number > 2)
        assert found == jsonld.read(record, shapes=False)
        assert found.licences == (ids.CC0,)
        assert found.usual_creator
        assert [pair for pair in found.pairs if pair[0] == "schema:keywords"] == [
            ("schema:keywords", terms.string(word)) for word in words
        ]
        texts = Counter(pair for pair in found.pairs if pair[1].startswith('"'))
        assert texts == plain(record, None)


@pytest.mark.parametrize(
    "more",
    [
        {"creator": {"@type": "Person", "name": "Ann"}},
        {"creator": {"@id": "https://people.example.org/ann", "name": "Ann"}},
        {"url": "some/where"},
        {"headline": {"@list": ["a"]}},
        {"a key": "x"},
        {"keywords": ["a", ["b"]], "about": {}},
        {"@graph": ["a"]},
        {"id": "https://e.org/"},
    ],
)
def test_what_names_nodes_or_has_problems_is_expanded_each_time(calls: list[object], more: dict[str, Any]) -> None:
    for _ in range(6):
        before = len(calls)
        jsonld.read(figure({**USUAL, **more}))
        assert len(calls) > before


@pytest.mark.parametrize("text", sorted(NOTHING))
def test_what_stands_for_a_missing_value_is_none_in_a_known_shape_too(text: str) -> None:
    usual = [{**USUAL, "headline": "a", "citation": ["b", "c"]} for _ in range(4)]
    odd = [{**USUAL, "headline": text, "citation": ["b", "c"]}, {**USUAL, "headline": "a", "citation": ["b", text]}]
    found = [jsonld.read(figure(block)) for block in (*usual, *odd, *usual)]
    assert [[problem.code for problem in said.problems] for said in found] == [[]] * 4 + [["missing-value"]] * 2 + [
        []
    ] * 4
    assert all(terms.string(text) not in [value for _, value in said.pairs] for said in found)
    assert {len(said.pairs) for said in found[4:6]} == {len(found[0].pairs) - 1}


@pytest.mark.parametrize("key", ["url", "dateCreated", "http://schema.org/license", "type", "@type"])
def test_where_a_text_is_no_plain_literal_another_text_is_another_shape(calls: list[object], key: str) -> None:
    for number in range(9):
        before = len(calls)
        jsonld.read(figure({**USUAL, key: f"https://e.org/{number}"}))
        assert len(calls) > before


def test_a_fixed_text_that_comes_again_is_a_known_shape(calls: list[object]) -> None:
    taken = []
    for number in range(6):
        record = figure({**USUAL, "url": "https://e.org/", "keywords": [f"G{number}"]})
        before = len(calls)
        found = jsonld.read(record)
        taken.append(len(calls) == before)
        assert ("schema:url", "<https://e.org/>") in found.pairs
    assert taken == [False, False, False, True, True, True]


def test_a_block_with_the_words_of_the_trial_has_no_plan(calls: list[object]) -> None:
    word = f"{shapes._WORD} 0"
    for number in range(5):
        record = figure({**USUAL, "about": {"@value": f"{word} 0"}, "keywords": [f"{number}"]})
        before = len(calls)
        found = jsonld.read(record)
        assert len(calls) > before
        assert found == jsonld.read(record, shapes=False)


def test_keys_and_order_within_a_value_are_part_of_the_shape() -> None:
    forget(None)
    values = [
        *({name: "https://e.org/"} for name in ("@value", "@id", "@list", "@set", "@type")),
        *({"@value": "2020", name: "en"} for name in ("@language", "@type", "@index")),
        *(["x", {"@value": "y"}], [{"@value": "x"}, "y"], [["x"], {"@value": "y"}], ["x", "y"], "x", []),
    ]
    for value in values:
        agree([figure({**USUAL, "headline": value})] * 3, None)
    agree([figure({**USUAL, "headline": value}) for value in values], None)


def test_licences_are_part_of_the_shape() -> None:
    """A link to a licence in another place stands only beside the same one under `license`."""
    for context in CONTEXTS:
        forget(context)
        blocks = [
            {**USUAL, "license": licence, "http://schema.org/license": {"@id": ids.CC0}}
            for licence in ("CC0", "CC BY 4.0", "none", "")
        ]
        agree([figure(block) for block in blocks * 4], context)


def test_each_context_has_shapes_of_its_own() -> None:
    for _ in range(5):
        (pairs, other) = (jsonld.read(figure(USUAL), context).pairs for context in (None, LITERAL_CONTEXT))
        assert ("schema:keywords", '"TP53"') in pairs
        assert ("<http://vocab.example.org/keywords>", '"TP53"') in other


def test_a_value_of_two_types_is_refused() -> None:
    """JSON-LD lets `@type` and its other name stand side by side, and gives a list of both."""
    forget(None)
    kind = "http://www.w3.org/2001/XMLSchema#integer"
    record = figure({**USUAL, "size": {"@type": kind, "type": kind, "@value": "5"}})
    agree([record] * 4, None)
    assert [(found.code, found.field) for found in jsonld.read(record).problems] == [
        ("jsonld-unsupported", "schema-jsonld.size")
    ]


# What is remembered has bounds


def test_a_thousand_hostile_shapes_leave_memory_bounded() -> None:
    known = forget(None)
    for number in range(1000):
        for _ in range(3):
            jsonld.read(figure({**USUAL, f"key{number}": "x", "url": f"https://e.org/{number}"}))
        assert len(known) <= 2 * shapes.MAX_SHAPES
    assert len(known) == 2 * shapes.MAX_SHAPES
    agree([figure({**USUAL, "keywords": [str(number)]}) for number in range(5)], None)


@pytest.mark.parametrize(
    "more",
    [
        {"about": {"@value": "x" * 5000}},
        {"k" * 5000: "x"},
        {f"k{number}": "x" for number in range(200)},
        {"about": [{"@value": "x"}] * 200},
        {"license": ["CC0"] * 500},
    ],
)
def test_a_big_shape_is_not_remembered(more: dict[str, Any]) -> None:
    known = forget(None)
    agree([figure({**USUAL, **more})] * 4, None)
    weights = [shapes._weight(key) for table in (known._fixed, known._plans) for key in table]
    assert all(weight <= shapes.MAX_WEIGHT for weight in weights)


def test_long_texts_and_lists_are_no_part_of_a_shape() -> None:
    known = forget(None)
    agree([figure({**USUAL, "description": "x" * 100_000, "keywords": ["y"] * 5000})] * 4, None)
    assert len(known) == 2


def test_a_deep_value_has_no_shape() -> None:
    known = forget(None)
    value: Any = "x"
    for _ in range(200):
        value = [value]
    agree([figure({**USUAL, "about": value})] * 4, None)
    assert len(known) == 0


@pytest.mark.parametrize("value", [None, True, 7, 1.5, ("a",), {7: "x"}])
def test_a_value_that_no_record_holds_has_no_shape(value: Any) -> None:
    known = forget(None)
    agree([figure({**USUAL, "size": value})] * 4, None)
    assert len(known) == 0


# Any block at all

TEXTS = st.one_of(
    st.sampled_from(
        (
            "plain",
            "",
            ".na.character",
            "NA",
            "CC0",
            "CreativeWork",
            "https://e.org/x",
            "https://e.org/a b",
            "http://[",
            "urn:x",
            "schema:name",
            "some/where",
            "//e.org",
            "#x",
            "?q",
            "_:b0",
            "@id",
            "@value",
            "@foo",
            "@json",
            "@none",
            "id",
            "name",
            "Person",
            "Place",
            "2020",
            "2020-01-01",
            "en",
            "ltr",
            'q"\\\n\t',
            "\U0001f9ec",
            f"{shapes._WORD} 0 0",
            ids.CC0,
            ids.WIKIPATHWAYS,
            ids.figure("PMC1__f"),
            ids.gene("1"),
        )
    ),
    st.text(max_size=6),
)
NAMES = (
    *("description", "name", "headline", "alternateName", "text", "abstract", "comment", "award", "position"),
    *("keywords", "keywords", "schema:keywords", "http://schema.org/keywords", "https://schema.org/keywords"),
    *("license", "http://schema.org/license", "schema:license", "creator", "publisher", "mentions", "about", "genre"),
    *("url", "image", "isPartOf", "sameAs", "dateCreated", "datePublished", "size", "unknown", "a key", "_:b", "x:y"),
    *("id", "type", "kind", "value", "tongue", "both", "place", "within", "also"),
    *("@type", "@graph", "@value", "@language", "@index", "@reverse", "@included", "@nest", "@list", "@set", "@other"),
    *("@direction", "@json", "@none", "http://www.w3.org/1999/02/22-rdf-syntax-ns#type", "http://purl.org/dc/terms/x"),
    *("http://e.org/p", "urn:p", "", "http://e.org/a b", shapes._WORD, f"{shapes._WORD} 0 0"),
)
"""Keys of all kinds: literals, links, dates, the same property under several names, keywords and their other names."""
INNER = (
    "@id",
    "id",
    "@type",
    "type",
    "@value",
    "@language",
    "@list",
    "@set",
    "@context",
    "name",
    "headline",
    "url",
    "en",
)
LISTS = st.lists(TEXTS, max_size=5).map(lambda items: [*items, *items[:1]] if len(items) % 2 else items)
VALUES: st.SearchStrategy[Any] = st.one_of(
    TEXTS,
    TEXTS,
    LISTS,
    st.sampled_from(
        (
            {"@type": "Organization", "name": "WikiPathways"},
            {"name": "WikiPathways", "@type": "Organization"},
            {"@type": "Organization", "name": "WikiPathways", "@id": ids.WIKIPATHWAYS},
            [{"@type": "Organization", "name": "WikiPathways"}],
            {"@id": ids.CC0},
            {"@id": "https://e.org/"},
            {"@value": "https://e.org/"},
            {"@value": "x"},
            {"@value": "x", "@language": "en"},
            {"@value": "5", "@type": "http://www.w3.org/2001/XMLSchema#integer"},
        )
    ),
    st.recursive(
        TEXTS,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(INNER), inner, max_size=3)
        ),
        max_leaves=5,
    ),
)


@st.composite
def sequences(draw: st.DrawFn) -> list[Figure]:
    """Records of a few shapes, in any order, each shape several times with other texts."""
    templates = []
    for _ in range(draw(st.integers(1, 2))):
        block: dict[str, Any] = dict(USUAL) if draw(st.booleans()) else {"@context": "http://schema.org"}
        for name in draw(st.lists(st.sampled_from(NAMES), max_size=4, unique=True)):
            block[name] = draw(VALUES)
        for name in draw(st.lists(st.sampled_from(sorted(block)), max_size=2, unique=True)):
            block.pop(name if name != "@context" else "@type", None)
        templates.append({name: block[name] for name in draw(st.permutations(list(block)))})
    records = []
    for number in range(draw(st.integers(2, 4))):
        block = dict(draw(st.sampled_from(templates)))
        figid = f"PMC1__{draw(st.sampled_from('fgé'))}"
        if draw(st.booleans()):
            block["@id"] = draw(st.sampled_from((ids.figure(figid), f"{ids.FIGURES}{figid}.html", "x", "")))
        for name, value in block.items():
            if isinstance(value, str) and name != "@context" and draw(st.integers(0, 2)) == 0:
                block[name] = draw(TEXTS)
            elif isinstance(value, list) and draw(st.booleans()):
                block[name] = draw(LISTS)
            elif isinstance(value, dict) and draw(st.integers(0, 3)) == 0:
                block[name] = draw(VALUES)
        records.append(figure(block, figid, draw(st.sampled_from(("A title", f"Title {number}", "@id", "")))))
    return draw(st.permutations(records * 3))


def check(records: list[Figure], context: str | None) -> None:
    known = forget(context)
    agree(records, context)
    plans = [plan for plan in known._plans.values() if plan not in (shapes._ONCE, shapes._NO_PLAN)]
    event(f"plans: {min(len(plans), 3)}")
    slots = sum(step.slot >= 0 for plan in plans for step in plan)
    event(f"slots: {min(slots, 5)}")


@pytest.mark.parametrize("context", CONTEXTS, ids=("shipped", "odd", "literal"))
def test_a_keyword_that_others_write_for_nothing_is_what_pyld_makes_of_it(context: str | None) -> None:
    """Under a context of another vocabulary its key is not that of schema.org's keywords."""
    said = ("plain", "plain", "other", "NA", "-", ["NA", "plain"])
    blocks = [{"@context": "http://schema.org", "alternateName": "plain", "keywords": text} for text in said]
    forget(context)
    agree([figure(block, "PMC1__f", "") for block in blocks], context)


@pytest.mark.parametrize("context", CONTEXTS, ids=("shipped", "odd", "literal"))
@given(records=sequences())
@settings(max_examples=40)
def test_any_block_comes_out_as_pyld_alone_expands_it(context: str | None, records: list[Figure]) -> None:
    check(records, context)


@pytest.mark.slow
@pytest.mark.parametrize("context", CONTEXTS, ids=("shipped", "odd", "literal"))
@given(records=sequences())
@settings(max_examples=2000)
def test_very_many_blocks_come_out_as_pyld_alone_expands_them(context: str | None, records: list[Figure]) -> None:
    check(records, context)


@pytest.mark.parametrize("context", CONTEXTS, ids=("shipped", "odd", "literal"))
@given(texts=st.lists(TEXTS.filter(bool), min_size=1, max_size=5), caption=TEXTS, names=st.permutations(list(USUAL)))
@settings(max_examples=40)
def test_what_fills_a_slot_is_what_pyld_makes_of_it(
    context: str | None, texts: list[str], caption: str, names: list[str]
) -> None:
    forget(context)
    block = {name: USUAL[name] for name in names}
    for _ in range(3):
        jsonld.read(figure(block), context)
    record = figure({**block, "keywords": texts, "description": caption})
    found = Counter(jsonld.read(record, context).pairs)
    assert plain(record, context) <= found


# Real records


@cache
def blocks(source: Path) -> tuple[Figure, ...]:
    """The records of a folder that have a block, as far as they can be read."""
    records = []
    for path in sorted([*source.glob("_figures/*.md"), *source.glob("*.txt")]):
        try:
            fields = front_matter.parse(text.decode(path.read_bytes())[0], Settings().limits).fields
        except ValueError:
            continue
        block = fields.get("schema-jsonld")
        if isinstance(block, dict):
            records.append(figure(block, str(fields["figid"]), str(fields.get("figtitle", ""))))
    return tuple(records)


def test_seeds_and_fixtures_come_out_as_pyld_alone_expands_them() -> None:
    records = [record for source in (SEEDS, *sorted((ROOT / "tests/fixtures").iterdir())) for record in blocks(source)]
    assert len(records) > 15
    for context in CONTEXTS:
        forget(context)
        agree(records * 3, context)


def test_real_records_are_of_known_shapes(shared: Path, calls: list[object]) -> None:
    records = [record for source in sorted((shared / "records").iterdir()) for record in blocks(source)]
    assert len(records) == 30
    agree(records, None)
    calls.clear()
    for record in records:
        assert record.block is not None
        found = jsonld.read(record)
        assert plain(record, None) == Counter(pair for pair in found.pairs if pair[1].startswith('"'))
    assert len(calls) == len(records)  # those of `plain`


def test_the_official_context_has_the_same_outcome(shared: Path) -> None:
    official = json.dumps(jsonld.read_context(shared / "schemaorg-context-30.0.jsonld"))
    records = [record for source in sorted((shared / "records").iterdir()) for record in blocks(source)]
    forget(official)
    agree([*records, *records], official)
    for record in records:
        assert jsonld.read(record, official) == jsonld.read(record)


@pytest.mark.slow
@given(records=sequences())
@settings(max_examples=300)
def test_any_block_comes_out_as_pyld_alone_expands_it_under_the_official_context(
    shared: Path, records: list[Figure]
) -> None:
    check(records, json.dumps(jsonld.read_context(shared / "schemaorg-context-30.0.jsonld")))
