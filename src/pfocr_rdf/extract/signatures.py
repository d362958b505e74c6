"""Signatures: short texts by which a file that has not changed is known without reading it.

Equal signatures that are not empty mean equal bytes. An empty one means "not known: read the file". Those of
different ways to sign never are equal, so a source that comes in another wrapping is read again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Sign = Callable[[str, os.stat_result], str]
"""Signs a file: its path inside the source and its state."""

RACY_NS = 2_000_000_000
"""A file that was changed so shortly before it was listed may change again and keep its time: the clocks of
file systems go by steps of up to two seconds."""


@dataclass(frozen=True, slots=True)
class ByStat:
    """Signs by size, time of change and the number by which the system knows the file, in any process.

    So a file is known again under another path too, and one that was put in its place is not. What was changed at
    `newest` (ns) or later is not signed.
    """

    newest: int

    def __call__(self, _path: str, state: os.stat_result) -> str:
        """Return the signature."""
        changed = state.st_mtime_ns
        return f"{state.st_size}-{changed}-{state.st_dev:x}.{state.st_ino:x}" if changed < self.newest else ""


def by_stat(began: int) -> ByStat:
    """Sign by what the system says of a file; `began` (ns) is when the listing began."""
    return ByStat(began - RACY_NS)


def by_blob(blobs: Mapping[str, str], began: int) -> Sign:
    """Sign by the object ids of git's blobs; files without one as `by_stat` does.

    The size on disk is a part: where git converts line ends, files of one blob can differ. `began` (ns) is before
    git compared the files with the blobs: one that was changed since may be another already.
    """
    other = by_stat(began)

    def sign(path: str, state: os.stat_result) -> str:
        blob = blobs.get(path)
        if blob is None:
            return other(path, state)
        return "" if began <= state.st_mtime_ns <= time.time_ns() else f"git-{blob}-{state.st_size}"

    return sign


def by_digest(digests: Mapping[str, str]) -> Sign:
    """Sign by the SHA-256 of the content, where it is known."""

    def sign(path: str, _state: os.stat_result) -> str:
        return f"sha256-{digests[path]}" if path in digests else ""

    return sign
