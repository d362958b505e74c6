"""Papers and journals: what the records of one paper say, resolved. The data model, section a.4."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import fields

from pfocr_rdf import identifiers as ids
from pfocr_rdf import vocab as v
from pfocr_rdf.errors import Problem, problem
from pfocr_rdf.facts import Fact, Thing, gather
from pfocr_rdf.model import Article, Figure, Layer
from pfocr_rdf.terms import Description, Pair, gyear, iri, string

FIELDS = tuple(field.name for field in fields(Article) if field.name != "pmcid")
"""Fields of a record that describe its paper, by their names in the source."""


def describe(figures: Iterable[Figure]) -> Iterator[tuple[Layer, Description] | Fact | Problem]:
    """Yield the descriptions of one paper from all figures in it, the facts about its journal, and conflicts."""
    figures = list(figures)
    pmcid = figures[0].article.pmcid
    iri_of_paper = ids.paper(pmcid)
    thing = gather(
        (iri_of_paper, name, _stated(figure.article, name), [ids.slug(figure.figid)])
        for figure in figures
        for name in FIELDS
    )
    spellings = Counter(
        figure.article.doi for figure in figures if _stated(figure.article, "doi") == thing["doi"].winner
    )
    doi = min(spellings, key=lambda text: (-spellings[text], text))
    for name in FIELDS:
        if others := thing[name].others():
            values = " | ".join([thing[name].winner, *others])
            yield problem("facts-disagree", figures[0].path, field=name, value=values)
    yield Layer.CORE, (iri_of_paper, list(_paper(pmcid, thing, doi)))
    yield Layer.XREFS, (iri_of_paper, [(v.EXACT_MATCH, iri(ids.paper_equivalent(pmcid)))])
    journal = _journal(thing)
    if journal:
        yield journal, "type", v.JOURNAL, ""
        if short := thing["journal_nlm_ta"].winner:
            yield journal, "journal_nlm_ta", short, ""
        for figure in figures:
            yield journal, "journal_title", figure.article.journal_title, ids.slug(figure.figid)
    if publisher := thing["publisher_name"].winner:
        yield ids.publisher(publisher), "type", v.FOAF_ORGANIZATION, ""
        yield ids.publisher(publisher), "publisher_name", publisher, ""


def _stated(article: Article, name: str) -> str:
    """Return what a record says; letter case of a DOI does not count."""
    value: str = getattr(article, name)
    return value.lower() if name == "doi" else value


def split_keywords(text: str) -> list[str]:
    """Return the authors' keywords of a field, each trimmed and once."""
    return list(dict.fromkeys(part.strip() for part in text.split(" | ") if part.strip()))


def _journal(thing: Thing) -> str:
    short, title = thing["journal_nlm_ta"].winner, thing["journal_title"].winner
    return ids.journal(short, title) if short or title else ""


def _paper(pmcid: str, thing: Thing, doi: str) -> Iterator[Pair]:
    yield v.A, v.ACADEMIC_ARTICLE
    yield v.IDENTIFIER, string(pmcid)
    winner = {name: statements.winner for name, statements in thing.items()}
    for name, predicate in (("papertitle", v.TITLE), ("reftext", v.BIBLIOGRAPHIC_CITATION)):
        if winner[name]:
            yield predicate, string(winner[name])
    if winner["year"]:
        yield v.ISSUED, gyear(winner["year"])
    if winner["doi"]:
        yield v.DOI, string(winner["doi"])
        yield v.SAME_AS, iri(ids.doi(doi))
    if journal := _journal(thing):
        yield v.IS_PART_OF, iri(journal)
    if winner["publisher_name"]:
        yield v.PUBLISHER, iri(ids.publisher(winner["publisher_name"]))
    for keyword in split_keywords(winner["keywords"]):
        yield v.KEYWORDS, string(keyword)
    for name, statements in thing.items():
        for value in statements.others():
            yield v.PFOCR_VARIANT, string(f"{name}={value}")
        for place, value in statements.dissents():
            yield v.PFOCR_DISSENT, string(f"{place} {name}={value}")


def describe_journal(subject: str, thing: Thing) -> Description:
    """Return a journal: the commonest title, the others as variants."""
    pairs: list[Pair] = [(v.A, v.JOURNAL)]
    if "journal_nlm_ta" in thing:
        pairs.append((v.SHORT_TITLE, string(thing["journal_nlm_ta"].winner)))
    titles = thing["journal_title"]
    if titles.winner:
        pairs.append((v.TITLE, string(titles.winner)))
    pairs += [(v.PFOCR_VARIANT, string(f"journal_title={value}")) for value in titles.others()]
    pairs += [(v.PFOCR_DISSENT, string(f"{place} journal_title={value}")) for place, value in titles.dissents()]
    return subject, pairs


def describe_publisher(subject: str, thing: Thing) -> Description:
    """Return a publisher."""
    return subject, [(v.A, v.FOAF_ORGANIZATION), (v.FOAF_NAME, string(thing["publisher_name"].winner))]


def describe_creator(subject: str) -> Description:
    """Return the usual creator of the records."""
    return subject, [(v.A, v.ORGANIZATION), (v.NAME, string("WikiPathways"))]
