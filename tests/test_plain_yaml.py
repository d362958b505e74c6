"""The reader of the usual layout reads what YAML reads, or leaves the document to YAML."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from pfocr_rdf.extract import front_matter, plain_yaml
from pfocr_rdf.extract.front_matter import FrontMatterError
from pfocr_rdf.extract.text import decode
from pfocr_rdf.settings import Limits
from tests.support import SEEDS, SHARED

FIXTURES = Path(__file__).with_name("fixtures")
LIMITS = Limits()


def text_of(path: Path) -> str | None:
    try:
        return decode(path.read_bytes())[0]
    except UnicodeDecodeError:
        return None


def found(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in (".md", ".txt"))


def outcome(text: str) -> Any:
    """All that `parse` says of a text, in order; or its error."""
    try:
        front = front_matter.parse(text, LIMITS)
    except FrontMatterError as error:
        return error.code, error.line, error.value
    ordered = repr(front.fields), list(front.lines.items()), list(front.item_lines.items())
    return *ordered, front.requoted, front.body, front.cleaned


def check(text: str) -> bool | None:
    """Hold both readers' answers against each other; whether the fast one read, None where neither begins."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain_yaml, "read", lambda _: None)
        expected = outcome(text)
    assert outcome(text) == expected
    try:
        source, _ = front_matter.requote(front_matter.split(text)[0])
    except FrontMatterError:
        return None
    usual = plain_yaml.read(source)
    if usual is None:
        return False
    fields, lines, items, cleaned = front_matter.read_events(source, plain_yaml.DEEPEST)
    ordered = repr(fields), list(lines.items()), list(items.items())
    assert (repr(usual[0]), list(usual[1].items()), list(usual[2].items())) == ordered
    assert not cleaned
    return True


# Whole files


@pytest.mark.parametrize("folder", sorted(FIXTURES.iterdir()), ids=lambda path: path.name)
def test_fixtures_read_the_same(folder: Path) -> None:
    for path in found(folder):
        if (text := text_of(path)) is not None:
            check(text)


def test_seeds_are_of_the_usual_layout() -> None:
    paths = found(SEEDS)
    assert paths
    for path in paths:
        assert check(path.read_text(encoding="utf-8")) is (path.suffix == ".txt")


@pytest.mark.parametrize("name", ["generations", "inline-2021", "figid-dots", "journals", "gene-facts", "title-blanks"])
def test_usual_records_take_the_fast_way(name: str) -> None:
    paths = found(FIXTURES / name)
    assert paths
    assert [path.name for path in paths if not check(text_of(path) or "")] == []


def test_real_records_take_the_fast_way(shared: Path) -> None:
    paths = [path for folder in ("_figures", "_organisms") for path in sorted(shared.glob(f"records/*/{folder}/*.md"))]
    assert len(paths) > 30
    assert [path.name for path in paths if not check(text_of(path) or "")] == []


# The form, line by line

USUAL = (
    "a: b",
    "a: b c-d e#f g:h [i] {j} 'k' \"l\"",
    "a: (b) ~ = <<",
    "a: .na.character",
    "a: 1",
    "a: ~",
    "a: b\n  c\n  - d\n  'e'",
    "a: 'b: c # d'",
    "a: ''",
    "a: ' b '",
    "a: 'it''s'",
    "a: 'b\n  # c\n  '",
    "a: '\n  b'",
    'a: "b: c"',
    'a: "b\n  c"',
    "'@a': b",
    "a: []",
    "a: '[]'",
    "a:\n- b",
    "a:\n- b\n- 'c'\n- d\n  e\n- f\nb: c",
    "a:\n- b\n  - c",
    "a:\n  - b\n  - c\n    d\nb: c",
    "a:\n- b: c\n  d: 'e'\n- b: f\n    g\ng: h",
    "a:\n- b: []",
    "a:\n  b: c\n  '@d':\n  - e\n  - f\n  g:\n    h: i\n    j: k\n      l\n  m: []\nn: o",
    "a:\n  b:\n    c:\n    - d: e",
    "a: b\n\n\n",
    "a: \u00a0b\u3000",
    "a: \U0001f9ec \ue000 \ufdd0",
)
OTHER = (
    *("", "\n", "a", "a:", "a: ", "- a", "a : b", "a:b", " a: b", "? a", "?a: b", "a b: c", "-a: b", "1: b"),
    *("a: b: c", "a: b:", "a: b #c", "a: #b", "a: b ", "a:  b", "a: -b", "a: - b", "a: ?b", "a: :b", "a: ,", "a: %b"),
    *("a: &b c", "a: *b", "a: !b c", "a: !!str b", "a: |\n  b", "a: >\n  b", "a: @b", "a: `b", "a: {}", "a: [b]"),
    *("a: 'b", "a: 'b'c", "a: 'b' ", "a: 'b' # c", "a: '''", "a: 'b'c'", 'a: "b', 'a: "\\n"', 'a: "b"c"', 'a: "'),
    *("a: b\n c", "a: b\n   c", "a: b\nc", "a: b\n\n  c", "a: b\n  # c", "a: b\n  c: d", "a: b:\n  c", "a: b \n  c"),
    *("a: 'b\nc'", "a: 'b\n c'", "a: 'b\n\n  c'", "a: 'b \n  c'", "a:\n  b", "a:\n  'b'", "a:\n\n- b", "a: b\n\nc: d"),
    *("a:\n-", "a:\n- ", "a:\n-  b", "a:\n- - b", "a:\n- b\n-", "a:\n- b\n - c", "a:\n- []", "a:\n - b", "a:\n   - b"),
    *("a:\n- b: c\n- d", "a:\n- d\n- b: c", "a:\n- b: c\n   d: e", "a:\n- b:\n  - c", "a:\n- b: c\n  b: d"),
    *("a: b\na: c", "a: b\n'a': c", "a:\n  b: c\n  b: d", "a:\n  b: c\n d: e", "a:\n  b: c\n    d: e", "# a\na: b"),
    *("a: b\n# c", "%YAML 1.1", "a: b\tc", "a:\tb", "a: b\n\tc", "a: b\r", "a: \u0085", "a: b\u2028c", "a: b\u2029"),
    *("a: \ufeffb", "\ufeffa: b", "a: \x00", "a: \x07", "a: \x7f", "a: \x9f", "a: \ufffe", "a: \uffff", "a: \ud800"),
    *("a:\n  b:\n    c:\n      d: e", "a: 'b'\n  c", "a: []\n  b", "a:\n- 'b'\n  c", "a:\n- 'b': c\n  'b': d"),
)


