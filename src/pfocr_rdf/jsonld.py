"""The schema.org block of a record: repaired, expanded with pyld, turned into predicate-object pairs.

The data model, section a.4 ("schema-jsonld trap"): `license: CC0` would be a relative IRI and `name:
CreativeWork` is an error of the site, so both are mended before JSON-LD sees the block. No document is ever
fetched. What JSON-LD would drop or make relative is a rejected value; blank nodes get a name of their own.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pfocr_rdf import identifiers as ids
from pfocr_rdf import terms, vocab
from pfocr_rdf.errors import NotJsonLd, Problem, UsageError, problem
from pfocr_rdf.model import Figure
from pfocr_rdf.normalize import NA_STRINGS
from pfocr_rdf.resources import CONTEXT_URLS, schemaorg_context
from pfocr_rdf.shapes import Shapes
from pfocr_rdf.terms import Pair

if TYPE_CHECKING:
    from pfocr_rdf.expansion import Expander

USUAL_CREATOR = {"@type": "Organization", "name": "WikiPathways"}
USUAL_NAME = "CreativeWork"
USUAL_LICENCE = "CC0"

_CC0_NAMES = frozenset({"cc0", "cc0 1.0", "cc0-1.0"})
_CC0_IRI = re.compile(r"https?://creativecommons\.org/publicdomain/zero/1\.0(?:/(?:legalcode|deed)(?:\.[a-z]+)?|/)?")
_CC_IRI = re.compile(r"https?://creativecommons\.org/(?:licenses|publicdomain)/[a-z+-]+/[0-9.]+/(?:[a-z]{2}/)?")
_CC_NAME = re.compile(r"cc[ -](by(?:-(?:nc|sa|nd|nc-sa|nc-nd))?)[ -]([1-4]\.0)")
_RELATIVE_SCHEME = "pfocr-relative:"
_RELATIVE = f"{_RELATIVE_SCHEME}///"
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
_XSD = ids.PREFIXES["xsd"]
_TYPE = terms.expand(vocab.A)
_RESERVED = (*ids.PREFIXES.values(), "https://schema.org/")
"""Namespaces that a block has no say in, but for schema.org's own."""
_OTHERWISE = ("https://schema.org/", "http://identifiers.org/")
"""Addresses that this graph spells in another way."""
OURS = (
    f"{ids.SITE}/",
    f"{ids.NCBI}/",
    ids.PFD,
    ids.MESH,
    ids.OBO,
    ids.WIKIPATHWAYS,
    "https://identifiers.org/",
    "http://identifiers.org/",
    "https://doi.org/",
    "https://www.ndexbio.org/",
)
"""Where the subjects lie that the graph itself describes or links."""
BLOCK_VARIANT = "schema-jsonld:"
"""Begins the `pfocr:variant` of what a block says and RDF cannot; no field's name can."""
_UNSUPPORTED = ("@graph", "@included", "@reverse", "@list", "@set", "@index", "@nest", "@json", "@direction")


@dataclass(slots=True)
class Block:
    """What a block says: the licence and the usual creator for `core`; what the record does not say for `compat`.

    `pairs` are of the figure, `nodes` of the named nodes below it (IRI and pairs).
    """

    licences: tuple[str, ...] = ()
    usual_creator: bool = False
    pairs: list[Pair] = field(default_factory=list)
    nodes: list[terms.Description] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_context(path: Path) -> dict[str, Any]:
    """Read a context document that is to stand for schema.org's.

    Raises `UsageError` when the file is none.
    """
    from pfocr_rdf.expansion import Expander

    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        Expander(document).expand({"@context": CONTEXT_URLS[0], "name": "x"})
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: no JSON-LD context ({error}); give a .jsonld file") from error
    return document


@lru_cache(maxsize=4)
def _expander(key: str | None) -> Expander:
    """Return what expands blocks, relative IRIs under a scheme of their own, to be refused."""
    from pfocr_rdf.expansion import Expander

    return Expander(schemaorg_context() if key is None else json.loads(key), _RELATIVE)


def warm(context: str | None = None) -> None:
    """Load what expands blocks under a context, as `read` would for the first of them."""
    _expander(context).expand({"@context": CONTEXT_URLS[0], "name": "x"})


