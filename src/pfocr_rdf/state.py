"""What a build knows of its source beside the triples: papers, files, tally and facts. Kept as the cache of a build.

The cache lies in the build folder as `.cache/` and says which build it belongs to. It may be deleted at any time
(the next build then converts everything), it is never published, and it is bounded: each paper's facts stand in it
once, and sections of which less than half is in use are written anew.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from pfocr_rdf import facts, resources, storage
from pfocr_rdf.buildfolder import MANIFEST, RUN
from pfocr_rdf.errors import Problem
from pfocr_rdf.extract.records import hash_file
from pfocr_rdf.plan import Plan
from pfocr_rdf.shards import Result, Totals, fingerprint, problem_from, problem_parts
from pfocr_rdf.things import Summary

FOLDER = ".cache"
PAGES = "_organisms/"
"""Begins the place of an organism page."""
FORMAT = 3
ABOUT = "state.json"
"""Says what the build was, and the hash of each other file of the cache, or where it is large, size and time of
change; its first line is the hash of the rest."""
PAPERS, FILES, TALLY = "papers.txt", "files.txt", "tally.txt"
_FACTS = "facts-{number}.txt"
_ESCAPED = re.compile(r"[\\\n\r]")
_MAX_FILES = 32
_MAX_GROWTH = 2
"""So many files of facts may pile up by updates, or so many times their first size, before they are made one."""


@dataclass(frozen=True, slots=True)
class Section:
    """Facts of some papers: a part of a file."""

    path: str
    start: int
    size: int

    def read(self) -> bytes:
        """Return the bytes."""
        return storage.get(self.path, self.start, self.size) if self.size else b""


@dataclass(slots=True)
class State:
    """All that is known of a source.

    `papers` are lines of `Paper` by escaped PMCID, `at` the number of the section that holds the facts of each;
    `totals` sum them up, after `sum_up`; `tally` counts the papers' sayings, `summary` is what they come to;
    `pages` are the facts of the organism pages;
    `organisms` the names that were known; `groups` and `conflicts` what was found when things were resolved; `base`
    the size of the facts when they were last written as one; `maps` path and hash of the map files; `forgotten`
    counts what the papers said that were removed; `hashes` has the SHA-256 of each file of a paper, `signatures` how
    it was signed (see `extract.signatures`) and `figids` the figid of each record, by path.
    """

    tally: facts.Tally
    papers: dict[str, str] = field(default_factory=dict)
    at: dict[str, int] = field(default_factory=dict)
    sections: list[Section] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)
    signatures: dict[str, str] = field(default_factory=dict)
    figids: dict[str, str] = field(default_factory=dict)
    organisms: Mapping[str, str] = field(default_factory=dict)
    pages: bytes = b""
    groups: list[str] = field(default_factory=list)
    conflicts: list[Problem] = field(default_factory=list)
    base: int = 0
    maps: list[list[str]] = field(default_factory=list)
    forgotten: Counter[str] = field(default_factory=Counter)
    summary: Summary = field(default_factory=Summary)
    totals: Totals = field(default_factory=Totals)

    def sum_up(self) -> None:
        """Sum up the papers that are known; those that `add` takes later come to it."""
        self.totals = Totals()
        self.totals.add(self.papers.values())

    def add(self, result: Result, signatures: Mapping[str, str], figids: Mapping[str, str]) -> None:
        """Add what a shard found."""
        number = len(self.sections)
        start, size = result.sections["facts"]
        self.sections.append(Section(result.data, start, size))
        papers = result.section("papers").decode().split("\n")[:-1]
        self.totals.add(papers)
        for line in papers:
            pmcid = line[: line.index("\t")]
            self.papers[pmcid] = line
            self.at[pmcid] = number
        lines = result.section("files").decode().split("\n")[:-1]
        files = _unescaped([line[: line.index("\t")] for line in lines])
        self.hashes.update(zip(files, [line[line.index("\t") + 1 :] for line in lines], strict=True))
        self.signatures.update((path, signatures.get(path, "")) for path in files)
        self.figids.update((path, figids[path]) for path in files if path in figids)
        self.tally.read(result.section("facts"))

    def sayings_of(self, pmcids: Iterable[str]) -> Iterator[str]:
        """Yield each saying (escaped) of some papers, as often as they say it."""
        wanted: dict[int, set[str]] = {}
        for pmcid in pmcids:
            if pmcid in self.at:
                wanted.setdefault(self.at[pmcid], set()).add(pmcid)
        for number, found in sorted(wanted.items()):
            yield from facts.said_by(self.sections[number].read(), sorted(f"{pmcid}__" for pmcid in found))

    def remove(self, pmcids: Iterable[str]) -> None:
        """Forget papers; what they said is taken from the tally."""
        gone = [pmcid for pmcid in pmcids if pmcid in self.papers]
        self.forgotten.update(self.sayings_of(gone))
        for saying, number in self.forgotten.items():
            self.tally.add(saying, -number)
        for pmcid in gone:
            del self.papers[pmcid]
            del self.at[pmcid]

    def papers_saying(self, wanted: frozenset[str]) -> set[str]:
        """Return the papers of which a line holds any of the sayings (escaped)."""
        found: set[str] = set()
        for number, section in enumerate(self.sections):
            for base, _ in facts.lines_with(section.read(), wanted, wanted):
                pmcid = base[: base.index("__")]
                if self.at.get(pmcid) == number:
                    found.add(pmcid)
        return found

    def page_sayings(self) -> dict[str, int]:
        """Return what the organism pages say (escaped), with counts."""
        return facts.counted(self.pages)

    def all_sayings(self) -> Sayings:
        """Return all sayings (escaped) with their counts, in code-point order; may be read again and again."""
        return Sayings(self)

    def changed(self, planned: Plan) -> set[str]:
        """Return the papers (escaped PMCIDs) of a plan that are new, or whose files, map lines or organisms changed.

        Files whose signature is not as it was are read and hashed; what is found is remembered.
        """
        found: set[str] = set()
        names = {
            name
            for name in self.organisms.keys() | planned.context.organisms.keys()
            if self.organisms.get(name) != planned.context.organisms.get(name)
        }
        if names:
            ends = tuple(f"\x1f{facts.escape(name)}" for name in names)
            said = frozenset(saying for saying, _ in self.tally if saying[0] == "T" and saying.endswith(ends))
            found |= self.papers_saying(said)
        doubtful = self._doubtful(planned)
        known = planned.papers.keys() & self.papers.keys()
        found |= planned.papers.keys() - known
        found |= {pmcid for pmcid in (known if doubtful is None else known & doubtful) if self._differs(pmcid, planned)}
        return found & planned.papers.keys()

    def _differs(self, pmcid: str, planned: Plan) -> bool:
        """Whether a paper that is known has other files or map lines by now."""
        records, maps = planned.papers[pmcid], planned.context.maps
        hashes = [
            (path, self._hash(planned.root, path, planned.signatures.get(path, "")))
            for files in records
            for path in files.paths
        ]
        lines = [entry for files in records for entry in maps.get(files.figid, ())]
        return not self.papers[pmcid].startswith(f"{pmcid}\t{fingerprint(hashes, lines)}\t")

    def _doubtful(self, planned: Plan) -> set[str] | None:
        """Return the papers of which a file is new, gone or signed otherwise; None where any may have changed."""
        maps = sorted([path, sha] for path, sha in planned.hashes if path in planned.maps)
        if maps != self.maps:
            self.maps = maps
            return None
        before, now = self.signatures, planned.signatures
        other = {path for path, signature in now.items() if not signature or before.get(path) != signature}
        # those that these files belonged to as well, for a record may name another one by now
        gone = before.keys() - now.keys() | other & before.keys()
        figids = {_figid(path, self.figids) for path in gone} | {_figid(path, planned.figids) for path in other}
        return {facts.escape(figid.partition("__")[0]) for figid in figids}

    def _hash(self, root: str, path: str, signature: str) -> str:
        known = self.hashes.get(path)
        if known and signature and self.signatures[path] == signature:
            return known
        try:
            sha = hash_file(f"{root}/{path}")
        except OSError:
            return ""
        if known:
            self.signatures[path], self.hashes[path] = signature, sha
        return sha

    def keep_files(self, planned: Plan) -> None:
        """Forget all files that are none of a paper."""
        tables = (path for records in planned.papers.values() for files in records for _, path in files.tables)
        for path in self.hashes.keys() - planned.figids.keys() - set(tables):
            for of in (self.hashes, self.signatures, self.figids):
                of.pop(path, None)

    def with_figures(self) -> set[str]:
        """Return the PMCIDs of the papers that have figures."""
        return {pmcid for pmcid, line in self.papers.items() if line.split("\t", 3)[2] != "0"}


def _figid(path: str, known: Mapping[str, str]) -> str:
    """Return the figid of a file: of a table by its name, which begins with it."""
    return known.get(path) or path.rpartition("/")[2].rpartition("-")[0]


@dataclass(frozen=True, slots=True)
class Sayings:
    """The sayings of papers and pages, in order."""

    of: State

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """Yield each saying (escaped) with its count."""
        return heapq.merge(self.of.tally, sorted(self.of.page_sayings().items()))


def save(state: State, build: Path, asked: str, before: Path | None) -> dict[str, Any]:
    """Write the cache of a build that is about to take its place, but for what `seal` writes, and return that.

    `asked` names the options under which the build was made, `before` is the cache folder of the build that it
    replaces, whose files of facts are linked rather than copied.
    """
    folder = build / FOLDER
    folder.mkdir()
    live = sorted(set(state.at.values()))
    with ThreadPoolExecutor(1) as beside:  # it reads and writes large pieces
        copied = beside.submit(_save_facts, state, live, folder, before)
        _save_tables(state, live, folder)
        places, base = copied.result()
    return {
        "format": FORMAT,
        "converter": resources.converter(),
        "cache": {name: hash_file(folder / name) for name in (PAPERS, FILES, TALLY)},
        "asked": asked,
        "organisms": dict(state.organisms),
        "pages": state.pages.decode(),
        "counts": state.summary.counts,
        "rows": state.summary.organisms,
        "groups": state.groups,
        "maps": state.maps,
        "conflicts": [problem_parts(found) for found in state.conflicts],
        "sections": places,
        "base": base,
    }


def _save_tables(state: State, live: list[int], folder: Path) -> None:
    """Write papers, files and tally."""
    numbers = {old: new for new, old in enumerate(live)}
    papers = sorted(state.papers)
    _write_columns(
        folder / PAPERS, [str(numbers[state.at[p]]) for p in papers], papers, [state.papers[p] for p in papers]
    )
    paths = sorted(state.hashes)
    _write_columns(
        folder / FILES,
        _escaped(paths),
        [state.signatures[path] for path in paths],
        [state.hashes[path] for path in paths],
        _escaped([state.figids.get(path, "") for path in paths]),
    )
    sayings = dict(state.tally)
    _write_columns(folder / TALLY, sayings.keys(), map(str, sayings.values()))


def seal(build: Path, about: Mapping[str, Any]) -> None:
    """Finish the cache of a build all of whose files are written; `about` is what `save` returned."""
    text = json.dumps(
        {**about, "build": hash_file(build / MANIFEST), "files": _stamps(build)}, ensure_ascii=False
    ).encode()
    (build / FOLDER / ABOUT).write_bytes(hashlib.sha256(text).hexdigest().encode() + b"\n" + text)


def _stamps(build: Path) -> dict[str, list[int]]:
    """Return size and time of change of each file that an update takes over or rests on."""
    paths = [path for path in build.iterdir() if path.is_file() and path.name != RUN]
    paths += (build / FOLDER).glob(_FACTS.format(number="*"))
    stats = {path.name: path.stat() for path in paths}
    return {name: [stats[name].st_size, stats[name].st_mtime_ns] for name in sorted(stats)}


def _write_columns(path: Path, *columns: Iterable[str]) -> None:
    """Write columns of equal length one after the other: what is read back so, is read at once."""
    path.write_bytes("\n".join(chain.from_iterable(columns)).encode())


def _read_columns(path: Path, digest: str, width: int) -> list[list[str]]:
    """Return so many columns that `_write_columns` wrote.

    Raises `ValueError` when the file has another hash.
    """
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != digest:
        raise ValueError(f"{path}: is not what it was")
    texts = data.decode().split("\n") if data else []
    rows = len(texts) // width
    return [texts[rows * column : rows * (column + 1)] for column in range(width)]


@lru_cache(maxsize=1)
def _read_files(folder: Path, digest: str) -> tuple[list[str], list[str], list[str], list[str]]:
    """Return paths, signatures, hashes and figids of the files that are known; both who ask get the same."""
    paths, signatures, hashes, figids = _read_columns(folder / FILES, digest, 4)
    return _unescaped(paths), signatures, hashes, _unescaped(figids)


def _escaped(texts: list[str]) -> list[str]:
    """Return texts that may hold ends of lines as they stand in a column."""
    return [facts.escape(text) for text in texts] if _ESCAPED.search("".join(texts)) else texts


def _unescaped(texts: list[str]) -> list[str]:
    return [facts.unescape(text) for text in texts] if "\\" in "".join(texts) else texts


def _save_facts(
    state: State, live: list[int], folder: Path, before: Path | None
) -> tuple[list[tuple[str, int, int]], int]:
    """Put the live sections into the folder.

    Return name of file, start and size of each, and the size to compare with.
    Files of the former cache are linked, until they are too many, or hold twice what they held when made one.
    """
    used = {state.sections[number].path for number in live}
    old = {path for path in used if before and Path(path).parent == before}
    inherited = old
    size = sum(Path(path).stat().st_size for path in inherited)
    if len(inherited) >= _MAX_FILES or (state.base and size > _MAX_GROWTH * state.base):
        inherited = set()
    for path in inherited:
        (folder / Path(path).name).hardlink_to(path)
    taken = {Path(path).name for path in inherited}
    name = next(name for number in range(2 * _MAX_FILES) if (name := _FACTS.format(number=number)) not in taken)
    places: list[tuple[str, int, int]] = []
    with (folder / name).open("wb") as out:
        for number in live:
            section = state.sections[number]
            if section.path in inherited:
                places.append((Path(section.path).name, section.start, section.size))
                continue
            data = section.read()
            if section.path in old:
                data = _only_live(data, state.at, number)
            places.append((name, out.tell(), len(data)))
            out.write(data)
        base = state.base if inherited else out.tell()
    return places, base


def _only_live(data: bytes, at: Mapping[str, int], number: int) -> bytes:
    """Return a section without the lines of papers whose facts stand in another one by now."""
    table, _, lines = data.partition(b"\n\n")
    kept = [line for line in lines.split(b"\n") if line and at.get(line[: line.index(b"__")].decode()) == number]
    return b"\n".join([table, b"", *kept, b""]) if kept else b""


def known_figids(build: Path) -> dict[str, tuple[str, str]]:
    """Return signature and figid of each record of the build's cache, or nothing where there is none."""
    try:
        about = _read_about(build)
        if about is None:
            return {}
        paths, signatures, _, figids = _read_files(build / FOLDER, about["cache"][FILES])
        found = zip(paths, zip(signatures, figids, strict=True), strict=True)
        return {path: known for path, known in found if all(known)}
    except (OSError, ValueError, KeyError):
        return {}


