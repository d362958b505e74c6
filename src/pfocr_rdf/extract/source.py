"""Opening SOURCE: a folder, one record, an archive or a git repository becomes a `Snapshot` of paired files.

Owns which files are read, which record each table belongs to, and what is refused by its name alone. Links
are never followed; hidden files are none of the source.
"""

from __future__ import annotations

import errno
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, compress, repeat
from operator import itemgetter, ne
from pathlib import Path

from pfocr_rdf.accounts import Ledger
from pfocr_rdf.errors import Kind, UsageError, problem
from pfocr_rdf.extract import archive, git, known, listing, signatures
from pfocr_rdf.extract.known import Comparison, KnownFile, Unchanged
from pfocr_rdf.extract.listing import DATA, FIGURES, ORGANISMS, RECORD_SUFFIXES, Folder, Listing
from pfocr_rdf.extract.organisms import MAPS
from pfocr_rdf.extract.records import RecordFiles, count_rows, read_bytes, read_record
from pfocr_rdf.extract.signatures import Sign
from pfocr_rdf.extract.tables import INLINE_KEYS, SUFFIXES
from pfocr_rdf.extract.text import decode
from pfocr_rdf.identifiers import FIGID, FIGID_BYTES
from pfocr_rdf.settings import Limits
from pfocr_rdf.workers import Engine, Serial

_KINDS = {f"{suffix}.tsv": kind for kind, suffix in SUFFIXES.items()}
_SECOND_LINE = re.compile(rb"---[ \t]*\r?\nfigid: ([A-Za-z0-9._-]+)\r?\n[^ \t\r\n]")
_HEADS = 2000
"""Records whose heads are read by one task."""
_HEAD = 512
"""Bytes in which the second line of nearly all records ends."""


@dataclass(slots=True)
class Snapshot:
    """The files of one state of a source. Paths are relative to `root`, with `/`.

    `records` are in order of figid, `pages` and `maps` in order of path. `whole` is false for a single
    record or a selection: then maps and pages serve to look things up and are no input of their own.
    `unread` are duplicates and tables without record: refused, yet a part of the content.
    `has_data` says whether the source has a folder of tables (the data model, section a.2b).
    `signatures` has those of all these files by path (and, after `select`, still of the whole source);
    `bytes` is the size of the files that will be read, without the `unread` ones.
    Where an earlier build knows the source, only papers of which a file differs are paired: then `unchanged` are the
    others, and `everything` pairs those as well.
    """

    root: Path
    kind: str
    has_data: bool
    revision: str | None = None
    date: str | None = None
    whole: bool = True
    records: list[RecordFiles] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    maps: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    signatures: dict[str, str] = field(default_factory=dict)
    bytes: int = 0
    unchanged: Unchanged | None = None
    everything: Callable[[], Snapshot] | None = None

    def select(self, *, only: str | None, limit: int | None) -> Snapshot:
        """Return the snapshot of one figure, or of the first `limit` figures.

        Raises `UsageError` when no record has the figid.
        """
        if only is None and limit is None:
            return self
        records = [files for files in self.records if only is None or files.figid == only][:limit]
        if only is not None and not records:
            raise UsageError(f"no record has the figid {only!r}; give it as the record does, without .md")
        paths = [*self.pages, *self.maps]
        for files in records:
            paths += [files.path, *(path for _, path in files.tables)]
        size = sum(os.lstat(f"{self.root}/{path}").st_size for path in paths)
        return replace(self, records=records, whole=False, ledger=Ledger(), bytes=size)


_UNKNOWN: KnownFile = ("", "", "")


