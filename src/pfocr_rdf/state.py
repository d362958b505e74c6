"""What a build knows of its source beside the triples: papers, files, tally and facts. Kept as the cache of a build.

The cache lies in the build folder as `.cache/` and says which build it belongs to. It may be deleted at any time
(the next build then converts everything), it is never published, and it is bounded: each paper's facts stand in it
once, and sections of which less than half is in use are written anew.
"""

from __future__ import annotations

import hashlib
import heapq
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any

from pfocr_rdf import facts, resources, storage
from pfocr_rdf.buildfolder import MANIFEST, RUN
from pfocr_rdf.errors import Problem
from pfocr_rdf.extract.records import hash_file
from pfocr_rdf.plan import Plan
from pfocr_rdf.shards import Result, fingerprint, problem_from, problem_parts

FOLDER = ".cache"
PAGES = "_organisms/"
"""Begins the place of an organism page."""
FORMAT = 3
ABOUT = "state.json"
"""Says what the build was, and the hash of each other file of the cache; its first line is the hash of the rest."""
_FACTS = "facts-{number:04d}.txt"
_MAX_FILES = 32
_MAX_GROWTH = 2
"""So many files of facts may pile up by updates, or so many times their first size, before they are made one."""
_BY_CONTENT = ("git-", "sha256-")
"""Begin the signatures that mean the same in every folder; the others are of size and time of change."""


