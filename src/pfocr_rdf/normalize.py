"""`RawFigure` to `Figure`: generations, missing values, ids. Pure; all that is refused becomes a `Problem`.

The rules are those of the source format (fields, columns, sentinels) and of the data model, section a.2b.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pfocr_rdf import identifiers as ids
from pfocr_rdf.accounts import Ledger
from pfocr_rdf.errors import Kind, problem
from pfocr_rdf.extract.front_matter import FrontMatter, Value
from pfocr_rdf.extract.organisms import MapLine
from pfocr_rdf.extract.records import RawFigure
from pfocr_rdf.extract.tables import INLINE_KEYS
from pfocr_rdf.model import Article, Figure, Level, NamedTaxon
from pfocr_rdf.rows import RowReader
from pfocr_rdf.settings import Settings
from pfocr_rdf.terms import parse_decimal

GENERATION_2021 = frozenset({*INLINE_KEYS, "pathway_score", "pmc_ranked_result_index", "annotations"})
"""Fields that only the records of 2021 have."""

KNOWN = GENERATION_2021 | {
    "figid",
    "figid_alias",
    "pmcid",
    "filename",
    "figlink",
    "number",
    "figtype",
    "figtitle",
    "caption",
    "papertitle",
    "reftext",
    "year",
    "doi",
    "journal_title",
    "journal_nlm_ta",
    "publisher_name",
    "keywords",
    "automl_pathway",
    "organisms",
    "organisms_ner",
    "ndex",
    "wpid",
    "redirect_from",
    "seo",
    "schema-jsonld",
}
NA_STRINGS = frozenset({"", ".na.character"})
"""Spellings of a missing text (source format, section 5)."""
NA_ITEMS = NA_STRINGS | {"NA"}
"""Spellings of a missing item in a list of organisms."""


@dataclass(frozen=True, slots=True)
class Context:
    """What conversion knows beside the record: settings, organism names, maps, symbols of genes.

    `organisms` maps names to taxonomy ids; `maps` gives the lines of the map files for a figid;
    `symbols` the NCBI Gene ids of (taxonomy id, symbol), or None without a list;
    `keywords_are_genes` is true when the source has no folder of tables; `jsonld_context` is the JSON text
    of a context that stands for schema.org's, or None for the shipped one.
    """

    settings: Settings = field(default_factory=Settings)
    organisms: Mapping[str, str] = field(default_factory=dict)
    maps: Mapping[str, list[MapLine]] = field(default_factory=dict)
    symbols: Mapping[tuple[str, str], tuple[str, ...]] | None = None
    keywords_are_genes: bool = False
    jsonld_context: str | None = None


class Fields:
    """Typed access to the fields of one record; takes down what has the wrong type or form."""

    def __init__(self, path: str, front: FrontMatter, ledger: Ledger) -> None:
        """Wrap the fields of the record at `path`."""
        self.path, self.front, self.ledger = path, front, ledger
        self._item_lines: dict[str, dict[str, int]] = {}

    def report(self, code: str, key: str, value: object) -> None:
        """Take a problem of one field down, at the line of the list item that has this value if there is one."""
        line = self._lines_of_items(key).get(value) if isinstance(value, str) else None
        line = self.front.lines.get(key, 0) if line is None else line
        self.ledger.report(problem(code, self.path, line=line, field=key, value=value))

    def _lines_of_items(self, key: str) -> dict[str, int]:
        """Return where each text of a list stands."""
        if key not in self._item_lines:
            value = self.front.fields.get(key)
            pairs = zip(value, self.front.item_lines.get(key, []), strict=False) if isinstance(value, list) else ()
            self._item_lines[key] = {item: line for item, line in pairs if isinstance(item, str)}
        return self._item_lines[key]

    def text(self, key: str) -> str:
        """Return a text, or the empty one when it is missing or no text."""
        value = self.front.fields.get(key, "")
        if not isinstance(value, str):
            if value:
                self.report("wrong-type", key, value)
            return ""
        bare = value.strip()
        if bare in ids.NOTHING:
            self.report("missing-value", key, value)
        return "" if bare in ids.NO_VALUES else value

    def matching(self, key: str, pattern: Any, code: str) -> str:
        """Return a text that matches the pattern, or the empty one (reported unless missing)."""
        value = self.text(key)
        if value and not pattern.fullmatch(value):
            self.report(code, key, value)
            return ""
        return value

    def texts(self, key: str) -> list[str]:
        """Return the texts of a list (or of a single text), each once, in order; no missing ones."""
        value = self.front.fields.get(key, [])
        items = value if isinstance(value, list) else [value]
        found: dict[str, None] = {}
        for item in items:
            if not isinstance(item, str):
                self.report("wrong-type", key, item)
            elif item.strip() in ids.NOTHING - NA_ITEMS:
                self.report("missing-value", key, item)
            elif item.strip() not in NA_ITEMS:
                found[item] = None
        return list(found)


def generation(front: FrontMatter) -> str:
    """Return `2021`, `2023` or `2024` (and later): see `docs/design.md`."""
    if not GENERATION_2021.isdisjoint(front.fields):
        return "2021"
    keys = list(front.fields)
    after = keys.index("organisms") + 1 if "organisms" in keys else 0
    return "2024" if 0 < after < len(keys) and keys[after] == "organisms_ner" else "2023"


def normalize(raw: RawFigure, context: Context, ledger: Ledger) -> Figure | None:
    """Check all that a figure's files say; return the figure, or None when its record is refused.

    The ledger is given accounts of the record, of every row and of every map line of the figure.
    """
    front = raw.front
    refused = raw.problems if front is None else raw.problems + _identity(raw.files.path, front, raw.files.figid)
    if front is None or refused:
        ledger.report(*refused)
        _reject_rest(raw, context, ledger)
        return None
    fields = Fields(raw.files.path, front, ledger)
    figure = _figure(fields, context)
    rows = RowReader(figure, fields.path, ledger, inline=figure.generation == "2021")
    for table in raw.tables:
        rows.read_table(table)
    inline = front.fields.keys() & INLINE_KEYS
    for key in sorted(inline):
        rows.read_inline(key, front.fields[key], front.lines[key], front.item_lines.get(key, []))
    rows.finish()
    figure.taxa = _taxa(fields, figure, context, rows.organisms)
    _links(fields, figure, context)
    if context.keywords_are_genes and not inline:
        _keyword_genes(fields, figure, context)
    ledger.accounts[Kind.RECORD].emitted += 1
    return figure


def _identity(path: str, front: FrontMatter, expected: str) -> list[Any]:
    """Return why a record's identity is refused: figid and pmcid must be there, legal and agree."""

    def refuse(code: str, key: str, value: object = "") -> list[Any]:
        return [problem(code, path, line=front.lines.get(key, 0), field=key, value=value, kind=Kind.RECORD)]

    figid, pmcid = front.fields.get("figid", ""), front.fields.get("pmcid", "")
    if not isinstance(figid, str):
        return refuse("bad-figid", "figid", figid)
    if figid in NA_ITEMS:
        return refuse("missing-figid", "figid", figid)
    match = ids.FIGID.fullmatch(figid)
    if match is None or len(figid.encode()) > ids.FIGID_BYTES or figid != expected:
        return refuse("bad-figid", "figid", figid)
    if not isinstance(pmcid, str):
        return refuse("bad-pmcid", "pmcid", pmcid)
    if pmcid in NA_ITEMS:
        return refuse("missing-pmcid", "pmcid", pmcid)
    if not ids.PMCID.fullmatch(pmcid):
        return refuse("bad-pmcid", "pmcid", pmcid)
    return refuse("pmcid-mismatch", "pmcid", pmcid) if pmcid != match[1] else []


