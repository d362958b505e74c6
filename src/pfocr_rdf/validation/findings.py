"""What the checks found: findings, the outcome of each check, and the report of all, as JSON and as SHACL."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from pfocr_rdf.validation.checks import Check, Severity

EXAMPLES = 20
"""So many findings of a check are kept as examples: the first by code point, so they do not depend on any order."""


class Finding(NamedTuple):
    """One thing that a check found: the IRI of what it is about (or the name of a file), the value, what is wrong.

    What a shape found has SHACL's own words too: the predicate, the kind of constraint, the name of the shape.
    """

    focus: str
    value: str = ""
    message: str = ""
    layer: str = ""
    path: str = ""
    component: str = ""
    shape: str = ""


class NotRun(NamedTuple):
    """What a check returns that cannot be run: why."""

    reason: str


class Status(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not-run"


@dataclass(slots=True)
class Outcome:
    """How one check ended: number of findings, the first of them, or why it was not run."""

    check: Check
    count: int = 0
    examples: list[Finding] = field(default_factory=list)
    reason: str = ""

    @property
    def status(self) -> Status:
        """How the check ended."""
        if self.reason:
            return Status.NOT_RUN
        return Status.FAILED if self.count else Status.PASSED

    def add(self, findings: Iterable[Finding], uncounted: int = 0) -> None:
        """Take findings; `uncounted` are more of them of which only the number is known."""
        found = list(findings)
        self.count += len(found) + uncounted
        self.examples = heapq.nsmallest(EXAMPLES, {*self.examples, *found})

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as JSON values."""
        check = self.check
        return {
            "check": check.id,
            "title": check.title,
            "severity": str(check.severity),
            "tags": list(check.tags),
            "status": str(self.status),
            "count": self.count,
            "reason": self.reason,
            "examples": [finding._asdict() for finding in self.examples],
        }


@dataclass(slots=True)
class Report:
    """The outcomes of all checks, by number of the check."""

    outcomes: list[Outcome] = field(default_factory=list)

    def count(self, severity: Severity) -> int:
        """Return the number of findings of a severity."""
        return sum(outcome.count for outcome in self.outcomes if outcome.check.severity is severity)

    @property
    def conforms(self) -> bool:
        """Whether no violation was found."""
        return not self.count(Severity.VIOLATION)

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "conforms": self.conforms,
            "violations": self.count(Severity.VIOLATION),
            "warnings": self.count(Severity.WARNING),
            "not-run": sum(outcome.status is Status.NOT_RUN for outcome in self.outcomes),
            "checks": [outcome.to_json() for outcome in self.outcomes],
        }
