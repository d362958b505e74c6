"""The namespaces of IRIs between which the graph has links: what a linkset goes from and to."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pfocr_rdf import identifiers as ids


@dataclass(frozen=True, slots=True)
class Space:
    """A namespace: its name here, what its things are called, how their IRIs begin, and whether it is another's."""

    name: str
    title: str
    start: str
    foreign: bool = True

    @property
    def pattern(self) -> str:
        """The regular expression of its IRIs (`void:uriRegexPattern`)."""
        return f"^{re.escape(self.start)}"


SPACES: tuple[Space, ...] = (
    Space("figures", "PFOCR figures", ids.FIGURES, foreign=False),
    Space("mentions", "mentions in figures", ids.MENTIONS, foreign=False),
    Space("journals", "journals", f"{ids.PFD}journal/", foreign=False),
    Space("symbols", "genes known by species and symbol", f"{ids.PFD}symbol/", foreign=False),
    Space("organisms", "organisms known by name", f"{ids.PFD}organism/", foreign=False),
    Space("groups", "groups of organisms", f"{ids.PFD}group/", foreign=False),
    Space("lexicons", "lexicons", ids.LEXICONS, foreign=False),
    Space("genes", "NCBI Gene, as WikiPathways names it", ids.GENES),
    Space("genes_http", "NCBI Gene, at identifiers.org with http", "http://identifiers.org/ncbigene/"),
    Space("genes_uniprot", "NCBI Gene, as UniProt names it", "http://purl.uniprot.org/geneid/"),
    Space("genes_pubchem", "NCBI Gene, as PubChem names it", "http://rdf.ncbi.nlm.nih.gov/pubchem/gene/"),
    Space("taxa", "NCBI Taxonomy, as OBO names it", ids.TAXA),
    Space("taxa_uniprot", "NCBI Taxonomy, as UniProt names it", "http://purl.uniprot.org/taxonomy/"),
    Space("mesh", "MeSH", ids.MESH),
    Space("chebi", "ChEBI, as OBO names it", ids.CHEBI),
    Space("chebi_identifiers", "ChEBI, at identifiers.org", "https://identifiers.org/chebi/"),
    Space("doid", "Disease Ontology", ids.DOID),
    Space("papers", "PubMed Central articles, at identifiers.org", ids.PAPERS),
    Space("papers_http", "PubMed Central articles, at identifiers.org with http", "http://identifiers.org/pmc/"),
    Space("dois", "DOIs", "https://doi.org/"),
    Space("pubmed", "PubMed, at identifiers.org", "https://identifiers.org/pubmed/"),
    Space("pmc_pages", "pages of PubMed Central", f"{ids.NCBI}/pmc/articles/"),
    Space("ndex", "NDEx networks", "https://www.ndexbio.org/viewer/networks/"),
    Space("wikipathways", "WikiPathways pathways", "https://identifiers.org/wikipathways/"),
)
"""No start of one begins another."""

BY_NAME = {space.name: space for space in SPACES}
_BY_START = {space.start: space.name for space in SPACES}
_START = re.compile("|".join(f"(?P<{space.name}>{re.escape(space.start)})" for space in SPACES))


def of(iri: str) -> str:
    """Return the name of an IRI's namespace, or an empty text for one that is not listed."""
    if name := _BY_START.get(iri[: iri.rfind("/") + 1]):  # the usual way, for speed
        return name
    found = _START.match(iri)
    return (found.lastgroup or "") if found else ""
