"""The same source gives the same bytes, whatever the surroundings; and the layout that makes builds comparable."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest

from pfocr_rdf import blocks, codecs, facts, identifiers, pipeline
from pfocr_rdf import layers as layers_module
from pfocr_rdf.identifiers import PREFIXES
from pfocr_rdf.settings import Settings
from pfocr_rdf.shards import Output
from tests.support import ROOT, SHARED

FIXTURES = Path(__file__).with_name("fixtures")
SOURCES = sorted(path for path in FIXTURES.iterdir() if path.is_dir() and path.name != "gene-info")
SHARED_SOURCES = sorted(path for path in SHARED.glob("records/*") if path.is_dir())
ACCEPT = Settings(max_rejected=1, max_rejected_rows=1)
PLAIN = Output()
DRIVER = """
import sys
from pathlib import Path
from pfocr_rdf.pipeline import Options, build
from pfocr_rdf.settings import Settings
build(sys.argv[1], Path(sys.argv[2]), Options(settings=Settings(max_rejected=1, max_rejected_rows=1, shard_records=7)))
"""


@cache
def mixture() -> dict[str, bytes]:
    """Files of one large source: all fixtures that are checkouts, and the shared records where they are."""
    files: dict[str, bytes] = {}
    for source in (*SOURCES, *SHARED_SOURCES):
        for path in sorted(source.rglob("*")):
            name = path.relative_to(source).as_posix()
            if path.is_file() and name.startswith("_"):
                if name.endswith("_map.tsv"):
                    files[name] = files.get(name, b"") + path.read_bytes()
                elif name in files:  # the same page or record in another fixture
                    files.setdefault(f"{name.rpartition('.')[0]}--{source.name}.md", path.read_bytes())
                else:
                    files[name] = path.read_bytes()
    return files


def write(root: Path, names: list[str]) -> Path:
    files = mixture()
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files[name])
    return root


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("mixture") / "source", sorted(mixture()))


def build(
    source: Path, out: Path, settings: Settings = ACCEPT, *, output: Output = PLAIN, workers: int | None = None
) -> dict[str, bytes]:
    pipeline.build(str(source), out, pipeline.Options(settings=settings, output=output), workers=workers)
    return contents(out)


def contents(out: Path) -> dict[str, bytes]:
    """All files of a build but the one that may differ, and the cache."""
    assert (out / "run.json").is_file()
    return {path.name: path.read_bytes() for path in out.iterdir() if path.name not in ("run.json", ".cache")}


@pytest.fixture(scope="module")
def expected(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return build(source, tmp_path_factory.mktemp("expected") / "out")


def same(found: dict[str, bytes], expected: dict[str, bytes]) -> None:
    assert found.keys() == expected.keys()
    assert [name for name in expected if found[name] != expected[name]] == []


def test_the_source_of_these_tests_is_rich(expected: dict[str, bytes]) -> None:
    manifest = json.loads(expected["manifest.json"])
    assert manifest["counts"]["figures"] > 100
    assert all(entry["triples"] for entry in manifest["layers"].values())
    assert manifest["problems"]["rejected"]
    assert manifest["problems"]["warnings"]


SURROUNDINGS: dict[str, dict[str, str]] = {
    "hash seed 0": {"PYTHONHASHSEED": "0"},
    "hash seed 1": {"PYTHONHASHSEED": "1"},
    "hash seed random": {"PYTHONHASHSEED": "random"},
    "east": {"TZ": "Pacific/Kiritimati"},
    "west": {"TZ": "America/Adak"},
    "locale C": {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "locale UTF-8": {"LC_ALL": "C.UTF-8"},
    "Turkish": {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "LANGUAGE": "tr"},
    "German": {"LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8"},
    "optimised": {"PYTHONOPTIMIZE": "2"},
}


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_the_surroundings_change_no_byte(name: str, source: Path, expected: dict[str, bytes], tmp_path: Path) -> None:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG", "PYTHON"))}
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(source), str(tmp_path / "out")],
        env={**kept, **SURROUNDINGS[name]},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    same(contents(tmp_path / "out"), expected)


def test_letters_are_not_cased_by_the_locale(source: Path, expected: dict[str, bytes], tmp_path: Path) -> None:
    """The same inside one process, where a locale with another way of casing and sorting may be installed."""
    import locale

    before = locale.setlocale(locale.LC_ALL)
    installed = subprocess.run(["locale", "-a"], capture_output=True, text=True).stdout.split()
    try:
        for name in {"C", *(n for n in installed if n.lower().startswith(("tr_tr.utf", "de_de.utf", "c.utf")))}:
            locale.setlocale(locale.LC_ALL, name)
            same(build(source, tmp_path / name), expected)
    finally:
        locale.setlocale(locale.LC_ALL, before)


def test_the_working_folder_changes_no_byte(
    source: Path, expected: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(source.parent)
    same(build(Path("source"), tmp_path / "a"), expected)
    monkeypatch.chdir(source / "_figures")
    same(build(Path(".."), tmp_path / "b"), expected)


def test_the_place_of_the_source_changes_no_byte(source: Path, expected: dict[str, bytes], tmp_path: Path) -> None:
    same(build(Path(shutil.copytree(source, tmp_path / "ünder a place")), tmp_path / "out"), expected)
    (tmp_path / "link").symlink_to(source, target_is_directory=True)
    same(build(tmp_path / "link", tmp_path / "linked"), expected)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_and_time_of_making_files_changes_no_byte(
    seed: int, expected: dict[str, bytes], tmp_path: Path
) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same noise each time
    names = sorted(mixture(), reverse=True)
    if seed > 1:
        chance.shuffle(names)
    source = write(tmp_path / "source", names)
    for name in names:
        when = chance.randrange(2**30)
        os.utime(source / name, (when, when))
        (source / name).chmod(chance.choice([0o644, 0o600, 0o755]))
    same(build(source, tmp_path / "out"), expected)


def test_the_order_in_which_a_folder_lists_changes_no_byte(
    source: Path, expected: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("iterdir", "glob"):
        listing = getattr(Path, name)

        def turned(self: Path, *rest: str, _listing: object = listing) -> Iterator[Path]:
            assert callable(_listing)
            return iter(sorted(_listing(self, *rest), reverse=True))

        monkeypatch.setattr(Path, name, turned)
    same(build(source, tmp_path / "out"), expected)


def in_shards(size: int) -> Settings:
    return Settings(max_rejected=1, max_rejected_rows=1, shard_records=size)


@pytest.mark.parametrize("size", [1, 2, 3, 10, 1000])
def test_the_size_of_shards_changes_no_byte(
    size: int, source: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    same(build(source, tmp_path / "out", in_shards(size)), expected)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_the_number_of_workers_changes_no_byte(
    workers: int, source: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    same(build(source, tmp_path / "out", in_shards(20), workers=workers), expected)


class Backwards:
    """An engine whose results come in the wrong order."""

    size = 1

    def map(self, function: Callable[[Any], Any], tasks: Sequence[Any]) -> Iterator[Any]:
        return iter([function(task) for task in tasks][::-1])


def test_the_order_in_which_work_is_finished_changes_no_byte(
    source: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    options, out = pipeline.Options(settings=in_shards(10)), tmp_path / "out"
    with pipeline.making(str(source), out, options) as (prepared, folder):
        pipeline.finish(prepared, pipeline.run_shards(prepared, Backwards()), folder, options, Backwards())
    same(contents(out), expected)


@pytest.mark.parametrize("counted", [1, 20])
def test_counts_that_do_not_fit_in_memory_change_no_byte(
    counted: int, source: Path, expected: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spilled: list[Path] = []
    inner = facts.Tally._spill

    def seen(self: facts.Tally) -> None:
        inner(self)
        spilled.append(self._runs[-1])

    monkeypatch.setattr(facts.Tally, "_spill", seen)
    made = facts.Tally.__init__
    monkeypatch.setattr(facts.Tally, "__init__", lambda self, folder, limit=counted: made(self, folder, limit))
    same(build(source, tmp_path / "out", in_shards(3)), expected)
    assert len(spilled) > 3
    assert all(path.is_relative_to(tmp_path / ".out.new" / "work") for path in spilled)
    same(build(source, tmp_path / "out"), expected)


@pytest.mark.parametrize("files", [2, 5])
def test_runs_that_cannot_all_be_open_at_once_change_no_byte(
    files: int, source: Path, expected: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layers_module, "MAX_OPEN", files)
    same(build(source, tmp_path / "out", in_shards(3)), expected)


@pytest.mark.parametrize("compress", ["gzip", "zstd"])
def test_compression_changes_no_byte_of_what_is_compressed(
    compress: str, source: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    output = Output(compress, nquads=True)
    found = build(source, tmp_path / "a", in_shards(7), output=output)
    same(build(source, tmp_path / "b", output=output), found)
    for path in (tmp_path / "a").glob("pfocr-*.ttl.*"):
        with codecs.of_file(path).open(path) as stream:
            assert stream.read() == expected[path.name.removesuffix(path.suffix)]
    assert len(found) == len(expected) + 1


@pytest.mark.parametrize("compress", ["none", "gzip", "zstd"])
def test_the_index_tells_what_is_in_each_block(
    compress: str, source: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    found = build(source, tmp_path / "out", output=Output(compress, nquads=True))
    codec, quads = codecs.named(compress), found["pfocr-all.nq.gz"]
    manifest, quads_at = json.loads(found["manifest.json"]), 0
    index = blocks.read_index(tmp_path / "out" / "blocks.tsv")
    assert list(index) == list(manifest["layers"])
    for layer, entry in manifest["layers"].items():
        at, text = 0, b""
        for block in index[layer]:
            assert block.offset == at
            data = codec.decode(found[entry["file"]][at : at + block.size])
            at += block.size
            text += data
            assert (block.triples, block.digest) == (blocks.count(data), hashlib.sha256(data).hexdigest()[:24])
            if not block.first:
                continue
            assert whole(data.decode().partition("\n")[0], dict(PREFIXES)) == block.first
            assert block.quads_offset == quads_at
            quads_at += block.quads_size
            lines = gzip.decompress(quads[block.quads_offset : quads_at])
            assert lines.count(b"\n") == block.triples
        assert at == len(found[entry["file"]])
        assert text == expected[f"pfocr-{layer}.ttl"]
        assert sum(block.triples for block in index[layer]) == entry["triples"]
    assert quads_at == len(quads)


def test_the_quads_are_the_triples_of_all_layers(source: Path, expected: dict[str, bytes], tmp_path: Path) -> None:
    found = build(source, tmp_path / "out", output=Output(nquads=True))
    wanted = set()
    for name in json.loads(expected["manifest.json"])["layers"]:
        graph = ox.NamedNode(identifiers.graph(name))
        for triple in ox.parse(expected[f"pfocr-{name}.ttl"], format=ox.RdfFormat.TURTLE):
            wanted.add(ox.Quad(triple.subject, triple.predicate, triple.object, graph))
    quads = list(ox.parse(gzip.decompress(found["pfocr-all.nq.gz"]), format=ox.RdfFormat.N_QUADS))
    assert len(quads) == len(wanted)
    assert set(quads) == wanted


def test_a_build_over_a_build_changes_no_byte(source: Path, expected: dict[str, bytes], tmp_path: Path) -> None:
    for _ in range(2):
        same(build(source, tmp_path / "out"), expected)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_build_over_another_leaves_nothing_of_it(source: Path, expected: dict[str, bytes], tmp_path: Path) -> None:
    build(FIXTURES / "keywords-inline", tmp_path / "out")
    (tmp_path / "out" / "pfocr-xrefs-pubmed.ttl").write_text("stale", encoding="utf-8")
    same(build(source, tmp_path / "out"), expected)


def test_the_clock_changes_no_byte(
    source: Path, expected: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 4e9)
    same(build(source, tmp_path / "out"), expected)


def test_only_the_file_that_may_differ_knows_time_and_place(
    source: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    build(source, tmp_path / "out")
    run = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert run["source"] == str(source)
    for data in expected.values():
        for known in (str(source), str(tmp_path), str(ROOT), os.uname().nodename):
            assert known.encode() not in data


@pytest.mark.parametrize("source", [*SOURCES, *SHARED_SOURCES], ids=lambda path: path.name)
def test_every_source_is_the_same_in_any_shards(source: Path, tmp_path: Path) -> None:
    first = build(source, tmp_path / "a")
    same(build(source, tmp_path / "b", in_shards(1)), first)


# The layout of Turtle

PREFIX = re.compile(r"@prefix ([a-z-]*): <([^<>\s]+)> \.")
PREFIXED = re.compile(r"[a-z-]+:[A-Za-z_][A-Za-z0-9_-]*")
BRACKETED = re.compile(r"<[^\x00-\x20<>\"{}|\\^`]+>")
LITERAL = re.compile(
    r'"(?:[^"\\\n\r]|\\["\\nrtbf\']|\\u[0-9A-F]{4}|\\U[0-9A-F]{8})*"'
    rf"(?:@[a-z]+(?:-[a-z0-9]+)*|\^\^(?:{PREFIXED.pattern}|{BRACKETED.pattern}))?"
)
NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
ANY = re.compile("|".join(f"(?:{one.pattern})" for one in (LITERAL, NUMBER, PREFIXED, BRACKETED)))


@pytest.fixture(scope="module", params=[*SOURCES, *SHARED_SOURCES], ids=lambda path: path.name)
def layers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The text of each layer of one source."""
    files = build(request.param, tmp_path_factory.mktemp("layers") / "out")
    return {name: data.decode("utf-8") for name, data in files.items() if name.endswith(".ttl")}