@pytest.mark.parametrize("source", USUAL)
def test_lines_of_the_usual_layout_are_read(source: str) -> None:
    assert check(f"---\n{source}\n---\n") is True


@pytest.mark.parametrize("source", OTHER)
def test_lines_of_any_other_form_are_left_to_yaml(source: str) -> None:
    assert plain_yaml.read(source) is None
    if "\ud800" not in source:  # no text that `decode` gives
        assert not check(f"---\n{source}\n---\n")


def test_fields_keep_their_order_and_lines() -> None:
    source = "b: c\n  d\na:\n- e\n- f\n  g\n- h\n'@k':\n- l: m\n    n\n  o: p\n- l: q\nr:\n  s: t\nu: []\nv: w"
    fields, lines, items = plain_yaml.read(source) or ({}, {}, {})
    assert list(fields.items()) == [
        ("b", "c d"),
        ("a", ["e", "f g", "h"]),
        ("@k", [{"l": "m n", "o": "p"}, {"l": "q"}]),
        ("r", {"s": "t"}),
        ("u", []),
        ("v", "w"),
    ]
    assert lines == {"b": 2, "a": 4, "@k": 9, "r": 14, "u": 16, "v": 17}
    assert items == {"a": [5, 6, 8], "@k": [10, 13]}


def test_a_raw_list_is_requoted_before_it_is_read() -> None:
    text = "---\norganisms:\n- Homo sapiens\n- 'a'\n- b: 'c'\n- - d\norganisms_ner:\n- \u00a0#e\nkeywords:\n- f\n---\n"
    assert check(text) is True
    front = front_matter.parse(text, LIMITS)
    assert front.fields["organisms"] == ["Homo sapiens", "a", "b: 'c'", "- d"]
    assert front.requoted == [(5, "b: 'c'"), (6, "- d"), (8, "#e")]


def test_a_low_limit_of_depth_holds() -> None:
    text = "---\na:\n  b:\n    c: d\n---\n"
    assert front_matter.parse(text, LIMITS).fields == {"a": {"b": {"c": "d"}}}
    with pytest.raises(FrontMatterError) as refused:
        front_matter.parse(text, Limits(yaml_depth=2))
    assert (refused.value.code, refused.value.line) == ("too-complex", 4)


def test_a_low_limit_of_brackets_holds() -> None:
    with pytest.raises(FrontMatterError) as refused:
        front_matter.parse("---\na: 'x [[ y'\n---\n", Limits(yaml_brackets=1))
    assert (refused.value.code, refused.value.value) == ("too-complex", "brackets")


