"""What a record says of its own figure and mentions: core, links, evidence, compat (the model, a.4 to a.6)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from pyoxigraph import NamedNode, Triple

from . import vocabulary as v
from .names import Names, block, listed
from .records import SPELLED, Front
from .rows import GeneRow, Row
from .source import Figure
from .vocabulary import term, text
from .votes import is_name

KNOWN = {
    *("figid", "figid_alias", "pmcid", "filename", "figlink", "number", "figtype", "figtitle", "caption", "papertitle"),
    *("reftext", "year", "doi", "journal_title", "journal_nlm_ta", "publisher_name", "keywords", "automl_pathway"),
    *("pathway_score", "pmc_ranked_result_index", "organisms", "organisms_ner", "ndex", "wpid", "redirect_from", "seo"),
    *("schema-jsonld", "genes", "chemicals", "diseases"),
}
BLOCK_KEYS = {"@context", "@id", "@type", "description", "license", "name", "creator", "keywords"}
ADDRESSES = {"sameAs", "url", "image", "isPartOf", "isBasedOn"}
OTHERWISE = r"https://schema\.org/|http://identifiers\.org/|https?://creativecommons\.org/publicdomain/zero/"
"""Addresses that the graph spells in another way (the model, d, Q5)."""
LEVEL_ORDER = ("symbol", "synonym", "family")
CC0_SPELLING = re.compile(r"(?i:CC0([ -]1\.0)?)|https?://creativecommons\.org/publicdomain/zero/1\.0(/(legalcode)?)?")
Layers = dict[str, set[Triple]]


def end(address: str) -> str:
    """The last part of an address or a path."""
    return re.split(r"[/#:]", address.rstrip("/").removesuffix(".html"))[-1]


def good_year(value: str | None) -> str | None:
    """A year that the model admits (design, decisions)."""
    return value if value and re.fullmatch(r"(19|20)[0-9]{2}", value) else None


def score(value: str | None) -> Decimal | None:
    """A probability between 0 and 1 (the model, a.4)."""
    try:
        number = Decimal(value or "")
    except InvalidOperation:
        return None
    return number if number.is_finite() and 0 <= number <= 1 else None


def licence(given: str | None) -> str | None:
    """The address that a licence means: CC0 by name or address, a Creative Commons address, `CC BY 4.0`."""
    if given is None:
        return None
    if CC0_SPELLING.fullmatch(given):
        return v.CC0
    if re.fullmatch(r"https?://creativecommons\.org/(licenses|publicdomain)/[^/\s]+/[^/\s]+/", given):
        return given
    if named := re.fullmatch(r"(?i:CC[ -](BY(?:-NC)?(?:-SA|-ND)?))[ -]([0-9]\.[0-9])", given):
        return f"http://creativecommons.org/licenses/{named[1].lower()}/{named[2]}/"
    return None


def has_creator(figure: Figure) -> bool:
    """Whether the block names WikiPathways as creator (the model, a.2b: only what the block says)."""
    creator = block(figure.front).values.get("creator")
    return (creator.get("name") if isinstance(creator, dict) else creator) == "WikiPathways"


def add_figure(layers: Layers, names: Names, figure: Figure) -> None:
    """Everything about one figure that does not depend on another record."""
    subject = v.figure_iri(figure.figid)
    for name, value in core(figure):
        layers["core"].add(Triple(subject, term(name), value))
    add_image(layers, figure, subject)
    for name, value in compat(figure):
        layers["compat"].add(Triple(subject, term(name), value))
    for field, _, taxon in names.organisms(figure):
        predicate = "schema:about" if field == "organisms" else "schema:mentions"
        layers["core"].add(Triple(subject, term(predicate), taxon))
        layers["compat"].add(Triple(subject, term("wp:organism"), taxon))
    if figure.generation == "2021":
        for name in listed(figure, "organisms"):
            layers["core"].add(Triple(subject, term("pfocr:organismAsGiven"), text(name)))
    add_links(layers, names, figure, subject)
    for row in figure.rows():
        add_mention(layers, figure, subject, row)


def core(figure: Figure) -> Iterator[tuple[str, Any]]:
    """Property and value of the figure in `core` (the model, a.4)."""
    front, get = figure.front, figure.front.scalar
    yield "rdf:type", term("schema:Dataset")
    yield "rdf:type", term("sio:SIO_000080")
    yield "dcterms:identifier", text(figure.figid)
    yield "dcterms:isPartOf", v.paper_iri(figure.pmcid)
    yield "pfocr:generation", text(figure.generation)
    for field, name in (
        ("figid_alias", "schema:alternateName"),
        ("figtitle", "schema:name"),
        ("number", "schema:position"),
        ("figtype", "schema:genre"),
        ("caption", "schema:description"),
    ):
        if value := get(field):
            yield name, text(value)
    if title := get("figtitle"):
        yield "rdfs:label", text(title.strip())
    for path in front.strings("redirect_from"):
        if path.startswith("/") and is_name(end(path)):
            yield "dcterms:replaces", v.site_iri(v.SITE, path)
    if (link := get("figlink")) and "://" not in link:
        yield "dcterms:source", v.site_iri(v.NCBI, link.strip("/") + "/")
    number = score(get("automl_pathway") or get("pathway_score"))
    if number is not None:
        yield "pfocr:pathwayScore", v.decimal(number)
    if (rank := get("pmc_ranked_result_index")) and re.fullmatch(r"[0-9]+", rank):
        yield "pfocr:resultRank", v.integer(int(rank))
    if year := good_year(get("year")):
        yield "schema:datePublished", v.year(year)
    if figure.ndex:
        yield "rdfs:seeAlso", NamedNode(f"https://www.ndexbio.org/viewer/networks/{figure.ndex}")
    if figure.wpid:
        yield "dcterms:relation", NamedNode(f"https://identifiers.org/wikipathways/{figure.wpid}")
    if address := licence(block(front).scalar("license")):
        yield "schema:license", NamedNode(address)
    if has_creator(figure):
        yield "schema:creator", NamedNode(v.CREATOR)


def add_image(layers: Layers, figure: Figure, subject: NamedNode) -> None:
    """The image; the file name without the PMCID that one batch put before it (source format, 3)."""
    filename = figure.front.scalar("filename")
    if filename is None or "/" in filename:
        return
    filename = filename.removeprefix(figure.pmcid + "__")
    image = NamedNode(f"{v.NCBI}/pmc/articles/{v.slug(figure.pmcid)}/bin/{v.slug(filename)}")
    layers["core"] |= {
        Triple(subject, term("schema:image"), image),
        Triple(image, term("rdf:type"), term("schema:ImageObject")),
        Triple(image, term("dcterms:identifier"), text(filename)),
    }


def compat(figure: Figure) -> Iterator[tuple[str, Any]]:
    """What is kept for comparison with the site only, and what nobody knows (a.4; design, decisions)."""
    site = block(figure.front)
    for keyword in site.strings("keywords", SPELLED):
        yield "schema:keywords", text(keyword)
    description = site.scalar("description")
    if description is not None and description != figure.front.scalar("caption"):
        yield "schema:description", text(description)
    given = site.scalar("license")
    if (address := licence(given)) and given != "CC0" and (given != address or given == v.CC0):
        yield "pfocr:variant", text(f"schema-jsonld:license={given}")
    yield from block_only(site)
    for key, value in figure.front.values.items():
        if key in KNOWN or (key == "annotations" and value in ([], "")):
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str):
                yield "pfocr:variant", text(f"{v.slug(key)}={item}")
            else:
                nested = json.dumps(item, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
                yield "pfocr:variant", text(f"{v.slug(key)}:={nested}")


def block_only(site: Front) -> Iterator[tuple[str, Any]]:
    """Keys of the block that the record does not have: texts, and absolute addresses under the few known keys."""
    for key in site.values:
        value = site.scalar(key)
        if key in BLOCK_KEYS or value is None:
            continue
        if key not in ADDRESSES:
            yield f"schema:{key}", text(value)
        elif re.match(r"https?://", value) and is_name(end(value)) and not re.match(OTHERWISE, value):
            yield f"schema:{key}", NamedNode(value)


def add_links(layers: Layers, names: Names, figure: Figure, subject: NamedNode) -> None:
    """Direct links, each gene in the file of its best level, and the two counts (the model, a.5, a.4)."""
    best: dict[NamedNode, int] = {}
    for row in figure.genes:
        if row.gene:
            gene, level = v.gene_iri(row.gene), LEVEL_ORDER.index(v.LEVELS[row.lexicon])
            best[gene] = min(level, best.get(gene, level))
    for gene, _ in names.symbols(figure).values():
        best[gene] = 0
    for gene, level in best.items():
        layers[f"links-genes-{LEVEL_ORDER[level]}"].add(Triple(subject, term("schema:mentions"), gene))
    bodies = {kind: {row.body for row in figure.things if row.kind == kind} for kind in ("chemical", "disease")}
    for body in bodies["chemical"]:
        if body:
            layers["links-chemicals"].add(Triple(subject, term("schema:mentions"), v.curie_iri(body)))
    for body in bodies["disease"] - bodies["chemical"]:
        if body:
            layers["links-diseases"].add(Triple(subject, term("schema:mentions"), v.curie_iri(body)))
    strict = sum(level == 0 for level in best.values())
    layers["core"].add(Triple(subject, term("pfocr:geneCount"), v.integer(len(best))))
    layers["core"].add(Triple(subject, term("pfocr:strictGeneCount"), v.integer(strict)))


def add_mention(layers: Layers, figure: Figure, subject: NamedNode, row: Row) -> None:
    """One row's part of its annotation (the model, a.6)."""
    mention = v.mention_iri(figure.figid, figure.key[row])
    layer = layers["evidence-genes" if isinstance(row, GeneRow) else f"evidence-{row.kind}s"]
    pairs: list[tuple[str, Any]] = [
        ("rdf:type", term("oa:Annotation")),
        ("oa:hasTarget", subject),
        ("pfocr:word", text(row.word)),
        ("dcterms:source", term(f"pfd:lexicon/{v.slug(row.lexicon)}")),
    ]
    if row.match is not None:
        pairs.append(("pfocr:match", text(row.match)))
    suffix = ""
    if isinstance(row, GeneRow):
        suffix = "@" + (row.gene or "NA")
        if row.gene:
            pairs.append(("oa:hasBody", v.gene_iri(row.gene)))
        else:
            pairs.append(("schema:taxonomicRange", v.taxon_iri(row.organism_id)))
            if row.symbol:
                pairs.append(("pfocr:symbol", text(row.symbol)))
    else:
        if row.body:
            pairs.append(("oa:hasBody", v.curie_iri(row.body)))
        if row.name:
            pairs.append(("pfocr:name", text(row.name)))
        if row.mesh and row.other:
            pairs.append(("dcterms:relation", v.curie_iri(row.other)))
    layer |= {Triple(mention, term(name), value) for name, value in pairs}
    for column, value in row.unknown:
        variant = text(f"{v.slug(column)}{suffix}={value}")
        layers["compat"].add(Triple(mention, term("pfocr:variant"), variant))
