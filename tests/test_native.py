"""The compiled kernels give and refuse what the Python does that they stand for, and leave nothing behind."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import corpus
from pfocr_rdf import facts, gene_rows, native, resources, serialize, terms
from pfocr_rdf.extract import front_matter, listing, plain_yaml, tables
from pfocr_rdf.mapping import figure, mention
from pfocr_rdf.model import LEXICONS, Level
from tests.support import ROOT, SEEDS, SHARED, unavailable
from tests.test_plain_yaml import FIXTURES, OTHER, USUAL, documents, found, spoilt, text_of

try:
    from pfocr_rdf import _native
except ImportError:
    _native = None  # type: ignore[assignment]

KERNELS = ROOT / "src" / "pfocr_rdf" / "kernels"
PURE: dict[str, Callable[..., Any]] = {
    "read_plain_yaml": plain_yaml.read_by_patterns,
    "columns": tables.columns_by_slices,
    "group_rows": gene_rows.group_by_columns,
    "gene_levels": gene_rows.levels_by_lists,
    "mention_keys": gene_rows.short_keys,
    "gene_blocks": mention.gene_blocks_by_parts,
    "link_blocks": figure.blocks_by_level,
    "turtle_string": terms.quoted,
    "turtle_block": serialize.block_by_lists,
    "section_line": facts.line_of,
    "usual_files": listing.usual_by_entries,
    "lines_at": facts.lines_at,
}


@pytest.fixture(autouse=True)
def _compiled() -> None:
    if _native is None:
        unavailable("pfocr_rdf._native is not compiled (Debian packages gcc and python3-dev, then `make env`)")


def outcome(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """All that a call gives and changes, in order; or the kind of its error."""
    arguments = deepcopy(arguments)
    try:
        value = function(*arguments)
    except (UnicodeEncodeError, KeyError, IndexError) as error:
        return type(error)
    return _ordered(value), _ordered(arguments)


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return [(_ordered(key), _ordered(item)) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [type(value), *map(_ordered, value)]
    return value


def hold(kernel: str, *arguments: Any) -> Any:
    """Hold a kernel against the Python it stands for; return what both give."""
    expected = outcome(PURE[kernel], arguments)
    assert outcome(getattr(_native, kernel), arguments) == expected
    return expected


# One by one

TEXT = st.text(
    st.characters()
    | st.sampled_from('\\"\n\r\t\x1f<>:# ')
    | st.sampled_from(["\u00a0", "\u3000", "\u2028", "\ud800", "\ufffe", "é", "\U0001f9ec"]),
    max_size=70,
)
CELL = st.sampled_from(["NA", "", " ", "a", "AKT", "\u3000", "é", "\U0001f9ec", "N", "NAN"]) | st.text(max_size=5)


def test_each_kernel_has_its_python() -> None:
    assert {name for name in dir(_native) if not name.startswith("_")} == {*PURE, "REVISION"}
    assert native.REVISION == _native.REVISION


@pytest.mark.parametrize("source", [*USUAL, *OTHER])
def test_lines_of_yaml(source: str) -> None:
    hold("read_plain_yaml", source)
    hold("read_plain_yaml", source + "\n")
    hold("read_plain_yaml", f"x: y\n{source}\nz:\n- y")


def between_dashes(text: str) -> str | None:
    try:
        return front_matter.requote(front_matter.split(text)[0])[0]
    except front_matter.FrontMatterError:
        return None


def test_whole_records() -> None:
    paths = [*found(SEEDS), *found(ROOT / "docs" / "example"), *found(FIXTURES), *found(SHARED)]
    sources = [between_dashes(text) for text in map(text_of, paths) if text is not None]
    read = [hold("read_plain_yaml", source) for source in sources if source is not None]
    assert sum(isinstance(value[0], list) for value in read) > 100


@given(documents())
def test_random_yaml(text: str) -> None:
    if (source := between_dashes(text)) is not None:
        hold("read_plain_yaml", source)


@given(TEXT)
def test_random_text_as_yaml(text: str) -> None:
    hold("read_plain_yaml", text)


def hold_spoilt(count: int, seed: int) -> None:
    texts = spoilt(seed)
    for _ in range(count):
        if (source := between_dashes(next(texts))) is not None:
            hold("read_plain_yaml", source)


def test_spoilt_records() -> None:
    hold_spoilt(2_000, seed=3)


@pytest.mark.slow
def test_many_spoilt_records() -> None:
    hold_spoilt(200_000, seed=4)


@pytest.mark.parametrize("length", [98, 99, 100, 101])
@pytest.mark.parametrize("character", ["k", "é", "\U0001f9ec"])
def test_long_keys(length: int, character: str) -> None:
    hold("read_plain_yaml", f"{'k' * length}: v")
    hold("read_plain_yaml", f"'{character * length}': v")
    hold("read_plain_yaml", f"a:\n- '{character * length}': v")


@pytest.mark.parametrize("character", ["a", "é", "\U0001f9ec"])
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_largest_document(character: str, more: int) -> None:
    hold("read_plain_yaml", "k: " + character * (plain_yaml.LARGEST - 4 + more))
    hold("read_plain_yaml", "k:" + "\n- a" * ((plain_yaml.LARGEST - 4) // 4 + more))


BODIES = st.lists(st.sampled_from(["\t", "\t", "\n", "a", "b", "é", "NA", ""]), max_size=40).map("".join)


@given(BODIES, st.integers(1, 5), st.permutations(range(5)), st.integers(0, 6))
def test_columns(body: str, width: int, order: list[int], limit: int) -> None:
    hold("columns", body, width, tuple(pick for pick in order if pick < width), limit)


@given(st.lists(st.lists(CELL.filter(lambda cell: not set(cell) & set("\t\n")), min_size=3, max_size=3), min_size=1))
def test_columns_of_whole_rows(rows: list[list[str]]) -> None:
    try:
        body = "\n".join(map("\t".join, rows)).encode().decode()
    except UnicodeEncodeError:
        return
    assert hold("columns", body, 3, (2, 0), 1_000)[0] is not None


ROWS = st.lists(
    st.tuples(
        CELL | st.just("w"),
        CELL | st.just("m"),
        st.sampled_from([*LEXICONS, *LEXICONS, "other"]),
        st.sampled_from(["1", "12", "999999999999", "1000000000000", "0", "01", "NA", "", "1\n2", "\u0661", "1 ", "é"])
        | st.integers(1, 20).map(str),
        CELL,
        st.sampled_from(["9606", "9606", "10090", "9999999999", "10000000000", "0", "", "NA", "9606\n"]),
        st.sampled_from(["Homo sapiens", "NA", "", "Mus musculus", "é"]),
        st.sampled_from(["Human", "NA", ""]),
    ),
    max_size=8,
)
USUAL_ROWS = st.lists(
    st.tuples(
        st.sampled_from(["w", "AKT", "é"]),
        st.sampled_from(["m", "AKT"]),
        st.sampled_from([*LEXICONS][:3]),
        st.sampled_from(["1", "12", "2", "NA", ""]),
        st.sampled_from(["S", "", "NA"]),
        st.just("9606"),
        st.sampled_from(["Homo sapiens", "NA", ""]),
        st.just("Human"),
    ),
    max_size=12,
)


@settings(max_examples=400)
@given(ROWS | USUAL_ROWS, st.booleans())
def test_groups_levels_and_keys_of_rows(rows: list[tuple[str, ...]], named: bool) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(8)]
    organism = columns[6:] if named else [None, None]
    hold("group_rows", *columns[:6], *organism, LEXICONS)
    group: Callable[..., Any] = gene_rows.group_by_columns
    grouped = group(*columns[:6], *organism, LEXICONS)
    if grouped is None:
        return
    genes = grouped[0]
    levels = _native.gene_levels("https://g/", genes, LEXICONS)
    assert levels == gene_rows.levels_by_lists("https://g/", genes, LEXICONS)
    assert set(map(type, levels.values())) <= {Level}
    keys = gene_rows.short_keys("gene", genes)
    hold("mention_keys", "gene", list(genes))
    mentions = list(zip(keys, genes, genes.values(), strict=True))
    hold("gene_blocks", "<x/", " ;\n    t <f> ;\n", mentions, mention.TEXTS, mention.GENE_SOURCES)
    hold("link_blocks", "<f>\n    m ", levels, len(Level))


def test_rows_of_no_known_kind() -> None:
    mentions = [("k", ("w", "m", "other"), {"1": "s"})]
    assert hold("gene_blocks", "<x/", "t", mentions, mention.TEXTS, mention.GENE_SOURCES) is KeyError
    with pytest.raises(KeyError):
        _native.gene_levels("g", {("w", "m", "other"): {"1": "s"}}, LEXICONS)
    assert hold("link_blocks", "s", {"a": 3}, 3) is IndexError


@given(st.lists(st.lists(TEXT, min_size=1, max_size=4).map(tuple), max_size=4))
def test_keys_are_hashes(groups: list[tuple[str, ...]]) -> None:
    hold("mention_keys", "gene", groups)


@pytest.mark.parametrize("size", [*range(0, 140), 1000, 100_000])
def test_hashes_of_each_length(size: int) -> None:
    hold("mention_keys", "x", [("a" * size,), ("é" * size, "b")])


@given(st.dictionaries(st.text("ab1>é<-./", max_size=6), st.sampled_from(Level)))
def test_links(genes: dict[str, Level]) -> None:
    if not any(">" in iri for iri in genes):
        hold("link_blocks", "é", genes, len(Level))


@given(st.dictionaries(st.integers(1, 3000).map(str), st.just("s"), max_size=30))
def test_genes_of_a_family(members: dict[str, str]) -> None:
    mentions = [("k", ("w", "m", "famplex_relations"), members)] if members else []
    hold("gene_blocks", "<x/", "t", mentions, mention.TEXTS, mention.GENE_SOURCES)


@given(TEXT)
def test_strings(text: str) -> None:
    quoted = outcome(_native.turtle_string, (text,))
    if any("\ud800" <= character <= "\udfff" for character in text):
        assert quoted is UnicodeEncodeError  # as it is with Python when the text is written
    else:
        assert quoted == outcome(terms.quoted, (text,))


TOKENS = st.sampled_from(["a", "b", "ab", "rdfs:label", "schema:name", "é", "\uffff", "\U0001f9ec", '"x"', "A"])


@given(st.lists(st.tuples(TOKENS, TOKENS), max_size=10))
def test_blocks(pairs: list[tuple[str, str]]) -> None:
    hold("turtle_block", "<s>", pairs)
    assert _native.turtle_block("<s>", iter(pairs)) == serialize.block_by_lists("<s>", pairs)


SAYINGS = st.lists(st.sampled_from("abcdé"), max_size=4)
SAID = st.lists(st.tuples(st.sampled_from(["", "gene-1", "é"]), SAYINGS), max_size=4)


@given(SAID, SAID)
def test_lines_of_facts(first: list[tuple[str, list[str]]], second: list[tuple[str, list[str]]]) -> None:
    said: list[list[int]] = [[], []]
    numbers: list[dict[str, int]] = [{}, {}]
    for placed in (first, second):
        line = facts.line_of("base", placed, numbers[0], said[0])
        assert _native.section_line("base", placed, numbers[1], said[1]) == line
    assert (list(numbers[1].items()), said[1]) == (list(numbers[0].items()), said[0])


def odd_folder(folder: Path) -> Path:
    """Files of all kinds, usual and not."""
    folder.mkdir()
    for name in (
        "b.md",
        "a.md",
        "a b.md",
        "é.md",
        ".hidden.md",
        "a.tsv",
        "new\nline.md",
        "\x7f.md",
        "c.md.txt",
        ".md",
        "d",
    ):
        (folder / name).write_text(name, encoding="utf-8")
    for number in range(3_000):
        (folder / f"PMC{number}.md").touch()
    (folder / os.fsdecode(b"\xff.md")).touch()
    (folder / "folder.md").mkdir()
    (folder / "link.md").symlink_to("a.md")
    os.mkfifo(folder / "pipe.md")
    os.utime(folder / "a.md", ns=(0, 1_234_567_890_123_456_789))
    os.utime(folder / "b.md", ns=(0, 2**62))
    return folder


def test_folders(tmp_path: Path) -> None:
    folder = odd_folder(tmp_path / "odd")
    now = time.time_ns()
    for suffixes in ((".md",), (".md", ".txt"), (".tsv",), ()):
        for newest in (now, 0, 2**62, 1_234_567_890_123_456_789):
            paths, signatures, size, others = _native.usual_files(str(folder), "x/", suffixes, newest)
            expected = listing.usual_by_entries(str(folder), "x/", suffixes, newest)
            assert (paths, signatures, size, sorted(others)) == (*expected[:3], sorted(expected[3]))
    assert len(_native.usual_files(str(folder), "", (".md",), now)[0]) > 3_000
    for place in (tmp_path / "none", folder / "a.md"):
        errors = []
        for function in (_native.usual_files, listing.usual_by_entries):
            with pytest.raises(OSError, match=place.name) as raised:
                function(str(place), "", (), 0)
            errors.append((type(raised.value), raised.value.errno, raised.value.filename))
        assert errors[0] == errors[1]
    with pytest.raises(ValueError, match="null"):
        _native.usual_files(f"{folder}\0", "", (), 0)


@given(st.text(), st.data())
def test_lines(text: str, data: st.DataObject) -> None:
    body = text.encode("utf-8", "ignore")
    last = body.count(b"\n")
    wanted = sorted(data.draw(st.sets(st.integers(0, last + 2), max_size=8)))
    assert hold("lines_at", body, wanted) is IndexError or wanted[-1:] <= [last]
    assert hold("lines_at", body, [number for number in wanted if number <= last]) is not IndexError


# What nobody should give them

JUNK: tuple[Any, ...] = (
    None,
    1,
    -1,
    b"x",
    "x",
    "\ud800",
    [],
    [None],
    [()],
    [("k", ("w",), {})],
    (),
    (9,),
    (0, 0),
    {},
    {1: 2},
    object(),
)


@pytest.mark.parametrize("kernel", PURE)
def test_wrong_arguments_are_errors(kernel: str) -> None:
    function = getattr(_native, kernel)
    with pytest.raises(TypeError):
        function()
    with pytest.raises(TypeError):
        function(*[None] * 9)
    for count in range(1, 10):
        for shift in range(len(JUNK)):
            arguments = [deepcopy(JUNK[(shift * (place + 1) + place) % len(JUNK)]) for place in range(count)]
            try:
                function(*arguments)
            except (TypeError, ValueError, KeyError, IndexError, OSError):
                continue


def usual_calls() -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Calls of each kernel: ones that are answered, ones that are refused, ones that fail."""
    for source in (*USUAL, *OTHER):
        yield "read_plain_yaml", (source,)
    for body in ("a\tb\na\tc", "a\tb\na", "é\tb\té", "\ud800\t"):
        yield "columns", (body, 2, (1, 0), 9)
    yield "columns", ("a", 1, (3,), 9)
    columns = [["w", "w", "é"], ["m"] * 3, ["ncbigene_symbol"] * 3, ["1", "2", "NA"], ["S"] * 3, ["9606"] * 3]
    for gene_ids in (["1", "2", "NA"], ["1", "1", "NA"], ["1", "x", "NA"], ["1", "2", 3]):
        for organism in ((["Homo sapiens"] * 3, ["Human", "NA", ""]), (None, None)):
            yield "group_rows", (*columns[:3], gene_ids, *columns[4:], *organism, LEXICONS)
    family = {str(number): "s" for number in range(1, 20)}
    genes = {("w", "m", "famplex_relations"): family, ("w", "m", "x", "NA", "s", "1"): {"": ""}}
    yield "gene_levels", ("g", genes, LEXICONS)
    yield "gene_levels", ("g", genes, {})
    yield "mention_keys", ("gene", [*genes])
    yield "mention_keys", ("gene", [*genes, ("\ud800",), 1])
    for sources in (mention.GENE_SOURCES | {"x": "y"}, {}):
        mentions = [("k", cells, members) for cells, members in genes.items()]
        yield "gene_blocks", ("s", "t", mentions, mention.TEXTS, sources)
    yield "link_blocks", ("s", {"a": 0, "b": 2, "c": 2}, 3)
    yield "link_blocks", ("s", {"a": 0, "\ud800": 2}, 3)
    yield "usual_files", (str(ROOT / "ontologies"), "x/", (".ttl", ".tsv"), 2**62)
    yield "lines_at", (b"a\nb\n\xff\nc", [0, 1, 3])
    yield "lines_at", (b"a\nb\n\xff\nc", [0, 2])
    yield "lines_at", (b"a\nb", [0, 5])
    yield "lines_at", (b"a\nb", [1, 0])
    yield "usual_files", (str(ROOT / "none"), "x/", (".ttl",), 0)
    yield "turtle_string", ('a"b\\' * 200,)
    yield "turtle_string", ("\ud800",)
    yield "turtle_block", ("s", [("a", "b"), ("c", "d"), ("c", "e")])
    yield "turtle_block", ("s", [("a", "b"), ("c",)])
    yield "section_line", ("b", [("p", ["x" * 9, "y"]), ("q", ["x"])], {}, [])
    yield "section_line", ("b", [("p", ["x", []])], {}, [])


