"""Tables for programs that map tables: the preparation that morph-kgc and maplib need, and that counts as theirs.

Ids are checked, names voted, levels chosen and mention IRIs hashed here, since no mapping language can do it; a
column with an IRI holds it whole. Covered is all but `pfocr:dissent`, the layer `ontology` and the layer `compat`
(what the schema.org block says needs JSON-LD).
"""

from __future__ import annotations

from pathlib import Path

import yaml

from benchmarks.peers import records
from benchmarks.peers.records import CC0, PFD, SCHEMA, WIKIPATHWAYS, Source

COLUMNS: dict[str, tuple[str, ...]] = {
    "figure": (
        "iri",
        "figid",
        "alias",
        "title",
        "label",
        "number",
        "figtype",
        "caption",
        "year",
        "score",
        "rank",
        "genes",
        "strict_genes",
        "generation",
        "paper",
        "source",
        "ndex",
        "wikipathways",
        "image",
        "filename",
        "licence",
        "creator",
    ),
    "figure_replaces": ("iri", "page"),
    "figure_organism": ("iri", "name"),
    "figure_about": ("iri", "taxon"),
    "figure_mentions": ("iri", "taxon"),
    "creator": ("iri", "name"),
    "paper": ("iri", "pmcid", "title", "citation", "year", "doi", "doi_iri", "journal", "publisher", "same"),
    "paper_keyword": ("iri", "keyword"),
    "journal": ("iri", "short", "title"),
    "publisher": ("iri", "name"),
    "link": ("iri", "entity"),
    "mention": ("iri", "figure", "word", "match", "name", "lexicon", "related", "symbol", "taxon"),
    "body": ("iri", "entity"),
    "gene": ("iri", "id", "label", "taxon", "http", "uniprot", "pubchem"),
    "concept": ("iri", "id", "label", "chebi"),
    "concept_class": ("iri", "class"),
    "concept_close": ("iri", "other"),
    "taxon": ("iri", "id", "label", "image", "uniprot"),
    "taxon_page": ("iri", "page"),
    "other_label": ("iri", "label"),
    "variant": ("iri", "text"),
    "group": ("iri", "name"),
    "member": ("iri", "taxon"),
}
"""Columns of each table; an empty cell is a missing value."""

Tables = dict[str, list[tuple[str, ...]]]


def prepare(root: Path) -> Tables:
    """Read the checkout at `root` with the C YAML loader, and return its tables."""
    source = Source(root, yaml.CBaseLoader)
    tables: Tables = {name: [] for name in COLUMNS}
    for figure in source.figures():
        _figure(tables, figure)
    _papers(tables, source)
    _genes(tables, source)
    _concepts(tables, source)
    _taxa(tables, source)
    return tables


def _figure(tables: Tables, figure: records.Figure) -> None:
    texts, iri = figure.texts, figure.iri
    block = figure.fields.get("schema-jsonld")
    known = block if isinstance(block, dict) else {}
    is_ours = known.get("creator") == {"@type": "Organization", "name": "WikiPathways"}
    tables["figure"].append(
        (
            iri,
            figure.figid,
            texts["figid_alias"],
            texts["figtitle"],
            texts["figtitle"].strip(),
            texts["number"],
            texts["figtype"],
            texts["caption"],
            texts["year"],
            figure.score,
            texts["pmc_ranked_result_index"],
            str(len(figure.genes)),
            str(list(figure.genes.values()).count(0)),
            figure.generation,
            f"https://identifiers.org/pmc/{figure.pmcid}",
            figure.source,
            f"https://www.ndexbio.org/viewer/networks/{texts['ndex']}" if texts["ndex"] else "",
            f"https://identifiers.org/wikipathways/{texts['wpid']}" if texts["wpid"] else "",
            figure.image if figure.filename else "",
            figure.filename,
            CC0 if known.get("license") == "CC0" else "",
            WIKIPATHWAYS if is_ours else "",
        )
    )
    if is_ours and not tables["creator"]:
        tables["creator"].append((WIKIPATHWAYS, "WikiPathways"))
    tables["figure_replaces"] += [(iri, page) for page in figure.replaces]
    tables["figure_organism"] += [(iri, name) for name in figure.organisms_as_given]
    for key, _, taxon in figure.taxa:
        tables["figure_about" if key == "organisms" else "figure_mentions"].append((iri, taxon))
    tables["link"] += [(iri, entity) for _, entity in figure.links_by_layer()]
    for mention in figure.mentions:
        tables["mention"].append(
            (
                mention.iri,
                iri,
                mention.word,
                mention.match or "",
                mention.name or "",
                f"{PFD}lexicon/{mention.lexicon}",
                mention.related or "",
                mention.symbol or "",
                mention.taxon or "",
            )
        )
        tables["body"] += [(mention.iri, body) for body in mention.bodies]