def _reject_rest(raw: RawFigure, context: Context, ledger: Ledger) -> None:
    """Account for the rows and map lines of a refused record."""
    for table in raw.tables:
        if table.size:
            ledger.report(
                problem("record-rejected", table.path, value=f"{table.size} rows", kind=table.kind, count=table.size)
            )
    if raw.front is not None:
        for key, kind in INLINE_KEYS.items():
            rows = raw.front.fields.get(key)
            if isinstance(rows, list) and rows:
                line = raw.front.lines[key]
                found = problem(
                    "record-rejected",
                    raw.files.path,
                    line=line,
                    field=key,
                    value=f"{len(rows)} rows",
                    kind=kind,
                    count=len(rows),
                )
                ledger.report(found)
    for entry in context.maps.get(raw.files.figid, ()):
        ledger.report(
            problem(
                "map-line-without-record",
                entry.path,
                line=entry.line,
                field=entry.figid,
                value=entry.value,
                kind=Kind.MAP_LINE,
            )
        )


def _figure(fields: Fields, context: Context) -> Figure:
    """Make the figure from the front matter alone."""
    front = fields.front
    pmcid = str(front.fields["pmcid"])
    filename = fields.text("filename").removeprefix(f"{pmcid}__")
    if "/" in filename or filename in (".", ".."):
        fields.report("bad-filename", "filename", filename)
        filename = ""
    figure = Figure(
        figid=str(front.fields["figid"]),
        generation=generation(front),
        path=fields.path,
        article=Article(
            pmcid=pmcid,
            year=fields.matching("year", ids.YEAR, "bad-year"),
            doi=fields.matching("doi", ids.DOI, "bad-doi"),
            **{
                key: fields.text(key)
                for key in ("papertitle", "reftext", "journal_title", "journal_nlm_ta", "publisher_name", "keywords")
            },
        ),
        title=fields.text("figtitle"),
        number=fields.text("number"),
        figtype=fields.text("figtype"),
        alias=fields.text("figid_alias"),
        caption=fields.text("caption"),
        filename=filename,
        image=ids.image(context.settings.image_pattern, pmcid, filename) if filename else "",
    )
    figure.year = figure.article.year
    for keyword in figure.article.keywords.split(" | "):
        if (bare := keyword.strip()) and bare in ids.NO_VALUES:
            fields.report("missing-value", "keywords", bare)
    if not figure.title:
        fields.report("missing-title", "figtitle", "")
    figlink = fields.text("figlink")
    if figlink and _is_path(figlink):
        figure.source = ids.figure_at_pmc(figlink)
    elif figlink:
        fields.report("bad-figlink", "figlink", figlink)
    replaces = []
    for path in fields.texts("redirect_from"):
        if path.startswith("/") and _is_path(path):
            replaces.append(ids.path_at(ids.SITE, path))
        else:
            fields.report("bad-redirect", "redirect_from", path)
    figure.replaces = tuple(replaces)
    _numbers(fields, figure)
    _variants(fields, figure)
    block = front.fields.get("schema-jsonld")
    figure.block_line = front.lines.get("schema-jsonld", 0)
    if isinstance(block, dict):
        figure.block = block
    elif block and not (isinstance(block, str) and block in NA_STRINGS):
        fields.report("wrong-type", "schema-jsonld", block)
    if front.cleaned:
        fields.report("control-removed", "", "")
    for line, name in front.requoted:
        fields.ledger.report(problem("organism-requoted", fields.path, line=line, field="organisms", value=name))
    if front.body:
        line, text = front.body
        fields.ledger.report(problem("unexpected-body", fields.path, line=line, value=text))
    return figure


