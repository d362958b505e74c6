"""Where the parts of a build lie while it is made: a folder, or any store that fsspec reaches (s3:, memory:, ...)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any

import fsspec

from pfocr_rdf.errors import UsageError


def is_remote(place: str) -> bool:
    """Whether a place is an address rather than a path."""
    return "://" in place


def join(folder: str, name: str) -> str:
    """Return the place of `name` in a folder."""
    return f"{folder.rstrip('/')}/{name}"


def put(place: str, data: bytes | memoryview) -> None:
    """Write a file; it is there whole or not at all.

    Raises `OSError` when the store refuses.
    """
    if is_remote(place):
        system, path = _system(place)
        system.pipe_file(path, bytes(data))
        return
    target = Path(place)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        temporary.write_bytes(data)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def get(place: str, start: int = 0, size: int | None = None) -> bytes:
    """Return a file's bytes, or a part of them.

    Raises `FileNotFoundError` when it is not there.
    """
    if is_remote(place):
        system, path = _system(place)
        data: bytes = system.cat_file(path, start=start, end=None if size is None else start + size)
        return data
    with Path(place).open("rb") as stream:
        stream.seek(start)
        return stream.read() if size is None else stream.read(size)


def open_read(place: str) -> IO[bytes]:
    """Open a file for reading at any place in it."""
    if is_remote(place):
        system, path = _system(place)
        stream: IO[bytes] = system.open(path, "rb")
        return stream
    return Path(place).open("rb")


def exists(place: str) -> bool:
    """Whether a file is there."""
    if is_remote(place):
        system, path = _system(place)
        return bool(system.exists(path))
    return Path(place).is_file()


def remove(place: str) -> None:
    """Remove a file or a folder with all that is in it, if it is there."""
    system, path = _system(place if is_remote(place) else f"file://{Path(place).absolute()}")
    if system.exists(path):
        system.rm(path, recursive=True)


def make_folder(place: str) -> None:
    """Make a folder and those above it.

    Raises `UsageError` when it cannot be made.
    """
    try:
        if is_remote(place):
            system, path = _system(place)
            system.makedirs(path, exist_ok=True)
        else:
            Path(place).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{place}: cannot be made ({error.strerror or error}); give another place") from error


def _system(place: str) -> tuple[Any, str]:
    try:
        system, path = fsspec.core.url_to_fs(place)
    except (ImportError, ValueError) as error:
        raise UsageError(f"{place}: cannot be reached ({error})") from error
    return system, path