def _papers(tables: Tables, source: Source) -> None:
    journals: dict[str, str] = {}
    publishers: dict[str, str] = {}
    for iri, paper in source.papers().items():
        pmcid = iri.rpartition("/")[2]
        named = [paper[key] for key in ("papertitle", "reftext", "year", "doi", "doi_iri", "journal", "publisher")]
        tables["paper"].append((iri, pmcid, *named, f"http://identifiers.org/pmc/{pmcid}"))
        tables["paper_keyword"] += [(iri, keyword) for keyword in records.author_keywords(paper["keywords"])]
        tables["variant"] += [(iri, text) for text in source.variants(iri, records.PAPER_FIELDS)]
        if paper["journal"]:
            journals[paper["journal"]] = paper["journal_nlm_ta"]
        if paper["publisher"]:
            publishers[paper["publisher"]] = paper["publisher_name"]
    for iri, short in journals.items():
        tables["journal"].append((iri, short, records.winner(source.votes[iri, "journal_title"])))
        tables["variant"] += [(iri, text) for text in source.variants(iri, ("journal_title",))]
    tables["publisher"] += publishers.items()


def _genes(tables: Tables, source: Source) -> None:
    for iri in source.described(f"{SCHEMA}Gene"):
        number = iri.removeprefix(records.GENES)
        label, others = source.label(iri)
        tables["gene"].append(
            (
                iri,
                number,
                label,
                records.taxon(records.winner(source.votes[iri, "organism_id"])),
                f"http://identifiers.org/ncbigene/{number}",
                f"http://purl.uniprot.org/geneid/{number}",
                f"http://rdf.ncbi.nlm.nih.gov/pubchem/gene/GID{number}",
            )
        )
        tables["other_label"] += [(iri, name) for name in others]
        tables["variant"] += [(iri, text) for text in source.variants(iri, ("organism_id",))]


def _concepts(tables: Tables, source: Source) -> None:
    for iri, identifier in source.identifiers.items():
        label, others = source.label(iri)
        chebi = f"https://identifiers.org/chebi/CHEBI:{identifier}" if "CHEBI_" in iri else ""
        tables["concept"].append((iri, identifier, label, chebi))
        tables["concept_class"] += [(iri, cls) for cls in source.types[iri]]
        tables["concept_close"] += [(iri, other) for other in source.close.get(iri, ())]
        tables["other_label"] += [(iri, name) for name in others]


def _taxa(tables: Tables, source: Source) -> None:
    groups: dict[str, str] = {}
    for iri in source.described(f"{SCHEMA}Taxon"):
        label, others = source.taxon_label(iri)
        taxid = iri.partition("NCBITaxon_")[2]
        image = records.winner(source.votes[iri, "image"])
        tables["taxon"].append((iri, taxid, label, image, f"http://purl.uniprot.org/taxonomy/{taxid}" if taxid else ""))
        tables["taxon_page"] += [(iri, page) for page in source.votes[iri, "page"]]
        tables["other_label"] += [(iri, name) for name in others]
        tables["variant"] += [(iri, text) for text in source.taxon_variants(iri)]
        if name := source.group(iri):
            group = f"{PFD}group/{records.slug(name)}"
            groups[group] = records.label_of(name)
            tables["member"].append((group, iri))
    tables["group"] += groups.items()
