"""A second reading of one figure's rows: which are sound, which repeat others, what they link. See `second`."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pfocr_rdf.validation.second import CONTROLS as _CONTROLS
from pfocr_rdf.validation.second import Record

_TABLE_SOURCES = {"ncbigene_symbol": 0, "ncbigene_synonym": 1, "famplex_relations": 2}
_OLD_SOURCES = {"hgnc_symbol": 0, "hgnc_alias_symbol": 1, "hgnc_prev_symbol": 1, "bioentities_symbol": 2}
_SOURCES = _TABLE_SOURCES | _OLD_SOURCES
_COUNTS = ("count_direct", "count_synonym", "count_match")
_GENE_COLUMNS = (
    "organism_id",
    "organism_name",
    "organism_group",
    "word",
    "match",
    "ncbigene_symbol",
    "ncbigene_id",
    "source",
)
_INLINE_GENE = {
    "word": "word",
    "match": "symbol",
    "ncbigene_symbol": "hgnc_symbol",
    "ncbigene_id": "entrez",
    "source": "source",
}
_INLINE = {
    "genes": set(_INLINE_GENE.values()),
    "chemicals": {"word", "source", "identifier"},
    "diseases": {"word", "source", "identifier"},
}
_OTHER = {"chemicals": "chebi", "diseases": "doid"}
_HUMAN = "9606"
_NUMBER = re.compile(r"[1-9][0-9]{0,11}")
_TAXON = re.compile(r"[1-9][0-9]{0,9}")
_MESH = re.compile(r"[DC](?:[0-9]{6}|[0-9]{9})")
_DIGITS = re.compile(r"[0-9]{1,9}")

Cells = tuple[str, ...]


class Line(NamedTuple):
    """A row of a table: its number in the file, and its cells by column, or None when it cannot be split."""

    number: int
    cells: Mapping[str, str] | None


@dataclass(slots=True)
class Rows:
    """The rows of one figure: numbers by kind and what became of them, and what sound rows say."""

    numbers: Counter[str] = field(default_factory=Counter)
    genes: dict[tuple[Cells, str], Cells] = field(default_factory=dict)
    others: dict[str, dict[Cells, Cells]] = field(default_factory=lambda: {"chemicals": {}, "diseases": {}})
    levels: dict[str, int] = field(default_factory=dict)
    linked: dict[str, set[str]] = field(default_factory=lambda: {"chemicals": set(), "diseases": set()})
    terms: dict[str, set[str]] = field(default_factory=lambda: {"chemicals": set(), "diseases": set()})
    taxa: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    taxids: set[str] = field(default_factory=set)

    def count(self, kind: str, outcome: str, number: int = 1) -> None:
        """Take rows of a kind into account: `emitted`, `merged` or `rejected`."""
        self.numbers[f"{kind} {outcome}"] += number


def lines_of(data: bytes) -> tuple[list[str], list[Line]]:
    """Return the columns of a table and its rows; lines that hold nothing are none."""
    raw = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    try:
        texts: list[str | None] = list(_CONTROLS.sub("", raw.decode()).split("\n"))
    except UnicodeDecodeError:
        texts = [_decoded(line) for line in raw.split(b"\n")]
    found = [(number, text) for number, text in enumerate(texts, 1) if text != ""]
    if not found:
        return [], []
    names = (found[0][1] or "").split("\t")
    width = len(names)
    lines = []
    for number, text in found[1:]:
        cells = text.split("\t") if text is not None else []
        lines.append(Line(number, dict(zip(names, cells, strict=True)) if len(cells) == width else None))
    return names, lines


def _decoded(line: bytes) -> str | None:
    try:
        return _CONTROLS.sub("", line.decode())
    except UnicodeDecodeError:
        return None


def read_table(rows: Rows, kind: str, data: bytes, *, inline: bool) -> Iterator[int]:
    """Take the rows of a table; yield the line of each that is sound. `inline` when the record has rows of its own."""
    names, lines = lines_of(data)
    old = kind in _OTHER and "mesh" not in names and {"word", "source", "identifier"} <= set(names)
    other = _OTHER.get(kind, "")
    wanted: Cells = ("word", "source", "identifier") if old else ("word", "mesh", "match", "name", other)
    wanted = wanted if other else _GENE_COLUMNS
    if not set(wanted) <= set(names) or len(set(names)) != len(names):
        rows.count(kind, "rejected", len(lines))
        return
    sources = _TABLE_SOURCES if inline else _SOURCES
    unknown = [name for name in names if name not in wanted and name not in _COUNTS]
    for number, cells in lines:
        outcome = "rejected"
        if cells is not None:
            extra = tuple([cells[name] for name in unknown])
            if kind == "genes":
                outcome = _gene(rows, cells, extra, sources)
            else:
                outcome = _thing(rows, kind, cells, extra, old=old)
        rows.count(kind, outcome)
        if outcome != "rejected":
            yield number


def read_inline(rows: Rows, record: Record) -> None:
    """Take the rows that stand in the record itself."""
    for kind in ("chemicals", "diseases", "genes"):
        items: Any = record.values.get(kind)
        for item in items if isinstance(items, list) else []:
            outcome = "rejected"
            if isinstance(item, Mapping) and all(isinstance(value, str) for value in item.values()):
                extra = tuple([f"{key}={value}" for key, value in item.items() if key not in _INLINE[kind]])
                if kind == "genes":
                    cells = {column: item.get(key, "") for column, key in _INLINE_GENE.items()}
                    outcome = _gene(rows, cells | {"organism_id": _HUMAN}, extra, _OLD_SOURCES)
                else:
                    outcome = _thing(rows, kind, item, extra, old=True)
            rows.count(kind, outcome)


def _gene(rows: Rows, cells: Mapping[str, str], extra: Cells, sources: Mapping[str, int]) -> str:
    """Take a gene row and return what became of it: one that contradicts an earlier one is rejected."""
    word, match, source, taxid = cells["word"], cells["match"], cells["source"], cells["organism_id"]
    gene, symbol = _known(cells["ncbigene_id"]), cells["ncbigene_symbol"]
    if not word.strip() or not match or source not in sources or not _TAXON.fullmatch(taxid):
        return "rejected"
    if gene and not _NUMBER.fullmatch(gene):
        return "rejected"
    symbol = symbol if gene else symbol or "NA"
    key = ((word, match, source) if gene else (word, match, source, "NA", symbol, taxid), gene)
    name = _known(cells.get("organism_name", ""))
    said = (symbol, taxid, name, _known(cells.get("organism_group", "")), *extra)
    if key in rows.genes:
        return "merged" if rows.genes[key] == said else "rejected"
    rows.genes[key] = said
    rows.count("genes", "unresolved", not gene)
    rows.taxids.add(taxid)
    if name:
        rows.taxa[name][taxid] += 1
    if gene:
        rows.levels[gene] = min(sources[source], rows.levels.get(gene, 2))
    return "emitted"


def _thing(rows: Rows, kind: str, cells: Mapping[str, str], extra: Cells, *, old: bool) -> str:
    """Take a row of a chemical or disease and return what became of it."""
    word, space = cells.get("word", ""), _OTHER[kind]
    given = _old_ids(cells, space) if old else (cells["mesh"], cells[space])
    mesh = _bare(given[0], "mesh", _MESH) if given else None
    other = _bare(given[1], space, _DIGITS) if given else None
    if mesh is None or other is None or not word.strip():
        return "rejected"
    match, name = ("", "") if old else (_known(cells["match"]), _known(cells["name"]))
    key = (word, match, name, mesh, other)
    if key in rows.others[kind]:
        return "merged" if rows.others[kind][key] == extra else "rejected"
    rows.others[kind][key] = extra
    rows.count(kind, "unresolved", not (mesh or other))
    ids = [f"mesh:{mesh}"] * bool(mesh) + [f"{space}:{other}"] * bool(other)
    rows.linked[kind].update(ids[:1])
    rows.terms[kind].update(ids)
    return "emitted"


def _old_ids(cells: Mapping[str, str], space: str) -> tuple[str, str] | None:
    """Return MeSH and other id of a row that names a vocabulary and an id, or None when nobody knows the vocabulary."""
    source, given = cells.get("source", ""), cells.get("identifier", "")
    vocabulary = "" if source == "NA" else source.lower()
    if not vocabulary and _known(given):
        vocabulary = space if given.lower().startswith(f"{space}:") else "mesh"
    known = {"": ("", ""), "mesh": (given, ""), space: ("", given)}
    return known.get(vocabulary)


def _bare(text: str, space: str, pattern: re.Pattern[str]) -> str | None:
    """Return an id without its prefix, empty where it is missing, or None where it is none of the space."""
    if not _known(text):
        return ""
    prefix, colon, local = text.rpartition(":")
    return local if pattern.fullmatch(local) and (not colon or prefix.lower() == space) else None


def _known(text: str) -> str:
    return "" if text in ("NA", "") else text


def counted(data: bytes) -> Iterator[tuple[str, str, str, int]]:
    """Yield organism, column, value and what is right, where a total in a gene table is not that of its rows."""
    names, lines = lines_of(data)
    totals = [name for name in _COUNTS if name in names]
    groups: defaultdict[str, list[Mapping[str, str]]] = defaultdict(list)
    for line in lines:
        if line.cells is not None and set(_GENE_COLUMNS) <= line.cells.keys():
            groups[line.cells["organism_id"]].append(line.cells)
    for taxid, group in groups.items():
        levels = Counter(_SOURCES.get(row["source"]) for row in group)
        right = dict(zip(_COUNTS, (levels[0], levels[1], len({row["match"] for row in group})), strict=True))
        for column in totals:
            for value in sorted({row[column] for row in group}):
                if value != str(right[column]) and not (value == "NA" and right[column] == 0):
                    yield taxid, column, value, right[column]


def symbols(data: bytes) -> set[str]:
    """Return the symbols of the rows of a gene table that have a gene id."""
    cells = (line.cells for line in lines_of(data)[1])
    return {
        row["ncbigene_symbol"]
        for row in cells
        if row is not None and set(_GENE_COLUMNS) <= row.keys() and _known(row["ncbigene_id"])
    }
