"""Checks of places: triples that stand twice (Q36), and triples in a layer where the model does not put them (Q59).

`PLACES` is the table of `docs/model.md`, layer by layer: what the IRIs of subjects begin with, and their predicates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from pfocr_rdf import identifiers as ids
from pfocr_rdf import vocab as v
from pfocr_rdf.jsonld import OURS
from pfocr_rdf.mapping import ontology
from pfocr_rdf.model import Layer
from pfocr_rdf.terms import expand
from pfocr_rdf.validation.findings import Finding
from pfocr_rdf.validation.shapes import Term

DOUBLES, PLACED = "Q36", "Q59"
Said = Mapping[str, Sequence[Term]]
Parts = Sequence[tuple[str, Said]]
"""What each layer says of one subject."""

ANY = "*"
"""Stands for all predicates: shapes say which."""
_RESERVED = tuple(ids.PREFIXES.values())


def _set(*tokens: str) -> frozenset[str]:
    return frozenset(map(expand, tokens))


_FIGURE = _set(
    v.A, v.IDENTIFIER, v.ALTERNATE_NAME, v.REPLACES, v.NAME, v.LABEL, v.DESCRIPTION, v.POSITION, v.GENRE, v.SEE_ALSO,
    v.DATE_PUBLISHED, v.SOURCE, v.IMAGE, v.IS_PART_OF, v.ABOUT, v.MENTIONS, v.PFOCR_ORGANISM_AS_GIVEN, v.RELATION,
    v.PFOCR_PATHWAY_SCORE, v.PFOCR_RESULT_RANK, v.PFOCR_GENE_COUNT, v.PFOCR_STRICT_GENE_COUNT, v.PFOCR_GENERATION,
    v.LICENSE, v.CREATOR,
)  # fmt: skip
_PAPER = _set(
    v.A, v.IDENTIFIER, v.TITLE, v.BIBLIOGRAPHIC_CITATION, v.ISSUED, v.DOI, v.SAME_AS, v.KEYWORDS, v.IS_PART_OF,
    v.PUBLISHER, v.PFOCR_VARIANT, v.PFOCR_DISSENT,
)  # fmt: skip
_MENTION = _set(v.A, v.HAS_TARGET, v.HAS_BODY, v.PFOCR_WORD, v.PFOCR_MATCH, v.SOURCE)
_OF_WORDS = _MENTION | _set(v.PFOCR_NAME, v.RELATION)
_ENTITY = _set(v.A, v.IDENTIFIER, v.LABEL, v.ALT_LABEL)
_GENE = _ENTITY | _set(v.TAXONOMIC_RANGE, v.PFOCR_VARIANT, v.PFOCR_DISSENT)
_TAXON = _ENTITY | _set(v.IMAGE, v.PFOCR_ORGANISM_PAGE, v.PFOCR_VARIANT, v.PFOCR_DISSENT)
_EXACT = _set(v.EXACT_MATCH)
_SYMBOLS = f"{ids.PFD}symbol/"
_MENTIONS = expand(v.MENTIONS)
_LINK = ((ids.FIGURES, frozenset({_MENTIONS})),)
_WP_ORGANISM, _VARIANT, _TYPE = (expand(token) for token in (v.WP_ORGANISM, v.PFOCR_VARIANT, v.A))

PLACES: dict[str, tuple[tuple[str, frozenset[str]], ...]] = {
    Layer.CORE: (
        (ids.FIGURES, _FIGURE),
        (ids.PAPERS, _PAPER),
        (f"{ids.PFD}journal/", _set(v.A, v.TITLE, v.SHORT_TITLE, v.PFOCR_VARIANT, v.PFOCR_DISSENT)),
        (f"{ids.PFD}publisher/", _set(v.A, v.FOAF_NAME)),
        (ids.WIKIPATHWAYS, _set(v.A, v.NAME)),
        ("http", _set(v.A, v.IDENTIFIER)),  # images
    ),
    Layer.LINKS_GENES_SYMBOL: _LINK,
    Layer.LINKS_GENES_SYNONYM: _LINK,
    Layer.LINKS_GENES_FAMILY: _LINK,
    Layer.LINKS_CHEMICALS: _LINK,
    Layer.LINKS_DISEASES: _LINK,
    Layer.EVIDENCE_GENES: ((ids.MENTIONS, _MENTION | _set(v.PFOCR_SYMBOL, v.TAXONOMIC_RANGE)),),
    Layer.EVIDENCE_CHEMICALS: ((ids.MENTIONS, _OF_WORDS),),
    Layer.EVIDENCE_DISEASES: ((ids.MENTIONS, _OF_WORDS),),
    Layer.ENTITIES: (
        (ids.GENES, _GENE),
        (_SYMBOLS, _GENE),
        (ids.TAXA, _TAXON),
        (f"{ids.PFD}organism/", _TAXON),
        (ids.MESH, _ENTITY),
        (ids.CHEBI, _ENTITY),
        (ids.DOID, _ENTITY),
        (f"{ids.PFD}group/", _set(v.A, v.PREF_LABEL, v.MEMBER)),
    ),
    Layer.XREFS: (
        (ids.GENES, _EXACT),
        (ids.TAXA, _EXACT),
        (ids.CHEBI, _EXACT),
        (ids.PAPERS, _EXACT),
        (ids.MESH, _set(v.CLOSE_MATCH)),
    ),
    Layer.XREFS_PUBMED: ((ids.PAPERS, _set(v.SAME_AS)),),
    Layer.ONTOLOGY: tuple(
        (f"{ids.PFD}{start}", frozenset({ANY})) for start in ("vocab", "lexicon", "pfocr-rdf-developers")
    ),
}
"""For each layer but `compat`: beginnings of subjects, the first that fits decides, and their predicates."""

_TAXA = (ids.TAXA, f"{ids.PFD}organism/")
_GENES = (ids.GENES, _SYMBOLS)
MENTIONED: dict[str, tuple[str, ...]] = {
    Layer.CORE: _TAXA,
    Layer.LINKS_GENES_SYMBOL: _GENES,
    Layer.LINKS_GENES_SYNONYM: _GENES,
    Layer.LINKS_GENES_FAMILY: _GENES,
    Layer.LINKS_CHEMICALS: (ids.MESH, ids.CHEBI),
    Layer.LINKS_DISEASES: (ids.MESH, ids.DOID),
}
"""What a figure mentions in each layer."""

_KINDS: dict[str, str] = {
    Layer.EVIDENCE_GENES: "/gene-",
    Layer.EVIDENCE_CHEMICALS: "/chemical-",
    Layer.EVIDENCE_DISEASES: "/disease-",
}


class Placing:
    """Looks at what each layer says of a subject; remembers what it found right."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._right: set[object] = set()

    def look(self, subject: str, layer: str, said: Said) -> Iterator[tuple[str, Finding]]:
        """Yield check and finding for each triple of one subject that does not belong in the layer."""
        if layer == Layer.COMPAT:
            yield from _in_compat(subject, said)
            return
        places = PLACES.get(layer, ())
        start, allowed = next((place for place in places if subject.startswith(place[0])), ("", frozenset[str]()))
        key = (layer, start, tuple(said))
        if key not in self._right:
            wrong = [] if ANY in allowed else [predicate for predicate in said if predicate not in allowed]
            for predicate in wrong:
                yield PLACED, Finding(subject, predicate, "the layer does not say this of such a subject", layer)
            if not wrong and start:
                self._right.add(key)
        if layer in MENTIONED and _MENTIONS in said:
            for value in said[_MENTIONS]:
                if type(value) is str and not value.startswith(MENTIONED[layer]):
                    yield PLACED, Finding(subject, value, "figures do not mention such things in this layer", layer)
        elif layer in _KINDS and _KINDS[layer] not in subject:
            yield PLACED, Finding(subject, "", "the layer holds mentions of another kind", layer)


