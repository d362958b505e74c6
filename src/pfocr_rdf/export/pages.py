"""The schema.org block of each figure's page, repaired: JSON-LD made from the graph alone, that says no more than it.

Its context is schema.org's, whose prefixes serve where schema.org has no term that the graph uses.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pfocr_rdf import buildfolder, subjects
from pfocr_rdf import identifiers as ids
from pfocr_rdf import vocab as v
from pfocr_rdf.errors import UsageError
from pfocr_rdf.export import stream, tsv
from pfocr_rdf.export.stream import Layers, Names
from pfocr_rdf.jsonld import USUAL_CREATOR
from pfocr_rdf.model import Layer, Level
from pfocr_rdf.resources import schemaorg_context
from pfocr_rdf.subjects import Said
from pfocr_rdf.terms import Token, expand, string, value_of

CONTEXT = "https://schema.org/"
FOLDER = "figures"
_SAME_PREFIX = ("dcterms", "rdfs", "xsd")
"""Prefixes that schema.org's context has with our meaning."""
_OF_CORE = (
    v.IDENTIFIER,
    v.NAME,
    v.ALTERNATE_NAME,
    v.POSITION,
    v.GENRE,
    v.DESCRIPTION,
    v.DATE_PUBLISHED,
    v.IMAGE,
    v.LICENSE,
    v.CREATOR,
    v.IS_PART_OF,
    v.SOURCE,
    v.RELATION,
    v.SEE_ALSO,
    v.ABOUT,
    v.MENTIONS,
)
_LEFT = (v.WP_ORGANISM, v.PFOCR_VARIANT, v.PFOCR_DISSENT)
"""What `compat` holds that is not for a page."""

Nodes = dict[str, Said]
"""What layers say of a figure and of the nodes below it, by IRI."""


def export(
    release: Path,
    out: Path,
    *,
    only: str | None = None,
    in_lines: bool = False,
    level: Level = Level.SYMBOL,
    progress: Callable[[int], None] | None = None,
) -> dict[str, int]:
    """Write `figures/{figid}.jsonld` into the new folder `out`, or with `in_lines` a line a figure into the new file.

    Returns the number of figures. Raises `UsageError` when `release` is no build, `out` is there, or there is no
    figure `only`.
    """
    layers = stream.open_layers(release)
    start = ids.figure(only) if only is not None else ids.FIGURES
    found = documents(layers, stream.names(layers), level, start)
    count = 0
    if in_lines:
        with tsv.new_file(out) as lines:
            for _, document in found:
                lines.write(text_of(document) + "\n")
                count += 1
                if progress:
                    progress(1)
            _need(only, count)
        return {"figures": count}
    with buildfolder.new_folder(out) as folder:
        (folder / FOLDER).mkdir()
        for figid, document in found:
            if "/" in figid or "\0" in figid or len(figid.encode()) > ids.FIGID_BYTES:
                raise UsageError(f"{figid[:80]!r}: no name for a file; the graph is not one that this tool built")
            text = text_of(document, indent=2) + "\n"
            (folder / FOLDER / f"{figid}.jsonld").write_text(text, encoding="utf-8", newline="\n")
            count += 1
            if progress:
                progress(1)
        _need(only, count)
    return {"figures": count}


def _need(only: str | None, count: int) -> None:
    if only is not None and not count:
        raise UsageError(f"{only!r}: no such figure in the build")


