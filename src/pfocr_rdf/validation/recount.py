"""The whole source counted a second time, figure by figure, in several processes. See `second`.

It reads a folder, an archive or one record. What it cannot know is why a file could not be read at all, so a record or
table that the build refused as too large, too nested or damaged is left out on the build's word; all else it judges
by itself.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from pfocr_rdf.validation.second import LISTS, Record, Unsound, figid_of, record, text_of, values_of
from pfocr_rdf.validation.secondrows import Rows, counted, lines_of, read_inline, read_table, symbols
from pfocr_rdf.validation.secondsource import ON_TRUST, Layout, Refused, files, layout, page
from pfocr_rdf.workers import Engine

CHUNK = 1000
"""Records that one task reads."""

MAPS = {"ndex_map.tsv": "ndex", "wpid_map.tsv": "wpid"}
_MAPPED = {
    "ndex": re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    "wpid": re.compile(r"WP[1-9][0-9]{0,6}"),
}
_TEXTS = {
    "titles": "figtitle",
    "captions": "caption",
    "aliases": "figid_alias",
    "numbers": "number",
    "types": "figtype",
}
_DOI = re.compile(r"10\.[0-9]{4,9}/[^\s\x00-\x1f\x7f]{1,400}")
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_SCORE = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?")
_LEVELS = ("symbol", "synonym", "family")


@dataclass(slots=True)
class Tally:
    """What was counted: numbers that add up, and sets of what many records share; and what was found on the way."""

    numbers: Counter[str] = field(default_factory=Counter)
    things: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    mapped: dict[str, dict[str, str]] = field(default_factory=lambda: {"ndex": {}, "wpid": {}})
    emitted: set[str] = field(default_factory=set)
    odd: list[str] = field(default_factory=list)
    wrongly: list[tuple[str, int]] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Take in what another task counted."""
        self.numbers.update(other.numbers)
        for name, found in other.things.items():
            self.things[name] |= found
        for name, values in other.mapped.items():
            self.mapped[name] |= values
        self.emitted |= other.emitted
        self.odd += other.odd
        self.wrongly += other.wrongly


class Task(NamedTuple):
    """Some records of a source."""

    layout: Layout
    names: list[str]
    defer: bool


def count(root: Path, refused: Refused, engine: Engine) -> Tally:
    """Count all of a folder: records, rows, map lines, pages."""
    place = layout(root, refused)
    names = files(root / place.records if place.records else root, *((".md",) if place.checkout else (".md", ".txt")))
    tally = Tally()
    chunk = CHUNK if place.checkout else max(1, len(names))  # elsewhere any two records may have one figid
    tasks = [Task(place, names[at : at + chunk], place.checkout) for at in range(0, len(names), chunk)]
    for part in engine.map(count_records, tasks):
        tally.add(part)
    _deferred(place, tally)
    if place.has_tables:
        _refuse_tables(place, files(root / place.tables if place.tables else root, ".tsv"), tally)
    _maps(place, tally)
    for name in files(root / "_organisms", ".md"):
        found = page(root / "_organisms" / name)
        tally.numbers[f"pages {'emitted' if found else 'rejected'}"] += 1
        if found:
            tally.things["taxa"].add(found[1] or found[0])
    return tally


def beside(path: Path, refused: Refused) -> Layout:
    """Return where the files around a single record lie: its tables are beside it, or in the checkout it lies in."""
    inside = path.absolute().parent.name == "_figures"
    root = path.absolute().parent.parent if inside else path.absolute().parent
    has_tables = (root / "_data").is_dir() or (not inside and any(root.glob("*.tsv")))
    tables = "_data" if inside or (root / "_data").is_dir() else ""
    records = "_figures" if inside else ""
    return replace(layout(root, refused), records=records, tables=tables, has_tables=has_tables, checkout=False)


def count_one(path: Path, refused: Refused) -> Tally:
    """Count one record, with its tables."""
    place = beside(path, refused)
    tally = count_records(Task(place, [path.name], False))
    if not tally.emitted:
        figid = figid_of(path.read_bytes())
        _refuse_tables(place, [f"{figid}-{kind}.tsv" for kind in LISTS if figid and place.has_tables], tally)
    _maps(place, tally)
    return tally


