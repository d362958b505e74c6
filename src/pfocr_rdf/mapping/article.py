"""Papers and journals: what the records of one paper say, resolved. The data model, section a.4."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pfocr_rdf import identifiers as ids
from pfocr_rdf import vocab as v
from pfocr_rdf.errors import Problem, problem
from pfocr_rdf.facts import Thing, gather
from pfocr_rdf.model import Article, Figure, Layer, Saying
from pfocr_rdf.terms import Description, Pair, gyear, iri, string

FIELDS = tuple(name for name in Article._fields if name != "pmcid")
"""Fields of a record that describe its paper, by their names in the source."""

CREATOR: Saying = "W"
"""What a record says that names the usual creator."""


@dataclass(frozen=True, slots=True)
class _Paper:
    """What the records of one paper say: the winner of each field, and its DOI as most of them spell it.

    `thing` has all that is said where the records differ, and nothing where they all say the same.
    """

    winner: dict[str, str]
    doi: str
    thing: Thing


def _resolve(figures: Sequence[Figure]) -> _Paper:
    first = figures[0].article
    if all(figure.article == first for figure in figures):
        return _Paper({**first._asdict(), "doi": first.doi.lower()}, first.doi, {})
    thing = gather(
        (first.pmcid, name, _stated(figure.article, name), ids.slug(figure.figid))
        for figure in figures
        for name in FIELDS
    )[first.pmcid]
    winner = {name: statements.winner for name, statements in thing.items()}
    spellings = Counter(figure.article.doi for figure in figures if _stated(figure.article, "doi") == winner["doi"])
    return _Paper(winner, min(spellings, key=lambda text: (-spellings[text], text)), thing)


def describe(figures: Iterable[Figure]) -> Iterator[tuple[Layer, Description] | Problem]:
    """Yield the descriptions of one paper from all figures in it, and what they contradict each other in."""
    figures = list(figures)
    pmcid = figures[0].article.pmcid
    iri_of_paper = ids.paper(pmcid)
    paper = _resolve(figures)
    for name, statements in paper.thing.items():
        if others := statements.others():
            values = " | ".join([statements.winner, *others])
            yield problem("facts-disagree", figures[0].path, field=name, value=values)
    yield Layer.CORE, (iri_of_paper, list(_paper(pmcid, paper)))
    yield Layer.XREFS, (iri_of_paper, [(v.EXACT_MATCH, iri(ids.paper_equivalent(pmcid)))])


def sayings(figures: Iterable[Figure]) -> list[tuple[str, str, Saying]]:
    """Return what all figures of one paper say of its journal and publisher: figid, place in the figure, saying.

    Each record says what it calls the journal; the publisher is said once for the paper.
    """
    figures = list(figures)
    winner = _resolve(figures).winner
    said: list[tuple[str, str, Saying]] = []
    if journal := _journal(winner):
        start = f"J\x1f{journal}\x1f{winner['journal_nlm_ta']}\x1f"
        said = [(figure.figid, "", start + figure.article.journal_title) for figure in figures]
    if publisher := winner["publisher_name"]:
        said.append((figures[0].figid, "", f"P\x1f{ids.publisher(publisher)}\x1f{publisher}"))
    return said


def _stated(article: Article, name: str) -> str:
    """Return what a record says; letter case of a DOI does not count."""
    value: str = getattr(article, name)
    return value.lower() if name == "doi" else value


def split_keywords(text: str) -> list[str]:
    """Return the authors' keywords of a field, each trimmed and once, without missing values."""
    return list(dict.fromkeys(part.strip() for part in text.split(" | ") if part.strip() not in ids.NO_VALUES))


def _journal(winner: dict[str, str]) -> str:
    short, title = winner["journal_nlm_ta"], winner["journal_title"]
    return ids.journal(short, title) if short or title else ""


def _paper(pmcid: str, paper: _Paper) -> Iterator[Pair]:
    yield v.A, v.ACADEMIC_ARTICLE
    yield v.IDENTIFIER, string(pmcid)
    winner = paper.winner
    for name, predicate in (("papertitle", v.TITLE), ("reftext", v.BIBLIOGRAPHIC_CITATION)):
        if winner[name]:
            yield predicate, string(winner[name])
    if winner["year"]:
        yield v.ISSUED, gyear(winner["year"])
    if winner["doi"]:
        yield v.DOI, string(winner["doi"])
        yield v.SAME_AS, iri(ids.doi(paper.doi))
    if journal := _journal(winner):
        yield v.IS_PART_OF, iri(journal)
    if winner["publisher_name"]:
        yield v.PUBLISHER, iri(ids.publisher(winner["publisher_name"]))
    for keyword in split_keywords(winner["keywords"]):
        yield v.KEYWORDS, string(keyword)
    for name, statements in paper.thing.items():
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
