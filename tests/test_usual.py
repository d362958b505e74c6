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


def found_in(text: str, layer: str = Layer.EVIDENCE_GENES) -> dict[str, int]:
    """What the slow way finds in a mention."""
    PASS.tally = stream.Tally()
    for subject, said in stream.subjects(HEAD + text.encode()):
        PASS.look(subject, [(layer, said)])
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
    found = usual.mention(text, Layer.EVIDENCE_GENES)
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
    if usual.mention(text, Layer.EVIDENCE_GENES) is not None:
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
    assert usual.mention(changed, Layer.EVIDENCE_GENES) is None


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
    assert usual.split(block % mention, Layer.EVIDENCE_GENES) is None


def test_parts_between_are_given_as_they_are() -> None:
    taken = turtle("PMC1__a", "p53", "TP53", "ncbigene_symbol", ["7157"])
    odd = turtle("PMC1__b", "Aβ", "AB", "ncbigene_symbol", ["351"])
    found = usual.split(f"{odd}\n\n{taken}\n\n{odd}\n\n{odd}\n\n".encode(), Layer.EVIDENCE_GENES)
    assert found is not None
    assert [part if isinstance(part, str) else part[0] for part in found] == [
        odd,
        taken.partition(">")[0][1:],
        odd,
        odd,
    ]


WORDS = st.sampled_from(["NA", "", "-", "\\"]) | st.text(st.characters(max_codepoint=0x17F), max_size=8)


@given(
    st.sampled_from(["chemical", "disease"]),
    st.sampled_from(["D000255", "C012345", "C012345678", "D1", "255"]),
    st.sampled_from(["", "15422", "0", "01", "1234567890"]),
    WORDS,
    st.none() | WORDS,
    st.none() | WORDS,
    st.sampled_from(["", "0123456789ab"]),
)
@example("chemical", "D000255", "15422", "ATP", "ATP", "atp", "")
@example("disease", "D003139", "", "cold", None, None, "")
def test_nothing_is_found_in_what_is_taken_of_chemicals_and_diseases(
    kind: str, mesh: str, other: str, word: str, match: str | None, name: str | None, digits: str
) -> None:
    layer = Layer.EVIDENCE_CHEMICALS if kind == "chemical" else Layer.EVIDENCE_DISEASES
    space = "CHEBI" if kind == "chemical" else "DOID"
    cells = (word, match or "NA", name or "NA", f"MESH:{mesh}", f"{space}:{other}" if other else "NA")
    key = digits or hashlib.sha256(SEPARATOR.join(cells).encode()).hexdigest()[:12]
    pairs = [
        ("a", "oa:Annotation"),
        ("dcterms:source", f"<{ids.LEXICONS}{kind}-mesh>"),
        ("oa:hasBody", f"<{ids.MESH}{mesh}>"),
        ("oa:hasTarget", f"<{ids.FIGURES}PMC1__a.html>"),
        ("pfocr:word", string(word)),
    ]
    pairs += [("dcterms:relation", f"obo:{space}_{other}")] if other else []
    pairs += [("pfocr:match", string(match))] if match is not None else []
    pairs += [("pfocr:name", string(name))] if name is not None else []
    text = serialize.block(f"{ids.MENTIONS}PMC1__a/{kind}-{key}", pairs).rstrip("\n")
    found = usual.mention(text, layer)
    if (word, mesh, digits) in (("ATP", "D000255", ""), ("cold", "D003139", "")):
        assert found is not None
    if found is not None:
        assert found_in(text, layer) == {}
        assert found[1].triples == len(pairs)
        other_layer = Layer.EVIDENCE_DISEASES if kind == "chemical" else Layer.EVIDENCE_CHEMICALS
        assert usual.mention(text, other_layer) is None


@pytest.mark.parametrize("layer", sorted(usual.LAYERS))
def test_most_mentions_of_a_build_are_taken_and_both_ways_find_the_same(
    layer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = build(str(ROOT / "docs" / "example"), tmp_path / "build", Options()).folder
    blocks = (buildfolder.layer_files(folder)[layer]).read_bytes()
    parts = usual.split(blocks[len(HEAD) :], layer)
    assert parts is not None
    taken = [part for part in parts if not isinstance(part, str)]
    assert len(taken) > 0.4 * blocks.count(b"oa:Annotation")
    assert found_in("".join(f"{text}\n\n" for _, text in taken), layer) == {}
    release = Release.open(folder)
    layers, faults = stream.index(release)
    assert not faults
    (whole,) = stream.cut(release, layers, 10**9)
    fast = stream.look(whole)
    monkeypatch.setattr(usual, "split", lambda *_: None)
    assert stream.look(whole) == fast
