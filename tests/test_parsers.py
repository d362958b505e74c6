"""Every file parses without a warning in five parsers that share no code, and all count the same triples."""

from __future__ import annotations

import logging
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib

from tests.blackbox import FIXTURES, run
from tests.support import SEEDS, SHARED, require_tool

GENERATIONS = ("2021", "2023", "latest")
SOURCES = {f"records-{generation}": SHARED / "records" / generation for generation in GENERATIONS} | {
    "seeds": SEEDS,
    **{path.name: path for path in sorted(FIXTURES.iterdir()) if path.is_dir() and path.name != "gene-info"},
}


@pytest.fixture(scope="module")
def files(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[Path, int]:
    """All files of all builds, with the number of triples that the manifest gives."""
    assert shared.is_dir()
    found: dict[Path, int] = {}
    for name, source in SOURCES.items():
        out = tmp_path_factory.mktemp("builds") / name
        built = run(source, out)
        assert built.exit_code == 0, built.output
        for entry in built.manifest["layers"].values():
            found[out / entry["file"]] = entry["triples"]
    assert len(found) == 13 * len(SOURCES)
    return found


def said(*command: str | Path) -> tuple[str, str]:
    """What a program that must succeed prints: output and messages."""
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{command[0]}: {done.stderr[:2000]}"
    return done.stdout, done.stderr


def test_pyoxigraph(files: dict[Path, int]) -> None:
    for path, triples in files.items():
        assert sum(1 for _ in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE)) == triples, path


def test_rdflib(files: dict[Path, int], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for path, triples in files.items():
            assert len(rdflib.Graph().parse(path, format="turtle")) == triples, path
    assert caplog.records == []


def test_serdi(files: dict[Path, int]) -> None:
    serdi = require_tool("serdi", "serdi")
    for path, triples in files.items():
        output, messages = said(serdi, "-o", "ntriples", path)
        assert messages == ""
        assert output.count("\n") == triples, path


@pytest.mark.slow
def test_rapper(files: dict[Path, int]) -> None:
    rapper = require_tool("rapper", "raptor2-utils")
    for path, triples in files.items():
        _, messages = said(rapper, "-c", "-i", "turtle", path)
        lines = [line for line in messages.splitlines() if "Parsing URI" not in line]
        assert lines == [f"rapper: Parsing returned {triples} triple{'' if triples == 1 else 's'}"], path


def test_riot(files: dict[Path, int], jena: Path) -> None:
    command = ("java", "-Xmx1g", "-cp", jena, "riotcmd.riot")
    output, messages = said(*command, "--validate", *files)
    assert messages == ""
    assert [line for line in output.splitlines() if " INFO  riot " not in line] == []
    _, messages = said(*command, "--count", *files)
    assert list(counts(messages)) == [(path.name, triples) for path, triples in files.items()]


def counts(messages: str) -> Iterator[tuple[str, int]]:
    """File name and triples of each line that riot's count prints, before the total."""
    for line in messages.splitlines()[:-1]:
        match = re.fullmatch(r"(\S+)(?:\s*: Triples = ([0-9,]+))?", line)
        assert match, line
        yield Path(match[1]).name, int((match[2] or "0").replace(",", ""))
