"""One spelling for each foreign namespace: addresses are looked for in the text of the layers, not in a store.

A store would have to take every address of the graph apart; here only lines that hold a wrong one are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pfocr_rdf import codecs
from pfocr_rdf import identifiers as ids
from pfocr_rdf.model import Layer
from pfocr_rdf.terms import expand
from pfocr_rdf.validation.findings import Finding, NotRun
from pfocr_rdf.validation.options import Options
from pfocr_rdf.validation.release import Function, Release

_PIECE = 1 << 20
_OUTSIDE_TEXT = rb'^[^"\n]*<'
"""The line so far, without the begin of a literal: what comes is the address in an IRI."""

_WRONG = {
    "schema.org is spelled with http": rb"https://schema\.org/",
    "identifiers.org is spelled with https outside xrefs": rb"http://identifiers\.org/",
    "CC0 has one address": rb"https?://(?:www\.)?creativecommons\.org/(?:publicdomain|licenses)/zero",
}
_SEARCHES = {
    message: (re.compile(address), re.compile(_OUTSIDE_TEXT + rb"(" + address + rb"[^>\n]*)>", re.MULTILINE))
    for message, address in _WRONG.items()
}


def spelled_once(release: Release, _: Options) -> list[Finding] | NotRun:
    """Return each subject beside which an address is spelled otherwise than in this graph (Q5)."""
    try:
        return [finding for layer, path in release.layers.items() for finding in _look(layer, path)]
    except codecs.DAMAGED as error:
        return NotRun(f"a layer cannot be read: {error}")


def _look(layer: str, path: Path) -> Iterator[Finding]:
    with codecs.of_file(path).open(path) as stream:
        rest = b""
        while piece := stream.read(_PIECE):
            whole, _, rest = (rest + piece).rpartition(b"\n\n")
            yield from _search(whole, layer)
        yield from _search(rest, layer)


def _search(text: bytes, layer: str) -> Iterator[Finding]:
    for message, (quick, exact) in _SEARCHES.items():
        if quick.search(text) is None or (b"identifiers" in exact.pattern and layer.startswith(Layer.XREFS)):
            continue
        for match in exact.finditer(text):
            value = match[1].decode(errors="replace")
            if value != ids.CC0:
                yield Finding(_subject(text, match.start()), value, message, layer)


def _subject(text: bytes, at: int) -> str:
    """Return the subject of the stanza around a place; the place itself for a line of prefixes."""
    start = text.rfind(b"\n\n", 0, at) + 2 if b"\n\n" in text[:at] else 0
    line = text[start : text.find(b"\n", start)].decode(errors="replace")
    return line if line.startswith("@") else expand(line)


CHECKS: dict[str, Function] = {"Q5": spelled_once}
"""The checks of this module, by id."""
