"""`publish`: from a build to a release that the checks found good. The order of the steps, and `release.json`.

All of it is made beside the releases and checked there; `release.folder` lets it appear. Nothing that is published
depends on when or where it was made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pfocr_rdf import buildfolder, diff
from pfocr_rdf import identifiers as ids
from pfocr_rdf.errors import UsageError
from pfocr_rdf.manifest import QUADS
from pfocr_rdf.model import Layer
from pfocr_rdf.release import changelog, contents, examples, folder, gate, recipes, sample, withdrawn
from pfocr_rdf.release.contents import Build
from pfocr_rdf.release.description import Description
from pfocr_rdf.release.folder import Releases
from pfocr_rdf.release.info import VOID, VOID_ENDPOINT, FileInfo, ReleaseInfo, void_graph
from pfocr_rdf.release.recipes import Graph
from pfocr_rdf.release.steps import Start, Steps
from pfocr_rdf.validation.checks import Severity
from pfocr_rdf.validation.findings import Report
from pfocr_rdf.validation.options import Options
from pfocr_rdf.workers import Engine, default_engine

SHAPES = "pfocr-shapes.ttl"
LANDING = "pfocr.jsonld"
VALIDATION = "validation.*"
REASONS = "reasons.json"
"""Why a release was kept aside."""
FORMAT = 1
"""Version of the layout of a release."""

_SPACE = 1.3
"""A release needs so many times the bytes of its build, about."""

Say = Callable[[str], None]
"""Told what is done next."""


@dataclass(frozen=True, slots=True)
class Published:
    """A release that is there: its folder, its `release.json`, and whether it came just now."""

    place: Path
    release: Mapping[str, Any]
    new: bool


def publish(
    build: Path,
    to: Path | Releases,
    *,
    version: str | None = None,
    base_url: str | None = None,
    endpoint: str | None = None,
    options: Options | None = None,
    max_drop: float | None = None,
    accept: bool = False,
    workers: int | None = None,
    steps: Steps | None = None,
    say: Say = lambda _: None,
    start: Start | None = None,
) -> Published:
    """Publish a build as the newest release in the folder `to`; the release that is there already, if it is the same.

    `to` may be a folder that the caller has opened already. `options` is what the checks are given from outside,
    `max_drop` the share by which counts may fall (see `release.gate`); with `accept` it is published whatever is found.
    Raises `UsageError` when build, folder or version cannot be used, `Kept` when the gate kept it aside,
    `PfocrError` when the disk takes no more.
    """
    steps = steps or Steps()
    found = contents.read(build)
    info = ReleaseInfo(version or folder.version_of(found.manifest), endpoint=endpoint)
    if base_url is not None:
        info = replace(info, base_url=base_url)
    with folder.opened(to) if isinstance(to, Path) else nullcontext(to) as releases:
        folder.outside(found.folder.resolve(), releases.root)
        before = releases.current()
        said = folder.read_release(before) if before else None
        if before and said and _same(said, found, info):
            return Published(before, said, new=False)
        name = releases.free(info.version)
        if version is not None and name != version:
            raise UsageError(f"{releases.place(version)}: is there already, and releases stay; give another --version")
        steps.ready()
        info = replace(info, version=name, previous=said["version"] if said else None)
        buildfolder.need_space(releases.root, int(_SPACE * sum(f["bytes"] for f in found.manifest["files"].values())))
        with releases.staged(name) as stage:
            hashes = _make(stage, found, info, before, steps, workers, say)
            say("checks")
            report = steps.validate(stage, replace(options or Options(), previous=before), workers, start)
            steps.write_validation(report, stage)
            manifest = buildfolder.read_manifest(before) if before else None
            reasons = gate.reasons(report, manifest, found.manifest, max_drop)
            if reasons and not accept:
                raise gate.Kept(name, _keep(stage, releases, name, found, reasons), reasons)
            say("report")
            steps.write_report(stage, report, before, name)
            release = _release(found, info, report)
            buildfolder.write_json(stage / folder.RELEASE, release)
            folder.write_sums(stage, hashes)
    return Published(releases.place(name), release, new=True)


def _same(said: Mapping[str, Any], build: Build, info: ReleaseInfo) -> bool:
    """Whether a release is of this build and for the same addresses."""
    return (said["manifest"], said["base_url"], said["endpoint"]) == (build.sha256, info.base_url, info.endpoint)


def _make(
    stage: Path, build: Build, info: ReleaseInfo, before: Path | None, steps: Steps, workers: int | None, say: Say
) -> dict[str, str]:
    """Write all of a release but what the checks say of it; return the hashes of files that are known."""
    say("files of the build")
    hashes = contents.copy(build, stage)
    triples: dict[str, int] = {}
    with default_engine(workers) as engine:
        if QUADS not in hashes:
            say("N-Quads")
            hashes[QUADS] = contents.write_quads(stage, engine)
        say("sample")
        triples[sample.NAME] = sample.write(stage, stage / sample.NAME, engine)
        triples[QUADS] = sum(layer["triples"] for layer in build.manifest["layers"].values())
        say("changes")
        triples[withdrawn.NAME] = _history(stage, build, info, before)
        shapes = steps.shapes()
        _write(stage / SHAPES, shapes)
        triples[SHAPES] = steps.count(shapes)
        questions = examples.examples(info.endpoint)
        _write(stage / examples.FILE, questions)
        triples[examples.FILE] = steps.count(questions)
        say("description")
        described = _describe(stage, info, hashes, triples, steps, engine)
    recipes.write(stage, info.version, _graphs(build, info, triples[withdrawn.NAME], described))
    return hashes


def _history(stage: Path, build: Build, info: ReleaseInfo, before: Path | None) -> int:
    """Write what came, went and changed; return the number of triples about figures that are withdrawn."""
    if before is None or info.previous is None:
        _write(stage / changelog.NAME, changelog.first(info.version, build.manifest))
        return withdrawn.write(stage, {})
    seen = changelog.Seen(info.previous)
    old = buildfolder.describe_file(before / buildfolder.MANIFEST)["sha256"]
    found = diff.write(
        seen.watch(diff.builds(before, stage)), stage / changelog.FOLDER, old, build.sha256, [diff.Form.FIGURES]
    )
    manifest = buildfolder.read_manifest(before)
    text = changelog.later(info.version, manifest, build.manifest, found, seen, changelog.read(before))
    _write(stage / changelog.NAME, text)
    return withdrawn.write(stage, withdrawn.read(before) | seen.gone)


def _describe(
    stage: Path,
    info: ReleaseInfo,
    hashes: Mapping[str, str],
    triples: Mapping[str, int],
    steps: Steps,
    engine: Engine,
) -> Description:
    files = {}
    for path in sorted(stage.iterdir()):
        if path.is_file():
            digest = hashes.get(path.name) or buildfolder.describe_file(path)["sha256"]
            files[path.name] = FileInfo(path.stat().st_size, digest, triples.get(path.name))
    described = steps.describe(stage, files, info, steps.statistics(stage, engine))
    _write(stage / VOID, described.void)
    _write(stage / VOID_ENDPOINT, described.endpoint)
    _write(stage / LANDING, described.jsonld)
    return described


def _graphs(build: Build, info: ReleaseInfo, gone: int, described: Description) -> list[Graph]:
    """Return the named graphs of a store that holds the release."""
    layers = build.manifest["layers"]
    found = [
        Graph(ids.graph(layer), layers[layer]["file"], layers[layer]["triples"], layer=True)
        for layer in Layer
        if layer in layers
    ]
    return [
        *found,
        Graph(withdrawn.GRAPH, withdrawn.NAME, gone, layer=False),
        Graph(void_graph(info.endpoint), VOID_ENDPOINT, described.endpoint.count("\n    "), layer=False),
    ]


def _keep(stage: Path, releases: Releases, version: str, build: Build, reasons: list[str]) -> Path:
    """Keep a release aside, with its build and what was found; return where."""
    buildfolder.write_json(stage / REASONS, {"version": version, "manifest": build.sha256, "reasons": reasons})
    said = [REASONS, *(path.name for path in stage.glob(VALIDATION))]
    return releases.reject(version, stage, said, [*build.manifest["files"], buildfolder.MANIFEST])


def _release(build: Build, info: ReleaseInfo, report: Report) -> dict[str, Any]:
    manifest = build.manifest
    return {
        "format": FORMAT,
        "version": info.version,
        "previous": info.previous,
        "manifest": build.sha256,
        "base_url": info.base_url,
        "endpoint": info.endpoint,
        "source": manifest["source"],
        "tool": manifest["tool"],
        "counts": manifest["counts"],
        "triples": {layer: entry["triples"] for layer, entry in manifest["layers"].items()},
        "checks": {
            "conforms": report.conforms,
            "violations": report.count(Severity.VIOLATION),
            "warnings": report.count(Severity.WARNING),
            "outcomes": {
                outcome.check.id: {"status": str(outcome.status), "count": outcome.count} for outcome in report.outcomes
            },
        },
    }


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
