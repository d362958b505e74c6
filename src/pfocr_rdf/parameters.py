"""What people write for the parameters of questions, as terms of SPARQL.

A parameter is of the kind of the term that the question holds for it: an IRI of a gene, taxon, paper, figure, chemical
or disease, a text, a whole number, a decimal number. An IRI may be written as its id (`7157`, `D011565`,
`PMC7757046`, a figid), as a CURIE (`ncbigene:7157`, `NCBITaxon:9606`, `DOID:8893`) or whole; what has a label, also as
its label, when one thing alone has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pfocr_rdf import identifiers as ids
from pfocr_rdf.errors import UsageError
from pfocr_rdf.questions import Question
from pfocr_rdf.terms import quoted

LookUp = Callable[[str, str], Sequence[tuple[str, str]]]
"""Given a class and a label, as SPARQL spells them, the IRIs of all such things and a word on each: its species."""

SHOWN = 8
"""So many things of one name are listed."""

_ANY = re.compile(r"[^\x00-\x20<>\"{}|\\^`\x7f-\x9f]+")


@dataclass(frozen=True, slots=True)
class Form:
    """A way to write an IRI: `prefix:local`, or `start`, local part, `end`; `bare` where the local part does alone."""

    prefix: str
    start: str
    local: re.Pattern[str]
    bare: bool = True
    end: str = ""
    plain: re.Pattern[str] | None = None
    """What the local part of an IRI looks like where it is not as people write it."""

    def iri(self, text: str) -> str | None:
        """Return the IRI that a text means in this form, or None."""
        if text.startswith(self.start):
            local = text[len(self.start) :]
            inner = local.removesuffix(self.end)
            return text if local.endswith(self.end) and (self.plain or self.local).fullmatch(inner) else None
        prefix, _, local = text.partition(":")
        if self.prefix and prefix.lower() == self.prefix.lower() and self.local.fullmatch(local):
            return f"{self.start}{ids.slug(local)}{self.end}"
        return f"{self.start}{ids.slug(text)}{self.end}" if self.bare and self.local.fullmatch(text) else None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of IRI: its forms, what is expected, and the class whose labels name such things, if any."""

    expected: str
    forms: tuple[Form, ...]
    named: str = ""


_GENE = Form("ncbigene", ids.GENES, ids.GENE_ID)
_TAXON = Form("NCBITaxon", ids.TAXA, ids.TAXON_ID)
_PAPER = Form("pmc", ids.PAPERS, ids.PMCID)
_FIGURE = Form("pfocr", ids.FIGURES, ids.FIGID, end=".html", plain=_ANY)
_MESH = Form("mesh", ids.MESH, ids.MESH_ID)
_CHEBI = Form("CHEBI", ids.CHEBI, ids.CHEBI_ID, bare=False)
_DOID = Form("DOID", ids.DOID, ids.DOID_ID, bare=False)
_FORMS = (_GENE, _TAXON, _PAPER, _FIGURE, _MESH, _CHEBI, _DOID)
_LABELLED = "or its label where only one has it"
_KINDS = {
    ids.GENES: Kind(
        "a gene: an NCBI Gene id (7157, ncbigene:7157), its IRI, or a symbol that only one gene of the graph has",
        (_GENE, Form("", f"{ids.PFD}symbol/", _ANY, bare=False)),
        f"<{ids.SCHEMA}Gene>",
    ),
    ids.TAXA: Kind(
        f"a taxon: an NCBI Taxonomy id (9606, NCBITaxon:9606), its IRI, {_LABELLED}",
        (_TAXON, Form("", f"{ids.PFD}organism/", _ANY, bare=False)),
        f"<{ids.SCHEMA}Taxon>",
    ),
    ids.PAPERS: Kind("a paper: an id of PubMed Central (PMC7757046) or its IRI", (_PAPER,)),
    ids.FIGURES: Kind("a figure: a figid (PMC7757046__nihms-1234-f0001) or the address of its page", (_FIGURE,)),
    ids.MESH: Kind("a heading of MeSH: its id (D012871) or its IRI", (_MESH,)),
    ids.DOID: Kind(
        f"a disease: an id of MeSH (D011565) or of the Disease Ontology (DOID:8893), its IRI, {_LABELLED}",
        (_MESH, _DOID),
        f"<{ids.SCHEMA}MedicalCondition>",
    ),
}