def _is_path(text: str) -> bool:
    """Whether a text is a path of named segments (one slash may stand at either end); a missing value is no name."""
    inner = text.removeprefix("/").removesuffix("/")
    return (
        bool(inner)
        and not ids.is_of_nothing(inner)
        and all(part not in ("", ".", "..") and part.isprintable() and " " not in part for part in inner.split("/"))
    )


def _numbers(fields: Fields, figure: Figure) -> None:
    key = "automl_pathway" if fields.text("automl_pathway") else "pathway_score"
    if text := fields.text(key):
        score = parse_decimal(text)
        if score is None or not 0 <= score <= 1:
            fields.report("bad-score", key, text)
        else:
            figure.score = score
    if text := fields.text("pmc_ranked_result_index"):
        if text.isascii() and text.isdigit() and len(text) < 19:
            figure.rank = int(text)
        else:
            fields.report("bad-rank", "pmc_ranked_result_index", text)


def _variants(fields: Fields, figure: Figure) -> None:
    """Keep fields that nobody knows yet (the data model, section a.10)."""
    found: list[str] = []
    given = fields.front.fields
    for key, value in given.items():
        if key not in KNOWN:
            fields.report("unknown-key", key, value)
            found += variant_literals(key, value)
    if given.get("seo", "CreativeWork") not in ("CreativeWork", *NA_STRINGS):
        found += variant_literals("seo", given["seo"])
    if given.get("annotations"):
        found += variant_literals("annotations", given["annotations"])
    if given.get("automl_pathway") and given.get("pathway_score"):
        found += variant_literals("pathway_score", given["pathway_score"])
    figure.variants = tuple(sorted(set(found)))


def variant_literals(key: str, value: Value) -> list[str]:
    """Return `key=value` for a text and for each text of a list, `key:=JSON` for anything nested."""
    name = ids.slug(key)
    if isinstance(value, str):
        return [f"{name}={value}"]
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return [f"{name}={item}" for item in value]
    return [f"{name}:={json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(',', ':'))}"]


