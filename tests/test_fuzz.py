"""Real records, spoilt at random: no run fails, every input is accounted for, and the neighbour never changes."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Container
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
import yaml
from hypothesis import event, given, settings
from hypothesis import strategies as st

from pfocr_rdf import pipeline
from pfocr_rdf.identifiers import NO_VALUES
from pfocr_rdf.plan import plan
from pfocr_rdf.settings import Settings
from pfocr_rdf.workers import Serial
from tests.support import SHARED

FIXTURES = Path(__file__).with_name("fixtures")
ACCEPT = Settings(max_rejected=1, max_rejected_rows=1, shard_records=1)
KINDS = {"genes": "gene-rows", "chemicals": "chemical-rows", "diseases": "disease-rows"}
BOM = b"\xef\xbb\xbf"

NEIGHBOUR = "PMC9999999__neighbour"
NEIGHBOUR_FILES = {
    f"_figures/{NEIGHBOUR}.md": (
        f"---\nfigid: {NEIGHBOUR}\npmcid: PMC9999999\nfigtitle: The neighbour\ncaption: 'It stays: as it is'\n"
        "year: '2020'\norganisms:\n- Homo sapiens\norganisms_ner:\n- Homo sapiens\nautoml_pathway: 0.75\n---\n"
    ).encode(),
    f"_data/{NEIGHBOUR}-genes.tsv": (
        b"organism_id\torganism_name\torganism_group\tword\tmatch\tncbigene_symbol\tncbigene_id\tsource\n"
        b"9606\tHomo sapiens\tPrimates\tp53\tP53\tTP53\t7157\tncbigene_synonym\n"
        b"9606\tHomo sapiens\tPrimates\tAKT\tAKT\tAKT1\t207\tfamplex_relations\n"
        b"9606\tHomo sapiens\tPrimates\tAKT\tAKT\tAKT2\t208\tfamplex_relations\n"
    ),
    f"_data/{NEIGHBOUR}-chemicals.tsv": b"word\tmesh\tmatch\tname\tchebi\nNO\tNA\tNA\tNA\tNA\n"
    b"Tyrosine\tmesh:D014443\ttyrosine\ttyrosine\tchebi:18186\n",
    f"_data/{NEIGHBOUR}-diseases.tsv": b"word\tmesh\tmatch\tname\tdoid\n"
    b"Psoriasis\tNA\tpsoriasis\tpsoriasis\tDOID:8893\n",
}
NEIGHBOUR_ROWS = {"gene-rows": 3, "chemical-rows": 2, "disease-rows": 1}


@dataclass(frozen=True)
class Sample:
    """A record as it is, with its tables."""

    figid: str
    record: bytes
    tables: tuple[tuple[str, bytes], ...]

    def __repr__(self) -> str:
        return f"<{self.figid}>"


@cache
def samples() -> tuple[Sample, ...]:
    """All records of the fixtures and, where they are, the shared ones; tables of more than 40 rows are cut."""
    found = []
    for source in (*sorted(FIXTURES.iterdir()), *sorted(SHARED.glob("records/*"))):
        for path in sorted(source.glob("_figures/*.md")):
            tables = []
            for kind in KINDS:
                table = source / "_data" / f"{path.stem}-{kind}.tsv"
                if table.is_file():
                    tables.append((kind, b"".join(table.read_bytes().splitlines(keepends=True)[:41])))
            found.append(Sample(path.stem, path.read_bytes(), tuple(tables)))
    return tuple(found)


# Ways to spoil a record

ODD = (
    "",
    " ",
    "NA",
    ".na.character",
    "null",
    "~",
    "yes",
    "NO",
    "1e5",
    "0x1f",
    "-1",
    "1" * 60,
    "2021-01-01",
    "../../etc/passwd",
    "https://example.org/a b",
    "http://[",
    "urn:x",
    "_:b0",
    "//",
    "<x>",
    '"',
    "\\",
    "\\u0000",
    '"""',
    "a\u2028b",
    "a\u0085b",
    "\ufeff",
    "\ufffe",
    "\U0001f9ec",
    "e\u0301",
    "İ",
    "x" * 300,
    "@id",
    "@context",
    "- a",
    "[a",
    "{a: b",
    "*a",
    "&a b",
    "!!binary aGk=",
    "# a",
    "a: b",
    "a\tb",
    "%41",
    "PMC1__x",
    "10.1/<>",
    "1900",
    "mesh:D000001",
    "chebi:1",
    "doid:0001",
    "ncbigene_symbol",
    "famplex_relations",
    "9606",
    "0",
)
TEXTS = st.one_of(st.sampled_from(ODD), st.text(max_size=12))
VALUES: st.SearchStrategy[Any] = st.recursive(
    TEXTS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)


