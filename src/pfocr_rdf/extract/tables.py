"""TSV text to rows with line numbers: split at tabs, no quoting, no guessing of missing values.

Source format, reading rules 2 and 3: columns go by the header's names, a row with another number of cells
is refused, columns of unknown names are kept apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pfocr_rdf.errors import Kind
from pfocr_rdf.extract.text import BOM, clean
from pfocr_rdf.settings import Limits

COLUMNS: dict[Kind, tuple[str, ...]] = {
    Kind.GENE_ROW: (
        "organism_id",
        "organism_name",
        "organism_group",
        "word",
        "match",
        "ncbigene_symbol",
        "ncbigene_id",
        "source",
    ),
    Kind.CHEMICAL_ROW: ("word", "mesh", "match", "name", "chebi"),
    Kind.DISEASE_ROW: ("word", "mesh", "match", "name", "doid"),
}
"""Columns that a table of each kind must have."""

OLD_COLUMNS = ("word", "source", "identifier")
"""Columns of the chemical and disease tables of 2023: the name of the vocabulary and the bare id."""

OLD_VOCABULARIES = {"MESH": 1, "CHEBI": 4, "DOID": 4, "": 0}
"""Where in `COLUMNS` the id of an old vocabulary belongs; the empty one has none."""

DERIVED = frozenset({"count_direct", "count_synonym", "count_match"})
"""Totals that can be counted from the rows (source format, section 4.2)."""

INLINE_KEYS = {"genes": Kind.GENE_ROW, "chemicals": Kind.CHEMICAL_ROW, "diseases": Kind.DISEASE_ROW}
"""Front-matter lists of 2021 and the kind of row that they hold."""

SUFFIXES = {Kind.GENE_ROW: "genes", Kind.CHEMICAL_ROW: "chemicals", Kind.DISEASE_ROW: "diseases"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it stands: the cells of the known columns in the order of `COLUMNS`, unknown ones apart."""

    line: int
    cells: tuple[str, ...]
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Table:
    """A table of one figure: rows that can be split, and (line, code, value) of those that cannot.

    `fault` refuses all rows at once (code, value); then `size` still counts them.
    """

    kind: Kind
    path: str
    rows: list[Row] = field(default_factory=list)
    bad: list[tuple[int, str, str]] = field(default_factory=list)
    unknown: tuple[str, ...] = ()
    fault: tuple[str, str] | None = None
    cleaned: bool = False
    size: int = 0


def lines_of(data: bytes) -> list[tuple[int, bytes]]:
    """Return number and bytes of each line that holds anything, without line end or byte order mark."""
    lines = data.removeprefix(BOM).replace(b"\r\n", b"\n").split(b"\n")
    return [(number, line) for number, line in enumerate(lines, 1) if line]


def old_cells(kind: Kind, word: str, source: str, identifier: str) -> tuple[str, ...] | None:
    """Return the cells of `COLUMNS` for a row of vocabulary and bare id, or None for an unknown vocabulary."""
    at = OLD_VOCABULARIES.get("" if source == "NA" else source.upper())
    if at is None or (at == 4 and source.lower() != COLUMNS[kind][4]):
        return None
    if at == 0 and identifier not in ("", "NA"):  # the id alone tells
        at = 4 if identifier.lower().startswith(f"{COLUMNS[kind][4]}:") else 1
    cells = [word, "NA", "NA", "NA", "NA"]
    if at:
        cells[at] = identifier
    return tuple(cells)


def parse(data: bytes, kind: Kind, path: str, limits: Limits) -> Table:
    """Read a table's bytes. Never raises: what cannot be read is in `bad` or `fault`."""
    table = Table(kind, path)
    lines = lines_of(data)
    if not lines:
        return table
    table.size = len(lines) - 1
    try:
        names = clean(lines[0][1].decode("utf-8"))[0].split("\t")
    except UnicodeDecodeError:
        table.fault = ("bad-header", repr(lines[0][1][:80]))
        return table
    if len(names) > limits.table_columns:
        table.fault = ("bad-header", f"{len(names)} columns")
        return table
    old = kind is not Kind.GENE_ROW and "mesh" not in names and set(OLD_COLUMNS) <= set(names)
    wanted = OLD_COLUMNS if old else COLUMNS[kind]
    missing = [name for name in wanted if name not in names]
    if missing or len(set(names)) != len(names):
        table.fault = ("bad-header", ", ".join(missing) or "a column stands twice")
        return table
    if table.size > limits.table_rows:
        table.fault = ("table-too-large", f"{table.size} rows")
        return table
    picks = [names.index(name) for name in wanted]
    extras = [i for i, name in enumerate(names) if i not in picks and name not in DERIVED]
    table.unknown = tuple(names[i] for i in extras)
    for number, raw in lines[1:]:
        try:
            text, removed = clean(raw.decode("utf-8"))
        except UnicodeDecodeError:
            table.bad.append((number, "not-utf8", repr(raw[:80])))
            continue
        table.cleaned |= removed
        cells = text.split("\t")
        if len(cells) != len(names):
            table.bad.append((number, "wrong-column-count", f"{len(cells)} cells, {len(names)} columns"))
            continue
        picked: tuple[str, ...] | None = tuple([cells[i] for i in picks])
        if old:
            picked = old_cells(kind, *[cells[i] for i in picks])
        if picked is None:
            table.bad.append((number, "unknown-lexicon", cells[names.index("source")]))
            continue
        table.rows.append(Row(number, picked, tuple((names[i], cells[i]) for i in extras) if extras else ()))
    return table
