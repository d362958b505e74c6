"""Listing one folder of a source: the plain files with one of some suffixes, signed, in order of name.

Links are never followed. What is left out, and why, comes with the list.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from stat import S_ISDIR, S_ISREG

from pfocr_rdf import native
from pfocr_rdf.extract.signatures import ByStat, Sign

FIGURES, DATA, ORGANISMS = "_figures", "_data", "_organisms"
"""Folders of a checkout."""
RECORD_SUFFIXES = (".md", ".txt")


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
    place = f"{folder.root}/{folder.name}" if folder.name else folder.root
    before = f"{folder.name}/" if folder.name else ""
    sign = folder.sign
    if isinstance(sign, ByStat):
        paths, signed, size, others = usual_files(place, before, folder.suffixes, sign.newest)
    else:
        paths, signed, size, others = [], [], 0, os.listdir(place)  # noqa: PTH208 - names alone, and many of them
    usual = len(paths)
    found = Listing(paths, signed, size)
    for name in others:
        _take(found, folder, before + name, os.lstat(f"{place}/{name}"))
    if len(found.paths) > usual:
        order = sorted(range(len(found.paths)), key=found.paths.__getitem__)
        found.paths = [found.paths[number] for number in order]
        found.signatures = [found.signatures[number] for number in order]
    found.refused.sort()
    return found


def _take(found: Listing, folder: Folder, path: str, state: os.stat_result) -> None:
    """Add one file, or what is to be said of it."""
    name = path.rpartition("/")[2]
    if name.startswith(".") or not name.endswith(folder.suffixes):
        if folder.name and not name.startswith("."):
            found.refused.append(("unknown-file", printable(path)))
        return
    if S_ISDIR(state.st_mode):
        return
    refusal = "" if S_ISREG(state.st_mode) else "symlink"
    if not path.isascii() and printable(path) != path:
        refusal = "not-utf8"
    if refusal:
        found.refused.append((refusal, printable(path)))
        return
    found.paths.append(path)
    found.signatures.append(folder.sign(path, state))
    found.bytes += state.st_size


def usual_by_entries(
    place: str, before: str, suffixes: tuple[str, ...], newest: int
) -> tuple[list[str], list[str], int, list[str]]:
    """Return paths (with `before` in front of the name), signatures and size of the usual files of a folder.

    Usual are plain files that are not hidden, with names of ASCII and one of the suffixes; they are in order of name,
    and signed as `ByStat(newest)` does. The names of all else come last, in any order.
    Raises `OSError` when the folder or a file in it cannot be read.
    """
    sign = ByStat(newest)
    signed: list[tuple[str, str]] = []
    others: list[str] = []
    size = 0
    with os.scandir(place) as entries:
        for entry in entries:  # none is kept, for with its state it takes four times the memory
            name = entry.name
            if not name.startswith(".") and name.endswith(suffixes) and name.isascii():
                state = entry.stat(follow_symlinks=False)
                if S_ISREG(state.st_mode):
                    signed.append((before + name, sign(name, state)))
                    size += state.st_size
                    continue
            others.append(name)
    signed.sort()
    return [path for path, _ in signed], [signature for _, signature in signed], size, others


usual_files = native.fastest("usual_files", usual_by_entries)


def printable(path: str) -> str:
    """Return a path with a sign in place of each byte that is no UTF-8."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
