"""What is taken as a gene mention of the usual form is one in which no check of the streaming pass finds anything."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pfocr_rdf import build, buildfolder, serialize
from pfocr_rdf import identifiers as ids
from pfocr_rdf.model import LEXICONS, SEPARATOR, Layer
from pfocr_rdf.pipeline import Options
from pfocr_rdf.terms import string
from pfocr_rdf.validation import stream, usual
from pfocr_rdf.validation.release import Release
from tests.support import ROOT

PASS = stream.Pass(stream._shacl(compat=False), stream._shacl(compat=True))
HEAD = serialize.HEADER.encode()


def found_in(text: str) -> dict[str, int]:
    """What the slow way finds in a mention."""
    PASS.tally = stream.Tally()
    for subject, said in stream.subjects(HEAD + text.encode()):
        PASS.look(subject, [(Layer.EVIDENCE_GENES, said)])
    return PASS.tally.counts


def turtle(figid: str, word: str, match: str, lexicon: str, genes: list[str], digits: str = "") -> str:
    cells = SEPARATOR.join((word, match, lexicon))
    key = digits or hashlib.sha256(cells.encode()).hexdigest()[:12]
    bodies = [("oa:hasBody", f"<{ids.GENES}{gene}>") for gene in genes]
    pairs = [
        ("a", "oa:Annotation"),
        ("dcterms:source", f"<{ids.LEXICONS}{lexicon}>"),
        *bodies,
        ("oa:hasTarget", f"<{ids.FIGURES}{figid}.html>"),
        ("pfocr:match", string(match)),
        ("pfocr:word", string(word)),
    ]
    return serialize.block(f"{ids.MENTIONS}{figid}/gene-{key}", pairs).rstrip("\n")


FIGIDS = st.from_regex(r"PMC[1-9][0-9]{0,7}__[A-Za-z0-9._-]{1,12}", fullmatch=True) | st.from_regex(
    r"[A-Za-z0-9%/.:_-]{1,12}", fullmatch=True
)
TEXTS = st.sampled_from(["NA", "null", "", " ", "-", "\\", '"', "a\tb", "µ", "Aβ"]) | st.text(
    st.characters(max_codepoint=0x17F), max_size=8
)
GENES = st.lists(st.sampled_from(["1", "7157", "0", "01", "999999999999", "1234567890123", "x"]), max_size=3)


def test_the_usual_mention_is_taken() -> None:
    text = turtle("PMC1__a", "p53", "TP53", "ncbigene_symbol", ["7157", "22059"])
    found = usual.mention(text)
    assert found is not None
    digits = hashlib.sha256(b"p53\x1fTP53\x1fncbigene_symbol").hexdigest()[:12]
    assert found[0] == f"{ids.MENTIONS}PMC1__a/gene-{digits}"
    assert found[1].triples == 7
    assert found_in(text) == {}


@given(FIGIDS, TEXTS, TEXTS, st.sampled_from([*LEXICONS, "other"]), GENES, st.sampled_from(["", "0123456789ab"]))
@example("PMC1__a", "NA", "NA", "ncbigene_symbol", ["1"], "")
def test_nothing_is_found_in_what_is_taken(
    figid: str, word: str, match: str, lexicon: str, genes: list[str], digits: str
) -> None:
    text = turtle(figid, word, match, lexicon, genes, digits)
    if usual.mention(text) is not None:
        assert found_in(text) == {}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("oa:Annotation", "oa:Choice"),
        ("    a oa:Annotation ;\n", ""),
        ("https://identifiers", "http://identifiers"),
        ("PMC1__a.html", "PMC1__b.html"),
        ("/ncbigene/22059", "/ncbigene/7157"),
        ("/ncbigene/22059", "/ncbigene/0"),
        ("pfocr:word", "pfocr:name"),
        ('"p53"', '"p53"@en'),
        ('"p53"', '"p54"'),
        ('"p53"', '"p53" , "p54"'),
        (" .", " ;\n    pfocr:symbol <x> ."),
        ("ncbigene_symbol", "ncbigene_synonym"),
    ],
)
def test_what_differs_is_looked_at_term_by_term(old: str, new: str) -> None:
    text = turtle("PMC1__a", "p53", "TP53", "ncbigene_symbol", ["7157", "22059"])
    changed = new.join(text.rsplit(old, 1))
    assert changed != text
    assert usual.mention(changed) is None


@pytest.mark.parametrize(
    "block",
    [
        b"@prefix oa: <http://example.org/> .\n\n%b\n\n",
        b"PREFIX oa: <http://example.org/>\n\n%b\n\n",
        b'<http://example.org/a> <http://example.org/b> """\n\n%b\n\n""" .\n\n',
        b"\xff\n\n%b\n\n",
    ],
)
def test_a_block_in_which_names_may_mean_something_else_is_parsed_as_a_whole(block: bytes) -> None:
    mention = turtle("PMC1__a", "p53", "TP53", "ncbigene_symbol", ["7157"]).encode()
    assert usual.split(block % mention) is None


def test_parts_between_are_given_as_they_are() -> None:
    taken = turtle("PMC1__a", "p53", "TP53", "ncbigene_symbol", ["7157"])
    odd = turtle("PMC1__b", "Aβ", "AB", "ncbigene_symbol", ["351"])
    found = usual.split(f"{odd}\n\n{taken}\n\n{odd}\n\n{odd}\n\n".encode())
    assert found is not None
    assert [part if isinstance(part, bytes) else part[0] for part in found] == [
        f"{odd}\n\n".encode(),
        taken.partition(">")[0][1:],
        f"{odd}\n\n{odd}\n\n".encode(),
    ]


def test_most_mentions_of_a_build_are_taken_and_both_ways_find_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = build(str(ROOT / "docs" / "example"), tmp_path / "build", Options()).folder
    blocks = (buildfolder.layer_files(folder)[Layer.EVIDENCE_GENES]).read_bytes()
    parts = usual.split(blocks[len(HEAD) :])
    assert parts is not None
    taken = [part for part in parts if not isinstance(part, bytes)]
    assert len(taken) > 0.8 * blocks.count(b"oa:Annotation")
    assert found_in("".join(f"{text}\n\n" for _, text in taken)) == {}
    release = Release.open(folder)
    layers, faults = stream.index(release)
    assert not faults
    (whole,) = stream.cut(release, layers, 10**9)
    fast = stream.look(whole)
    monkeypatch.setattr(usual, "split", lambda _: None)
    assert stream.look(whole) == fast
