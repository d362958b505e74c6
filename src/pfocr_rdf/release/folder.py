"""The folder of releases: their names, one publisher at a time, a release that appears whole or not at all.

    DIR/releases/20230907/       a release; never changed once it is there
    DIR/current                  a link to the newest one
    DIR/rejected/20230907/       what was said of one that was not published; in the newest of them its `build` too

A release is made in a hidden folder beside them. Then a hidden link to its place is made, the folder is renamed to that
place, and the link to `current`: each step is one act of the system, and the hidden link tells the next run how far a
killed one came. No link that stands in DIR is followed but `current`, and that only to a release here.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pfocr_rdf import buildfolder
from pfocr_rdf.errors import UsageError
from pfocr_rdf.release.info import VERSION

RELEASES = "releases"
CURRENT = "current"
REJECTED = "rejected"
RELEASE = "release.json"
SUMS = "SHA256SUMS"
BUILD = "build"
"""The build of a release that was kept aside, in its folder; `publish` takes it from there."""

REJECTED_KEPT = 30
"""Of so many releases that were kept aside, what was said of them stays, while none is published."""

_TOLD = ("version", "previous", "manifest", "base_url", "endpoint", "source", "counts", "triples", "checks")
"""What each `release.json` tells, and a run needs to know."""

_STAGE = ".release.new"
_GONE = ".release.old"
_SWITCH = ".current.new"
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T.*)?")


@dataclass(frozen=True, slots=True)
class Releases:
    """The folder, held by this process alone until `opened` ends."""

    root: Path

    def current(self) -> Path | None:
        """Return the folder of the newest release, or None before the first one.

        Raises `UsageError` when `current` is anything else than a link to a release here.
        """
        link = self.root / CURRENT
        if not link.is_symlink() and not link.exists():
            return None
        name = _target(link)
        if name is None or not _is_folder(self.root / RELEASES / name):
            raise UsageError(f"{link}: is no link to a release in {self.root / RELEASES}; mend or remove it")
        return self.root / RELEASES / name

    def place(self, version: str) -> Path:
        """Return where a release of this name lies, or would."""
        return self.root / RELEASES / version

    def free(self, version: str) -> str:
        """Return the name, or the name and `-r2`, `-r3`, ... where there are releases of it."""
        name, number = version, 1
        while os.path.lexists(self.place(name)):
            number += 1
            name = f"{version}-r{number}"
        return name

    @contextmanager
    def staged(self, version: str) -> Iterator[Path]:
        """Yield a folder to make a release in; when the `with` block ends well, it is the current release.

        When the block raises, all is as it was.
        """
        stage = self.root / _STAGE
        try:
            with buildfolder.refused(self.root, "--to"):
                stage.mkdir()
                yield stage
                self._publish(stage, version)
        except BaseException:
            shutil.rmtree(stage, ignore_errors=True)
            raise
        self._supersede()
        self._forget(version)

    def _publish(self, stage: Path, version: str) -> None:
        place, link = self.place(version), self.root / _SWITCH
        buildfolder.sync(stage)
        (self.root / RELEASES).mkdir(exist_ok=True)
        link.symlink_to(f"{RELEASES}/{version}")
        try:
            stage.rename(place)
            _sync(self.root / RELEASES)
            link.rename(self.root / CURRENT)
        except BaseException:
            link.unlink(missing_ok=True)
            if not stage.exists() and _target(self.root / CURRENT) != version:
                place.rename(stage)
            raise
        with suppress(OSError):  # it is published by now; at worst a crash of the machine takes the switch back
            _sync(self.root)

    def reject(self, version: str, stage: Path, said: Iterable[str], build: Iterable[str]) -> Path:
        """Keep of a staged release the files that say what was found, and those of its build; return where.

        Of releases that were kept aside before, the builds go: the newest stands for them.
        """
        kept = self.root / REJECTED / version
        self._forget(version)
        self._supersede()
        for gone in superfluous(_names(self.root / REJECTED), "", REJECTED_KEPT - 1):
            shutil.rmtree(self.root / REJECTED / gone, ignore_errors=True)
        (kept / BUILD).mkdir(parents=True)
        for name, place in [*((name, kept) for name in said), *((name, kept / BUILD) for name in build)]:
            (stage / name).rename(place / name)
        return kept

    def prune(self, keep: int) -> list[str]:
        """Delete releases that are `superfluous`, and all but the newest of what was rejected; return the first.

        Each leaves its place whole, so that no half release is ever seen.
        """
        current = self.current()
        gone = superfluous(_names(self.root / RELEASES), current.name if current else "", keep)
        said = superfluous(_names(self.root / REJECTED), "", keep)
        for place in [self.place(name) for name in gone] + [self.root / REJECTED / name for name in said]:
            place.rename(self.root / _GONE)
            shutil.rmtree(self.root / _GONE)
        return gone

    def _supersede(self) -> None:
        """Delete the builds of releases that were kept aside."""
        for name in _names(self.root / REJECTED):
            shutil.rmtree(self.root / REJECTED / name / BUILD, ignore_errors=True)

    def _forget(self, version: str) -> None:
        """Remove what was said of an earlier try for a release."""
        shutil.rmtree(self.root / REJECTED / version, ignore_errors=True)
        with suppress(OSError):
            (self.root / REJECTED).rmdir()


@contextmanager
def opened(to: Path) -> Iterator[Releases]:
    """Yield the folder of releases, made if it is not there; nobody else publishes there meanwhile.

    What a killed run left is finished, when its release was whole, or removed. Raises `UsageError` when the folder
    cannot be used, or another run is publishing.
    """
    root = Path(os.path.realpath(to))
    made = not root.exists()
    try:
        root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise UsageError(f"{to}: cannot be used ({error.strerror}); give another folder with --to") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"{to}: another run is publishing here; wait for it to end") from None
        _check(root)
        with buildfolder.refused(root, "--to"):
            _recover(root)
        yield Releases(root)
    finally:
        for path in (root / RELEASES, *([root] if made else [])):
            with suppress(OSError):  # it is only removed when it is empty
                path.rmdir()
        os.close(descriptor)


def superfluous(versions: Iterable[str], current: str, keep: int) -> list[str]:
    """Return the versions that go when the newest `keep` stay, and the current one; the oldest first.

    Numbers in versions are compared as such, so `20230907-r10` is newer than `20230907-r9`.
    """
    ordered = sorted(versions, key=_age)
    return [version for version in ordered[: max(0, len(ordered) - keep)] if version != current]


def _age(version: str) -> list[tuple[int, str]]:
    """Return what versions are sorted by."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", version) if part]