def call_all(calls: list[tuple[str, tuple[Any, ...]]]) -> None:
    for kernel, arguments in calls:
        try:
            getattr(_native, kernel)(*arguments)
        except (TypeError, ValueError, KeyError, IndexError, OSError):
            continue


def parts(value: Any) -> Iterator[Any]:
    """A value and all that is in it, but numbers and None, which anybody may hold."""
    if value is not None and type(value) is not int:
        yield value
    if isinstance(value, (list, tuple, dict)):
        for item in (*value, *(value.values() if isinstance(value, dict) else ())):
            yield from parts(item)


def test_nothing_is_left_behind() -> None:
    calls = list(usual_calls())
    call_all(calls)
    known = {id(thing): thing for _, arguments in calls for thing in parts(arguments)}
    watched = [(thing, sys.getrefcount(thing)) for thing in known.values()]
    tracemalloc.start()
    try:
        for _ in range(3):
            call_all(calls)
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(200):
            call_all(calls)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 20_000  # `section_line` adds to the list that it is given; a lost text would be as much
    assert [(thing, was) for thing, was in watched if abs(sys.getrefcount(thing) - was) > 20] == []


NO_MEMORY = """
import sys
import _testcapi
from tests import test_native

def starve(function, arguments):
    for start in range(300):
        lacked = False
        _testcapi.set_nomemory(start, start + 1)
        try:
            function(*arguments)
        except MemoryError:
            lacked = True
        except (TypeError, ValueError, KeyError, IndexError, OSError):
            pass
        finally:
            _testcapi.remove_mem_hooks()
        if not lacked and start > 50:
            break

calls = list(test_native.usual_calls())
for round in range(3):
    before = sys.getallocatedblocks()
    for kernel, arguments in calls:
        starve(getattr(test_native._native, kernel), arguments)
print(sys.getallocatedblocks() - before)
"""


