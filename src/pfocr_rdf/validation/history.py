"""Q32: how counts changed since the last release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pfocr_rdf import buildfolder
from pfocr_rdf.validation.findings import Finding, NotRun
from pfocr_rdf.validation.options import Options
from pfocr_rdf.validation.release import Function, Release

ALLOWED = 0.1
"""The share by which a count may change."""

_FIGURES = "figures"


def check(release: Release, options: Options) -> list[Finding] | NotRun:
    """Compare the counts of a release with those of the one before.

    Raises `UsageError` when that one is none.
    """
    if options.previous is None:
        return NotRun("needs --previous")
    return list(changed(buildfolder.read_manifest(buildfolder.find_build(options.previous)), release.manifest))


def changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield the counts that changed too much: figures as they are, all others for each figure."""
    was, has = _counts(before), _counts(now)
    figures = was[_FIGURES], has[_FIGURES]
    for name in sorted(was.keys() | has.keys()):
        old, new = was.get(name, 0), has.get(name, 0)
        share = _share(old, new) if name == _FIGURES or not all(figures) else _share(old / figures[0], new / figures[1])
        if share is None or abs(share) >= ALLOWED:
            per = "" if name == _FIGURES else " for each figure"
            told = f"changed by {share:+.1%}{per}" if share is not None else "came anew"
            yield Finding(name, f"{old} -> {new}", f"{told} since the last release")


def _share(old: float, new: float) -> float | None:
    """Return by which share a number changed; None when it was nothing."""
    if old == new:
        return 0.0
    return (new - old) / old if old else None


def _counts(manifest: Mapping[str, Any]) -> dict[str, int]:
    layers = {f"triples of {layer}": int(entry["triples"]) for layer, entry in manifest["layers"].items()}
    return {str(name): int(number) for name, number in manifest["counts"].items()} | layers


CHECKS: dict[str, Function] = {"Q32": check}
