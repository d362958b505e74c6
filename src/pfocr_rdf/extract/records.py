"""`RawFigure`: all that one figure's files say, untouched. The only reader of records and tables."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pfocr_rdf.errors import Kind, Problem, problem
from pfocr_rdf.extract import front_matter, tables
from pfocr_rdf.extract.front_matter import FrontMatter, FrontMatterError
from pfocr_rdf.extract.tables import Table
from pfocr_rdf.extract.text import decode
from pfocr_rdf.settings import Limits

StrPath = str | os.PathLike[str]
"""A path as text, or an object that is one."""

_CHUNK = 1 << 20
_PIECE = 1 << 16
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def pmcid_of(figid: str) -> str:
    """Return the part of a figid before the underscores."""
    return figid.partition("__")[0]


class RecordFiles(NamedTuple):
    """The files of one figure: its figid, the record's path and its tables' paths, inside the source."""

    figid: str
    path: str
    tables: tuple[tuple[Kind, str], ...] = ()

    @property
    def paths(self) -> Iterator[str]:
        """Yield the paths of the record and its tables."""
        yield self.path
        for _, path in self.tables:
            yield path

    @property
    def pmcid(self) -> str:
        """That of the paper: its records are converted together."""
        return pmcid_of(self.figid)


@dataclass(slots=True)
class RawFigure:
    """What the files say: the front matter (None when it was refused) and the tables."""

    files: RecordFiles
    front: FrontMatter | None
    tables: list[Table] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    hashes: list[tuple[str, str]] = field(default_factory=list)


def read_bytes(path: StrPath, limit: int) -> bytes | None:
    """Return a file's bytes, or None when it holds more than `limit`; never follows a link."""
    descriptor = os.open(path, _FLAGS)
    try:
        data = os.read(descriptor, _PIECE)
        # a plain file gives less than what is asked for only at its end; few are so long
        if len(data) == _PIECE and (piece := os.read(descriptor, _PIECE)):
            with os.fdopen(descriptor, "rb", closefd=False) as stream:
                data += piece + stream.read(max(0, limit + 1 - len(data) - len(piece)))
    finally:
        os.close(descriptor)
    return None if len(data) > limit else data


def hash_file(path: StrPath) -> str:
    """Return the SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    descriptor = os.open(path, _FLAGS & ~getattr(os, "O_NOFOLLOW", 0))
    try:
        while piece := os.read(descriptor, _PIECE):
            digest.update(piece)
    finally:
        os.close(descriptor)
    return digest.hexdigest()


def count_rows(path: StrPath) -> int:
    """Return the number of lines that hold anything, after the first such line; read in pieces."""
    lines, fresh = 0, True
    with Path(path).open("rb") as stream:
        while piece := stream.readline(_CHUNK):
            lines += fresh and bool(piece.rstrip(b"\r\n"))
            fresh = piece.endswith(b"\n")
    return max(0, lines - 1)


def read_record(root: StrPath, path: str, limits: Limits) -> tuple[FrontMatter | None, Problem | None, str]:
    """Read one record: its front matter, or the problem that refuses it; and the SHA-256 of the file."""
    place = f"{os.fspath(root)}/{path}"
    try:
        data = read_bytes(place, limits.record_bytes)
        if data is None:
            size = Path(place).stat().st_size
            refused = problem("too-large", path, value=f"{size} bytes", kind=Kind.RECORD)
            return None, refused, hash_file(place)
    except OSError as error:
        return None, problem("unreadable-file", path, value=error.strerror or "", kind=Kind.RECORD), ""
    digest = hashlib.sha256(data).hexdigest()
    try:
        text, cleaned = decode(data)
        front = front_matter.parse(text, limits)
        front.cleaned |= cleaned
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        value = repr(data[error.start : error.start + 20])
        return None, problem("not-utf8", path, line=line, value=value, kind=Kind.RECORD), digest
    except FrontMatterError as error:
        return None, problem(error.code, path, line=error.line, value=error.value, kind=Kind.RECORD), digest
    return front, None, digest


def read_table(root: StrPath, path: str, kind: Kind, limits: Limits) -> tuple[Table, str]:
    """Read one table and the SHA-256 of its file; a table that cannot be read has a `fault`."""
    place = f"{os.fspath(root)}/{path}"
    try:
        data = read_bytes(place, limits.table_bytes)
        if data is None:
            rows = count_rows(place)
            return Table(kind, path, fault=("table-too-large", f"{rows} rows"), size=rows), hash_file(place)
    except OSError as error:
        return Table(kind, path, fault=("unreadable-file", error.strerror or ""), size=1), ""
    return tables.parse(data, kind, path, limits), hashlib.sha256(data).hexdigest()


def read_figure(root: StrPath, files: RecordFiles, limits: Limits) -> RawFigure:
    """Read all files of one figure. Never raises for bad data: what was refused is in `problems`."""
    front, refused, digest = read_record(root, files.path, limits)
    raw = RawFigure(files, front, hashes=[(files.path, digest)])
    if refused:
        raw.problems.append(refused)
    for kind, path in files.tables:
        table, digest = read_table(root, path, kind, limits)
        raw.tables.append(table)
        raw.hashes.append((path, digest))
    return raw
