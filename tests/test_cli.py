"""The command line: help, exit codes, one line for each error, and what each command prints."""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyoxigraph as ox
import pytest
import typer
from rdflib import Graph

from pfocr_rdf import __version__
from pfocr_rdf.cli import app, main
from tests.support import SHARED

FIXTURES = Path(__file__).with_name("fixtures")
GOOD = "PMC9800001__good"
WORD = "IL-6[red]"
HEADER = "organism_id\torganism_name\torganism_group\tword\tmatch\tncbigene_symbol\tncbigene_id\tsource\n"


class Done(NamedTuple):
    code: int
    out: str
    err: str


Call = Callable[..., Done]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with nothing in it; temporary files and caches go beside it."""
    for name in ("work", "temporary", "home"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home" / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path / "work"


@pytest.fixture
def call(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run the program as the shell would; an exception other than the exit is a failure."""
    assert place.is_dir()

    def run(*arguments: object, stdin: str = "") -> Done:
        monkeypatch.setattr(sys, "argv", ["pfocr-rdf", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8"))
        capsys.readouterr()
        code: Any = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return run


def record(figid: str, fields: str) -> str:
    return f"---\nfigid: {figid}\npmcid: {figid.partition('__')[0]}\n{fields}\n---\n"


def source_of(place: Path, good: int, bad: int = 0) -> Path:
    """A checkout with so many good and bad records; the first good one has a gene."""
    source = place.parent / "source"
    (source / "_figures").mkdir(parents=True)
    (source / "_data").mkdir()
    for number in range(1, good + 1):
        figid = GOOD if number == 1 else f"PMC98{number:05}__good"
        text = record(figid, f"figtitle: Good {number}\norganisms_ner:\n- Homo sapiens")
        (source / "_figures" / f"{figid}.md").write_text(text, encoding="utf-8")
    rows = HEADER + f"9606\tHomo sapiens\tPrimates\t{WORD}\tIL6\tIL6\t3569\tncbigene_symbol\n"
    (source / "_data" / f"{GOOD}-genes.tsv").write_text(rows, encoding="utf-8")
    for number in range(bad):
        (source / "_figures" / f"PMC99{number:05}__bad.md").write_text("no record", encoding="utf-8")
    return source


@pytest.fixture
def source(place: Path) -> Path:
    return source_of(place, good=3)


@pytest.fixture
def built(source: Path, call: Call, place: Path) -> Path:
    out = place.parent / "built"
    assert call("-q", "build", source, "--out", out) == (0, "", "")
    return out


def everything(folder: Path) -> dict[str, bytes | None]:
    """All below a folder: files with their bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


# Help


def commands(command: Any, path: tuple[str, ...] = ("pfocr-rdf",)) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command and group, with the words that call it."""
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, (*path, name))


COMMANDS = {" ".join(path): command for path, command in commands(typer.main.get_command(app))}
LEAVES = {name: command for name, command in COMMANDS.items() if not hasattr(command, "commands")}


def examples(name: str) -> list[list[str]]:
    """The words of each example that a command's help shows."""
    found = re.fullmatch(r"Examples?: (.+)", LEAVES[name].epilog or "")
    return [shlex.split(example) for example in found[1].split(" | ")] if found else []


def test_the_commands_are_found() -> None:
    expected = {"build", "check", "show", "query", "export records", "export ntriples"}
    assert {name.partition(" ")[2] for name in LEAVES} >= expected


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_each_command_says_what_it_does(name: str, option: str, call: Call) -> None:
    done = call(*name.split()[1:], option)
    assert (done.code, done.err) == (0, "")
    assert f"Usage: {name} " in done.out
    first = (COMMANDS[name].help or "").strip().split("\n")[0]
    assert first.endswith(".")
    assert first[:40] in done.out


@pytest.mark.parametrize("name", LEAVES)
def test_the_help_of_each_command_has_examples_that_parse(name: str, call: Call) -> None:
    assert examples(name), f"{name}: the epilog is to be `Example: {name} ...`"
    shown = "".join(call(*name.split()[1:], "--help").out.split())
    assert "".join(LEAVES[name].epilog.split()) in shown
    for words in examples(name):
        called = name.split()
        assert words[: len(called)] == called
        LEAVES[name].make_context(name, words[len(called) :])


@pytest.mark.parametrize("name", COMMANDS)
def test_each_option_and_argument_has_help(name: str) -> None:
    without = [found.name for found in COMMANDS[name].params if not getattr(found, "help", None)]
    assert without == []


@pytest.mark.parametrize("name", LEAVES)
def test_no_default_names_a_place_on_this_machine(name: str, call: Call) -> None:
    assert str(Path.home()) not in call(*name.split()[1:], "--help").out


def test_the_version_is_printed(call: Call) -> None:
    assert call("--version") == (0, f"pfocr-rdf {__version__}\n", "")


def test_shell_completion_can_be_installed(call: Call) -> None:
    out = call("--help").out
    assert "--install-completion" in out
    assert "--show-completion" in out


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - LEAVES.keys()))
def test_without_a_command_the_help_is_shown(name: str, call: Call) -> None:
    done = call(*name.split()[1:])
    assert done.code == 2
    assert "Usage:" in done.out + done.err