def _whole(data: Any) -> Any:
    """A front matter's values, or an empty map for what is none."""
    try:
        value = yaml.load(data.decode("utf-8").split("\n---")[0], Loader=yaml.CBaseLoader)  # noqa: S506 - texts only
    except (yaml.YAMLError, UnicodeDecodeError):
        return {}
    return value if isinstance(value, dict) else {}


def _fields(draw: st.DrawFn, record: bytes) -> bytes:
    """Change the fields of a record and write it anew."""
    given = _whole(record)
    keys = list(given)
    if not keys:
        return record
    for _ in range(draw(st.integers(1, 3))):
        key = draw(st.sampled_from(keys))
        # the identity is changed seldom, since a record without it is refused before all else
        if key in ("figid", "pmcid") and draw(st.integers(0, 3)):
            continue
        match draw(st.sampled_from(("drop", "swap", "odd", "retype", "item", "cut", "rename", "nest"))):
            case "drop":
                given.pop(key, None)
            case "swap":
                other = draw(st.sampled_from(keys))
                if {key, other} & {"figid", "pmcid"} == set() and {key, other} <= given.keys():
                    given[key], given[other] = given[other], given[key]
            case "odd":
                given[key] = draw(TEXTS)
            case "retype":
                given[key] = draw(VALUES)
            case "item" if isinstance(given.get(key), list) and given[key]:
                given[key] = [*given[key], draw(VALUES), given[key][0]]
            case "item" if isinstance(given.get(key), dict) and given[key]:
                inner = draw(st.sampled_from(sorted(given[key])))
                given[key] = {**given[key], inner: draw(VALUES)}
            case "cut" if isinstance(given.get(key), str):
                given[key] = given[key][: draw(st.integers(0, 20))]
            case "rename":
                given[draw(TEXTS)] = given.pop(key, "")
            case "nest":
                given[key] = draw(st.sampled_from([[given.get(key)], {"a": given.get(key)}, [[given.get(key)]]]))
    if draw(st.booleans()):
        names = draw(st.permutations(list(given)))
        given = {name: given[name] for name in names}
    text = yaml.dump(
        given,
        Dumper=yaml.CSafeDumper,
        sort_keys=False,
        allow_unicode=draw(st.booleans()),
        default_flow_style=draw(st.sampled_from([False, False, True, None])),
        width=draw(st.sampled_from([20, 80, 100_000])),
    )
    return f"---\n{text}---\n".encode()


def _lines(draw: st.DrawFn, data: bytes) -> bytes:
    """Drop, repeat, swap, shuffle or indent lines."""
    lines = data.split(b"\n")
    for _ in range(draw(st.integers(1, 3))):
        at, other = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(("drop", "repeat", "swap", "shuffle", "indent", "blank"))):
            case "drop" if len(lines) > 1:
                del lines[at]
            case "repeat":
                lines.insert(other % (len(lines) + 1), lines[at])
            case "swap":
                other %= len(lines)
                lines[at % len(lines)], lines[other] = lines[other], lines[at % len(lines)]
            case "shuffle":
                head, rest = lines[:1], lines[1:]
                random.Random(at * 1000 + other).shuffle(rest)  # noqa: S311 - the same noise each time
                lines = head + rest
            case "indent":
                lines[at % len(lines)] = b"  " + lines[at % len(lines)]
            case "blank":
                lines.insert(at % (len(lines) + 1), draw(st.sampled_from([b"", b"\r", b" ", b"\t", b"---", b"..."])))
        if not lines:
            return b""
    return b"\n".join(lines)