def unlike(before: Mapping[str, KnownFile], paths: list[str], signed: list[str]) -> Iterator[str]:
    """Yield the paths of files that were not known, or have another signature by now, or none that tells."""
    known_as = map(itemgetter(0), map(before.get, paths, repeat(_UNKNOWN)))
    yield from compress(paths, map(ne, known_as, signed))
    if "" in signed:
        yield from (path for path, signature in zip(paths, signed, strict=True) if not signature)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a folder is read: within limits; `known` gives what an earlier build found, `engine` lists and reads heads.

    With `lines`, the file in which that build's files stand, only papers that differ are paired.
    """

    limits: Limits
    known: Callable[[], known.Files]
    engine: Engine
    lines: str | None = None


@contextmanager
def open_source(
    source: str,
    *,
    limits: Limits,
    cache: Path | None = None,
    known: Callable[[], known.Files] = known.Files,
    lines: str | None = None,
    engine: Engine | None = None,
) -> Iterator[Snapshot]:
    """Open SOURCE for the time of a `with` block; what was unpacked is removed afterwards.

    `source` is a path or a git address with an optional `@REVISION`; `cache` is where clones are kept.
    A record that is `known` and still has the signature it had is not read for its figid; the others are, by `engine`,
    which lists the folders while `known` is asked. With `lines`, the file that `known` stands in, papers of a checkout
    that did not change are left out.
    Raises `UsageError` when there is nothing to read, with what to do.
    """
    path = Path(source)
    if _is_too_long(path):
        raise UsageError(f"{source[:40]}...: is too long for a path or an address")
    reading = Reading(limits, known, engine or Serial(), lines)
    if path.is_dir():
        yield _read_own(path, reading)
    elif path.is_file() and archive.is_archive(path):
        with tempfile.TemporaryDirectory(prefix="pfocr-rdf-") as folder:
            refused, digests = archive.unpack(path, Path(folder), limits)
            top = archive.top(Path(folder))
            skip = len(top.as_posix()) - len(Path(folder).as_posix())
            sign = signatures.by_digest({name[skip:]: digest for name, digest in digests.items()})
            snapshot = read_folder(top, "archive", reading, sign, name=source)
            del digests, sign  # as large as the snapshot
            snapshot.ledger.report(*refused)
            yield snapshot
    elif path.is_file():
        if path.suffix not in RECORD_SUFFIXES:
            raise UsageError(f"{source}: not a record (.md, .txt) or an archive (.zip, .tar.gz, .tgz)")
        yield read_file(path, limits, signatures.by_stat(time.time_ns()))
    elif git.is_address(source):
        with git.checkout(source, cache) as (folder, state):
            sign = signatures.by_blob(state.blobs, time.time_ns())
            snapshot = read_folder(folder, "git", reading, sign, state=state, name=source)
            del state, sign  # as large as the snapshot
            yield snapshot
    else:
        raise UsageError(f"{source}: no such file or folder; give a folder, a record, an archive or a git address")


def _read_own(path: Path, reading: Reading) -> Snapshot:
    """Read a folder of the user's, which may be a repository."""
    began = time.time_ns()
    state = git.describe(path)
    sign = signatures.by_blob(state.blobs, began) if state.blobs else signatures.by_stat(began)
    return read_folder(path, "git" if state.revision else "folder", reading, sign, state=state)


def _is_too_long(path: Path) -> bool:
    try:
        path.lstat()
    except (OSError, ValueError) as error:
        return getattr(error, "errno", None) == errno.ENAMETOOLONG
    return False


