"""Q32, Q33 and Q35: each finds what it is for, and nothing in a release that is sound."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pfocr_rdf.errors import UsageError
from pfocr_rdf.validation import files, history
from pfocr_rdf.validation.findings import Finding, NotRun
from pfocr_rdf.validation.options import Options, Parser
from pfocr_rdf.validation.release import Release
from tests import changing, releasing
from tests.changing import build, options
from tests.support import require_jena, require_tool


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release with rejected rows and warnings."""
    root = tmp_path_factory.mktemp("sound")
    build(changing.small(root / "source", 20), root / "build", options(compress="gzip"), full=True)
    releasing.release(root / "build", root / "site", "a")
    return root / "site" / "releases" / "a"


@pytest.fixture
def copy(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "copy"))


def change(folder: Path, edit: Callable[[dict[str, Any]], object]) -> Release:
    """Edit the manifest of a release, and open it."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    edit(manifest)
    path.write_text(json.dumps(manifest))
    return Release.open(folder)


# Q35


def accounts(release: Release) -> list[Finding]:
    return files.accounts(release, Options())


def test_accounts_of_a_sound_release_add_up(sound: Path) -> None:
    release = Release.open(sound)
    assert sum(account["rejected"] for account in release.manifest["accounts"].values()) > 5
    assert any(json.loads(line)["count"] > 1 for line in (sound / "rejected.jsonl").read_text().splitlines())
    assert accounts(release) == []


@pytest.mark.parametrize("name", ["read", "emitted", "merged", "rejected"])
def test_an_account_that_does_not_add_up_is_found(name: str, copy: Path) -> None:
    def edit(manifest: dict[str, Any]) -> None:
        manifest["accounts"]["gene-rows"][name] += 1

    found = accounts(change(copy, edit))
    assert Finding("manifest.json", "gene-rows", found[0].message) in found
    assert "read, but" in found[0].message


def test_more_unresolved_than_emitted_is_found(copy: Path) -> None:
    def edit(manifest: dict[str, Any]) -> None:
        manifest["accounts"]["records"]["unresolved"] = 10**6

    assert ["1000000 unresolved of" in finding.message for finding in accounts(change(copy, edit))] == [True]


def test_a_kind_without_account_is_found(copy: Path) -> None:
    release = change(copy, lambda manifest: manifest["accounts"].pop("map-lines"))
    assert Finding("manifest.json", "map-lines", "has no account") in accounts(release)


@pytest.mark.parametrize("name", ["rejected.jsonl", "warnings.jsonl"])
def test_a_line_that_is_missing_is_found(name: str, copy: Path) -> None:
    lines = (copy / name).read_text().splitlines(keepends=True)
    (copy / name).write_text("".join(lines[1:]))
    code = json.loads(lines[0])["code"]
    assert (name, code) in {(finding.focus, finding.value) for finding in accounts(Release.open(copy))}


def test_a_list_that_is_no_list_is_found(copy: Path) -> None:
    (copy / "rejected.jsonl").write_text("{")
    (copy / "warnings.jsonl").unlink()
    found = accounts(Release.open(copy))
    assert [finding.focus for finding in found] == ["rejected.jsonl", "warnings.jsonl"]
    assert all(finding.message.startswith("cannot be read") for finding in found)


# Q33


@pytest.fixture(params=["serdi", "rapper", "riot"])
def parser(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> files.Program:
    """Each second parser; riot is run from the jar."""
    if request.param == "riot":
        jar = require_jena()
        program = tmp_path / "bin" / "riot"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec java -XX:TieredStopAtLevel=1 -cp "{jar}" riotcmd.riot "$@"\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent), prepend=":")
        assert files.installed() is Parser.RIOT
    else:
        require_tool(request.param, {"serdi": "serdi", "rapper": "raptor2-utils"}[request.param])
    return files.PROGRAMS[Parser(request.param)]


def test_a_sound_file_is_read_alike_by_each_parser(parser: files.Program, sound: Path) -> None:
    chosen = (
        ["pfocr-core.ttl.gz", "pfocr-shapes.ttl"]
        if parser.name == "riot"
        else sorted(path.name for path in sound.iterdir() if files._format(path) is not None)
    )
    for name in chosen:
        assert files.read_alike(sound / name, parser) == [], name


def test_a_file_that_the_second_parser_warns_of_is_found(parser: files.Program, tmp_path: Path) -> None:
    path = tmp_path / "x.ttl"
    path.write_text("<urn:a> <urn:b> <urn:c> .\n<urn:a> <urn:b> <<urn:c> .\n")
    found = files.read_alike(path, parser)
    assert found
    assert {finding.focus for finding in found} == {"x.ttl"}
    assert {finding.value for finding in found} <= {"pyoxigraph", parser.name}


def fake(tmp_path: Path, script: str) -> files.Program:
    """A second parser that does as it is told."""
    program = tmp_path / "parser"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return files.Program(str(program), (), ())


TURTLE = '<urn:a> <urn:b> "\u00e9", 5 .\n<urn:c> <urn:d> _:x .\n'
TRIPLES = ('<urn:a> <urn:b> "\u00e9" .', '<urn:a> <urn:b> "5"^^<http://www.w3.org/2001/XMLSchema#integer> .',
           "<urn:c> <urn:d> _:y .")  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (TRIPLES, ""),
        (TRIPLES[:1], "statement 2 is read by one parser alone"),
        (TRIPLES[:2], "statements with blank nodes are read otherwise"),
        ((TRIPLES[0], TRIPLES[2], TRIPLES[1]), ""),
        ((*TRIPLES, "<urn:e> <urn:f> <urn:g> ."), "statements with blank nodes are read otherwise"),
        ((TRIPLES[0].replace("\u00e9", "e"), *TRIPLES[1:]), "statement 1 is read as"),
        ((*TRIPLES[:2], "<urn:c> <urn:e> _:y ."), "statements with blank nodes are read otherwise"),
    ],
)
def test_what_is_read_otherwise_is_found(lines: tuple[str, ...], said: str, tmp_path: Path) -> None:
    path = tmp_path / "x.ttl"
    path.write_text(TURTLE, encoding="utf-8")
    (tmp_path / "answer").write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = files.read_alike(path, fake(tmp_path, f"cat > /dev/null; cat '{tmp_path}/answer'"))
    assert [finding.message.startswith(said) for finding in found] == ([True] if said else [])


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("cat; echo 'warning: odd' >&2", "warning: odd"),
        ("cat > /dev/null; exit 3", "ended with 3"),
        ("exit 3", "ended with 3"),
        ("kill -9 $$", "ended with -9"),
    ],
)
def test_a_warning_or_a_failure_alone_is_a_finding(script: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "x.ttl"
    path.write_text("<urn:a> <urn:b> <urn:c> .\n" * 20_000)  # more than a pipe holds
    parser = fake(tmp_path, script)
    (found,) = files.read_alike(path, parser)
    assert (found.focus, found.value) == ("x.ttl", parser.name)
    assert found.message.startswith(said)


def test_damaged_and_foreign_files_are_found_by_the_first_parser(copy: Path) -> None:
    core, entities = copy / "pfocr-core.ttl.gz", copy / "pfocr-entities.ttl.gz"
    core.write_bytes(core.read_bytes()[:-40])
    entities.write_bytes(gzip.compress(b"<a b> <urn:c> <urn:d> ."))
    for path in (core, entities):
        found = files.read_alike(path, fake(copy, "cat > /dev/null"))
        assert {finding.focus for finding in found} == {path.name}


def test_a_parser_that_is_not_installed_is_told(sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert files.installed() is None
    for parser in (Parser.SERDI, None):
        with pytest.raises(
            UsageError, match=f"{parser}: is not installed; give one that is with --parser: riot, serdi"
        ):
            files.parse(Release.open(sound), Options(parser=parser))


def test_the_check_reads_all_files_of_a_release(sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def note(path: Path, _second: object) -> list[Finding]:
        read.append(path.name)
        return []

    require_tool("serdi", "serdi")
    monkeypatch.setattr(files, "read_alike", note)
    assert list(files.parse(Release.open(sound), Options(parser=Parser.SERDI))) == []
    assert {"pfocr-all.nq.gz", "pfocr-shapes.ttl", "pfocr-void.ttl", "void-endpoint.ttl", "pfocr-sample.ttl"} < set(
        read
    )
    assert len(read) == 13 + 8


# Q32


def manifest(figures: int, genes: int, core: int) -> dict[str, Any]:
    return {"counts": {"figures": figures, "genes": genes}, "layers": {"core": {"triples": core}}}


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        ((100, 50, 1000), (100, 50, 1000), []),
        ((100, 50, 1000), (109, 54, 1090), []),
        ((100, 50, 1000), (100, 55, 1000), [("genes", "50 -> 55", "changed by +10.0% for each figure")]),
        ((100, 50, 1000), (100, 50, 890), [("triples of core", "1000 -> 890", "changed by -11.0% for each figure")]),
        ((100, 50, 1000), (200, 100, 2000), [("figures", "100 -> 200", "changed by +100.0%")]),
        ((100, 50, 1000), (0, 0, 0), [("figures", "100 -> 0", "changed by -100.0%"),
                                      ("genes", "50 -> 0", "changed by -100.0% for each figure"),
                                      ("triples of core", "1000 -> 0", "changed by -100.0% for each figure")]),
        ((100, 0, 1000), (100, 3, 1000), [("genes", "0 -> 3", "came anew")]),
    ],
)  # fmt: skip
def test_counts_that_jump_are_found(
    before: tuple[int, int, int], now: tuple[int, int, int], found: list[tuple[str, str, str]]
) -> None:
    expected = [Finding(name, value, f"{said} since the last release") for name, value, said in found]
    assert list(history.changed(manifest(*before), manifest(*now))) == expected


def test_counts_are_compared_with_the_release_before(sound: Path, copy: Path) -> None:
    release = Release.open(sound)
    assert isinstance(history.check(release, Options()), NotRun)
    assert history.check(release, Options(previous=copy)) == []
    change(copy, lambda manifest: manifest["counts"].update(genes=1))
    found = history.check(release, Options(previous=copy))
    assert not isinstance(found, NotRun)
    assert [finding.focus for finding in found] == ["genes"]
