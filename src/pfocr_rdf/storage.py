"""Where the parts of a build lie while it is made: a folder, or any store that fsspec reaches (s3:, memory:, ...).

A place is a path or an address (`s3://bucket/prefix`). Settings of a store (endpoint, keys) are those of its fsspec
implementation, from the environment or fsspec's own configuration; nothing of them is kept here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from pfocr_rdf.errors import PfocrError, UsageError

AHEAD = 8 << 20
"""Bytes that a `Reader` asks a store for at a time, so that many small pieces are one request."""


_BUCKETS = ("s3://", "s3a://", "gs://", "gcs://", "az://", "abfs://")
"""Stores without folders; their buckets are their owner's to make."""


def is_remote(place: str) -> bool:
    """Whether a place is an address rather than a path."""
    return "://" in place


def is_private(place: str) -> bool:
    """Whether no other process can see a place."""
    return place.startswith("memory://")


def normal(place: str) -> str:
    """Return a place without a slash at its end; a path, or a `file:` address, becomes an absolute path.

    Raises `UsageError` when nothing is left.
    """
    bare = place.removeprefix("file://").removeprefix("local://")
    if not bare:
        raise UsageError("a place for the parts is a folder or an address such as s3://bucket/prefix")
    return place.rstrip("/") if is_remote(bare) else str(Path(bare).absolute())


def join(folder: str, name: str) -> str:
    """Return the place of `name` in a folder."""
    return f"{folder.rstrip('/')}/{name}"


def put(place: str, *parts: bytes) -> None:
    """Write a file, of one part after the other; in a folder or an object store it is there whole or not at all.

    Raises `OSError` when the disk refuses, `PfocrError` when a store does.
    """
    if is_remote(place):
        system, path = _system(place)
        with _told(place, missing=False):
            system.pipe_file(path, b"".join(parts))
        return
    target = Path(place)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with temporary.open("wb", buffering=1 << 20) as out:
            out.writelines(parts)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def get(place: str, start: int = 0, size: int | None = None) -> bytes:
    """Return a file's bytes, or a part of them.

    Raises `FileNotFoundError` when it is not there, `PfocrError` when a store refuses.
    """
    if size == 0:
        return b""
    if is_remote(place):
        system, path = _system(place)
        with _told(place):
            data: bytes = system.cat_file(path, start=start or None, end=None if size is None else start + size)
            return data
    with Path(place).open("rb") as stream:
        stream.seek(start)
        return stream.read() if size is None else stream.read(size)


def size(place: str) -> int | None:
    """Return the bytes of a file, or None when it is not there.

    Raises `PfocrError` when a store refuses.
    """
    try:
        if not is_remote(place):
            return Path(place).stat().st_size
        system, path = _system(place)
        with _told(place):
            return int(system.size(path))
    except FileNotFoundError:
        return None


def names(folder: str) -> list[str]:
    """Return the names of what lies in a folder, in order; of a folder that is not there, none.

    Raises `PfocrError` when a store refuses.
    """
    try:
        if not is_remote(folder):
            return sorted(path.name for path in Path(folder).iterdir())
        system, path = _system(folder)
        with _told(folder):
            found: list[str] = system.ls(path, detail=False)
            return sorted(entry.rstrip("/").rpartition("/")[2] for entry in found)
    except FileNotFoundError:
        return []


def remove(place: str) -> None:
    """Remove a file or a folder with all that is in it, if it is there.

    Raises `PfocrError` when a store refuses.
    """
    system, path = _system(place if is_remote(place) else f"file://{Path(place).absolute()}")
    with _told(place):
        try:
            system.rm(path, recursive=True)
        except FileNotFoundError:
            return


def make_folder(place: str) -> None:
    """Make a folder and those above it, and see that a file can be written there and read again.

    Raises `UsageError` when it cannot.
    """
    probe = join(place, f"probe-{os.getpid()}")
    try:
        if not is_remote(place):
            Path(place).mkdir(parents=True, exist_ok=True)
        elif not place.startswith(_BUCKETS):
            system, path = _system(place)
            system.makedirs(path, exist_ok=True)
        put(probe, b"probe")
        if get(probe) != b"probe":
            raise UsageError(f"{place}: does not keep what is written there; give another place")
        remove(probe)
    except OSError as error:
        raise UsageError(f"{place}: cannot be written ({error.strerror or error}); give another place") from error
    except PfocrError as error:
        raise UsageError(f"{error}; check the address and the store's settings, or give another place") from error


class Reader:
    """Reads parts of one file, mostly in order; keeps the file open, or of a store's file the piece around them.

    Pieces of a store's file are at least `ahead` bytes long, but do not reach beyond `end`.
    """

    def __init__(self, place: str, *, end: int | None = None, ahead: int = AHEAD) -> None:
        """Begin to read; nothing but the bytes before `end` will be asked for (None: any)."""
        self._place, self._end, self._ahead = place, end, ahead
        self._stream: IO[bytes] | None = None if is_remote(place) else Path(place).open("rb")  # noqa: SIM115 - close()
        self._piece, self._start = b"", 0

    def read(self, start: int, size: int) -> bytes:
        """Return so many bytes from a place on, fewer at the end of the file.

        Raises `FileNotFoundError` when a store's file is not there, `PfocrError` when the store refuses.
        """
        if self._stream:
            self._stream.seek(start)
            return self._stream.read(size)
        at = start - self._start
        if at < 0 or at + size > len(self._piece):
            end = start + max(size, self._ahead)
            if self._end is not None:
                end = max(start + size, min(end, self._end))
            self._piece = get(self._place, start, end - start)
            self._start, at = start, 0
        return self._piece[at : at + size]

    def close(self) -> None:
        """Close the file, or let the piece go."""
        self._piece = b""
        if self._stream:
            self._stream.close()


def _system(place: str) -> tuple[Any, str]:
    """Return the file system of a place and its path there. Nothing that was listed is remembered: others write too."""
    import fsspec  # takes as long to load as many figures to convert, and most builds need none

    try:
        system, path = fsspec.core.url_to_fs(place, use_listings_cache=False)
    except ImportError as error:
        extra = "; install pfocr-rdf[s3]" if place.startswith(("s3://", "s3a://")) else ""
        raise UsageError(f"{place}: cannot be reached ({error}){extra}") from error
    except ValueError as error:
        raise UsageError(f"{place}: cannot be reached ({error})") from error
    return system, path


@contextmanager
def _told(place: str, *, missing: bool = True) -> Iterator[None]:
    """Raise what a store refuses as a `PfocrError` of one line; what is not there stays `FileNotFoundError`."""
    try:
        yield
    except FileNotFoundError as error:
        if missing:
            raise
        raise PfocrError(f"{place}: refused ({error.strerror or error})") from error
    except _refusals() as error:
        raise PfocrError(f"{place}: refused ({error})") from error


def _refusals() -> tuple[type[Exception], ...]:
    """Return what stores raise when they refuse: S3's library has errors of its own."""
    exceptions: Any = sys.modules.get("botocore.exceptions")
    return (OSError, exceptions.BotoCoreError) if exceptions else (OSError,)
