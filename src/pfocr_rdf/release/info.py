"""What a release is called and where it will lie, and what is known of each of its files: the words that publishing,
description and checks share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pfocr_rdf import buildfolder
from pfocr_rdf import identifiers as ids
from pfocr_rdf.errors import UsageError
from pfocr_rdf.terms import is_iri

BASE_URL = f"{ids.PFD}releases"
"""Where releases lie when nobody says otherwise: addresses of the project's own namespace, to be redirected."""

DEVELOPERS = f"{ids.PFD}pfocr-rdf-developers"
"""Who publishes when nobody says otherwise; the layer `ontology` tells their name."""

VOID = "pfocr-void.ttl"
"""The description of a release, file by file."""

VOID_ENDPOINT = "void-endpoint.ttl"
"""The description of a store that holds the release, graph by graph."""

_WELL_KNOWN = "/.well-known/void"

VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""Names of versions: they are parts of IRIs and names of folders."""


def void_graph(endpoint: str | None) -> str:
    """Return the IRI of the graph in which a store keeps `VOID_ENDPOINT`: below its own address, if that is known."""
    return f"{endpoint.rstrip('/')}{_WELL_KNOWN}" if endpoint else ids.graph("void")


def is_void_graph(graph: str) -> bool:
    """Whether the graph of this IRI is one that `void_graph` names, of any endpoint."""
    return graph == ids.graph("void") or graph.endswith(_WELL_KNOWN)


@dataclass(frozen=True, slots=True)
class ReleaseInfo:
    """A release's name and places.

    `version` and `previous` are names of versions (`20230907`, `20230907-r2`); the files will lie at
    `{base_url}/{version}/{name}`; `endpoint` is the address of a SPARQL service over the release, if there is one;
    `publisher` is the IRI of who publishes it, `commit` the revision of the program's source, if known.

    Raises `UsageError` for a name or address that cannot be used.
    """

    version: str
    previous: str | None = None
    base_url: str = BASE_URL
    endpoint: str | None = None
    publisher: str = DEVELOPERS
    commit: str | None = None

    def __post_init__(self) -> None:
        """Check each value; slashes at the end of the base address do not count."""
        for name in filter(None, (self.version, self.previous)):
            if not VERSION.fullmatch(name):
                raise UsageError(f"version {name!r}: letters, digits, '.', '_' and '-' only, such as 20230907")
        for address in filter(None, (self.base_url, self.endpoint, self.publisher)):
            if not (address.startswith(("http://", "https://")) and is_iri(address) and not set("?#") & set(address)):
                raise UsageError(f"{address!r}: is no address; give one such as https://example.org/pfocr")
        object.__setattr__(self, "base_url", self.base_url.rstrip("/"))

    def url(self, name: str) -> str:
        """Return the address of a file of the release."""
        return f"{self.base_url}/{self.version}/{name}"


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A published file: its size and SHA-256, and for RDF that is no layer the number of its triples, if known."""

    size: int
    sha256: str
    triples: int | None = None

    @classmethod
    def of(cls, path: Path, triples: int | None = None) -> FileInfo:
        """Return what is known of a file, which is read."""
        found = buildfolder.describe_file(path)
        return cls(found["bytes"], found["sha256"], triples)
