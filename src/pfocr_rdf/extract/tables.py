"""TSV text to rows with line numbers: split at tabs, no quoting, no guessing of missing values.

Source format, reading rules 2 and 3: columns go by the header's names, a row with another number of cells
is refused, columns of unknown names are kept apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from pfocr_rdf import native
from pfocr_rdf.errors import Kind
from pfocr_rdf.extract.text import BOM, clean, is_plain
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

_LONG_HEADER = 1000

SUFFIXES = {Kind.GENE_ROW: "genes", Kind.CHEMICAL_ROW: "chemicals", Kind.DISEASE_ROW: "diseases"}


Row = tuple[int, Sequence[str], tuple[tuple[str, str], ...]]
"""Line, the cells of the known columns in the order of `COLUMNS`, and the unknown ones apart (name, cell)."""


@dataclass(slots=True)
class Table:
    """A table of one figure: rows that can be split, and (line, code, value) of those that cannot.

    Where nothing is unusual, `columns` has the cells of each column of `COLUMNS`, the first row's on line 2; of any
    other table, `listed` has the rows. `fault` refuses all rows at once (code, value); then `size` still counts them.
    """

    kind: Kind
    path: str
    columns: tuple[list[str], ...] = ()
    listed: list[Row] = field(default_factory=list)
    bad: list[tuple[int, str, str]] = field(default_factory=list)
    unknown: tuple[str, ...] = ()
    fault: tuple[str, str] | None = None
    cleaned: bool = False
    size: int = 0

    @property
    def rows(self) -> list[Row]:
        """The rows that can be split."""
        if not self.columns:
            return self.listed
        return [(line, cells, ()) for line, cells in enumerate(zip(*self.columns, strict=True), 2)]


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


class BadHeader(ValueError):
    """The first line of a table names columns that make its rows unreadable."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What a header says: the names, where the wanted columns stand, and where those that nobody knows.

    `old` when the wanted ones are `OLD_COLUMNS`.
    """

    names: tuple[str, ...]
    picks: tuple[int, ...]
    extras: tuple[int, ...]
    old: bool


def read_header(header: str, kind: Kind, limit: int) -> Layout:
    """Return what the header of a table of this kind says.

    Raises `BadHeader` when a column is missing or stands twice, or there are more than `limit`.
    """
    names = header.split("\t")
    if len(names) > limit:
        raise BadHeader(f"{len(names)} columns")
    old = kind is not Kind.GENE_ROW and "mesh" not in names and set(OLD_COLUMNS) <= set(names)
    wanted = OLD_COLUMNS if old else COLUMNS[kind]
    missing = [name for name in wanted if name not in names]
    if missing or len(set(names)) != len(names):
        raise BadHeader(", ".join(missing) or "a column stands twice")
    picks = tuple(names.index(name) for name in wanted)
    extras = tuple(i for i, name in enumerate(names) if i not in picks and name not in DERIVED)
    return Layout(tuple(names), picks, extras, old)


_known_header = lru_cache(maxsize=64)(read_header)
"""`read_header` for the few headers that all tables of a source share."""


def parse(data: bytes, kind: Kind, path: str, limits: Limits) -> Table:
    """Read a table's bytes. Never raises: what cannot be read is in `bad` or `fault`."""
    return _parse_plain(data, kind, path, limits) or _parse_lines(data, kind, path, limits)


def _parse_plain(data: bytes, kind: Kind, path: str, limits: Limits) -> Table | None:
    """Read a table at once in which nothing is unusual; None for any other, which is then read line by line."""
    data = data.removeprefix(BOM).replace(b"\r\n", b"\n")
    if b"\n\n" in data or not is_plain(data):
        return None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    header, _, body = text.removesuffix("\n").partition("\n")
    if len(header) > _LONG_HEADER:
        return None
    try:
        layout = _known_header(header, kind, limits.table_columns)
    except BadHeader:
        return None
    if layout.old or layout.extras:
        return None
    if not body:
        return Table(kind, path)
    found = columns(body, len(layout.names), layout.picks, limits.table_rows)
    return Table(kind, path, found, size=len(found[0])) if found else None


def columns_by_slices(body: str, width: int, picks: tuple[int, ...], limit: int) -> tuple[list[str], ...] | None:
    """Return the cells of the picked columns of a body of lines, or None.

    None when a line has not just `width` cells, or there are more than `limit` lines.
    """
    # each line end becomes a cell of its own: if all are the last of their rows, each row has as many cells as names
    cells = body.replace("\n", "\t\n\t").split("\t")
    ends = cells[width :: width + 1]
    size = body.count("\n") + 1
    if size > limit or size != len(ends) + 1 or ends.count("\n") != len(ends) or len(cells) != size * (width + 1) - 1:
        return None
    return tuple([cells[at :: width + 1] for at in picks])


columns = native.fastest("columns", columns_by_slices)
"""See `columns_by_slices`."""


def _parse_lines(data: bytes, kind: Kind, path: str, limits: Limits) -> Table:
    """Read any table line by line."""
    table = Table(kind, path)
    lines = lines_of(data)
    if not lines:
        return table
    table.size = len(lines) - 1
    try:
        layout = read_header(clean(lines[0][1].decode("utf-8"))[0], kind, limits.table_columns)
    except UnicodeDecodeError:
        table.fault = ("bad-header", repr(lines[0][1][:80]))
        return table
    except BadHeader as error:
        table.fault = ("bad-header", str(error))
        return table
    if table.size > limits.table_rows:
        table.fault = ("table-too-large", f"{table.size} rows")
        return table
    names = layout.names
    table.unknown = tuple(names[i] for i in layout.extras)
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
        picked: tuple[str, ...] | None = tuple([cells[i] for i in layout.picks])
        if layout.old:
            picked = old_cells(kind, *[cells[i] for i in layout.picks])
        if picked is None:
            table.bad.append((number, "unknown-lexicon", cells[names.index("source")]))
            continue
        table.listed.append((number, picked, tuple((names[i], cells[i]) for i in layout.extras)))
    return table