def test_a_lack_of_memory_is_an_error_and_no_crash() -> None:
    pytest.importorskip("_testcapi", reason="this Python has no module _testcapi, which makes memory fail")
    done = subprocess.run(
        [sys.executable, "-c", NO_MEMORY], cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) < 50  # a block that is lost each time one allocation fails would be hundreds


# Whole builds, and the choice


def run(pure: bool, *arguments: str | Path) -> str:
    """Run the command; return what it says on standard error."""
    command = [sys.executable, "-c", "from pfocr_rdf.cli import main; main()", *arguments]
    environment = {**os.environ, native.PURE: "1" if pure else ""}
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stderr


def build(pure: bool, source: Path, out: Path) -> dict[str, bytes]:
    lenient = ("--max-rejected", "100%", "--max-rejected-rows", "100%")
    run(pure, "-q", "build", source, "--out", out, "--workers", "1", *lenient)
    told = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert told["kernels"] == ("python" if pure else "compiled")
    return {path.name: path.read_bytes() for path in out.iterdir() if path.is_file() and path.name != "run.json"}


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus") / "source"
    assert corpus.main([str(folder), "--figures", "300", "--seed", "7"]) == 0
    return folder


def test_a_build_of_a_corpus_is_the_same_and_its_cache_fits_both(generated: Path, tmp_path: Path) -> None:
    expected = build(True, generated, tmp_path / "pure")
    assert build(False, generated, tmp_path / "compiled") == expected
    said = run(False, "-v", "build", generated, "--out", tmp_path / "pure")  # over the build that Python made
    assert "converting 0 papers" in said, said
    assert build(False, generated, tmp_path / "pure") == expected