def read(figure: Figure, context: str | None = None, *, shapes: bool = True) -> Block:
    """Read the block of a figure, under the shipped context or the JSON text of another one.

    Without `shapes`, pyld expands each block, even where one of its shape is known: slower, with the same outcome.
    Never raises: what is refused is in `problems`.
    """
    expander = _expander(context)
    reader = _Reader(figure, expander, expander.shapes if shapes else None)
    if figure.block is not None:
        reader.read(dict(figure.block))
    if not any(found.code in ("jsonld-context", "unknown-licence") for found in reader.result.problems) and not (
        reader.result.licences
    ):
        reader.report("missing-licence", "license", "")
    return reader.result


def repair(block: Mapping[str, Any], figure: Figure) -> dict[str, Any]:
    """Return the block as it should have been written: page as @id, CC0's IRI, the title, the creator's IRI."""
    mended = {**block, "@id": ids.figure(figure.figid)}
    licence = block.get("license")
    if isinstance(licence, str) and (iri := licence_iri(licence)):
        mended["license"] = iri
    if block.get("name") == USUAL_NAME:
        mended["name"] = figure.title
        if not figure.title:
            del mended["name"]
    if block.get("creator") == USUAL_CREATOR:
        mended["creator"] = {**USUAL_CREATOR, "@id": ids.WIKIPATHWAYS}
    return mended


def licence_iri(text: str) -> str:
    """Return the IRI of a licence given by a known Creative Commons name or IRI, else an empty text."""
    folded = text.strip().lower()
    if folded in _CC0_NAMES or _CC0_IRI.fullmatch(folded):
        return ids.CC0
    if _CC_IRI.fullmatch(text):
        return text
    match = _CC_NAME.fullmatch(folded)
    return f"http://creativecommons.org/licenses/{match[1]}/{match[2]}/" if match else ""


