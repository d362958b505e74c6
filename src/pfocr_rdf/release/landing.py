"""The schema.org JSON-LD of a release's page: Bioschemas' profile Dataset 1.0."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pfocr_rdf import identifiers as ids
from pfocr_rdf.release.files import COMPRESSIONS, CONTENTS, Name
from pfocr_rdf.release.info import DEVELOPERS, FileInfo, ReleaseInfo

PROFILE = "https://bioschemas.org/profiles/Dataset/1.0-RELEASE"
TECHNIQUES = ("optical character recognition", "named entity recognition", "text mining")
MEASURED = ("gene", "chemical", "disease")
_NAMES = {ids.WIKIPATHWAYS: "WikiPathways", DEVELOPERS: "The pfocr-rdf developers"}


@dataclass(frozen=True, slots=True)
class Page:
    """What the page is about: a version of the dataset."""

    iri: str
    name: str
    description: str
    keywords: Sequence[str]
    issued: str | None
    series: str


def jsonld(page: Page, release: ReleaseInfo, files: Mapping[str, tuple[Name, FileInfo]]) -> str:
    """Return the JSON-LD of a release's page; it may stand in a `script` element as it is."""
    value: dict[str, Any] = {
        "@context": "https://schema.org/",
        "@id": page.iri,
        "@type": "Dataset",
        "dct:conformsTo": {"@id": PROFILE, "@type": "CreativeWork"},
        "name": page.name,
        "description": page.description,
        "identifier": page.iri,
        "url": release.url(""),
        "version": release.version,
        **({"datePublished": page.issued} if page.issued else {}),
        "license": ids.CC0,
        "isAccessibleForFree": True,
        "keywords": list(page.keywords),
        "measurementTechnique": list(TECHNIQUES),
        "variableMeasured": list(MEASURED),
        "creator": [_organization(creator) for creator in _NAMES],
        "publisher": _organization(release.publisher),
        "isBasedOn": f"{ids.SITE}/",
        "isPartOf": page.series,
        "distribution": [_download(release, name, *found) for name, found in files.items()],
    }
    return json.dumps(value, ensure_ascii=False, indent=2).replace("<", "\\u003c") + "\n"


def _organization(address: str) -> dict[str, str]:
    """Return what is known of an organization: of those of the project, its name."""
    name = _NAMES.get(address)
    return {"@id": address, "@type": "Organization", **({"name": name} if name else {}), "url": address}


def _download(release: ReleaseInfo, name: str, read: Name, found: FileInfo) -> dict[str, Any]:
    media = read.format.media_type
    return {
        "@id": release.url(name),
        "@type": "DataDownload",
        "name": name,
        "description": CONTENTS.get(read.part, name),
        "contentUrl": release.url(name),
        "encodingFormat": [media, COMPRESSIONS[read.compression]] if read.compression else media,
        "contentSize": f"{found.size} B",
        "sha256": found.sha256,
        "license": ids.CC0,
    }
