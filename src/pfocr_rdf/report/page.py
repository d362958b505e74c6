"""The report as one HTML page that fetches nothing, and its numbers as JSON: from values to text, and to files.

The template escapes whatever comes from the data; only the plots, which escape their own labels, go in as they are.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from pfocr_rdf import buildfolder
from pfocr_rdf import identifiers as ids
from pfocr_rdf.errors import UsageError
from pfocr_rdf.report import pictures, plots
from pfocr_rdf.report.data import Number, Release, ReportData
from pfocr_rdf.validation.checks import Severity
from pfocr_rdf.validation.findings import Outcome, Report, Status

if TYPE_CHECKING:
    from jinja2 import Environment

HTML = "report.html"
JSON = "report.json"
NOTABLE = 0.1
"""A count that changed by this share since the last release is marked (check Q32)."""


def write(data: ReportData, path: Path) -> list[Path]:
    """Write the page, and its JSON beside it; return both files.

    `path` is the HTML file, or a folder (any name without `.html`), where they are `report.html` and `report.json`.
    Raises `UsageError` when the extra `release` is not installed or `path` cannot be written, `PfocrError` when the
    disk takes no more.
    """
    page = path if path.suffix == ".html" else path / HTML
    text = render(data)
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text, encoding="utf-8", newline="\n")
        buildfolder.write_json(page.with_suffix(".json"), data.to_json())
    except OSError as error:
        raise buildfolder.unwritable(page, error) from error
    return [page, page.with_suffix(".json")]


def render(data: ReportData) -> str:
    """Return the page.

    Raises `UsageError` when the extra `release` is not installed.
    """
    from markupsafe import Markup

    environment = _environment()
    drawn = {name: Markup(svg) for name, svg in pictures.drawn(data).items()}  # noqa: S704 - our own, labels escaped
    checks = data.checks.outcomes if data.checks else []
    return environment.get_template("report.html.j2").render(
        data=data,
        plots=drawn,
        title=f"PFOCR as RDF, {name_of(data.release)}",
        verdict=verdict(data.checks),
        changed=changed(data),
        outcomes=sorted(checks, key=_order),
        states={outcome.check.id: state(outcome) for outcome in checks},
        triples=sum(number.now for number in data.layers),
        links=sum(number for _, number in data.levels),
        figures=data.count("figures"),
        plotted=pictures.PLOTTED,
    )


def need_extra() -> None:
    """Raise `UsageError` when what the report is made with is not installed."""
    _environment()
    plots.need_matplotlib()


def _environment() -> Environment:
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError as error:
        raise UsageError(plots.NEEDS) from error
    environment = Environment(
        loader=PackageLoader("pfocr_rdf.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        number=lambda value: f"{value:,}",
        percent=percent,
        difference=difference,
        notable=notable,
        address=address,
        place=place,
    )
    environment.globals.update(name_of=name_of)
    return environment


def name_of(release: Release) -> str:
    """Return what a release is called: by its version, else by its content."""
    return f"release {release.version}" if release.version else f"a build without version ({release.content[:8]})"


def verdict(report: Report | None) -> tuple[str, str, str]:
    """Return what the checks say: a class of the page (`good`, `bad`, `open`), a short and a long sentence."""
    if report is None:
        return "open", "Not checked.", "The release checks were not run, or their result was not given."
    ran = [outcome for outcome in report.outcomes if outcome.status is not Status.NOT_RUN]
    left = len(report.outcomes) - len(ran)
    not_run = f" {_many(left, 'check')} could not be run." if left else ""
    if not report.conforms:
        broken = [o for o in ran if o.status is Status.FAILED and o.check.severity is Severity.VIOLATION]
        found = _many(report.count(Severity.VIOLATION), "violation")
        said = f"{_many(len(broken), 'check')} of {len(ran)} found {found}: this must not be published.{not_run}"
        return "bad", "Does not conform.", said
    if not ran:
        return "open", "Not checked.", not_run.strip() or "There were no checks to run."
    warned = sum(outcome.status is Status.FAILED for outcome in ran)
    if warned:
        found = _many(report.count(Severity.WARNING), "oddity", "oddities")
        said = (
            f"No rule of the data model is broken; {warned} of {len(ran)} checks list {found} of the source.{not_run}"
        )
        return "good", "Conforms.", said
    return "good", "Conforms.", f"All {_many(len(ran), 'check')} passed and found nothing.{not_run}"


def changed(data: ReportData) -> str:
    """Return in words what changed since the release before."""
    if data.previous is None:
        return "No earlier release was given to compare with."
    moved = [f"{number.name} {difference(number)}" for number in data.counts if number.now != number.before]
    since = f"Since {name_of(data.previous)}"
    return f"{since}: {', '.join(moved)}." if moved else f"{since}, none of the counts has changed."


def state(outcome: Outcome) -> str:
    """Return how a check ended, in a word."""
    if outcome.status is Status.FAILED:
        return "violated" if outcome.check.severity is Severity.VIOLATION else "found some"
    return {Status.PASSED: "passed", Status.NOT_RUN: "not run"}[outcome.status]


def percent(part: int, whole: int) -> str:
    """Return a share in per cent; none of nothing is a dash."""
    return f"{part / whole:.1%}".replace("%", "\N{NO-BREAK SPACE}%") if whole else "\N{EN DASH}"


def difference(number: Number) -> str:
    """Return how a number changed, in absolute and in per cent; an empty text without an earlier one."""
    if number.before is None:
        return ""
    by = number.now - number.before
    if not by:
        return "±0"
    relative = f" ({by / number.before:+,.1%})".replace("%", "\N{NO-BREAK SPACE}%") if number.before else ""
    return f"{by:+,}{relative}".replace("-", "\N{MINUS SIGN}")


def notable(number: Number) -> bool:
    """Whether a number changed by a tenth or more."""
    return number.before is not None and abs(number.now - number.before) >= max(1, NOTABLE * number.before)


def address(iri: str) -> str:
    """Return an address that a link may lead to: a web address, or an empty text."""
    return iri if re.match(r"https?://[^\s\"<>]+\Z", iri) else ""


def place(focus: str) -> tuple[str, str]:
    """Return name and address of what a finding is about: figures and mentions lead to the figure's page."""
    if focus.startswith(ids.FIGURES) and focus.endswith(".html"):
        return ids.figid_of(focus), address(focus)
    if focus.startswith(ids.MENTIONS):
        figid, _, key = focus.removeprefix(ids.MENTIONS).partition("/")
        return f"{ids.decode(figid)}, {key}", f"{ids.FIGURES}{figid}.html"
    return focus, address(focus)


def _order(outcome: Outcome) -> tuple[int, int, int]:
    """Order of checks: violations, oddities, what was not run, what passed; the most findings first."""
    states = ("violated", "found some", "not run", "passed")
    return states.index(state(outcome)), -outcome.count, outcome.check.number


def _many(number: int, one: str, more: str = "") -> str:
    return f"{number:,} {one if number == 1 else more or f'{one}s'}"
