"""`manifest.json`: what a build was made of, how its inputs are accounted for, and the hash of every file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pfocr_rdf import __version__, buildfolder
from pfocr_rdf.accounts import Ledger
from pfocr_rdf.codecs import CODECS, PLAIN
from pfocr_rdf.identifiers import ONTOLOGY
from pfocr_rdf.settings import Settings
from pfocr_rdf.shards import Output

FORMAT = 1
"""Version of the build folder's layout."""

QUADS = "pfocr-all.nq.gz"
"""All layers as N-Quads, one after the other."""

_TOGETHER = 4096
"""So many hashes of files are hashed at a time."""


def content_hash(hashes: Iterable[tuple[str, str]]) -> str:
    """Return one SHA-256 for a source, from path and SHA-256 of each of its files in any order."""
    content = hashlib.sha256()
    found = sorted(hashes)
    for start in range(0, len(found), _TOGETHER):
        content.update("".join(f"{path}\0{digest}\n" for path, digest in found[start : start + _TOGETHER]).encode())
    return content.hexdigest()


def output_of(manifest: Mapping[str, Any]) -> Output:
    """Return how the files of a build were written, as its manifest tells."""
    suffix = Path(manifest["layers"]["core"]["file"]).suffix
    compress = next((codec.name for codec in CODECS.values() if codec.suffix == suffix), PLAIN.name)
    return Output(compress, nquads=QUADS in manifest["files"])


def describe_settings(settings: Settings, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that change what a build says."""
    return {"image_pattern": settings.image_pattern, **chosen, "limits": asdict(settings.limits)}


def describe(
    *,
    source: Mapping[str, Any],
    inputs: Mapping[str, Path],
    settings: Mapping[str, Any],
    ledger: Ledger,
    counts: Mapping[str, int],
    layers: Mapping[str, Any],
    folder: Path,
) -> dict[str, Any]:
    """Return the manifest of the files in `folder`; the order of its keys is fixed."""
    known = {entry["file"]: {"bytes": entry["bytes"], "sha256": entry["sha256"]} for entry in layers.values()}
    rejected, warnings = ledger.by_code()
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != buildfolder.MANIFEST)
    return {
        "format": FORMAT,
        "tool": {"name": "pfocr-rdf", "version": __version__},
        "ontology": ONTOLOGY,
        "source": dict(source),
        "inputs": {
            name: {"name": path.name, "sha256": buildfolder.describe_file(path)["sha256"]}
            for name, path in inputs.items()
        },
        "settings": dict(settings),
        "accounts": {str(kind): account.to_json() for kind, account in ledger.accounts.items()},
        "counts": {name: counts.get(name, 0) for name in buildfolder.COUNTS},
        "problems": {"rejected": rejected, "warnings": warnings},
        "layers": dict(layers),
        "files": {path.name: known.get(path.name) or buildfolder.describe_file(path) for path in files},
    }
