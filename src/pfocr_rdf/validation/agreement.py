"""Checks of agreement (Q60): the IRI of a thing says what its properties say, and counts are what they count."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import unquote

import pyoxigraph as ox

from pfocr_rdf import identifiers as ids
from pfocr_rdf import vocab as v
from pfocr_rdf.mapping.entities import label_of
from pfocr_rdf.model import SEPARATOR, Layer
from pfocr_rdf.terms import expand
from pfocr_rdf.validation.findings import Finding
from pfocr_rdf.validation.placing import Parts, text
from pfocr_rdf.validation.shapes import TYPE, Term

AGREES = "Q60"
Values = Mapping[str, Sequence[Term]]

(_IDENTIFIER, _EXACT, _SAME_AS, _DOI, _LABEL, _NAME, _FOAF_NAME, _PREF_LABEL, _SHORT_TITLE, _RANGE, _MENTIONS) = map(
    expand,
    (
        v.IDENTIFIER, v.EXACT_MATCH, v.SAME_AS, v.DOI, v.LABEL, v.NAME, v.FOAF_NAME, v.PREF_LABEL, v.SHORT_TITLE,
        v.TAXONOMIC_RANGE, v.MENTIONS,
    ),
)  # fmt: skip
(_TARGET, _BODY, _WORD, _MATCH, _PFOCR_NAME, _SYMBOL, _SOURCE, _RELATION, _COUNT, _STRICT) = map(
    expand,
    (
        v.HAS_TARGET, v.HAS_BODY, v.PFOCR_WORD, v.PFOCR_MATCH, v.PFOCR_NAME, v.PFOCR_SYMBOL, v.SOURCE, v.RELATION,
        v.PFOCR_GENE_COUNT, v.PFOCR_STRICT_GENE_COUNT,
    ),
)  # fmt: skip
_NOTATION = f"{ids.PREFIXES['skos']}notation"
_IMAGE = expand(v.IMAGE_OBJECT)
_ABOUT, _ORGANISM = expand(v.ABOUT), expand(v.WP_ORGANISM)
_LINKS = (Layer.LINKS_GENES_SYMBOL, Layer.LINKS_GENES_SYNONYM, Layer.LINKS_GENES_FAMILY)
_DOIS = "https://doi.org/"
_NA = "NA"


def look(subject: str, values: Values, parts: Parts) -> Iterator[tuple[str, Finding]]:
    """Yield each contradiction in what all layers but `compat` say of one subject."""
    if subject.startswith(ids.MENTIONS):
        return _mention(subject, values)
    if subject.startswith(ids.FIGURES):
        return _figure(subject, values, parts)
    return _thing(subject, values)


def _thing(subject: str, values: Values) -> Iterator[tuple[str, Finding]]:
    """Yield what contradicts the IRI of an entity, paper, journal or publisher."""
    for start, identifier, same in _NUMBERED:
        if subject.startswith(start):
            number = subject[len(start) :]
            yield from _differs(subject, values, _IDENTIFIER, {identifier.format(number)})
            yield from _differs(subject, values, _EXACT, {iri.format(number) for iri in same})
            break
    if subject.startswith(ids.PAPERS):
        dois = {value[len(_DOIS) :] for value in values.get(_SAME_AS, ()) if str(value).startswith(_DOIS)}
        yield from _differs(subject, values, _DOI, {unquote(doi).lower() for doi in dois})
    elif subject.startswith(ids.PFD):
        yield from _named(subject, subject[len(ids.PFD) :], values)
    elif _IMAGE in values.get(TYPE, ()):
        for name in values.get(_IDENTIFIER, ()):
            if ids.slug(text(name)) not in subject:
                yield AGREES, Finding(subject, text(name), "is not the file name in the address")


def _named(subject: str, name: str, values: Values) -> Iterator[tuple[str, Finding]]:
    """Yield what contradicts an IRI that is made of a name."""
    kind, _, rest = name.partition("/")
    if kind == "symbol":
        taxid, _, symbol = rest.partition("/")
        yield from _differs(subject, values, _RANGE, {ids.taxon(taxid)})
        yield from _differs(subject, values, _LABEL, {label_of(ids.decode(symbol))})
    elif kind == "organism":
        yield from _differs(subject, values, _LABEL, {label_of(ids.decode(rest))})
    elif kind == "group":
        yield from _differs(subject, values, _PREF_LABEL, {label_of(ids.decode(rest))})
    elif kind == "publisher":
        yield from _differs(subject, values, _FOAF_NAME, {ids.decode(rest)})
    elif kind == "journal" and not rest.startswith("title/"):
        yield from _differs(subject, values, _SHORT_TITLE, {ids.decode(rest)})
    elif kind == "lexicon" and rest and not rest.startswith("level-"):
        yield from _differs(subject, values, _NOTATION, {rest})


def _figure(subject: str, values: Values, parts: Parts) -> Iterator[tuple[str, Finding]]:
    """Yield what contradicts the links and the name of a figure."""
    links = {layer: len(set(said.get(_MENTIONS, ()))) for layer, said in parts if layer in _LINKS}
    yield from _differs(subject, values, _STRICT, {str(links.get(Layer.LINKS_GENES_SYMBOL, 0))})
    yield from _differs(subject, values, _COUNT, {str(sum(links.values()))})
    said = dict(parts)
    core, compat = said.get(Layer.CORE, {}), said.get(Layer.COMPAT, {})
    taxa = {*core.get(_ABOUT, ()), *core.get(_MENTIONS, ())}
    for taxon in taxa.symmetric_difference(compat.get(_ORGANISM, ())):
        yield AGREES, Finding(subject, text(taxon), "is an organism in core or in compat, but not in both")
    names = {text(name).strip() for name in values.get(_NAME, ())}
    if names:
        yield from _differs(subject, values, _LABEL, names)


def _mention(subject: str, values: Values) -> Iterator[tuple[str, Finding]]:
    """Yield what contradicts the IRI of a mention: its figure, and the hash of its cells."""
    figure, _, key = subject[len(ids.MENTIONS) :].rpartition("/")
    yield from _differs(subject, values, _TARGET, {f"{ids.FIGURES}{figure}.html"})
    kind, _, digits = key.partition("-")
    try:
        known = _gene_cells(values) if kind == "gene" else [_word_cells(kind, values)]
    except (KeyError, IndexError, AttributeError, TypeError):
        return  # shapes say what is missing
    if not any(hashlib.sha256(SEPARATOR.join(cells).encode()).hexdigest().startswith(digits) for cells in known):
        yield AGREES, Finding(subject, text(values[_WORD][0]), "the hash in the IRI is that of another row")


def _gene_cells(values: Values) -> list[tuple[str, ...]]:
    """Return the cells from which the key of a gene mention may be made: the spelling of a missing symbol is lost."""
    named = (values[_WORD][0].value, values[_MATCH][0].value, values[_SOURCE][0][len(ids.LEXICONS) :])
    if _BODY in values:
        return [named]
    taxid = values[_RANGE][0][len(ids.TAXA) :]
    symbols = [symbol.value for symbol in values.get(_SYMBOL, ())] or [_NA, ""]
    return [(*named, _NA, symbol, taxid) for symbol in symbols]


def _word_cells(kind: str, values: Values) -> tuple[str, ...]:
    """Return the cells from which the key of a chemical or disease is made."""
    match, name = (values[predicate][0].value if predicate in values else _NA for predicate in (_MATCH, _PFOCR_NAME))
    prefix, start = ("CHEBI", ids.CHEBI) if kind == "chemical" else ("DOID", ids.DOID)
    found = [*values.get(_BODY, ()), *values.get(_RELATION, ())]
    mesh = [f"MESH:{iri[len(ids.MESH) :]}" for iri in found if iri.startswith(ids.MESH)] or [_NA]
    other = [f"{prefix}:{iri[len(start) :]}" for iri in found if iri.startswith(start)] or [_NA]
    return (values[_WORD][0].value, match, name, mesh[0], other[0])


def _differs(subject: str, values: Values, predicate: str, expected: Iterable[str]) -> Iterator[tuple[str, Finding]]:
    """Yield each value of a predicate that is not expected; a missing one is for shapes to find."""
    for value in values.get(predicate, ()):
        said = value.value if type(value) is ox.Literal else str(value)
        if said not in expected:
            yield AGREES, Finding(subject, said, f"is not what {predicate} should be, {' or '.join(sorted(expected))}")


_NUMBERED = (
    (ids.GENES, "{}", ids.gene_equivalents("{}")),
    (ids.PAPERS, "{}", (ids.paper_equivalent("{}"),)),
    (ids.TAXA, "{}", (ids.taxon_equivalent("{}"),)),
    (ids.MESH, "{}", ()),
    (ids.CHEBI, "{}", (ids.chebi_equivalent("{}"),)),
    (ids.DOID, "DOID:{}", ()),
)
"""Where IRIs begin that end in a number or accession; the identifier, and the links to other namespaces."""
