"""What does not come back from the graph, because the model derives or drops it: the list, and nothing else.

The data model, section a.10. `comparable` takes a record and its tables to what must be equal between the
source and the export: a multiset of (kind, field, value). Everything that it leaves out or folds is named in
`DERIVED`, and each name stands at the line that does it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from pfocr_rdf import identifiers as ids
from pfocr_rdf.errors import Kind
from pfocr_rdf.extract.front_matter import FrontMatter, Value
from pfocr_rdf.extract.tables import COLUMNS, INLINE_KEYS, Table
from pfocr_rdf.jsonld import USUAL_NAME
from pfocr_rdf.mapping.article import split_keywords
from pfocr_rdf.resources import CONTEXT_URLS
from pfocr_rdf.terms import decimal, parse_decimal

DERIVED = {
    "order": "order of rows, organisms and keywords",
    "repeats": "repeats of identical rows and list items",
    "seo": "`seo`, which is always CreativeWork",
    "annotations": "empty `annotations`",
    "counts": "`count_*`, totals of the rows",
    "block": "what of `schema-jsonld` equals the record",
    "missing": "which spelling of a missing value stood there",
    "slashes": "slashes around figlink",
    "prefix": "the PMCID prefix of a filename",
    "case": "letter case of a DOI and of id prefixes",
    "scalar": "scalar or one-item list",
    "number": "number format of scores",
    "page": "`title` and layout of organism pages",
    "maps": "whether the record, a map file or both stated an NDEx or WikiPathways link",
}
"""The complete list. The last item is ours: the maps feed the fields, so both say the same."""

Values = Counter[tuple[str, str, str]]

_MISSING = ("", ".na.character", "NA")
_LISTS = ("organisms", "organisms_ner", "redirect_from")
_PREFIXES = ("mesh:", "chebi:", "doid:")
_PAGE_FIELDS = ("latin", "common", "ncbi", "group", "image")


def comparable(front: FrontMatter, tables: Iterable[Table]) -> Values:
    """Return what must come back of one figure, as a multiset of (kind, field, value)."""
    found: Values = Counter()
    for name, value in front.fields.items():
        if name in INLINE_KEYS:
            items = value if isinstance(value, list) else []
            found.update(_distinct(name, (_item(item) for item in items)))
        elif name == "schema-jsonld":
            found.update(_block(value, front.fields))
        else:
            found.update({("field", name, text): 1 for text in _texts(name, value, front.fields)})
    for table in tables:
        known = COLUMNS[table.kind]  # counts
        rows = ({**dict(zip(known, cells, strict=True)), **dict(extra)} for _, cells, extra in table.rows if cells)
        found.update(_distinct(str(table.kind), (_cells(row, table.kind) for row in rows)))
    return found


def comparable_page(front: FrontMatter) -> Values:
    """Return what must come back of one organism page."""
    return Counter(
        {
            ("page", name, value): 1
            for name, value in front.fields.items()
            if name in _PAGE_FIELDS and isinstance(value, str) and value not in _MISSING  # page, missing
        }
    )


def _distinct(kind: str, rows: Iterable[str]) -> Values:
    return Counter({(kind, "row", row): 1 for row in rows})  # order, repeats


def _texts(name: str, value: Value, fields: Mapping[str, Value]) -> list[str]:
    """Return a field's values, folded by the rules of `DERIVED`."""
    if name == "seo" and value == USUAL_NAME:
        return []  # seo
    if name == "annotations" and not value:
        return []  # annotations
    if name == "keywords" and isinstance(value, str):
        value = list(split_keywords(value))
    if isinstance(value, dict) or (isinstance(value, list) and any(not isinstance(item, str) for item in value)):
        return [json.dumps(value, sort_keys=True, ensure_ascii=False)]
    items = dict.fromkeys(value if isinstance(value, list) else [value])  # scalar, repeats
    missing = _MISSING if name in _LISTS else _MISSING[:2]
    return [_fold(name, text, fields) for text in items if text.strip() and text not in missing]  # missing


def _fold(name: str, text: str, fields: Mapping[str, Value]) -> str:
    match name:
        case "figlink":
            return text.strip("/")  # slashes
        case "redirect_from":
            return text.rstrip("/")  # slashes
        case "filename":
            return text.removeprefix(f"{fields.get('pmcid')}__")  # prefix
        case "doi":
            return text.lower()  # case
        case "automl_pathway" | "pathway_score":
            return decimal(parse_decimal(text) or Decimal(0))  # number
        case "pmc_ranked_result_index":
            return text.lstrip("0") or "0"  # number
    return text


def _item(item: Any) -> str:
    """Return an inline item as text, missing values left out."""
    cells = {name: text for name, text in item.items() if text not in _MISSING} if isinstance(item, dict) else item
    if isinstance(cells, dict) and "identifier" in cells:
        cells = {**cells, "source": cells.get("source", "").upper()}  # case
    return json.dumps(cells, sort_keys=True, ensure_ascii=False)


def _cells(row: Mapping[str, str], kind: Kind) -> str:
    """Return a table row as text."""
    folded: dict[str, str] = {}
    for name, text in row.items():
        verbatim = name == "word" or (kind is Kind.GENE_ROW and name in ("match", "ncbigene_symbol"))
        if not verbatim and text in _MISSING:
            continue  # missing
        if name == "ncbigene_symbol" and text == "":
            text = "" if row["ncbigene_id"] not in _MISSING else "NA"  # missing
        if name in ("mesh", "chebi", "doid") and text.lower().startswith(_PREFIXES):
            text = text.partition(":")[2]  # case
        folded[name] = text
    return json.dumps(folded, sort_keys=True, ensure_ascii=False)


def _block(block: Value, fields: Mapping[str, Value]) -> Values:
    """Return what a schema.org block says beyond the record."""
    if not isinstance(block, dict):
        return Counter()
    figid = str(fields.get("figid"))
    derived: dict[str, tuple[Any, ...]] = {
        "@context": CONTEXT_URLS,
        "@id": (ids.figure(figid), f"{ids.FIGURES}{figid}.html"),
        "@type": ("Dataset",),
        "description": (fields.get("caption"),),
        "name": (USUAL_NAME, fields.get("figtitle")),
        "alternateName": (fields.get("figid_alias"),),
        "position": (fields.get("number"),),
        "genre": (fields.get("figtype"),),
    }
    found: Values = Counter()
    for key, value in block.items():
        for item in value if isinstance(value, list) else [value]:
            if item in derived.get(key, ()) or item in _MISSING[:2]:
                continue  # block, missing
            found["schema-jsonld", key, json.dumps(item, sort_keys=True, ensure_ascii=False)] = 1  # repeats
    return found
