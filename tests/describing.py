"""Builds that are described, for the tests of descriptions."""

from __future__ import annotations

import json
from pathlib import Path

import pyoxigraph as ox

from pfocr_rdf.pipeline import Options, build
from pfocr_rdf.release import statistics
from pfocr_rdf.release.description import Description, describe
from pfocr_rdf.release.info import VOID, VOID_ENDPOINT, FileInfo, ReleaseInfo
from pfocr_rdf.settings import Settings
from pfocr_rdf.shards import Output
from tests.support import ROOT

EXAMPLE = ROOT / "docs" / "example"
RELEASE = ReleaseInfo("20230907", "20230801", "https://example.org/pfocr", "https://example.org/sparql", commit="1a2b")
COUNTED = {"triples", "entities", "distinctSubjects", "distinctObjects", "classes", "properties"}
"""The properties of VoID whose values are numbers."""

SAMPLE = "<https://example.org/a> <https://example.org/b> 1, 2 .\n"


def files_of(folder: Path) -> dict[str, FileInfo]:
    """The files of a build as they would be published, with a sample that holds two triples."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    files = {name: FileInfo(entry["bytes"], entry["sha256"]) for name, entry in manifest["files"].items()}
    sample = folder / "pfocr-sample.ttl"
    if sample.exists():
        files[sample.name] = FileInfo.of(sample, 2)
    return files


def described(folder: Path, source: Path = EXAMPLE, *, compress: str = "none", release: ReleaseInfo = RELEASE) -> Path:
    """Build a source in a folder, and describe it there."""
    settings = Settings(max_rejected=1, max_rejected_rows=1)
    build(str(source), folder, Options(settings=settings, output=Output(compress, nquads=True)), workers=1)
    (folder / "pfocr-sample.ttl").write_text(SAMPLE, encoding="utf-8")
    write(folder, describe(folder, files_of(folder), release, statistics.count(folder)))
    return folder


def write(folder: Path, description: Description) -> None:
    """Write both descriptions where they belong."""
    (folder / VOID).write_text(description.void, encoding="utf-8")
    (folder / VOID_ENDPOINT).write_text(description.endpoint, encoding="utf-8")


def store_of(path: Path) -> ox.Store:
    """A description as a store."""
    store = ox.Store()
    store.load(path=str(path), format=ox.RdfFormat.TURTLE)
    return store