@pytest.fixture(scope="module")
def large(expected: dict[str, bytes]) -> dict[str, str]:
    return {name: data.decode("utf-8") for name, data in expected.items() if name.endswith(".ttl")}


def split(text: str) -> tuple[dict[str, str], list[list[str]]]:
    """The prefixes of a file in their order, and the lines of each block."""
    head, *blocks = text.split("\n\n")
    assert blocks.pop() == ""
    found: dict[str, str] = {}
    for line in head.split("\n"):
        match = PREFIX.fullmatch(line)
        assert match, line
        assert match[1] not in found, line
        found[match[1]] = match[2]
    return found, [block.split("\n") for block in blocks]


def whole(token: str, prefixes: dict[str, str]) -> str:
    """The IRI of a token."""
    if token == "a":
        return "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
    if token.startswith("<"):
        return token[1:-1]
    prefix, _, local = token.partition(":")
    return prefixes[prefix] + local


def check_layout(text: str) -> None:
    """Hold one file against the layout that the data model promises."""
    assert text.endswith("\n")
    assert "\r" not in text
    assert "\ufeff" not in text[:1]
    prefixes, blocks = split(text)
    assert list(prefixes) == sorted(prefixes)
    subjects: list[str] = []
    for lines in blocks:
        token = lines[0]
        assert PREFIXED.fullmatch(token) or BRACKETED.fullmatch(token), token
        subjects.append(whole(token, prefixes))
        check_block(lines[1:], prefixes)
    assert subjects == sorted(set(subjects))