def _bytes(draw: st.DrawFn, data: bytes) -> bytes:
    """Flip, insert, cut or convert bytes."""
    match draw(st.sampled_from(("flip", "flip", "insert", "cut", "crlf", "cr", "bom", "utf-16", "nothing", "latin"))):
        case "flip" if data:
            changed = bytearray(data)
            for _ in range(draw(st.integers(1, 4))):
                changed[draw(st.integers(0, len(data) - 1))] ^= draw(st.integers(1, 255))
            return bytes(changed)
        case "insert":
            at = draw(st.integers(0, len(data)))
            return data[:at] + draw(st.one_of(st.binary(max_size=4), TEXTS.map(str.encode))) + data[at:]
        case "cut":
            return data[: draw(st.integers(0, len(data)))]
        case "crlf":
            return data.replace(b"\n", b"\r\n")
        case "cr":
            return data.replace(b"\n", b"\r", draw(st.integers(0, 3)))
        case "bom":
            return BOM + data
        case "utf-16":
            return data.decode("utf-8", "replace").encode("utf-16")
        case "nothing":
            return b""
        case "latin":
            return data.decode("utf-8", "replace").encode("latin-1", "replace")
    return data


def _cells(draw: st.DrawFn, data: bytes) -> bytes:
    """Change, drop, repeat or swap cells of a table, in the header too; or a whole column."""
    rows = [line.split(b"\t") for line in data.split(b"\n")]
    for _ in range(draw(st.integers(1, 4))):
        row = rows[draw(st.integers(0, len(rows) - 1))]
        at = draw(st.integers(0, max(0, len(row) - 1)))
        match draw(st.sampled_from(("change", "change", "change", "drop", "repeat", "swap", "copy", "column"))):
            case "change" if row:
                row[at] = draw(TEXTS).encode()
            case "drop" if len(row) > 1:
                del row[at]
            case "repeat" if row:
                row.insert(at, row[at])
            case "swap" if row:
                other = draw(st.integers(0, len(row) - 1))
                row[at], row[other] = row[other], row[at]
            case "copy":
                source = rows[draw(st.integers(0, len(rows) - 1))]
                if at < min(len(source), len(row)):
                    row[at] = source[at]
            case "column":
                for each in rows:
                    if at < len(each):
                        del each[at]
    return b"\n".join(b"\t".join(row) for row in rows)


RECORD_WAYS: tuple[Callable[[st.DrawFn, bytes], bytes], ...] = (_fields, _fields, _fields, _lines, _bytes)
TABLE_WAYS: tuple[Callable[[st.DrawFn, bytes], bytes], ...] = (_cells, _cells, _cells, _lines, _bytes)


@st.composite
def spoilt(draw: st.DrawFn) -> Sample:
    """A sample with its record, its tables or all of them changed."""
    sample = draw(st.sampled_from(samples()))
    record, tables = sample.record, dict(sample.tables)
    if draw(st.booleans()):  # a table of another record
        kind, data = draw(st.sampled_from(_all_tables()))
        tables[kind] = data
    parts = draw(st.sampled_from(("record", "tables", "both")))
    if parts != "tables" or not tables:
        record = draw(st.sampled_from(RECORD_WAYS))(draw, record)
    if parts != "record":
        for kind in sorted(tables):
            tables[kind] = draw(st.sampled_from(TABLE_WAYS))(draw, tables[kind])
    return Sample(sample.figid, record, tuple(sorted(tables.items())))


@cache
def _all_tables() -> tuple[tuple[str, bytes], ...]:
    return tuple(dict.fromkeys(table for sample in samples() for table in sample.tables))


# What must hold


def figure_token(figid: str) -> str:
    return f"<https://pfocr.wikipathways.org/figures/{figid}.html>"


def blocks(out: Path) -> dict[str, list[str]]:
    """The neighbour's figure and mentions in each layer, as text."""
    starts = (figure_token(NEIGHBOUR), f"<https://w3id.org/pfocr/mention/{NEIGHBOUR}/")
    found = {}
    for path in sorted(out.glob("pfocr-*.ttl")):
        text = path.read_text(encoding="utf-8")
        found[path.name] = [block for block in text.split("\n\n") if block.startswith(starts)]
    return found


