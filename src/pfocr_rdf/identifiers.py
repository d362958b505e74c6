"""Namespaces, percent-encoding, and every IRI that is made from data: no other module joins IRIs.

Each function takes an id that was checked (`normalize` does) or any text (`slug` encodes it) and returns an
absolute IRI as plain text. Source of the rules: the data model, section a.2 (`docs/model.md`).
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote, unquote

from pfocr_rdf.resources import prefix_map

PREFIXES: dict[str, str] = prefix_map()
"""Prefix to namespace, as shipped in `ontologies/prefixes.json`."""

PFD = PREFIXES["pfd"]
PFOCR = PREFIXES["pfocr"]
SCHEMA = PREFIXES["schema"]
SITE = "https://pfocr.wikipathways.org"
NCBI = "https://www.ncbi.nlm.nih.gov"
CC0 = "http://creativecommons.org/publicdomain/zero/1.0/"
WIKIPATHWAYS = "https://www.wikipathways.org/"
ONTOLOGY = "https://w3id.org/pfocr/vocab"
FIGURES = f"{SITE}/figures/"
GENES = "https://identifiers.org/ncbigene/"
PAPERS = "https://identifiers.org/pmc/"
MESH = "http://id.nlm.nih.gov/mesh/"
OBO = PREFIXES["obo"]
TAXA = f"{OBO}NCBITaxon_"
CHEBI = f"{OBO}CHEBI_"
DOID = f"{OBO}DOID_"
MENTIONS = f"{PFD}mention/"
LEXICONS = f"{PFD}lexicon/"

GENE_ID = re.compile(r"[1-9][0-9]{0,11}")
TAXON_ID = re.compile(r"[1-9][0-9]{0,9}")
MESH_ID = re.compile(r"[DC](?:[0-9]{6}|[0-9]{9})")
CHEBI_ID = re.compile(r"[0-9]{1,9}")
DOID_ID = re.compile(r"[0-9]{1,9}")
PMCID = re.compile(r"PMC[1-9][0-9]{0,11}")
NOTHING = frozenset({"null", "NA", "nan", "-", "noIdentifier", "unknown"})
"""What other data sets write for a missing value: none of PFOCR's spellings but `NA`, and no value (check Q4)."""
NO_VALUES = NOTHING | {"", ".na.character"}
"""All spellings of a missing value that no name, keyword or end of an address may be."""