def read_file(path: Path, limits: Limits, sign: Sign) -> Snapshot:
    """Return the snapshot of one record, with its tables where it lies in a checkout."""
    inside = path.absolute().parent.name == FIGURES
    root = path.absolute().parent.parent if inside else path.absolute().parent
    name = path.absolute().relative_to(root).as_posix()
    data = f"{DATA}/" if inside or (root / DATA).is_dir() else ""
    has_data = (root / DATA).is_dir() or (not inside and any(root.glob("*.tsv")))
    snapshot = Snapshot(root, "file", has_data, whole=False)
    if path.is_symlink():
        snapshot.ledger.report(problem("symlink", name, kind=Kind.RECORD))
        return snapshot
    figid = sniff(root, name, limits)
    candidates = ((kind, f"{data}{figid}-{suffix}.tsv") for kind, suffix in SUFFIXES.items())
    named = FIGID.fullmatch(figid) and len(figid.encode()) <= FIGID_BYTES  # else it is refused, and no path
    present = [(kind, table) for kind, table in candidates if named and _is_plain(root / table)]
    snapshot.records = [RecordFiles(figid, name, tuple(present))]
    if snapshot.has_data:
        snapshot.maps = [f"{data}{file}" for file in sorted(MAPS) if _is_plain(root / data / file)]
    if (root / ORGANISMS).is_dir():
        pages = (root / ORGANISMS).glob("*.md")
        snapshot.pages = sorted(page.relative_to(root).as_posix() for page in pages if _is_plain(page))
    for file in (name, *(table for _, table in present), *snapshot.maps, *snapshot.pages):
        state = (root / file).lstat()
        snapshot.signatures[file] = sign(file, state)
        snapshot.bytes += state.st_size
    return snapshot


def read_folder(
    root: Path,
    kind: str,
    reading: Reading,
    sign: Sign,
    *,
    state: git.State | None = None,
    name: str | None = None,
) -> Snapshot:
    """List and pair the files of a folder.

    Raises `UsageError` when it holds no record.
    """
    root = root.resolve()
    checkout = (root / FIGURES).is_dir()
    data = DATA if checkout or (root / DATA).is_dir() else ""
    has_data = (root / DATA).is_dir() or (not checkout and any(root.glob("*.tsv")))
    snapshot = Snapshot(root, kind, has_data)
    if state:
        snapshot.revision, snapshot.date = state.revision, state.date
    suffixes = (".md",) if checkout else RECORD_SUFFIXES
    folders = [_folder(snapshot, FIGURES if checkout else "", suffixes, sign)]
    folders += [_folder(snapshot, data, (".tsv",), sign)] if has_data else []
    # a way to sign that holds all files would be as large as the snapshot
    lister: Engine = reading.engine if isinstance(sign, signatures.ByStat) else Serial()
    paired = _changed(snapshot, folders, lister, reading) if checkout and reading.lines else None
    if paired:
        again = replace(reading, lines=None)
        snapshot.everything = partial(read_folder, root, kind, again, sign, state=state, name=name)
    else:
        paired = _all(snapshot, folders, lister, reading)
    records, others = paired
    if not records and not snapshot.unchanged and not snapshot.ledger.problems:
        raise UsageError(f"{name or root}: no records; a source has {FIGURES}/*.md, or *.md and *.txt files")
    tables: dict[str, list[tuple[Kind, str]]] = {}
    prefix = f"{data}/" if data else ""
    for path in others:
        stem, _, rest = path.rpartition("-")
        if rest in _KINDS and len(stem) > len(prefix):
            tables.setdefault(stem, []).append((_KINDS[rest], path))
        elif path[len(prefix) :] in MAPS:
            snapshot.maps.append(path)
        else:
            _leave_out(snapshot, path)
            del snapshot.signatures[path]
            snapshot.ledger.report(problem("unknown-file", path))
    if (root / ORGANISMS).is_dir():
        pages = listing.read(_folder(snapshot, ORGANISMS, (".md",), sign))
        snapshot.pages = _take(snapshot, pages, Kind.ORGANISM_PAGE)
    for figid, path in _winners(root, records, snapshot, reading.limits):
        snapshot.records.append(RecordFiles(figid, path, tuple(tables.pop(f"{prefix}{figid}", ()))))
    snapshot.records.sort()  # by figid and path
    for table, path in chain.from_iterable(tables.values()):
        rows = count_rows(root / path)
        snapshot.unread.append(path)
        snapshot.ledger.report(problem("table-without-record", path, value=f"{rows} rows", kind=table, count=rows))
    for path in snapshot.unread:
        _leave_out(snapshot, path)
    return snapshot


Paired = tuple[list[tuple[str, str]], list[str]]
"""Records, each with its figid, and the other files; both in order of path."""


