"""Checks of single terms: IRIs that are none (Q4), missing values that became values (Q4), texts gone wrong (Q29)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import pyoxigraph as ox

from pfocr_rdf import identifiers as ids
from pfocr_rdf import vocab as v
from pfocr_rdf.terms import expand
from pfocr_rdf.validation.findings import Finding
from pfocr_rdf.validation.shapes import Term

IRIS, TEXTS = "Q4", "Q29"
BLANK = "_:"
"""Begins what stands for a blank node, whose name means nothing."""

SENTINELS = frozenset({"null", "NA", "nan", ".na.character", "-", "noIdentifier", "unknown"})
"""Spellings of a missing value."""

_MISSING = tuple(f"{sentinel}{end}" for sentinel in sorted(SENTINELS) for end in ("", ".html"))
_DOI = "https://doi.org/10."
_MAX_KNOWN = 200_000
"""IRIs that are remembered as good."""
_VERBATIM = frozenset(map(expand, (v.PFOCR_WORD, v.PFOCR_MATCH, v.PFOCR_NAME, v.PFOCR_SYMBOL)))
_LABELS = frozenset(map(expand, (v.LABEL, v.ALT_LABEL)))
_KEYWORDS = expand(v.KEYWORDS)
_OF_GENES = (ids.GENES, f"{ids.PFD}symbol/")
_USUAL_TYPES = frozenset(f"{ids.PREFIXES['xsd']}{name}" for name in ("string", "integer", "decimal", "gYear"))
_CONTROL = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]"
_UNREADABLE = "\ufffd|\xef\xbf\xbd"
_SECOND_BYTE = "\x80-\xbf\u0152-\u0192\u02c6-\u02dc\u2013-\u2122"
"""What a second byte of UTF-8 becomes in Latin-1 or Windows-1252."""
_MISREAD = f"[\xc2\xc3][{_SECOND_BYTE}]|\xe2\u20ac|[\xce\xcf][\x80-\xbf\u20ac]"
_GREEK = "[\xb5\u2126\u2206\u03d0-\u03d6\u03f0-\u03f2\u03f4\u03f5\u1d5d-\u1d6a\U0001d6a8-\U0001d7cb]"
_FAULTS = tuple(
    (re.compile(pattern), fault)
    for pattern, fault in (
        (_CONTROL, "has a control character"),
        (_UNREADABLE, "has the sign for an unreadable character"),
        (_MISREAD, "was read in a wrong encoding"),
        (_GREEK, "has a Greek letter in disguise"),
    )
)


class Wording:
    """Looks at terms; remembers the IRIs that it found good."""

    def __init__(self) -> None:
        """Know no IRI yet."""
        self._good: set[str] = set()

    def look(self, subject: str, layer: str, said: Mapping[str, Sequence[Term]]) -> Iterator[tuple[str, Finding]]:
        """Yield check and finding for each bad term in the triples of one subject in one layer."""
        good = self._good
        if subject not in good and (fault := self._fault(subject)):
            yield IRIS, Finding(subject, subject, fault, layer)
        for predicate, values in said.items():
            if predicate not in good and (fault := self._fault(predicate)):
                yield IRIS, Finding(subject, predicate, fault, layer)
            for value in values:
                if type(value) is str:
                    if value not in good and (fault := self._fault(value)):
                        yield IRIS, Finding(subject, value, fault, layer)
                elif type(value) is ox.Literal:
                    text = value.value
                    if text in SENTINELS and not _is_verbatim(subject, predicate, layer):
                        yield IRIS, Finding(subject, text, f"a missing value became one of {predicate}", layer)
                    if not (text.isascii() and text.isprintable()):
                        for fault in text_faults(text):
                            yield TEXTS, Finding(subject, text[:200], f"{fault} ({predicate})", layer)
                    datatype = value.datatype.value
                    if datatype not in _USUAL_TYPES and (fault := self._fault(datatype)):
                        yield IRIS, Finding(subject, datatype, fault, layer)
                else:
                    yield IRIS, Finding(subject, BLANK, f"a blank node is a value of {predicate}", layer)

    def _fault(self, iri: str) -> str:
        """Return what is wrong with an IRI, or an empty text."""
        if not ids.ABSOLUTE_IRI.fullmatch(iri):
            if iri.startswith(BLANK):
                return "a blank node is described"
            return "is no absolute IRI, or has a character that no IRI may have"
        if iri.endswith(_MISSING) and _is_missing(iri):
            return "ends in a missing value"
        if len(self._good) >= _MAX_KNOWN:
            self._good.clear()
        self._good.add(iri)
        return ""


def _is_missing(iri: str) -> bool:
    """Whether the last part of an IRI is a missing value."""
    if iri.startswith(_DOI):  # its publisher's words
        return False
    last = iri[max(iri.rfind("/"), iri.rfind("#"), iri.rfind(":")) + 1 :].removesuffix(".html")
    term = iri[len(ids.OBO) :].partition("_")[2].removesuffix(".html") if iri.startswith(ids.OBO) else last
    return last in SENTINELS or term in SENTINELS


def text_faults(text: str) -> Iterator[str]:
    """Yield what is wrong with the characters of a text."""
    return (fault for pattern, fault in _FAULTS if pattern.search(text))


def _is_verbatim(subject: str, predicate: str, layer: str) -> bool:
    """Whether a value is what was read, or a symbol: there, NA is a text like any other."""
    if predicate in _VERBATIM:
        return True
    if predicate == _KEYWORDS:  # the site's list of symbols and words
        return layer == "compat"
    return predicate in _LABELS and subject.startswith(_OF_GENES)
