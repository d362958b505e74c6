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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pfocr_rdf import facts, storage
from pfocr_rdf.buildfolder import MANIFEST
from pfocr_rdf.errors import Problem
from pfocr_rdf.extract.records import hash_file
from pfocr_rdf.plan import Plan
from pfocr_rdf.resources import converter
from pfocr_rdf.shards import Paper, Result, fingerprint, problem_from, problem_parts

FOLDER = ".cache"
PAGES = "_organisms/"
"""Begins the place of an organism page."""
FORMAT = 1
_FACTS = "facts-{number:04d}.txt"
_MAX_FILES = 32
_MAX_GROWTH = 2
"""So many files of facts may pile up by updates, or so many times their first size, before they are made one."""


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
    were last written as one.
    """

    papers: dict[str, str] = field(default_factory=dict)
    at: dict[str, int] = field(default_factory=dict)
    sections: list[Section] = field(default_factory=list)
    files: dict[str, File] = field(default_factory=dict)
    tally: facts.Tally = field(default_factory=lambda: facts.Tally(Path()))
    organisms: Mapping[str, str] = field(default_factory=dict)
    pages: bytes = b""
    groups: list[str] = field(default_factory=list)
    conflicts: list[Problem] = field(default_factory=list)
    base: int = 0

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

    def remove(self, pmcids: Iterable[str]) -> Counter[str]:
        """Forget papers; return what they said (escaped), with counts, which is taken from the tally."""
        gone = [pmcid for pmcid in pmcids if pmcid in self.papers]
        said = Counter(self.sayings_of(gone))
        for saying, number in said.items():
            self.tally.add(saying, -number)
        for pmcid in gone:
            del self.papers[pmcid]
            del self.at[pmcid]
        return said

    def papers_saying(self, wanted: frozenset[str]) -> set[str]:
        """Return the papers of which a line holds any of the sayings (escaped)."""
        found: set[str] = set()
        for number, section in enumerate(self.sections):
            for base, _ in facts.lines_with(section.read(), wanted):
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
        root, maps = planned.root, planned.context.maps
        for pmcid, records in planned.papers.items():
            line = self.papers.get(pmcid)
            if line is None:
                found.add(pmcid)
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

    def all_papers(self) -> Iterator[Paper]:
        """Yield all papers, in order."""
        for pmcid in sorted(self.papers):
            yield Paper.from_line(self.papers[pmcid])


@dataclass(frozen=True, slots=True)
class Sayings:
    """The sayings of papers and pages, in order."""

    of: State

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """Yield each saying (escaped) with its count."""
        return heapq.merge(self.of.tally, sorted(self.of.page_sayings().items()))


def save(state: State, build: Path, build_sha256: str, asked: str, before: Path | None) -> None:
    """Write the cache of a build that is about to take its place.

    `build_sha256` is the hash of its manifest, `asked` names the options under which it was made, `before` is the
    cache folder of the build that it replaces, whose files of facts are linked rather than copied.
    """
    folder = build / FOLDER
    folder.mkdir()
    places, base = _save_facts(state, folder, before)
    with (folder / "papers.tsv").open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(f"{state.at[pmcid]}\t{state.papers[pmcid]}" for pmcid in sorted(state.papers))
    with (folder / "files.tsv").open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(
            f"{facts.escape(path)}\t{file.signature}\t{file.sha256}\t{facts.escape(file.figid)}\n"
            for path, file in sorted(state.files.items())
        )
    with (folder / "tally.tsv").open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(f"{number}\t{saying}\n" for saying, number in state.tally)
    about = {
        "format": FORMAT,
        "converter": converter(),
        "build": build_sha256,
        "asked": asked,
        "organisms": dict(state.organisms),
        "pages": state.pages.decode(),
        "groups": state.groups,
        "conflicts": [problem_parts(found) for found in state.conflicts],
        "sections": places,
        "base": base,
    }
    (folder / "state.json").write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")


def _save_facts(state: State, folder: Path, before: Path | None) -> tuple[list[tuple[str, int, int]], int]:
    """Put all sections into the folder; return name of file, start and size of each, and the size to compare with.

    Files of the former cache are linked, until they are too many, or hold twice what they held when made one.
    """
    inherited = {section.path for section in state.sections if before and Path(section.path).parent == before}
    size = sum(Path(path).stat().st_size for path in inherited)
    if len(inherited) >= _MAX_FILES or (state.base and size > _MAX_GROWTH * state.base):
        inherited = set()
    for path in inherited:
        (folder / Path(path).name).hardlink_to(path)
    taken = {path.name for path in folder.iterdir()}
    name = next(name for number in range(2 * _MAX_FILES) if (name := _FACTS.format(number=number)) not in taken)
    places: list[tuple[str, int, int]] = []
    with (folder / name).open("wb") as out:
        for number, section in enumerate(state.sections):
            if section.path in inherited:
                places.append((Path(section.path).name, section.start, section.size))
                continue
            data = _only_live(section.read(), state.at, number)
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
    found: dict[str, tuple[str, str]] = {}
    try:
        with (build / FOLDER / "files.tsv").open(encoding="utf-8", newline="\n") as stream:
            for line in stream:
                path, signature, _, figid = line.rstrip("\n").split("\t")
                if figid:
                    found[facts.unescape(path)] = signature, facts.unescape(figid)
    except (OSError, ValueError, KeyError):
        return {}
    return found


def load(build: Path, asked: str, scratch: Path) -> State | None:
    """Return the state of a build, or None where there is no cache that fits the build, the options and the program.

    `scratch` is a folder for what does not fit in memory.
    """
    folder = build / FOLDER
    try:
        about: dict[str, Any] = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        digest = hashlib.sha256((build / MANIFEST).read_bytes()).hexdigest()
        if (about["format"], about["converter"], about["build"], about["asked"]) != (
            FORMAT,
            converter(),
            digest,
            asked,
        ):
            return None
        state = State(
            organisms=about["organisms"],
            pages=about["pages"].encode(),
            groups=about["groups"],
            conflicts=[problem_from(parts) for parts in about["conflicts"]],
            base=about["base"],
            tally=facts.Tally(scratch),
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
