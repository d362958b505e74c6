"""The build folder: appears whole or not at all; finding and reading a build given on the command line.

Built beside its place under a name of its own, which is also the lock: the folder's descriptor is locked, so a
killed run leaves nothing that stops the next one.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pfocr_rdf.errors import PfocrError, UsageError

MANIFEST = "manifest.json"
REJECTED = "rejected.jsonl"
WARNINGS = "warnings.jsonl"
RUN = "run.json"
WORK = "work"
COUNTS = ("figures", "papers", "genes", "chemicals", "diseases", "taxa", "mentions")
"""What a manifest counts."""

_SECTIONS = {
    "tool": ("name", "version"),
    "source": ("kind", "revision", "date", "content_sha256"),
    "inputs": (),
    "settings": ("image_pattern", "only", "limit", "limits"),
    "accounts": (),
    "counts": COUNTS,
    "problems": ("rejected", "warnings"),
    "layers": (),
    "files": (),
}
"""The parts of a manifest, and what each must tell."""

_ENTRIES = {
    "inputs": ("name", "sha256"),
    "accounts": ("read", "emitted", "merged", "rejected", "unresolved"),
    "layers": ("file", "triples", "bytes", "sha256"),
    "files": ("bytes", "sha256"),
}
"""Of some parts, what each of their entries must tell."""

_OURS = re.compile(
    r"manifest\.json|rejected\.jsonl|warnings\.jsonl|run\.json|blocks\.tsv|pfocr-[a-z-]+\.ttl(?:\.gz|\.zst)?"
    r"|pfocr-all\.nq\.gz|work|\.cache|\.gitkeep"
)
"""Names that a build may hold; a folder with any other is the user's."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REFUSALS = (*_FULL, errno.EROFS)
"""What the system says when a disk takes no more."""


@contextmanager
def building(out: Path, *, keep: str | None = None) -> Iterator[Path]:
    """Yield the folder to build in; when the `with` block ends well, it takes the place of `out`.

    When the block raises, `out` stays as it was. Of a run that was killed, only what lies under the name `keep` is
    left in the folder. Raises `UsageError` when `out` is something else than a build, or when another run is building
    it, `PfocrError` when the disk takes no more.
    """
    out = Path(os.path.realpath(out))
    if not out.name:
        raise UsageError(f"{out}: is no place for a build; give another folder with --out")
    new, old = out.with_name(f".{out.name}.new"), out.with_name(f".{out.name}.old")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _claim(new)
    except OSError as error:
        raise UsageError(f"{out}: cannot be written ({error.strerror}); give another folder with --out") from error
    try:
        if old.exists() and not out.exists():
            old.rename(out)
        _check_place(out)
        _empty(new, keep)
        with refused(out, "--out"):
            yield new
        shutil.rmtree(new / WORK, ignore_errors=True)
        sync(new)
        if old.exists():
            shutil.rmtree(old)
        if out.exists():
            out.rename(old)
        new.rename(out)
        shutil.rmtree(old, ignore_errors=True)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    finally:
        os.close(descriptor)


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Yield a folder to write in, which becomes `out` when the `with` block ends well and is gone when not.

    Raises `UsageError` when `out` holds anything or cannot be made, `PfocrError` when the disk takes no more.
    """
    out = Path(os.path.realpath(out))
    try:
        there = out.exists() and (not out.is_dir() or any(out.iterdir()))
    except OSError as error:
        raise unwritable(out, error) from error
    if there:
        raise UsageError(f"{out}: is there already; give a new folder")
    new = out.with_name(f".{out.name}.new")
    try:
        new.mkdir(parents=True)
    except OSError as error:
        raise UsageError(f"{new}: cannot be made ({error.strerror}); remove it or give another folder") from error
    try:
        with refused(out, "--out"):
            yield new
        new.replace(out)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise


def ready(folder: Path) -> None:
    """Make the folder that `--out` names, if it is not there, and see that files can be written in it.

    Raises `UsageError` when they cannot, `PfocrError` when the disk takes no more.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise unwritable(folder, error) from error


def unwritable(place: Path, error: OSError) -> PfocrError:
    """Return the error for a place of `--out` that cannot be written: a wrong call, unless the disk is full."""
    kind = PfocrError if error.errno in _FULL else UsageError
    return kind(f"{place}: cannot be written ({error.strerror}); give another place with --out")