def _all(snapshot: Snapshot, folders: list[Folder], lister: Engine, reading: Reading) -> Paired:
    """List all files of a source."""
    listings = [lister.map(listing.read, [folder]) for folder in folders]
    before = reading.known().earlier()
    listed = _take(snapshot, next(listings[0]), Kind.RECORD)
    named, heads = _figids(snapshot, listed, before, reading)  # heads of records are read while tables are listed
    tables = [path for found in listings[1:] for path in _take(snapshot, next(found), None)]
    read = dict(heads)
    return [(figid or read[path], path) for path, figid in zip(listed, named, strict=True)], tables


def _changed(snapshot: Snapshot, folders: list[Folder], lister: Engine, reading: Reading) -> Paired | None:
    """List the files of those papers of a checkout of which any differs from what was known.

    Return None where nothing usable was known, or it was known of other folders.
    """
    comparisons = [lister.map(known.compare, [Comparison(folder, str(reading.lines))]) for folder in folders]
    before = reading.known()
    parts = [part for found in comparisons if (part := next(found))]
    if not len(before) or sum(part.known for part in parts) != len(before) or not parts[0].there:
        return None
    for part, kind in zip(parts, (Kind.RECORD, None), strict=False):
        snapshot.bytes += part.bytes
        _refuse(snapshot, part.refused, kind)
    figids = dict(_heads(snapshot.root, sorted(parts[0].come), reading))
    there, snapshot.unchanged = known.differing(parts, before, figids)
    paths = sorted(there)
    snapshot.signatures = {path: there[path][0] for path in paths}
    inside = f"{FIGURES}/"
    records = [(there[path][1], path) for path in paths if path.startswith(inside)]
    return records, [path for path in paths if not path.startswith(inside)]


def _leave_out(snapshot: Snapshot, path: str) -> None:
    """Take a file that will not be read out of the size that will."""
    snapshot.bytes -= os.lstat(f"{snapshot.root}/{path}").st_size


def _figids(
    snapshot: Snapshot, paths: list[str], before: Mapping[str, KnownFile], reading: Reading
) -> tuple[list[str], Iterator[tuple[str, str]]]:
    """Return the figids of records, empty where not known, and of those path and figid in any order.

    The engine begins at once to read them.
    """
    other = set(unlike(before, paths, [*map(snapshot.signatures.__getitem__, paths)]))
    figids = [*map(itemgetter(2), map(before.get, paths, repeat(_UNKNOWN)))]
    if other:
        figids = ["" if path in other else figid for path, figid in zip(paths, figids, strict=True)]
    unread = [path for path, figid in zip(paths, figids, strict=True) if not figid]
    return figids, _heads(snapshot.root, unread, reading)


def _heads(root: Path, paths: list[str], reading: Reading) -> Iterator[tuple[str, str]]:
    """Let the engine begin to read the heads of records; return paths and figids in any order."""
    tasks = [_Heads(root, paths[at : at + _HEADS], reading.limits) for at in range(0, len(paths), _HEADS)]
    return chain.from_iterable(reading.engine.map(_sniff_all, tasks))


@dataclass(frozen=True, slots=True)
class _Heads:
    """Records whose figids are wanted."""

    root: Path
    paths: list[str]
    limits: Limits


def _sniff_all(task: _Heads) -> list[tuple[str, str]]:
    return [(path, sniff(task.root, path, task.limits)) for path in task.paths]


def sniff(root: Path, path: str, limits: Limits) -> str:
    """Return the figid of a record, or an empty text: from its second line, else from the whole front matter."""
    try:
        descriptor = os.open(f"{root}/{path}", os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        try:
            head = os.read(descriptor, _HEAD)
            size = os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)
        if size > limits.record_bytes:
            return ""
        match = _SECOND_LINE.match(head)
        if match is None and size > _HEAD:
            match = _SECOND_LINE.match(read_bytes(root / path, limits.record_bytes) or b"")
    except OSError:
        return ""
    if match:
        return match[1].decode("ascii")
    front, _, _ = read_record(root, path, limits)
    figid = front.fields.get("figid", "") if front else ""
    return figid if isinstance(figid, str) else ""


