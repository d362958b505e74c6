"""A figure to its files: front matter and tables as the database's own scripts write them, byte for byte in style."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from benchmarks.corpus_figure import NA, Figure
from benchmarks.corpus_rows import INLINE, SYMBOL, SYNONYM, ConceptRow, GeneRow
from benchmarks.corpus_words import Organism, organisms
from benchmarks.corpus_yaml import quoted, scalar

SITE = "https://pfocr.wikipathways.org/figures/"
GENE_HEADER = (
    "organism_id\torganism_name\torganism_group\tword\tmatch\tncbigene_symbol\tncbigene_id\tsource\tcount_direct"
)


def files(figure: Figure) -> dict[str, str]:
    """Return path inside the source and text of each file of a figure."""
    style, batch = figure.paper.style, figure.paper.batch
    if style == "2021":
        return {f"_figures/{figure.figid}.md": _record_2021(figure)}
    made = {f"_figures/{figure.figid}.md": _record(figure)}
    stem = f"_data/{figure.figid}"
    if figure.genes:
        made[f"{stem}-genes.tsv"] = gene_table(figure.genes, style, figure.groups, figure.broken_row)
    if figure.chemicals:
        made[f"{stem}-chemicals.tsv"] = _concept_table(figure.chemicals, "chebi", "chebi")
    if figure.diseases:
        made[f"{stem}-diseases.tsv"] = _concept_table(figure.diseases, "doid", "DOID" if batch == "2025" else "doid")
    return made


def organisms_of(figure: Figure) -> list[int]:
    """Return the organisms of a figure's gene table, in its order."""
    return list(dict.fromkeys(row[0] for row in figure.genes))


def gene_table(rows: list[GeneRow], style: str, groups: dict[int, str] | None = None, broken_row: bool = False) -> str:
    """Return a gene table with its count columns; a broken row at the end has lost its last cells."""
    late = style == "late"
    known = organisms()
    direct: Counter[int] = Counter()
    synonym: Counter[int] = Counter()
    matches: dict[int, set[str]] = {}
    for organism, _, match, _, _, source in rows:
        if source == SYMBOL:
            direct[organism] += 1
        elif source == SYNONYM:
            synonym[organism] += 1
        matches.setdefault(organism, set()).add(match)
    starts: dict[int, str] = {}
    ends: dict[int, str] = {}
    for organism, found in matches.items():
        one = known[organism]
        starts[organism] = f"{one.taxid}\t{one.name}\t{(groups or {}).get(organism, one.group)}"
        counts = [direct[organism] or "NA", synonym[organism] or "NA", len(found)]
        ends[organism] = "\t".join(map(str, counts if late else [counts[0], counts[2]]))
    lines = [GENE_HEADER + ("\tcount_synonym" if late else "") + "\tcount_match"]
    lines += [
        f"{starts[organism]}\t{word}\t{match}\t{symbol}\t{identifier}\t{source}\t{ends[organism]}"
        for organism, word, match, symbol, identifier, source in rows
    ]
    if broken_row:
        lines.append(f"{starts[rows[-1][0]]}\tbroken\tBROKEN")
    return "\n".join(lines) + "\n"


def _concept_table(rows: Iterable[ConceptRow], column: str, prefix: str) -> str:
    lines = [f"word\tmesh\tmatch\tname\t{column}"]
    for word, mesh, match, name, other in rows:
        first = f"mesh:{mesh}" if mesh else "NA"
        last = f"{prefix}:{other}" if other else "NA"
        lines.append(f"{word}\t{first}\t{match or 'NA'}\t{name or 'NA'}\t{last}")
    return "\n".join(lines) + "\n"


def _raw_list(key: str, names: list[str]) -> str:
    """Return a list of names as the source writes it: without quoting, `NA` when there is none."""
    return f"{key}:\n" + "".join(f"- {name}\n" for name in names or ["NA"])


def _block(figure: Figure) -> str:
    """Return the schema.org block."""
    items = "".join(scalar("  - ", keyword, 4) for keyword in figure.keywords)
    if len(figure.keywords) < 2:
        items = f"  keywords: {quoted(figure.keywords[0])}\n" if figure.keywords else "  keywords: []\n"
    else:
        items = f"  keywords:\n{items}"
    return (
        f"seo: CreativeWork\nschema-jsonld:\n  '@context': https://schema.org/\n  '@id': {SITE}{figure.figid}.html\n"
        f"  '@type': Dataset\n{scalar('  description: ', figure.caption, 4)}  license: CC0\n  name: CreativeWork\n"
        f"  creator:\n    '@type': Organization\n    name: WikiPathways\n{items}"
    )


