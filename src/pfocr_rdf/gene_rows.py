"""Gene rows by column: what nearly all of a source is made of, so each function here has a compiled version too.

`rows` takes what is unusual row by row, and gives the same (`tests/test_rows.py`).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from itertools import repeat

from pfocr_rdf import identifiers as ids
from pfocr_rdf import native
from pfocr_rdf.model import SEPARATOR, Cells, Level, Saying

MISSING = ("NA", "")
"""Spellings of a missing cell."""
_NOTHING = frozenset(MISSING)


def group_by_columns(
    words: list[str],
    matches: list[str],
    sources: list[str],
    gene_ids: list[str],
    symbols: list[str],
    taxids: list[str],
    names: list[str] | None,
    groups: list[str] | None,
    lexicons: dict[str, Level],
) -> tuple[dict[Cells, dict[str, Saying]], dict[str, dict[str, int]], int, int, int] | None:
    """Group gene rows, given as columns, or return None where one contradicts another or `rows` itself refuses one.

    Returns what each row says, by the cells that name its mention and by gene id; how often a taxonomy id stands
    beside an organism's name; and how many rows are new, repeat another one, have no id. `names` and `groups` are
    None for inline lists, which name no organism.
    """
    if not (
        all(map(str.strip, words))
        and all(matches)
        and lexicons.keys() >= set(sources)
        and all(map(ids.TAXON_ID.fullmatch, set(taxids)))
        and all(map(ids.GENE_ID.fullmatch, set(gene_ids).difference(MISSING)))
    ):
        return None
    keys: list[Cells] = list(zip(words, matches, sources, strict=True))
    organism = [] if names is None or groups is None else [_without_missing(names), _without_missing(groups)]
    known = _without_missing(gene_ids)
    if known is not gene_ids:
        gene_ids = known
        symbols = [symbol if gene_id else symbol or "NA" for gene_id, symbol in zip(known, symbols, strict=True)]
        keys = [
            key if gene_id else (*key, "NA", symbol, taxid)
            for key, gene_id, symbol, taxid in zip(keys, known, symbols, taxids, strict=True)
        ]
    sayings = map(SEPARATOR.join, zip(repeat("R"), gene_ids, symbols, taxids, *organism, strict=False))
    genes: dict[Cells, dict[str, Saying]] = {}
    for key, gene_id, saying in zip(keys, gene_ids, sayings, strict=True):
        members = genes.get(key)
        if members is None:
            genes[key] = {gene_id: saying}
        elif members.setdefault(gene_id, saying) != saying:  # in contradiction to an earlier row
            return None
    size = sum(map(len, genes.values()))
    if size < len(keys):
        new = [*dict(zip(zip(keys, gene_ids, strict=True), range(len(keys)), strict=True)).values()]
        gene_ids, taxids, *organism = ([column[row] for row in new] for column in (gene_ids, taxids, *organism))
    organisms: dict[str, dict[str, int]] = {}
    if organism:
        for (name, taxid), count in Counter(zip(organism[0], taxids, strict=True)).items():
            if name:
                organisms.setdefault(name, {})[taxid] = count
    return genes, organisms, size, len(keys) - size, gene_ids.count("")


group_rows = native.fastest("group_rows", group_by_columns)
"""See `group_by_columns`."""


def levels_by_lists(prefix: str, genes: dict[Cells, dict[str, Saying]], lexicons: dict[str, Level]) -> dict[str, Level]:
    """Return the best level of each gene's IRI, which is the prefix and its id; mentions without id have none."""
    by_level: dict[Level, list[str]] = {level: [] for level in reversed(Level)}
    for cells, members in genes.items():
        if len(cells) == 3:
            by_level[lexicons[cells[2]]] += members
    levels: dict[str, Level] = {}
    for level, gene_ids in by_level.items():  # the best one comes last
        levels.update(zip(map(prefix.__add__, gene_ids), repeat(level), strict=False))
    return levels


gene_levels = native.fastest("gene_levels", levels_by_lists)
"""See `levels_by_lists`."""


def short_keys(prefix: str, groups: Iterable[Cells]) -> list[str]:
    """Return for each mention the prefix, a dash and 12 hex digits of the hash of its cells."""
    return [f"{prefix}-{digest(cells)[:12]}" for cells in groups]


mention_keys = native.fastest("mention_keys", short_keys)
"""See `short_keys`."""


def digest(cells: Cells) -> str:
    """Return the SHA-256 of the cells that name a mention, in hex digits."""
    return hashlib.sha256(SEPARATOR.join(cells).encode()).hexdigest()


def _without_missing(column: list[str]) -> list[str]:
    """Return a column with an empty text for each missing one; itself when none is."""
    return column if _NOTHING.isdisjoint(column) else ["" if text in MISSING else text for text in column]
