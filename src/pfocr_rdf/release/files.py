"""Which files of a release are data, in which format they are, and what each holds, in words for people."""

from __future__ import annotations

from dataclasses import dataclass

from pfocr_rdf.model import Layer
from pfocr_rdf.release import info

IANA = "https://www.iana.org/assignments/media-types/"
_W3C = "http://www.w3.org/ns/formats/"


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its name, its media type, and the IRI that names it where it is one of RDF."""

    name: str
    media_type: str
    iri: str = ""

    @property
    def rdf(self) -> bool:
        """Whether it is a format of RDF."""
        return bool(self.iri)


FORMATS = {
    "ttl": Format("Turtle", "text/turtle", f"{_W3C}Turtle"),
    "nq": Format("N-Quads", "application/n-quads", f"{_W3C}N-Quads"),
    "nt": Format("N-Triples", "application/n-triples", f"{_W3C}N-Triples"),
    "gmt": Format("GMT", "text/tab-separated-values"),
    "tsv": Format("TSV", "text/tab-separated-values"),
}
COMPRESSIONS = {"gz": "application/gzip", "zst": "application/zstd"}

ALL, SHAPES, SAMPLE, WITHDRAWN, EXAMPLES = "all", "shapes", "sample", "withdrawn", "examples"

CONTENTS = {
    Layer.CORE: "Figures, images, papers, journals, publishers, and the organisms that a record names.",
    Layer.LINKS_GENES_SYMBOL: "Links from figures to genes that were found by current symbol: the strict gene set.",
    Layer.LINKS_GENES_SYNONYM: "Links from figures to genes that were found only by a synonym or an older symbol.",
    Layer.LINKS_GENES_FAMILY: "Links from figures to genes that were found only as members of a family or complex.",
    Layer.LINKS_CHEMICALS: "Links from figures to chemicals.",
    Layer.LINKS_DISEASES: "Links from figures to diseases.",
    Layer.EVIDENCE_GENES: "The words behind the links to genes: word, term that it matched, lexicon.",
    Layer.EVIDENCE_CHEMICALS: "The words behind the links to chemicals.",
    Layer.EVIDENCE_DISEASES: "The words behind the links to diseases.",
    Layer.ENTITIES: "Types, labels and identifiers of genes, chemicals, diseases and taxa.",
    Layer.XREFS: "The same genes, chemicals, diseases, taxa and papers in other namespaces.",
    Layer.COMPAT: "Fields kept for comparison with the site, and fields that nobody knows yet.",
    Layer.ONTOLOGY: "The vocabulary of PFOCR and the lexicons that words were matched with.",
    Layer.XREFS_PUBMED: "The same papers at PubMed.",
    ALL: "All layers, each in its named graph.",
    SHAPES: "SHACL shapes that the figures, papers, mentions and genes conform to.",
    SAMPLE: "A sample of figures with all that is said of them.",
    EXAMPLES: "Questions that the graph answers, as SPARQL queries.",
    WITHDRAWN: "Figures that an earlier release had and this one has not.",
}
"""What the file `pfocr-{part}` holds."""


@dataclass(frozen=True, slots=True)
class Name:
    """The name of a data file, taken apart: what it holds, its format, and how it is compressed (or an empty text)."""

    part: str
    format: Format
    compression: str


def read_name(name: str) -> Name | None:
    """Return what the name of a file tells, or None for one that holds no data (reports, lists, descriptions)."""
    stem, *suffixes = name.split(".")
    if not stem.startswith("pfocr-") or name.startswith(info.VOID) or not suffixes or suffixes[0] not in FORMATS:
        return None
    if len(suffixes) > 2 or (len(suffixes) == 2 and suffixes[1] not in COMPRESSIONS):
        return None
    return Name(stem.removeprefix("pfocr-"), FORMATS[suffixes[0]], suffixes[1] if len(suffixes) == 2 else "")
