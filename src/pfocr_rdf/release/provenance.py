"""How a version came to be, as PROV: a build that used the source and other inputs, and the program that did it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pfocr_rdf import identifiers as ids
from pfocr_rdf.release import void
from pfocr_rdf.release.info import ReleaseInfo
from pfocr_rdf.release.void import text
from pfocr_rdf.terms import Description, iri, string, typed

XSD = ids.PREFIXES["xsd"]


def of(version: str, release: ReleaseInfo, manifest: Mapping[str, Any]) -> Iterator[Description]:
    """Yield the build of a version (its IRI) as an activity, with what it used and by which program."""
    source, activity = (void.part(version, name) for name in ("source", "build"))
    inputs = {name: void.part(version, "input", name) for name in sorted(manifest["inputs"])}
    yield (
        activity,
        [
            ("a", "prov:Activity"),
            ("rdfs:label", text(f"Making of version {release.version}")),
            ("prov:wasAssociatedWith", iri(tool(manifest))),
            *(("prov:used", iri(node)) for node in (source, *inputs.values())),
        ],
    )
    yield (
        tool(manifest),
        [
            ("a", "prov:SoftwareAgent"),
            ("foaf:name", string(str(manifest["tool"]["name"]))),
            ("pav:version", string(str(manifest["tool"]["version"]))),
            *([("dcterms:identifier", string(release.commit))] if release.commit else []),
        ],
    )
    yield from _source(source, manifest["source"])
    for name, node in inputs.items():
        given = manifest["inputs"][name]
        yield node, [("a", "prov:Entity"), ("dcterms:title", text(f"{name}: {given['name']}"))]
        yield from checksum(node, given["sha256"])


def _source(node: str, source: Mapping[str, Any]) -> Iterator[Description]:
    """Yield the source of a build: the revision of PFOCR's records, its date, and one hash over all its files."""
    date = source.get("date")
    yield (
        node,
        [
            ("a", "prov:Entity"),
            ("dcterms:title", text("Records of the Pathway Figure OCR database")),
            ("foaf:page", iri(f"{ids.SITE}/")),
            *([("pav:version", string(str(source["revision"])))] if source.get("revision") else []),
            *([("dcterms:issued", typed(str(date), f"{XSD}dateTime"))] if date else []),
        ],
    )
    yield from checksum(node, source["content_sha256"])


def tool(manifest: Mapping[str, Any]) -> str:
    """Return the IRI of the program that made a build."""
    found = manifest["tool"]
    return f"{ids.PFD}tool/{ids.slug(str(found['name']))}/{ids.slug(str(found['version']))}"


def checksum(subject: str, digest: str) -> Iterator[Description]:
    """Yield the SHA-256 of a thing."""
    node = void.part(subject, "checksum")
    yield subject, [("spdx:checksum", iri(node))]
    yield (
        node,
        [
            ("a", "spdx:Checksum"),
            ("spdx:algorithm", "spdx:checksumAlgorithm_sha256"),
            ("spdx:checksumValue", typed(digest, f"{XSD}hexBinary")),
        ],
    )