def build(root: Path) -> dict[str, Any]:
    """Build `root/source` into `root/out` by the steps of the pipeline; return the manifest."""
    options = pipeline.Options(settings=ACCEPT)
    out = root / "out"
    shards = out / "work" / "shards"
    shards.mkdir(parents=True, exist_ok=True)
    empty(out)
    engine = Serial()
    with pipeline.opened(str(root / "source"), options) as snapshot:
        prepared = pipeline.prepare(plan(snapshot, options), None, str(shards), out / "work")
        results = pipeline.run_shards(prepared, engine)
        manifest, _ = pipeline.finish(prepared, results, out, options, engine, keep_cache=False)
    return manifest


def put(root: Path, files: dict[str, bytes]) -> None:
    """Make `root/source` hold the neighbour and these files only."""
    source = root / "source"
    for name in ("_figures", "_data"):
        (source / name).mkdir(parents=True, exist_ok=True)
    empty(source, keep=NEIGHBOUR_FILES.keys())
    for name, data in {**NEIGHBOUR_FILES, **files}.items():
        if name in files or not (source / name).exists():
            (source / name).write_bytes(data)


def empty(folder: Path, keep: Container[str] = ()) -> None:
    """Remove all files below a folder; the folders stay, since removing them is what takes long."""
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).as_posix() not in keep:
            path.unlink()


def rows_of(table: bytes) -> int:
    """Lines after the header, counted without the package."""
    lines = table.removeprefix(BOM).replace(b"\r\n", b"\n").split(b"\n")
    return max(0, sum(line != b"" for line in lines) - 1)


UNREAD = {"unreadable-yaml", "no-front-matter", "not-utf8", "too-large", "too-complex", "yaml-alias", "duplicate-key"}