def test_a_large_document_is_left_to_yaml() -> None:
    items = "- a\n" * (plain_yaml.LARGEST // 4 - 1)
    assert plain_yaml.read("k:\n" + items) is not None
    assert plain_yaml.read("k:\n" + items + "- a\n") is None


# Documents at random

ALPHABET = (
    *":#-?'\"[]{}&*!|>@%\\`,.~= ab1é\t\n",
    *("\x85", "\u2028", "\u2029", "\ufeff", "\u00a0", "\u3000", "\x00", "\x07", "\x7f", "\x9f", "\r", "\x0b", "\x1c"),
    *("\U0001f9ec", "\ue000", "\ufffe", "\uffff", ": ", " #", "''", "  ", "- ", ":\n", " \n", "\n  ", "\n    ", "\n- "),
)
SCALARS = st.one_of(
    st.sampled_from(
        ["b", "b c", "NA", ".na.character", "''", "'b'", "'b: c'", '"b"', "[]", "~", "b\n  c", "'b\n    c'"]
    ),
    st.lists(st.sampled_from(ALPHABET), max_size=6).map("".join),
    st.text(max_size=8),
)
KEYS = st.sampled_from(
    ["a", "b", "c", "@d", "'@d'", "'a'", "organisms", "organisms_ner", "keywords", "e f", "genes", ""]
)
INDENTS = st.sampled_from(["", "", "", "", "  ", "  ", "    ", " ", "   ", "      "])
LINES = st.one_of(
    st.builds("{}{}: {}".format, INDENTS, KEYS, SCALARS),
    st.builds("{}{}:".format, INDENTS, KEYS),
    st.builds("{}- {}".format, INDENTS, SCALARS),
    st.builds("{}- {}: {}".format, INDENTS, KEYS, SCALARS),
    st.builds("{}{}".format, INDENTS, SCALARS),
)
ENTRIES = st.one_of(
    st.sampled_from([source.partition(":")[2] for source in USUAL]),
    st.lists(SCALARS, min_size=1, max_size=3).map(lambda items: "".join(f"\n- {item}" for item in items)),
    SCALARS.map(" {}".format),
    SCALARS.map("\n- a: b\n  c: {}".format),
    SCALARS.map("\n  a: b\n  c: {}".format),
)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Mostly entries of the usual layout under keys of their own, with an odd line between at times."""
    entries = draw(st.lists(ENTRIES, max_size=5))
    lines = [f"{name}:{entry}" for name, entry in zip(("k", "organisms", "'@m'", "n", "o_p"), entries, strict=False)]
    for odd in draw(st.one_of(st.just([]), st.just([]), st.lists(LINES, max_size=3))):
        lines.insert(draw(st.integers(0, len(lines))), odd)
    return "\n".join(["---", *lines, "---", ""])


def hold(text: str) -> None:
    event({True: "read", False: "left to YAML", None: "no front matter"}[check(text)])


@given(documents())
def test_a_random_document_reads_the_same(text: str) -> None:
    hold(text)


@pytest.mark.slow
@settings(max_examples=10_000)
@given(documents())
def test_many_random_documents_read_the_same(text: str) -> None:
    hold(text)


@cache
def records() -> tuple[str, ...]:
    """Records of the fixtures and, where they are, the shared ones."""
    paths = [*FIXTURES.glob("*/_figures/*.md"), *SHARED.glob("records/*/_figures/*.md")]
    texts = [text_of(path) for path in sorted(paths)]
    return tuple(text for text in texts if text is not None and text.count("\n") > 4)


def spoilt(seed: int) -> Iterator[str]:
    """Endless records, or some lines of one, each with a few characters or lines dropped, repeated, put in or moved."""
    choose = random.Random(seed)  # noqa: S311 - a seeded choice of test data
    while True:
        lines = choose.choice(records()).split("\n")[1:-2]
        if choose.random() < 0.7:
            first = choose.randrange(len(lines))
            head = choose.choice([[], [], ["k:"], ["organisms:"], ["schema-jsonld:"], ["a:", "  b:"], ["caption: '"]])
            lines = head + lines[first : first + choose.randint(1, 12)]
        text = "\n".join(lines)
        for _ in range(choose.choice([1, 1, 1, 2, 4])):
            at, odd = choose.randint(0, len(text)), choose.choice(ALPHABET)
            lines = text.split("\n")
            line, other = choose.randrange(len(lines)), choose.randrange(len(lines))
            match choose.randrange(8):
                case 0:
                    text = text[:at] + text[at + choose.randint(1, 3) :]
                case 1 | 2:
                    text = text[:at] + odd + text[at:]
                case 3:
                    text = text[: at + choose.randint(1, 30)] + text[at:]
                case 4:
                    lines[line], lines[other] = lines[other], lines[line]
                    text = "\n".join(lines)
                case 5:
                    lines[line] = choose.choice([" ", "  ", "   "]) + lines[line]
                    text = "\n".join(lines)
                case 6:
                    lines[line] = lines[line][choose.randint(1, 2) :]
                    text = "\n".join(lines)
                case _:
                    before, mark, after = lines[line].partition(choose.choice([": ", "- "]))
                    lines[line] = choose.choice([before + mark + odd + after, lines[line] + odd])
                    text = "\n".join(lines)
        yield f"---\n{text}\n---\n"


def hold_spoilt(count: int, seed: int) -> None:
    texts = spoilt(seed)
    results = [check(next(texts)) for _ in range(count)]
    assert results.count(True) > count // 20
    assert results.count(False) > count // 4


def test_a_spoilt_record_reads_the_same() -> None:
    hold_spoilt(1_000, seed=1)


@pytest.mark.slow
def test_many_spoilt_records_read_the_same() -> None:
    hold_spoilt(100_000, seed=2)
