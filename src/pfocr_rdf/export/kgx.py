"""Nodes and edges as tables of the Knowledge Graph Exchange format (KGX), in the terms of the Biolink model.

Nodes: papers, figures, genes, chemicals, diseases and taxa. Edges: what a figure mentions, the paper it is part of,
the taxon of a gene. Both in the order of the IRIs of nodes and of edges' subjects.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

from pfocr_rdf import buildfolder, subjects
from pfocr_rdf import identifiers as ids
from pfocr_rdf import vocab as v
from pfocr_rdf.export import stream, tsv
from pfocr_rdf.export.curies import PREFIXES, curie
from pfocr_rdf.export.stream import Evidence, Layers
from pfocr_rdf.model import EVIDENCE, GENE_LINKS, Layer, Level
from pfocr_rdf.subjects import Said, Texts
from pfocr_rdf.terms import expand

NODES, EDGES, CONTEXT = "nodes.tsv", "edges.tsv", "context.json"
NODE_COLUMNS = ("id", "category", "name", "description", "xref", "taxon", "iri", "provided_by")
EDGE_COLUMNS = (
    "id",
    "subject",
    "predicate",
    "object",
    "category",
    "knowledge_level",
    "agent_type",
    "primary_knowledge_source",
    "publications",
    "level",
    "lexicons",
)
SOURCE = "infores:pfocr"
CATEGORIES = {
    v.ACADEMIC_ARTICLE: "biolink:Article",
    v.FIGURE: "biolink:InformationContentEntity",
    v.GENE: "biolink:Gene",
    v.CHEMICAL: "biolink:ChemicalEntity",
    v.MEDICAL_CONDITION: "biolink:DiseaseOrPhenotypicFeature",
    v.TAXON: "biolink:OrganismTaxon",
}
"""Classes of the graph that become nodes."""

_LEVELS = {GENE_LINKS[level]: level.name.lower() for level in Level}
_MINED = ("not_provided", "text_mining_agent")
_STATED = ("knowledge_assertion", "automated_agent")
_LAST = "\U0010ffff"


def export(
    release: Path, out: Path, *, level: Level = Level.FAMILY, progress: Callable[[int], None] | None = None
) -> dict[str, int]:
    """Write `nodes.tsv`, `edges.tsv` and the prefixes that Biolink lacks into the new folder `out`; return counts.

    Raises `UsageError` when `release` is no build or `out` holds anything.
    """
    layers = stream.open_layers(release)
    with buildfolder.new_folder(out) as folder:
        with tsv.writing(folder / NODES) as nodes:
            nodes.write(tsv.row(NODE_COLUMNS))
            for cells in _nodes(layers):
                nodes.write(tsv.row(cells))
        with tsv.writing(folder / EDGES) as edges:
            edges.write(tsv.row(EDGE_COLUMNS))
            for cells in _edges(layers, level, progress):
                edges.write(tsv.row(cells))
        buildfolder.write_json(folder / CONTEXT, {"@context": PREFIXES})
        return {"nodes": nodes.written - 1, "edges": edges.written - 1}


def _nodes(layers: Layers) -> Iterator[list[str]]:
    wanted = [Layer.CORE, Layer.ENTITIES, Layer.XREFS, Layer.XREFS_PUBMED]
    for subject, texts in layers.joined(wanted, start=""):
        pairs: Said = {}
        for text in texts.values():
            for predicate, values in subjects.said(text).items():
                pairs.setdefault(predicate, []).extend(values)
        categories = sorted({CATEGORIES[kind] for kind in pairs.get(v.A, ()) if kind in CATEGORIES})
        if categories:
            yield _node(subject, categories, pairs)


def _node(subject: str, categories: list[str], pairs: Said) -> list[str]:
    same = [value for predicate in (v.SAME_AS, v.CLOSE_MATCH) for value in pairs.get(predicate, ())]
    taxa = pairs.get(v.TAXONOMIC_RANGE, ())
    return [
        curie(subject),
        tsv.items(categories),
        _text(subjects.text(pairs, v.LABEL) or subjects.text(pairs, v.TITLE)),
        _text(subjects.text(pairs, v.DESCRIPTION)),
        tsv.items(sorted(curie(expand(value)) for value in same)),
        tsv.items(curie(expand(value)) for value in taxa),
        subject,
        SOURCE,
    ]


def _text(text: str) -> str:
    """Return a text without the separator of lists, at which kgx takes any cell apart."""
    return tsv.items([text])


def _edges(layers: Layers, level: Level, progress: Callable[[int], None] | None) -> Iterator[list[str]]:
    lexicons = Lexicons(layers)
    wanted = [
        Layer.CORE,
        Layer.ENTITIES,
        *stream.gene_layers(level),
        Layer.LINKS_CHEMICALS,
        Layer.LINKS_DISEASES,
    ]
    for subject, texts in layers.joined(wanted, start=""):
        if subject.startswith(ids.FIGURES):
            yield from _figure_edges(subject, texts, lexicons.of(subject))
            if progress:
                progress(1)
        elif Layer.ENTITIES in texts:
            for taxon in subjects.said(texts[Layer.ENTITIES]).get(v.TAXONOMIC_RANGE, ()):
                yield _edge(subject, "in_taxon", expand(taxon), _STATED)


def _figure_edges(figure: str, texts: Texts, lexicons: dict[str, set[str]]) -> Iterator[list[str]]:
    core = stream.core(figure, texts)
    papers = [expand(paper) for paper in core.get(v.IS_PART_OF, ())]
    for paper in papers:
        yield _edge(figure, "part_of", paper, _STATED)
    taxa = {expand(value) for predicate in (v.ABOUT, v.MENTIONS) for value in core.get(predicate, ())}
    found = [(taxon, "") for taxon in taxa]
    for layer, text in texts.items():
        if layer is not Layer.CORE:
            found += [(entity, _LEVELS.get(layer, "")) for entity in stream.links(text)]
    for entity, level in sorted(found):
        yield _edge(figure, "mentions", entity, _MINED, papers, level, lexicons.get(entity, set()))


def _edge(
    subject: str,
    predicate: str,
    value: str,
    kind: tuple[str, str],
    papers: list[str] | None = None,
    level: str = "",
    lexicons: set[str] | None = None,
) -> list[str]:
    start, end = curie(subject), curie(value)
    return [
        f"{start}-{predicate}-{end}",
        start,
        f"biolink:{predicate}",
        end,
        "biolink:Association",
        *kind,
        SOURCE,
        tsv.items(map(curie, papers or ())),
        level,
        tsv.items(sorted(lexicons or ())),
    ]


class Lexicons:
    """By which lexicons each link of a figure was found; asked figure by figure, in their order.

    Mentions are ordered otherwise than figures within a paper, so one paper's are held.
    """

    def __init__(self, layers: Layers) -> None:
        """Begin before the first figure."""
        self._papers = _by_paper(layers)
        self._paper = ""
        self._found: dict[str, dict[str, set[str]]] = {}

    def of(self, figure: str) -> dict[str, set[str]]:
        """Return the names of lexicons by IRI of the entity."""
        paper = stream.paper_of(figure)
        while self._paper < paper:
            self._paper, self._found = next(self._papers, (_LAST, {}))
        return self._found.get(figure, {}) if self._paper == paper else {}


def _by_paper(layers: Layers) -> Iterator[tuple[str, dict[str, dict[str, set[str]]]]]:
    def key(mention: Evidence) -> str:
        return stream.paper_of(mention.figure)

    streams = [stream.mentions(layers, layer) for layer in EVIDENCE.values()]
    for paper, mentions in groupby(heapq.merge(*streams, key=key), key=key):
        found: dict[str, dict[str, set[str]]] = {}
        for mention in mentions:
            for body in mention.bodies:
                found.setdefault(mention.figure, {}).setdefault(body, set()).add(mention.lexicon)
        yield paper, found
