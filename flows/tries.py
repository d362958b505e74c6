"""What may be tried again: an error's type says whether it passes. How often, and how long it is waited for.

Prefect ends a task that takes too long with a `TimeoutError`. It is told as an error of this package.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pfocr_rdf.errors import SourceUnavailable, TookTooLong, WorkerLost
from pfocr_rdf.stores.contract import StoreUnavailable

TRANSIENT = (SourceUnavailable, StoreUnavailable, WorkerLost)
"""Errors that pass by themselves; all others stay, however often it is tried."""

WAITS = (10.0, 60.0, 300.0, 900.0)
"""Seconds before each further try of what depends on others: some 20 minutes in all."""


def passes(_task: Any, _run: Any, state: Any) -> bool:
    """Return whether a task that failed is to be tried again; Prefect calls it."""
    return isinstance(state.result(raise_on_failure=False), TRANSIENT)


def passes_or_hangs(_task: Any, _run: Any, state: Any) -> bool:
    """Return whether a short question to others is to be asked again: as `passes`, and where no answer came in time."""
    return isinstance(state.result(raise_on_failure=False), (*TRANSIENT, TimeoutError))


@contextmanager
def ended(what: str) -> Iterator[None]:
    """Raise `TookTooLong` where a step of the `with` block was ended because it took longer than it may."""
    try:
        yield
    except TimeoutError as error:
        raise TookTooLong(f"{what}: ended, for it took too long; the log of the run says what it did") from error
