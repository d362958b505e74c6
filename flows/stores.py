"""The one place where the flows meet `pfocr_rdf.stores`: a release into a store, by update where it can."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pfocr_rdf.stores import load, update


def bring(address: str, place: Path, layers: list[str], say: Callable[[str], None]) -> dict[str, Any]:
    """Bring a store to the release in a folder; return what came of it, in the same form for both ways.

    Raises `StoreUnavailable` when the store does not answer, `StoreError` when it refuses.
    """
    if layers:
        done = load.load(place, address, layers=layers, say=say)
        return {
            "store": done.address,
            "version": done.version,
            "way": "full" if done.new else "nothing",
            "added": None,
            "removed": None,
        }
    brought = update.update(place, address, say=say)
    return {
        "store": brought.address,
        "version": brought.version,
        "way": brought.way,
        "added": brought.added,
        "removed": brought.removed,
    }
