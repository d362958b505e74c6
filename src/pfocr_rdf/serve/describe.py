"""What a running endpoint says of itself: the service description, and the VoID of the dataset that it serves."""

from __future__ import annotations

from collections.abc import Iterator

import pyoxigraph as ox

from pfocr_rdf import serialize
from pfocr_rdf.release.description import SUMMARY
from pfocr_rdf.release.void import SD, text
from pfocr_rdf.serve.dataset import Dataset
from pfocr_rdf.serve.pool import Limits
from pfocr_rdf.serve.protocol import GRAPH_FORMATS
from pfocr_rdf.terms import Description, iri

_FORMATS = "http://www.w3.org/ns/formats/"
_RESULTS = (
    "SPARQL_Results_JSON",
    "SPARQL_Results_XML",
    "SPARQL_Results_CSV",
    "SPARQL_Results_TSV",
    "Turtle",
    "N-Triples",
    "RDF_XML",
    "JSON-LD",
)


def service(endpoint: str, dataset: Dataset, limits: Limits) -> str:
    """Return the service description as Turtle: the release's own by graph, and that of this endpoint."""
    return dataset.store + _turtle(_service(endpoint, dataset, limits))


def void(endpoint: str, dataset: Dataset, limits: Limits) -> str:
    """Return the VoID description as Turtle: the release's own by file, else by graph, and that of this endpoint."""
    return (dataset.files or dataset.store) + _turtle(_service(endpoint, dataset, limits))


def in_format(turtle: str, media: str) -> bytes:
    """Return a description in one of `GRAPH_FORMATS`."""
    if media == "text/turtle":
        return turtle.encode()
    parsed = ox.parse(turtle, format=ox.RdfFormat.TURTLE)
    return ox.serialize(parsed, format=getattr(ox.RdfFormat, GRAPH_FORMATS[media])) or b""


def _turtle(said: Iterator[Description]) -> str:
    """Return Turtle that can follow any other Turtle: its prefixes are declared again."""
    return serialize.HEADER + "".join(serialize.block(subject, pairs) for subject, pairs in said)


def _service(endpoint: str, dataset: Dataset, limits: Limits) -> Iterator[Description]:
    holds, union = f"{endpoint}#dataset", f"{endpoint}#union"
    yield (
        f"{endpoint}#service",
        [
            ("a", iri(f"{SD}Service")),
            (iri(f"{SD}endpoint"), iri(endpoint)),
            (iri(f"{SD}supportedLanguage"), iri(f"{SD}SPARQL11Query")),
            (iri(f"{SD}feature"), iri(f"{SD}UnionDefaultGraph")),
            *([(iri(f"{SD}feature"), iri(f"{SD}BasicFederatedQuery"))] if limits.services else []),
            *((iri(f"{SD}resultFormat"), iri(_FORMATS + name)) for name in _RESULTS),
            (iri(f"{SD}defaultDataset"), iri(holds)),
            (
                "dcterms:description",
                text(f"A query may take {limits.seconds:g} seconds and give {limits.rows} rows; more is an error."),
            ),
        ],
    )
    yield (
        holds,
        [
            ("a", iri(f"{SD}Dataset")),
            ("dcterms:title", text(f"PFOCR as RDF, {dataset.name}")),
            (iri(f"{SD}defaultGraph"), iri(union)),
            *((iri(f"{SD}namedGraph"), iri(name)) for name in dataset.graphs),
        ],
    )
    yield union, [("a", iri(f"{SD}Graph")), ("dcterms:title", text("The union of all named graphs"))]
    for name in dataset.graphs:
        yield name, [("a", iri(f"{SD}NamedGraph")), (iri(f"{SD}name"), iri(name))]
    yield SUMMARY, [("void:sparqlEndpoint", iri(endpoint))]