def count_records(task: Task) -> Tally:
    """Count some records with their tables; with `defer` those that are not named by their figid are left for later."""
    tally, place = Tally(), task.layout
    taken: dict[str, bytes] = {}
    for name in task.names:
        path = place.path(place.records, name)
        data = place.read(path)
        if task.defer and figid_of(data) != Path(name).stem:
            tally.odd.append(path)
        else:
            _take(place, path, data, tally, taken)
    return tally


def _deferred(place: Layout, tally: Tally) -> None:
    """Count records that are not named by their figid: another one may have it already."""
    taken: dict[str, bytes] = {}
    for path in sorted(tally.odd):
        _take(place, path, place.read(path), tally, taken)


def _take(place: Layout, path: str, data: bytes, tally: Tally, taken: dict[str, bytes]) -> None:
    """Count one record; `taken` has the texts of those before it, by figid."""
    codes = place.refused.lines("records", path)
    try:
        found = record(data)
        if not ON_TRUST.isdisjoint(codes.values()):
            raise Unsound("left out on the build's word")
    except Unsound:
        tally.numbers["records rejected"] += 1
        _refuse_rows(data, tally)
        return
    if found.figid in tally.emitted:
        earlier = taken.get(found.figid) or place.read(place.path(place.records, f"{found.figid}.md"))
        outcome = "merged" if text_of(earlier) == text_of(data) else "rejected"
        tally.numbers[f"records {outcome}"] += 1
        for kind in LISTS:
            items = found.values.get(kind)
            tally.numbers[f"{kind} {outcome}"] += len(items) if isinstance(items, list) else 0
        return
    if codes:
        tally.wrongly.append((path, 0))
    if not place.checkout or Path(path).stem != found.figid:
        taken[found.figid] = data
    tally.numbers["records emitted"] += 1
    tally.emitted.add(found.figid)
    rows = _rows(place, found, tally)
    _facts(place, found, rows, tally)


def _refuse_rows(data: bytes, tally: Tally) -> None:
    """Count the rows inside a record that is refused."""
    try:
        values: Mapping[str, Any] = values_of(data)
    except Unsound:
        return
    for kind in LISTS:
        items = values.get(kind)
        tally.numbers[f"{kind} rejected"] += len(items) if isinstance(items, list) else 0


def _refuse_tables(place: Layout, names: Iterable[str], tally: Tally) -> None:
    """Count the rows of tables whose record is refused or not there."""
    for name in names:
        figid, _, kind = name.removesuffix(".tsv").rpartition("-")
        if kind in LISTS and figid and figid not in tally.emitted:
            rows = lines_of(place.read(place.path(place.tables, name)))[1]
            tally.numbers[f"{kind} rejected"] += len(rows)


def _rows(place: Layout, found: Record, tally: Tally) -> Rows:
    """Count the rows of a record; those that the build refused though they are sound are noted."""
    rows = Rows()
    names = {"genes": "gene-rows", "chemicals": "chemical-rows", "diseases": "disease-rows"}
    for kind in LISTS if place.has_tables else ():
        table = place.path(place.tables, f"{found.figid}-{kind}.tsv")
        data = place.read(table)
        codes = place.refused.lines(names[kind], table)
        if not ON_TRUST.isdisjoint(codes.values()):
            rows.count(kind, "rejected", len(lines_of(data)[1]))
            continue
        sound = read_table(rows, kind, data, inline=found.inline)
        tally.wrongly += [(table, number) for number in sound if number in codes]
    read_inline(rows, found)
    tally.numbers.update(rows.numbers)
    return rows


