"""What the checks found, read back from `validation.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pfocr_rdf.errors import UsageError
from pfocr_rdf.validation import checks
from pfocr_rdf.validation.checks import Check, Severity, Way
from pfocr_rdf.validation.findings import Finding, Outcome, Report


def read(path: Path) -> Report:
    """Return the report whose `to_json` a file holds; what its checks mean is taken from the shipped ones.

    Raises `UsageError` when the file cannot be read, or holds something else.
    """
    shipped = {check.id: check for check in checks.all_checks()}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        outcomes = [_outcome(each, shipped) for each in found["checks"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        said = f"it lacks {error}" if isinstance(error, KeyError) else error
        raise UsageError(f"{path}: is no report of `pfocr-rdf validate --json` ({said})") from error
    return Report(sorted(outcomes, key=lambda outcome: outcome.check.number))


def _outcome(found: dict[str, Any], shipped: dict[str, Check]) -> Outcome:
    known = shipped.get(found["check"])
    severity = Severity(found["severity"])
    if known is None or known.title != found["title"] or known.severity is not severity:  # those of another version
        known = Check(found["check"], "", found["title"], severity, Way.CODE, tuple(found["tags"]), "", "", "", "", "")
    known.number  # noqa: B018 - raises for an id that is none
    examples = [Finding(**{name: str(value) for name, value in each.items()}) for each in found["examples"]]
    return Outcome(known, int(found["count"]), examples, str(found["reason"]))