def terms(question: Question, given: Sequence[str], look_up: LookUp) -> dict[str, list[str]]:
    """Return the terms that `NAME=VALUE` texts give to parameters of a question, as SPARQL spells them.

    A list is given as values with commas between them, or by its name more than once. `look_up` is asked for what is
    no id. Raises `UsageError` for an unknown parameter and for a value of another kind; it says what is expected.
    """
    found: dict[str, list[str]] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or name not in question.parameters:
            raise UsageError(f"--param {text}: is not such as NAME=VALUE; {_offer(question)}")
        is_list = len(question.parameters[name]) > 1
        if name in found and not is_list:
            raise UsageError(f"--param {name}: given twice, but question {question.number} takes one")
        values = [part for part in value.split(",") if part.strip()] if is_list else [value]
        if not values:
            raise UsageError(f"--param {name}: the list is empty")
        default = question.parameters[name][0]
        new = (_term(name, one.strip() if is_list else one, default, look_up) for one in values)
        found[name] = list(dict.fromkeys((*found.get(name, ()), *new)))
    return found


def _offer(question: Question) -> str:
    named = [
        f"{name} ({kind(terms[0])}{', several' if len(terms) > 1 else ''})"
        for name, terms in question.parameters.items()
    ]
    return f"question {question.number} has {', '.join(named) or 'no parameters'}"


def kind(default: str) -> str:
    """Return in a word what kind of value a parameter takes, from the term that the question holds for it."""
    if default.startswith("<"):
        return _kind(default).expected.partition(":")[0].removeprefix("a ")
    return "text" if default.startswith('"') else "number" if "." in default else "whole number"


def _kind(default: str) -> Kind:
    return next(kind for start, kind in _KINDS.items() if default.startswith(f"<{start}"))


def _term(name: str, value: str, default: str, look_up: LookUp) -> str:
    if any("\ud800" <= char <= "\udfff" or char == "\0" for char in value):
        raise UsageError(f"--param {name}: the value is no text in UTF-8")
    if default.startswith('"'):
        return quoted(value)
    if default.startswith("<"):
        return f"<{_iri(name, value.strip(), _kind(default), look_up)}>"
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?" if "." in default else r"[0-9]{1,9}", value):
        example = f"such as {default}"
        raise UsageError(f"--param {name}={value}: a {kind(default)} is expected, {example}")
    return value if "." in value or "." not in default else f"{value}.0"


def _iri(name: str, value: str, kind: Kind, look_up: LookUp) -> str:
    text = value[1:-1] if value.startswith("<") and value.endswith(">") else value
    prefix, _, local = text.partition(":")
    whole = f"{ids.PREFIXES[prefix]}{local}" if prefix in ids.PREFIXES else text
    for form in kind.forms:
        for written in dict.fromkeys((text, whole)):
            if (iri := form.iri(written)) is not None:
                return iri
    if not kind.named or not value or "://" in value or value.isdigit():
        raise UsageError(f"--param {name}={value}: expected is {kind.expected}")
    things = sorted(look_up(kind.named, quoted(value)))
    if not things:
        raise UsageError(f"--param {name}={value}: nothing in the graph has this label; expected is {kind.expected}")
    if len(things) > 1:
        listed = ", ".join(
            f"{shown(f'<{iri}>')} ({word})" if word else shown(f"<{iri}>") for iri, word in things[:SHOWN]
        )
        more = f" and {len(things) - SHOWN} more" if len(things) > SHOWN else ""
        raise UsageError(
            f"--param {name}={value}: {len(things)} things have this label: {listed}{more}; give one of these ids"
        )
    return things[0][0]


def shown(term: str) -> str:
    """Return a term as people may write it: the id of an IRI, the bare text of a literal."""
    if term.startswith("<"):
        for form in _FORMS:
            if term.startswith(f"<{form.start}"):
                local = ids.decode(term[1 + len(form.start) : -1].removesuffix(form.end))
                return local if form.bare else f"{form.prefix}:{local}"
        return term
    return term[1:-1] if term.startswith('"') else term


def defaults(question: Question) -> Mapping[str, str]:
    """Return what one would write for each parameter of a question to get the terms that it holds."""
    return {name: ",".join(shown(term) for term in terms) for name, terms in question.parameters.items()}
