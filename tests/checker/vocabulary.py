"""Names of the data model: namespaces (a.1), IRIs (a.2) and literal forms (rule 5 of section 0)."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import quote

from pyoxigraph import Literal, NamedNode

SITE = "https://pfocr.wikipathways.org"
NCBI = "https://www.ncbi.nlm.nih.gov"
PFOCR = "https://w3id.org/pfocr/vocab#"
PFD = "https://w3id.org/pfocr/"
PREFIXES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "schema": "http://schema.org/",
    "dcterms": "http://purl.org/dc/terms/",
    "bibo": "http://purl.org/ontology/bibo/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "obo": "http://purl.obolibrary.org/obo/",
    "oa": "http://www.w3.org/ns/oa#",
    "sio": "http://semanticscience.org/resource/",
    "wp": "http://vocabularies.wikipathways.org/wp#",
    "pfocr": PFOCR,
    "pfd": PFD,
}
LAYERS = (
    "core",
    "links-genes-symbol",
    "links-genes-synonym",
    "links-genes-family",
    "links-chemicals",
    "links-diseases",
    "evidence-genes",
    "evidence-chemicals",
    "evidence-diseases",
    "entities",
    "xrefs",
    "compat",
)
LEVELS = {
    "ncbigene_symbol": "symbol",
    "hgnc_symbol": "symbol",
    "ncbigene_synonym": "synonym",
    "hgnc_alias_symbol": "synonym",
    "hgnc_prev_symbol": "synonym",
    "famplex_relations": "family",
    "bioentities_symbol": "family",
}
COMMON_TAXA = {
    "Homo sapiens": "9606",
    "Mus musculus": "10090",
    "Rattus norvegicus": "10116",
    "Danio rerio": "7955",
    "Drosophila melanogaster": "7227",
    "Caenorhabditis elegans": "6239",
    "Saccharomyces cerevisiae": "4932",
    "Arabidopsis thaliana": "3702",
    "Bos taurus": "9913",
    "Sus scrofa": "9823",
    "Gallus gallus": "9031",
    "Xenopus tropicalis": "8364",
    "Xenopus laevis": "8355",
    "Canis lupus familiaris": "9615",
    "Escherichia coli": "562",
    "Oryctolagus cuniculus": "9986",
    "Macaca mulatta": "9544",
    "Schizosaccharomyces pombe": "4896",
    "Oryza sativa": "4530",
    "Zea mays": "4577",
}
CC0 = "http://creativecommons.org/publicdomain/zero/1.0/"
CREATOR = "https://www.wikipathways.org/"


def term(name: str) -> NamedNode:
    """The IRI of a prefixed name such as `schema:mentions` (the model, a.1)."""
    prefix, _, local = name.partition(":")
    return NamedNode(PREFIXES[prefix] + local)


def text(value: str) -> Literal:
    """A data literal: plain xsd:string, never a language tag (rule 5)."""
    return Literal(value)


def integer(value: int) -> Literal:
    """An xsd:integer in canonical form."""
    return Literal(str(value), datatype=term("xsd:integer"))


def year(value: str) -> Literal:
    """An xsd:gYear (the model, a.4)."""
    return Literal(value, datatype=term("xsd:gYear"))


def decimal(value: Decimal) -> Literal:
    """An xsd:decimal with point and digit and no other trailing zeros (the model, e, Formats)."""
    plain = format(value, "f")
    whole, _, fraction = plain.partition(".")
    return Literal(f"{whole}.{fraction.rstrip('0') or '0'}", datatype=term("xsd:decimal"))


def slug(value: str) -> str:
    """The one encoding of every IRI part that comes from data (the model, a.2)."""
    return quote(value, safe="")


def clean(value: str) -> str:
    """A label: trimmed, runs of blanks collapsed."""
    return " ".join(value.split())


def figure_iri(figid: str) -> NamedNode:
    """The page of a figure (a.1)."""
    return NamedNode(f"{SITE}/figures/{slug(figid)}.html")


def paper_iri(pmcid: str) -> NamedNode:
    """A paper (a.2)."""
    return NamedNode(f"https://identifiers.org/pmc/{slug(pmcid)}")


def gene_iri(number: str) -> NamedNode:
    """A gene, as WikiPathways RDF writes it (a.2)."""
    return NamedNode(f"https://identifiers.org/ncbigene/{slug(number)}")


def symbol_iri(taxon: str, symbol: str) -> NamedNode:
    """A gene that is known by its symbol only (a.2b)."""
    return term(f"pfd:symbol/{slug(taxon)}/{slug(symbol)}")


def taxon_iri(number: str) -> NamedNode:
    """A taxon with an id (a.2)."""
    return term(f"obo:NCBITaxon_{slug(number)}")


def mention_iri(figid: str, key: str) -> NamedNode:
    """An annotation (a.6)."""
    return term(f"pfd:mention/{slug(figid)}/{key}")


def curie_iri(curie: str) -> NamedNode:
    """The IRI of `MESH:D000255`, `CHEBI:59111` or `DOID:8893` (a.2)."""
    space, _, number = curie.partition(":")
    if space == "MESH":
        return NamedNode(f"http://id.nlm.nih.gov/mesh/{number}")
    return term(f"obo:{space}_{number}")


def curie_identifier(curie: str) -> str:
    """The accession as a string: `D000255`, `59111`, `DOID:8893` (a.2)."""
    return curie if curie.startswith("DOID:") else curie.partition(":")[2]


def doi_iri(doi: str) -> NamedNode:
    """A DOI in the letter case of the source; `/ : ; ( )` stay (a.2)."""
    return NamedNode("https://doi.org/" + quote(doi, safe="/:;()"))


def site_iri(base: str, path: str) -> NamedNode:
    """A path of a web site as an absolute IRI; each part is encoded."""
    return NamedNode(base + quote("/" + path.lstrip("/"), safe="/"))