@dataclass(slots=True)
class File:
    """A file of the source: signature (see `extract.source`), SHA-256, and the figid of a record."""

    signature: str
    sha256: str
    figid: str = ""


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
    `tally` counts the papers' sayings; `pages` are the facts of the organism pages; `organisms` the names that were
    known; `groups` and `conflicts` what was found when things were resolved; `base` the size of the facts when they
    were last written as one; `maps` path and hash of the map files; `forgotten` counts what the papers said that were
    removed; `root` is the source's folder; `hashes` are of the files of facts that were read, by name.
    """

    tally: facts.Tally
    papers: dict[str, str] = field(default_factory=dict)
    at: dict[str, int] = field(default_factory=dict)
    sections: list[Section] = field(default_factory=list)
    files: dict[str, File] = field(default_factory=dict)
    organisms: Mapping[str, str] = field(default_factory=dict)
    pages: bytes = b""
    groups: list[str] = field(default_factory=list)
    conflicts: list[Problem] = field(default_factory=list)
    base: int = 0
    maps: list[list[str]] = field(default_factory=list)
    forgotten: Counter[str] = field(default_factory=Counter)
    root: str = ""
    hashes: dict[str, str] = field(default_factory=dict)

    def add(self, result: Result, signatures: Mapping[str, str], figids: Mapping[str, str]) -> None:
        """Add what a shard found."""
        number = len(self.sections)
        start, size = result.sections["facts"]
        self.sections.append(Section(result.data, start, size))
        for line in result.section("papers").decode().split("\n")[:-1]:
            pmcid = line[: line.index("\t")]
            self.papers[pmcid] = f"{line}\n"
            self.at[pmcid] = number
        for line in result.section("files").decode().split("\n")[:-1]:
            path, _, sha = line.rpartition("\t")
            path = facts.unescape(path)
            self.files[path] = File(signatures.get(path, ""), sha, figids.get(path, ""))
        self.tally.read(result.section("facts"))

    def sayings_of(self, pmcids: Iterable[str]) -> Iterator[str]:
        """Yield each saying (escaped) of some papers, as often as they say it."""
        wanted: dict[int, set[str]] = {}
        for pmcid in pmcids:
            if pmcid in self.at:
                wanted.setdefault(self.at[pmcid], set()).add(pmcid)
        for number, found in sorted(wanted.items()):
            sayings, lines = facts.read_section(self.sections[number].read())
            for line in lines:
                if line[: line.index("__")] in found:
                    yield from (saying for _, saying in facts.said_in(line, sayings)[1])

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
        if self.root != planned.root:
            for file in self.files.values():
                file.signature = _anywhere(file.signature)
        self.root = planned.root
        names = {
            name
            for name in self.organisms.keys() | planned.context.organisms.keys()
            if self.organisms.get(name) != planned.context.organisms.get(name)
        }
        if names:
            ends = tuple(f"\x1f{facts.escape(name)}" for name in names)
            said = frozenset(saying for saying, _ in self.tally if saying[0] == "T" and saying.endswith(ends))
            found |= self.papers_saying(said)
        root, maps = planned.root, planned.context.maps
        doubtful = self._doubtful(planned)
        for pmcid, records in planned.papers.items():
            line = self.papers.get(pmcid)
            if line is None:
                found.add(pmcid)
                continue
            if doubtful is not None and pmcid not in doubtful:
                continue
            hashes = [
                (path, self._hash(root, path, planned.signatures.get(path, "")))
                for files in records
                for path in (files.path, *(table for _, table in files.tables))
            ]
            lines = [entry for files in records for entry in maps.get(files.figid, ())]
            if not line.startswith(f"{pmcid}\t{fingerprint(hashes, lines)}\t"):
                found.add(pmcid)
        return found & planned.papers.keys()

    def _doubtful(self, planned: Plan) -> set[str] | None:
        """Return the papers of which a file is new, gone or signed otherwise; None where any may have changed."""
        maps = sorted([path, sha] for path, sha in planned.hashes if path in planned.maps)
        if maps != self.maps:
            self.maps = maps
            return None
        files = self.files
        other = {
            path
            for path, signature in planned.signatures.items()
            if not signature or (known := files.get(path)) is None or known.signature != signature
        }
        # the papers that these files belonged to, for a record may name another one by now
        gone = files.keys() - planned.signatures.keys() | other & files.keys()
        before = {facts.escape(self._figid(path).partition("__")[0]) for path in gone}
        if not other:
            return before
        return before | {
            pmcid
            for pmcid, records in planned.papers.items()
            if any(path in other for files in records for path in files.paths)
        }

    def _figid(self, path: str) -> str:
        """Return the figid of a file that is known: of a table by its name, which begins with it."""
        return self.files[path].figid or path.rpartition("/")[2].rpartition("-")[0]

    def _hash(self, root: str, path: str, signature: str) -> str:
        known = self.files.get(path)
        if known and signature and known.signature == signature:
            return known.sha256
        try:
            sha = hash_file(Path(root) / path)
        except OSError:
            return ""
        if known:
            known.signature, known.sha256 = signature, sha
        return sha

    def keep_files(self, paths: Iterable[str]) -> None:
        """Forget all other files."""
        kept = {path: self.files[path] for path in paths if path in self.files}
        self.files = kept

    def with_figures(self) -> set[str]:
        """Return the PMCIDs of the papers that have figures."""
        return {pmcid for pmcid, line in self.papers.items() if line.split("\t", 3)[2] != "0"}


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
    with ThreadPoolExecutor(1) as beside:  # it reads, writes and hashes large pieces
        copied = beside.submit(_save_facts, state, live, folder, before)
        _save_tables(state, live, folder)
        places, base, hashes = copied.result()
    return {
        "format": FORMAT,
        "converter": resources.converter(),
        "cache": hashes | {name: hash_file(folder / name) for name in ("papers.tsv", "files.tsv", "tally.tsv")},
        "asked": asked,
        "root": state.root,
        "organisms": dict(state.organisms),
        "pages": state.pages.decode(),
        "groups": state.groups,
        "maps": state.maps,
        "conflicts": [problem_parts(found) for found in state.conflicts],
        "sections": places,
        "base": base,
    }


def _save_tables(state: State, live: list[int], folder: Path) -> None:
    """Write papers, files (which are in order from then on) and tally."""
    numbers = {old: new for new, old in enumerate(live)}
    with (folder / "papers.tsv").open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(f"{numbers[state.at[pmcid]]}\t{state.papers[pmcid]}" for pmcid in sorted(state.papers))
    state.files = dict(sorted(state.files.items(), key=itemgetter(0)))
    with (folder / "files.tsv").open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(
            f"{facts.escape(path)}\t{file.signature}\t{file.sha256}\t{facts.escape(file.figid)}\n"
            for path, file in state.files.items()
        )
    with (folder / "tally.tsv").open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(f"{number}\t{saying}\n" for saying, number in state.tally)


def seal(build: Path, about: Mapping[str, Any]) -> None:
    """Finish the cache of a build all of whose files are written; `about` is what `save` returned."""
    text = json.dumps(
        {**about, "build": hash_file(build / MANIFEST), "files": _stamps(build)}, ensure_ascii=False
    ).encode()
    (build / FOLDER / ABOUT).write_bytes(hashlib.sha256(text).hexdigest().encode() + b"\n" + text)


def _stamps(build: Path) -> dict[str, list[int]]:
    """Return size and time of change of each file that an update takes over or rests on."""
    stats = {path.name: path.stat() for path in build.iterdir() if path.is_file() and path.name != RUN}
    return {name: [stats[name].st_size, stats[name].st_mtime_ns] for name in sorted(stats)}


def _anywhere(signature: str) -> str:
    """Return a signature if it means the same in every folder, else an empty one."""
    return signature if signature.startswith(_BY_CONTENT) else ""


def _save_facts(
    state: State, live: list[int], folder: Path, before: Path | None
) -> tuple[list[tuple[str, int, int]], int, dict[str, str]]:
    """Put the live sections into the folder.

    Return name of file, start and size of each, the size to compare with, and the hashes of the files.
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
    digest = hashlib.sha256()
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
            digest.update(data)
        base = state.base if inherited else out.tell()
    hashes = {linked: state.hashes[linked] for linked in sorted(taken)}
    return places, base, hashes | {name: digest.hexdigest()}


