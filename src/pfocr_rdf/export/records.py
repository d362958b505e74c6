"""Back from the graph to front matter and tables: the proof that nothing was lost.

What cannot come back, because the model drops or derives it, is listed in `export.derived` and nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import yaml

from pfocr_rdf import buildfolder, query
from pfocr_rdf import identifiers as ids
from pfocr_rdf import vocab as v
from pfocr_rdf.errors import Kind, UsageError
from pfocr_rdf.export.graph import Graph
from pfocr_rdf.extract.tables import COLUMNS, SUFFIXES
from pfocr_rdf.jsonld import BLOCK_VARIANT
from pfocr_rdf.mapping.entities import default_common
from pfocr_rdf.model import EVIDENCE, INLINE_LEXICONS, Layer
from pfocr_rdf.terms import expand

_MISSING = ".na.character"
_CORE_OF_BLOCK = {expand(v.KEYWORDS), expand(v.WP_ORGANISM), expand(v.PFOCR_VARIANT)}


class _Dumper(yaml.SafeDumper):
    """Writes decimals plainly."""


_Dumper.add_representer(Decimal, lambda dumper, value: dumper.represent_scalar("tag:yaml.org,2002:float", str(value)))


def export(release: Path, out: Path, progress: Callable[[int], None] | None = None) -> dict[str, int]:
    """Write `_figures`, `_data` and `_organisms` into the new folder `out`; return what was written.

    Raises `UsageError` when `release` is no build, or `out` holds anything.
    """
    counts = {"figures": 0, "tables": 0, "pages": 0}
    with query.open_store(release) as store, buildfolder.new_folder(out) as folder:
        graph = Graph(store)
        tables_were_read = True
        for figure in graph.typed(v.FIGURE, Layer.CORE):
            figid = _file_name(ids.figid_of(figure))
            front, tables = read_figure(graph, figure)
            tables_were_read &= not _has_keyword_genes(graph, figure)
            _write(folder / "_figures" / f"{figid}.md", _front_matter(front))
            for kind, (columns, rows) in tables.items():
                lines = ["\t".join(columns), *sorted("\t".join(row) for row in rows)]
                _write(folder / "_data" / f"{figid}-{SUFFIXES[kind]}.tsv", "\n".join(lines) + "\n")
            counts["figures"] += 1
            counts["tables"] += len(tables)
            if progress:
                progress(1)
        for slug, page in read_pages(graph):
            _write(folder / "_organisms" / f"{_file_name(slug)}.md", _front_matter(page))
            counts["pages"] += 1
        if tables_were_read:
            (folder / "_data").mkdir(parents=True, exist_ok=True)  # its absence would make genes of keywords
    return counts


def _has_keyword_genes(graph: Graph, figure: str) -> bool:
    """Whether a gene of the figure has no mention: then the source had no folder of tables (section a.2b)."""
    bodies = {
        body
        for mention in graph.subjects(v.HAS_TARGET, figure, Layer.EVIDENCE_GENES)
        for body in graph.values(mention, v.HAS_BODY, Layer.EVIDENCE_GENES)
    }
    return not bodies.issuperset(graph.values(figure, v.MENTIONS, Layer.LINKS_GENES_SYMBOL))


Rows = dict[Kind, tuple[list[str], list[list[str]]]]


def read_figure(graph: Graph, figure: str) -> tuple[dict[str, Any], Rows]:
    """Return the front matter and the tables (columns and rows) of a figure's IRI."""
    figid = ids.figid_of(figure)
    place = ids.slug(figid)

    def core(predicate: str) -> str:
        return graph.value(figure, predicate, Layer.CORE)

    generation = core(v.PFOCR_GENERATION)
    inline = generation == "2021"
    front: dict[str, Any] = {"figid": figid}
    front["figtitle"] = core(v.NAME)
    front["organisms"] = (
        graph.values(figure, v.PFOCR_ORGANISM_AS_GIVEN, Layer.CORE)
        if inline
        else _names(graph, figure, v.ABOUT, "organisms", place)
    ) or ["NA"]
    ner = _names(graph, figure, v.MENTIONS, "organisms_ner", place)
    if generation == "2024":
        front["organisms_ner"] = ner or ["NA"]
    paper = core(v.IS_PART_OF)
    front["pmcid"] = paper.removeprefix(ids.PAPERS)
    image = core(v.IMAGE)
    front["filename"] = graph.value(image, v.IDENTIFIER, Layer.CORE) if image else ""
    front["figlink"] = _path(core(v.SOURCE), ids.NCBI)
    front["number"] = core(v.POSITION)
    front["caption"] = core(v.DESCRIPTION)
    front |= _paper(graph, paper, place)
    front["year"] = core(v.DATE_PUBLISHED)
    if score := core(v.PFOCR_PATHWAY_SCORE):
        front["pathway_score" if inline else "automl_pathway"] = Decimal(score)
    if rank := core(v.PFOCR_RESULT_RANK):
        front["pmc_ranked_result_index"] = rank
    front["figid_alias"] = core(v.ALTERNATE_NAME)
    front["figtype"] = core(v.GENRE)
    if generation != "2024" and (ner or not inline):
        front["organisms_ner"] = ner or ["NA"]
    front["redirect_from"] = [
        _path(old, ids.SITE).removesuffix("/") for old in graph.values(figure, v.REPLACES, Layer.CORE)
    ]
    front["ndex"] = core(v.SEE_ALSO).removeprefix(ids.ndex(""))
    front["seo"] = "CreativeWork"
    variants = graph.values(figure, v.PFOCR_VARIANT, Layer.COMPAT)
    front["schema-jsonld"] = _block(graph, figure, front, [t for t in variants if t.startswith(BLOCK_VARIANT)])
    if wpid := core(v.RELATION):
        front["wpid"] = wpid.removeprefix(ids.wikipathways(""))
    tables: Rows = {}
    if inline:
        front |= {"genes": [], "chemicals": [], "diseases": []}
    _gene_rows(graph, figure, front, tables, inline=inline)
    for kind in (Kind.CHEMICAL_ROW, Kind.DISEASE_ROW):
        _concept_rows(graph, figure, kind, front, tables)
    front = {key: value for key, value in front.items() if value not in ("", []) or key in _ALWAYS}
    return front | _unknown([text for text in variants if not text.startswith(BLOCK_VARIANT)]), tables