def version_of(manifest: Mapping[str, Any]) -> str:
    """Return the version of a build: the date of its source's commit, in UTC.

    Raises `UsageError` for a source without a date.
    """
    found = _DATE.fullmatch(str(manifest["source"].get("date") or ""))
    if found is None:
        raise UsageError("the source of this build has no date; name the release with --version, such as 20230907")
    return "".join(found.groups())


def read_release(place: Path) -> dict[str, Any]:
    """Return `release.json` of a release.

    Raises `UsageError` when it cannot be read, or does not tell what each one does.
    """
    path = place / RELEASE
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read ({error}); the release is damaged") from error
    buildfolder.need_keys(path, said, _TOLD, "the release is damaged")
    return dict(said)


def write_sums(place: Path, known: Mapping[str, str]) -> None:
    """Write `SHA256SUMS` over all files in a folder, as `sha256sum` reads it; some hashes may be known."""
    names = sorted(path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file())
    with (place / SUMS).open("w", encoding="utf-8", newline="\n") as out:
        for name in names:
            digest = known.get(name) or buildfolder.describe_file(place / name)["sha256"]
            out.write(f"{digest}  {name}\n")


def _target(link: Path) -> str | None:
    """Return the name of the release that a link here leads to, if it does."""
    if not link.is_symlink():
        return None
    folder, _, name = str(link.readlink()).rpartition("/")
    return name if folder == RELEASES and VERSION.fullmatch(name) else None


def _names(folder: Path) -> list[str]:
    """Return the names of versions that are folders here."""
    if not _is_folder(folder):
        return []
    return [path.name for path in folder.iterdir() if _is_folder(path) and VERSION.fullmatch(path.name)]


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _check(root: Path) -> None:
    for name in (RELEASES, REJECTED):
        if os.path.lexists(root / name) and not _is_folder(root / name):
            raise UsageError(f"{root / name}: is no folder; remove it, or give another folder with --to")


def _recover(root: Path) -> None:
    """Finish what a killed run had all but done, and remove what it left otherwise."""
    link, stage = root / _SWITCH, root / _STAGE
    if os.path.lexists(link):
        name = _target(link)
        if name is not None and _is_folder(root / RELEASES / name):
            link.rename(root / CURRENT)
            _sync(root)
        else:
            link.unlink()
    for left in (stage, root / _GONE):
        if _is_folder(left):
            shutil.rmtree(left)
        elif os.path.lexists(left):
            left.unlink()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def outside(build: Path, root: Path) -> None:
    """Raise `UsageError` when releases would be written into a build."""
    if build == root or build in root.parents:
        raise UsageError(f"{root}: lies in the build; give another folder with --to")