def check_block(lines: list[str], prefixes: dict[str, str]) -> None:
    """Hold the predicates and objects of one subject against the layout."""
    predicates: list[str] = []
    objects: list[str] = []
    assert lines
    assert lines[-1].endswith(" .")
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("        "):
            token = line.strip(" ")[:-2]
        else:
            match = re.fullmatch(r"    (a|[a-z-]+:\S+) (.+) [;,.]", line)
            assert match, line
            assert match[1] == "a" or PREFIXED.fullmatch(match[1]), line
            predicates.append(match[1])
            assert objects == sorted(set(objects)), line
            objects, token = [], match[2]
        objects.append(token)
        assert ANY.fullmatch(token), line
        if PREFIXED.fullmatch(token):
            assert token.partition(":")[0] in prefixes, line
        if NUMBER.fullmatch(token) and "." in token:
            assert canonical(token), line
        end = "." if not following else "," if following.startswith("        ") else ";"
        assert line.endswith(f" {end}"), line
    assert objects == sorted(set(objects))
    assert len(predicates) == len(set(predicates))
    assert predicates[1:] == sorted(predicates[1:])
    assert "a" not in predicates[1:]
    assert predicates == sorted(predicates, key=lambda name: (name != "a", name))


def canonical(text: str) -> bool:
    """Whether a decimal has its canonical form: a point, digits on both sides, no more zeros than needed."""
    value = Decimal(text)
    return bool(re.fullmatch(r"-?(?:0|[1-9][0-9]*)\.(?:0|[0-9]*[1-9])", text)) and not (value == 0 and text != "0.0")


