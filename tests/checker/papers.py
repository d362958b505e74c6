"""Papers, journals, publishers: facts that several records may state (the model, a.4, a.2b)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from pyoxigraph import NamedNode, Triple

from . import vocabulary as v
from .figures import Layers, good_year, has_creator
from .source import Corpus, Figure
from .vocabulary import term, text
from .votes import Said, fact, is_name, winner

PLAIN = {"papertitle": "dcterms:title", "reftext": "dcterms:bibliographicCitation"}
FIELDS = ("papertitle", "reftext", "year", "doi", "journal_title", "journal_nlm_ta", "publisher_name", "keywords")


def said(figure: Figure, field: str) -> Said:
    """What a record says of its paper in one field."""
    value = figure.front.scalar(field)
    if field == "doi":
        value = doi(figure)
        value = value.lower() if value else None
    elif field == "year":
        value = good_year(value)
    return Said(v.slug(figure.figid), field, value)


def doi(figure: Figure) -> str | None:
    """A DOI that is one (the model, d, Q3)."""
    value = figure.front.scalar("doi")
    return value if value and re.fullmatch(r"10\.[0-9]{4,9}/\S+", value) else None


def journal_iri(abbreviation: str | None, title: str | None) -> NamedNode | None:
    """One node for each NLM abbreviation; without one, for each title (a.4)."""
    if abbreviation:
        return term(f"pfd:journal/{v.slug(abbreviation)}")
    return term(f"pfd:journal/title/{v.slug(title)}") if title else None


def add_papers(layers: Layers, corpus: Corpus) -> None:
    """All papers with their journals and publishers."""
    papers: dict[str, list[Figure]] = defaultdict(list)
    for figure in corpus.figures:
        papers[figure.pmcid].append(figure)
        if has_creator(figure):
            creator = NamedNode(v.CREATOR)
            layers["core"].add(Triple(creator, term("rdf:type"), term("schema:Organization")))
            layers["core"].add(Triple(creator, term("schema:name"), text("WikiPathways")))
    journals: dict[NamedNode, list[Said]] = defaultdict(list)
    for pmcid, figures in papers.items():
        paper = v.paper_iri(pmcid)
        layers["core"] |= {
            Triple(paper, term("rdf:type"), term("bibo:AcademicArticle")),
            Triple(paper, term("dcterms:identifier"), text(pmcid)),
        }
        layers["xrefs"].add(Triple(paper, term("skos:exactMatch"), NamedNode(f"http://identifiers.org/pmc/{pmcid}")))
        chosen: dict[str, str | None] = {}
        for field in FIELDS:
            chosen[field], triples = fact(paper, [said(figure, field) for figure in figures])
            layers["core"] |= triples
        layers["core"] |= set(described(paper, figures, chosen))
        journal = journal_iri(chosen["journal_nlm_ta"], chosen["journal_title"])
        if journal is not None:
            journals[journal] += [said(figure, "journal_title") for figure in figures]
            layers["core"].add(Triple(paper, term("dcterms:isPartOf"), journal))
            if name := chosen["journal_nlm_ta"]:
                layers["core"].add(Triple(journal, term("bibo:shortTitle"), text(name)))
        if name := chosen["publisher_name"]:
            publisher = term(f"pfd:publisher/{v.slug(name)}")
            layers["core"].add(Triple(paper, term("dcterms:publisher"), publisher))
            layers["core"].add(Triple(publisher, term("rdf:type"), term("foaf:Organization")))
            layers["core"].add(Triple(publisher, term("foaf:name"), text(name)))
    for journal, places in journals.items():
        add_journal(layers, journal, places)


def described(paper: NamedNode, figures: list[Figure], chosen: dict[str, str | None]) -> Iterator[Triple]:
    """The paper's own facts as they won the vote, and its year (a.4)."""
    for field, name in PLAIN.items():
        if value := chosen[field]:
            yield Triple(paper, term(name), text(value))
    for keyword in (chosen["keywords"] or "").split(" | "):
        if is_name(keyword):
            yield Triple(paper, term("schema:keywords"), text(keyword.strip()))
    if value := chosen["doi"]:
        spelled = winner(d for d in map(doi, figures) if d and d.lower() == value) or value
        yield Triple(paper, term("bibo:doi"), text(value))
        yield Triple(paper, term("owl:sameAs"), v.doi_iri(spelled))
    if value := chosen["year"]:
        yield Triple(paper, term("dcterms:issued"), v.year(value))


def add_journal(layers: Layers, journal: NamedNode, places: list[Said]) -> None:
    """A journal; all records of its papers say, or do not say, what its title is."""
    title, triples = fact(journal, places)
    layers["core"] |= triples
    layers["core"].add(Triple(journal, term("rdf:type"), term("bibo:Journal")))
    if title:
        layers["core"].add(Triple(journal, term("dcterms:title"), text(title)))