def _facts(place: Layout, found: Record, rows: Rows, tally: Tally) -> None:
    """Count what a record and its rows say."""
    numbers, things, pmcid = tally.numbers, tally.things, found.pmcid
    for name, key in _TEXTS.items():
        numbers[name] += bool(found.text(key))
    numbers["years"] += bool(_YEAR.fullmatch(found.text("year")))
    score = found.text("automl_pathway") or found.text("pathway_score")
    numbers["scores"] += bool(_SCORE.fullmatch(score) and len(score) <= 40 and 0 <= float(score) <= 1)
    things["papers"].add(pmcid)
    if _DOI.fullmatch(found.text("doi")):
        things["dois"].add(pmcid)
    image = found.text("filename").removeprefix(f"{pmcid}__")
    if image and "/" not in image and image not in (".", ".."):
        things["images"].add(f"{pmcid}/{image}")
    for name, pattern in _MAPPED.items():
        if pattern.fullmatch(value := found.text(name)):
            tally.mapped[name][found.figid] = value
    _rows_say(rows, tally)
    organisms = _organisms(place, found, rows)
    things["taxa"].update(taxid or name for name, taxid in organisms)
    if not place.has_tables and found.values.keys().isdisjoint(LISTS):
        own = [taxid for name, taxid in organisms if name in found.texts("organisms_ner")]
        if len(own) == 1 and own[0]:
            genes = {f"{own[0]}/{keyword}" for keyword in found.symbols()}
            things["symbols"] |= genes
            numbers["links symbol"] += len(genes)


def _rows_say(rows: Rows, tally: Tally) -> None:
    numbers, things = tally.numbers, tally.things
    numbers["gene mentions"] += len({key for key, _ in rows.genes})
    numbers["gene bodies"] += sum(bool(gene) for _, gene in rows.genes)
    things["genes"].update(rows.levels)
    for level, times in Counter(rows.levels.values()).items():
        numbers[f"links {_LEVELS[level]}"] += times
    things["taxa"] |= rows.taxids
    for kind, others in rows.others.items():
        numbers[f"{kind} mentions"] += len(others)
        things[kind] |= rows.terms[kind]
    numbers["links chemicals"] += len(rows.linked["chemicals"])
    numbers["links diseases"] += len(rows.linked["diseases"] - rows.linked["chemicals"])


def _organisms(place: Layout, found: Record, rows: Rows) -> list[tuple[str, str]]:
    """Return each organism that a record names, with its id: from its own rows, else from pages or the short table."""
    names = found.texts("organisms_ner") if found.inline else found.texts("organisms") + found.texts("organisms_ner")
    made = []
    for name in dict.fromkeys(names):
        own = rows.taxa.get(name)
        taxid = min(own, key=lambda each: (-own[each], each)) if own else place.organisms.get(name, "")
        made.append((name, taxid))
    return made


def _maps(place: Layout, tally: Tally) -> None:
    """Count the lines of the map files: the record's own value wins, an equal line is merged, another one refused."""
    for file, name in MAPS.items():
        for line in place.read(place.path(place.tables, file)).removeprefix(b"\xef\xbb\xbf").split(b"\n"):
            if not line.strip(b"\r"):
                continue
            try:
                cells = text_of(line).rstrip("\n").split("\t")
            except Unsound:
                cells = []
            outcome = "rejected"
            if len(cells) == 2 and cells[0] in tally.emitted and _MAPPED[name].fullmatch(cells[1]):
                stated = tally.mapped[name].setdefault(cells[0], "")
                outcome = "merged" if stated == cells[1] else "rejected" if stated else "emitted"
                tally.mapped[name][cells[0]] = stated or cells[1]
            tally.numbers[f"maps {outcome}"] += 1


class Total(NamedTuple):
    """A total in a gene table, or a record's keywords, that is not what the rows say."""

    figid: str
    value: str
    message: str


def totals(task: Task) -> list[Total]:
    """Return where the totals of gene tables, or the keywords of their records, are not those of the rows."""
    found: list[Total] = []
    for name in task.names:
        data = task.layout.read(task.layout.path(task.layout.records, name))
        try:
            each = record(data)
        except Unsound:
            continue
        table = task.layout.read(task.layout.path(task.layout.tables, f"{each.figid}-genes.tsv"))
        for taxid, column, value, right in counted(table) if table else ():
            found.append(Total(each.figid, f"{column}={value}", f"the rows of organism {taxid} give {right}"))
        keywords = {keyword.strip() for keyword in each.keywords()}
        if missing := sorted(symbol for symbol in symbols(table) if symbol.strip() not in keywords):
            message = f"of {len(missing)} symbols that are not among the record's keywords, the first"
            found.append(Total(each.figid, missing[0], message))
    return found


def tasks(place: Layout, names: Iterable[str]) -> list[Task]:
    """Return tasks for all records of a folder."""
    listed = list(names)
    return [Task(place, listed[at : at + CHUNK], False) for at in range(0, len(listed), CHUNK)]