def _winners(root: Path, records: list[tuple[str, str]], snapshot: Snapshot, limits: Limits) -> list[tuple[str, str]]:
    """Keep one sound file for each figid (section a.2b): `_figures/{figid}.md`, else the first path."""
    firsts: dict[str, str] = {}
    several: dict[str, list[str]] = {}
    kept: list[tuple[str, str]] = []
    if len({figid for figid, _ in records} - {""}) == len(records):
        return records
    for figid, path in records:
        if not figid:
            kept.append((figid, path))
        elif firsts.setdefault(figid, path) != path:
            several.setdefault(figid, [firsts[figid]]).append(path)
    for figid, first in firsts.items():
        paths = several.get(figid)
        if paths is None:
            kept.append((figid, first))
            continue
        paths.sort(key=lambda path: (not _is_sound(root, path, limits), path != f"{FIGURES}/{figid}.md", path))
        kept.append((figid, paths[0]))
        for path in paths[1:]:
            same = _content(root, path) == _content(root, paths[0])
            if same:
                snapshot.ledger.accounts[Kind.RECORD].merged += 1
            else:
                snapshot.ledger.report(problem("duplicate-figid", path, field="figid", value=figid, kind=Kind.RECORD))
            snapshot.unread.append(path)
            _account_inline(root, path, snapshot, limits, merged=same)
    return kept


def _is_sound(root: Path, path: str, limits: Limits) -> bool:
    """Whether a record can be read and its figid and pmcid agree."""
    front, _, _ = read_record(root, path, limits)
    return front is not None and front.fields.get("pmcid") == str(front.fields.get("figid")).partition("__")[0]


def _content(root: Path, path: str) -> str | bytes:
    """Return a record's text as it is read, so that line ends and byte order mark make no difference."""
    data = (root / path).read_bytes()
    try:
        return decode(data)[0]
    except UnicodeDecodeError:
        return data


def _account_inline(root: Path, path: str, snapshot: Snapshot, limits: Limits, *, merged: bool) -> None:
    """Account for the inline rows of a record that another one replaces."""
    front, _, _ = read_record(root, path, limits)
    for key, kind in INLINE_KEYS.items():
        rows = front.fields.get(key) if front else None
        if not isinstance(rows, list) or not rows:
            continue
        if merged:
            snapshot.ledger.accounts[kind].merged += len(rows)
        else:
            value = f"{len(rows)} rows"
            snapshot.ledger.report(problem("record-rejected", path, field=key, value=value, kind=kind, count=len(rows)))


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _folder(snapshot: Snapshot, name: str, suffixes: tuple[str, ...], sign: Sign) -> Folder:
    """Return a folder to list, which is no link."""
    place = f"{snapshot.root}/{name}" if name else str(snapshot.root)
    if Path(place).is_symlink():
        raise UsageError(f"{place}: a link; put the folder itself there")
    return Folder(str(snapshot.root), name, suffixes, sign)


def _take(snapshot: Snapshot, found: Listing, kind: Kind | None) -> list[str]:
    """Take the files of a folder into the snapshot; report what is refused; return the paths."""
    snapshot.signatures.update(zip(found.paths, found.signatures, strict=True))
    snapshot.bytes += found.bytes
    _refuse(snapshot, found.refused, kind)
    return found.paths


def _refuse(snapshot: Snapshot, refused: list[tuple[str, str]], kind: Kind | None) -> None:
    """Report what lies in a folder and is none of the source."""
    for code, path in refused:
        about = Kind.VALUE if code == "unknown-file" else kind or _kind_of(path.rpartition("/")[2]) or Kind.MAP_LINE
        snapshot.ledger.report(problem(code, path, kind=about))


def _kind_of(name: str) -> Kind | None:
    """Return the kind of rows in a table of one figure, by the name of the file."""
    figid, _, rest = name.rpartition("-")
    return _KINDS.get(rest) if figid else None
