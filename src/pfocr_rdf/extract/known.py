"""What an earlier build knew of the files of a source, and a folder compared with it.

Most files of a source are as they were. So what is known stays in lines, which any process can hold against a folder,
and only what differs, and the papers that it belongs to, become values of their own.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from pfocr_rdf.escapes import escape, escape_all, unescape, unescape_all
from pfocr_rdf.extract import listing
from pfocr_rdf.extract.listing import DATA, FIGURES, RECORD_SUFFIXES, Folder
from pfocr_rdf.extract.records import pmcid_of

KnownFile = tuple[str, str, str]
"""Signature of a file, its SHA-256, and of a record the figid."""

Columns = tuple[list[str], list[str], dict[str, str]]
"""Lines of path (escaped), tab and signature, in order; the SHA-256 of each; figids that are not as the name says."""


class Files:
    """The files of papers, by path: as an earlier build, whose limits were the same, found them, and what is set since.

    Records are nearly always named by their figid; the others are `odd`.
    """

    def __init__(self, columns: Columns = ([], [], {})) -> None:
        """Take what `columns` returned."""
        self._lines, self._hashes, self._odd = columns
        self._set: dict[str, KnownFile | None] = {}

    @classmethod
    def of(cls, files: Mapping[str, KnownFile]) -> Files:
        """Return files that are known."""
        found = cls()
        found._set.update(files)
        found.columns()
        return found

    def __len__(self) -> int:
        """How many the earlier build knew."""
        return len(self._lines)

    def get(self, path: str) -> KnownFile | None:
        """Return what is known of a file, or None."""
        if path in self._set:
            return self._set[path]
        at, there = self._find(path)
        return self._known(at, path) if there else None

    def __setitem__(self, path: str, file: KnownFile) -> None:
        """Take down what was found of a file."""
        self._set[path] = file

    def forget(self, path: str) -> None:
        """Know nothing of a file any more."""
        self._set[path] = None

    def earlier(self) -> dict[str, KnownFile]:
        """Return all that the earlier build knew."""
        paths = self._paths()
        signatures = [line.rpartition("\t")[2] for line in self._lines]
        odd = self._odd
        figids = [odd[path] if path in odd else named(path) for path in paths]
        return dict(zip(paths, zip(signatures, self._hashes, figids, strict=True), strict=True))

    def odd(self) -> dict[str, str]:
        """Return the figids of records, as the earlier build knew them, that are not as the name says."""
        return self._odd

    def of_paper(self, pmcid: str) -> Iterator[str]:
        """Yield the paths that the earlier build knew of files whose names are those of a paper's."""
        for folder, end in ((FIGURES, "."), (FIGURES, "__"), (DATA, "-"), (DATA, "__")):
            start = escape(f"{folder}/{pmcid}{end}")
            at = bisect_left(self._lines, start)
            while at < len(self._lines) and self._lines[at].startswith(start):
                path = unescape(self._lines[at].partition("\t")[0])
                if paper_of(path) == pmcid:
                    yield path
                at += 1

    def paths(self) -> list[str]:
        """Return the paths of all files that are known, in no order that matters."""
        return [path for path in self._paths() if path not in self._set] + [
            path for path, file in self._set.items() if file
        ]

    def hashes(self) -> Iterator[tuple[str, str]]:
        """Yield path and SHA-256 of all files that are known by now."""
        self.columns()
        return zip(self._paths(), self._hashes, strict=True)

    def columns(self) -> Columns:
        """Return all that is known by now, which is from then on what was known earlier."""
        if not self._set:
            return self._lines, self._hashes, self._odd
        lines: list[str] = []
        hashes: list[str] = []
        odd = {path: figid for path, figid in self._odd.items() if path not in self._set}
        start = 0
        for path in sorted(self._set, key=lambda path: f"{escape(path)}\t"):
            at, there = self._find(path)
            lines += self._lines[start:at]
            hashes += self._hashes[start:at]
            start = at + there
            file = self._set[path]
            if file is None:
                continue
            signature, sha256, figid = file
            lines.append(f"{escape(path)}\t{signature}")
            hashes.append(sha256)
            if figid != named(path):
                odd[path] = figid
        self._lines = lines + self._lines[start:]
        self._hashes = hashes + self._hashes[start:]
        self._odd, self._set = odd, {}
        return self._lines, self._hashes, odd

    def _paths(self) -> list[str]:
        return unescape_all([line[: line.index("\t")] for line in self._lines])

    def _find(self, path: str) -> tuple[int, bool]:
        """Return the number of the line that a file has or would have, and whether it has one."""
        start = f"{escape(path)}\t"
        at = bisect_left(self._lines, start)
        return at, at < len(self._lines) and self._lines[at].startswith(start)

    def _known(self, at: int, path: str) -> KnownFile:
        figid = self._odd[path] if path in self._odd else named(path)
        return self._lines[at].rpartition("\t")[2], self._hashes[at], figid