@pytest.mark.parametrize("name", ["mixture", "example"])
def test_a_build_of_odd_records_is_the_same(name: str, tmp_path: Path) -> None:
    from tests.test_determinism import mixture, write

    source = ROOT / "docs" / "example"
    if name == "mixture":
        source = write(tmp_path / "source", sorted(mixture()))
    assert build(False, source, tmp_path / "compiled") == build(True, source, tmp_path / "pure")


def chosen(**environment: str) -> str:
    script = "from pfocr_rdf import native, resources; print(native.in_use(), resources.converter())"
    command = [sys.executable, "-c", script]
    known = {name: value for name, value in os.environ.items() if name != native.PURE}
    done = subprocess.run(command, env=known | environment, capture_output=True, text=True, check=True)
    return done.stdout


def test_the_environment_chooses_and_the_programs_hash_is_the_same() -> None:
    used, digest = chosen().split()
    assert used == "True"
    assert chosen(**{native.PURE: "0"}).split() == ["True", digest]
    assert chosen(**{native.PURE: "1"}).split() == ["False", digest]
    assert digest == resources.converter()


def test_kernels_of_another_revision_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    source = (KERNELS / "module.c").read_text(encoding="utf-8")
    assert re.findall(r"(?m)^#define REVISION (\d+)$", source) == [str(native.REVISION)]
    script = (
        "from pfocr_rdf import _native; _native.REVISION += 1; from pfocr_rdf import native, terms; "
        "print(native.in_use(), terms.string is terms.quoted)"
    )
    monkeypatch.delenv(native.PURE, raising=False)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False True\n"


def test_the_source_of_the_kernels_is_a_part_of_the_programs_hash(tmp_path: Path) -> None:
    package = tmp_path / "pfocr_rdf"
    script = "import pfocr_rdf.resources as r, pathlib, sys; r.__file__ = sys.argv[1]; print(r.converter())"
    hashes = set()
    for text in ("int a;", "int b;"):
        (package / "kernels").mkdir(parents=True, exist_ok=True)
        (package / "kernels" / "a.c").write_text(text, encoding="utf-8")
        command = [sys.executable, "-c", script, str(package / "resources.py")]
        hashes.add(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert len(hashes) == 2