def _taxa(
    fields: Fields, figure: Figure, context: Context, own: Mapping[str, Mapping[str, int]]
) -> tuple[NamedTaxon, ...]:
    """Find a taxon for each organism that the record names (section a.2b); `own` counts those of its gene rows."""
    keys = ["organisms_ner"]
    if figure.generation == "2021":
        figure.organisms_as_given = tuple(fields.texts("organisms"))
    else:
        keys.insert(0, "organisms")
    found: list[NamedTaxon] = []
    for key in keys:
        for name in fields.texts(key):
            counts = own.get(name)
            taxid = min(counts, key=lambda i: (-counts[i], i)) if counts else context.organisms.get(name)
            if taxid is None:
                fields.report("unresolved-organism", key, name)
            found.append(NamedTaxon(key, name, ids.taxon(taxid) if taxid else ids.unresolved_taxon(name)))
    ner = {taxon.name for taxon in found if taxon.field == "organisms_ner"}
    if own and ner != own.keys():
        fields.report("organisms-ner-differs", "organisms_ner", ", ".join(sorted(ner ^ own.keys())))
    return tuple(found)


def _links(fields: Fields, figure: Figure, context: Context) -> None:
    """Take NDEx and WikiPathways ids from the record, else from the maps; account for the map lines."""
    values = {
        "ndex": fields.matching("ndex", ids.UUID, "bad-ndex"),
        "wpid": fields.matching("wpid", ids.WPID, "bad-wpid"),
    }
    account = fields.ledger.accounts[Kind.MAP_LINE]
    for line in context.maps.get(figure.figid, ()):
        key = "ndex" if line.path.endswith("ndex_map.tsv") else "wpid"
        pattern = ids.UUID if key == "ndex" else ids.WPID
        code = ""
        if not pattern.fullmatch(line.value):
            code = "bad-map-line"
        elif not values[key]:
            values[key] = line.value
            account.emitted += 1
        elif values[key] == line.value:
            account.merged += 1
        else:
            code = "map-line-differs"
        if code:
            found = problem(code, line.path, line=line.line, field=figure.figid, value=line.value, kind=Kind.MAP_LINE)
            fields.ledger.report(found)
    figure.ndex = ids.ndex(values["ndex"]) if values["ndex"] else ""
    figure.wikipathways = ids.wikipathways(values["wpid"]) if values["wpid"] else ""


def _keyword_genes(fields: Fields, figure: Figure, context: Context) -> None:
    """Use the block's keywords as genes where the source leaves nothing better (section a.2b)."""
    taxa = [taxon for taxon in figure.taxa if taxon.field == "organisms_ner"]
    if not taxa or figure.block is None:
        return
    taxids = [ids.taxid_of(taxon.iri) for taxon in taxa]
    for keyword in gene_keywords(figure.block):
        if context.symbols is None:
            if len(taxids) == 1 and taxids[0]:
                figure.symbol_genes.append((taxids[0], keyword, ids.symbol_gene(taxids[0], keyword)))
            else:
                fields.report("unclassified-keyword", "schema-jsonld", keyword)
            continue
        known = [(t, context.symbols[t, keyword]) for t in taxids if t and (t, keyword) in context.symbols]
        if not known:
            fields.report("unclassified-keyword", "schema-jsonld", keyword)
        elif len(known) > 1:
            fields.report("ambiguous-keyword", "schema-jsonld", keyword)
        elif len(known[0][1]) > 1:
            figure.symbol_genes.append((known[0][0], keyword, ids.symbol_gene(known[0][0], keyword)))
            fields.report("ambiguous-keyword", "schema-jsonld", keyword)
        else:
            figure.symbol_genes.append((known[0][0], keyword, ids.gene(known[0][1][0])))
    for _, _, iri in figure.symbol_genes:
        figure.genes.setdefault(iri, Level.SYMBOL)


def gene_keywords(block: Mapping[str, Any]) -> list[str]:
    """Return the distinct keywords of a schema-jsonld block that may be symbols of genes, trimmed."""
    trimmed = (keyword.strip() for keyword in block_keywords(block))
    return [keyword for keyword in dict.fromkeys(trimmed) if keyword not in ids.NO_VALUES]


def block_keywords(block: Mapping[str, Any]) -> list[str]:
    """Return the distinct keywords of a schema-jsonld block, verbatim, without missing ones."""
    value = block.get("keywords", [])
    items = value if isinstance(value, list) else [value]
    return list(dict.fromkeys(item for item in items if isinstance(item, str) and item not in NA_STRINGS))