def inline_rows(record: bytes) -> dict[str, int] | None:
    """Items of the lists of 2021, counted with another reader; None where that one cannot read the record."""
    try:
        text = record.removeprefix(BOM).decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
        lines = text.split("\n")
        end = next(i for i, line in enumerate(lines[1:], 1) if line.rstrip() in ("---", "..."))
        value = yaml.load("\n".join(lines[1:end]), Loader=yaml.CBaseLoader)  # noqa: S506 - texts only
    except (yaml.YAMLError, UnicodeDecodeError, StopIteration):
        return None
    if not isinstance(value, dict):
        return None
    counts = {}
    for key, kind in KINDS.items():
        items = value.get(key)
        counts[kind] = len(items) if isinstance(items, list) else 0
    return counts


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What the neighbour becomes without a neighbour."""
    root = tmp_path_factory.mktemp("alone")
    put(root, {})
    manifest = build(root)
    assert manifest["problems"]["rejected"] == {}
    found = blocks(root / "out")
    assert sum(map(len, found.values())) > 8
    return found


def survive(sample: Sample, place: Path, alone: dict[str, list[str]]) -> Counter[str]:
    """Build a spoilt record beside the neighbour; hold all that must hold; return the codes of what was found."""
    tables = {f"_data/{sample.figid}-{kind}.tsv": data for kind, data in sample.tables}
    put(place, {f"_figures/{sample.figid}.md": sample.record, **tables})
    manifest = build(place)
    out = place / "out"
    assert {name: found for name, found in blocks(out).items() if found} == {n: f for n, f in alone.items() if f}

    problems = [json.loads(line) for line in (out / "rejected.jsonl").read_bytes().splitlines()]
    accounts = manifest["accounts"]
    for kind, account in accounts.items():
        assert account["read"] == account["emitted"] + account["merged"] + account["rejected"], (kind, account)
        assert 0 <= account["unresolved"] <= account["emitted"], (kind, account)
        assert account["rejected"] == sum(found["count"] for found in problems if found["kind"] == kind), kind
    records = [found for found in problems if found["kind"] == "records"]
    assert accounts["records"]["read"] == 2
    assert manifest["counts"]["figures"] == accounts["records"]["emitted"] == 2 - len(records)
    assert len(records) <= 1
    inline = inline_rows(sample.record)
    if any(found["code"] in UNREAD for found in records):
        inline = dict.fromkeys(KINDS.values(), 0)
    for key, kind in KINDS.items():
        if inline is not None:
            in_table = rows_of(dict(sample.tables).get(key, b""))
            assert accounts[kind]["read"] == NEIGHBOUR_ROWS[kind] + in_table + inline[kind], kind

    words = set()
    for layer, entry in manifest["layers"].items():
        if layer == "ontology":  # the same each time, and by far the longest to read
            continue
        triples = [quad.triple for quad in ox.parse(path=str(out / entry["file"]), format=ox.RdfFormat.TURTLE)]
        assert len(triples) == len(set(triples)) == entry["triples"], layer
        for triple in triples:
            assert isinstance(triple.subject, ox.NamedNode), triple
            assert not isinstance(triple.object, ox.BlankNode), triple
            if triple.predicate.value == "https://w3id.org/pfocr/vocab#word":
                words.add(triple.subject)
    assert len(words) == manifest["counts"]["mentions"]
    return Counter(found["code"] for found in problems)


@given(sample=spoilt())
def test_a_spoilt_record_does_no_harm(sample: Sample, place: Path, alone: dict[str, list[str]]) -> None:
    for code in survive(sample, place, alone):
        event(code)


FOUND = {
    "block is a list": b"schema-jsonld: [a, {b: c}]",
    "block is a list of lists": b"schema-jsonld: [[a]]",
    "seo is a list": b"seo: [a]\nannotations: {a: b}",
    "every field is a list": b"\n".join(
        key + b": [[a], {b: c}]"
        for key in b"""figid_alias filename figlink number figtype
        figtitle caption papertitle reftext year doi journal_title journal_nlm_ta publisher_name keywords automl_pathway
        pathway_score pmc_ranked_result_index organisms organisms_ner ndex wpid redirect_from seo schema-jsonld genes
        chemicals diseases annotations""".split()
    ),
    "every item of the block is a map": b"schema-jsonld:\n"
    + b"".join(
        b"  '" + key + b"': {a: [b]}\n"
        for key in b"@context @id @type description license name creator keywords".split()
    ),
}
"""What once ended a run, or nearly did."""


@pytest.mark.parametrize("name", FOUND)
def test_what_did_harm_once_does_none(name: str, place: Path, alone: dict[str, list[str]]) -> None:
    record = b"---\nfigid: PMC9999998__a\npmcid: PMC9999998\n" + FOUND[name] + b"\n---\n"
    survive(Sample("PMC9999998__a", record, ()), place, alone)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("shared")
def test_ten_thousand_spoilt_records_do_no_harm(
    place: Path, alone: dict[str, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    codes: Counter[str] = Counter()
    began = time.monotonic()

    @settings(max_examples=10_000)
    @given(sample=spoilt())
    def run(sample: Sample) -> None:
        codes.update(["examples", *survive(sample, place, alone)])

    run()
    with capsys.disabled():
        print(f"\n{codes['examples']:,} examples in {time.monotonic() - began:.0f} s, {len(codes) - 1} codes seen")
    assert codes["examples"] >= 10_000
    assert len(codes) > 30


@pytest.mark.parametrize("number", range(0, 200, 8))
def test_a_sound_record_passes_the_same_rules(number: int, place: Path, alone: dict[str, list[str]]) -> None:
    for sample in samples()[number : number + 8]:
        survive(sample, place, alone)


@pytest.mark.usefixtures("shared")
def test_real_records_are_among_the_samples() -> None:
    assert len([sample for sample in samples() if not sample.figid.startswith("PMC900")]) > 20


# Any text survives

FORBIDDEN = {*map(chr, range(0x20)), "\ufffe", "\uffff"} - {"\t", "\n", "\r"}
"""What no XML document may hold: removed on reading."""


def kept(text: str) -> str:
    return "".join(character for character in text if character not in FORBIDDEN)


def quoted(text: str) -> str:
    """A text as a scalar of YAML, each character escaped that is no plain one."""
    return '"' + "".join(c if c.isascii() and c.isalnum() else f"\\U{ord(c):08x}" for c in text) + '"'


FIGID = "PMC9999998__text"
TITLES = st.text(min_size=1, max_size=60).filter(lambda text: kept(text).strip() not in NO_VALUES)
WORDS = st.text(st.characters(exclude_characters="\t\n", exclude_categories=["Cs"]), min_size=1, max_size=60).filter(
    lambda text: bool(kept(text).strip())
)


def literals(out: Path, layer: str, predicate: str, about: str) -> set[str]:
    """The values of one predicate on the subjects whose IRI holds a text."""
    return {
        quad.object.value
        for path in out.glob(f"pfocr-{layer}*.ttl")
        for quad in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE)
        if isinstance(quad.object, ox.Literal)
        and isinstance(quad.subject, ox.NamedNode)
        and about in quad.subject.value
        and quad.predicate.value == predicate
    }


@given(title=TITLES, caption=TITLES)
def test_any_text_survives_as_title_and_caption(title: str, caption: str, place: Path) -> None:
    record = f"---\nfigid: {FIGID}\npmcid: PMC9999998\nfigtitle: {quoted(title)}\ncaption: {quoted(caption)}\n---\n"
    put(place, {f"_figures/{FIGID}.md": record.encode()})
    build(place)
    assert literals(place / "out", "core", "http://schema.org/name", FIGID) == {kept(title)}
    assert literals(place / "out", "core", "http://schema.org/description", FIGID) == {kept(caption)}


@given(title=TITLES)
def test_any_plain_text_survives_raw(title: str, place: Path) -> None:
    """The same, written as the source writes it: characters as they are."""
    text = yaml.dump({"figid": FIGID, "pmcid": "PMC9999998", "figtitle": title}, allow_unicode=True, sort_keys=False)
    put(place, {f"_figures/{FIGID}.md": f"---\n{text}---\n".encode()})
    build(place)
    assert literals(place / "out", "core", "http://schema.org/name", FIGID) == {kept(title)}


@given(keywords=st.lists(TITLES, min_size=1, max_size=4))
def test_any_text_survives_as_an_authors_keyword(keywords: list[str], place: Path) -> None:
    joined = kept(" | ".join(keywords))
    record = f"---\nfigid: {FIGID}\npmcid: PMC9999998\nfigtitle: T\nkeywords: {quoted(joined)}\n---\n"
    put(place, {f"_figures/{FIGID}.md": record.encode()})
    build(place)
    found = literals(place / "out", "core", "http://schema.org/keywords", "PMC9999998")
    assert found == {part.strip() for part in joined.split(" | ") if part.strip() not in NO_VALUES}


@given(words=st.lists(WORDS, min_size=1, max_size=4))
def test_any_text_survives_as_a_word(words: list[str], place: Path) -> None:
    table = "word\tmesh\tmatch\tname\tchebi\n" + "".join(f"{word}\tNA\tx{word}\tNA\tNA\n" for word in words)
    record = f"---\nfigid: {FIGID}\npmcid: PMC9999998\nfigtitle: T\n---\n"
    put(place, {f"_figures/{FIGID}.md": record.encode(), f"_data/{FIGID}-chemicals.tsv": table.encode()})
    manifest = build(place)
    assert manifest["accounts"]["chemical-rows"]["read"] == NEIGHBOUR_ROWS["chemical-rows"] + len(words)
    expected = {kept(word) for word in words}
    assert literals(place / "out", "evidence", "https://w3id.org/pfocr/vocab#word", FIGID) == expected
    matches = literals(place / "out", "evidence", "https://w3id.org/pfocr/vocab#match", FIGID)
    assert matches == {f"x{word}" for word in expected}


@given(words=st.lists(WORDS, min_size=1, max_size=4))
def test_any_text_survives_as_an_inline_word(words: list[str], place: Path) -> None:
    items = "".join(f"- word: {quoted(word)}\n  source: MESH\n  identifier: D001839\n" for word in words)
    record = f"---\nfigid: {FIGID}\npmcid: PMC9999998\nfigtitle: T\nchemicals:\n{items}---\n"
    put(place, {f"_figures/{FIGID}.md": record.encode()})
    build(place)
    expected = {kept(word) for word in words}
    assert literals(place / "out", "evidence", "https://w3id.org/pfocr/vocab#word", FIGID) == expected