_ALWAYS = frozenset({"ndex", "genes", "chemicals", "diseases"})


def read_pages(graph: Graph) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield slug and front matter of each organism page."""
    for taxon in graph.typed(v.TAXON, Layer.ENTITIES):
        for slug in graph.values(taxon, v.PFOCR_ORGANISM_PAGE, Layer.ENTITIES):
            place = f"_organisms/{ids.slug(slug)}"
            label = graph.label(taxon)
            alternatives = graph.values(taxon, v.ALT_LABEL, Layer.ENTITIES)
            defaults = {
                "common": default_common(label, alternatives),
                "latin": label,
                "group": graph.group_of(taxon),
                "image": graph.value(taxon, v.IMAGE, Layer.ENTITIES),
            }
            page = {name: graph.said(taxon, Layer.ENTITIES, place, name, value) for name, value in defaults.items()}
            page["ncbi"] = ids.taxid_of(taxon)
            yield slug, {name: value or _MISSING for name, value in page.items()}


def _names(graph: Graph, figure: str, predicate: str, name: str, place: str) -> list[str]:
    """Return the names by which a record calls its taxa."""
    found: list[str] = []
    for taxon in graph.values(figure, predicate, Layer.CORE):
        found += graph.dissents(taxon, Layer.ENTITIES).get((place, name), [graph.label(taxon)])
    return found


def _paper(graph: Graph, paper: str, place: str) -> dict[str, str]:
    """Return what a record says of its paper."""
    journal = next((part for part in graph.values(paper, v.IS_PART_OF, Layer.CORE)), "")
    title = graph.value(journal, v.TITLE, Layer.CORE) if journal else ""
    doi = graph.value(paper, v.SAME_AS, Layer.CORE).removeprefix(ids.doi(""))
    publisher = graph.value(paper, v.PUBLISHER, Layer.CORE)
    shared = {
        "papertitle": graph.value(paper, v.TITLE, Layer.CORE),
        "reftext": graph.value(paper, v.BIBLIOGRAPHIC_CITATION, Layer.CORE),
        "doi": ids.decode(doi),
        "journal_title": graph.said(journal, Layer.CORE, place, "journal_title", title) if journal else "",
        "journal_nlm_ta": graph.value(journal, v.SHORT_TITLE, Layer.CORE) if journal else "",
        "publisher_name": graph.value(publisher, v.FOAF_NAME, Layer.CORE) if publisher else "",
        "keywords": " | ".join(graph.values(paper, v.KEYWORDS, Layer.CORE)),
    }
    return {name: graph.said(paper, Layer.CORE, place, name, value) for name, value in shared.items()}


def _block(graph: Graph, figure: str, front: dict[str, Any], kept: list[str]) -> dict[str, Any]:
    """Return the schema.org block: what the record says itself, and what `compat` kept of it."""
    block: dict[str, Any] = {"@context": "https://schema.org/", "@id": figure, "@type": ["Dataset"]}
    block["description"] = front["caption"]
    nested = _unknown([text.removeprefix(BLOCK_VARIANT) for text in kept])
    licences = nested.pop("license", [])
    spelled = licences if isinstance(licences, list) else [licences]
    for licence in graph.values(figure, v.LICENSE, Layer.CORE):
        if not (licence == ids.CC0 and spelled):
            spelled.append("CC0" if licence == ids.CC0 else licence)
    block["license"] = spelled
    block["name"] = "CreativeWork"
    block["creator"] = []
    if ids.WIKIPATHWAYS in graph.values(figure, v.CREATOR, Layer.CORE):
        block["creator"].append({"@type": "Organization", "name": "WikiPathways"})
    block["keywords"] = graph.values(figure, v.KEYWORDS, Layer.COMPAT)
    for key, value in _node(graph, figure, _CORE_OF_BLOCK).items():
        if key == "name":
            block[key] = value
        elif key in ("creator", "@type"):
            block[key] += value
        else:
            block[key] = value
    block |= nested
    return {key: _single(value) if key != "keywords" else value for key, value in block.items() if value != []}


def _node(graph: Graph, subject: str, leave_out: set[str]) -> dict[str, list[Any]]:
    """Return the properties of a node in `compat` as a block writes them; named nodes are nested."""
    found: dict[str, list[Any]] = {}
    for predicate, term in sorted(graph.pairs(subject, Layer.COMPAT), key=lambda pair: (pair[0], str(pair[1]))):
        if predicate in leave_out:
            continue
        if predicate == expand(v.A):
            found.setdefault("@type", []).append(term.value.removeprefix(ids.SCHEMA))
            continue
        key = predicate.removeprefix(ids.SCHEMA)
        value: Any = term.value
        if isinstance(term, ox.NamedNode):
            if term.value.startswith(f"{subject.partition('#')[0]}#"):
                nested = _node(graph, term.value, set())
                value = {name: _single(part) for name, part in nested.items()}
        elif term.language:
            value = {"@value": value, "@language": term.language}
        found.setdefault(key, []).append(value)
    return found


def _gene_rows(graph: Graph, figure: str, front: dict[str, Any], tables: Rows, *, inline: bool) -> None:
    rows: list[tuple[list[str], dict[str, str]]] = []
    layer = Layer.EVIDENCE_GENES
    for mention in graph.subjects(v.HAS_TARGET, figure, layer):
        place = mention.removeprefix(ids.MENTIONS)
        word, match = graph.value(mention, v.PFOCR_WORD, layer), graph.value(mention, v.PFOCR_MATCH, layer)
        source = graph.value(mention, v.SOURCE, layer).removeprefix(ids.LEXICONS)
        extra = _extra_cells(graph, mention)
        bodies = graph.values(mention, v.HAS_BODY, layer)
        for gene in bodies or [""]:
            gene_id = gene.removeprefix(ids.GENES) or "NA"
            row_place = f"{place}/{gene_id}"
            if gene:
                symbol = graph.said(gene, Layer.ENTITIES, row_place, "ncbigene_symbol", graph.label(gene))
                taxon = graph.taxon_of(gene)
                if other := graph.said(gene, Layer.ENTITIES, row_place, "organism_id", ""):
                    taxon = ids.taxon(other)
            else:
                symbol = graph.value(mention, v.PFOCR_SYMBOL, layer) or "NA"
                taxon = graph.value(mention, v.TAXONOMIC_RANGE, layer)
            if inline and source in INLINE_LEXICONS:
                item = {"word": word, "symbol": match, "source": source, "hgnc_symbol": symbol, "entrez": gene_id}
                front["genes"].append(item | extra.get(gene_id, {}))
                continue
            name = graph.said(taxon, Layer.ENTITIES, row_place, "organism_name", graph.label(taxon))
            group = graph.said(taxon, Layer.ENTITIES, row_place, "organism_group", graph.group_of(taxon))
            cells = [ids.taxid_of(taxon), name, group or "NA", word, match, symbol, gene_id, source]
            rows.append((cells, extra.get(gene_id, {})))
    _put_table(Kind.GENE_ROW, rows, tables)


def _concept_rows(graph: Graph, figure: str, kind: Kind, front: dict[str, Any], tables: Rows) -> None:
    rows: list[tuple[list[str], dict[str, str]]] = []
    layer = EVIDENCE[kind]
    for mention in graph.subjects(v.HAS_TARGET, figure, layer):
        source = graph.value(mention, v.SOURCE, layer).removeprefix(ids.LEXICONS)
        links = [graph.value(mention, predicate, layer) for predicate in (v.HAS_BODY, v.RELATION)]
        mesh = next((link.removeprefix(ids.MESH) for link in links if link.startswith(ids.MESH)), "")
        other = next((_curie(link) for link in links if link.startswith(ids.OBO)), "")
        word = graph.value(mention, v.PFOCR_WORD, layer)
        extra = _extra_cells(graph, mention).get("", {})
        if source.startswith("pubtator-"):
            vocabulary = "MESH" if mesh else other.partition(":")[0]
            identifier = mesh or other.partition(":")[2]
            key = SUFFIXES[kind]
            front[key].append({"word": word, "source": vocabulary, "identifier": identifier} | extra)
            continue
        match, name = (graph.value(mention, p, layer) or "NA" for p in (v.PFOCR_MATCH, v.PFOCR_NAME))
        rows.append(([word, f"mesh:{mesh}" if mesh else "NA", match, name, other or "NA"], extra))
    _put_table(kind, rows, tables)


def _put_table(kind: Kind, rows: list[tuple[list[str], dict[str, str]]], tables: Rows) -> None:
    if rows:
        names = sorted({name for _, extra in rows for name in extra})
        columns = [*COLUMNS[kind], *names]
        tables[kind] = columns, [[*cells, *(extra.get(name, "NA") for name in names)] for cells, extra in rows]


def _extra_cells(graph: Graph, mention: str) -> dict[str, dict[str, str]]:
    """Return the cells of unknown columns by gene id (empty for other kinds)."""
    found: dict[str, dict[str, str]] = {}
    for text in graph.values(mention, v.PFOCR_VARIANT, Layer.COMPAT):
        name, _, value = text.partition("=")
        column, _, gene_id = name.partition("@")
        found.setdefault(gene_id, {})[ids.decode(column)] = value
    return found


def _unknown(variants: list[str]) -> dict[str, Any]:
    """Return the fields that `normalize.variant_literals` kept."""
    found: dict[str, list[Any]] = {}
    for text in variants:
        name, _, value = text.partition("=")
        nested = name.endswith(":")
        found.setdefault(ids.decode(name.removesuffix(":")), []).append(json.loads(value) if nested else value)
    return {name: _single(values) for name, values in found.items()}


def _single(values: Any) -> Any:
    return values[0] if isinstance(values, list) and len(values) == 1 else values


def _curie(iri: str) -> str:
    return f"chebi:{iri[len(ids.CHEBI) :]}" if iri.startswith(ids.CHEBI) else f"DOID:{iri[len(ids.DOID) :]}"


def _path(address: str, host: str) -> str:
    return ids.decode(address.removeprefix(host))


def _file_name(name: str) -> str:
    if not name or "/" in name or "\0" in name or len(name.encode()) > ids.FIGID_BYTES + 40:
        raise UsageError(f"{name[:80]!r}: no name for a file; the graph is not one that this tool built")
    return name


def _front_matter(front: dict[str, Any]) -> str:
    text = yaml.dump(front, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=80)
    return f"---\n{text}---\n"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