def text_of(document: dict[str, Any], indent: int | None = None) -> str:
    """Return a document as JSON that can stand inside a page: no text in it can end a script."""
    text = json.dumps(document, ensure_ascii=False, indent=indent)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def documents(layers: Layers, known: Names, level: Level, start: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield figid and block of each figure whose IRI begins with `start`, in the order of IRIs."""
    wanted = [Layer.CORE, *stream.gene_layers(level), Layer.LINKS_CHEMICALS, Layer.LINKS_DISEASES, Layer.COMPAT]
    nodes: Nodes = {}
    figure = ""
    for subject, texts in layers.joined(wanted, start):
        owner = subject.partition("#")[0]
        if owner != figure and nodes:
            yield ids.figid_of(figure), block(figure, nodes, known)
            nodes = {}
        figure = owner
        pairs = nodes.setdefault(subject, {})
        for layer, text in texts.items():
            said = subjects.said(text)
            for predicate, values in said.items():
                pairs.setdefault(predicate, []).extend(values)
            if layer is Layer.CORE and v.CREATOR in said:  # of the usual creator, whom that layer describes
                nodes[ids.WIKIPATHWAYS] = {v.A: [v.ORGANIZATION], v.NAME: [string(USUAL_CREATOR["name"])]}
    if nodes:
        yield ids.figid_of(figure), block(figure, nodes, known)


def block(figure: str, nodes: Nodes, known: Names) -> dict[str, Any]:
    """Return the block of one figure: what the graph says of it that a page should say."""
    pairs = nodes[figure]
    document: dict[str, Any] = {"@context": CONTEXT, "@id": figure}
    document["@type"] = _single([_type(kind) for kind in pairs.get(v.A, ()) if kind.startswith("schema:")])
    others = sorted(set(pairs) - {v.A, *_OF_CORE})
    for predicate in (*_OF_CORE, *others):
        if predicate in _LEFT or predicate not in pairs or not _is_shown(predicate):
            continue
        key = _key(predicate)
        values = [_value(key, token, figure, nodes, known) for token in sorted(pairs[predicate])]
        document[key] = _single(values)
    return document


def _is_shown(predicate: Token) -> bool:
    """Whether a page shows a predicate: schema.org's, those of other people, and a few of the graph's."""
    return predicate in _OF_CORE or predicate.startswith(("schema:", "<"))


def _value(key: str, token: Token, figure: str, nodes: Nodes, known: Names) -> Any:
    if token[0] == '"' or token[0] in "+-0123456789" or token in ("true", "false"):
        return _literal(key, token)
    iri = expand(token)
    if iri in nodes and iri != figure:
        return _nested(iri, figure, nodes, known)
    if key in (_key(v.ABOUT), _key(v.MENTIONS)) and iri in known:
        return _entity(iri, known)
    return iri if _coercions().get(key) == "@id" else {"@id": iri}


def _entity(iri: str, known: Names) -> dict[str, Any]:
    """Return a gene, chemical, disease or taxon as a node, with what the graph calls it."""
    thing = known[iri]
    node: dict[str, Any] = {"@id": iri, "@type": _single([_type(kind) for kind in thing.kinds])}
    for predicate, text in ((v.IDENTIFIER, thing.identifier), (v.LABEL, thing.label)):
        if text:
            node[_key(predicate)] = text
    if thing.taxon:
        node[_key(v.TAXONOMIC_RANGE)] = {"@id": ids.taxon(thing.taxon)}
    return node


def _nested(iri: str, figure: str, nodes: Nodes, known: Names) -> dict[str, Any]:
    """Return a node below the figure; nodes name those below them alone, so this ends."""
    below = {other: said for other, said in nodes.items() if other != iri}
    found: dict[str, Any] = {"@id": iri}
    for predicate, tokens in sorted(nodes[iri].items()):
        if predicate == v.A:
            found["@type"] = _single([_type(kind) for kind in tokens])
        else:
            key = _key(predicate)
            found[key] = _single([_value(key, token, figure, below, known) for token in sorted(tokens)])
    return found


def _literal(key: str, token: Token) -> Any:
    """Return a literal so that the context's types for a key change nothing."""
    text = value_of(token)
    if token[0] != '"':
        kind = "boolean" if token in ("true", "false") else "decimal" if "." in token else "integer"
        return {"@value": token, "@type": f"xsd:{kind}"}
    ending = token[token.rindex('"') + 1 :]
    if ending.startswith("@"):
        return {"@value": text, "@language": ending[1:]}
    if ending.startswith("^^"):
        return {"@value": text, "@type": _key(ending[2:])}
    return {"@value": text} if key in _coercions() else text


def _type(kind: Token) -> str:
    """Return a class as the context names it."""
    return kind.removeprefix("schema:") if kind.startswith("schema:") else expand(kind)


def _key(predicate: Token) -> str:
    """Return a predicate, or a datatype, as the context names it; by its IRI where that would mean something else."""
    prefix, _, local = predicate.partition(":")
    if prefix == "schema" and not _is_keyword(local):
        return local
    return predicate if prefix in _SAME_PREFIX else expand(predicate)


def _is_keyword(name: str) -> bool:
    return isinstance(meaning := schemaorg_context()["@context"].get(name), str) and meaning.startswith("@")


@cache
def _coercions() -> dict[str, str]:
    """Return the terms of the context whose plain values have a type, with it."""
    terms: dict[str, Any] = schemaorg_context()["@context"]
    return {name: term["@type"] for name, term in terms.items() if isinstance(term, dict) and "@type" in term}


def _single(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values
