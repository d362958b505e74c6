"""One run at a time: a lock file that the system frees when its holder ends, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pfocr_rdf.errors import UsageError

FILE = ".lock"
"""The lock file of a folder."""


@contextmanager
def lock(path: Path, *, wait: bool = False, seconds: float = 0) -> Iterator[int]:
    """Hold the lock file for the time of a `with` block; it stays behind, empty. Yield its descriptor.

    A program that inherits the descriptor holds the lock on until it ends too. Another holder is waited for some
    `seconds`, or with `wait` until it ends.

    Raises `UsageError` when another run holds it on.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        end = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
                break
            except BlockingIOError as error:
                if time.monotonic() >= end:
                    raise UsageError(f"{path}: another run holds this lock; wait for it to end") from error
            time.sleep(0.1)
        yield descriptor
    finally:
        os.close(descriptor)
