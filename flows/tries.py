"""What may be tried again: an error's type says whether it passes. How often, and how long it is waited for."""

from __future__ import annotations

from typing import Any

from pfocr_rdf.errors import SourceUnavailable, WorkerLost
from pfocr_rdf.stores.contract import StoreUnavailable

TRANSIENT = (SourceUnavailable, StoreUnavailable, WorkerLost, TimeoutError)
"""Errors that pass by themselves; all others stay, however often it is tried."""

WAITS = (10.0, 60.0, 300.0, 900.0)
"""Seconds before each further try of what depends on others: some 20 minutes in all."""


def passes(_task: Any, _run: Any, state: Any) -> bool:
    """Return whether a task that failed is to be tried again; Prefect calls it."""
    return isinstance(state.result(raise_on_failure=False), TRANSIENT)