class _Reader:
    """Reads one block; gathers pairs, named nodes and problems."""

    def __init__(self, figure: Figure, expander: Expander, shapes: Shapes | None) -> None:
        self.figure = figure
        self.expander = expander
        self.shapes = shapes
        self.iri = ids.figure(figure.figid)
        self.result = Block()
        self.nodes: dict[str, list[Pair]] = {}

    def report(self, code: str, key: str, value: object) -> None:
        name = f"schema-jsonld.{key}" if key else "schema-jsonld"
        self.result.problems.append(
            problem(code, self.figure.path, line=self.figure.block_line, field=name, value=value)
        )

    def read(self, block: dict[str, Any]) -> None:
        if not _is_known_context(block.get("@context")):
            self.report("jsonld-context", "@context", block.get("@context", ""))
            return
        self._check_id(block.pop("@id", self.iri))
        self._licences(block)
        self.result.usual_creator = block.get("creator") == USUAL_CREATOR
        block = {key: _without_missing(value) for key, value in block.items()}
        self._keep_to_the_figure(block)
        block = repair(block, self.figure)
        given = (self.result.usual_creator, self.result.licences)
        known = None
        if self.shapes is not None and not _says_nothing(block):  # a text of a known shape is a value, whatever it says
            known = self.shapes.pairs(block, given, self._trial)
        if known is None:
            self._read_slowly(block)
        else:
            self.result.pairs += known

    def _read_slowly(self, block: Mapping[str, Any]) -> None:
        """Let pyld expand a repaired block; the one way that names nodes and reports what is lost."""
        self.result.pairs += self._expanded(block)
        if self.result.usual_creator:
            self.nodes.pop(ids.WIKIPATHWAYS, None)
        self.result.nodes = list(self.nodes.items())

    def _trial(self, block: Mapping[str, Any]) -> tuple[list[Pair], bool]:
        """Read another block as if the figure had it; return its pairs, and whether they are all that it gives."""
        other = _Reader(self.figure, self.expander, None)
        other.result.usual_creator, other.result.licences = self.result.usual_creator, self.result.licences
        other._read_slowly(block)
        return other.result.pairs, not (other.result.nodes or other.result.problems)

    def _keep_to_the_figure(self, block: dict[str, Any]) -> None:
        """Take out contexts below the top, and what nested nodes say of subjects that the graph itself describes.

        Of those only the link is emitted. Any value with a node that has an address of its own is kept whole, as
        `pfocr:variant "schema-jsonld:KEY:=JSON"`, for several records may speak of that address.
        """
        for key, value in list(block.items()):
            if key == "@context" or isinstance(value, str) or _are_texts(value):
                continue
            if any("@context" in node for node in _nested(value)):
                self.report("jsonld-unsupported", key, value)
                del block[key]
            elif any(_address(node) and len(node) > 1 for node in _nested(value)):
                text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
                self._keep(f"{ids.slug(key)}:", text)
                block[key] = _links_only(value)

    def _keep(self, key: str, text: str) -> None:
        self.result.pairs.append((vocab.PFOCR_VARIANT, terms.string(f"{BLOCK_VARIANT}{key}={text}")))

    def _check_id(self, given: object) -> None:
        if given not in (self.iri, f"{ids.FIGURES}{self.figure.figid}.html"):
            self.report("jsonld-id-differs", "@id", given)

    def _licences(self, block: dict[str, Any]) -> None:
        """Take known licences out of the block; refuse the others. Another spelling than `CC0` is kept."""
        given = block.pop("license", None)
        found: list[str] = []
        for item in given if isinstance(given, list) else [given]:
            text = item.get("@id") if isinstance(item, dict) and item.keys() == {"@id"} else item
            if text is None or (isinstance(text, str) and text in NA_STRINGS):
                continue
            iri = licence_iri(text) if isinstance(text, str) else ""
            if not iri:
                self.report("unknown-licence", "license", item)
                continue
            found.append(iri)
            if text not in (USUAL_LICENCE, iri) or (iri == ids.CC0 and text == iri):
                self._keep("license", text)
        self.result.licences = tuple(dict.fromkeys(found))
        if found:
            block["license"] = found

    def _expanded(self, block: Mapping[str, Any]) -> Iterator[Pair]:
        """Yield the figure's pairs; where something is lost or fails, field by field, to name the culprit."""
        try:
            node = self.expander.expand(block)
        except NotJsonLd:
            node = None
        if node is not None and _leaves_in(block) == _leaves_out(node):
            yield from self._pairs(node, "")
            return
        frame: dict[str, Any] = {key: block[key] for key in ("@context", "@id") if key in block}
        for key, value in block.items():
            if key in frame:
                continue
            single = {**frame, key: value}
            try:
                node = self.expander.expand(single)
            except NotJsonLd:
                self.report("jsonld-unsupported", key, value)
                continue
            if _leaves_in(single) != _leaves_out(node):
                self.report("jsonld-dropped", key, value)
            yield from self._pairs(node, key)

    def _pairs(self, node: Mapping[str, Any], key: str) -> Iterator[Pair]:
        licences = frozenset(map(terms.iri, self.result.licences))
        for name, values in node.items():
            place = key or name.removeprefix(ids.SCHEMA)
            if name in ("@type", _TYPE):
                for value in values:
                    kind = value.get("@id") if isinstance(value, dict) else value
                    if _is_reserved(kind):
                        self.report("jsonld-reserved", place, kind)
                    elif token := self._link(kind, place):
                        yield vocab.A, token
            elif name.startswith("@"):
                if name != "@id":
                    self.report("jsonld-unsupported", place, values)
            elif _is_reserved(name):
                self.report("jsonld-reserved", place, values)
            elif predicate := self._link(name, place):
                for value in values:
                    token = self._object(value, place)
                    if predicate == vocab.LICENSE and token not in licences:
                        self.report("unknown-licence", place, value)
                    elif token:
                        yield predicate, token

    def _object(self, value: Mapping[str, Any], key: str) -> str | None:
        if any(name in value for name in _UNSUPPORTED):
            self.report("jsonld-unsupported", key, value)
            return None
        if "@value" in value:
            return self._literal(value, key)
        if set(value) == {"@id"}:
            return self._link(value["@id"], key)
        iri = value.get("@id") or f"{self.iri}#{_canonical_hash(value)}"
        token, pairs = self._link(iri, key), list(self._pairs(value, key))
        if token is not None and not pairs:
            self.report("jsonld-dropped", key, value)
            return None
        if token is not None:
            self.nodes.setdefault(iri, []).extend(pairs)
        return token

    def _link(self, iri: object, key: str) -> str | None:
        if not isinstance(iri, str) or iri.startswith("_:"):
            self.report("jsonld-unsupported", key, iri)
        elif iri.startswith(_RELATIVE_SCHEME) or not terms.is_iri(iri):
            self.report("jsonld-relative-iri", key, iri.removeprefix(_RELATIVE).removeprefix(_RELATIVE_SCHEME))
        elif iri.startswith(_OTHERWISE) or (iri != ids.CC0 and _CC0_IRI.match(iri)) or ids.is_of_nothing(iri):
            self.report("jsonld-address", key, iri)
        else:
            return terms.iri(iri)
        return None

    def _literal(self, value: Mapping[str, Any], key: str) -> str | None:
        text = value["@value"]
        language, datatype = value.get("@language"), value.get("@type")
        if not isinstance(text, str) or isinstance(datatype, list) or (language and not _LANGUAGE.fullmatch(language)):
            self.report("jsonld-unsupported", key, text)
            return None
        if text in ids.NOTHING and key != "keywords":
            self.report("missing-value", key, text)
            return None
        if language:
            return terms.tagged(text, language)
        if datatype is None or datatype == f"{_XSD}string":
            return terms.string(text)
        if datatype.startswith(ids.PREFIXES["rdf"]):
            self.report("jsonld-unsupported", key, f"{text} ({datatype})")
            return None
        if datatype.startswith(_XSD):
            token = _xsd(text, datatype.removeprefix(_XSD))
            if token is None:
                self.report("jsonld-unsupported", key, f"{text} ({datatype})")
            return token
        return terms.typed(text, datatype) if self._link(datatype, key) else None


