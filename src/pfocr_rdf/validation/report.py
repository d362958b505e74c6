"""The report of a validation: as Markdown for people, as JSON, and as a SHACL validation report in Turtle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from pfocr_rdf import identifiers as ids
from pfocr_rdf import serialize, terms
from pfocr_rdf.terms import Description, Pair
from pfocr_rdf.validation.checks import Severity, Way
from pfocr_rdf.validation.findings import Finding, Outcome, Report, Status

FILES = ("validation.json", "validation.md", "validation.ttl")
CHECK_IRIS = ids.PFD + "check/"
"""Begins the IRI of a check, the source shape of its results."""

_REPORT = f"{ids.PFD}validation"
_SEVERITY = {Severity.VIOLATION: "sh:Violation", Severity.WARNING: "sh:Warning"}
_SHOWN = 5
"""Examples of a check in the Markdown; the other forms have all that were kept."""


def write(report: Report, folder: Path) -> None:
    """Write the report in its three forms.

    Raises `OSError` when the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = (json.dumps(report.to_json(), ensure_ascii=False, indent=2) + "\n", markdown(report), turtle(report))
    for name, text in zip(FILES, texts, strict=True):
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def turtle(report: Report) -> str:
    """Return a `sh:ValidationReport`: named nodes only, the examples of each check as results, and its number."""
    described = sorted(_described(report))
    return serialize.HEADER + "".join(serialize.block(subject, pairs) for subject, pairs in described)


def _described(report: Report) -> Iterator[Description]:
    pairs: list[Pair] = [("a", "sh:ValidationReport"), ("sh:conforms", "true" if report.conforms else "false")]
    for outcome in report.outcomes:
        check = outcome.check
        iri = f"{CHECK_IRIS}{check.name}"
        yield (
            iri,
            [
                ("dcterms:identifier", terms.string(check.id)),
                ("dcterms:title", terms.string(check.title)),
                ("dcterms:description", terms.string(_counted(outcome))),
                ("sh:severity", _SEVERITY[check.severity]),
                ("void:entities", terms.integer(outcome.count)),
            ],
        )
        for finding in outcome.examples:
            result = f"{_REPORT}/{check.name}/{_name(finding)}"
            pairs.append(("sh:result", terms.iri(result)))
            yield result, _result(outcome, finding, iri)
    yield _REPORT, pairs


def _result(outcome: Outcome, finding: Finding, check: str) -> list[Pair]:
    pairs = [
        ("a", "sh:ValidationResult"),
        ("sh:resultSeverity", _SEVERITY[outcome.check.severity]),
        (
            "sh:resultMessage",
            terms.string(f"{outcome.check.title}: {finding.message}" if finding.message else outcome.check.title),
        ),
        ("sh:sourceConstraintComponent", _component(outcome, finding, check)),
        ("sh:sourceShape", terms.iri(finding.shape or check)),
        ("sh:focusNode", _focus(finding.focus)),
    ]
    if finding.value:
        pairs.append(("sh:value", _focus(finding.value)))
    if finding.path:
        pairs.append(("sh:resultPath", terms.iri(finding.path)))
    if finding.layer:
        pairs.append(("dcterms:isPartOf", terms.iri(ids.graph(finding.layer))))
    return pairs


def _component(outcome: Outcome, finding: Finding, check: str) -> str:
    """Return what kind of constraint was broken: SHACL's own for shapes and queries, else the check itself."""
    if finding.component:
        return f"sh:{finding.component}"
    return "sh:SPARQLConstraintComponent" if outcome.check.way is Way.SPARQL else terms.iri(check)


def _focus(text: str) -> str:
    """Return what a finding names as an IRI where it is one, else as a string: a file, a word, an IRI that is none."""
    return terms.iri(text) if terms.is_iri(text) and text.startswith(("http:", "https:")) else terms.string(text)


def _name(finding: Finding) -> str:
    """Return a name for a result that depends on what it says alone."""
    return hashlib.sha256("\x1f".join(finding).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def markdown(report: Report) -> str:
    """Return the report as Markdown: a table of all checks, then the first examples of those that found something."""
    violations, warnings = (report.count(severity) for severity in Severity)
    said = "conforms to the data model" if report.conforms else "does not conform to the data model"
    lines = ["# Validation", "", f"This release {said}: {violations:,} violations, {warnings:,} warnings.", ""]
    lines += ["| check | title | severity | findings | status |", "|---|---|---|---:|---|"]
    lines += [
        f"| {o.check.id} | {_cell(o.check.title)} | {o.check.severity} | {o.count:,} | {_cell(status(o))} |"
        for o in report.outcomes
    ]
    for outcome in report.outcomes:
        if outcome.examples:
            check = outcome.check
            lines += ["", f"## {check.id}: {check.title}", "", check.what, "", f"Why: {check.why}", ""]
            lines += [f"To mend it: {check.mend}", "", f"{_counted(outcome)}", ""]
            lines += [f"- {_code(finding)}" for finding in outcome.examples[:_SHOWN]]
    return "\n".join(lines) + "\n"


def status(outcome: Outcome) -> str:
    """Return how a check ended, with the reason when it was not run."""
    return f"not run: {outcome.reason}" if outcome.status is Status.NOT_RUN else str(outcome.status)


def _counted(outcome: Outcome) -> str:
    if outcome.status is Status.NOT_RUN:
        return f"Not run: {outcome.reason}."
    number = "1 finding" if outcome.count == 1 else f"{outcome.count:,} findings"
    return f"{number}, {len(outcome.examples)} of them listed." if outcome.count else "No findings."


def line(finding: Finding) -> str:
    """Return a finding as one line."""
    place = f" [{finding.layer}]" if finding.layer else ""
    value = f" {finding.value!r}" if finding.value else ""
    return f"{finding.focus}{value}{f': {finding.message}' if finding.message else ''}{place}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _code(finding: Finding) -> str:
    """Return a finding in a form in which nothing in it is Markdown."""
    text = " ".join(line(finding).split())
    fence = "`"
    while fence in text:
        fence += "`"
    return f"{fence} {text} {fence}" if "`" in text else f"`{text}`"