# What the user got wrong: one line, exit code 2, nothing written

WRONG = {
    "no option of that name": "build SOURCE --out OUT --nope",
    "no option of that name before the command": "--nope build SOURCE --out OUT",
    "no command of that name": "bild SOURCE --out OUT",
    "no command of that name below a group": "export bild RELEASE --out OUT",
    "source missing": "build --out OUT",
    "too many arguments": "build SOURCE SOURCE --out OUT",
    "option without value": "build SOURCE --out",
    "max-rejected is a word": "build SOURCE --out OUT --max-rejected many",
    "max-rejected above one": "build SOURCE --out OUT --max-rejected 2",
    "max-rejected above a hundred percent": "build SOURCE --out OUT --max-rejected 101%",
    "max-rejected below zero": "build SOURCE --out OUT --max-rejected=-1%",
    "max-rejected not a number": "build SOURCE --out OUT --max-rejected nan",
    "max-rejected infinite": "check SOURCE --max-rejected inf",
    "max-rejected empty": "build SOURCE --out OUT --max-rejected ''",
    "max-rejected-rows is a word": "check SOURCE --max-rejected-rows %",
    "limit zero": "build SOURCE --out OUT --limit 0",
    "limit no number": "check SOURCE --limit all",
    "only unknown": "build SOURCE --out OUT --only PMC1__nobody",
    "only unknown to check": "check SOURCE --only PMC1__nobody",
    "folder missing": "build nowhere --out OUT",
    "folder missing for check": "check nowhere",
    "foreign files at out": "build SOURCE --out FOREIGN",
    "out is a file": "build SOURCE --out FILE",
    "out below a file": "build SOURCE --out FILE/below",
    "archive damaged": "build DAMAGED --out OUT",
    "archive damaged for check": "check DAMAGED",
    "image pattern without filename": "build SOURCE --out OUT --image-pattern https://example.org/{pmcid}",
    "image pattern unknown field": "build SOURCE --out OUT --image-pattern https://example.org/{x}/{filename}",
    "image pattern no address": "show RECORD --image-pattern {pmcid}/{filename}",
    "image pattern with a blank": "build SOURCE --out OUT --image-pattern 'https://example.org/ {filename}'",
    "context missing": "build SOURCE --out OUT --context nowhere.jsonld",
    "context no JSON": "build SOURCE --out OUT --context FILE",
    "context a folder": "build SOURCE --out OUT --context SOURCE",
    "context empty": "build SOURCE --out OUT --context LIST",
    "gene-info missing": "build SOURCE --out OUT --gene-info nowhere",
    "gene-info no such list": "build SOURCE --out OUT --gene-info FILE",
    "gene-info damaged": "build SOURCE --out OUT --gene-info GZIP",
    "pmc-ids missing": "build SOURCE --out OUT --pmc-ids nowhere",
    "pmc-ids no such list": "build SOURCE --out OUT --pmc-ids FILE",
    "pmc-ids damaged": "build SOURCE --out OUT --pmc-ids GZIP",
    "show no record": "show nowhere.md",
    "show a folder": "show SOURCE",
    "show another file": "show FILE",
    "show a bad record": "show BADRECORD",
    "show in no known form": "show RECORD --format rdfxml",
    "query of nothing": "query --on RELEASE",
    "query of two things": "query 'ASK {}' --file FILE --on RELEASE",
    "query of no build": "query 'ASK {}' --on nowhere",
    "query of another folder": "query 'ASK {}' --on FOREIGN",
    "query of a file": "query 'ASK {}' --on FILE",
    "query of a build without manifest text": "query 'ASK {}' --on BROKEN",
    "query of a build that lost a layer": "query 'ASK {}' --on LOST",
    "query of a build with a bad layer": "query 'ASK {}' --on SPOILT",
    "query no SPARQL": "query 'SELECT WHERE' --on RELEASE",
    "query an update": "query 'DELETE WHERE { ?s ?p ?o }' --on RELEASE",
    "query empty": "query '' --on RELEASE",
    "query another service": "query 'SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }' --on RELEASE",
    "query from a missing file": "query --file nowhere.rq --on RELEASE",
    "query from a folder": "query --file SOURCE --on RELEASE",
    "query graph as table": "query 'CONSTRUCT WHERE { ?s a ?c }' --format csv --on RELEASE",
    "query graph as json": "query 'CONSTRUCT WHERE { ?s a ?c }' --format json --on RELEASE",
    "query table as graph": "query 'SELECT * { ?s a ?c }' --format turtle --on RELEASE",
    "query in no known form": "query 'ASK {}' --format xml --on RELEASE",
    "load to a folder with an address of updates": "load RELEASE --to OUT --update http://127.0.0.1:9/update",
    "load to a folder with an address of graphs": "load RELEASE --to OUT --graph-store http://127.0.0.1:9/data",
    "load to a folder of Oxigraph with a jar": "load RELEASE --to OUT --jar FILE",
    "load to a server with a jar": "load RELEASE --to http://127.0.0.1:9/ds --jar FILE",
    "load to a folder of Fuseki with a jar that is missing": "load RELEASE --to fuseki:OUT --jar nowhere.jar",
    "load to a folder of Fuseki with another jar": "load RELEASE --to fuseki:OUT --jar FILE",
    "load with updates at no address": "load RELEASE --to blazegraph:http://127.0.0.1:9/ds --update nowhere",
    "load with graphs at no address": "load RELEASE --to sparql:http://127.0.0.1:9/ds --graph-store ftp://127.0.0.1/",
    "update of Virtuoso with graphs": "update RELEASE --to virtuoso:http://127.0.0.1:9/s --graph-store http://127.0.0.1:9/",
    "update of Blazegraph with graphs": "update RELEASE --to blazegraph:http://127.0.0.1:9/s --graph-store http://127.0.0.1:9/",
    "update of a folder with an address of updates": "update RELEASE --to OUT --update http://127.0.0.1:9/update",
    "update of a server with a jar": "update RELEASE --to http://127.0.0.1:9/ds --jar FILE",
    "export of no build": "export records nowhere --out OUT",
    "export of no build as ntriples": "export ntriples nowhere --out OUT",
    "export over something": "export records RELEASE --out FOREIGN",
    "export to a file": "export records RELEASE --out FILE",
    "export to a file as ntriples": "export ntriples RELEASE --out FILE",
    "export of a bad layer": "export ntriples SPOILT --out OUT",
    "export of a bad layer as records": "export records SPOILT --out OUT",
    "export of a broken manifest": "export records BROKEN --out OUT",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_call_is_told_in_one_line(name: str, call: Call, source: Path, built: Path, place: Path) -> None:
    there = {
        "SOURCE": source,
        "OUT": place / "out",
        "RELEASE": built,
        "RECORD": source / "_figures" / f"{GOOD}.md",
        "BADRECORD": place.parent / "bad.md",
        "FOREIGN": place.parent / "foreign",
        "FILE": place.parent / "file.rq",
        "LIST": place.parent / "list.json",
        "GZIP": place.parent / "list.gz",
        "DAMAGED": place.parent / "damaged.zip",
        "BROKEN": place.parent / "broken",
        "LOST": place.parent / "lost",
        "SPOILT": place.parent / "spoilt",
    }
    there["FOREIGN"].mkdir()
    (there["FOREIGN"] / "thesis.doc").write_text("years of work", encoding="utf-8")
    there["FILE"].write_text("neither this nor that\n", encoding="utf-8")
    there["LIST"].write_text("[]", encoding="utf-8")
    there["BADRECORD"].write_text("---\nfigid: none\n---\n", encoding="utf-8")
    there["GZIP"].write_bytes(b"\x1f\x8b\x08" + bytes(50))
    there["DAMAGED"].write_bytes(b"PK\3\4" + bytes(50))
    for damaged in ("BROKEN", "LOST", "SPOILT"):
        shutil.copytree(built, there[damaged])
    (there["BROKEN"] / "manifest.json").write_text("{}", encoding="utf-8")
    (there["LOST"] / "pfocr-core.ttl").unlink()
    (there["SPOILT"] / "pfocr-core.ttl").write_text("@prefix : <", encoding="utf-8")
    before = everything(place.parent)

    words = [re.sub(r"\b[A-Z]{3,}\b", lambda m: str(there.get(m[0], m[0])), w) for w in shlex.split(WRONG[name])]
    done = call(*words)
    assert done.code == 2
    assert done.out == ""
    assert re.fullmatch(r"[^\n]+\n", done.err), done.err
    assert done.err.startswith("pfocr-rdf: ")
    assert "Traceback" not in done.err
    assert everything(place.parent) == before


def test_the_disk_is_looked_at_before_a_build(
    call: Call, source: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(place)
    monkeypatch.setattr(shutil, "disk_usage", lambda _place: usage._replace(free=100))
    done = call("build", source, "--out", place / "deep" / "out")
    assert (done.code, done.out) == (2, "")
    assert re.fullmatch(r"pfocr-rdf: .*free.*\n", done.err)
    assert everything(place) == {}


@pytest.mark.parametrize("command", ["build {} --out {}", "check {}"])
def test_an_option_that_looks_like_a_source_is_refused(command: str, call: Call, place: Path) -> None:
    done = call(*command.format("--upload-pack=touch", place / "out").split())
    assert done.code == 2
    assert everything(place) == {}


# build and check


def test_quiet_prints_nothing_and_verbose_more(call: Call, source: Path, place: Path) -> None:
    plain = call("build", source, "--out", place / "a")
    assert (plain.code, plain.err) == (0, "")
    assert "records" in plain.out
    assert call("-q", "build", source, "--out", place / "b") == (0, "", "")
    assert call("--quiet", "check", source) == (0, "", "")
    verbose = call("-v", "build", source, "--out", place / "c")
    assert "building" in verbose.err
    assert everything(place / "a").keys() == everything(place / "c").keys()


def test_quiet_still_tells_errors(call: Call, place: Path) -> None:
    done = call("-q", "build", "nowhere", "--out", place / "out")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)


def test_the_summary_names_every_layer_and_the_output(call: Call, source: Path, place: Path) -> None:
    out = call("build", source, "--out", "result").out
    manifest = json.loads((place / "result" / "manifest.json").read_text(encoding="utf-8"))
    for layer, entry in manifest["layers"].items():
        assert re.search(rf"\b{layer}\b.*\b{entry['triples']:,}\b", out)
    assert "result: 3 figures" in out


@pytest.mark.parametrize("name", ["broken-records", "bad-rows", "columns"])
def test_the_json_of_a_build_is_its_manifest(name: str, call: Call, place: Path) -> None:
    accept = ("--max-rejected", "100%", "--max-rejected-rows", "100%")
    done = call("build", FIXTURES / name, "--out", "out", "--json", *accept)
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out) == json.loads((place / "out" / "manifest.json").read_text(encoding="utf-8"))


