"""Runs all checks over a release: which module does which, what runs beside what, one report.

A check with a query is run by `sparql`, one with shapes by `stream`, one without body by the function that a module
of `MODULES` lists in its `CHECKS` under the check's id, or by `stream` where it must look at each triple.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from pfocr_rdf.errors import UsageError
from pfocr_rdf.validation import checks
from pfocr_rdf.validation.checks import Check, Way
from pfocr_rdf.validation.findings import Outcome, Report
from pfocr_rdf.validation.options import Options
from pfocr_rdf.validation.release import Function, Release

MODULES = ("files", "history", "lists", "questions", "reconcile")
"""Modules of this package with `CHECKS`: functions by id of a check."""

Start = Callable[[int], Callable[[int], None]]
"""Begins a progress bar with a total, and returns what moves it on."""


def functions() -> dict[str, Function]:
    """Return the functions of checks without body, by id.

    Raises `ValueError` when two modules claim one check.
    """
    found: dict[str, Function] = {}
    for name in MODULES:
        if find_spec(f"{__package__}.{name}") is None:
            continue
        claimed: dict[str, Function] = importlib.import_module(f"{__package__}.{name}").CHECKS
        if twice := found.keys() & claimed.keys():
            raise ValueError(f"{name}: {', '.join(sorted(twice))} are another module's checks too")
        found |= claimed
    return found


def run_function(check: Check, function: Function, release: Release, options: Options) -> Outcome:
    """Run a check that is a function."""
    found = function(release, options)
    outcome = Outcome(check)
    if isinstance(found, tuple):
        outcome.reason = found.reason
    else:
        outcome.add(found)
    return outcome


def validate(release: Path, options: Options, *, workers: int | None = None, start: Start | None = None) -> Report:
    """Run all checks and return what they found.

    Raises `UsageError` when `release` is no build.
    """
    opened = Release.open(release)
    report = Report()
    known = functions()
    try:
        for check in checks.all_checks():
            if lacking := options.lacking(check.needs):
                report.outcomes.append(Outcome(check, reason=f"needs {', '.join(lacking)}"))
            elif check.way is Way.CODE and check.id in known:
                report.outcomes.append(run_function(check, known[check.id], opened, options))
            elif check.way is Way.SPARQL:
                sparql = importlib.import_module(f"{__package__}.sparql")
                report.outcomes.append(sparql.run(check, opened.store()))
    except UsageError:
        opened.close()
        raise
    return report
