"""Listing one folder of a source: the plain files with one of some suffixes, signed, in order of name.

Links are never followed. What is left out, and why, comes with the list.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from stat import S_ISDIR, S_ISREG

from pfocr_rdf.extract.signatures import Sign


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of a source to list: `name` is empty for the source's own. Any process can do it that can get `sign`."""

    root: str
    name: str
    suffixes: tuple[str, ...]
    sign: Sign


@dataclass(slots=True)
class Listing:
    """Paths of files relative to the source, the signature of each, and their size together.

    `refused` has the code of the problem and the path, fit to be printed, of all else that lies there but folders and
    what is hidden.
    """

    paths: list[str] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    bytes: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)


def read(folder: Folder) -> Listing:
    """List a folder.

    Raises `OSError` when it cannot be read.
    """
    found = Listing()
    before = f"{folder.name}/" if folder.name else ""
    sign, suffixes = folder.sign, folder.suffixes
    signed: list[tuple[str, str]] = []
    with os.scandir(f"{folder.root}/{folder.name}" if folder.name else folder.root) as entries:
        for entry in entries:  # none is kept, for with its state it takes four times the memory
            name = entry.name
            path = before + name
            if name.startswith(".") or not name.endswith(suffixes):
                if folder.name and not name.startswith("."):
                    found.refused.append(("unknown-file", printable(path)))
                continue
            state = entry.stat(follow_symlinks=False)
            if S_ISDIR(state.st_mode):
                continue
            refusal = "" if S_ISREG(state.st_mode) else "symlink"
            if not path.isascii() and printable(path) != path:
                refusal = "not-utf8"
            if refusal:
                found.refused.append((refusal, printable(path)))
                continue
            signed.append((path, sign(path, state)))
            found.bytes += state.st_size
    signed.sort()
    found.paths = [path for path, _ in signed]
    found.signatures = [signature for _, signature in signed]
    found.refused.sort()
    return found


def printable(path: str) -> str:
    """Return a path with a sign in place of each byte that is no UTF-8."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