def test_a_warning_does_not_mix_with_json(call: Call, place: Path) -> None:
    json.loads(call("-v", "build", FIXTURES / "ner-differs", "--out", place / "out", "--json").out)


@pytest.mark.parametrize("name", ["broken-records", "bad-rows", "columns", "maps", "organism-pages"])
def test_check_says_what_build_says_and_writes_nothing(name: str, call: Call, place: Path) -> None:
    accept = ("--max-rejected", "100%", "--max-rejected-rows", "100%")
    before = everything(place.parent)
    done = call("check", FIXTURES / name, "--json", *accept)
    assert (done.code, done.err) == (0, "")
    assert everything(place.parent) == before
    assert call("check", FIXTURES / name, *accept).code == 0
    assert everything(place.parent) == before
    report = json.loads(done.out)
    call("build", FIXTURES / name, "--out", "out", *accept)
    for part in ("rejected", "warnings"):
        lines = (place / "out" / f"{part}.jsonl").read_text(encoding="utf-8").splitlines()
        assert report[part] == [json.loads(line) for line in lines]
    manifest = json.loads((place / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert report["accounts"] == manifest["accounts"]


def test_check_tells_too_many_rejected_by_its_exit_code(call: Call, place: Path) -> None:
    source = source_of(place, good=1, bad=2)
    before = everything(place.parent)
    done = call("check", source)
    assert done.code == 3
    assert re.fullmatch(r"pfocr-rdf: 2 of 3 records were rejected[^\n]*\n", done.err)
    assert "PMC9900000__bad.md" in done.out
    as_json = call("check", source, "--json")
    assert as_json.code == 3
    assert len(json.loads(as_json.out)["rejected"]) == 2
    assert everything(place.parent) == before


def test_check_prints_where_and_why(call: Call, place: Path) -> None:
    out = call("check", source_of(place, good=1, bad=1)).out
    assert "_figures/PMC9900000__bad.md" in out
    assert "no-front-matter" in out


@pytest.mark.parametrize(
    ("good", "bad", "share", "code"),
    [
        (1, 1, "0", 0),
        (1, 1, "0%", 0),
        (0, 1, "0%", 0),
        (1, 2, "0%", 3),
        (2, 2, "50%", 0),
        (2, 2, "0.5", 0),
        (2, 2, ".5", 0),
        (2, 2, "49.9%", 3),
        (2, 2, "0.499", 3),
        (2, 2, "1", 0),
        (2, 2, "1%", 3),
        (0, 2, "100%", 0),
    ],
)
def test_so_many_records_may_be_rejected(good: int, bad: int, share: str, code: int, call: Call, place: Path) -> None:
    source = source_of(place, good=good, bad=bad)
    more = ("--max-rejected", share, "--max-rejected-rows", "100%")
    assert call("build", source, "--out", "out", *more).code == code
    assert call("check", source, *more).code == code
    assert (place / "out").exists() == (code == 0)


@pytest.mark.parametrize(("bad", "share", "code"), [(1, "0%", 0), (2, "0%", 3), (2, "66.7%", 0), (2, "0.6", 3)])
def test_so_many_rows_may_be_rejected(bad: int, share: str, code: int, call: Call, source: Path) -> None:
    with (source / "_data" / f"{GOOD}-genes.tsv").open("a", encoding="utf-8") as table:
        table.write("one cell\n" * bad)
    done = call("build", source, "--out", "out", "--max-rejected-rows", share)
    assert done.code == code
    if code:
        assert re.fullmatch(r"pfocr-rdf: 2 of 3 rows were rejected[^\n]*\n", done.err)


def test_a_build_that_rejects_too_much_leaves_the_earlier_one(call: Call, source: Path, built: Path) -> None:
    for number in range(2):
        (source / "_figures" / f"PMC99{number:05}__bad.md").write_text("no record", encoding="utf-8")
    before = everything(built.parent)
    done = call("build", source, "--out", built)
    assert (done.code, done.out) == (3, "")
    assert re.fullmatch(r"pfocr-rdf: 2 of 5 records were rejected[^\n]*\n", done.err)
    assert everything(built.parent) == before
    done = call("build", source, "--out", built.with_name("new"))
    assert done.code == 3
    assert everything(built.parent) == before


def test_one_figure_alone_can_be_built(call: Call, source: Path, place: Path) -> None:
    assert call("build", source, "--out", "out", "--only", GOOD).code == 0
    manifest = json.loads((place / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["counts"]["figures"] == 1
    assert manifest["settings"]["only"] == GOOD
    assert GOOD in (place / "out" / "pfocr-core.ttl").read_text(encoding="utf-8")


@pytest.mark.parametrize(("limit", "expected"), [(1, 1), (2, 2), (3, 3), (99, 3)])
def test_the_first_figures_can_be_built(limit: int, expected: int, call: Call, source: Path, place: Path) -> None:
    assert call("build", source, "--out", "out", "--limit", limit).code == 0
    manifest = json.loads((place / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["counts"]["figures"] == expected
    assert manifest["settings"]["limit"] == limit
    assert json.loads(call("check", source, "--limit", limit, "--json").out)["accounts"]["records"]["read"] == expected


def test_the_default_thresholds_are_one_percent(call: Call, place: Path) -> None:
    assert call("check", source_of(place, good=199, bad=2)).code == 0
    (place.parent / "source" / "_figures" / "PMC9900009__bad.md").write_text("no record", encoding="utf-8")
    assert call("check", place.parent / "source").code == 3


# show

RECORDS = sorted(path for path in FIXTURES.glob("*/_figures/*.md") if not path.is_symlink())
SHARED_RECORDS = sorted(SHARED.glob("records/*/_figures/*.md"))


def parsed(data: str, form: str) -> Graph:
    graph = Graph()
    graph.parse(data=data, format=form)
    return graph


def union_of(build: Path) -> Graph:
    """All that a build says of what its source says: every layer but the ontology's."""
    graph = Graph()
    for path in build.glob("pfocr-*.ttl"):
        if path.name != "pfocr-ontology.ttl":
            graph.parse(path, format="turtle")
    return graph


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")  # rdflib's own parser of JSON-LD uses it
@pytest.mark.parametrize(
    "number", [pytest.param(number, marks=[pytest.mark.slow] * (number % 2)) for number in range(8)]
)
def test_a_figure_is_shown_as_it_is_built(number: int, call: Call, place: Path) -> None:
    _compare(call, place, [*RECORDS, *SHARED_RECORDS][number::8])


@pytest.mark.usefixtures("shared")
def test_shared_records_are_among_those_shown() -> None:
    assert len(SHARED_RECORDS) > 20


def _compare(call: Call, place: Path, records: list[Path]) -> None:
    shown = 0
    for record in records:
        rows = ("--max-rejected-rows", "100%")
        assert call("-q", "build", record, "--out", "out", *rows).code == 0
        manifest = json.loads((place / "out" / "manifest.json").read_text(encoding="utf-8"))
        if not manifest["counts"]["figures"]:
            assert call("show", record).code == 2, record
            continue
        expected = union_of(place / "out")
        for form, parser in (("turtle", "turtle"), ("ntriples", "nt"), ("jsonld", "json-ld")):
            done = call("-q", "show", record, "--format", form)
            assert (done.code, done.err) == (0, "")
            found = parsed(done.out, parser)
            assert len(found) > 3
            assert set(found) == set(expected), (record, form, list(found ^ expected)[:3])
        shown += 1
    assert shown


def test_turtle_is_the_usual_form_and_problems_go_to_the_other_stream(call: Call) -> None:
    record = FIXTURES / "years" / "_figures"
    for path in sorted(record.iterdir()):
        done = call("show", path)
        assert done == call("show", path, "--format", "turtle")
        assert done.out.startswith("@prefix ")
        assert parsed(done.out, "turtle")


# query


def figures(call: Call, built: Path) -> str:
    """A query for titles, by the class and name that the build itself uses."""
    asked = call("query", "--on", built, "--format", "json", "SELECT ?c ?p { ?f a ?c ; ?p 'Good 1' . ?f ?q ?o }")
    bindings = json.loads(asked.out)["results"]["bindings"]
    name = next(found["p"]["value"] for found in bindings if found["p"]["value"].endswith("name"))
    return (
        f"SELECT ?figure ?title WHERE {{ ?figure <{name}> ?title . FILTER(STRSTARTS(?title, 'Good')) }} ORDER BY ?title"
    )


def test_an_answer_can_be_a_table(call: Call, built: Path) -> None:
    done = call("query", figures(call, built), "--on", built)
    assert (done.code, done.err) == (0, "")
    assert [title for title in ("Good 1", "Good 2", "Good 3") if title in done.out] == ["Good 1", "Good 2", "Good 3"]
    assert done.out.rstrip().endswith("3 rows")
    assert "3 rows" not in call("-q", "query", figures(call, built), "--on", built).out


def test_a_table_has_no_emoji_and_nothing_that_a_terminal_obeys(call: Call, built: Path) -> None:
    query = 'SELECT ?a { VALUES ?a { ":dna: [red]a\\u001B[31mb\\u0007\\rc\\u009Bd" } }'
    assert ":dna: [red]a␛[31mb␇␍c\ufffdd" in call("query", query, "--on", built).out


def test_a_table_shows_words_as_they_are(call: Call, built: Path) -> None:
    done = call("query", "SELECT ?w { ?m pfocr:word ?w }", "--on", built)
    assert WORD in done.out


def test_an_answer_can_be_csv(call: Call, built: Path) -> None:
    done = call("query", figures(call, built), "--on", built, "--format", "csv")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "figure,title"
    assert lines[1] == f"https://pfocr.wikipathways.org/figures/{GOOD}.html,Good 1"
    assert len(lines) == 4
    assert "\r" not in done.out


def test_an_answer_can_be_json(call: Call, built: Path) -> None:
    done = call("query", figures(call, built), "--on", built, "--format", "json")
    answer = json.loads(done.out)
    assert answer["head"]["vars"] == ["figure", "title"]
    assert [row["title"]["value"] for row in answer["results"]["bindings"]] == ["Good 1", "Good 2", "Good 3"]


@pytest.mark.parametrize("form", ["turtle", "table"])
@pytest.mark.parametrize("text", ["CONSTRUCT WHERE { ?m pfocr:word ?w }", f"DESCRIBE <https://example.org/{GOOD}>"])
def test_a_graph_is_answered_in_turtle(text: str, form: str, call: Call, built: Path) -> None:
    done = call("query", text, "--on", built, "--format", form)
    assert (done.code, done.err) == (0, "")
    graph = parsed(done.out, "turtle")
    assert len(graph) == (1 if text.startswith("CONSTRUCT") else 0)


def test_a_graph_with_blank_nodes_is_answered_in_turtle(call: Call, built: Path) -> None:
    done = call("query", "CONSTRUCT { [] rdfs:label ?w } WHERE { ?m pfocr:word ?w }", "--on", built)
    assert (done.code, done.err) == (0, "")
    assert len(parsed(done.out, "turtle")) == 1


@pytest.mark.parametrize("form", ["table", "csv"])
def test_a_yes_or_no_is_one_word(form: str, call: Call, built: Path) -> None:
    assert call("query", "ASK { ?m pfocr:word ?w }", "--on", built, "--format", form) == (0, "true\n", "")
    assert call("query", "ASK { ?m pfocr:word 'x' }", "--on", built, "--format", form) == (0, "false\n", "")


def test_a_yes_or_no_can_be_json(call: Call, built: Path) -> None:
    assert json.loads(call("query", "ASK {}", "--on", built, "--format", "json").out)["boolean"] is True


def test_a_query_comes_from_the_arguments_a_file_or_standard_input(call: Call, built: Path, place: Path) -> None:
    text = figures(call, built) + " # ä\n"
    (place / "query.rq").write_text(text, encoding="utf-8")
    expected = call("query", text, "--on", built)
    assert expected.code == 0
    assert call("query", "-", "--on", built, stdin=text) == expected
    assert call("query", "--file", "query.rq", "--on", built) == expected


def test_a_query_that_declares_its_prefixes_works_too(call: Call, built: Path) -> None:
    text = "PREFIX pfocr: <https://w3id.org/pfocr/vocab#>\nASK { ?m pfocr:word ?w }"
    assert call("query", text, "--on", built).out == "true\n"


def test_each_layer_is_a_named_graph(call: Call, built: Path) -> None:
    text = "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g"
    rows = json.loads(call("query", text, "--on", built, "--format", "json").out)["results"]["bindings"]
    manifest = json.loads((built / "manifest.json").read_text(encoding="utf-8"))
    found = {row["g"]["value"].rpartition("/")[2]: int(row["n"]["value"]) for row in rows}
    assert found == {name: entry["triples"] for name, entry in manifest["layers"].items() if entry["triples"]}


def test_a_query_may_say_which_graphs_it_asks(call: Call, built: Path) -> None:
    graph = "https://w3id.org/pfocr/graph/"

    def answer(graphs: str, where: str) -> str:
        return call("query", f"SELECT (COUNT(*) AS ?n) {graphs} {{ {where} }}", "--on", built, "--format", "csv").out

    plain, named = "?s ?p ?o", "GRAPH ?g { ?s ?p ?o }"
    core = answer("", f"GRAPH <{graph}core> {{ ?s ?p ?o }}")
    assert answer("", plain) not in (core, "n\n0\n")
    assert answer(f"FROM <{graph}core>", plain) == core
    assert answer(f"FROM NAMED <{graph}core>", named) == core
    assert answer(f"FROM NAMED <{graph}core>", plain) == answer(f"FROM <{graph}none>", plain) == "n\n0\n"


def test_the_build_of_the_working_folder_is_asked_by_default(call: Call, built: Path, place: Path) -> None:
    shutil.copytree(built, place / "output" / "build")
    assert call("query", "ASK { ?m pfocr:word ?w }").out == "true\n"


def test_a_query_leaves_the_build_alone(call: Call, built: Path, place: Path) -> None:
    before = everything(built)
    call("query", figures(call, built), "--on", built)
    assert everything(built) == before
    assert everything(place) == {}


# export


@pytest.mark.parametrize("name", ["columns", "jsonld-extra", "words", "yaml-scalars", "organism-pages"])
def test_ntriples_say_what_turtle_says(name: str, call: Call, place: Path) -> None:
    accept = ("--max-rejected", "100%", "--max-rejected-rows", "100%")
    assert call("-q", "build", FIXTURES / name, "--out", "out", *accept).code == 0
    done = call("export", "ntriples", "out", "--out", "nt", "--json")
    assert (done.code, done.err) == (0, "")
    manifest = json.loads((place / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert json.loads(done.out) == {name: entry["triples"] for name, entry in manifest["layers"].items()}
    assert {path.stem for path in (place / "nt").iterdir()} == {path.stem for path in (place / "out").glob("*.ttl")}
    for path in (place / "nt").iterdir():
        expected = {quad.triple for quad in ox.parse(path=str(place / "out" / f"{path.stem}.ttl"))}
        lines = path.read_text(encoding="utf-8").split("\n")
        assert lines.pop() == ""
        assert len(lines) == len(set(lines)) == len(expected)
        assert {quad.triple for quad in ox.parse(path=str(path), format=ox.RdfFormat.N_TRIPLES)} == expected


@pytest.mark.parametrize("command", ["records", "ntriples"])
def test_an_export_says_how_much_it_wrote(command: str, call: Call, built: Path) -> None:
    done = call("export", command, built, "--out", "a")
    assert (done.code, done.err) == (0, "")
    counts = json.loads(call("export", command, built, "--out", "b", "--json").out)
    said = [line.split(" ", 1) for line in done.out.splitlines()]
    assert said == [[f"{n:,}", name.removesuffix("s") if n == 1 else name] for name, n in counts.items()]
    assert call("-q", "export", command, built, "--out", "c") == (0, "", "")
