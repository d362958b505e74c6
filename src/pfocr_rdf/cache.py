"""The cache of a build: its state, kept beside it for the next build of the same source.

It lies in the build folder as `.cache/` and says which build it belongs to. It may be deleted at any time (the next
build then converts everything), it is never published, and it is bounded: each paper's facts stand in it once, and
sections of which less than half is in use are written anew.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from pfocr_rdf import facts, resources
from pfocr_rdf.buildfolder import MANIFEST, RUN
from pfocr_rdf.extract.known import Files
from pfocr_rdf.extract.records import hash_file
from pfocr_rdf.shards import Totals, problem_from, problem_parts
from pfocr_rdf.state import Section, State
from pfocr_rdf.things import Summary

FOLDER = ".cache"
FORMAT = 6
ABOUT = "state.json"
"""Says what the build was, and the hash of each other file of the cache, or where it is large, size and time of
change; its first line is the hash of the rest."""
PAPERS, FILES, HASHES, TALLY = "papers.txt", "files.txt", "hashes.txt", "tally.txt"
_FACTS = "facts-{number}.txt"
_MAX_FILES = 32
_MAX_GROWTH = 2
"""So many files of facts may pile up by updates, or so many times their first size, before they are made one."""


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
        "cache": {name: hash_file(folder / name) for name in (PAPERS, FILES, HASHES, TALLY)},
        "asked": asked,
        "organisms": dict(state.organisms),
        "pages": state.pages.decode(),
        "counts": state.summary.counts,
        "rows": state.summary.organisms,
        "totals": state.totals.to_json(),
        "groups": state.groups,
        "maps": state.maps,
        "odd": state.files.odd(),
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
    lines, hashes, _ = state.files.columns()
    _write_columns(folder / FILES, lines)
    _write_columns(folder / HASHES, hashes)
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
    lines = data[facts.begin(data) :].split(b"\n") if data else []
    kept = [line for line in lines if line and at.get(line[: line.index(b"__")].decode()) == number]
    return b"\n".join([data[: facts.begin(data) - 1], *kept, b""]) if kept else b""


@dataclass(slots=True)
class _Kept:
    """What a cache holds: what it says of itself, and its tables. A state takes the tables and changes them."""

    about: dict[str, Any]
    papers: dict[str, str]
    at: dict[str, int]
    files: Files
    sayings: dict[str, int]


class Former:
    """The cache of an earlier build, read once, when it is first asked for; a damaged one is as none."""

    def __init__(self, build: Path) -> None:
        """Remember where it is."""
        self.build = build

    @cached_property
    def _kept(self) -> _Kept | None:
        try:
            return _read(self.build)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def known(self) -> Files:
        """Return what is known of the files."""
        return self._kept.files if self._kept else Files()

    @property
    def lines(self) -> str:
        """The file in which their lines stand, with no word on whether it is sound."""
        return str(self.build / FOLDER / FILES)

    def state(self, asked: str, scratch: Path) -> State | None:
        """Return the state, or None where there is none that fits the build, the options and the program.

        It is handed over: there is none a second time. The tally spills into the folder `scratch`.
        """
        kept, self.__dict__["_kept"] = self._kept, None
        if kept is None or not _fits(kept.about, self.build, asked):
            return None
        about, folder = kept.about, self.build / FOLDER
        try:
            state = State(
                facts.Tally(scratch),
                papers=kept.papers,
                at=kept.at,
                sections=[Section(str(folder / Path(name).name), at, size) for name, at, size in about["sections"]],
                files=kept.files,
                organisms=about["organisms"],
                pages=about["pages"].encode(),
                groups=about["groups"],
                conflicts=[problem_from(parts) for parts in about["conflicts"]],
                base=about["base"],
                maps=about["maps"],
                totals=Totals.from_json(about["totals"]),
                summary=Summary(Counter(about["counts"]), Counter(about["rows"])),
            )
            state.tally.load(kept.sayings)
        except (ValueError, KeyError, TypeError):
            return None
        return state


def _read(build: Path) -> _Kept | None:
    """Read a cache of this version of the program, or return None.

    Raises `OSError`, `ValueError`, `KeyError` or `TypeError` where there is none or it is damaged.
    """
    folder = build / FOLDER
    digest, _, text = (folder / ABOUT).read_bytes().partition(b"\n")
    if hashlib.sha256(text).hexdigest().encode() != digest:
        return None
    about: dict[str, Any] = json.loads(text)
    if (about["format"], about["converter"]) != (FORMAT, resources.converter()):
        return None
    digests = about["cache"]
    numbers, papers, lines = _read_columns(folder / PAPERS, digests[PAPERS], 3)
    [files] = _read_columns(folder / FILES, digests[FILES], 1)
    [hashes] = _read_columns(folder / HASHES, digests[HASHES], 1)
    if len(files) != len(hashes):
        return None
    sayings, counts = _read_columns(folder / TALLY, digests[TALLY], 2)
    return _Kept(
        about,
        dict(zip(papers, lines, strict=True)),
        dict(zip(papers, map(int, numbers), strict=True)),
        Files((files, hashes, about["odd"])),
        dict(zip(sayings, map(int, counts), strict=True)),
    )


def _fits(about: dict[str, Any], build: Path, asked: str) -> bool:
    """Whether a build is still the one that its cache belongs to, and was made with the same options."""
    try:
        now = {"asked": asked, "build": hash_file(build / MANIFEST), "files": _stamps(build)}
    except OSError:
        return False
    return all(about[name] == value for name, value in now.items())
