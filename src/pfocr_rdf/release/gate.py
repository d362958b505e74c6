"""The gate: whether what was made may take the place of the release before. It decides, and opens nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pfocr_rdf.errors import NotValid
from pfocr_rdf.validation.checks import Severity
from pfocr_rdf.validation.findings import Report

COUNTED = ("figures", "papers", "genes", "mentions")
"""Counts of a manifest that are compared; so are the triples of each layer."""


class Kept(NotValid):
    """A release that was kept aside: its version, its folder in `rejected/`, and the reasons, one line each."""

    def __init__(self, version: str, place: Path, reasons: list[str]) -> None:
        """Say why, and where what was found lies."""
        super().__init__(f"{'; '.join(reasons)}; nothing was published. What was found is in {place}")
        self.version, self.place, self.reasons = version, place, reasons


def reasons(
    report: Report, before: Mapping[str, Any] | None, now: Mapping[str, Any], max_drop: float | None
) -> list[str]:
    """Return why a release must be looked at before it is published; nothing when it may be.

    `report` is what the checks found, `before` and `now` are the manifests of the release before and of this one,
    `max_drop` is the share by which a count may fall; None allows any.
    """
    return [*_violations(report), *(_fallen(before, now, max_drop) if before and max_drop is not None else ())]


def _violations(report: Report) -> list[str]:
    if report.conforms:
        return []
    failed = [o.check.id for o in report.outcomes if o.count and o.check.severity is Severity.VIOLATION]
    return [f"{report.count(Severity.VIOLATION):,} violations of {', '.join(failed)}"]


def _fallen(before: Mapping[str, Any], now: Mapping[str, Any], max_drop: float) -> list[str]:
    was, has = _counts(before), _counts(now)
    return [
        f"{name} fell by {(old - has.get(name, 0)) / old:.1%} ({old:,} -> {has.get(name, 0):,})"
        for name, old in was.items()
        if old - has.get(name, 0) > max_drop * old
    ]


def _counts(manifest: Mapping[str, Any]) -> dict[str, int]:
    """Return the counts that are compared, by what they are called for people."""
    layers = {f"triples of {layer}": int(entry["triples"]) for layer, entry in manifest["layers"].items()}
    return {name: int(manifest["counts"].get(name, 0)) for name in COUNTED} | layers
