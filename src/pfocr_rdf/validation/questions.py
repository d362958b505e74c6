"""Q34: the questions that the graph is made for are answered, on a sample of the release.

The sample is some figures of each layer of links, and of those that lead elsewhere, with all that they lead to. What
the questions ask for (a gene, a paper) is taken from the sample, as the pattern in each question's head says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from pfocr_rdf import codecs, identifiers, query, subjects
from pfocr_rdf.blocks import Item
from pfocr_rdf.errors import UsageError
from pfocr_rdf.model import Layer
from pfocr_rdf.questions import Column, Question, all_questions
from pfocr_rdf.release.info import VOID
from pfocr_rdf.serialize import HEADER
from pfocr_rdf.validation.findings import Finding
from pfocr_rdf.validation.options import Options
from pfocr_rdf.validation.release import Function, Release

if TYPE_CHECKING:
    import pyoxigraph as ox

WHOLE = 200
"""A release of up to so many figures is asked as a whole."""

FIGURES = 20
"""So many figures are taken from each layer of links."""

STEPS = 4
"""So far the sample goes from a figure: figure, gene, taxon and what stands beside them."""

_XSD = identifiers.PREFIXES["xsd"]
_DATATYPES = {
    "string": {f"{_XSD}string"},
    "integer": {f"{_XSD}integer"},
    "decimal": {f"{_XSD}decimal"},
    "year": {f"{_XSD}gYear"},
}
_FIRST = f"SELECT ?figure {{ ?figure a sio:SIO_000080 }} ORDER BY ?figure LIMIT {FIGURES}"
_ELSEWHERE = f"""SELECT DISTINCT ?figure {{
  ?figure a sio:SIO_000080 . {{ ?figure rdfs:seeAlso ?other }} UNION {{ ?figure dcterms:relation ?other }}
}} ORDER BY ?figure LIMIT {FIGURES}"""


def answered(release: Release, options: Options) -> Iterator[Finding]:
    """Yield what is wrong with the answers that a release gives."""
    del options
    store = sample(release)
    for question in all_questions():
        try:
            yield from judge(question, store)
        except UsageError as error:
            yield Finding(f"{question.name}.rq", "", str(error))


CHECKS: dict[str, Function] = {"Q34": answered}


def sample(release: Release) -> ox.Store:
    """Return a store with a part of the release that fits in memory, and with its description."""
    import pyoxigraph as ox

    small = int(release.manifest["counts"]["figures"]) <= WHOLE
    whole = release.store(whole=small)
    found = ox.Store()
    if small:
        found.extend(whole)
    else:
        found.extend(whole.quads_for_pattern(None, None, None, ox.NamedNode(identifiers.graph("ontology"))))
        figures = _figures(release)
        streamed = [*_gene_mentions(release, figures), *_of_blocks(release, figures)]
        found.extend(streamed)
        _follow(whole, found, figures, [quad.object for quad in streamed])
    description = release.folder / VOID
    if description.is_file():
        query.load(found, query.by_graph({"void": description}))
    return found


def _figures(release: Release) -> list[ox.NamedNode]:
    """Return the figures of the sample."""
    import pyoxigraph as ox

    found = [row["figure"] for text in (_FIRST, _ELSEWHERE) for row in query.ask(release.store(), text)]
    for layer, path in release.layers.items():
        if layer.startswith("links-"):
            with codecs.of_file(path).open(path) as stream:
                subjects = (quad.subject for quad in ox.parse(input=stream, format=ox.RdfFormat.TURTLE))
                found += islice(_changes(subjects), FIGURES)  # a layer has its subjects in order
    return found


def _changes(terms: Iterator[Any]) -> Iterator[Any]:
    """Yield terms, each run of equal ones once."""
    last = None
    for term in terms:
        if term != last:
            yield term
        last = term


def _gene_mentions(release: Release, figures: list[ox.NamedNode]) -> Iterator[ox.Quad]:
    """Yield what is said of the gene mentions of some figures, from its blocks."""
    layer = subjects.indexed(release.folder)[Layer.EVIDENCE_GENES]
    for figure in figures:
        start = identifiers.mention(identifiers.figid_of(figure.value), "")
        yield from _quads(Layer.EVIDENCE_GENES, layer.beginning(start))


def _of_blocks(release: Release, figures: list[ox.NamedNode]) -> Iterator[ox.Quad]:
    """Yield what the schema.org blocks of some figures say of them, and of what they lead to there."""
    import pyoxigraph as ox

    layer = subjects.indexed(release.folder).get(Layer.COMPAT)
    known: set[str] = set()
    ahead = {figure.value for figure in figures}
    for _ in range(STEPS if layer else 0):
        known |= ahead
        quads = list(_quads(Layer.COMPAT, layer.of(ahead))) if layer else []
        yield from quads
        ahead = {quad.object.value for quad in quads if isinstance(quad.object, ox.NamedNode)} - known


def _quads(layer: Layer, items: Iterable[Item]) -> Iterator[ox.Quad]:
    """Yield the triples of some subjects of a layer, in its graph."""
    import pyoxigraph as ox

    graph = ox.NamedNode(identifiers.graph(layer))
    turtle = HEADER + "".join(text for _, text in items)
    for triple in ox.parse(turtle, format=ox.RdfFormat.TURTLE):
        yield ox.Quad(triple.subject, triple.predicate, triple.object, graph)


def _follow(whole: ox.Store, found: ox.Store, figures: list[ox.NamedNode], more: Iterable[Any]) -> None:
    """Copy what is said of figures, of the mentions in them, and of what these and `more` lead to."""
    import pyoxigraph as ox

    target = ox.NamedNode(f"{identifiers.PREFIXES['oa']}hasTarget")
    heads = {quad.subject for figure in figures for quad in whole.quads_for_pattern(None, target, figure, None)}
    ahead: set[Any] = {*figures, *heads, *(term for term in more if isinstance(term, ox.NamedNode))}
    known: set[Any] = set()
    for _ in range(STEPS):
        known |= ahead
        quads = [quad for term in ahead for quad in whole.quads_for_pattern(term, None, None, None)]
        found.extend(quads)
        ahead = {quad.object for quad in quads if isinstance(quad.object, ox.NamedNode)} - known


def judge(question: Question, store: ox.Store) -> Iterator[Finding]:
    """Yield what is wrong with the answer that a store gives to a question: columns, kinds of terms, number of rows.

    Other people's endpoints are not asked: a question that asks them is read, and may have no rows.
    """
    terms = None if question.services else _terms(question, store)
    answer = query.ask(store, question.without_services().asking(terms or {}))
    with query.one_line_errors():
        found = query.table(answer)
    name = f"{question.name}.rq"
    columns = [column.name for column in question.columns]
    if found.variables != columns:
        yield Finding(name, ", ".join(found.variables), f"the columns are not {', '.join(columns)}")
        return
    for number, column in enumerate(question.columns):
        wrong = sorted({str(row[number]) for row in found.rows if not _is(row[number], column)})
        if wrong:
            yield Finding(name, wrong[0], f"{column.name}: no {column.kind}")
    if question.rows is not None and len(found.rows) != question.rows:
        yield Finding(name, str(len(found.rows)), f"the number of rows is not {question.rows}")
    if terms is not None and not found.rows:
        yield Finding(name, ", ".join(terms.values()), "no row, though the release has such data")


def _terms(question: Question, store: ox.Store) -> dict[str, str] | None:
    """Return terms of the store to ask for, the first ones, or None where it has no such data."""
    if not question.when:
        return {}
    names = list(question.parameters)
    if not names:
        return {} if query.ask(store, f"ASK {{ {question.when} }}") else None
    wanted = " ".join(f"?{name}" for name in names)
    with query.one_line_errors():
        text = f"SELECT DISTINCT {wanted} {{ {question.when} }} ORDER BY {wanted} LIMIT 1"
        for row in query.ask(store, text):
            return {name: str(row[name]) for name in names}
    return None


def _is(term: Any, column: Column) -> bool:
    """Whether a term is of a column's kind."""
    import pyoxigraph as ox

    if term is None:
        return column.optional
    if column.kind in _DATATYPES:
        return isinstance(term, ox.Literal) and not term.language and term.datatype.value in _DATATYPES[column.kind]
    return column.kind == "any" or isinstance(term, ox.NamedNode)