def _record(figure: Figure) -> str:
    paper, late = figure.paper, figure.paper.style == "late"
    found = _raw_list("organisms", [name for _, name in figure.organisms])
    ner = _raw_list("organisms_ner", [organisms()[number].name for number in organisms_of(figure)])
    new = paper.batch in ("2024", "2025")
    link = figure.figlink[:-1] if paper.batch == "2024" else figure.figlink
    if figure.number % 50 == 0:
        link = link[1:]
    filename = f"{paper.pmcid}__{figure.filename}" if paper.batch == "2024" and figure.number % 2 else figure.filename
    fields = (
        ("caption", figure.caption),
        ("papertitle", paper.title),
        ("reftext", paper.reftext),
        ("year", figure.year),
        ("doi", paper.doi),
        ("journal_title", paper.journal_title),
        ("journal_nlm_ta", paper.journal),
        ("publisher_name", paper.publisher),
        ("keywords", "" if new else paper.keywords),
    )
    parts = [
        "---\n",
        scalar("figid: ", figure.figid, 2),
        scalar("figtitle: ", figure.title, 2),
        found,
        ner if late else "",
        f"pmcid: {paper.pmcid}\n",
        scalar("filename: ", filename, 2),
        f"figlink: {link}\nnumber: {figure.position}\n",
        *(scalar(f"{key}: ", value, 2) for key, value in fields),
        f"automl_pathway: {figure.score}\nfigid_alias: {figure.alias}\nfigtype: {figure.figtype}\n",
        "" if late else ner,
        f"redirect_from: /figures/{figure.alias}\nndex: {figure.ndex or chr(39) * 2}\n",
        _block(figure),
        f"wpid: {figure.wpid}\n" if figure.wpid else "",
        "---\n",
    ]
    return "".join(parts)


def _record_2021(figure: Figure) -> str:
    paper = figure.paper
    name = figure.organisms[0][1]
    parts = [
        f"---\nfigid: {figure.figid}\nfiglink: {figure.figlink}\nnumber: {figure.position}\n",
        scalar("caption: ", figure.caption, 2),
        f"pmcid: {paper.pmcid}\n",
        scalar("papertitle: ", paper.title, 2),
        scalar("reftext: ", paper.reftext, 2),
        f"pmc_ranked_result_index: '{figure.rank}'\npathway_score: {figure.score}\nfilename: {figure.filename}\n",
        scalar("figtitle: ", figure.title, 2),
        f"year: '{figure.year}'\n",
        f"organisms:\n- {name}\n" if figure.organisms_as_list else f"organisms: {name}\n",
        f"ndex: {figure.ndex or chr(39) * 2}\nannotations: []\n",
        _block(figure),
        _inline("genes", [_inline_gene(row) for row in figure.genes]),
        _inline("chemicals", [_inline_concept(row) for row in figure.chemicals]),
        _inline("diseases", [_inline_concept(row) for row in figure.diseases]),
    ]
    if not paper.early:
        parts.append(
            f"figid_alias: {figure.alias}\nredirect_from: /figures/{figure.alias}\nfigtype: {figure.figtype}\n"
        )
    if figure.wpid:
        parts.append(f"wpid: {figure.wpid}\n")
    return "".join([*parts, "---\n"])


def _inline(key: str, items: list[str]) -> str:
    return f"{key}:\n{''.join(items)}" if items else f"{key}: []\n"


def _inline_gene(row: GeneRow) -> str:
    _, word, match, symbol, identifier, source = row
    return (
        f"{scalar('- word: ', word, 4)}{scalar('  symbol: ', match, 4)}  source: {INLINE[source]}\n"
        f"  hgnc_symbol: {quoted(symbol)}\n  entrez: {quoted(identifier)}\n"
    )


def _inline_concept(row: ConceptRow) -> str:
    word, mesh = row[:2]
    rest = f"  source: MESH\n  identifier: {mesh}\n" if mesh else "  source: ''\n  identifier: ''\n"
    return scalar("- word: ", word, 4) + rest


def organism_page(organism: Organism) -> str:
    """Return a page of `_organisms`, in the older or the newer style."""
    if organism.old_page:
        return (
            f'---\ncommon: "{organism.common}"\nlatin: "{organism.latin}"\nncbi: "{organism.taxid}"\n'
            f'title: "{organism.common} pathways"\ngroup: "{organism.group}"\n---\n'
        )
    return (
        f"---\ncommon: {organism.common}\nlatin: {organism.latin}\nncbi: '{organism.taxid}'\ntitle: {organism.latin}\n"
        f"group: {organism.group}\nimage: {organism.image or NA}\n\n---\n"
    )


def page_name(organism: Organism) -> str:
    """Return the file name of an organism's page, without its ending."""
    return "".join(c for c in organism.latin.lower().replace(" ", "_") if c.isalnum() or c == "_")