def test_each_file_has_the_promised_layout(layers: dict[str, str]) -> None:
    for text in layers.values():
        check_layout(text)


def test_each_file_of_a_mixed_source_has_the_promised_layout(large: dict[str, str]) -> None:
    for text in large.values():
        check_layout(text)


def test_all_files_have_the_same_prefixes(large: dict[str, str], layers: dict[str, str]) -> None:
    assert len({tuple(split(text)[0].items()) for text in (*large.values(), *layers.values())}) == 1


def test_no_triple_stands_twice(large: dict[str, str]) -> None:
    for name, text in large.items():
        triples = [quad.triple for quad in ox.parse(text, format=ox.RdfFormat.TURTLE)]
        assert len(triples) == len(set(triples)), name
        assert not any("_:" in str(t.subject)[:2] + str(t.object)[:2] for t in triples)


def test_every_decimal_is_canonical(large: dict[str, str]) -> None:
    numbers = re.findall(r" ([+-]?[0-9]+\.[0-9]+) [;,.]\n", "\n".join(large.values()))
    assert len(set(numbers)) > 5
    assert [number for number in numbers if not canonical(number)] == []


@pytest.mark.usefixtures("shared")
def test_shared_records_are_among_the_sources() -> None:
    assert len(SHARED_SOURCES) > 2


