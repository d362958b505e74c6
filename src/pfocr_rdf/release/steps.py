"""What other parts of the program do for a release; each is loaded when its turn comes, for some need an extra."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pfocr_rdf.release.description import Description
from pfocr_rdf.release.info import FileInfo, ReleaseInfo
from pfocr_rdf.release.statistics import Statistics
from pfocr_rdf.validation.findings import Report
from pfocr_rdf.validation.options import Options
from pfocr_rdf.workers import Engine

Start = Callable[[int], Callable[[int], None]]
"""Begins a progress bar with a total, and returns what moves it on."""


def _ready() -> None:
    from pfocr_rdf.report import page

    page.need_extra()


def _statistics(release: Path, engine: Engine) -> Statistics:
    from pfocr_rdf.release import statistics

    return statistics.count(release, engine)


def _describe(release: Path, files: Mapping[str, FileInfo], info: ReleaseInfo, found: Statistics) -> Description:
    from pfocr_rdf.release import description

    return description.describe(release, files, info, found)


def _shapes() -> str:
    from pfocr_rdf.validation import shapes

    return shapes.union()


def _count(turtle: str) -> int:
    import pyoxigraph as ox

    return sum(1 for _ in ox.parse(turtle, format=ox.RdfFormat.TURTLE))


def _validate(release: Path, options: Options, workers: int | None, start: Start | None) -> Report:
    from pfocr_rdf.validation import files, run

    options = replace(options, parser=options.parser or files.installed())
    return run.validate(release, options, workers=workers, start=start)


def _write_validation(report: Report, release: Path) -> None:
    from pfocr_rdf.validation import report as writing

    writing.write(report, release)


def _write_report(release: Path, report: Report, previous: Path | None, version: str) -> None:
    from pfocr_rdf.report import data, page

    page.write(data.gather(release, validation=report, previous=previous, version=version), release)


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of `publish` that are not its own, as functions; tests give others.

    `ready` comes first and raises `UsageError` when an extra is missing, before any work is done in vain.
    """

    ready: Callable[[], None] = _ready
    statistics: Callable[[Path, Engine], Statistics] = _statistics
    describe: Callable[[Path, Mapping[str, FileInfo], ReleaseInfo, Statistics], Description] = _describe
    shapes: Callable[[], str] = _shapes
    count: Callable[[str], int] = _count
    validate: Callable[[Path, Options, int | None, Start | None], Report] = _validate
    write_validation: Callable[[Report, Path], None] = _write_validation
    write_report: Callable[[Path, Report, Path | None, str], None] = _write_report
