"""What a build knows of its source beside the triples: papers, files, tally and facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pfocr_rdf import facts, storage
from pfocr_rdf.errors import Problem
from pfocr_rdf.escapes import escape, unescape_all
from pfocr_rdf.extract import source
from pfocr_rdf.extract.known import Files
from pfocr_rdf.extract.records import hash_file, pmcid_of
from pfocr_rdf.plan import Plan
from pfocr_rdf.shards import Result, Totals, fingerprint
from pfocr_rdf.things import Summary

PAGES = "_organisms/"
"""Begins the place of an organism page."""
MAX_COMPARED = 5_000
"""So many papers at most are compared with what they said before, for that is kept in memory."""


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
    `totals` sum them up; `tally` counts the papers' sayings, `summary` is what they come to;
    `pages` are the facts of the organism pages; `organisms` the names that were known; `groups` and `conflicts` what
    was found when things were resolved; `base` the size of the facts when they were last written as one; `maps` path
    and hash of the map files; `forgotten` counts what the papers said that were removed, `removed` has it by place,
    and `moved` is what was found to stand elsewhere; `files` has what is known of each file of a paper, by path.
    """

    tally: facts.Tally
    papers: dict[str, str] = field(default_factory=dict)
    at: dict[str, int] = field(default_factory=dict)
    sections: list[Section] = field(default_factory=list)
    files: Files = field(default_factory=Files)
    organisms: Mapping[str, str] = field(default_factory=dict)
    pages: bytes = b""
    groups: list[str] = field(default_factory=list)
    conflicts: list[Problem] = field(default_factory=list)
    base: int = 0
    maps: list[list[str]] = field(default_factory=list)
    forgotten: Counter[str] = field(default_factory=Counter)
    removed: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    moved: set[str] | None = None
    summary: Summary = field(default_factory=Summary)
    totals: Totals = field(default_factory=Totals)

    def add(self, result: Result, signatures: Mapping[str, str], figids: Mapping[str, str]) -> None:
        """Add what a shard found."""
        number = len(self.sections)
        start, size = result.sections["facts"]
        self.sections.append(Section(result.data, start, size))
        said = result.section("facts")
        self._compare(said)
        papers = result.section("papers").decode().split("\n")[:-1]
        self.totals.add(papers)
        for line in papers:
            pmcid = line[: line.index("\t")]
            self.papers[pmcid] = line
            self.at[pmcid] = number
        lines = result.section("files").decode().split("\n")[:-1]
        files = unescape_all([line[: line.index("\t")] for line in lines])
        for path, line in zip(files, lines, strict=True):
            self.files[path] = signatures.get(path, ""), line[line.index("\t") + 1 :], figids.get(path, "")
        self.tally.read(said)

    def remove(self, pmcids: Iterable[str]) -> None:
        """Forget papers; what they said is taken from the tally."""
        gone = [pmcid for pmcid in pmcids if pmcid in self.papers]
        wanted: dict[int, list[str]] = {}
        for pmcid in gone:
            wanted.setdefault(self.at.pop(pmcid), []).append(f"{pmcid}__")
        self.moved = set() if len(gone) <= MAX_COMPARED else None
        for number, starts in sorted(wanted.items()):
            for base, said in facts.lines_from(self.sections[number].read(), sorted(starts)):
                self.forgotten.update([saying for _, saying in said])
                if self.moved is not None:
                    self.removed[base] = set(said)
        for saying, number in self.forgotten.items():
            self.tally.add(saying, -number)
        self.totals.add([self.papers.pop(pmcid) for pmcid in gone], -1)

    def _compare(self, section: bytes) -> None:
        """Note which sayings of papers that were added stand in other places than before."""
        if self.moved is not None:
            for base, said in facts.lines_from(section, [""]):
                self.moved.update(saying for _, saying in self.removed.pop(base, set()).symmetric_difference(said))

    def sayings_moved(self) -> set[str] | None:
        """Return the sayings (escaped) of papers that were removed or added, but for those in the places they had.

        None stands for all: too many papers were removed to compare them.
        """
        if self.moved is not None:
            self.moved.update(saying for said in self.removed.values() for _, saying in said)
        self.removed.clear()
        return self.moved

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
        if names := self._renamed(planned):
            ends = tuple(f"\x1f{escape(name)}" for name in names)
            said = frozenset(saying for saying, _ in self.tally if saying[0] == "T" and saying.endswith(ends))
            found |= self.papers_saying(said)
        known = planned.papers.keys() & self.papers.keys()
        doubtful = None if planned.unchanged else self._doubtful(planned)
        asked = known if doubtful is None else known & doubtful
        found |= {pmcid for pmcid in asked if self._differs(pmcid, planned)}
        return (found & known) | (planned.papers.keys() - known)

    def asks_all(self, planned: Plan) -> bool:
        """Whether papers may have changed of which no file differs: names of organisms or lines of maps did."""
        return bool(self._renamed(planned)) or maps_of(planned) != self.maps

    def gone(self, planned: Plan) -> list[str]:
        """Return the papers that a source does not have any more."""
        unchanged = planned.unchanged
        known = sorted(map(escape, unchanged.looked_at)) if unchanged else self.papers
        return [pmcid for pmcid in known if pmcid in self.papers and pmcid not in planned.papers]

    def _renamed(self, planned: Plan) -> set[str]:
        """Return the names of organisms that are known otherwise by now."""
        before, now = self.organisms, planned.context.organisms
        return {name for name in before.keys() | now.keys() if before.get(name) != now.get(name)}

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
        maps = maps_of(planned)
        if maps != self.maps:
            self.maps = maps
            return None
        before, now = self.files.earlier(), planned.signatures
        other = set(source.unlike(before, [*now], [*now.values()]))
        # those that these files belonged to as well, for a record may name another one by now
        gone = (before.keys() - now.keys()) | (before.keys() & other)
        figids = {before[path][2] or _figid(path) for path in gone}
        figids |= {planned.figids.get(path) or _figid(path) for path in other}
        return {escape(pmcid_of(figid)) for figid in figids}

    def _hash(self, root: str, path: str, signature: str) -> str:
        known = self.files.get(path)
        if known and signature and known[0] == signature:
            return known[1]
        try:
            sha = hash_file(f"{root}/{path}")
        except OSError:
            return ""
        if known:
            self.files[path] = signature, sha, known[2]
        return sha

    def keep_files(self, planned: Plan) -> None:
        """Forget all files that are none of a paper."""
        tables = (path for records in planned.papers.values() for files in records for _, path in files.tables)
        unchanged = planned.unchanged
        known = unchanged.paths if unchanged else self.files.paths()
        for path in set(known).difference(planned.figids, tables):
            self.files.forget(path)

    def with_figures(self) -> set[str]:
        """Return the PMCIDs of the papers that have figures."""
        return {pmcid for pmcid, line in self.papers.items() if line.split("\t", 3)[2] != "0"}


def maps_of(planned: Plan) -> list[list[str]]:
    """Return path and hash of the map files."""
    return sorted([path, sha] for path, sha in planned.hashes if path in planned.maps)


def _figid(path: str) -> str:
    """Return the figid of a table by its name, which begins with it."""
    return path.rpartition("/")[2].rpartition("-")[0]


@dataclass(frozen=True, slots=True)
class Sayings:
    """The sayings of papers and pages, in order."""

    of: State

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """Yield each saying (escaped) with its count."""
        return _merged(self.of.tally, sorted(self.of.page_sayings().items()))

    def starting(self, starts: Sequence[str]) -> Iterator[tuple[str, int]]:
        """Yield the sayings that begin in some ways, which come in order; none of these begins another."""
        pages = facts.starting(sorted(self.of.page_sayings().items()), starts)
        return _merged(self.of.tally.starting(starts), pages)


def _merged(many: Iterable[tuple[str, int]], few: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    """Yield all of two sorted sequences in order; that of the shorter one costs little more than to read the other."""
    rest = iter(few)
    following = next(rest, None)
    for item in many:
        while following is not None and following < item:
            yield following
            following = next(rest, None)
        yield item
    if following is not None:
        yield following
        yield from rest
