"""Builds to publish, and steps of `publish` that are quick and can be told to fail."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pfocr_rdf.release.publish import Published, publish
from pfocr_rdf.release.statistics import Counts, Statistics
from pfocr_rdf.release.steps import Start, Steps
from pfocr_rdf.validation import checks, files, history
from pfocr_rdf.validation.findings import Finding, NotRun, Outcome, Report
from pfocr_rdf.validation.options import Options
from pfocr_rdf.validation.release import Function, Release
from pfocr_rdf.workers import Engine

SHAPES = "@prefix sh: <http://www.w3.org/ns/shacl#> .\n<http://example.org/shape> sh:property [ sh:minCount 1 ] .\n"
FIXTURES = Path(__file__).with_name("fixtures")


CHECKS: dict[str, Function] = {"Q32": history.check, "Q35": files.accounts}


def outcome(name: str, found: Iterable[Finding] | NotRun) -> Outcome:
    """What a check found."""
    made = Outcome(next(check for check in checks.all_checks() if check.id == name))
    if isinstance(found, NotRun):
        made.reason = found.reason
    else:
        made.add(found)
    return made


@dataclass
class Checks:
    """A validation of few checks; `violate` lets one of them find something."""

    violate: bool = False
    seen: list[Options] = field(default_factory=list)

    def __call__(self, release: Path, options: Options, _workers: int | None, _start: Start | None) -> Report:
        self.seen.append(options)
        opened = Release.open(release)
        report = Report([outcome(name, check(opened, options)) for name, check in CHECKS.items()])
        if self.violate:
            report.outcomes[1].add([Finding("manifest.json", "records", "does not add up")])
        return report


def write_validation(report: Report, release: Path) -> None:
    (release / "validation.json").write_text(json.dumps(report.to_json()))
    (release / "validation.md").write_text("# What the checks found\n")
    (release / "validation.ttl").write_text("")


def write_report(release: Path, _report: Report, previous: Path | None, version: str) -> None:
    (release / "report.html").write_text(f"<title>{version}</title>")
    (release / "report.json").write_text(json.dumps({"after": previous.name if previous else None}))


def statistics(release: Path, _engine: Engine) -> Statistics:
    """The number of triples of each layer, and no others: to count them all takes longer than all else."""
    layers = json.loads((release / "manifest.json").read_text())["layers"]
    counts = {layer: Counts(entry["triples"], 0, 0, 0, 0, {}, {}) for layer, entry in layers.items()}
    return Statistics(counts, Counts(sum(found.triples for found in counts.values()), 0, 0, 0, 0, {}, {}), [], {})


def steps(violate: bool = False) -> Steps:
    return Steps(
        ready=lambda: None,
        statistics=statistics,
        shapes=lambda: SHAPES,
        validate=Checks(violate),
        write_validation=write_validation,
        write_report=write_report,
    )


def replaced(**others: Any) -> Steps:
    """The quick steps, but for some."""
    return replace(steps(), **others)


def release(build: Path, to: Path, version: str | None = None, **options: Any) -> Published:
    """Publish a build with quick steps."""
    return publish(build, to, version=version, steps=options.pop("steps", None) or steps(), workers=1, **options)


def check_sums(place: Path) -> list[str]:
    """Let `sha256sum` check a release; return the names of the files that it lists."""
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=place, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = (place / "SHA256SUMS").read_text().splitlines()
    return [line.partition("  ")[2] for line in lines]


def contents(folder: Path) -> dict[str, str]:
    """The hash of each file below a folder; links are named by their targets."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found