def named(path: str) -> str:
    """Return the figid that the name of a record says; an empty text for all other files."""
    name = path.rpartition("/")[2]
    return name.rpartition(".")[0] if name.endswith(RECORD_SUFFIXES) else ""


def paper_of(path: str) -> str:
    """Return the PMCID that the name of a record or table says."""
    name = path.rpartition("/")[2]
    return pmcid_of(named(path) if name.endswith(RECORD_SUFFIXES) else name.rpartition("-")[0])


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The papers of a checkout of which no file differs from what was `known`: all but those that were `looked_at`.

    `paths` are those of the files that were known of papers that were looked at.
    """

    known: Files
    looked_at: frozenset[str]
    paths: frozenset[str]

    def has(self, figid: str) -> bool:
        """Whether one of them has a record of that figid."""
        return pmcid_of(figid) not in self.looked_at and self.known.get(f"{FIGURES}/{figid}.md") is not None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A folder to be compared with what is known, the lines of which are in a file."""

    folder: Folder
    lines: str


@dataclass(slots=True)
class Compared:
    """How a folder differs from what was known of it.

    `come` are the files that are new, or signed otherwise or not at all, with their signatures, `gone` those that are
    not there as they were. `known` is how many were known, `there` how many there are, `bytes` their size together,
    and `refused` as of a `Listing`.
    """

    come: dict[str, str]
    gone: set[str]
    known: int
    there: int
    bytes: int
    refused: list[tuple[str, str]]


def compare(task: Comparison) -> Compared | None:
    """Compare a folder with what is known of it; return None where that cannot be read.

    Raises `OSError` when the folder cannot be read.
    """
    try:
        before = _lines_of(Path(task.lines).read_bytes(), f"{task.folder.name}/".encode())
    except (OSError, ValueError):
        return None
    found = listing.read(task.folder)
    now = [f"{path}\t{sign}" for path, sign in zip(escape_all(found.paths), found.signatures, strict=True)]
    come = set(now).difference(before)
    if "" in found.signatures:  # nobody knows whether these are as they were
        come.update(line for line in now if line.endswith("\t"))
    gone = set(before).difference(now)
    return Compared(
        {unescape(path): sign for path, _, sign in (line.rpartition("\t") for line in sorted(come))},
        {unescape(line.rpartition("\t")[0]) for line in gone},
        len(before),
        len(now),
        found.bytes,
        found.refused,
    )


def _lines_of(data: bytes, start: bytes) -> list[str]:
    """Return those lines of a sorted text that have one beginning."""
    first = 0 if data.startswith(start) else data.find(b"\n" + start) + 1
    if not data.startswith(start, first):
        return []
    last = data.find(b"\n", max(first, data.rfind(b"\n" + start) + 1))
    return data[first : last if last >= 0 else len(data)].decode().split("\n")


def differing(
    parts: Iterable[Compared], known: Files, figids: Mapping[str, str]
) -> tuple[dict[str, tuple[str, str]], Unchanged]:
    """Return signature and figid of all files, by path, of papers of which compared folders differ; and the others.

    `figids` are those of the records that have come.
    """
    come: dict[str, str] = {}
    gone: set[str] = set()
    for part in parts:
        come |= part.come
        gone |= part.gone
    odd = known.odd()
    papers = {paper_of(path) for path in chain(come, gone, odd)}
    papers.update(map(pmcid_of, chain(figids.values(), odd.values())))
    before = [path for pmcid in sorted(papers) for path in known.of_paper(pmcid)]
    there = {path: (file[0], file[2]) for path in before if path not in gone and (file := known.get(path))}
    there.update((path, (signature, figids.get(path, ""))) for path, signature in come.items())
    return there, Unchanged(known, frozenset(papers), frozenset(before))
