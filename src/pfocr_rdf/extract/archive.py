"""Unpacking `.zip` and `.tar.gz` safely: plain files of known kinds only, inside one folder, bounded.

Members that lead outside, links and devices are refused with a reason and never written.
"""

from __future__ import annotations

import hashlib
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple, Self

from pfocr_rdf.errors import Kind, Problem, UsageError, problem
from pfocr_rdf.settings import Limits

SUFFIXES = (".zip", ".tar.gz", ".tgz", ".tar")
_WANTED = (".md", ".txt", ".tsv")
_DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,
)
_CHUNK = 1 << 20
_LONG = {
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
}
"""Headers whose content is read into memory whole."""
_LONGEST = 1 << 20
"""The largest of these."""
_DEEPEST = 8


class _Member(NamedTuple):
    name: str
    plain: bool
    stream: IO[bytes] | None


class _Header(tarfile.TarInfo):
    """A header of a tar file that cannot send its reader back, nor fill the memory."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Read a header; raises `tarfile.ReadError` for one that is no good."""
        found = super().frombuf(buf, encoding, errors)
        if found.size < 0 or found.type == tarfile.GNUTYPE_SPARSE or (found.type in _LONG and found.size > _LONGEST):
            raise tarfile.ReadError("a member of a size or kind that no archive of records has")
        return found


def is_archive(path: Path) -> bool:
    """Whether the name is that of an archive we unpack."""
    return path.name.lower().endswith(SUFFIXES)


def unpack(path: Path, folder: Path, limits: Limits) -> tuple[list[Problem], dict[str, str]]:
    """Unpack the records, tables and pages of an archive into `folder`.

    Returns what was refused, and the SHA-256 of each file as it was written, by its path in `folder`.
    Raises `UsageError` when the archive cannot be read or unpacks to more than the limit.
    """
    refused: list[Problem] = []
    digests: dict[str, str] = {}
    seen: set[str] = set()
    made: set[str] = set()
    left = limits.archive_bytes
    try:
        for member in _members(path, limits):
            name = member.name.removeprefix("./")
            if PurePosixPath(name).suffix not in _WANTED and member.plain:
                continue
            if not member.plain or not _is_safe(name) or name in seen or member.stream is None:
                refused.append(problem("unsafe-path", _printable(name), kind=_kind(name)))
                continue
            seen.add(name)
            limit = limits.table_bytes if name.endswith(".tsv") else limits.record_bytes
            try:
                place = name.rpartition("/")[0]
                if place not in made:
                    (folder / place).mkdir(parents=True, exist_ok=True)
                    made.add(place)
                size, digests[name] = _copy(member.stream, folder / name, limit)
                left -= size
            except (FileExistsError, NotADirectoryError):  # a file of that name is there already
                refused.append(problem("unsafe-path", name, kind=_kind(name)))
            if left < 0:
                raise UsageError(f"{path}: {_too_large(limits)}")
    except OSError as error:
        if error.filename not in (None, str(path)):
            raise UsageError(f"{folder}: cannot be written ({error.strerror}); free some space") from error
        raise UsageError(f"{path}: cannot be read ({error.strerror or error}); fetch it again") from error
    except (*_DAMAGED, ValueError) as error:
        raise UsageError(f"{path}: cannot be unpacked ({error}); fetch it again") from error
    return refused, digests


def top(folder: Path) -> Path:
    """Return the folder in which the records lie: the one below, while it is alone."""
    while True:
        entries = list(folder.iterdir())
        if len(entries) != 1 or not entries[0].is_dir() or entries[0].name.startswith("_"):
            return folder
        folder = entries[0]


def _too_large(limits: Limits) -> str:
    return f"unpacks to more than {limits.archive_bytes} bytes; unpack it by hand"


def _members(path: Path, limits: Limits) -> Iterator[_Member]:
    if path.name.lower().endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if info.is_dir():
                    continue
                kind = (info.external_attr >> 16) & 0o170000
                plain = kind in (0, 0o100000)
                if plain and info.filename.endswith(_WANTED):
                    with archive.open(info) as stream:
                        yield _Member(info.filename, plain, stream)
                else:
                    yield _Member(info.filename, plain, None)
    else:
        with tarfile.open(path, "r:*", tarinfo=_Header) as tar:
            left = limits.archive_bytes
            for member in tar:
                left -= member.size
                if member.size < 0 or left < 0:
                    raise ValueError("a member of negative size" if member.size < 0 else _too_large(limits))
                if member.isdir():
                    continue
                content = tar.extractfile(member) if member.isreg() and member.name.endswith(_WANTED) else None
                yield _Member(member.name, member.isreg(), content)
            while tar.fileobj.read(_CHUNK):  # to the end, where gzip's checksum stands
                pass


def _is_safe(name: str) -> bool:
    parts = name.split("/")
    return (
        not name.startswith("/")
        and "\\" not in name
        and "\0" not in name
        and _printable(name) == name
        and len(parts) <= _DEEPEST
        and len(name) <= 1000
        and all(part not in ("", ".", "..") and ":" not in part and len(part.encode()) < 255 for part in parts)
    )


def _copy(stream: IO[bytes], target: Path, limit: int) -> tuple[int, str]:
    """Write a member; return its size and the SHA-256 of what was written.

    One over the limit is cut just above it, which its reader refuses.
    """
    size, digest = 0, hashlib.sha256()
    with target.open("xb") as out:
        while piece := stream.read(_CHUNK):
            written = b""
            if size <= limit:
                written = piece
            elif target.suffix == ".tsv":
                written = b"\n" * piece.count(b"\n")
            out.write(written)
            digest.update(written)
            size += len(piece)
    return size, digest.hexdigest()


def _kind(name: str) -> Kind:
    if name.endswith(".tsv"):
        for suffix, kind in (("-chemicals.tsv", Kind.CHEMICAL_ROW), ("-diseases.tsv", Kind.DISEASE_ROW)):
            if name.endswith(suffix):
                return kind
        return Kind.GENE_ROW
    return Kind.ORGANISM_PAGE if "_organisms/" in name else Kind.RECORD


def _printable(name: str) -> str:
    return name.encode("utf-8", "replace").decode("utf-8", "replace").replace("\0", "\ufffd")