def _in_compat(subject: str, said: Said) -> Iterator[tuple[str, Finding]]:
    """Yield what `compat` may not say: it leaves alone what the graph itself describes, but figures and mentions."""
    if subject.startswith(OURS) and not subject.startswith((ids.FIGURES, ids.MENTIONS)):
        yield PLACED, Finding(subject, "", "compat says nothing of what the graph itself describes", Layer.COMPAT)
    for predicate in said:
        if subject.startswith(ids.MENTIONS):
            right = predicate == _VARIANT
        else:
            right = predicate in (_WP_ORGANISM, _VARIANT, _TYPE) or predicate.startswith(ids.SCHEMA)
            right = right or not predicate.startswith(_RESERVED)
        if not right:
            yield PLACED, Finding(subject, predicate, "compat does not say this of such a subject", Layer.COMPAT)
    for value in said.get(_TYPE, ()):
        if type(value) is str and value.startswith(ids.PFOCR) and value not in _defined():
            yield PLACED, Finding(subject, value, "a class that the ontology does not define", Layer.COMPAT)


@cache
def _defined() -> frozenset[str]:
    """Return the terms that the ontology defines."""
    return frozenset(subject for subject, _ in ontology.describe())


def doubles(subject: str, parts: Parts) -> Iterator[tuple[str, Finding]]:
    """Yield each triple of one subject that stands in two layers, or twice in one."""
    for layer, said in parts:
        for predicate, values in said.items():
            if len(values) > 1 and len(set(values)) < len(values):
                for value in {value for value in values if values.count(value) > 1}:
                    yield DOUBLES, Finding(subject, text(value), f"stands twice ({predicate})", layer)
    for number, (layer, said) in enumerate(parts[:-1]):
        for other, more in parts[number + 1 :]:
            for predicate in said.keys() & more.keys():
                for value in {*said[predicate]}.intersection(more[predicate]):
                    yield DOUBLES, Finding(subject, text(value), f"stands in {other} too ({predicate})", layer)


def text(value: Term) -> str:
    """Return a term as findings quote it."""
    return value if type(value) is str else str(value.value)