@contextmanager
def refused(out: Path, option: str) -> Iterator[None]:
    """Say in one line which folder, given by the option, could not be written when the disk takes no more.

    Raises `PfocrError` then.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        said = f"cannot be written ({error.strerror}), nothing there was changed"
        raise PfocrError(f"{out}: {said}; free some space or give another folder with {option}") from error


def _claim(folder: Path) -> int:
    """Make and lock a folder; return its descriptor, which holds the lock."""
    while True:
        folder.mkdir(exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise UsageError(f"{folder}: another run is building here; wait for it to end") from None
        if folder.exists() and folder.stat().st_ino == os.fstat(descriptor).st_ino:
            return descriptor
        os.close(descriptor)


def _check_place(out: Path) -> None:
    if out.is_dir() and any(out.iterdir()) and not _is_build(out) and not _only_keep_file(out):
        raise UsageError(f"{out}: holds other things than a build and is not replaced; give another folder")
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out}: is no folder; give another name with --out")


def _is_build(out: Path) -> bool:
    return (out / MANIFEST).is_file() and all(_OURS.fullmatch(entry.name) for entry in out.iterdir())


def _only_keep_file(out: Path) -> bool:
    return [entry.name for entry in out.iterdir()] == [".gitkeep"]


def _empty(folder: Path, keep: str | None) -> None:
    for entry in folder.iterdir():
        if entry.name == keep:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def sync(folder: Path) -> None:
    """Have a folder and all that is in it on the disk."""
    for path in [*folder.rglob("*"), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def need_space(folder: Path, wanted: int) -> None:
    """Raise `UsageError` when the disk of `folder` has less than `wanted` bytes free."""
    place = Path(os.path.realpath(folder))
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < wanted:
        raise UsageError(
            f"{place}: {free / 1e9:.2f} GB free, about {wanted / 1e9:.2f} GB needed; free some or give another folder"
        )


def find_build(release: Path) -> Path:
    """Return the folder of a build, checked by its manifest.

    Raises `UsageError` when it is none.
    """
    if not release.is_dir():
        raise UsageError(f"{release}: no such folder; make it with `pfocr-rdf build SOURCE --out {release}`")
    if not (release / MANIFEST).is_file():
        raise UsageError(f"{release}: no build ({MANIFEST} is missing); make one with `pfocr-rdf build`")
    return release


def read_manifest(build: Path) -> dict[str, Any]:
    """Return the manifest of a build.

    Raises `UsageError` when it cannot be read, or does not tell what each manifest does.
    """
    try:
        manifest = json.loads((build / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{build / MANIFEST}: cannot be read ({error}); build again") from error
    return whole_manifest(manifest, build)


def whole_manifest(manifest: Any, build: Path) -> dict[str, Any]:
    """Return the manifest of a build, which is given as JSON values.

    Raises `UsageError` when it does not tell what each manifest does.
    """
    need_keys(build / MANIFEST, manifest, _SECTIONS, "build again")
    for section, names in _SECTIONS.items():
        need_keys(build / MANIFEST, manifest[section], names, "build again")
    for section, names in _ENTRIES.items():
        for entry in manifest[section].values():
            need_keys(build / MANIFEST, entry, names, "build again")
    return dict(manifest)


def need_keys(path: Path, found: Any, names: Iterable[str], advice: str) -> None:
    """Raise `UsageError` when what was found in a file is no JSON object with all of these keys."""
    if not isinstance(found, dict):
        raise UsageError(f"{path}: cannot be read ({type(found).__name__} where an object belongs); {advice}")
    if missing := [name for name in names if name not in found]:
        raise UsageError(f"{path}: cannot be read (it lacks {', '.join(missing)}); {advice}")


def layer_files(build: Path) -> dict[str, Path]:
    """Return the layers of a build and their files, in the manifest's order.

    Raises `UsageError` for a name in the manifest that is none of a file in the folder.
    """
    files: dict[str, Path] = {}
    for layer, entry in read_manifest(build)["layers"].items():
        name = str(entry["file"])
        if Path(name).name != name or not (build / name).is_file():
            raise UsageError(f"{build / name}: is in the manifest but not in the folder; build again")
        files[layer] = build / name
    return files


def describe_file(path: Path) -> dict[str, Any]:
    """Return size and SHA-256 of a file."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"bytes": path.stat().st_size, "sha256": digest}


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON for people, always with the same bytes for the same value."""
    text = json.dumps(value, ensure_ascii=False, indent=2) + "\n"
    path.write_text(text, encoding="utf-8", newline="\n")


def write_lines(path: Path, values: Iterator[Mapping[str, Any]]) -> None:
    """Write JSON lines."""
    with path.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(json.dumps(value, ensure_ascii=False) + "\n" for value in values)
