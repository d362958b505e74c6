"""One part of a step in a worker process, with what it logged; imports no Prefect, so such a process starts quickly."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

LOG = "pfocr_rdf"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of a part, the lines that were logged meanwhile (level, text), and who did it."""

    result: Any
    lines: tuple[tuple[int, str], ...]
    process: int
    seconds: float


class _Lines(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[tuple[int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((record.levelno, record.getMessage()))


def record(asked: tuple[Callable[[Any], Any], Any]) -> Recorded:
    """Call a function with a part, and keep what it logs, for the run that asked for it."""
    function, part = asked
    began = time.monotonic()
    with _listening() as heard:
        result = function(part)
    return Recorded(result, tuple(heard.lines), os.getpid(), time.monotonic() - began)


@contextmanager
def _listening() -> Iterator[_Lines]:
    log, heard = logging.getLogger(LOG), _Lines()
    level = log.level
    log.addHandler(heard)
    log.setLevel(min(level or logging.INFO, logging.INFO))
    try:
        yield heard
    finally:
        log.removeHandler(heard)
        log.setLevel(level)