def _is_known_context(context: object) -> bool:
    """Whether a block's context is schema.org's by name: no other one, and no terms of its own, are read."""
    parts = context if isinstance(context, list) else [context]
    return bool(parts) and all(isinstance(part, str) and part in CONTEXT_URLS for part in parts)


def _is_reserved(name: object) -> bool:
    """Whether a property or a class is of a namespace that this graph speaks in, schema.org's apart."""
    return isinstance(name, str) and name.startswith(_RESERVED) and not name.startswith(ids.SCHEMA)


def _are_texts(value: object) -> bool:
    """Whether a value is a list of nothing but texts."""
    return type(value) is list and set(map(type, value)) == {str}


def _nested(value: object) -> Iterator[dict[str, Any]]:
    """Yield all maps within a value, itself included."""
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if not isinstance(item, str):
            yield from _nested(item)


def _address(node: Mapping[str, Any]) -> object:
    """Return the address that a nested node has of its own, if any (`id` is schema.org's other name for it)."""
    return node.get("@id") or node.get("id")


def _links_only(value: Any) -> Any:
    """Return a value in which nodes that the graph itself describes are nothing but links."""
    if isinstance(value, list):
        return [_links_only(item) for item in value]
    if isinstance(value, dict):
        address = _address(value)
        if address and str(address).startswith(OURS):
            return {"@id": address}
        return {key: _links_only(item) for key, item in value.items()}
    return value


def _xsd(text: str, name: str) -> str | None:
    """Return the canonical token of a value of the few XSD types that have one spelling everywhere."""
    number: Decimal | None = terms.parse_decimal(text)
    if name == "boolean":
        folded = {"1": "true", "0": "false"}.get(text, text)
        return folded if folded in ("true", "false") else None
    if name == "decimal" and number is not None and "e" not in text.lower():
        return terms.decimal(number)
    if name == "integer" and number is not None and re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        return terms.integer(int(text))
    if name == "gYear" and re.fullmatch(r"[0-9]{4}", text):
        return terms.gyear(text)
    return None


def _canonical_hash(value: Mapping[str, Any]) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _says_nothing(block: Mapping[str, Any]) -> bool:
    """Whether a text of a block, or of a list in it, is one that others write for a missing value.

    As a keyword it is a value, but which key is that of keywords the context says.
    """
    return any(
        value in ids.NOTHING
        if type(value) is str
        else type(value) is list and any(type(item) is str and item in ids.NOTHING for item in value)
        for value in block.values()
    )


def _without_missing(value: Any) -> Any:
    """Drop spellings of a missing value, which mean nothing, from a value and its lists."""
    if isinstance(value, list):
        if _are_texts(value) and NA_STRINGS.isdisjoint(value):
            return value
        present = [item for item in value if not (isinstance(item, str) and item in NA_STRINGS)]
        return [item if isinstance(item, str) else _without_missing(item) for item in present]
    return [] if isinstance(value, str) and value in NA_STRINGS else value


def _leaves_in(value: Any) -> int:
    """Count the texts of a block that must come out of its expansion."""
    if isinstance(value, list):
        return sum(map(_leaves_in, value))
    if isinstance(value, dict):
        if "@value" in value:
            return 1
        return sum(_leaves_in(item) for key, item in value.items() if key != "@context")
    return 1


def _leaves_out(value: Any) -> int:
    """Count the texts of an expanded node: values, links, types."""
    if isinstance(value, list):
        return sum(map(_leaves_out, value))
    if isinstance(value, dict):
        if "@value" in value:
            return 1
        return sum(map(_leaves_out, value.values()))
    return 1