def _only_live(data: bytes, at: Mapping[str, int], number: int) -> bytes:
    """Return a section without the lines of papers whose facts stand in another one by now."""
    table, _, lines = data.partition(b"\n\n")
    kept = [line for line in lines.split(b"\n") if line and at.get(line[: line.index(b"__")].decode()) == number]
    return b"\n".join([table, b"", *kept, b""]) if kept else b""


def known_figids(build: Path, source: str) -> dict[str, tuple[str, str]]:
    """Return signature and figid of each record of the build's cache, or nothing where there is none.

    Without the signatures that mean nothing in another folder, if `source` is another one.
    """
    found: dict[str, tuple[str, str]] = {}
    try:
        about = _read_about(build)
        if about is None or hash_file(build / FOLDER / "files.tsv") != about["cache"]["files.tsv"]:
            return {}
        elsewhere = about["root"] != str(Path(source).resolve())
        with (build / FOLDER / "files.tsv").open(encoding="utf-8", newline="\n") as stream:
            for line in stream:
                path, signature, _, figid = line.rstrip("\n").split("\t")
                signature = _anywhere(signature) if elsewhere else signature
                if figid and signature:
                    found[facts.unescape(path)] = signature, facts.unescape(figid)
    except (OSError, ValueError, KeyError):
        return {}
    return found


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
        if any(hash_file(folder / name) != digest for name, digest in about["cache"].items()):
            return None
        state = State(
            facts.Tally(scratch),
            organisms=about["organisms"],
            pages=about["pages"].encode(),
            groups=about["groups"],
            maps=about["maps"],
            conflicts=[problem_from(parts) for parts in about["conflicts"]],
            base=about["base"],
            root=about["root"],
            hashes=about["cache"],
        )
        state.sections = [
            Section(str(folder / Path(name).name), start, size) for name, start, size in about["sections"]
        ]
        with (folder / "papers.tsv").open(encoding="utf-8", newline="\n") as stream:
            for line in stream:
                number, pmcid, rest = line.split("\t", 2)
                state.papers[pmcid] = f"{pmcid}\t{rest}"
                state.at[pmcid] = int(number)
        with (folder / "files.tsv").open(encoding="utf-8", newline="\n") as stream:
            for line in stream:
                path, signature, sha, figid = line.rstrip("\n").split("\t")
                state.files[facts.unescape(path)] = File(signature, sha, facts.unescape(figid))
        with (folder / "tally.tsv").open(encoding="utf-8", newline="\n") as stream:
            for line in stream:
                number, _, saying = line.rstrip("\n").partition("\t")
                state.tally.add(saying, int(number))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return state