GOOD = (
    "@prefix a: <urn:a/> .\n@prefix b: <urn:b/> .\n\na:x\n    a a:c .\n\na:y\n    a:p 1 ;\n    b:p 2 ,\n        3 .\n\n"
)
BROKEN = {
    "no final line end": GOOD.removesuffix("\n"),
    "carriage return": GOOD.replace(" ;\n", " ;\r\n"),
    "prefix twice": GOOD.replace("b: ", "a: "),
    "prefixes unsorted": GOOD.replace("@prefix a:", "@prefix c:"),
    "subject twice": GOOD.replace("a:y", "a:x"),
    "subjects unsorted": GOOD.replace("a:y", "<urn:a/0>"),
    "predicates unsorted": GOOD.replace("a:p", "c:p"),
    "predicate twice": GOOD.replace("b:p", "a:p"),
    "type not first": GOOD.replace("b:p", "a"),
    "objects unsorted": GOOD.replace("3", "1"),
    "object twice": GOOD.replace("3", "2"),
    "decimal": GOOD.replace("3", "3.10"),
    "blank node": GOOD.replace("3", "_:b"),
    "blank subject": GOOD.replace("a:y", "_:b"),
    "escaped name": GOOD.replace("a:y", "a:y\\.z"),
    "unknown prefix": GOOD.replace("a a:c", "a z:c"),
    "line break in a literal": GOOD.replace("3", '"""3\n4"""'),
    "wrong end": GOOD.replace("3 .", "3 ;"),
}


def test_the_layout_is_really_looked_at() -> None:
    check_layout(GOOD)
    missed = []
    for name, text in BROKEN.items():
        try:
            check_layout(text)
        except (AssertionError, KeyError):
            continue
        missed.append(name)
    assert missed == []


def test_the_manifest_knows_each_file(expected: dict[str, bytes], tmp_path: Path, source: Path) -> None:
    build(source, tmp_path / "out")
    manifest = json.loads(expected["manifest.json"])
    assert manifest["files"].keys() == expected.keys() - {"manifest.json"}
    for name, entry in manifest["files"].items():
        assert entry == {"bytes": len(expected[name]), "sha256": hashlib.sha256(expected[name]).hexdigest()}
    for entry in manifest["layers"].values():
        assert {key: entry[key] for key in ("bytes", "sha256")} == manifest["files"][entry["file"]]
        text = expected[entry["file"]].decode("utf-8")
        assert entry["triples"] == sum(len(block) - 1 for block in split(text)[1])


@pytest.mark.parametrize("name", ["rejected.jsonl", "warnings.jsonl"])
def test_lists_of_problems_are_sorted(name: str, expected: dict[str, bytes]) -> None:
    found = [json.loads(line) for line in expected[name].splitlines()]
    assert found
    places = [(problem["file"], problem["line"] or 0, problem["field"], problem["code"]) for problem in found]
    assert places == sorted(places)
