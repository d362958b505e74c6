"""CURIEs of all things of the graph: Biolink's prefixes where it has one, else ours."""

from __future__ import annotations

from functools import lru_cache

from pfocr_rdf import identifiers as ids

PREFIXES = {
    "PFOCR": ids.FIGURES,
    "PFOCR.ORGANISM": ids.unresolved_taxon(""),
    "PFOCR.SYMBOL": f"{ids.PFD}symbol/",
}
"""Those that Biolink does not have: figures by figid, organisms by name, genes by species and symbol."""

_BIOLINK = {
    ids.GENES: "NCBIGene",
    ids.MESH: "MESH",
    ids.CHEBI: "CHEBI",
    ids.DOID: "DOID",
    ids.TAXA: "NCBITaxon",
    f"{ids.PAPERS}PMC": "PMC",
    f"{ids.pubmed('')}": "PMID",
    ids.doi(""): "doi",
}
_STARTS = {**_BIOLINK, **{namespace: prefix for prefix, namespace in PREFIXES.items()}}


@lru_cache(maxsize=65536)
def curie(iri: str) -> str:
    """Return the CURIE of an IRI that this package made; any other IRI as it is.

    The slash between species and symbol becomes `%2F`, for readers of ids take none there.
    """
    for start, prefix in _STARTS.items():
        if iri.startswith(start):
            local = iri[len(start) :]
            if start == ids.FIGURES:
                local = local.removesuffix(".html")
            elif prefix in PREFIXES:
                local = local.replace("/", "%2F")
            return f"{prefix}:{local}"
    return iri