def _read_about(build: Path) -> dict[str, Any] | None:
    """Return what the cache says of itself, or None when it is damaged or of another version of the program."""
    digest, _, text = (build / FOLDER / ABOUT).read_bytes().partition(b"\n")
    if hashlib.sha256(text).hexdigest().encode() != digest:
        return None
    about: dict[str, Any] = json.loads(text)
    return about if (about["format"], about["converter"]) == (FORMAT, resources.converter()) else None


def load(build: Path, asked: str, scratch: Path) -> State | None:
    """Return the state of a build, or None where there is no cache that fits the build, the options and the program.

    A damaged cache or build is as none. The tally spills into the folder `scratch`.
    """
    folder = build / FOLDER
    try:
        about = _read_about(build)
        if about is None or (about["build"], about["asked"]) != (hash_file(build / MANIFEST), asked):
            return None
        if about["files"] != _stamps(build):
            return None
        state = State(
            facts.Tally(scratch),
            organisms=about["organisms"],
            pages=about["pages"].encode(),
            groups=about["groups"],
            summary=Summary(Counter(about["counts"]), Counter(about["rows"])),
            maps=about["maps"],
            conflicts=[problem_from(parts) for parts in about["conflicts"]],
            base=about["base"],
        )
        state.sections = [
            Section(str(folder / Path(name).name), start, size) for name, start, size in about["sections"]
        ]
        numbers, papers, lines = _read_columns(folder / PAPERS, about["cache"][PAPERS], 3)
        state.papers = dict(zip(papers, lines, strict=True))
        state.at = dict(zip(papers, map(int, numbers), strict=True))
        paths, signatures, hashes, figids = _read_files(folder, about["cache"][FILES])
        _read_files.cache_clear()
        state.hashes = dict(zip(paths, hashes, strict=True))
        state.signatures = dict(zip(paths, signatures, strict=True))
        state.figids = {path: figid for path, figid in zip(paths, figids, strict=True) if figid}
        sayings, counts = _read_columns(folder / TALLY, about["cache"][TALLY], 2)
        state.tally.load(sayings, map(int, counts))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return state