FIGID = re.compile(r"(PMC[1-9][0-9]{0,11})__[^\x00-\x20\x7f-\xa0\u2028\u2029/\\\"'<>{}|^`]+")
DOI = re.compile(r"10\.[0-9]{4,9}/[^\s\x00-\x1f\x7f]{1,400}")
WPID = re.compile(r"WP[1-9][0-9]{0,6}")
UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
YEAR = re.compile(r"(?:19|20)[0-9]{2}")
ABSOLUTE_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`\x7f-\x9f]+")
FIGID_BYTES = 200
_PLAIN = re.compile(r"[A-Za-z0-9._~-]*")
_PLAIN_DOI = re.compile(r"[A-Za-z0-9._~/:;()-]*")


def decode(text: str) -> str:
    """Undo `slug`."""
    return unquote(text)


def is_of_nothing(iri: str) -> bool:
    """Whether the last part of an address or a path is a spelling of a missing value."""
    last = re.split(r"[/#:]", iri.removesuffix(".html"))[-1]
    term = last.partition("_")[2] if iri.startswith(OBO) else last
    return any(part and part in NO_VALUES for part in (last, term))


@lru_cache(maxsize=65536)
def slug(text: str) -> str:
    """Percent-encode each UTF-8 byte outside `A-Za-z0-9-._~`: any text as one part of an IRI; injective."""
    return text if _PLAIN.fullmatch(text) else quote(text, safe="")


def figure(figid: str) -> str:
    """Return the IRI of a figure: the address of its page."""
    return f"{FIGURES}{slug(figid)}.html"


def figid_of(iri: str) -> str:
    """Return the figid of a figure's IRI (undoes `figure`)."""
    return unquote(iri[len(FIGURES) : -len(".html")])


def paper(pmcid: str) -> str:
    """Return the IRI of a paper."""
    return PAPERS + pmcid


def image(pattern: str, pmcid: str, filename: str) -> str:
    """Return the address of a figure's image, by the pattern of the settings."""
    return pattern.replace("{pmcid}", pmcid).replace("{filename}", slug(filename))


def path_at(host: str, path: str) -> str:
    """Return the address of a path, its segments encoded; slashes around the path do not count."""
    return f"{host}/{'/'.join(slug(part) for part in path.strip('/').split('/'))}"


def figure_at_pmc(path: str) -> str:
    """Return the address of a figure at PMC, in one spelling: some batches lack a slash at either end."""
    return f"{path_at(NCBI, path)}/"


def doi(text: str) -> str:
    """Return the IRI of a DOI, in the source's letter case."""
    return f"https://doi.org/{text if _PLAIN_DOI.fullmatch(text) else quote(text, safe='/:;()')}"


def ndex(uuid: str) -> str:
    """Return the address of an NDEx network's viewer."""
    return f"https://www.ndexbio.org/viewer/networks/{uuid}"


def wikipathways(wpid: str) -> str:
    """Return WikiPathways' versionless IRI of a pathway."""
    return f"https://identifiers.org/wikipathways/{wpid}"


def pubmed(pmid: str) -> str:
    """Return the IRI of a PubMed record."""
    return f"https://identifiers.org/pubmed/{pmid}"


def gene(ncbigene: str) -> str:
    """Return the IRI of a gene."""
    return GENES + ncbigene


def symbol_gene(taxid: str, symbol: str) -> str:
    """Return the IRI of a gene that is known by symbol and species only."""
    return f"{PFD}symbol/{taxid}/{slug(symbol)}"


def taxon(taxid: str) -> str:
    """Return the IRI of a taxon."""
    return TAXA + taxid


def unresolved_taxon(name: str) -> str:
    """Return the IRI of an organism that is known by name only."""
    return f"{PFD}organism/{slug(name)}"


def mesh(identifier: str) -> str:
    """Return the IRI of a MeSH descriptor or supplementary concept."""
    return MESH + identifier


def chebi(identifier: str) -> str:
    """Return the IRI of a ChEBI entity, from its digits."""
    return CHEBI + identifier


def doid(identifier: str) -> str:
    """Return the IRI of a Disease Ontology term, from its digits."""
    return DOID + identifier


def mention(figid: str, key: str) -> str:
    """Return the IRI of a mention in a figure."""
    return f"{MENTIONS}{slug(figid)}/{key}"


def lexicon(value: str) -> str:
    """Return the IRI of a lexicon's concept."""
    return LEXICONS + value


def journal(nlm_ta: str, title: str) -> str:
    """Return the IRI of a journal: by its NLM abbreviation, else by its title."""
    return f"{PFD}journal/{slug(nlm_ta)}" if nlm_ta else f"{PFD}journal/title/{slug(title)}"


def publisher(name: str) -> str:
    """Return the IRI of a publisher."""
    return f"{PFD}publisher/{slug(name)}"


def group(name: str) -> str:
    """Return the IRI of a group of organisms."""
    return f"{PFD}group/{slug(name)}"


def graph(layer: str) -> str:
    """Return the IRI of a layer's named graph."""
    return f"{PFD}graph/{layer}"


def gene_equivalents(ncbigene: str) -> tuple[str, ...]:
    """Return the same NCBI Gene record's IRIs in other namespaces (section a.3)."""
    return (
        f"http://identifiers.org/ncbigene/{ncbigene}",
        f"http://purl.uniprot.org/geneid/{ncbigene}",
        f"http://rdf.ncbi.nlm.nih.gov/pubchem/gene/GID{ncbigene}",
    )


def taxon_equivalent(taxid: str) -> str:
    """Return UniProt's IRI of a taxon."""
    return f"http://purl.uniprot.org/taxonomy/{taxid}"


def chebi_equivalent(identifier: str) -> str:
    """Return the identifiers.org IRI of a ChEBI entity."""
    return f"https://identifiers.org/chebi/CHEBI:{identifier}"


def paper_equivalent(pmcid: str) -> str:
    """Return the http spelling of a paper's IRI."""
    return f"http://identifiers.org/pmc/{pmcid}"


def taxid_of(iri: str) -> str:
    """Return the taxonomy id of a taxon's IRI, or an empty text for one known by name only."""
    return iri[len(TAXA) :] if iri.startswith(TAXA) else ""
