"""The shipped files of `ontologies/`: where they lie, and the small ones read; and the hash of the whole program."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from pfocr_rdf import __version__

PACKAGE = "pfocr_rdf.ontologies"

CONTEXT_URLS = tuple(f"{scheme}://schema.org{end}" for scheme in ("http", "https") for end in ("", "/"))
"""Spellings of schema.org's JSON-LD context; all stand for the shipped one."""


def read_text(name: str) -> str:
    """Return the text of a shipped file, such as `pfocr.ttl`.

    Raises `FileNotFoundError` when the installation lacks it.
    """
    return files(PACKAGE).joinpath(name).read_text(encoding="utf-8")


def names(folder: str) -> list[str]:
    """Return the names of the shipped files in a folder of `ontologies/`, in order."""
    return sorted(entry.name for entry in files(PACKAGE).joinpath(folder).iterdir() if entry.is_file())


@cache
def prefix_map() -> dict[str, str]:
    """Return prefix to namespace, in alphabetical order."""
    context: dict[str, str] = json.loads(read_text("prefixes.json"))["@context"]
    return dict(sorted(context.items()))


@cache
def schemaorg_context() -> dict[str, Any]:
    """Return the JSON-LD context that stands in for `https://schema.org/`."""
    document: dict[str, Any] = json.loads(read_text("schemaorg.context.jsonld"))
    return document


@cache
def figure_context() -> dict[str, Any]:
    """Return the JSON-LD context in which a figure is shown."""
    document: dict[str, Any] = json.loads(read_text("pfocr.context.jsonld"))
    return document


@cache
def common_organisms() -> dict[str, str]:
    """Return Latin name to taxonomy id, for the commonest organisms."""
    names: dict[str, str] = {}
    for line in read_text("organisms.tsv").splitlines()[1:]:
        name, taxid = line.split("\t")
        names[name] = taxid
    return names


@cache
def converter() -> str:
    """Return a hash of the program: what another version left behind is not used.

    The source of the kernels counts, not whether they run: they give the same.
    """
    digest = hashlib.sha256(__version__.encode())
    package = Path(__file__).parent
    for path in sorted(path for pattern in ("*.py", "*.[ch]") for path in package.rglob(pattern)):
        digest.update(path.relative_to(package).as_posix().encode())
        digest.update(path.read_bytes())
    for name in ("lexicon.ttl", "organisms.tsv", "pfocr.ttl", "prefixes.json", "schemaorg.context.jsonld"):
        digest.update(read_text(name).encode())
    return digest.hexdigest()
